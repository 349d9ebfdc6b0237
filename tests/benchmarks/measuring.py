"""Measures one case: every peer in its own new process, all on the same core, in turns.

    start ─▶ read the source ─▶ first pictures ─▶ peak of memory ─▶ the same as PNG ─▶ rounds: A B C D, B C D A, …
                                checked           of /proc          fidelity           times

The parent only waits meanwhile.
"""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from PIL import Image

from tests.benchmarks.cases import Case, Target
from tests.benchmarks.fidelity import Channels, in_srgb, references, truest
from tests.benchmarks.peers import JUDGED
from tests.benchmarks.ratios import LEAST_PAIRS
from tests.benchmarks.sources import decoded

ROOT: Final = Path(__file__).parents[2]
WRONG: Final = 20.0  # decibels; an encoded picture below is rotated, mirrored, cropped elsewhere or of wrong colours


@dataclass(frozen=True, slots=True)
class Command:
    """The command that starts a peer's worker."""

    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Result:
    """The result of one peer in one case; sizes and decibels are of its encoded pictures, `psnr` of them as PNG."""

    times: dict[int, float] = field(default_factory=dict)  # round → ms
    peak: float | None = None  # MB of the whole process; None where the system doesn't report it
    psnr: float | None = None  # of the worst picture
    encoded_psnr: float | None = None
    size: int = 0  # bytes of all pictures
    fault: str | None = None  # how its picture differs from the requested one


@dataclass(frozen=True, slots=True)
class Effort:
    """The most rounds; fewer if they would take longer than `seconds`, but at least `LEAST_PAIRS`; and the clock."""

    runs: int
    seconds: float
    clock: Literal["wall", "cpu"]


class Worker:
    """A peer's process, and the exchange of lines with it."""

    def __init__(self, command: Command) -> None:
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}", **command.environment}
        self._process = subprocess.Popen(
            command.words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
        )
        self.version = self._read()["ready"]

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the response to a request; raises `RuntimeError` for a peer that ended with a message on stderr."""
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._read()

    def peak(self) -> float | None:
        """The process's peak memory in megabytes. getrusage is of no use: a child's begins with its parent's."""
        status = Path(f"/proc/{self._process.pid}/status")
        if not status.exists():
            return None
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 1024

    def _read(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the peer ended with status {self._process.wait()}: {' '.join(self._process.args)}")
        return json.loads(line)

    def stop(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def python_peer(name: str, python: str = sys.executable) -> Command:
    """One of the modules in `peers`."""
    return Command((python, "-m", "tests.benchmarks.worker", name))


def measure(
    case: Case, commands: Mapping[str, Command], source: Path, scratch: Path, effort: Effort
) -> dict[str, Result]:
    """Peer → what it did."""
    sides = tuple((target.width, target.height) for target in case.targets)
    expected = _expected(source, sides)
    results = {peer: Result() for peer in commands}
    with ExitStack() as stack:
        workers = {}
        for peer, command in commands.items():
            workers[peer] = stack.enter_context(_started(command))
            _look(workers[peer], case, source, scratch / peer, expected, results[peer])
        order, begun = list(workers), time.monotonic()
        request = {"targets": [target.plain() for target in case.targets]}
        for number in range(max(effort.runs, LEAST_PAIRS)):
            if number >= LEAST_PAIRS and time.monotonic() - begun > effort.seconds:
                break
            for peer in order:
                if peer in JUDGED or number % 2 == 0:
                    results[peer].times[number] = workers[peer].ask(request)[effort.clock]
            order.append(order.pop(0))
    return results


@contextmanager
def _started(command: Command) -> Iterator[Worker]:
    worker = Worker(command)
    try:
        yield worker
    finally:
        worker.stop()


@cache
def _expected(source: Path, wanted: Sequence[tuple[int, int | None]]) -> list[list[Channels]]:
    """For each target's sides, the allowed pictures: colours may be converted before the resize or after it."""
    full = decoded(source.read_bytes())
    expected = []
    for width, height in wanted:
        pictures = references(full.srgb, full.orientation, width, height)
        if full.profile:
            own = references(full.own, full.orientation, width, height)
            pictures += [in_srgb(channels, full.mode, full.profile) for channels in own]
        expected.append(pictures)
    return expected


def _look(
    worker: Worker, case: Case, source: Path, place: Path, expected: Sequence[Sequence[Channels]], result: Result
) -> None:
    """The first pictures of a fresh process: their memory, whether they are the requested ones, and their fidelity."""
    worker.ask({"source": str(source)})
    encoded, sizes = _pictures(worker, case.targets, place)
    result.peak, result.size = worker.peak(), sum(sizes)
    if not encoded:  # the floor
        return
    result.encoded_psnr = min(truest(body, wanted) for body, wanted in zip(encoded, expected, strict=True))
    for target, body in zip(case.targets, encoded, strict=True):
        result.fault = result.fault or _fault(target, body)
    if result.encoded_psnr < WRONG:
        result.fault = result.fault or "another picture"
    lossless, _ = _pictures(worker, [Target("png", target.width, target.height) for target in case.targets], place)
    result.psnr = min(truest(body, wanted) for body, wanted in zip(lossless, expected, strict=True))


def _pictures(worker: Worker, targets: Sequence[Target], place: Path) -> tuple[list[bytes], list[int]]:
    paths = [place.with_name(f"{place.name}-{number}.{target.format}") for number, target in enumerate(targets)]
    response = worker.ask({"targets": [target.plain() for target in targets], "into": [str(path) for path in paths]})
    bodies = [path.read_bytes() for path in paths[: len(response["sizes"])]]
    for path in paths:
        path.unlink(missing_ok=True)
    return bodies, response["sizes"]


def _fault(target: Target, body: bytes) -> str | None:
    with Image.open(io.BytesIO(body)) as image:
        frames = getattr(image, "n_frames", 1)
        if image.format != target.format.upper():
            return f"a {image.format}"
        if target.animated and frames == 1:
            return "one frame"
        if image.width != target.width or image.height != (target.height or image.height):
            return f"{image.width}×{image.height}"
    return None
