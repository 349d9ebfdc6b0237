"""What redrive.sh runs: shows the messages of the dead-letter queue, sends them back, or deletes some of them.

    redrive.py show|send-back|drop --queue-url URL --dead-letters URL --log-group NAME [--key KEY ...] …

`show` changes nothing: a message that it receives becomes visible again, and a message of a
dead-letter queue may be received any number of times.
"""

from __future__ import annotations

import json
import re
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_cli import AwsCli, AwsFailed, arguments, batches, run
from queues import BATCH, rejected_entries, visible_messages
from terminal import say, show_progress

from image_processor.errors import UnknownEvent
from image_processor.triggers.s3_events import parse_message

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

# Seconds for which a message is hidden from other receivers while it is read; `make_visible` shows it earlier.
VISIBILITY_TIMEOUT = 600
MAX_MESSAGES = 1000  # that are read: a hundred calls, a minute or two
QUERY = """fields @timestamp, @message
| filter @message like /will be retried|Task timed out|Runtime exited|OutOfMemory/
| sort @timestamp desc | limit 10000"""  # 10,000 is the most that Logs Insights gives
QUERY_WITHIN = 60  # seconds
NO_SUCH_CALL = re.compile(
    r"\((InvalidAction|UnsupportedOperation|UnknownOperation\w*|NotImplemented)\)|[Ii]nvalid choice"
)


@dataclass(frozen=True)
class DeadLetter:
    """A message of the dead-letter queue."""

    id: str
    receipt: str
    body: str
    keys: tuple[str, ...]  # of its sources; none if it is not an event of S3
    received: int
    sent: datetime


def keys_of(body: str) -> tuple[str, ...]:
    """Return the keys in an event of S3 or EventBridge; none for a message that the function cannot read either."""
    try:
        return tuple(source_event.key for source_event in parse_message(body))
    except UnknownEvent:
        return ()


def receive(aws: AwsCli, url: str) -> list[dict[str, Any]]:
    """Return up to ten messages with their attributes, and hide them from other receivers."""
    request = {
        "QueueUrl": url,
        "MaxNumberOfMessages": BATCH,
        "VisibilityTimeout": VISIBILITY_TIMEOUT,
        "WaitTimeSeconds": 1,
    }
    messages: list[dict[str, Any]] = aws.call("sqs", "receive-message", **request, AttributeNames=["All"]).get(
        "Messages", []
    )
    return messages


def read_letters(aws: AwsCli, url: str) -> list[DeadLetter]:
    """Receive the messages, `MAX_MESSAGES` at most; they are hidden until `make_visible`."""
    letters: dict[str, DeadLetter] = {}
    while len(letters) < MAX_MESSAGES and (messages := receive(aws, url)):
        for message in messages:
            attributes = message["Attributes"]
            letters[message["MessageId"]] = DeadLetter(
                id=message["MessageId"],
                receipt=message["ReceiptHandle"],
                body=message["Body"],
                keys=keys_of(message["Body"]),
                received=int(attributes["ApproximateReceiveCount"]) - 1,  # without this time
                sent=datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, timezone.utc),  # noqa: UP017 - Python 3.9
            )
    return sorted(letters.values(), key=lambda letter: letter.sent)


