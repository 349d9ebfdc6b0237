"""The measurements of delivery.py, as one table in Markdown."""

from collections.abc import Mapping
from statistics import median, quantiles
from typing import Any, Final

WIDTH: Final = 300  # of the requested picture
HEADS: Final = ("by its URL", "median", "95 % within", "of it, in ms")


def table(figures: Mapping[str, Any]) -> str:
    """A row for each way of delivery; the time of a redirected picture is that of both requests."""
    times = figures["times"]
    whole = [one + other for one, other in zip(times["redirect"], times["large"], strict=True)]
    steps = ", ".join(f"{name} {median(taken):.0f}" for name, taken in figures["steps"].items())
    halves = f"until the redirect {median(times['redirect']):.0f}, the picture {median(times['large']):.0f}"
    rows = [
        HEADS,
        ["---"] * len(HEADS),
        _row("stored, from the bucket", times["stored"], ""),
        _row(f"first request, {WIDTH} px of a 12-megapixel JPEG", times["made"], steps),
        _row(f"first request, {figures['bytes'] / 1e6:.1f} MB, by way of a redirect", whole, halves),
    ]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", f"Of {len(whole)} rounds in turns, on a local AWS, warm, over loopback."])


def _row(title: str, times: list[float], parts: str) -> list[str]:
    return [title, f"{median(times):.1f} ms", f"{quantiles(times, n=20, method='inclusive')[-1]:.1f} ms", parts]
