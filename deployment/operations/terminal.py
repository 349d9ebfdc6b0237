"""Numbers in words, and a progress bar."""

from __future__ import annotations

import sys


def duration(seconds: float) -> str:
    """Return a duration in words, such as `3 minutes`."""
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def file_size(size: int) -> str:
    """Return a number of bytes in words, such as `1.2 GB`."""
    for unit, least in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size >= least:
            return f"{size / least:,.1f} {unit}"
    return f"{size / 1e3:,.1f} kB"


def count_of(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 source` or `1,200 sources`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def show_progress(done: int, total: int, note: str = "") -> None:
    """Draw a bar on stderr: over the last one on a terminal, elsewhere only when all is done."""
    share = min(done / total, 1.0) if total else 1.0
    bar = "█" * round(share * 30)
    line = f"  {bar:·<30} {done:,} of {total:,}{note}"
    if sys.stderr.isatty():
        print(f"\r{line:<78}", end="" if done < total else "\n", file=sys.stderr, flush=True)
    elif done >= total:
        print(line, file=sys.stderr)