def make_visible(aws: AwsCli, url: str, letters: Iterable[DeadLetter]) -> None:
    """Make messages visible to other receivers again."""
    for batch in batches(letters, BATCH):
        entries = [
            {"Id": str(index), "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}
            for index, letter in enumerate(batch)
        ]
        aws.call("sqs", "change-message-visibility-batch", QueueUrl=url, Entries=entries)


def delete(aws: AwsCli, url: str, letters: list[DeadLetter]) -> int:
    """Delete messages; returns how many SQS has deleted."""
    deleted = 0
    for batch in batches(letters, BATCH):
        entries = [{"Id": str(index), "ReceiptHandle": letter.receipt} for index, letter in enumerate(batch)]
        response = aws.call("sqs", "delete-message-batch", QueueUrl=url, Entries=entries)
        deleted += len(batch) - len(rejected_entries(response))
    return deleted


def log_lines(aws: AwsCli, group: str, since: datetime) -> list[str]:
    """Return the lines of the function's log about failures since a time, the latest first.

    CloudWatch Logs Insights costs $0.005 for each GB of log that it scans, and takes seconds.
    """
    query = aws.call(
        "logs",
        "start-query",
        logGroupName=group,
        startTime=int(since.timestamp()),
        endTime=int(time.time()) + 1,
        queryString=QUERY,
    )["queryId"]
    deadline = time.monotonic() + QUERY_WITHIN
    while (response := aws.call("logs", "get-query-results", queryId=query))["status"] in ("Scheduled", "Running"):
        if time.monotonic() > deadline:
            aws.call("logs", "stop-query", queryId=query)
            break
        time.sleep(1)
    return [field["value"] for row in response["results"] for field in row if field["field"] == "@message"]


def reasons(lines: list[str]) -> tuple[dict[str, str], str]:
    """Return the latest reason for each key, and the latest line of Lambda about a function that ended without one."""
    by_key: dict[str, str] = {}
    ended = ""
    for line in lines:
        try:
            said = json.loads(line)
        except ValueError:
            ended = ended or line.strip()
            continue
        if isinstance(said, dict) and said.get("key") is not None:
            by_key.setdefault(said["key"], f"{said.get('code')}: {said.get('reason')}{cause(said)}")
    return by_key, ended


def cause(said: dict[str, Any]) -> str:
    """Return AWS's response or the function's own error, which ends the first of the tracebacks in a line."""
    first = str(said.get("exception", "")).split("\n\nThe above exception")[0].strip().splitlines()
    words = first[-1].partition(": ")[2] or first[-1] if first else ""
    return f" ({words})" if words and words != said.get("reason") else ""


def reasons_of(letter: DeadLetter, by_key: dict[str, str], ended: str) -> list[str]:
    """Return a line for each source of a letter."""
    if not letter.keys:
        return [f"not an event of S3: {letter.body[:80]!r}; see 'unknown-event' in the function's log"]
    silent = f"not in the log; the function last ended without a reason at: {ended}" if ended else "not in the log"
    return [by_key.get(key, silent) for key in letter.keys]


def show(aws: AwsCli, options: argparse.Namespace) -> int:
    """Print each message: its sources, how often it was received, when it was sent, and why it failed."""
    letters = read_letters(aws, options.dead_letters)
    try:
        if not letters:
            say("The dead-letter queue is empty.")
            return 0
        try:
            by_key, ended = reasons(log_lines(aws, options.log_group, letters[0].sent))
        except AwsFailed as error:  # the messages are worth showing without their reasons
            say(f"The function's log can't be read, so there are no reasons: {error}", file=sys.stderr)
            by_key, ended = {}, ""
    finally:
        make_visible(aws, options.dead_letters, letters)
    for letter in letters:
        say(", ".join(letter.keys) or "(no key)")
        say(
            f"  received {letter.received} times, runs of redrive.sh included, sent {letter.sent:%Y-%m-%d %H:%M} UTC,"
            f" id {letter.id}"
        )
        for line in reasons_of(letter, by_key, ended):
            say(f"  {line}")
    more = visible_messages(aws, options.dead_letters) - len(letters) if len(letters) >= MAX_MESSAGES else 0
    say()
    say(f"Dead letters: {len(letters)}" + (f", and about {more} more that are not shown" if more > 0 else ""))
    return 0


def send_back(aws: AwsCli, options: argparse.Namespace) -> int:
    """Send all messages to the queue they came from, by a task of SQS, if SQS has such tasks."""
    total = visible_messages(aws, options.dead_letters)
    if not total:
        say("The dead-letter queue is empty: there is nothing to send back.")
        return 0
    try:
        moved = move(aws, options)
    except AwsFailed as error:
        if not NO_SUCH_CALL.search(error.error):
            raise
        moved = move_in_batches(aws, options, total)
    say(f"Sent back: {moved}. Messages that fail five more times return to the dead-letter queue.")
    return 0


def move(aws: AwsCli, options: argparse.Namespace) -> int:
    """Follow SQS's task to its end, a new one if none is running; raises `AwsFailed` when a call or the task fails."""
    source, target = (arn_of(aws, url) for url in (options.dead_letters, options.queue_url))
    if last_task(aws, source).get("Status") != "RUNNING":
        aws.call("sqs", "start-message-move-task", SourceArn=source, DestinationArn=target)
    while True:
        task = last_task(aws, source)
        moved = int(task.get("ApproximateNumberOfMessagesMoved") or 0)
        status = task.get("Status")
        if status == "COMPLETED":
            show_progress(moved, moved)
            return moved
        if status != "RUNNING":
            reason = task.get("FailureReason") or f"the task is {status}"
            raise AwsFailed("sqs", "start-message-move-task", f"{reason}, with {moved} sent back; try again")
        show_progress(moved, max(int(task.get("ApproximateNumberOfMessagesToMove") or 0), moved + 1))
        time.sleep(2)


def last_task(aws: AwsCli, source: str) -> dict[str, Any]:
    """Return the latest task that moves messages from a queue; empty when there was none."""
    tasks = aws.call("sqs", "list-message-move-tasks", SourceArn=source, MaxResults=1).get("Results")
    return tasks[0] if tasks else {}


def arn_of(aws: AwsCli, url: str) -> str:
    """Return a queue's ARN."""
    attributes = aws.call("sqs", "get-queue-attributes", QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return str(attributes["QueueArn"])


def move_in_batches(aws: AwsCli, options: argparse.Namespace, total: int) -> int:
    """Send each message, then delete it: if this stops in between, it is in both queues, which is harmless."""
    moved = 0
    while moved < total and (messages := receive(aws, options.dead_letters)):
        entries = [{"Id": str(index), "MessageBody": message["Body"]} for index, message in enumerate(messages)]
        rejected = rejected_entries(aws.call("sqs", "send-message-batch", QueueUrl=options.queue_url, Entries=entries))
        sent = [
            {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
            for index, message in enumerate(messages)
            if index not in rejected
        ]
        if not sent:
            raise AwsFailed("sqs", "send-message-batch", "the queue has rejected all messages of a batch")
        aws.call("sqs", "delete-message-batch", QueueUrl=options.dead_letters, Entries=sent)
        moved += len(sent)
        show_progress(moved, max(total, moved))
    return moved


def drop(aws: AwsCli, options: argparse.Namespace) -> int:
    """Delete the messages that are named by their id or the key of a source; returns 1 when a name is not found."""
    named = set(options.key)
    letters = read_letters(aws, options.dead_letters)
    # A message about several sources is deleted only when all of them are named.
    chosen = [letter for letter in letters if letter.id in named or (letter.keys and named.issuperset(letter.keys))]
    try:
        dropped = delete(aws, options.dead_letters, chosen)
    finally:
        make_visible(aws, options.dead_letters, (letter for letter in letters if letter not in chosen))
    say(f"Dropped: {dropped} of {len(letters)} dead letters.")
    missing = sorted(named.difference(*((letter.id, *letter.keys) for letter in chosen)))
    known = {key for letter in letters for key in letter.keys}
    for name in missing:
        hint = (
            f"; a key has no slash at its beginning, so write '{name[1:]}'"
            if name[:1] == "/" and name[1:] in known
            else ""
        )
        say(f"redrive.sh: there is no dead letter '{name}'{hint}", file=sys.stderr)
    return 1 if missing else 0


def main() -> int:
    """Run the command line."""
    parser = arguments("queue-url", "dead-letters", "log-group")
    parser.add_argument("command", choices=["show", "send-back", "drop"])
    parser.add_argument("--key", action="append", default=[])
    options = parser.parse_args()
    aws = AwsCli(Path(options.work), options.aws, options.region)
    commands = {"show": show, "send-back": send_back, "drop": drop}
    return run(aws, lambda: commands[options.command](aws, options))


if __name__ == "__main__":
    sys.exit(main())
