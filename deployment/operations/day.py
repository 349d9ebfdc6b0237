"""What the stack did in the last day, from the function's metrics and those of AWS's services.

An emulator has no metrics. There, the same numbers come from the function's log: CloudWatch makes the metrics of its
lines in the embedded metric format.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from bucket_listings import read_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_cli import AwsCli

NAMESPACE = "ImageProcessor"
HOUR, MINUTE = 3600, 60  # seconds
MAX_QUERIES = 500  # metrics in one call; CloudWatch API reference, GetMetricData
OF_LAMBDA = ("Invocations", "Errors", "Throttles", "UrlRequestCount", "Url4xxCount", "Url5xxCount")
OF_API = ("Count", "4XXError", "5XXError")
OUTCOMES = ("published", "withdrawn")  # the messages of the log about a source that SourcesProcessed counts
ANY_OUTCOME = " || ".join(f'($.message = "{outcome}")' for outcome in OUTCOMES)
AGE_IS_CURRENT = timedelta(minutes=10)  # SQS reports it each minute, with some delay
READ = 1000  # lines of the log that are read to find the last source


@dataclass(frozen=True)
class Series:
    """A metric, and the period in seconds and the statistic in which it is read."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    period: int = HOUR
    statistic: str = "Sum"

    @property
    def code(self) -> str:
        """The code of the error that it counts; empty for a metric of other things."""
        return dict(self.dimensions).get("code", "")

    def query(self, number: int) -> dict[str, Any]:
        """Return it as GetMetricData takes it."""
        dimensions = [{"Name": name, "Value": value} for name, value in self.dimensions]
        metric = {"Namespace": self.namespace, "MetricName": self.name, "Dimensions": dimensions}
        return {
            "Id": f"m{number}",
            "MetricStat": {"Metric": metric, "Period": self.period, "Stat": self.statistic},
        }


@dataclass
class Day:
    """Sums by metric and error code, when the last source was processed, and how long the oldest message has waited."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    last: datetime | None = None
    oldest: float | None = None  # seconds; None if it is not known

    def count(self, name: str) -> int:
        """Return the sum of a metric over all codes."""
        return sum(count for (metric, _), count in self.counts.items() if metric == name)

    def codes(self, name: str) -> list[tuple[str, int]]:
        """Return the codes of a metric with their sums, the most frequent first."""
        found = [(code, count) for (metric, code), count in self.counts.items() if metric == name and code and count]
        return sorted(found, key=lambda one: (-one[1], one[0]))


@dataclass(frozen=True)
class LastSource:
    """A line of the function's log about a source that was processed."""

    key: str
    outcome: str
    release: str
    at: datetime


def moment(value: Any) -> datetime:
    """Read a time, which AWS CLI 2 prints as text, and AWS CLI 1, for some services, as seconds since 1970; in UTC."""
    if isinstance(value, (int, float)):
        return datetime.fromtimestamp(value, timezone.utc)  # noqa: UP017 - Python 3.9
    return read_time(str(value).replace("+0000", "+00:00"))


def from_metrics(aws: AwsCli, stack: str, function: str, queue: str, since: datetime) -> Day:
    """Read the metrics of CloudWatch since a full hour; raises `AwsFailed`."""
    now = datetime.now(timezone.utc)  # noqa: UP017 - Python 3.9
    wanted = [*own_series(aws, stack), *services_series(stack, function, queue)][:MAX_QUERIES]
    response = aws.call(
        "cloudwatch",
        "get-metric-data",
        MetricDataQueries=[series.query(number) for number, series in enumerate(wanted)],
        StartTime=since.isoformat(),
        EndTime=now.isoformat(),
        ScanBy="TimestampDescending",
    )
    day = Day()
    for result in response.get("MetricDataResults") or []:
        series = wanted[int(result["Id"][1:])]
        points = [(moment(time), value) for time, value in zip(result["Timestamps"], result["Values"])]  # noqa: B905
        if series.name == "ApproximateAgeOfOldestMessage":
            day.oldest = next((value for time, value in points if now - time < AGE_IS_CURRENT), day.oldest)
            continue
        day.counts[series.name, series.code] += round(sum(value for _, value in points))
        if series.name == "SourcesProcessed":
            day.last = max((time for time, value in points if value), default=day.last)
    return day


def own_series(aws: AwsCli, stack: str) -> Iterator[Series]:
    """Yield the function's metrics that count errors by code, and the one that counts sources."""
    service = [{"Name": "service", "Value": stack}]
    listed = aws.call("cloudwatch", "list-metrics", Namespace=NAMESPACE, Dimensions=service).get("Metrics") or []
    for metric in listed:
        dimensions = tuple(sorted((one["Name"], one["Value"]) for one in metric["Dimensions"]))
        if metric["MetricName"] == "SourcesProcessed":
            yield Series(NAMESPACE, "SourcesProcessed", dimensions, MINUTE)
        elif "code" in dict(dimensions):
            yield Series(NAMESPACE, metric["MetricName"], dimensions)


def services_series(stack: str, function: str, queue: str) -> Iterator[Series]:
    """Yield the metrics of Lambda, API Gateway and SQS."""
    for name in OF_LAMBDA:
        yield Series("AWS/Lambda", name, (("FunctionName", function),))
    for name in OF_API:
        yield Series("AWS/ApiGateway", name, (("ApiName", stack),))
    yield Series("AWS/SQS", "ApproximateAgeOfOldestMessage", (("QueueName", queue),), MINUTE, "Maximum")


def from_log(aws: AwsCli, group: str, since: datetime) -> Day:
    """Add up the metrics in the function's log, for an emulator; raises `AwsFailed`."""
    day = Day()
    for at, line in events(aws, group, '"CloudWatchMetrics"', since):
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", ()):
            for metric in directive["Metrics"]:
                value = line[metric["Name"]]
                day.counts[metric["Name"], line.get("code", "")] += round(
                    sum(value) if isinstance(value, list) else value
                )
                if metric["Name"] == "SourcesProcessed":
                    day.last = max(at, day.last or at)
    return day


def last_source(aws: AwsCli, group: str, since: datetime, until: datetime | None = None) -> LastSource | None:
    """Return the last source that the function's log names between two times; raises `AwsFailed`."""
    found = None
    for at, line in events(aws, group, f"{{ {ANY_OUTCOME} }}", since, until):
        if line.get("message") in OUTCOMES and line.get("key") and (found is None or at >= found.at):
            found = LastSource(line["key"], line["message"], line.get("release", ""), at)
    return found


def events(
    aws: AwsCli, group: str, pattern: str, since: datetime, until: datetime | None = None
) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """Yield the lines of a log group that are JSON, each with its time; all of them, or up to `READ` before a time."""
    end = {"endTime": round(until.timestamp() * 1000)} if until else {}
    limit = ["--max-items", str(READ)] if until else []
    request = {"logGroupName": group, "filterPattern": pattern, "startTime": round(since.timestamp() * 1000), **end}
    for event in aws.call("logs", "filter-log-events", *limit, **request).get("events") or []:
        try:
            line = json.loads(event["message"])
        except ValueError:
            continue  # a line of Lambda
        if isinstance(line, dict):
            yield moment(event["timestamp"] / 1000), line
