"""What redrive.sh does with the dead-letter queue: shows what lies there and why, sends it back, or drops some of it.

    dead_letters.py show|send-back|drop --queue-url URL --dead-letters URL --log-group NAME [--key KEY ...] …

Looking changes nothing: what was looked at is given back, and a dead letter may be received any number of times.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from aws_calls import Aws, AwsFailed, batches, refused, run, show_progress, waiting

if TYPE_CHECKING:
    from collections.abc import Iterable

HELD = 600  # seconds that a letter is kept from others while it is looked at; it is given back sooner
MOST = 1000  # letters that are looked at: a hundred calls, a minute or two
QUERY = """fields @timestamp, @message
| filter @message like /will be retried|Task timed out|Runtime exited|OutOfMemory/
| sort @timestamp desc | limit 10000"""  # 10,000 is the most that Logs Insights gives
QUERY_WITHIN = 60  # seconds
NO_SUCH_CALL = re.compile(
    r"\((InvalidAction|UnsupportedOperation|UnknownOperation\w*|NotImplemented)\)|[Ii]nvalid choice"
)


@dataclass(frozen=True)
class Letter:
    """A message of the dead-letter queue."""

    id: str
    receipt: str
    body: str
    keys: tuple[str, ...]  # of the sources it tells of; none when it is no event of S3
    received: int
    sent: datetime


def keys_of(body: str) -> tuple[str, ...]:
    """Return the keys in an event of S3 or EventBridge, none for what is neither."""
    try:
        event = json.loads(body)
        if event.get("source") == "aws.s3":
            return (str(event["detail"]["object"]["key"]),)
        return tuple(unquote_plus(record["s3"]["object"]["key"], errors="strict") for record in event["Records"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()


def receive(aws: Aws, url: str) -> list[dict[str, Any]]:
    """Return up to ten messages, with their attributes."""
    request = {"QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": HELD, "WaitTimeSeconds": 1}
    messages: list[dict[str, Any]] = aws.call("sqs", "receive-message", **request, AttributeNames=["All"]).get(
        "Messages", []
    )
    return messages


def read_letters(aws: Aws, url: str) -> list[Letter]:
    """Look at the letters, `MOST` at most; they are held until they are given back."""
    letters: dict[str, Letter] = {}
    while len(letters) < MOST and (messages := receive(aws, url)):
        for message in messages:
            attributes = message["Attributes"]
            letters[message["MessageId"]] = Letter(
                id=message["MessageId"],
                receipt=message["ReceiptHandle"],
                body=message["Body"],
                keys=keys_of(message["Body"]),
                received=int(attributes["ApproximateReceiveCount"]) - 1,  # not this look
                sent=datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, timezone.utc),  # noqa: UP017 - Python 3.9
            )
    return sorted(letters.values(), key=lambda letter: letter.sent)


def give_back(aws: Aws, url: str, letters: Iterable[Letter]) -> None:
    """Let go of letters that were looked at."""
    for batch in batches(letters):
        entries = [
            {"Id": str(place), "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}
            for place, letter in enumerate(batch)
        ]
        aws.call("sqs", "change-message-visibility-batch", QueueUrl=url, Entries=entries)


def delete(aws: Aws, url: str, letters: list[Letter]) -> int:
    """Delete letters; returns how many."""
    deleted = 0
    for batch in batches(letters):
        entries = [{"Id": str(place), "ReceiptHandle": letter.receipt} for place, letter in enumerate(batch)]
        answer = aws.call("sqs", "delete-message-batch", QueueUrl=url, Entries=entries)
        deleted += len(batch) - len(refused(answer))
    return deleted


def log_lines(aws: Aws, group: str, since: datetime) -> list[str]:
    """Return what the function said of its failures since then, the latest first.

    By Logs Insights, which costs $0.005 per GB of log looked through and takes seconds.
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
    while (answer := aws.call("logs", "get-query-results", queryId=query))["status"] in ("Scheduled", "Running"):
        if time.monotonic() > deadline:
            aws.call("logs", "stop-query", queryId=query)
            break
        time.sleep(1)
    return [field["value"] for row in answer["results"] for field in row if field["field"] == "@message"]


def reasons(lines: list[str]) -> tuple[dict[str, str], str]:
    """Return the last reason for each key, and the last line of a function that ended before it could give one."""
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
    """Return what AWS answered, or the program's own error, from the first of the tracebacks in a line."""
    first = str(said.get("exception", "")).split("\n\nThe above exception")[0].strip().splitlines()
    words = first[-1].partition(": ")[2] or first[-1] if first else ""
    return f" ({words})" if words and words != said.get("reason") else ""


def why(letter: Letter, by_key: dict[str, str], ended: str) -> list[str]:
    """Return a line for each source of a letter."""
    if not letter.keys:
        return [f"no event of S3: {letter.body[:80]!r}; see 'unknown-event' in the function's log"]
    silent = f"its end is not in the log; the function's last sudden one: {ended}" if ended else "not in the log"
    return [by_key.get(key, silent) for key in letter.keys]


