"""The cold start, measured: the real zip, a bare boto3 + Pillow handler and an empty one, under AWS's own runtime.

    make bench-cold                 seven runs of each, in turns
    make bench-cold RUNS=21         more of them

All three run from the zip's folder, with the same packages in the same .pyc, so that what differs is the code alone.
INIT is from the runtime's start until it asks for the first event; what is not done there, the first invocation pays,
so the two are also shown together. Ratios last; an absolute time is this machine's, today.
"""

import argparse
import io
import platform
import py_compile
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from PIL import Image

from tests.runtime.fake_aws import FakeAws, fake_aws
from tests.runtime.lambda_runtime import LambdaRuntime, missing
from tests.runtime.packaged import Function, function_of_template, unpack

HERE = Path(__file__).parent
WARM = 5  # invocations after the first
KEY = "photo.jpg"
TARGET = 1.15  # INIT of the project's handler, over that of the bare one


@dataclass(frozen=True, slots=True)
class Run:
    """One execution environment: milliseconds, and MB of resident memory at most."""

    init: float
    first: float
    warm: float
    memory: float


FIGURES: dict[str, Callable[[Run], float]] = {
    "INIT, ms": lambda run: run.init,
    "first, ms": lambda run: run.first,
    "INIT + first, ms": lambda run: run.init + run.first,
    "warm, ms": lambda run: run.warm,
    "memory, MB": lambda run: run.memory,
}


def photo() -> bytes:
    """A JPEG of 12 megapixels, as phones make them, with enough detail to be 2 to 4 MB large."""
    small = Image.effect_noise((1000, 750), 60)
    image = Image.merge("RGB", (small, small.rotate(90, expand=False), small.rotate(180)))
    body = io.BytesIO()
    image.resize((4000, 3000), Image.Resampling.BICUBIC).save(body, "JPEG", quality=90)
    return body.getvalue()


def measure(folder: Path, handler: str, function: Function, aws: FakeAws) -> Run:
    """Start an environment, send one event and then some more; ValueError when the event makes nothing."""
    record = {"s3": {"bucket": {"name": function.upload_bucket}, "object": {"key": KEY}}, "eventSource": "aws:s3"}
    environment = {**function.environment, "AWS_ENDPOINT_URL": aws.url}
    with LambdaRuntime(folder, handler, environment) as runtime:
        for _ in range(1 + WARM):
            runtime.invoke({"Records": [record]})
        first, *others = runtime.invoke_milliseconds()
        return Run(runtime.init_milliseconds(), first, median(others), runtime.peak_megabytes())


def compare(handlers: dict[str, str], runs: int) -> dict[str, list[Run]]:
    """Every handler once, then every one again: whatever else the machine does, it does to all of them."""
    function = function_of_template()
    results: dict[str, list[Run]] = {name: [] for name in handlers}
    with TemporaryDirectory() as folder, fake_aws() as aws:
        task = Path(folder)
        unpack(task)
        for file in HERE.glob("*_handler.py"):
            (task / file.name).write_bytes(file.read_bytes())
            py_compile.compile(str(task / file.name), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        aws.objects[f"{function.upload_bucket}/{KEY}"] = photo()
        thumbnail = f"{function.processed_bucket}/{KEY}/thumbnail"
        for handler in handlers.values():  # not counted: the files come into the system's cache
            measure(task, handler, function, aws)
        for _ in range(runs):
            for name, handler in handlers.items():
                aws.objects.pop(thumbnail, None)
                results[name].append(measure(task, handler, function, aws))
                if (thumbnail in aws.objects) == ("empty" in name):
                    raise ValueError(f"{name}: {'a' if 'empty' in name else 'no'} thumbnail was made")
    return results


def table(results: dict[str, list[Run]]) -> str:
    """Medians of all handlers, and the paired ratio of the first to the second, as Markdown."""
    ours, bare, *_ = results.values()
    lines = [f"| | {' | '.join(results)} | ratio |", "| --- |" + " --- |" * (len(results) + 1)]
    for name, figure in FIGURES.items():
        medians = [f"{median(map(figure, runs)):.0f}" for runs in results.values()]
        ratios = sorted(figure(our) / figure(other) for our, other in zip(ours, bare, strict=True))
        lines.append(f"| {name} | {' | '.join(medians)} | {median(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f}) |")
    return "\n".join(lines)


def main() -> int:
    """Run the command line; 1 when INIT is over the target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="of each handler (default %(default)s)")
    arguments = parser.parse_args()
    if reason := missing():
        print(f"skipped: {reason}")
        return 0
    results = compare(
        {
            "this project": function_of_template().handler,
            "bare boto3 + Pillow": "bare_handler.handler",
            "empty": "empty_handler.handler",
        },
        arguments.runs,
    )
    print(f"Python {platform.python_version()}, {platform.machine()}, medians of {arguments.runs} runs in turns\n")
    print(table(results))
    ours, bare, *_ = results.values()
    ratio = median(our.init / other.init for our, other in zip(ours, bare, strict=True))
    print(f"\nINIT is {ratio:.2f} × the bare handler's; to reach: {TARGET}")
    return int(ratio > TARGET)


if __name__ == "__main__":
    sys.exit(main())
