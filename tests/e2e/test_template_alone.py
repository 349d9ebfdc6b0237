"""templates/main.yaml can be deployed with the plain AWS CLI and the zip, without a script of the project."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from .local import BIN, CREDENTIALS, PROJECT, LocalAws, Stack, clean_environment, picture
from .urls import Author, error_of, query_url

TEMPLATE = PROJECT / "templates" / "main.yaml"


@pytest.fixture(scope="module")
def plain_stack(local: LocalAws) -> Stack:
    packaged = local.script("package.sh", "--local")
    assert packaged.returncode == 0, packaged.stderr
    zip_file = Path(packaged.stdout.strip())
    bucket, key = "code-of-the-plain-stack", f"{hashlib.sha256(zip_file.read_bytes()).hexdigest()}.zip"
    local.aws("s3", "mb", f"s3://{bucket}")
    local.aws("s3", "cp", "--only-show-errors", str(zip_file), f"s3://{bucket}/{key}")

    command = [
        *(str(BIN / "aws"), "cloudformation", "deploy", "--stack-name", "plain", "--template-file", str(TEMPLATE)),
        *("--s3-bucket", bucket, "--capabilities", "CAPABILITY_IAM", "--parameter-overrides"),
        *(f"LambdaS3CodeBucket={bucket}", f"LambdaS3CodeKey={key}", "SizeLadder=320,640"),
        *("RequireTls=false", "ViewerProtocolPolicy=allow-all"),  # what an emulator needs
    ]
    # This command uploads the template to S3, and passes --endpoint-url to CloudFormation alone.
    environment = {**clean_environment(), **CREDENTIALS, "AWS_ENDPOINT_URL": local.outputs["Endpoint"]}
    deployed = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert deployed.returncode == 0, deployed.stderr

    described = local.client("cloudformation").describe_stacks(StackName="plain")["Stacks"][0]["Outputs"]
    return Stack(local, {output["OutputKey"]: output["OutputValue"] for output in described})


def test_the_deployed_template_is_the_committed_file(plain_stack: Stack) -> None:
    deployed = plain_stack.local.client("cloudformation").get_template(StackName="plain")["TemplateBody"]

    assert deployed == TEMPLATE.read_text(encoding="utf-8")


def test_an_upload_becomes_a_thumbnail(plain_stack: Stack) -> None:
    plain_stack.upload("plain.jpg", picture())

    assert plain_stack.served("plain.jpg/thumbnail").image.size == (128, 128)


def test_a_signed_url_gets_its_size_on_the_ladder_in_the_browser_s_format(plain_stack: Stack) -> None:
    plain_stack.upload("signed.jpg", picture(1200, 900))

    url = Author(plain_stack).url("/signed.jpg", width=300, format="auto")
    answer = plain_stack.ask(url, Accept="image/webp,*/*")

    assert (answer.status, answer.image.size, answer.headers["content-type"]) == (200, (320, 240), "image/webp")


def test_a_fault_in_the_options_is_answered_by_the_edge_function(plain_stack: Stack) -> None:
    answer = plain_stack.ask(query_url("/signed.jpg", width=0))

    assert error_of(answer) == (400, "invalid-transformation")
    assert "option width: got '0', allowed: 1 to 8192" in answer.json["error"]["message"]