def show(aws: Aws, options: argparse.Namespace) -> int:
    """Print each letter, how often it was received, since when it is there, and why."""
    letters = read_letters(aws, options.dead_letters)
    try:
        if not letters:
            print("The dead-letter queue is empty.")
            return 0
        try:
            by_key, ended = reasons(log_lines(aws, options.log_group, letters[0].sent))
        except AwsFailed as error:  # the letters are worth showing without their reasons
            print(f"(no reasons: {error})", file=sys.stderr)
            by_key, ended = {}, ""
    finally:
        give_back(aws, options.dead_letters, letters)
    for letter in letters:
        print(f"{', '.join(letter.keys) or '(no key)'}")
        print(
            f"  received {letter.received} times, looks included, since {letter.sent:%Y-%m-%d %H:%M} UTC,"
            f" id {letter.id}"
        )
        for line in why(letter, by_key, ended):
            print(f"  {line}")
    more = waiting(aws, options.dead_letters) - len(letters) if len(letters) >= MOST else 0
    print(f"\nDead letters: {len(letters)}" + (f", and about {more} more that were not looked at" if more > 0 else ""))
    return 0


def send_back(aws: Aws, options: argparse.Namespace) -> int:
    """Send all letters to the queue they came from, by SQS itself where it can."""
    total = waiting(aws, options.dead_letters)
    if not total:
        print("The dead-letter queue is empty: nothing to send back.")
        return 0
    try:
        moved = move(aws, options)
    except AwsFailed as error:
        if not NO_SUCH_CALL.search(error.words):
            raise
        moved = move_by_hand(aws, options, total)
    print(f"Sent back: {moved}. Those that fail again are in the dead-letter queue after five more tries.")
    return 0


def move(aws: Aws, options: argparse.Namespace) -> int:
    """Follow SQS's own task, a new one if none is at work; raises `AwsFailed` also where that fails."""
    source, target = (arn_of(aws, url) for url in (options.dead_letters, options.queue_url))
    if last_task(aws, source).get("Status") != "RUNNING":
        aws.call("sqs", "start-message-move-task", SourceArn=source, DestinationArn=target)
    while True:
        task = last_task(aws, source)
        moved = int(task.get("ApproximateNumberOfMessagesMoved") or 0)
        status = task.get("Status")
        if status == "COMPLETED":
            show_progress(moved, moved, "")
            return moved
        if status != "RUNNING":
            reason = task.get("FailureReason") or f"the task is {status}"
            raise AwsFailed("sqs", "start-message-move-task", f"{reason}, with {moved} sent back; try again")
        show_progress(moved, max(int(task.get("ApproximateNumberOfMessagesToMove") or 0), moved + 1), "")
        time.sleep(2)


def last_task(aws: Aws, source: str) -> dict[str, Any]:
    """Return the latest move from a queue; empty when there was none."""
    tasks = aws.call("sqs", "list-message-move-tasks", SourceArn=source, MaxResults=1).get("Results")
    return tasks[0] if tasks else {}


def arn_of(aws: Aws, url: str) -> str:
    """Return a queue's ARN."""
    attributes = aws.call("sqs", "get-queue-attributes", QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return str(attributes["QueueArn"])


def move_by_hand(aws: Aws, options: argparse.Namespace, total: int) -> int:
    """Send, then delete: a letter is there twice if this ends in between, which is harmless, and never lost."""
    moved = 0
    while moved < total and (messages := receive(aws, options.dead_letters)):
        entries = [{"Id": str(place), "MessageBody": message["Body"]} for place, message in enumerate(messages)]
        kept = refused(aws.call("sqs", "send-message-batch", QueueUrl=options.queue_url, Entries=entries))
        sent = [
            {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
            for place, message in enumerate(messages)
            if place not in kept
        ]
        if not sent:
            raise AwsFailed("sqs", "send-message-batch", "the queue took none of ten messages")
        aws.call("sqs", "delete-message-batch", QueueUrl=options.dead_letters, Entries=sent)
        moved += len(sent)
        show_progress(moved, max(total, moved), "")
    return moved


def drop(aws: Aws, options: argparse.Namespace) -> int:
    """Delete the letters that are named, by their id or the key of a source; 1 when one that is named is not there."""
    named = set(options.key)
    letters = read_letters(aws, options.dead_letters)
    # A letter about several sources goes only when all of them are named.
    doomed = [letter for letter in letters if letter.id in named or (letter.keys and named.issuperset(letter.keys))]
    try:
        dropped = delete(aws, options.dead_letters, doomed)
    finally:
        give_back(aws, options.dead_letters, (letter for letter in letters if letter not in doomed))
    print(f"Dropped: {dropped} of {len(letters)} dead letters.")
    missing = sorted(named.difference(*((letter.id, *letter.keys) for letter in doomed)))
    for name in missing:
        print(f"redrive.sh: there is no dead letter '{name}'", file=sys.stderr)
    return 1 if missing else 0


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["show", "send-back", "drop"])
    for name in ("work", "aws", "region", "queue-url", "dead-letters", "log-group"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--key", action="append", default=[])
    options = parser.parse_args()
    aws = Aws(Path(options.work), options.aws, options.region)
    commands = {"show": show, "send-back": send_back, "drop": drop}
    return run(aws, lambda: commands[options.command](aws, options))


if __name__ == "__main__":
    sys.exit(main())
