"""redrive.sh with a fake `aws`: it shows messages, sends them back, or deletes named ones."""

import json
from typing import Any

import pytest

from .project import Aws, Project, error_line, stack_text

pytestmark = pytest.mark.slow

DEAD, LIVE = "https://sqs/dead", "https://sqs/live"
NO_SUCH_CALL = "The action StartMessageMoveTask is not valid for this endpoint."
TRACEBACK = (
    "Traceback (most recent call last):\n  …\nbotocore.exceptions.ClientError: An error occurred (AccessDenied) when …"
    "\n\nThe above exception was the direct cause of the following exception:\n\nTraceback …\nUnavailable: S3 failed"
)


def letter(number: int, key: str | None, received: int = 6) -> dict[str, Any]:
    """A message as receive-message returns it, about one key in S3's encoding, or one that is not an event of S3."""
    record = {"eventSource": "aws:s3", "s3": {"bucket": {"name": "up"}, "object": {"key": key}}}
    return {
        "MessageId": f"id-{number}",
        "ReceiptHandle": f"receipt-{number}",
        "Body": json.dumps({"Records": [record]}) if key else "no event",
        "Attributes": {"ApproximateReceiveCount": str(received), "SentTimestamp": str(1795498776231 + number)},
    }


def said(key: str | None, reason: str = "S3 failed", **more: str) -> list[dict[str, str]]:
    """A row of Logs Insights: a line of the function's log about a key."""
    line = {"message": "will be retried", "key": key, "code": "unavailable", "reason": reason, **more}
    return [{"field": "@timestamp", "value": "2026-11-24"}, {"field": "@message", "value": json.dumps(line)}]


def hold(aws: Aws, *letters: dict[str, Any]) -> None:
    """Let the dead-letter queue have these messages, to be received once, ten at a time."""
    for start in range(len(letters), -1, -10):
        batch = letters[max(start - 10, 0) : start]
        if batch:
            aws.answer("receive-message", json.dumps({"Messages": batch}), again=False)
    count = {"Attributes": {"ApproximateNumberOfMessages": str(len(letters)), "QueueArn": "arn:queue"}}
    aws.answer("get-queue-attributes", json.dumps(count))


@pytest.fixture(autouse=True)
def stack(aws: Aws) -> None:
    """A stack whose dead-letter queue and log are empty."""
    outputs = {"FunctionName": "f", "QueueUrl": LIVE, "DeadLetterQueueUrl": DEAD}
    aws.answer("describe-stacks", stack_text("UPDATE_COMPLETE", {}, outputs))
    aws.answer("get-function-configuration", "/log/group\n")
    aws.answer("receive-message", "")
    aws.answer("start-query", '{"queryId": "q"}')
    aws.answer("get-query-results", '{"status": "Complete", "results": []}')
    hold(aws)


@pytest.fixture
def project(shared_project: Project) -> Project:
    return shared_project


def test_each_message_is_shown_with_its_source_and_its_reason(project: Project, aws: Aws) -> None:
    hold(aws, letter(1, "my+photo+%C3%BC.jpg"), letter(2, "b.jpg"), letter(3, None))
    rows = [said("my photo ü.jpg", exception=TRACEBACK), said("my photo ü.jpg", reason="older"), said(None)]
    aws.answer("get-query-results", json.dumps({"status": "Complete", "results": rows}))

    result = project.run("redrive.sh")

    assert result.returncode == 0, result
    assert result.stdout.splitlines() == [
        "my photo ü.jpg",
        "  received 5 times, runs of redrive.sh included, sent 2026-11-24 05:39 UTC, id id-1",
        "  unavailable: S3 failed (An error occurred (AccessDenied) when …)",
        "b.jpg",
        "  received 5 times, runs of redrive.sh included, sent 2026-11-24 05:39 UTC, id id-2",
        "  not in the log",
        "(no key)",
        "  received 5 times, runs of redrive.sh included, sent 2026-11-24 05:39 UTC, id id-3",
        "  not an event of S3: 'no event'; see 'unknown-event' in the function's log",
        "",
        "Dead letters: 3",
    ]


