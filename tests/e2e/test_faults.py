"""A function without a permission loses no source, and processes all of them once the fault is fixed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from .local import LocalAws, Stack, eventually, picture

NAME = "denied"


@pytest.fixture(scope="module")
def denied_stack(local: LocalAws) -> Iterator[Stack]:
    yield local.deploy(NAME, EnableCdn="false")
    local.client("cloudformation").delete_stack(StackName=NAME)


def without_action(policy: dict[str, Any], action: str) -> dict[str, Any]:
    """The policy without one action in every statement."""
    statements = []
    for statement in policy["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        if remaining := [name for name in actions if name != action]:
            statements.append({**statement, "Action": remaining})
    assert statements != policy["Statement"]
    return {**policy, "Statement": statements}


def redrive(stack: Stack, *options: str) -> str:
    done = stack.local.script("redrive.sh", "--stack-name", NAME, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:GetObject", "dynamodb:BatchWriteItem"])
def test_a_denied_action_ends_in_the_dead_letter_queue_and_is_made_up_for(denied_stack: Stack, action: str) -> None:
    iam, sqs = denied_stack.local.client("iam"), denied_stack.local.client("sqs")
    resources = denied_stack.local.client("cloudformation").describe_stack_resources(StackName=NAME)["StackResources"]
    role = next(item["PhysicalResourceId"] for item in resources if item["LogicalResourceId"] == "FunctionRole")
    [policy_name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policy = iam.get_role_policy(RoleName=role, PolicyName=policy_name)["PolicyDocument"]
    # Each of the five tries waits for the visibility timeout: one second here, six minutes as deployed.
    sqs.set_queue_attributes(QueueUrl=denied_stack.outputs["QueueUrl"], Attributes={"VisibilityTimeout": "1"})

    iam.put_role_policy(
        RoleName=role, PolicyName=policy_name, PolicyDocument=json.dumps(without_action(policy, action))
    )
    key = f"{action}.jpg"
    denied_stack.upload(key, picture())
    eventually(lambda: denied_stack.waiting("DeadLetterQueueUrl") == 1, within=60)
    assert denied_stack.waiting("QueueUrl") == 0
    assert not denied_stack.records(key)
    shown = redrive(denied_stack)
    assert shown.startswith(f"{key}\n")
    assert "unavailable: " in shown
    assert "AccessDenied" in shown

    iam.put_role_policy(RoleName=role, PolicyName=policy_name, PolicyDocument=json.dumps(policy))
    assert "Sent back: 1." in redrive(denied_stack, "--send-back")

    eventually(lambda: f"{key}/thumbnail" in denied_stack.renditions())
    eventually(lambda: denied_stack.records(key))
    assert denied_stack.waiting("DeadLetterQueueUrl") == 0
