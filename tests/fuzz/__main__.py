"""Fuzz the engine by coverage: `python -m tests.fuzz [--seconds N]`; `--reproduce FILE` runs one input again.

Five sixths of the time go to sources, the rest to the texts of transformations. The corpus is stored in build/fuzz, so
that a later run continues there. A crash, a hang of 10 s or a use of 1 GB of memory is written there and reported.
"""

import argparse
import platform
import subprocess
import sys
import time
from pathlib import Path

WORK = Path("build", "fuzz")
SECONDS_PER_INPUT, MEGABYTES = 10, 1024
# What atheris is built for; requirements.txt says the same.
RUNS_HERE = sys.platform == "linux" and platform.machine() == "x86_64" and sys.version_info < (3, 14)


def fuzz(name: str, seconds: int) -> list[Path]:
    """The findings."""
    from . import seeds

    corpus, begun, found = WORK / name, WORK / f"{name}-seeds", WORK / "found"
    for folder in (corpus, begun, found):
        folder.mkdir(parents=True, exist_ok=True)
    for key, seed in (seeds.sources() if name == "source" else seeds.texts()).items():
        (begun / key).write_bytes(seed)
    before = set(found.iterdir())
    most = 1 << 16 if name == "source" else 400
    options = {
        "max_total_time": seconds, "timeout": SECONDS_PER_INPUT, "rss_limit_mb": MEGABYTES, "max_len": most,
        "print_final_stats": 1, "verbosity": 1, "artifact_prefix": f"{found}/{name}-",
    }  # fmt: skip
    arguments = [*(f"-{key}={value}" for key, value in options.items()), str(corpus), str(begun)]
    with (WORK / f"{name}.log").open("wb") as log:
        done = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.engine", name, *arguments], stdout=log, stderr=log, check=False
        )
    lines = (WORK / f"{name}.log").read_text(errors="replace").splitlines()
    new = sorted(set(found.iterdir()) - before)
    runs = next((line.split()[-1] for line in lines if "number_of_executed_units" in line), "0")
    if done.returncode or new or runs == "0":
        print("\n".join(lines[-60:]))
        return new or [WORK / f"{name}.log"]
    print(f"fuzz: {name}: {runs} inputs, no fault; {len(list(corpus.iterdir()))} stored for the next run")
    return []


def reproduce(path: Path) -> None:
    from .targets import TARGETS

    target = TARGETS["text" if path.name.startswith("text-") else "source"]
    started = time.perf_counter()
    outcome = target(path.read_bytes())
    print(f"fuzz: {path}: {outcome} in {time.perf_counter() - started:.2f} s")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--reproduce", type=Path)
    wanted = parser.parse_args()
    if wanted.reproduce:
        reproduce(wanted.reproduce)
        return 0
    if not RUNS_HERE:
        print("fuzz: skipped, since atheris is built for Linux on x86-64 alone, with Python up to 3.13")
        return 0
    text = wanted.seconds // 6
    found = [*fuzz("source", wanted.seconds - text), *fuzz("text", max(1, text))]
    for path in found:
        print(f"fuzz: FOUND {path}; again: make fuzz REPRODUCE={path}")
    return 1 if found else 0


sys.exit(main())
