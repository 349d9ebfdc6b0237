"""deploy.sh --watch: CloudFormation's rollback triggers on the stack's alarms, with a fake `aws`."""

import json
from typing import Any

import pytest

from tests.template.cloudformation import resolve

from .deployments import STACK, deploy, deploys
from .project import Aws, Project, error_line, json_of, request_errors, stack_text

pytestmark = pytest.mark.slow

ALARMS = ("QueueAgeAlarm", "DeadLetterAlarm", "FunctionErrorAlarm", "FunctionThrottleAlarm", "FunctionDurationAlarm",
          "ApiErrorAlarm", "DeliveryErrorAlarm")  # fmt: skip
WATCHED = ["FunctionErrorAlarm", "DeliveryErrorAlarm", "ApiErrorAlarm", "FunctionThrottleAlarm", "DeadLetterAlarm"]


def arn(alarm: str) -> str:
    return f"arn:aws:cloudwatch:eu-central-1:123456789012:alarm:{alarm}"


def has_alarms(aws: Aws, *names: str, firing: str = "") -> None:
    """Let the stack have these alarms."""
    resources = [
        {"LogicalResourceId": name, "PhysicalResourceId": physical, "ResourceType": kind}
        for name, physical, kind in [
            *((name, f"{STACK}-{name}-ABC1", "AWS::CloudWatch::Alarm") for name in names),
            ("Function", "f-1", "AWS::Lambda::Function"),
        ]
    ]
    aws.answer("list-stack-resources", json.dumps({"StackResourceSummaries": resources}))
    alarms = [
        {
            "AlarmName": f"{STACK}-{name}-ABC1",
            "AlarmArn": arn(f"{STACK}-{name}-ABC1"),
            "StateValue": "ALARM" if name == firing else "OK",
        }
        for name in names
    ]
    aws.answer("describe-alarms", json.dumps({"MetricAlarms": alarms}))


def configuration(aws: Aws) -> Any:
    """Return the rollback configuration of the change set; None without one."""
    [(call, files)] = aws.calls("create-change-set")
    if "--rollback-configuration" not in call:
        return None
    found = next(json.loads(text) for text in files if "RollbackTriggers" in text)
    assert not request_errors(
        "cloudformation",
        "create-change-set",
        {"StackName": "s", "ChangeSetName": "c", "RollbackConfiguration": found, "Parameters": json_of(files)},
    )
    return found


def test_the_most_telling_alarms_undo_an_update_that_is_watched(project: Project, aws: Aws) -> None:
    deploys(aws, "UPDATE_COMPLETE")
    has_alarms(aws, *ALARMS)
    said = deploy(project, "--watch", "15")
    triggers = [{"Arn": arn(f"{STACK}-{name}-ABC1"), "Type": "AWS::CloudWatch::Alarm"} for name in WATCHED]
    assert configuration(aws) == {"RollbackTriggers": triggers, "MonitoringTimeInMinutes": 15}
    assert f"goes off until 15 minutes after it: {', '.join(WATCHED)}." in said


def test_the_watched_alarms_are_in_the_template() -> None:
    assert resolve().of_type("AWS::CloudWatch::Alarm").keys() >= set(WATCHED)


def test_a_stack_without_its_api_watches_its_other_alarms(project: Project, aws: Aws) -> None:
    deploys(aws, "UPDATE_COMPLETE")
    has_alarms(aws, *(name for name in ALARMS if name != "ApiErrorAlarm"))
    deploy(project, "--watch", "0")
    assert len(configuration(aws)["RollbackTriggers"]) == 4


def test_an_alarm_that_was_deleted_by_hand_is_left_out_because_it_would_fail_the_update(
    project: Project, aws: Aws
) -> None:
    deploys(aws, "UPDATE_COMPLETE")
    has_alarms(aws, *ALARMS)
    left = [{"AlarmName": f"{STACK}-ApiErrorAlarm-ABC1", "AlarmArn": arn("a"), "StateValue": "OK"}]
    aws.answer("describe-alarms", json.dumps({"MetricAlarms": left}))
    deploy(project, "--watch", "5")
    assert [trigger["Arn"] for trigger in configuration(aws)["RollbackTriggers"]] == [arn("a")]


