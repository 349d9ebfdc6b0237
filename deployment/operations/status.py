"""What status.sh runs: shows the health of the stack on one screen.

The exit status is 0 if it is healthy, `UNHEALTHY` if it is not, and another one if that could not be found out. It is
unhealthy when someone has to look at it: the stack has failed, or there are dead letters, an alarm, or a message that
waits for too long. A source that can't be rendered is only counted.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from alarms import alarms_of
from aws_cli import WORKERS, AwsCli, AwsFailed, arguments, run
from costs import TAG, costs_of_month
from day import Day, LastSource, from_log, from_metrics, last_source, moment
from queues import message_counts
from terminal import count_of, duration, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

HEALTHY, UNKNOWN, UNHEALTHY = 0, 2, 4  # 1 is Python's own, of a program that fails
TOO_OLD = 1200  # seconds that a message may wait; the threshold of QueueAgeAlarm
NOT_HERE = "not available from this emulator"
COUNTED = {
    "SourcesFailed": "failed",
    "Retries": "retried",
    "Faults": "faults",
    "InvalidationsFailed": "not invalidated",
}
T = TypeVar("T")


class Report:
    """Reads the parts of the table at a time, and records what is wrong."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.emulated = bool(os.environ.get("AWS_ENDPOINT_URL"))
        self.now = datetime.now(timezone.utc)  # noqa: UP017 - Python 3.9
        self.since = (self.now - timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
        self.which = "--local" if self.emulated else f"--stack-name {options.stack} --region {options.region}"
        self.rows: list[tuple[str, str]] = []
        self.unhealthy: list[str] = []
        self.unknown: list[str] = []

    def row(self, title: str, text: str) -> None:
        """Add a row."""
        self.rows.append((title, text))

    def read(self, title: str, future: Future[T], *, vital: bool = True) -> T | None:
        """Return a result. When AWS has refused it, a row says so, and a vital one makes the health unknown."""
        try:
            return future.result()
        except AwsFailed as error:
            lines = [line.strip() for line in error.error.splitlines() if line.strip()] or ["failed"]
            why = next((line for line in lines if "An error occurred" in line), lines[-1])
            self.row(title, "unknown" if vital else f"unknown: {why}")
            if vital:
                self.unknown.append(f"{title}: aws {error.service} {error.operation}: {why}")
            return None

    @property
    def status(self) -> int:
        """The exit status."""
        return UNHEALTHY if self.unhealthy else UNKNOWN if self.unknown else HEALTHY

    def show(self) -> None:
        """Print the rows, and at the end what is wrong."""
        say(f"Stack {self.options.stack} in {self.options.region}, account {self.options.account}, {clock(self.now)}")
        for title, text in self.rows:
            say(f"  {title:<16}{text}")
        for heading, reasons in (("Could not be found out:", self.unknown), ("Unhealthy:", self.unhealthy)):
            if reasons:
                say(heading)
            for reason in reasons:
                say(f"  {reason}")
        if self.status == HEALTHY:
            say("Healthy.")


def clock(time: datetime) -> str:
    """Return a time in words."""
    return f"{time:%Y-%m-%d %H:%M} UTC"


def status(aws: AwsCli, options: argparse.Namespace) -> int:
    """Read everything, print it, and return the exit status."""
    report = Report(options)
    with ThreadPoolExecutor(WORKERS) as pool:

        def start(call: Callable[..., T], *arguments: Any) -> Future[T]:
            return pool.submit(call, aws, *arguments)

        alarms = start(alarms_of, options.stack)
        has_costs = options.cost and not report.emulated
        cost = start(costs_of_month, options.stack, report.now.date()) if has_costs else None
        show_stack(report)
        if options.function:  # a stack whose creation failed has no outputs
            function = start(function_of, options.function)
            queue, dead = (
                pool.submit(message_counts, aws.call, url) for url in (options.queue_url, options.dead_letters)
            )
            activity = start(activity_of, report, function)
            show_function(report, function)
            done = report.read("last day", activity)
            show_queue(report, queue, done)
            show_dead_letters(report, dead)
            show_activity(report, done)
        show_alarms(report, alarms)
        if cost:
            show_cost(report, cost)
        elif options.cost:
            report.row("cost", NOT_HERE)
    if not (options.quiet and report.status == HEALTHY):
        report.show()
    return report.status


def show_stack(report: Report) -> None:
    """Add the stack's status."""
    now = report.options.status
    report.row("stack", now + (" (the last update has failed)" if now == "UPDATE_ROLLBACK_COMPLETE" else ""))
    if "FAILED" in now or "DELETE" in now or now.startswith("ROLLBACK"):
        report.unhealthy.append(f"the stack is in {now}: deploy.sh says what can be done")


def function_of(aws: AwsCli, name: str) -> dict[str, Any]:
    """Return the configuration of the function; raises `AwsFailed`."""
    return aws.call("lambda", "get-function-configuration", FunctionName=name)


def show_function(report: Report, function: Future[dict[str, Any]]) -> None:
    """Add which code runs."""
    if found := report.read("function", function):
        code = report.options.code.partition(".")[0][:12]
        report.row("function", f"updated {clock(moment(found['LastModified']))}, code {code}")


def show_queue(report: Report, queue: Future[tuple[int, int]], done: Activity | None) -> None:
    """Add the queue, and how long its oldest message has waited."""
    found = report.read("queue", queue)
    if not found:
        return
    oldest = done.day.oldest if done else None
    age = f", the oldest for {duration(oldest)}" if oldest else ""
    report.row("queue", f"{found[0]:,} waiting{age}, {found[1]:,} in flight")
    if report.emulated:
        report.row("oldest message", NOT_HERE)
    if oldest and oldest > TOO_OLD:
        report.unhealthy.append(f"a message has waited for {duration(oldest)}: see QueueAgeAlarm in docs/operations.md")


def show_dead_letters(report: Report, dead: Future[tuple[int, int]]) -> None:
    """Add the dead letters."""
    if found := report.read("dead letters", dead):
        count = sum(found)
        report.row("dead letters", f"{count:,}")
        if count:
            command = f"deployment/redrive.sh {report.which}"
            report.unhealthy.append(f"{count_of(count, 'dead letter')}: {command} shows the reasons")


@dataclass(frozen=True)
class Activity:
    """What the function did in the last day, and the last source that it has logged."""

    day: Day
    last: LastSource | None


def activity_of(aws: AwsCli, report: Report, function: Future[dict[str, Any]]) -> Activity:
    """Read what the function did; raises `AwsFailed`."""
    options, group = report.options, function.result()["LoggingConfig"]["LogGroup"]
    if report.emulated:
        return Activity(from_log(aws, group, report.since), last_source(aws, group, report.since))
    day = from_metrics(aws, options.stack, options.function, options.queue_url.rpartition("/")[2], report.since)
    if day.last is None:
        return Activity(day, None)
    # The metric tells the minute. To read a minute of the log takes one call, and costs nothing.
    return Activity(day, last_source(aws, group, day.last, day.last + timedelta(minutes=2)))


def show_activity(report: Report, done: Activity | None) -> None:
    """Add the last source, and the counts of the last day."""
    if not done:
        return
    day, last = done.day, done.last
    if last:
        release = f", by release {last.release}" if last.release else ""
        report.row("last source", f"{last.key}, {last.outcome} {clock(last.at)}{release}")
    else:
        report.row("last source", clock(day.last) if day.last else f"none since {clock(report.since)}")
    sources = f"{count_of(day.count('SourcesProcessed'), 'source')} processed, {day.count('SourcesFailed'):,} failed"
    report.row("last day", f"{sources}, since {clock(report.since)}")
    for name in sorted({name for name, _ in day.counts}):
        if codes := ", ".join(f"{code} {count:,}" for code, count in day.codes(name)):
            report.row(f"  {COUNTED.get(name, name)}", codes)
    if report.emulated:
        report.row("  invocations", NOT_HERE)
        return
    errors = f"{day.count('Errors'):,} errors, {day.count('Throttles'):,} throttled"
    report.row("  invocations", f"{day.count('Invocations'):,}, {errors}")
    by_url = f"{day.count('Url4xxCount'):,} with 4xx, {day.count('Url5xxCount'):,} with 5xx"
    report.row("  new by URL", f"{day.count('UrlRequestCount'):,} requests, {by_url}")
    if report.options.api_url:
        by_api = f"{day.count('4XXError'):,} with 4xx, {day.count('5XXError'):,} with 5xx"
        report.row("  by the API", f"{day.count('Count'):,} requests, {by_api}")


def show_alarms(report: Report, alarms: Future[dict[str, dict[str, Any]]]) -> None:
    """Add the alarms that are not in OK."""
    found = report.read("alarms", alarms)
    if found is None:
        return
    if report.emulated:
        report.row("alarms", f"{len(found)}, which this emulator does not evaluate")
        return
    raised = [(name, one) for name, one in sorted(found.items()) if one["StateValue"] == "ALARM"]
    idle = sum(one["StateValue"] == "INSUFFICIENT_DATA" for one in found.values())
    new = f", {idle} without data yet" if idle else ""
    report.row("alarms", f"{len(raised)} of {len(found)} in ALARM{new}")
    for name, one in raised:
        since = clock(moment(one["StateUpdatedTimestamp"]))
        report.unhealthy.append(f"{name} is in ALARM since {since}: see {name} in docs/operations.md")


def show_cost(report: Report, cost: Future[dict[str, float]]) -> None:
    """Add what the month has cost."""
    found = report.read("cost", cost, vital=False)
    if found is None:
        return
    if not found:
        report.row("cost", f"no cost of this month has the tag {TAG}; docs/operations.md says how to activate it")
        return
    report.row("cost", f"${sum(found.values()):,.2f} this month")
    report.row("", ", ".join(f"{service} ${dollars:,.2f}" for service, dollars in list(found.items())[:4]))


def main() -> int:
    """Run the command line."""
    parser = arguments(
        "stack",
        "status",
        "account",
        optional=("function", "queue-url", "dead-letters", "api-url", "code"),
        switches=("cost", "quiet"),
    )
    options = parser.parse_args()
    aws = AwsCli(Path(options.work), options.aws, options.region)
    return run(aws, lambda: status(aws, options))


if __name__ == "__main__":
    sys.exit(main())
