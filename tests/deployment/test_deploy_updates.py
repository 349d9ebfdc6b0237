"""Updates, and the way back: what deploy.sh remembers of a stack, with a fake `aws` that stores objects."""

import hashlib
import json

import pytest

from .deployments import CODE_BUCKET, HISTORY, STACK, deploy, deploys, given_parameters
from .project import Aws, Project, error_line, stack_text

pytestmark = pytest.mark.slow

OLD_ZIP = b"the deployed zip"
OLD_KEY = f"{hashlib.sha256(OLD_ZIP).hexdigest()}.zip"
FORMER = {"LambdaS3CodeBucket": CODE_BUCKET, "LambdaS3CodeKey": OLD_KEY, "MemorySize": "512"}
STACK_ID = "arn:aws:cloudformation:eu-central-1:123456789012:stack/it/1"


def now_deployed(aws: Aws, parameters: dict[str, str], template: str = "Resources: {}\n") -> None:
    """Let the stack be as it is after a deployment."""
    aws.answer("describe-stacks", stack_text("UPDATE_COMPLETE", parameters))
    aws.answer("get-template", json.dumps({"TemplateBody": template}))


def history(aws: Aws) -> dict[str, object]:
    stored: dict[str, object] = json.loads(aws.stored(CODE_BUCKET, HISTORY))
    return stored


def remembered(aws: Aws, *states: dict[str, str], stack_id: str = STACK_ID, **parameters: str) -> None:
    """Let there be a history, whose states have the present template."""
    template = f"{hashlib.sha256(b'Resources: {}' + bytes([10])).hexdigest()}.yaml"
    aws.store(CODE_BUCKET, template, b"Resources: {}\n")
    aws.store(CODE_BUCKET, OLD_KEY, OLD_ZIP)
    entries = [
        {"until": f"day {number}", "template": template, "bucket": CODE_BUCKET, "parameters": state}
        for number, state in enumerate(states, 1)
    ]
    stored = {"stack_id": stack_id, "states": entries, "parameters": parameters}
    aws.store(CODE_BUCKET, HISTORY, json.dumps(stored).encode())


def without(project: Project, parameter: str) -> str:
    """Take a parameter out of the template, as an older one lacks it; returns the whole template."""
    template = project.root / "templates/main.yaml"
    whole = template.read_text()
    before, rest = whole.split(f"  {parameter}:\n    Type:", 1)
    template.write_text(before + rest[rest.index("\n  ", rest.index("ConstraintDescription")) + 1 :])
    return whole


def test_a_parameter_that_an_older_template_lacks_is_named_and_used_again_on_the_way_forward(
    project: Project, aws: Aws
) -> None:
    aws.store(CODE_BUCKET, OLD_KEY, OLD_ZIP)
    deploys(aws, "UPDATE_COMPLETE", parameters={**FORMER, "LogLevel": "DEBUG"})
    whole = without(project, "LogLevel")
    said = deploy(project)
    assert "no parameter LogLevel: its value, 'DEBUG', has no effect any more." in said
    assert f"kept in s3://{CODE_BUCKET}/{HISTORY}" in said
    assert "LogLevel" not in given_parameters(aws)

    (project.root / "templates/main.yaml").write_text(whole)
    now_deployed(aws, FORMER)
    said = deploy(project)
    assert "LogLevel is 'DEBUG' again" in said
    assert given_parameters(aws)["LogLevel"] == "DEBUG"
    assert given_parameters(aws)["MemorySize"] is None


def test_a_given_value_wins_over_the_former_one(project: Project, aws: Aws) -> None:
    deploys(aws, "UPDATE_COMPLETE", parameters=FORMER)
    remembered(aws, LogLevel="DEBUG")
    assert "again" not in deploy(project, "--parameter", "LogLevel=ERROR")
    assert given_parameters(aws)["LogLevel"] == "ERROR"


def test_a_new_stack_does_not_get_the_parameters_of_a_deleted_one_of_its_name(project: Project, aws: Aws) -> None:
    remembered(aws, FORMER, stack_id="arn:of-the-deleted-stack", LogLevel="DEBUG")
    deploys(aws)
    deploy(project)
    assert "LogLevel" not in given_parameters(aws)
    deploys(aws, "CREATE_COMPLETE", parameters=FORMER)
    deploy(project)
    assert "LogLevel" not in given_parameters(aws)


def test_rollback_goes_back_to_the_parameters_the_zip_and_the_template_before_the_last_deployment(
    project: Project, aws: Aws
) -> None:
    aws.store(CODE_BUCKET, OLD_KEY, OLD_ZIP)
    deploys(aws, "UPDATE_COMPLETE", parameters=FORMER)
    deploy(project, "--parameter", "MemorySize=1024")
    new = {**FORMER, "LambdaS3CodeKey": "b" * 64 + ".zip", "MemorySize": "1024"}
    now_deployed(aws, new, "Resources: {New: {}}\n")

    said = deploy(project, "--rollback")

    assert "MemorySize: 512, instead of 1024" in said
    assert "with the template of that time" in said
    assert given_parameters(aws) == FORMER
    change_set, _ = aws.calls("create-change-set")[-1]
    template = change_set[change_set.index("--template-url") + 1].rpartition("/")[2]
    assert aws.stored(CODE_BUCKET, template) == b"Resources: {}\n"
    assert aws.calls("execute-change-set")


