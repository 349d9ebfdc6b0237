"""The commands of the manual do what the manual says, run as they are written.

The test replaces only the region, which is us-east-1 here, the names of the user's own resources, and the addresses of
the local AWS. A section whose commands are not run here is listed with the test that runs them.
"""

import json
import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from ..docs.pages import PROJECT, commands, manual, pages
from .local import BIN, CREDENTIALS, Stack, clean_environment, eventually, picture
from .urls import Author

KEY = "cats/rio.jpg"
SET_THESE_ONCE = "describe-stacks"
PAGES = [path[len("docs/") : -len(".md")] for path in pages() if re.fullmatch(r"docs/[^/]+\.md", path)]
RUN_HERE = {
    ("urls", "Set these once"),
    ("urls", "Sign a URL"),
    ("urls", "Sign URLs in your own program"),
    ("urls", "Replace the signing key"),
    ("api", "Set these once"),
    ("api", "Request"),
    ("deploy", "With the plain AWS CLI"),
    ("deploy", "After the deployment"),
    ("local", "URLs and keys of the local stack"),
    ("local", "Run the manual's commands on the local stack"),
}
RUN_ELSEWHERE = {  # with the test, and the program that the section's commands start
    ("deploy", ""): ("tests/deployment/test_deploy.py", "deploy.sh"),
    ("deploy", "Change parameters"): ("tests/deployment/test_deploy.py", "deploy.sh"),
    ("deploy", "Update"): ("tests/deployment/test_deploy.py", "deploy.sh"),
    ("deploy", "Tags and what the stack costs"): ("tests/deployment/test_deploy_tags.py", "deploy.sh"),
    ("deploy", "Several stacks"): ("tests/deployment/test_deploy.py", "deploy.sh"),
    ("deploy", "Remove"): ("tests/deployment/test_destroy.py", "destroy.sh"),
    ("deploy", "Prove the deployment"): ("tests/e2e/test_verify.py", "verify.sh"),
    ("api", "Request signed for IAM"): ("tests/e2e/test_api_authorization.py", "curl"),
    ("api", "Request with a token of Cognito"): ("tests/e2e/test_api_authorization.py", "curl"),
    ("local", "Change parameters"): ("tests/e2e/test_local_aws.py", "local.sh"),
    ("local", ""): (".ci/run", "make test"),  # and `make run` is what the fixtures here start
}
TESTED_APART = {"operations", "recipes"}  # below, and by the recipes' own test
ON_CALL_ELSEWHERE = {"batch_job.sh": "tests/deployment/test_batch_job.py"}  # the local AWS has no jobs
SHOWN = {  # what a command prints, by a part of the command
    r"status\.sh .*\$stack\"$": "Healthy.",
    "--cost": "cost            unknown",  # the local AWS has no Cost Explorer
    "dynamodb query": '"processed"',
    "get-queue-attributes": "ApproximateNumberOfMessages",
    "head-object": "ETag",
    r'\\"\$key\\"': KEY,
    r'redrive\.sh --stack-name "\$stack"$': KEY,
    "--send-back": "Sent back: 1.",
    "--drop": "Dropped: 1 of 1",
    '--prefix "\\$key': "Sent: 1.",
    "create-invalidation": '"/*"',
}


def script(page: str, section: str) -> list[str]:
    """The commands of a section, a line each."""
    return commands("".join(manual(page).blocks("sh", section)))


def on_call(*, variables: bool) -> list[str]:
    """The commands of the page for operators: those that set variables, or the others. No other test runs them."""
    lines = commands("".join(manual("operations").blocks("sh"))) if "operations" in PAGES else []
    return [line for line in lines if bool(re.match(r"[a-z_]+=|export |eval ", line)) == variables]


