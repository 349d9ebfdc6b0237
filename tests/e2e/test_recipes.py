"""The commands of docs/recipes.md, and those of README.md that need a stack, run as they are written.

They run in a folder that looks like the repository from outside: its `deployment/` starts the project's commands. Four
things differ from what a user has, all of them outside the commands:

- the region, the name of the stack and of the user's bucket are those of the test;
- `aws` has the local endpoint, because the `sqs` of AWS CLI 1 does not read AWS_ENDPOINT_URL;
- `curl` reaches CloudFront's domain names at the local AWS;
- `deployment/deploy.sh` packages the function for this machine (`--local`).

Two commands can't be run: `git` would change the repository that is being tested, and no local AWS has Cost Explorer.
The AWS CLI checks the parameters of `aws ce` against its model of the service.
"""

import base64
import io
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from .local import BIN, CREDENTIALS, PROJECT, Stack, clean_environment, eventually, picture

RECIPES, README = PROJECT / "docs/recipes.md", PROJECT / "README.md"
NAME = "recipes"
KEY = "cats/rio.jpg"
SETTINGS = "region=eu-central-1 stack=aws-serverless-image-processing"


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, without its indentation; `file` is the name that the text before it gives it."""

    language: str
    text: str
    file: str | None = None


def sections(page: Path) -> dict[str, list[Block]]:
    """The blocks of a page under their headings."""
    found: dict[str, list[Block]] = {}
    for title, body in re.findall(r"^##+ (.+?)\n(.*?)(?=^##|\Z)", page.read_text(), re.DOTALL | re.MULTILINE):
        blocks = found.setdefault(title, [])
        for match in re.finditer(r"^( *)```(\w+)\n(.*?)^ *```", body, re.DOTALL | re.MULTILINE):
            text = re.sub(f"^{match[1]}", "", match[3], flags=re.MULTILINE)
            named = re.search(r"as\s+`(\w+\.\w+)`:\s*\Z", body[: match.start()])
            blocks.append(Block(match[2], text, named[1] if named else None))
    return found


@dataclass
class Shell:
    """A user's shell in the repository's folder, in which "Set these once" was entered."""

    folder: Path
    environment: dict[str, str]
    ran: set[tuple[Path, str]] = field(default_factory=set)

    def run(self, script: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def section(self, page: Path, title: str, change: Callable[[str], str] = str) -> list[str]:
        """Run a section's blocks one after the other, in one shell; returns what each printed."""
        self.ran.add((page, title))
        scripts = []
        for block in sections(page)[title]:
            if block.file:
                (self.folder / block.file).write_text(block.text)
            elif block.language == "sh":
                scripts.append(change(block.text))
        return self.run("\necho '==== next'\n".join(scripts)).split("==== next\n")


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture(scope="module")
def recipe_stack(stack: Stack) -> Stack:
    """A separate stack, because recipes change its parameters."""
    return stack.local.deploy(NAME)


