"""Measures how long the function takes for a request by URL that it refuses, for one without a source, and for a first.

It is part of `make bench-cost`, with the same zip, fake AWS and photo. AWS responds as cost.py assumes. What a stranger
can cause by such requests is in docs/costs.md.
"""

import copy
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from image_processor.urls.signatures import sign
from tests.runtime.fake_aws import FakeAws
from tests.runtime.lambda_runtime import LambdaRuntime
from tests.runtime.packaged import Function

EVENT = Path(__file__).parents[1] / "events" / "function-url.json"
KEY = "k" * 64  # as the fake Secrets Manager has it
SOURCE = "0.jpg"  # of cost.py
STATUS = {"unsigned": 403, "wrong": 403, "missing": 404, "first": 200}  # of each kind of request


@dataclass
class Requests:
    """The measurements, by kind of request: seconds of an invocation, and calls to AWS; bytes of log a request."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    calls: dict[str, list[str]] = field(default_factory=dict)
    log_bytes: dict[str, float] = field(default_factory=dict)

    def report(self) -> str:
        """The measurements, as Markdown."""
        lines = ["| request by URL | median | calls to AWS | log |", "| --- | --- | --- | --- |"]
        for kind, seconds in self.seconds.items():
            calls = ", ".join(self.calls[kind]) or "none"
            lines.append(f"| {kind} | {median(seconds):.4f} s | {calls} | {self.log_bytes[kind]:.0f} bytes |")
        return "\n".join(lines)


def event(kind: str, number: int) -> Mapping[str, Any]:
    """A request that was not made before: its width or its key has the number."""
    made: dict[str, Any] = copy.deepcopy(json.loads(EVENT.read_text()))
    width = 100 + number
    signature = {"unsigned": "", "wrong": "A" * 43}.get(kind, sign(KEY, f"/{SOURCE}", {"width": str(width)}))
    made["rawPath"] = f"/none-{number}.jpg/thumbnail" if kind == "missing" else f"/{SOURCE}/width={width}"
    made["requestContext"]["http"]["path"] = made["rawPath"]
    if kind == "missing":
        del made["headers"]["x-image-request"]
    else:
        made["headers"]["x-image-request"] = f"/{SOURCE}?width={width}" + (f"&sig={signature}" if signature else "")
    return made


def measure_requests(runs: int, runtime: LambdaRuntime, aws: FakeAws, function: Function) -> Requests:
    """Make each kind of request in turns; raises ValueError when a response has another status than expected."""
    found, order, logs = Requests(), list[str](), defaultdict[str, int](int)
    before = len(runtime.invoke_milliseconds())
    for number in range(runs + 1):  # the first is not counted: it reads the signing key
        for kind, status in STATUS.items():
            _forget_renditions(aws, function)
            aws.calls.clear()
            length = _logged(runtime)
            response = runtime.invoke(event(kind, number))
            if response["statusCode"] != status:
                raise ValueError(f"{kind}: got {response['statusCode']} {response.get('body', '')[:200]}")
            found.calls[kind] = list(aws.calls)
            logs[kind] = _logged(runtime) - length
            order.append(kind)
    times = runtime.invoke_milliseconds()[before:]
    for kind, milliseconds in list(zip(order, times, strict=True))[len(STATUS) :]:
        found.seconds[kind].append(milliseconds / 1000)
    found.log_bytes = dict(logs)
    return found


def _forget_renditions(aws: FakeAws, function: Function) -> None:
    """Delete what the requests before have stored: each rendition of a source adds a call to the next one's."""
    for name in [name for name in aws.objects if name.startswith(f"{function.processed_bucket}/{SOURCE}/")]:
        del aws.objects[name]


def _logged(runtime: LambdaRuntime) -> int:
    return sum(len(line) for line in re.findall(r"^\{.*$", runtime.log(), re.MULTILINE))
