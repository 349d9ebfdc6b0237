"""Each command of the README's "When something goes wrong" and "Ask by URL" does what it is there for, as it stands."""

import json
import re
import shlex
import subprocess

import pytest

from .local import BIN, CREDENTIALS, PROJECT, Stack, clean_environment, eventually, picture
from .urls import Author

KEY = "cats/rio.jpg"


def commands(title: str) -> list[str]:
    """A section's commands, a line each, without their indentation."""
    section = re.search(rf"^## {title}\n.*?\n## ", (PROJECT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    assert section, title
    blocks = re.findall(r"^( *)```sh\n(.*?)```", section[0], re.DOTALL | re.MULTILINE)
    text = "".join(re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in blocks)
    return re.sub(r"\\\n +", "", text).splitlines()


SHOWN = {  # by a word of the command
    "dynamodb query": '"processed"',
    "get-queue-attributes": "ApproximateNumberOfMessages",
    "head-object": "ETag",
    '$key\\"': KEY,
    "redrive.sh --region eu-central-1  ": KEY,
    "--send-back": "Sent back: 1.",
    "--drop": "Dropped: 1 of 1",
    "--prefix": "Sent: 1.",
    "create-invalidation": '"/*"',
}
NAMES, COMMANDS = commands("When something goes wrong")[:3], commands("When something goes wrong")[3:]
URL_COMMANDS = commands("Ask by URL")


def letter(stack: Stack) -> None:
    record = {
        "eventSource": "aws:s3",
        "s3": {"bucket": {"name": stack.outputs["UploadBucketName"]}, "object": {"key": KEY}},
    }
    stack.local.client("sqs").send_message(
        QueueUrl=stack.outputs["DeadLetterQueueUrl"], MessageBody=json.dumps({"Records": [record]})
    )


def test_each_word_that_is_looked_for_is_in_a_command() -> None:
    assert [line[:4] for line in NAMES] == ["stac", "eval", "log="]
    for words in SHOWN:
        assert [command for command in COMMANDS if words in command], words


def run(script: str, environment: dict[str, str]) -> str:
    shell = ["bash", "-euc", script]
    done = subprocess.run(
        shell, cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def shell(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a shell in which the first lines were entered."""
    folder = tmp_path_factory.mktemp("bin")
    aws = folder / "aws"  # AWS CLI 1's sqs does not read AWS_ENDPOINT_URL
    aws.write_text(f'#!/bin/sh\nexec "{BIN}/aws" --endpoint-url {stack.local.outputs["Endpoint"]} "$@"\n')
    aws.chmod(0o755)
    environment = {**clean_environment(), **CREDENTIALS, "PORT": str(stack.local.port)}
    environment["PATH"] = f"{folder}:{environment['PATH']}"
    entered = run("\n".join(["set -a", *NAMES, "env -0"]), environment)
    return dict(line.split("=", 1) for line in entered.split("\0") if line)


@pytest.mark.parametrize("command", [line for line in COMMANDS if "batch_job" not in line])  # the local AWS has no jobs
def test_a_command_for_one_on_call_works_as_it_stands(stack: Stack, shell: dict[str, str], command: str) -> None:
    stack.local.client("sqs").purge_queue(QueueUrl=stack.outputs["DeadLetterQueueUrl"])
    if "redrive.sh" in command:
        letter(stack)
    stack.upload(KEY, picture())
    eventually(lambda: f"{KEY}/thumbnail" in stack.renditions() and stack.records(KEY))

    shown = run(command.replace("--region eu-central-1", "--local"), shell | {"key": KEY})

    for words, expected in SHOWN.items():
        if words in command:
            assert expected in shown, command


def test_the_commands_that_sign_are_those_that_are_run() -> None:
    assert [re.split(r"[ (]", command)[0] for command in URL_COMMANDS] == [*3 * ["deployment/sign.py"], "key=$", "aws"]


@pytest.mark.parametrize("command", [line for line in URL_COMMANDS if "sign.py" in line])
def test_a_url_that_the_command_prints_is_one_of_a_picture(stack: Stack, shell: dict[str, str], command: str) -> None:
    stack.upload(KEY, picture())
    outputs = shlex.quote(str(stack.local.outputs_file))

    url = run(command.replace(".local/outputs.json", outputs).replace("eu-central-1", "us-east-1"), shell).strip()

    assert url.startswith(stack.outputs["CdnUrl"] + "/")
    answer = stack.ask(url.removeprefix(stack.outputs["CdnUrl"]), Accept="image/avif")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/avif")


def test_the_key_is_read_and_replaced_by_the_commands(stack: Stack, shell: dict[str, str]) -> None:
    read, replace = URL_COMMANDS[3:]
    before = run(f'{read}; echo "$key"', shell).strip()
    run(replace, shell)
    after = run(f'{read}; echo "$key"', shell).strip()

    assert len(before) == len(after) == 64
    assert before != after
    stack.upload(KEY, picture())
    for number, key in enumerate((before, after)):
        assert stack.ask(Author(stack, key).url(f"/{KEY}", width=31 + number)).status == 200
    # As it was before, for the tests that follow.
    stack.local.client("secretsmanager").put_secret_value(
        SecretId=stack.outputs["SigningSecretArn"], SecretString=before
    )