def run(lines: str, environment: Mapping[str, str], cwd: Path = PROJECT) -> str:
    shell = ["bash", "-euo", "pipefail", "-c", lines]
    done = subprocess.run(
        shell, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def local(command: str) -> str:
    return command.replace("eu-central-1", "us-east-1")


def environment_after(lines: list[str], environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a shell in which these lines were entered."""
    entered = run("\n".join(["set -a", *map(local, lines), "env -0"]), environment)
    return dict(line.split("=", 1) for line in entered.split("\0") if line)


@pytest.fixture(scope="module")
def fresh(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a fresh shell, whose AWS CLI reaches the local AWS."""
    folder = tmp_path_factory.mktemp("bin")
    aws = folder / "aws"  # AWS CLI 1's sqs does not read AWS_ENDPOINT_URL
    aws.write_text(f'#!/bin/sh\nexec "{BIN}/aws" --endpoint-url {stack.local.outputs["Endpoint"]} "$@"\n')
    aws.chmod(0o755)
    environment = {**clean_environment(), **CREDENTIALS, "PORT": str(stack.local.port)}
    return environment | {"PATH": f"{folder}:{environment['PATH']}"}


@pytest.fixture(scope="module")
def shell(fresh: dict[str, str]) -> dict[str, str]:
    """The environment of a shell after the lines that the manual says to enter once."""
    return environment_after(script("urls", "Set these once"), fresh)


@pytest.fixture(scope="module")
def operator(fresh: dict[str, str]) -> dict[str, str]:
    """The environment of a shell after all lines of the page for operators that set a variable."""
    return environment_after(on_call(variables=True), fresh)


def test_every_section_with_commands_is_run_by_a_test() -> None:
    found = {
        (page, section)
        for page in PAGES
        if page not in TESTED_APART
        for section in manual(page).sections()
        if manual(page).blocks("sh", section)
    }

    assert found == RUN_HERE | RUN_ELSEWHERE.keys()
    for (page, section), (test, program) in RUN_ELSEWHERE.items():
        assert any(program in line for line in script(page, section)), (page, section)
        assert program in (PROJECT / test).read_text(), test


def test_the_lines_to_enter_once_set_every_output(stack: Stack, shell: dict[str, str]) -> None:
    described = stack.local.client("cloudformation").describe_stacks(StackName=shell["stack"])["Stacks"][0]["Outputs"]

    assert len(described) > 5
    assert {output["OutputKey"]: output["OutputValue"] for output in described}.items() <= shell.items()


@pytest.mark.parametrize("command", script("urls", "Sign a URL"))
def test_a_url_that_the_command_prints_is_one_of_a_picture(stack: Stack, shell: dict[str, str], command: str) -> None:
    stack.upload(KEY, picture())
    outputs = shlex.quote(str(stack.local.outputs_file))

    url = run(command.replace("--local", f"--outputs {outputs}"), shell).strip()

    assert url.startswith(stack.outputs["CdnUrl"] + "/")
    answer = stack.ask(url.removeprefix(stack.outputs["CdnUrl"]), Accept="image/avif")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/avif")


def test_the_key_is_read_and_replaced_by_the_commands(stack: Stack, shell: dict[str, str]) -> None:
    [read] = script("urls", "Sign URLs in your own program")
    [replace] = script("urls", "Replace the signing key")
    before = run(f'{read}; echo "$key"', shell).strip()
    run(replace, shell)
    after = run(f'{read}; echo "$key"', shell).strip()

    assert len(before) == len(after) == 64
    assert before != after
    stack.upload(KEY, picture())
    assert stack.ask(Author(stack, before).url(f"/{KEY}", width=31)).status == 200
    eventually(lambda: stack.ask(Author(stack, after).url(f"/{KEY}", width=32)).status == 200, within=6)
    # As it was before, for the tests that follow.
    stack.local.client("secretsmanager").put_secret_value(
        SecretId=stack.outputs["SigningSecretArn"], SecretString=before
    )


@pytest.mark.parametrize(
    ("number", "names"), [(0, ["thumbnail"]), (1, ["thumbnail"]), (2, ["width=300,format=webp"])]
)  # of the commands, in their order
def test_the_api_is_called_by_the_commands(stack: Stack, fresh: dict[str, str], number: int, names: list[str]) -> None:
    stack.upload(KEY, picture())
    environment = environment_after(script("api", "Set these once"), fresh)
    assert environment["API_KEY"] == stack.api_key
    assert ".execute-api." in environment["ApiUrl"]

    printed = run(script("api", "Request")[number], environment | {"ApiUrl": stack.local.outputs["ApiUrl"]})

    renditions = json.loads(printed)["renditions"]
    assert [one.get("variant") or one["transformation"] for one in renditions] == names


def test_all_calls_of_the_api_that_are_shown_are_run() -> None:
    assert len(script("api", "Request")) == 3


def test_the_plain_aws_cli_deploys_the_template(stack: Stack, fresh: dict[str, str]) -> None:
    name = "plain-cli"
    zip_path = PROJECT / "build" / "function-local.zip"  # made by the deployment that this module's stack is of
    lines = [
        local(line)
        .replace("stack=aws-serverless-image-processing", f"stack={name}")
        .replace("code_bucket=my-code-bucket", "code_bucket=plain-cli-code")
        .replace("zip=build/function-arm64.zip", f"zip={shlex.quote(str(zip_path))}")
        for line in script("deploy", "With the plain AWS CLI")
    ]
    assert "--parameter-overrides" in lines[-1]
    lines[-1] += " RequireTls=false ViewerProtocolPolicy=allow-all"  # what an emulator needs

    # `cloudformation deploy` gives the option --endpoint-url to its first client alone.
    run("\n".join(lines), fresh | {"AWS_ENDPOINT_URL": stack.local.outputs["Endpoint"]})

    cloudformation = stack.local.client("cloudformation")
    [described] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    assert described["StackStatus"] == "CREATE_COMPLETE"
    assert {output["OutputKey"] for output in described["Outputs"]} >= {"UploadBucketName", "DistributionDomainName"}
    cloudformation.delete_stack(StackName=name)


def test_a_picture_is_uploaded_and_its_thumbnail_requested(stack: Stack, fresh: dict[str, str], tmp_path: Path) -> None:
    lines = script("deploy", "After the deployment")
    last = next(number for number, line in enumerate(lines) if SET_THESE_ONCE in line)
    environment = environment_after(lines[: last + 1], fresh)
    (tmp_path / "photo.jpg").write_bytes(picture())
    upload, request = lines[last + 1 :]

    run(upload, environment, tmp_path)
    run(request.replace("https://$DistributionDomainName", stack.outputs["CdnUrl"]), environment, tmp_path)

    assert (tmp_path / "thumbnail.jpg").read_bytes() == stack.served("photo.jpg/thumbnail").body


@pytest.fixture
def at_home(stack: Stack) -> dict[str, str]:
    """A fresh shell of a user whose own AWS settings must not be used, for the stack of these tests."""
    state = str(stack.local.outputs_file.parent)
    return {**clean_environment(), "STATE": state, "AWS_PROFILE": "mine", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}


def test_the_local_outputs_are_read_by_the_commands(stack: Stack, at_home: dict[str, str], tmp_path: Path) -> None:
    stack.upload("sample.jpg", picture())
    stack.served("sample.jpg/thumbnail")
    read, request = script("local", "URLs and keys of the local stack")
    request = request.replace("-o thumbnail.jpg", f"-o {shlex.quote(str(tmp_path / 'thumbnail.jpg'))}")

    run("\n".join([read, request]), at_home)

    assert (tmp_path / "thumbnail.jpg").read_bytes() == stack.served("sample.jpg/thumbnail").body


def test_the_manual_s_commands_reach_the_local_stack(stack: Stack, at_home: dict[str, str], tmp_path: Path) -> None:
    stack.upload("sample.jpg", picture())
    lines = script("local", "Run the manual's commands on the local stack")

    def shown(*commands: str) -> str:
        return run("\n".join([*lines, f"cd {tmp_path}", *commands]), at_home)

    listed = shown('aws s3 ls "s3://$UploadBucketName/"')
    queues = shown("aws sqs list-queues")
    logged = shown('echo "$stack $region $PORT"', 'aws logs describe-log-streams --log-group-name "$log"')

    assert "sample.jpg" in listed
    assert stack.outputs["DeadLetterQueueUrl"].rpartition("/")[2] in queues
    assert logged.startswith(f"aws-serverless-image-processing us-east-1 {stack.local.port}\n")
    assert "logStreamName" in logged


def letter(stack: Stack) -> None:
    record = {
        "eventSource": "aws:s3",
        "s3": {"bucket": {"name": stack.outputs["UploadBucketName"]}, "object": {"key": KEY}},
    }
    stack.local.client("sqs").send_message(
        QueueUrl=stack.outputs["DeadLetterQueueUrl"], MessageBody=json.dumps({"Records": [record]})
    )


def test_each_word_that_is_looked_for_is_in_a_command() -> None:
    for part in SHOWN:
        assert [command for command in on_call(variables=False) if re.search(part, command)], part


@pytest.mark.parametrize("command", [line for line in on_call(variables=False) if "batch_job.sh" not in line])
def test_a_command_for_one_on_call_works_as_it_is_written(stack: Stack, operator: dict[str, str], command: str) -> None:
    stack.local.client("sqs").purge_queue(QueueUrl=stack.outputs["DeadLetterQueueUrl"])
    if "redrive.sh" in command:
        letter(stack)
    stack.upload(KEY, picture())
    eventually(lambda: f"{KEY}/thumbnail" in stack.renditions() and stack.records(KEY))

    shown = run(command, operator)

    for part, expected in SHOWN.items():
        if re.search(part, command):
            assert expected in shown, command


def test_the_jobs_that_the_local_aws_does_not_have_are_tested_elsewhere() -> None:
    for program, test in ON_CALL_ELSEWHERE.items():
        assert [line for line in on_call(variables=False) if program in line], program
        assert program in (PROJECT / test).read_text(), test