@pytest.fixture(scope="module")
def shell(recipe_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    endpoint, folder = recipe_stack.local.outputs["Endpoint"], tmp_path_factory.mktemp("repository")
    (folder / "deployment").mkdir()
    for command in [*PROJECT.glob("deployment/*.sh"), *PROJECT.glob("deployment/*.py")]:
        local = " --local" if command.name == "deploy.sh" else ""
        program(folder / "deployment" / command.name, f'#!/bin/sh\nexec "{command}"{local} "$@"\n')
    programs = folder / "bin"
    programs.mkdir()
    program(programs / "aws", f'#!/bin/sh\nexec "{BIN}/aws" --endpoint-url {endpoint} "$@"\n')
    program(programs / "python3", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    program(
        programs / "curl",
        f"""#!/bin/bash
arguments=()
for argument; do
  case $argument in
    https://*.cloudfront.net/*)
      host=${{argument#https://}} host=${{host%%/*}}
      arguments+=(-H "Host: $host" "{endpoint}/${{argument#https://"$host"/}}") ;;
    *) arguments+=("$argument") ;;
  esac
done
exec {shutil.which("curl")} "${{arguments[@]}}"
""",
    )
    environment = {
        **clean_environment(),
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": endpoint,
        "your_bucket": "photos-of-before",
    }
    environment["PATH"] = f"{programs}:{environment['PATH']}"
    (folder / "photo.jpg").write_bytes(picture())
    entered = Shell(folder, environment)
    [names] = [block.text for block in sections(RECIPES)["Set these once"]]
    assert SETTINGS in names
    printed = entered.run("set -a\n" + names.replace(SETTINGS, f"region=us-east-1 stack={NAME}") + "\nenv -0")
    entered.environment = dict(line.split("=", 1) for line in printed.split("\0") if "=" in line)
    entered.ran.add((RECIPES, "Set these once"))
    return entered


def colour_of(stack: Stack, name: str) -> tuple[int, ...]:
    pixel: Any = stack.served(name).image.convert("RGB").getpixel((64, 64))
    return tuple(round(value / 64) for value in pixel)


def wait_for(stack: Stack, key: str) -> None:
    eventually(lambda: f"{key}/thumbnail" in stack.renditions() and stack.records(key))


def test_a_program_and_a_presigned_url_upload_a_source(recipe_stack: Stack, shell: Shell) -> None:
    blocks = sections(RECIPES)["Upload from your own program"]
    assert [block.file for block in blocks if block.language == "python"] == ["upload.py", "presign.py"]
    by_program, by_url, rule = [block.text for block in blocks if block.language == "sh"]
    for block in blocks:
        if block.file:
            (shell.folder / block.file).write_text(block.text)
    shell.ran.add((RECIPES, "Upload from your own program"))

    shell.run(by_program)
    assert colour_of(recipe_stack, f"{KEY}/thumbnail") == (0, 2, 2)  # teal

    (shell.folder / "photo.jpg").write_bytes(picture(colour="red"))
    shell.run(by_url)
    eventually(lambda: colour_of(recipe_stack, f"{KEY}/thumbnail") == (4, 0, 0))

    shell.run(rule)
    rules = recipe_stack.local.client("s3").get_bucket_cors(Bucket=recipe_stack.outputs["UploadBucketName"])
    assert rules["CORSRules"][0]["AllowedMethods"] == ["PUT"]


def test_uploads_renditions_and_failures_are_listed_a_line_each(recipe_stack: Stack, shell: Shell) -> None:
    recipe_stack.upload(KEY, picture())
    recipe_stack.upload("notes.txt", b"not an image")
    wait_for(recipe_stack, KEY)
    eventually(lambda: recipe_stack.records("notes.txt"))

    uploads, renditions, failures, missing = shell.section(RECIPES, "List uploads and failures")

    assert {line.split("\t")[2] for line in uploads.splitlines()} >= {KEY, "notes.txt"}
    assert renditions.splitlines()[0].split("\t")[:4] == ["processed", "thumbnail", "128", "128"]
    [failure] = [line.split("\t") for line in failures.splitlines() if line.startswith("s3://")]
    assert failure[0].endswith("/notes.txt")
    assert failure[1:3] == ["thumbnail", "unsupported-format"]
    assert missing.startswith("0 sources"), missing  # a source that can't be rendered is counted apart
    assert "1 source cannot be rendered" in missing
    assert "notes.txt: unsupported-format" in missing


def test_a_placeholder_is_a_few_bytes_of_the_picture(recipe_stack: Stack, shell: Shell) -> None:
    recipe_stack.upload(KEY, picture())

    _, page = shell.section(RECIPES, "Show a placeholder while a picture loads")

    found = re.search(r"url\(data:image/webp;base64,([A-Za-z0-9+/=]+)\)", page)
    assert found, page
    placeholder = base64.b64decode(found[1])
    assert len(placeholder) < 150
    with Image.open(io.BytesIO(placeholder)) as image:
        assert (image.format, image.width) == ("WEBP", 16)


def test_the_stack_takes_a_domain_with_its_certificate(recipe_stack: Stack, shell: Shell) -> None:
    dns = recipe_stack.local.client("route53")
    zone = dns.create_hosted_zone(Name="example.com", CallerReference="recipes")["HostedZone"]["Id"]

    shell.section(RECIPES, "Use your own domain")

    described = recipe_stack.local.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]
    given = {item["ParameterKey"]: item["ParameterValue"] for item in described["Parameters"]}
    assert given["CdnAlias"] == "images.example.com"
    assert ":acm:us-east-1:" in given["CdnCertificateArn"]
    records = dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    [alias] = [record["AliasTarget"]["DNSName"] for record in records if "AliasTarget" in record]
    assert alias.rstrip(".") == recipe_stack.outputs["DistributionDomainName"]
    assert [record["Type"] for record in records if record["Name"].startswith("_")] == ["CNAME"]
    signed = shell.run('deployment/sign.py "/cats/rio.jpg?width=300" --stack-name "$stack"')
    assert signed.startswith("https://images.example.com/cats/rio.jpg?"), signed


def test_an_erased_picture_leaves_nothing_in_the_buckets(recipe_stack: Stack, shell: Shell) -> None:
    neighbour = f"{KEY}.jpg"
    for colour in ("teal", "red", "blue"):
        recipe_stack.upload(KEY, picture(colour=colour))
    recipe_stack.upload(neighbour, picture())
    wait_for(recipe_stack, KEY)
    wait_for(recipe_stack, neighbour)
    check = [block.text for block in sections(RECIPES)["Erase one picture for good"]][1]
    assert len(shell.run(f"key={KEY}\n{check}").splitlines()) >= 4, "the check finds what is there"

    shell.section(RECIPES, "Erase one picture for good")

    eventually(lambda: shell.run(f"key={KEY}\n{check}").strip() == "")
    assert not recipe_stack.records(KEY)
    assert f"{neighbour}/thumbnail" in recipe_stack.renditions()


def test_the_policy_allows_uploads_below_one_prefix_only(recipe_stack: Stack, shell: Shell) -> None:
    arn, _ = shell.section(RECIPES, "Restrict who may upload")

    assert arn.startswith("arn:aws:iam::"), arn
    made = recipe_stack.local.client("iam").create_access_key(UserName=f"{NAME}-uploader")["AccessKey"]
    shell.environment |= {"OTHER_ID": made["AccessKeyId"], "OTHER_KEY": made["SecretAccessKey"]}
    upload = (
        'AWS_ACCESS_KEY_ID=$OTHER_ID AWS_SECRET_ACCESS_KEY=$OTHER_KEY python3 upload.py photo.jpg "$UploadBucketName"'
    )
    shell.run(f"{upload} cats/allowed.jpg")
    for denied in ("dogs/denied.jpg", "cats.jpg"):
        refused = shell.run(f"{upload} {denied} 2>&1 || true")
        assert "AccessDenied" in refused, refused


def test_the_objects_of_another_bucket_are_processed_when_they_are_copied(recipe_stack: Stack, shell: Shell) -> None:
    s3, keys = recipe_stack.local.client("s3"), [f"photos/{number}.jpg" for number in range(3)]
    s3.create_bucket(Bucket="photos-of-before")
    for key in keys:
        s3.put_object(Bucket="photos-of-before", Key=key, Body=picture())

    def named(script: str) -> str:
        return script.replace("your_bucket=my-photos\n", "your_bucket=photos-of-before\n")

    copied, compared = shell.section(RECIPES, "Copy an existing bucket in", named)

    assert copied.count("copy:") == 3
    assert "sources" in compared
    eventually(lambda: {f"{key}/thumbnail" for key in keys} <= recipe_stack.renditions())


def test_an_unchanged_version_is_deployed_without_a_change(shell: Shell) -> None:
    [printed] = shell.section(
        RECIPES, "Upgrade and go back", lambda text: re.sub(r"^git .*$", "", text, flags=re.MULTILINE)
    )

    assert "Nothing to change." in printed


def test_the_calls_of_cost_explorer_fit_its_model(shell: Shell) -> None:
    def validated(script: str) -> str:
        assert script.count("aws ce ") == 1
        return f"{script.rstrip()} --generate-cli-skeleton output"

    shell.section(RECIPES, "See what it cost", validated)

    [_, costs] = [validated(block.text) for block in sections(RECIPES)["See what it cost"]]
    with pytest.raises(AssertionError, match="Unknown parameter in Filter"):
        shell.run(costs.replace("Tags", "Labels"))


def test_the_weekly_commands_show_what_alarms_do_not(recipe_stack: Stack, shell: Shell) -> None:
    recipe_stack.upload("weekly.txt", b"not an image")
    eventually(lambda: recipe_stack.records("weekly.txt"))

    [printed] = shell.section(RECIPES, "What to look at each week")

    for expected in (
        f"{NAME}-DeadLetterAlarm",
        "The dead-letter queue is empty",
        "sources",
        "Total Objects",
        '"key":"weekly.txt"',
    ):
        assert expected in printed, (expected, printed)


def test_the_page_of_the_readme_gets_its_signed_picture(stack: Stack, shell: Shell) -> None:
    page = Shell(shell.folder, shell.environment)

    [printed] = page.section(README, "Use it in a web page", lambda text: text.replace("eu-central-1", "us-east-1"))

    url = printed.splitlines()[-1]
    assert url.startswith(f"{stack.outputs['CdnUrl']}/photo.jpg?width=300&format=auto&sig="), printed
    answer = stack.ask(url.removeprefix(stack.outputs["CdnUrl"]), Accept="image/avif")
    assert (answer.status, answer.headers["content-type"], answer.image.width) == (200, "image/avif", 300)


def test_the_engine_is_a_library_in_four_lines(tmp_path: Path) -> None:
    [block] = sections(README)["Use the engine as a library"]
    (tmp_path / "photo.jpg").write_bytes(picture())
    program = block.text + "import sys\nprint({'boto3', 'aws_lambda_powertools'} & set(sys.modules))\n"

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(PROJECT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )

    with Image.open(tmp_path / "thumbnail.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (128, 128))
    assert done.stdout == "set()\n"


def test_every_section_with_a_command_was_run(shell: Shell) -> None:
    """The last test of this module: it checks what the others ran."""
    with_commands = {title for title, blocks in sections(RECIPES).items() if any(b.language == "sh" for b in blocks)}

    assert {title for page, title in shell.ran if page == RECIPES} == with_commands