def test_an_alarm_that_has_gone_off_already_refuses_the_update(project: Project, aws: Aws) -> None:
    deploys(aws, "UPDATE_COMPLETE")
    has_alarms(aws, *ALARMS, firing="DeadLetterAlarm")
    line = error_line(project.run("deploy.sh", "--watch", "15"))
    assert "--watch: in ALARM already: DeadLetterAlarm; CloudFormation would undo any update" in line
    assert not aws.calls("create-change-set")


def test_a_new_stack_has_no_alarms_to_watch_yet(project: Project, aws: Aws) -> None:
    deploys(aws)
    assert "--watch has no effect: the stack has no alarms yet" in deploy(project, "--watch", "15")
    assert configuration(aws) is None


@pytest.mark.parametrize("minutes", ["181", "-1", "ten", "1000", "1.5", ""])
def test_the_minutes_are_from_0_to_180(project: Project, aws: Aws, minutes: str) -> None:
    assert f"from 0 to 180, not '{minutes}'" in error_line(project.run("deploy.sh", "--watch", minutes))
    assert not aws.calls()


def saved(aws: Aws, *alarms: str) -> None:
    """Let CloudFormation have saved these triggers with the stack."""
    lines = "".join(f"trigger\t{arn(alarm)}\tAWS::CloudWatch::Alarm\n" for alarm in alarms)
    aws.answer("describe-stacks", stack_text("UPDATE_COMPLETE") + lines + "monitoring\tminutes\t30\n")


def test_a_deployment_without_watch_removes_the_triggers_of_the_last_one(project: Project, aws: Aws) -> None:
    deploys(aws, "UPDATE_COMPLETE")
    saved(aws, f"{STACK}-FunctionErrorAlarm-ABC1", f"{STACK}-ApiErrorAlarm-ABC1")
    deploy(project)
    assert configuration(aws) == {"RollbackTriggers": [], "MonitoringTimeInMinutes": 0}


def test_a_deployment_without_watch_keeps_triggers_of_the_user_s_own(project: Project, aws: Aws) -> None:
    deploys(aws, "UPDATE_COMPLETE")
    saved(aws, f"{STACK}-FunctionErrorAlarm-ABC1", "my-own", f"{STACK}-test-FunctionErrorAlarm-ABC1")
    deploy(project)
    own = [arn("my-own"), arn(f"{STACK}-test-FunctionErrorAlarm-ABC1")]
    assert [trigger["Arn"] for trigger in configuration(aws)["RollbackTriggers"]] == own
    assert configuration(aws)["MonitoringTimeInMinutes"] == 30


def test_triggers_of_the_user_s_own_alone_stay_as_they_are(project: Project, aws: Aws) -> None:
    deploys(aws, "UPDATE_COMPLETE")
    saved(aws, "my-own")
    deploy(project)
    assert configuration(aws) is None


def test_an_update_that_an_alarm_has_undone_says_why(project: Project, aws: Aws) -> None:
    deploys(aws, "UPDATE_COMPLETE")
    has_alarms(aws, *ALARMS)
    aws.answer("describe-stacks", stack_text("UPDATE_ROLLBACK_COMPLETE"))
    aws.answer("describe-stacks", stack_text("UPDATE_COMPLETE"), again=False)
    newest_first = [
        ("UPDATE_ROLLBACK_COMPLETE", STACK, "AWS::CloudFormation::Stack", "None"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", STACK, "AWS::CloudFormation::Stack", "Alarm FunctionErrorAlarm went to ALARM"),
        ("UPDATE_COMPLETE", "Function", "AWS::Lambda::Function", "None"),
        ("UPDATE_IN_PROGRESS", STACK, "AWS::CloudFormation::Stack", "User Initiated"),
    ]
    aws.answer("describe-stack-events", "".join("\t".join(row) + "\n" for row in newest_first))
    result = project.run("deploy.sh", "--watch", "15")
    assert result.returncode == 1
    *_, reason, last = result.stderr.splitlines()
    assert reason == "  Alarm FunctionErrorAlarm went to ALARM"
    assert "is as it was before" in last