def test_a_second_rollback_goes_one_deployment_further_back_until_there_is_none(project: Project, aws: Aws) -> None:
    first, second, third = ({**FORMER, "MemorySize": size} for size in ("512", "1024", "2048"))
    deploys(aws, "UPDATE_COMPLETE", parameters=third)
    remembered(aws, first, second)
    deploy(project, "--rollback")
    assert given_parameters(aws) == second
    now_deployed(aws, second)
    deploy(project, "--rollback")
    assert given_parameters(aws) == first
    now_deployed(aws, first)
    assert "there is nothing to go back to" in error_line(project.run("deploy.sh", "--rollback"))


def test_a_failed_deployment_is_no_state_to_go_back_to(project: Project, aws: Aws) -> None:
    """It leaves the present state in the history."""
    deploys(aws, "UPDATE_COMPLETE", parameters=FORMER)
    aws.answer("describe-stacks", stack_text("UPDATE_ROLLBACK_COMPLETE", FORMER), again=False)
    earlier = {**FORMER, "MemorySize": "1024"}
    remembered(aws, earlier, FORMER)
    deploy(project, "--rollback")
    assert given_parameters(aws) == earlier


@pytest.mark.parametrize("stack", ["", "UPDATE_COMPLETE"])
def test_without_a_former_state_rollback_is_an_error_of_one_line(project: Project, aws: Aws, stack: str) -> None:
    deploys(aws, stack, parameters=FORMER)
    line = error_line(project.run("deploy.sh", "--rollback"))
    assert ("there is nothing to go back to" if stack else f"there is no stack {STACK}") in line
    assert not aws.calls("create-change-set")


def test_rollback_refuses_a_zip_that_has_expired(project: Project, aws: Aws) -> None:
    deploys(aws, "UPDATE_COMPLETE", parameters=FORMER)
    remembered(aws, {**FORMER, "LambdaS3CodeKey": "a" * 64 + ".zip"})
    line = error_line(project.run("deploy.sh", "--rollback"))
    assert f"s3://{CODE_BUCKET}/{'a' * 64}.zip, has expired or was deleted: check out that version" in line
    assert not aws.calls("create-change-set")


@pytest.mark.parametrize("checksum", [True, False])
def test_rollback_refuses_a_zip_that_was_replaced(project: Project, aws: Aws, checksum: bool) -> None:  # noqa: FBT001
    deploys(aws, "UPDATE_COMPLETE", parameters={**FORMER, "MemorySize": "1024"})
    remembered(aws, FORMER)
    aws.store(CODE_BUCKET, OLD_KEY, b"other code")
    if not checksum:
        aws.answer(f"head-object {OLD_KEY}", '{"LastModified": "2026-11-28T01:13:02+00:00"}')
    line = error_line(project.run("deploy.sh", "--rollback"))
    assert "another content than its name says" in line
    assert not aws.calls("create-change-set")


def test_a_zip_of_an_older_deploy_sh_has_no_checksum_and_is_compared_itself(project: Project, aws: Aws) -> None:
    deploys(aws, "UPDATE_COMPLETE", parameters={**FORMER, "MemorySize": "1024"})
    remembered(aws, FORMER)
    aws.answer(f"head-object {OLD_KEY}", '{"LastModified": "2026-11-28T01:13:02+00:00"}')
    deploy(project, "--rollback")
    assert given_parameters(aws) == FORMER


@pytest.mark.parametrize("words", [("--parameter", "MemorySize=512"), ("--code-bucket", "mine")])
def test_rollback_takes_no_other_parameters(project: Project, aws: Aws, words: tuple[str, str]) -> None:
    assert "leave out --parameter and --code-bucket" in error_line(project.run("deploy.sh", "--rollback", *words))
    assert not aws.calls()


def test_rollback_needs_no_package(project: Project, aws: Aws) -> None:
    deploys(aws, "UPDATE_COMPLETE", parameters={**FORMER, "MemorySize": "1024"})
    remembered(aws, FORMER)
    deploy(project, "--rollback")
    assert not (project.root / "deployment/package.sh.arguments").exists()


def test_the_last_five_states_are_remembered_once_each(project: Project, aws: Aws) -> None:
    deploys(aws, "UPDATE_COMPLETE", parameters=FORMER)
    remembered(aws, *({**FORMER, "MemorySize": str(size)} for size in range(600, 605)))
    deploy(project)
    deploy(project)  # the same state, because the fake stack has not changed
    states = history(aws)["states"]
    assert isinstance(states, list)
    assert [state["parameters"]["MemorySize"] for state in states] == ["601", "602", "603", "604", "512"]


def test_nothing_is_remembered_when_nothing_changes(project: Project, aws: Aws) -> None:
    aws.store(CODE_BUCKET, OLD_KEY, OLD_ZIP)
    deploys(aws, "UPDATE_COMPLETE", "FAILED\tNo updates are to be performed.", parameters=FORMER)
    deploy(project)
    assert not aws.calls("put-object", HISTORY)


def test_a_template_that_cannot_be_read_is_a_note(project: Project, aws: Aws) -> None:
    aws.store(CODE_BUCKET, OLD_KEY, OLD_ZIP)
    deploys(aws, "UPDATE_COMPLETE", parameters=FORMER)
    aws.deny("get-template", "GetTemplate", "AccessDenied", "no")
    assert "deploy.sh --rollback will not know this state" in deploy(project)
    assert aws.calls("execute-change-set")
