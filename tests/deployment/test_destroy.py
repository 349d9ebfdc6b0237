"""destroy.sh with a fake `aws`: it requires a confirmation, and deletes data only with --delete-data."""

import json
import os
import pty
import subprocess

import pytest

from .project import Aws, Project, error_line, stack_text

pytestmark = pytest.mark.slow

STACK = "aws-serverless-image-processing"
CODE_BUCKET = f"{STACK}-code-123456789012-eu-central-1"
DATA = "AWS::S3::Bucket\tup-1\nAWS::DynamoDB::Table\trecords-1\nAWS::S3::Bucket\tNone\n"


@pytest.fixture(autouse=True)
def stack(aws: Aws) -> None:
    """A stack of one bucket and a table, whose code is in the bucket that deploy.sh creates."""
    aws.answer("describe-stacks", stack_text("DELETE_COMPLETE"))
    aws.answer("describe-stacks", stack_text("CREATE_COMPLETE", {"LambdaS3CodeBucket": CODE_BUCKET}), again=False)
    aws.answer("list-stack-resources", DATA)
    aws.answer("list-object-versions", json.dumps({"Quiet": True, "Objects": []}))
    aws.answer("delete-objects", "done\n")


@pytest.fixture
def project(shared_project: Project) -> Project:
    return shared_project


