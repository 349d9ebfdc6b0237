"""batch_job.sh with a fake `aws`: a role with no more permissions than it needs, and a job that waits to be started."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .project import Aws, Project, error_line, stack_text

pytestmark = pytest.mark.slow

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:f"
ROLE = "arn:aws:iam::123456789012:role/r"


@pytest.fixture(autouse=True)
def stack(aws: Aws) -> None:
    outputs = {"FunctionName": "f", "UploadBucketName": "up-1"}
    aws.answer("describe-stacks", stack_text("UPDATE_COMPLETE", {"LambdaS3CodeBucket": "code-1"}, outputs))
    aws.answer("get-function-configuration", f"{FUNCTION}\n")
    aws.deny("get-role", "GetRole", "NoSuchEntity", "no such role")
    aws.answer("create-role", f"{ROLE}\n")
    aws.answer("create-job", "job-1\n")
    aws.answer("head-object", '"0123abc"\n')


@pytest.fixture
def project(shared_project: Project) -> Project:
    return shared_project


def option(call: tuple[list[str], list[str]], name: str) -> Any:
    """The JSON in the file that a call has for an option."""
    words, files = call
    given = [word for word in words if word.startswith("file://")]
    return json.loads(files[given.index(words[words.index(name) + 1])])


def allowed(aws: Aws) -> set[tuple[str, str]]:
    [call] = aws.calls("put-role-policy")
    pairs = set()
    for statement in option(call, "--policy-document")["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        pairs |= {(action, statement["Resource"]) for action in actions}
    return pairs


def test_the_job_invokes_the_function_for_what_s3_lists_and_waits_to_be_started(project: Project, aws: Aws) -> None:
    result = project.run("batch_job.sh", "--prefix", "cats/")

    assert result.returncode == 0, result
    [job] = aws.calls("create-job")
    assert option(job, "--operation") == {"LambdaInvoke": {"FunctionArn": FUNCTION, "InvocationSchemaVersion": "2.0"}}
    generator = option(job, "--manifest-generator")["S3JobManifestGenerator"]
    assert generator["SourceBucket"] == "arn:aws:s3:::up-1"
    assert generator["Filter"] == {"KeyNameConstraint": {"MatchAnyPrefix": ["cats/"]}}
    report = option(job, "--report")
    assert (report["Bucket"], report["Prefix"]) == ("arn:aws:s3:::code-1", "batch-job")
    assert job[0][job[0].index("--role-arn") + 1] == ROLE
    assert "--confirmation-required" in job[0]
    assert "--job-id job-1 --requested-job-status Ready" in result.stdout


def test_the_role_has_no_more_permissions_than_it_needs(project: Project, aws: Aws) -> None:
    assert project.run("batch_job.sh").returncode == 0

    assert allowed(aws) == {
        ("lambda:InvokeFunction", FUNCTION),
        ("s3:PutObject", "arn:aws:s3:::code-1/batch-job/*"),
        ("s3:PutInventoryConfiguration", "arn:aws:s3:::up-1"),
    }
    [made] = aws.calls("create-role")
    [trust] = option(made, "--assume-role-policy-document")["Statement"]
    assert trust["Principal"] == {"Service": "batchoperations.s3.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    assert "Filter" not in option(aws.calls("create-job")[0], "--manifest-generator")["S3JobManifestGenerator"]


def test_a_job_processes_all_of_an_inventory_s_manifest(project: Project, aws: Aws) -> None:
    assert (
        project.run("batch_job.sh", "--manifest", "s3://inventory/up/2026-11-24T00-00Z/manifest.json").returncode == 0
    )

    [job] = aws.calls("create-job")
    assert option(job, "--manifest") == {
        "Spec": {"Format": "S3InventoryReport_CSV_20161130"},
        "Location": {
            "ObjectArn": "arn:aws:s3:::inventory/up/2026-11-24T00-00Z/manifest.json",
            "ETag": "0123abc",
        },
    }
    assert "--manifest-generator" not in job[0]
    assert ("s3:GetObject", "arn:aws:s3:::inventory/*") in allowed(aws)


def test_an_existing_role_is_used_again(project: Project, aws: Aws) -> None:
    aws.answer("get-role", f"{ROLE}\n")

    assert project.run("batch_job.sh").returncode == 0
    assert not aws.calls("create-role")
    assert aws.calls("put-role-policy")


def test_remove_role_removes_the_role(project: Project, aws: Aws) -> None:
    assert project.run("batch_job.sh", "--remove-role").returncode == 0

    [removed] = aws.calls("delete-role")
    assert removed[0][removed[0].index("--role-name") + 1] == "batch-job-eu-central-1-aws-serverless-image-processing"
    assert not aws.calls("create-job")


@pytest.mark.parametrize("prefix", [[], ["--prefix", "cats/"], ["--manifest", "s3://b/manifest.json"]])
def test_the_real_aws_cli_accepts_the_request(project: Project, aws: Aws, prefix: list[str]) -> None:
    project.run("batch_job.sh", *prefix)
    [job] = aws.calls("create-job")
    contents = iter(job[1])
    words = [next(contents) if word.startswith("file://") else word for word in job[0]]

    # The real CLI validates the whole request before it fails to connect.
    done = subprocess.run(
        [str(Path(sys.executable).parent / "aws"), *words],
        env={
            **project.environment,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_MAX_ATTEMPTS": "1",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "Could not connect to the endpoint URL" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--manifest", "manifest.json"], "--manifest is s3://bucket/…/manifest.json"),
        (["--manifest", "s3://b/manifest.json", "--prefix", "a"], "not both"),
        (["--prefix"], "--prefix needs a value"),
        (["--yes"], "unknown option '--yes'"),
    ],
)
def test_a_wrong_command_line_is_an_error_of_one_line(
    project: Project, aws: Aws, arguments: list[str], words: str
) -> None:
    assert words in error_line(project.run("batch_job.sh", *arguments))
    assert not aws.calls()


def test_a_missing_permission_is_an_error_of_one_line(project: Project, aws: Aws) -> None:
    aws.deny("create-job", "CreateJob", "AccessDenied", "User is not authorized to perform: s3:CreateJob")

    assert "no permission for s3:CreateJob" in error_line(project.run("batch_job.sh"))
