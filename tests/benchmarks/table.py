"""The results as one table in Markdown, and the goals that were missed."""

from collections.abc import Mapping
from statistics import median
from typing import Final

from tests.benchmarks.cases import Case
from tests.benchmarks.measuring import Result
from tests.benchmarks.peers import APART
from tests.benchmarks.ratios import Ratio, paired_ratio

Results = Mapping[str, Result]  # peer → what it did

LEAST_PSNR: Final = 45.0  # decibels, of every picture of ours
COLUMNS: Final = ("ours", "sharp", "libvips", "thumbor", "naive", "floor")


def table(results: Mapping[Case, Results]) -> str:
    """A row for each case: the ratios of the goals, then each peer's time."""
    heads = ("source → target", "ours / sharp", "goal", "ours / floor", "bytes", *COLUMNS)
    lines = [_row(heads), _row(["---"] * len(heads))]
    lines += [_row(_cells(case, done)) for case, done in results.items()]
    misses = [miss for case, done in results.items() for miss in missed(case, done)]
    rounds = {len(done["ours"].times) for done in results.values()}
    return "\n".join([*lines, "", _legend(min(rounds), max(rounds)), "", *_said(misses)])


def ratio(done: Results, one: str, other: str) -> Ratio | None:
    """The paired ratio of two peers; None if one did not run, or rendered something else."""
    if one not in done or other not in done or done[one].fault or done[other].fault:
        return None
    pairs = _pairs(done[one], done[other])
    return paired_ratio(*zip(*pairs, strict=True))


def share(done: Results, peer: str) -> float | None:
    """A peer's time where sharp takes 1, the median of the rounds that both ran in; None as in `ratio`."""
    if peer not in done or "sharp" not in done or done[peer].fault or done["sharp"].fault:
        return None
    return median(one / other for one, other in _pairs(done[peer], done["sharp"]))


def missed(case: Case, done: Results) -> list[str]:
    """Which goals the case misses, in words."""
    said = []
    ours, sharp = done["ours"], done.get("sharp")
    for other, goal in (("sharp", case.to_sharp), ("floor", case.to_floor), (APART, case.to_apart)):
        found = ratio(done, "ours", other)
        if goal and found and round(found.median, 2) > goal:
            said.append(f"{case.title}: {found.median:.2f} of {other}'s time, wanted {goal:.2f}")
    if ours.fault:
        said.append(f"{case.title}: ours made {ours.fault}")
    if ours.psnr is not None and ours.psnr < LEAST_PSNR:
        said.append(f"{case.title}: {ours.psnr:.1f} dB, wanted {LEAST_PSNR:.0f}")
    if sharp and sharp.peak and ours.peak and ours.peak > sharp.peak:
        said.append(f"{case.title}: {ours.peak:.0f} MB, wanted sharp's {sharp.peak:.0f}")
    return said


def _pairs(one: Result, other: Result) -> list[tuple[float, float]]:
    return [(one.times[number], other.times[number]) for number in sorted(one.times.keys() & other.times.keys())]


def _cells(case: Case, done: Results) -> list[str]:
    goal = f"≤ {case.to_sharp:.2f}" if case.to_sharp else ""
    apart = ratio(done, "ours", APART)
    if apart:
        goal = f"{_ratio_text(apart)} of five calls; ≤ {case.to_apart:.2f}"
    return [
        case.title,
        _ratio_text(ratio(done, "ours", "sharp")),
        goal,
        _ratio_text(ratio(done, "ours", "floor")),
        _bytes(done),
        *(_cell(done.get(peer)) for peer in COLUMNS),
    ]


def _ratio_text(found: Ratio | None) -> str:
    return f"**{found.median:.2f}** {found.low:.2f}–{found.high:.2f}" if found else "–"


def _bytes(done: Results) -> str:
    ours, sharp = done["ours"], done.get("sharp")
    return f"{ours.size / sharp.size:.2f}" if sharp and sharp.size and not ours.fault else "–"


def _cell(result: Result | None) -> str:
    if result is None:
        return "–"
    taken = median(result.times.values())
    parts = [f"{taken:.1f} ms" if taken < 100 else f"{taken:.0f} ms"]
    if result.peak:
        parts.append(f"{result.peak:.0f} MB")
    if result.psnr is not None:
        parts.append(f"{result.psnr:.1f} dB")
    return ", ".join(parts) + (f" (made {result.fault})" if result.fault else "")


def _legend(least: int, most: int) -> str:
    return (
        f"Medians of {least} to {most} interleaved rounds on one core, of half as many for libvips, thumbor and naive. "
        "A ratio is the median of the paired ratios of time, with the interval that holds the true one with 95 % by "
        "the binomial distribution of signs. Bytes: ours / sharp. MB: peak of a fresh process with its runtime. dB: of "
        "the worst picture, PSNR of the same resize as PNG against a Lanczos resize in floats of the full decode."
    )


def _said(misses: list[str]) -> list[str]:
    if not misses:
        return ["Every goal is met."]
    return ["Missed:", *(f"- {miss}" for miss in misses)]


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
