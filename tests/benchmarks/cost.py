"""Measures what a source costs: the real zip under AWS's own runtime, with S3's latency as AWS documents it.

    make bench-cost                 seven runs of each, in turns
    make bench-cost RUNS=21         more of them

A photo of 12 megapixels, 4 MB, one variant, in a warm environment on one core, as a function of 1,769 MB has. A fake
S3 and DynamoDB respond late on purpose. The function's own work and the order of its waits are measured; the
latencies of AWS are assumed:

    S3 responds after       100 ms, and 200: "small object latencies (and first-byte-out latencies for larger objects)
                            of roughly 100-200 milliseconds", Amazon S3 user guide, "Best practices design patterns"
                            30 ms: "often in the tens of milliseconds" for small requests, AWS whitepaper of that name
    all bodies together     85 MB a second: the rate that AWS gives for one connection, the same whitepaper
    DynamoDB responds after 9 ms: "single-digit millisecond performance", Amazon DynamoDB developer guide

The measurement leaves out TLS, cold starts, retries, and the speed of Lambda's vCPU.
"""

import argparse
import io
import json
import os
import platform
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from tests.benchmarks.cost_requests import Requests, measure_requests
from tests.benchmarks.cost_tables import backfill_table, cost_table, prices
from tests.runtime.fake_aws import FakeAws, fake_aws
from tests.runtime.lambda_runtime import LambdaRuntime, missing
from tests.runtime.packaged import Function, function_of_template, unpack

S3_WAITS = (0.03, 0.1, 0.2)  # seconds
ASSUMED = 0.1  # the one of them that docs/costs.md and prices.py use
TABLE_WAIT = 0.009
BANDWIDTH = 85e6  # bytes a second
TABLE_CALLS = {"Query", "GetItem", "BatchWriteItem", "DeleteItem"}
WAYS = {"alone": 1, "of_ten": 10, "task": 1}  # the fields of `prices.Seconds`, and the sources of an invocation
KEYS = [f"{number}.jpg" for number in range(10)]
BYTES = 4e6
CALLS = {"GetObject": 1, "HeadObject": 1, "PutObject": 1, "ListObjectsV2": 1, "Query": 1, "BatchWriteItem": 1}


@dataclass
class Figures:
    """The measurements: by way and by S3's wait, seconds of an invocation; by way, seconds of processor a source."""

    wall: dict[tuple[str, float], list[float]] = field(default_factory=lambda: defaultdict(list))
    processor: dict[str, float] = field(default_factory=dict)
    log_bytes: float = 0.0  # of a source, without Lambda's own lines
    requests: Requests = field(default_factory=Requests)  # by URL, with the wait that is assumed

    def a_source(self, way: str, wait: float) -> float:
        return median(self.wall[way, wait]) / WAYS[way]

    def seconds(self) -> prices.Seconds:
        """The seconds in the form of prices.py, in steps of 10 ms."""
        return prices.Seconds(**{way: round(self.a_source(way, ASSUMED), 2) for way in WAYS})