def test_a_function_that_ended_without_a_reason_is_shown_by_its_log(project: Project, aws: Aws) -> None:
    hold(aws, letter(1, "a.jpg"))
    row = [{"field": "@message", "value": "2026-11-24T05:40:00Z 1 Task timed out after 60.00 seconds\n"}]
    aws.answer("get-query-results", json.dumps({"status": "Complete", "results": [row]}))

    assert "Task timed out after 60.00 seconds" in project.run("redrive.sh").stdout


def test_messages_are_shown_when_the_log_can_not_be_read(project: Project, aws: Aws) -> None:
    hold(aws, letter(1, "a.jpg"))
    aws.deny("start-query", "StartQuery", "AccessDeniedException", "not authorized")

    result = project.run("redrive.sh")

    assert result.returncode == 0
    assert "a.jpg" in result.stdout
    assert "AccessDeniedException" in result.stderr


def test_to_show_messages_changes_nothing(project: Project, aws: Aws) -> None:
    letters = [letter(number, f"{number}.jpg") for number in range(23)]
    hold(aws, *letters)

    assert "Dead letters: 23" in project.run("redrive.sh").stdout

    assert not aws.calls("delete-message-batch")
    assert not aws.calls("send-message-batch")
    visible = [entry for request in aws.requests("change-message-visibility-batch") for entry in request["Entries"]]
    assert sorted(entry["ReceiptHandle"] for entry in visible) == sorted(item["ReceiptHandle"] for item in letters)
    assert {entry["VisibilityTimeout"] for entry in visible} == {0}


def test_messages_become_visible_again_when_showing_fails(project: Project, aws: Aws) -> None:
    hold(aws, letter(1, "a.jpg"))
    aws.answer("get-query-results", "{}")  # not a response of Logs Insights

    assert project.run("redrive.sh").returncode != 0
    assert aws.calls("change-message-visibility-batch")


def test_an_empty_queue_is_not_an_error(project: Project, aws: Aws) -> None:
    assert project.run("redrive.sh").stdout == "The dead-letter queue is empty.\n"
    assert "nothing to send back" in project.run("redrive.sh", "--send-back").stdout
    assert not aws.calls("start-message-move-task")


def test_a_task_of_sqs_sends_messages_back_and_is_followed_to_its_end(project: Project, aws: Aws) -> None:
    hold(aws, letter(1, "a.jpg"))
    moved = {"ApproximateNumberOfMessagesMoved": 7, "ApproximateNumberOfMessagesToMove": 7}
    aws.answer("list-message-move-tasks", json.dumps({"Results": [{"Status": "COMPLETED", **moved}]}))
    aws.answer("list-message-move-tasks", json.dumps({"Results": [{"Status": "RUNNING", **moved}]}), again=False)
    aws.answer("list-message-move-tasks", json.dumps({"Results": [{"Status": "COMPLETED"}]}), again=False)  # an old one

    result = project.run("redrive.sh", "--send-back")

    assert result.returncode == 0, result
    assert "Sent back: 7." in result.stdout
    assert aws.requests("start-message-move-task") == [{"SourceArn": "arn:queue", "DestinationArn": "arn:queue"}]
    assert not aws.calls("receive-message")


def test_a_running_task_is_followed_and_not_started_again(project: Project, aws: Aws) -> None:
    hold(aws, letter(1, "a.jpg"))
    aws.answer("list-message-move-tasks", '{"Results": [{"Status": "COMPLETED"}]}')
    aws.answer("list-message-move-tasks", '{"Results": [{"Status": "RUNNING"}]}', again=False)

    assert project.run("redrive.sh", "--send-back").returncode == 0
    assert not aws.calls("start-message-move-task")


def test_a_task_that_fails_is_an_error_with_its_reason(project: Project, aws: Aws) -> None:
    hold(aws, letter(1, "a.jpg"))
    failed = {"Status": "FAILED", "FailureReason": "AWS.SimpleQueueService.NonExistentQueue"}
    aws.answer("list-message-move-tasks", json.dumps({"Results": [failed]}))

    assert "NonExistentQueue" in error_line(project.run("redrive.sh", "--send-back"))


