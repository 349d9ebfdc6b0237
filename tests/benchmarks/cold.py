"""Measures the cold start of the real zip, a bare boto3 + Pillow handler and an empty one, under AWS's own runtime.

    make bench-cold                 seven runs of each, in turns
    make bench-cold RUNS=21         more of them

The bare handler and its packages, as pip installs them, are in a separate folder, compiled as the zip is: a zip without
.pyc, as many are, would take twice as long. INIT is from the runtime's start until it requests the first event. What is
not done in INIT takes time in the first invocation, so the two are also shown together. Ratios are comparable between
machines; absolute times are not. A busy machine distorts the processor time least.
"""

import argparse
import compileall
import io
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from py_compile import PycInvalidationMode
from statistics import median
from tempfile import TemporaryDirectory

from PIL import Image

from tests.runtime.fake_aws import FakeAws, fake_aws
from tests.runtime.lambda_runtime import LambdaRuntime, missing
from tests.runtime.packaged import Function, function_of_template, unpack

HERE = Path(__file__).parent
BARE = ("boto3", "botocore", "jmespath", "pillow", "python-dateutil", "s3transfer", "six", "urllib3")
WARM = 5  # invocations after the first
KEY = "photo.jpg"
TARGET = 1.15  # INIT of the project's handler, over that of the bare one


@dataclass(frozen=True, slots=True)
class Run:
    """One execution environment: milliseconds, and MB of resident memory at most."""

    init: float
    first: float
    processor: float  # of INIT and first together
    warm: float
    memory: float


FIGURES: dict[str, Callable[[Run], float]] = {
    "INIT, ms": lambda run: run.init,
    "first, ms": lambda run: run.first,
    "INIT + first, ms": lambda run: run.init + run.first,
    "INIT + first, ms of processor": lambda run: run.processor,
    "warm, ms": lambda run: run.warm,
    "memory, MB": lambda run: run.memory,
}


def photo() -> bytes:
    """A JPEG of 12 megapixels, as phones make them, with enough detail to be 5 MB large."""
    small = Image.effect_noise((1000, 750), 60)
    image = Image.merge("RGB", (small, small.rotate(90, expand=False), small.rotate(180)))
    body = io.BytesIO()
    image.resize((4000, 3000), Image.Resampling.BICUBIC).save(body, "JPEG", quality=90)
    return body.getvalue()


def measure(folder: Path, handler: str, function: Function, aws: FakeAws) -> Run:
    """Start an environment, send one event and then some more; ValueError when the event gives no rendition."""
    record = {"s3": {"bucket": {"name": function.upload_bucket}, "object": {"key": KEY}}, "eventSource": "aws:s3"}
    environment = {**function.environment, "AWS_ENDPOINT_URL": aws.url}
    with LambdaRuntime(folder, handler, environment) as runtime:
        runtime.invoke({"Records": [record]})
        processor = runtime.processor_milliseconds()
        for _ in range(WARM):
            runtime.invoke({"Records": [record]})
        first, *others = runtime.invoke_milliseconds()
        return Run(runtime.init_milliseconds(), first, processor, median(others), runtime.peak_megabytes())


def unpack_bare(folder: Path) -> None:
    """The result of `pip install --target`, from this environment's packages, and the handlers."""
    for name in BARE:
        for file in distribution(name).files or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file.locate(), folder / file)
    for file in HERE.glob("*_handler.py"):
        shutil.copy(file, folder)
    compileall.compile_dir(folder, quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)


def compare(handlers: dict[str, str], runs: int) -> dict[str, list[Run]]:
    """Run every handler once, then every one again, so that other load on the machine affects all of them."""
    function = function_of_template()
    results: dict[str, list[Run]] = {name: [] for name in handlers}
    with TemporaryDirectory() as ours, TemporaryDirectory() as others, fake_aws() as aws:
        unpack(Path(ours))
        unpack_bare(Path(others))
        aws.objects[f"{function.upload_bucket}/{KEY}"] = photo()
        thumbnail = f"{function.processed_bucket}/{KEY}/thumbnail"
        folders = {name: Path(ours if handler == function.handler else others) for name, handler in handlers.items()}
        for name, handler in handlers.items():  # not counted: it reads the files into the system's cache
            measure(folders[name], handler, function, aws)
        for _ in range(runs):
            for name, handler in handlers.items():
                aws.objects.pop(thumbnail, None)
                results[name].append(measure(folders[name], handler, function, aws))
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