def photo() -> bytes:
    """A JPEG of 12 megapixels and 4 MB: grain of every fineness, and a quality that gives this number of bytes."""
    image = Image.new("RGB", (4000, 3000), "gray")
    for cells in (8, 60, 400, 2000):
        layer = [Image.effect_noise((cells, cells * 3 // 4), 40 if cells < 400 else 25) for _ in range(3)]
        image = Image.blend(image, Image.merge("RGB", layer).resize(image.size, Image.Resampling.BICUBIC), 0.4)
    low, high = 30, 95
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if len(_jpeg(image, middle)) <= BYTES else (low, middle)
    return _jpeg(image, low)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    body = io.BytesIO()
    image.save(body, "JPEG", quality=quality)
    return body.getvalue()


def event(way: str, function: Function) -> dict[str, Any]:
    """The event of an invocation: a batch of the queue, or a task of a job."""
    bucket = function.upload_bucket
    if way == "task":
        task = {"taskId": "1", "s3Key": KEYS[0], "s3VersionId": None, "s3Bucket": bucket}
        return {"invocationSchemaVersion": "2.0", "invocationId": "1", "job": {"id": "1"}, "tasks": [task]}
    records = [{"eventSource": "aws:s3", "s3": {"bucket": {"name": bucket}, "object": {"key": key}}} for key in KEYS]
    return {
        "Records": [
            {"messageId": str(number), "eventSource": "aws:sqs", "body": json.dumps({"Records": [record]})}
            for number, record in enumerate(records[: WAYS[way]])
        ]
    }


def measure(runs: int, body: bytes) -> Figures:
    """Run every way with every wait once, then every one again; then the requests by URL.

    Raises ValueError when a source gives no rendition, or a request another status than expected.
    """
    function, figures, order = function_of_template(), Figures(), list[tuple[str, float]]()
    ticks, sources = Counter[str](), Counter[str]()
    with TemporaryDirectory() as folder, fake_aws() as aws:
        unpack(Path(folder))
        aws.bandwidth = BANDWIDTH
        aws.objects.update({f"{function.upload_bucket}/{key}": body for key in KEYS})
        with _on_one_core(Path(folder), function, aws) as runtime:
            runtime.invoke(event("of_ten", function))  # not counted: it opens the connections
            for _ in range(runs):
                for wait in S3_WAITS:
                    for way in WAYS:
                        before = runtime.processor_milliseconds()
                        _invoke(runtime, aws, function, way, wait)
                        ticks[way] += runtime.processor_milliseconds() - before
                        sources[way] += WAYS[way]
                        order.append((way, wait))
            _, *times = runtime.invoke_milliseconds()
            lines = [line for line in runtime.log().splitlines() if line.startswith("{")]
            aws.before = _waiting(ASSUMED)
            figures.requests = measure_requests(runs, runtime, aws, function)
    for way_and_wait, milliseconds in zip(order, times, strict=True):
        figures.wall[way_and_wait].append(milliseconds / 1000)
    figures.processor = {way: ticks[way] / 1000 / sources[way] for way in WAYS}
    figures.log_bytes = sum(len(line) for line in lines) / (sources.total() + WAYS["of_ten"])
    return figures


@contextmanager
def _on_one_core(folder: Path, function: Function, aws: FakeAws) -> Iterator[LambdaRuntime]:
    """Bind the runtime to the last core, because 1,769 MB give one vCPU; the fake S3 may use the others."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        with LambdaRuntime(folder, function.handler, {**function.environment, "AWS_ENDPOINT_URL": aws.url}) as runtime:
            os.sched_setaffinity(0, cores)
            yield runtime
    finally:
        os.sched_setaffinity(0, cores)


def _invoke(runtime: LambdaRuntime, aws: FakeAws, function: Function, way: str, wait: float) -> None:
    for key in KEYS:
        aws.objects.pop(f"{function.processed_bucket}/{key}/thumbnail", None)
    aws.calls.clear()
    aws.before = _waiting(wait)
    runtime.invoke(event(way, function))
    made = sum(name.endswith("/thumbnail") for name in aws.objects)
    if made != WAYS[way] or Counter(aws.calls) != Counter({name: count * made for name, count in CALLS.items()}):
        raise ValueError(f"{way}: {made} pictures, by the calls {dict(Counter(aws.calls))}")


def _waiting(wait: float) -> Callable[[str, str], None]:
    return lambda operation, _: time.sleep(TABLE_WAIT if operation in TABLE_CALLS else wait)


def measured_table(figures: Figures) -> str:
    """The measurements, as Markdown."""
    waits = [f"S3 after {wait * 1000:.0f} ms" for wait in S3_WAITS]
    lines = [f"| invocation | {' | '.join(waits)} | processor |", "| --- |" + " --- |" * (len(waits) + 1)]
    names = {"alone": "one message", "of_ten": "ten messages, each", "task": "a task of a job"}
    for way, name in names.items():
        walls = [f"{figures.a_source(way, wait):.3f} s" for wait in S3_WAITS]
        lines.append(f"| {name} | {' | '.join(walls)} | {figures.processor[way]:.3f} s |")
    return "\n".join(lines)


def report(figures: Figures, size: int) -> str:
    """The whole report, with the differences from prices.py."""
    fresh = figures.seconds()
    differences: Mapping[str, tuple[float, float]] = {
        way: (getattr(prices.MEASURED, way), getattr(fresh, way)) for way in WAYS
    }
    changes = ", ".join(f"{way} {was:.2f} → {now:.2f}" for way, (was, now) in differences.items())
    return "\n\n".join(
        [
            f"Python {platform.python_version()}, {platform.machine()}, one core; a JPEG of {size / 1e6:.1f} MB",
            measured_table(figures),
            f"{figures.log_bytes:,.0f} bytes of log a source, beside Lambda's own lines",
            figures.requests.report(),
            cost_table(fresh),
            backfill_table(fresh),
            f"deployment/operations/prices.py has, and this run measured: {changes}",
        ]
    )


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="of each way and wait (default %(default)s)")
    arguments = parser.parse_args()
    if reason := missing():
        print(f"skipped: {reason}")
        return 0
    body = photo()
    print(report(measure(arguments.runs, body), len(body)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
