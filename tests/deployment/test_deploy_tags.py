"""deploy.sh --tag and --untag, with a fake `aws`."""

import json
from typing import Any

import pytest

from .deployments import CODE_BUCKET, deploy, deploys
from .project import Aws, Project, error_line, stack_text

pytestmark = pytest.mark.slow


def tagged(aws: Aws, **tags: str) -> None:
    """Let there be a stack with these tags."""
    deploys(aws, "UPDATE_COMPLETE")
    lines = "".join(f"tag\t{key}\t{value}\n" for key, value in tags.items())
    aws.answer("describe-stacks", stack_text("UPDATE_COMPLETE") + lines)


def tags_of_change_set(aws: Aws) -> Any:
    """Return the tags in the change set; None if it leaves them as they are."""
    [(call, files)] = aws.calls("create-change-set")
    if "--tags" not in call:
        return None
    names = [word for word in call if word.startswith("file://")]
    found = json.loads(files[names.index(call[call.index("--tags") + 1])])
    return {tag["Key"]: tag["Value"] for tag in found}


def test_tags_are_on_the_stack_the_code_bucket_and_its_objects(project: Project, aws: Aws) -> None:
    deploys(aws)
    aws.answer("get-bucket-tagging", '{"TagSet": [{"Key": "own", "Value": "1"}]}')
    deploy(project, "--tag", "team=pictures / more", "--tag", "cost center=a=b")
    tags = {"team": "pictures / more", "cost center": "a=b"}
    assert tags_of_change_set(aws) == tags
    [request] = aws.requests("put-bucket-tagging")
    assert request["Bucket"] == CODE_BUCKET
    assert {tag["Key"]: tag["Value"] for tag in request["Tagging"]["TagSet"]} == {"own": "1", **tags}
    objects = aws.requests("put-object")
    assert len(objects) == 3  # the zip, the template and the history
    assert {request["Tagging"] for request in objects} == {"team=pictures+%2F+more&cost+center=a%3Db"}


def test_tags_stay_at_the_next_deployment(project: Project, aws: Aws) -> None:
    tagged(aws, team="pictures", env="test")
    deploy(project, "--tag", "env=production")
    assert tags_of_change_set(aws) == {"team": "pictures", "env": "production"}


@pytest.mark.parametrize(("removed", "left"), [(["env"], {"team": "pictures"}), (["env", "team"], {})])
def test_untag_removes_a_tag_from_the_stack_and_the_code_bucket(
    project: Project, aws: Aws, removed: list[str], left: dict[str, str]
) -> None:
    tagged(aws, team="pictures", env="test")
    both = [{"Key": "team", "Value": "pictures"}, {"Key": "env", "Value": "test"}]
    aws.answer("get-bucket-tagging", json.dumps({"TagSet": both}))
    deploy(project, *[word for key in removed for word in ("--untag", key)])
    assert tags_of_change_set(aws) == left
    if left:
        [request] = aws.requests("put-bucket-tagging")
        assert request["Tagging"]["TagSet"] == both[:1]
    else:
        assert aws.requests("delete-bucket-tagging")


def test_without_tags_nothing_is_tagged(project: Project, aws: Aws) -> None:
    deploys(aws)
    deploy(project)
    assert tags_of_change_set(aws) is None
    assert not aws.calls("put-bucket-tagging")
    assert not [request for request in aws.requests("put-object") if "Tagging" in request]


def test_s3_s_limit_of_tags_of_an_object_does_not_limit_those_of_the_stack(project: Project, aws: Aws) -> None:
    tagged(aws, **{f"t{number}": "x" for number in range(12)})
    deploy(project)
    assert len(tags_of_change_set(aws)) == 12
    assert {request["Tagging"].count("=") for request in aws.requests("put-object")} == {10}


def test_untag_of_a_tag_that_the_stack_does_not_have_is_noted(project: Project, aws: Aws) -> None:
    tagged(aws, team="pictures")
    assert "the stack has no such tag" in deploy(project, "--untag", "tema")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tag", "team"], "--tag is KEY=VALUE, not 'team'"),
        (["--tag", "=x"], "--tag is KEY=VALUE, not '=x'"),
        (["--tag", "aws:team=x"], "AWS's own"),
        (["--tag", "team=a;b"], "not ';'"),
        (["--tag", "k" * 129 + "=x"], "128 characters at most"),
        (["--tag", "team=" + "v" * 257], "256 characters at most"),
        ([word for number in range(51) for word in ("--tag", f"t{number}=x")], "50 tags at most"),
    ],
    ids=["no value", "no key", "AWS's", "character", "long key", "long value", "many"],
)
def test_a_tag_that_aws_would_refuse_is_refused_first(project: Project, aws: Aws, words: list[str], said: str) -> None:
    deploys(aws)
    assert said in error_line(project.run("deploy.sh", *words))
    assert not aws.calls("put-object")


@pytest.mark.parametrize("tag", ["team", "aws:team=x"])
def test_a_wrong_tag_is_refused_before_credentials_are_needed(shared_project: Project, aws: Aws, tag: str) -> None:
    assert tag in error_line(shared_project.run("deploy.sh", "--tag", tag))
    assert not aws.calls()