def test_without_tasks_each_message_is_sent_before_it_is_deleted(project: Project, aws: Aws) -> None:
    letters = [letter(number, f"{number}.jpg") for number in range(12)]
    hold(aws, *letters)
    aws.deny("list-message-move-tasks", "ListMessageMoveTasks", "InvalidAction", NO_SUCH_CALL)
    aws.answer("send-message-batch", "{}")
    aws.answer("send-message-batch", '{"Failed": [{"Id": "1"}]}', again=False)

    result = project.run("redrive.sh", "--send-back")

    assert "Sent back: 11." in result.stdout, result
    assert {request["QueueUrl"] for request in aws.requests("send-message-batch")} == {LIVE}
    sent = [entry["MessageBody"] for request in aws.requests("send-message-batch") for entry in request["Entries"]]
    assert sorted(sent) == sorted(item["Body"] for item in letters)
    deleted = [
        entry["ReceiptHandle"] for request in aws.requests("delete-message-batch") for entry in request["Entries"]
    ]
    assert len(deleted) == 11  # not the one that was rejected
    order = [word for call, _ in aws.calls() for word in call if word in ("send-message-batch", "delete-message-batch")]
    assert order == ["send-message-batch", "delete-message-batch"] * 2


def test_drop_deletes_only_named_messages(project: Project, aws: Aws) -> None:
    hold(aws, letter(1, "a+b.jpg"), letter(2, "c.jpg"), letter(3, None), letter(4, "d.jpg"))

    result = project.run("redrive.sh", "--drop", "a b.jpg", "--drop", "id-3")

    assert result.returncode == 0, result
    assert result.stdout == "Dropped: 2 of 4 dead letters.\n"
    [deleted] = aws.requests("delete-message-batch")
    assert [entry["ReceiptHandle"] for entry in deleted["Entries"]] == ["receipt-1", "receipt-3"]
    [shown_again] = aws.requests("change-message-visibility-batch")
    assert [entry["ReceiptHandle"] for entry in shown_again["Entries"]] == ["receipt-2", "receipt-4"]


def test_a_name_that_is_not_found_is_an_error(project: Project, aws: Aws) -> None:
    hold(aws, letter(1, "a.jpg"))

    result = project.run("redrive.sh", "--drop", "b.jpg")

    assert result.returncode == 1
    assert result.stderr == "redrive.sh: there is no dead letter 'b.jpg'\n"
    assert not aws.calls("delete-message-batch")


@pytest.mark.parametrize(
    ("key", "hint"),
    [("/a.jpg", "; a key has no slash at its beginning, so write 'a.jpg'"), ("/b.jpg", "")],
)
def test_a_slash_before_a_key_that_is_there_is_pointed_out(project: Project, aws: Aws, key: str, hint: str) -> None:
    hold(aws, letter(1, "a.jpg"))

    assert project.run("redrive.sh", "--drop", key).stderr == f"redrive.sh: there is no dead letter '{key}'{hint}\n"


def test_an_eventbridge_event_is_shown_with_its_key_as_it_is(project: Project, aws: Aws) -> None:
    detail = {"bucket": {"name": "up"}, "object": {"key": "a+b%20.jpg"}}
    hold(aws, {**letter(1, None), "Body": json.dumps({"source": "aws.s3", "detail": detail})})

    assert project.run("redrive.sh").stdout.splitlines()[0] == "a+b%20.jpg"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--send-back", "--drop", "a"], "--send-back or --drop, not both"),
        (["--drop", "a", "--send-back"], "--send-back or --drop, not both"),
        (["--drop"], "--drop needs a value"),
        (["--all"], "unknown option '--all'"),
    ],
)
def test_a_wrong_command_line_is_an_error_of_one_line(
    project: Project, aws: Aws, arguments: list[str], words: str
) -> None:
    assert words in error_line(project.run("redrive.sh", *arguments))
    assert not aws.calls()


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "CREATE_IN_PROGRESS", "DELETE_COMPLETE"])
def test_a_stack_that_can_not_be_used_is_an_error_of_one_line(project: Project, aws: Aws, status: str) -> None:
    aws.answer("describe-stacks", stack_text(status))

    assert "stack" in error_line(project.run("redrive.sh"))


def test_a_missing_permission_is_an_error_of_one_line(project: Project, aws: Aws) -> None:
    aws.deny(
        "receive-message", "ReceiveMessage", "AccessDenied", "User is not authorized to perform: sqs:ReceiveMessage"
    )

    assert "no permission for sqs:ReceiveMessage" in error_line(project.run("redrive.sh"))
