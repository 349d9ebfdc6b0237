"""The state of the stack after the other checks, whose sources have been removed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from claims import Claim, Group, NotChecked, expect
from queues import message_counts

if TYPE_CHECKING:
    from target import Target

LINES = 5000  # of the log, at most
SIGNATURE = re.compile(r"sig=[A-Za-z0-9_-]{43}")
NEVER_EVALUATED = "it never evaluates an alarm"


def messages(target: Target, output: str) -> int:
    """How many messages a queue has, including those that are being processed."""
    return sum(message_counts(target.ask_aws, target.outputs[output]))


def withdrawn(target: Target) -> str:
    """Read how the stack has followed the deletion of all sources of this run."""
    removal = target.removal
    expect(
        not removal.left,
        f"left after {target.within:.0f} s: {', '.join(removal.left[:5])} ({len(removal.left)} in all)",
    )
    return f"{len(set(target.keys))} sources, after {removal.seconds:.1f} s"


def removed(target: Target) -> str:
    """Read what could not be removed."""
    removal = target.removal
    expect(not removal.problems, "; ".join(removal.problems))
    return f"{removal.versions} versions of {len(set(target.keys))} sources"


def queue_empty(target: Target) -> str:
    """Wait until the queue is empty."""
    _, seconds = target.until(
        lambda: not messages(target, "QueueUrl"), lambda: f"the queue has {messages(target, 'QueueUrl')} messages"
    )
    return f"empty after {seconds:.1f} s"


def no_dead_letters(target: Target) -> str:
    """Compare the dead-letter queue with what it had before the run."""
    now = messages(target, "DeadLetterQueueUrl")
    expect(now <= target.dead_letters, f"{now} dead letters, {target.dead_letters} before the run")
    return f"{now}, as before the run" if now else "none"


def alarms(target: Target) -> str:
    """Read the states of the stack's alarms."""
    names = [physical for name, physical in target.resources.items() if name.endswith("Alarm")]
    found = target.ask_aws("cloudwatch", "describe-alarms", AlarmNames=names)["MetricAlarms"]
    on = [alarm["AlarmName"] for alarm in found if alarm["StateValue"] == "ALARM"]
    expect(not on, f"in ALARM: {', '.join(on)}")
    waiting = [alarm for alarm in found if alarm["StateValue"] != "OK"]
    if waiting:
        raise NotChecked(f"{len(waiting)} of {len(found)} alarms have no data yet; run it again in five minutes")
    return f"{len(found)} alarms in OK"


def logs(target: Target) -> str:
    """Look for signatures and keys in the lines that the function has written about this run."""
    found = target.ask_aws(
        "logs",
        "filter-log-events",
        "--max-items",
        str(LINES),
        logGroupName=target.resources["FunctionLogGroup"],
        filterPattern=f'"{target.prefix.rstrip("/")}"',
        startTime=int(target.started * 1000),
    ).get("events", [])
    lines = "\n".join(event["message"] for event in found)
    expect(not SIGNATURE.search(lines), "a line has a signature")
    expect(not any(secret in lines for secret in target.known_secrets()), "a line has a key")
    return f"{len(found):,} lines about this run, without a signature or a key"


GROUP = Group(
    "Operation",
    (
        Claim("withdrawn", "Deleted sources leave no rendition and no record", withdrawn),
        Claim("removed", "verify.sh has removed what it has uploaded", removed),
        Claim("queue-empty", "The queue is empty at the end", queue_empty),
        Claim("no-dead-letters", "No message of this run is a dead letter", no_dead_letters),
        Claim("alarms", "All alarms are in OK", alarms, not_local=NEVER_EVALUATED),
        Claim("logs", "The log has no signatures and no keys", logs),
    ),
)
