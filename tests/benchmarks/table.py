"""The results as one table in Markdown, and what of the goals was missed."""

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
    """A row for each case: the ratios that count, then what each peer took."""
    heads = ("source → target", "ours / sharp", "goal", "ours / floor", "bytes", *COLUMNS)
    lines = [_row(heads), _row(["---"] * len(heads))]
    lines += [_row(_cells(case, done)) for case, done in results.items()]
    misses = [miss for case, done in results.items() for miss in missed(case, done)]
    rounds = sorted({len(done["ours"].times) for done in results.values()})
    return "\n".join([*lines, "", _legend(rounds), "", *_said(misses)])


def ratio(done: Results, one: str, other: str) -> Ratio | None:
    """The paired ratio of two peers; None where one was not there, or did something else."""
    if one not in done or other not in done or done[one].fault or done[other].fault:
        return None
    return paired_ratio(done[one].times, done[other].times)


def missed(case: Case, done: Results) -> list[str]:
    """Which goals the case misses, in words; an interval that reaches the goal is no proof of a miss or a hit."""
    said = []
    ours, sharp = done["ours"], done.get("sharp")
    for other, goal in (("sharp", case.to_sharp), ("floor", case.to_floor), (APART, case.to_apart)):
        found = ratio(done, "ours", other)
        if goal and found and found.median > goal:
            said.append(f"{case.title}: {found.median:.2f} of {other}'s time, wanted {goal:.2f}")
    if ours.fault:
        said.append(f"{case.title}: ours made {ours.fault}")
    if ours.psnr is not None and ours.psnr < LEAST_PSNR:
        said.append(f"{case.title}: {ours.psnr:.1f} dB, wanted {LEAST_PSNR:.0f}")
    if sharp and sharp.peak and ours.peak and ours.peak > sharp.peak:
        said.append(f"{case.title}: {ours.peak:.0f} MB, wanted sharp's {sharp.peak:.0f}")
    return said


def _cells(case: Case, done: Results) -> list[str]:
    goal = f"≤ {case.to_sharp:.2f}" if case.to_sharp else ""
    apart = ratio(done, "ours", APART)
    if apart:
        goal = f"{_told(apart)} of five calls; ≤ {case.to_apart:.2f}"
    return [
        case.title,
        _told(ratio(done, "ours", "sharp")),
        goal,
        _told(ratio(done, "ours", "floor")),
        _bytes(done),
        *(_cell(done.get(peer)) for peer in COLUMNS),
    ]


def _told(found: Ratio | None) -> str:
    return f"**{found.median:.2f}** {found.low:.2f}–{found.high:.2f}" if found else "–"


def _bytes(done: Results) -> str:
    ours, sharp = done["ours"], done.get("sharp")
    return f"{ours.size / sharp.size:.2f}" if sharp and sharp.size and not ours.fault else "–"


def _cell(result: Result | None) -> str:
    if result is None:
        return "–"
    taken = median(result.times)
    parts = [f"{taken:.1f} ms" if taken < 100 else f"{taken:.0f} ms"]
    if result.peak:
        parts.append(f"{result.peak:.0f} MB")
    if result.psnr is not None:
        parts.append(f"{result.psnr:.1f} dB")
    return ", ".join(parts) + (f" (made {result.fault})" if result.fault else "")


def _legend(rounds: list[int]) -> str:
    return (
        f"Medians of {rounds[0]} to {rounds[-1]} interleaved rounds on one core. A ratio is the median of the paired "
        "ratios of time, with the interval that holds the true one with 95 % by the binomial distribution of signs. "
        "Bytes: ours / sharp. MB: peak of a fresh process with its runtime. dB: of the worst picture, PSNR of the same "
        "resize as PNG against a Lanczos resize in floats of the full decode."
    )


def _said(misses: list[str]) -> list[str]:
    if not misses:
        return ["Every goal is met."]
    return ["Missed:", *(f"- {miss}" for miss in misses)]


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
