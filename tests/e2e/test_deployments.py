"""deploy.sh over several deployments of a stack: its code bucket, tags, former parameters, and the way back.

The local AWS has no rollback triggers; tests/deployment/test_deploy_watch.py has the requests for them.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .local import PROJECT, LocalAws, clean_environment

NAME = "deployments"
FOR_LOCAL = ("RequireTls=false", "ViewerProtocolPolicy=allow-all", "EnableApi=false")


class Deployments:
    """A stack that is deployed several times."""

    def __init__(self, local: LocalAws) -> None:
        self.local = local

    def deploy(self, *arguments: str, parameters: tuple[str, ...] = ()) -> str:
        """Run deploy.sh, and return what it said."""
        words = [word for parameter in parameters for word in ("--parameter", parameter)]
        done = self.local.script("deploy.sh", "--local", "--stack-name", NAME, *words, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stderr

    @property
    def stack(self) -> dict[str, Any]:
        described: dict[str, Any] = self.local.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]
        return described

    @property
    def parameters(self) -> dict[str, str]:
        return {pair["ParameterKey"]: pair["ParameterValue"] for pair in self.stack["Parameters"]}

    @property
    def function(self) -> dict[str, Any]:
        outputs = {output["OutputKey"]: output["OutputValue"] for output in self.stack["Outputs"]}
        found: dict[str, Any] = self.local.client("lambda").get_function(FunctionName=outputs["FunctionName"])
        return found

    @property
    def bucket(self) -> str:
        return self.parameters["LambdaS3CodeBucket"]

    def tags(self) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self.stack["Tags"]}


@pytest.fixture(scope="module")
def deployments(local: LocalAws) -> Iterator[Deployments]:
    """A first deployment, with tags and a parameter."""
    deployments = Deployments(local)
    deployments.deploy("--tag", "team=pictures", parameters=(*FOR_LOCAL, "MemorySize=512", "LogLevel=DEBUG"))
    yield deployments
    local.client("cloudformation").delete_stack(StackName=NAME)


def test_the_code_bucket_has_a_lifecycle_and_the_stack_s_tags(deployments: Deployments) -> None:
    s3 = deployments.local.client("s3")
    [rule] = s3.get_bucket_lifecycle_configuration(Bucket=deployments.bucket)["Rules"]
    assert (rule["Expiration"]["Days"], rule["Filter"]) == (365, {"ObjectSizeGreaterThan": 51200})
    assert s3.get_bucket_tagging(Bucket=deployments.bucket)["TagSet"] == [{"Key": "team", "Value": "pictures"}]
    key = deployments.parameters["LambdaS3CodeKey"]
    head = s3.head_object(Bucket=deployments.bucket, Key=key, ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"] == deployments.function["Configuration"]["CodeSha256"]


def test_tags_and_code_are_replaced_by_the_next_deployment(deployments: Deployments) -> None:
    s3 = deployments.local.client("s3")
    key = deployments.parameters["LambdaS3CodeKey"]
    good = s3.get_object(Bucket=deployments.bucket, Key=key)["Body"].read()
    s3.put_object(Bucket=deployments.bucket, Key=key, Body=b"other code", ChecksumAlgorithm="SHA256")
    assert deployments.tags() == {"team": "pictures"}
    assert deployments.function["Tags"]["team"] == "pictures"

    said = deployments.deploy("--tag", "env=test", "--untag", "team")

    assert deployments.tags() == {"env": "test"}
    assert "team" not in deployments.function["Tags"]
    assert "had another content than its name says, and is replaced" in said
    assert s3.get_object(Bucket=deployments.bucket, Key=key)["Body"].read() == good


def test_an_update_is_undone_by_rollback_and_the_one_before_by_another(deployments: Deployments) -> None:
    before = deployments.parameters
    deployments.deploy(parameters=("MemorySize=640",))
    said = deployments.deploy("--watch", "0", parameters=("MemorySize=768",))
    assert "goes off until 0 minutes after it: FunctionErrorAlarm, DeliveryErrorAlarm, " in said

    said = deployments.deploy("--rollback")
    assert "MemorySize: 640, instead of 768" in said
    assert deployments.function["Configuration"]["MemorySize"] == 640
    deployments.deploy("--rollback")
    assert deployments.parameters == before
    assert deployments.function["Configuration"]["MemorySize"] == 512


def test_an_older_checkout_loses_no_parameters_on_the_way_forward(deployments: Deployments, tmp_path: Path) -> None:
    older = tmp_path / "older"
    (older / "templates").mkdir(parents=True)
    for folder in ("deployment", "src", ".venv", "build"):
        (older / folder).symlink_to(PROJECT / folder)
    template = (PROJECT / "templates/main.yaml").read_text()
    without = re.sub(r"(?m)^  LogLevel:\n(    .*\n)+", "", template)
    without = without.replace("LogLevel, ", "").replace("!Ref LogLevel", "INFO")
    assert "LogLevel" not in without
    (older / "templates/main.yaml").write_text(without)
    environment = {
        **clean_environment(),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": deployments.local.outputs["Endpoint"],
    }
    # Not the link's target: deploy.sh finds its project by its own path.
    command = [str(older / "deployment/deploy.sh"), "--local", "--stack-name", NAME]

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "no parameter LogLevel: its value, 'DEBUG', has no effect any more." in done.stderr
    assert "LogLevel" not in deployments.parameters
    said = deployments.deploy()
    assert "LogLevel is 'DEBUG' again" in said
    assert deployments.parameters["LogLevel"] == "DEBUG"
    assert deployments.function["Configuration"]["Environment"]["Variables"]["LOG_LEVEL"] == "DEBUG"


def test_rollback_refuses_an_expired_zip(deployments: Deployments) -> None:
    key = deployments.parameters["LambdaS3CodeKey"]
    deployments.local.client("s3").delete_object(Bucket=deployments.bucket, Key=key)

    done = deployments.local.script("deploy.sh", "--local", "--stack-name", NAME, "--rollback")

    assert done.returncode == 1
    assert f"s3://{deployments.bucket}/{key}, has expired or was deleted" in done.stderr