def run_with_answers(project: Project, *arguments: str, answers: str) -> tuple[int, str]:
    """Run destroy.sh on a terminal with these answers; return its exit code and what the terminal shows."""
    terminal, end = pty.openpty()
    os.write(terminal, answers.encode())
    try:
        result = subprocess.run(
            [str(project.root / "deployment/destroy.sh"), *arguments],
            env=project.environment,
            stdin=end,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(terminal)
        os.close(end)
    return result.returncode, result.stdout


def test_without_a_terminal_nothing_is_removed(project: Project, aws: Aws) -> None:
    assert f"give --yes to delete stack {STACK} in eu-central-1" in error_line(project.run("destroy.sh"))
    assert not aws.calls("delete-stack")


def test_without_a_terminal_the_region_and_the_stack_are_checked_first(project: Project, aws: Aws) -> None:
    assert "no region: give --region" in error_line(project.run("destroy.sh", AWS_DEFAULT_REGION=""))
    assert "'Frankfurt' is not the name of an AWS region" in error_line(
        project.run("destroy.sh", "--region", "Frankfurt")
    )
    aws.answer("describe-stacks", error="An error occurred (ValidationError) … does not exist\n")
    assert project.run("destroy.sh").stderr.startswith(f"There is no stack {STACK} in eu-central-1: nothing to delete")


@pytest.mark.parametrize("answers", ["\n", "yes\n", "aws\n"])
def test_anything_but_the_stack_s_name_removes_nothing(project: Project, aws: Aws, answers: str) -> None:
    code, shown = run_with_answers(project, answers=answers)
    assert code == 1, shown
    assert "nothing deleted" in shown
    assert not aws.calls("delete-stack")


def test_the_stack_s_name_removes_the_stack_and_keeps_the_data(project: Project, aws: Aws) -> None:
    code, shown = run_with_answers(project, answers=f"{STACK}\n")
    assert code == 0, shown
    assert aws.calls("delete-stack")
    assert not aws.calls("delete-bucket")
    assert not aws.calls("delete-table")
    asked = shown.index("Type the stack's name")
    for data in ("bucket up-1", "table records-1", f"bucket {CODE_BUCKET}"):
        assert shown.index(data) < asked


def test_deleting_data_has_a_question_of_its_own(project: Project, aws: Aws) -> None:
    code, shown = run_with_answers(project, "--delete-data", answers=f"{STACK}\nyes\n")
    assert code == 1, shown
    assert "nothing deleted" in shown
    assert not aws.calls("delete-stack")


def test_the_commands_that_delete_the_remaining_data_are_shown(project: Project, aws: Aws) -> None:
    result = project.run("destroy.sh", "--yes")
    assert result.returncode == 0, result
    commands = [line for line in result.stdout.splitlines() if line.startswith("  ")]
    assert len(commands) == 3
    for command, name in zip(commands, ("up-1", "records-1", CODE_BUCKET), strict=True):
        assert name in command
        # As the user would paste it, with the same fake `aws`.
        subprocess.run(
            ["bash", "-eu", "-c", command], env=project.environment, cwd=project.root, check=True, timeout=60
        )
    assert aws.calls("delete-bucket", "up-1")
    assert aws.calls("delete-bucket", CODE_BUCKET)
    assert aws.calls("delete-table", "records-1")


def test_all_versions_of_all_objects_are_deleted_before_the_bucket(project: Project, aws: Aws) -> None:
    pages = [{"Quiet": True, "Objects": [{"Key": f"ü {n}", "VersionId": "v"}]} for n in range(2)]
    for page in pages:
        aws.answer("list-object-versions up-1", json.dumps(page, ensure_ascii=False), again=False)
    result = project.run("destroy.sh", "--yes", "--delete-data")
    assert result.returncode == 0, result
    deleted = [json.loads(files[0]) for _, files in aws.calls("delete-objects", "up-1")]
    assert deleted == pages[::-1]
    operations = [word for call, _ in aws.calls() for word in call if word.startswith("delete-")]
    assert operations == [
        "delete-stack",
        "delete-objects",
        "delete-objects",
        "delete-bucket",
        "delete-table",
        "delete-bucket",
    ]


def test_an_object_that_can_not_be_deleted_is_an_error(project: Project, aws: Aws) -> None:
    aws.answer("list-object-versions up-1", json.dumps({"Objects": [{"Key": "k", "VersionId": "v"}]}))
    aws.answer("delete-objects", "AccessDenied\n")
    line = error_line(project.run("destroy.sh", "--yes", "--delete-data"))
    assert line == "destroy.sh: bucket up-1: an object can't be deleted (AccessDenied)"
    assert not aws.calls("delete-bucket")


def test_a_code_bucket_of_the_user_is_not_deleted(project: Project, aws: Aws) -> None:
    aws.answer("describe-stacks", stack_text("DELETE_COMPLETE"))
    aws.answer("describe-stacks", stack_text("CREATE_COMPLETE", {"LambdaS3CodeBucket": "mine"}), again=False)
    result = project.run("destroy.sh", "--yes", "--delete-data")
    assert result.returncode == 0, result
    assert not aws.calls("delete-bucket", "mine")
    assert not aws.calls("delete-bucket", CODE_BUCKET)


def test_a_stack_that_does_not_exist_is_not_an_error(project: Project, aws: Aws) -> None:
    aws.answer("describe-stacks", error="An error occurred (ValidationError) …: Stack with id x does not exist\n")
    result = project.run("destroy.sh", "--yes")
    assert result.returncode == 0
    assert "nothing to delete" in result.stderr
    assert not aws.calls("delete-stack")


def test_a_busy_stack_is_an_error_of_one_line(project: Project, aws: Aws) -> None:
    aws.answer("describe-stacks", stack_text("UPDATE_IN_PROGRESS"))
    assert "is busy (UPDATE_IN_PROGRESS)" in error_line(project.run("destroy.sh", "--yes"))


def test_a_stack_that_can_not_be_removed_is_an_error_with_its_reason(project: Project, aws: Aws) -> None:
    aws.answer("describe-stacks", stack_text("DELETE_FAILED"))
    aws.answer("describe-stack-events", "DELETE_FAILED\tFunctionRole\tAWS::IAM::Role\tCannot delete entity\n")
    result = project.run("destroy.sh", "--yes", "--delete-data")
    assert "it is in DELETE_FAILED" in error_line(result)
    assert "  FunctionRole (AWS::IAM::Role): Cannot delete entity" in result.stderr
    assert not aws.calls("delete-bucket")
