"""Draws the chart of docs/performance.md with Pillow: the time of each case relative to sharp, a dot for each peer."""

from collections.abc import Mapping
from math import log2
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from tests.benchmarks.cases import Case
from tests.benchmarks.measuring import Result
from tests.benchmarks.table import share

FINE: Final = 2  # pixels to one of the page's, for dense screens
WIDTH, ROW, HEAD, FOOT = 880, 27, 104, 34
TARGET, LEFT, RIGHT = 182, 330, 816  # the left edges of the second column and of the scale, and the scale's right edge
LOW, HIGH = 0.125, 8.0  # of sharp's time; a dot outside is drawn at the edge
INK, SOFT, LINE, PAPER, BAND = "#1B2638", "#526077", "#D9E0EA", "#FFFFFF", "#F3F6FA"
COLOURS: Final = {"naive": "#B8C0CC", "thumbor": "#8C7AE6", "libvips": "#2E9E8F", "sharp": "#1B2638", "ours": "#E56A00"}
NAMES: Final = {
    "ours": "this project",
    "sharp": "sharp",
    "libvips": "libvips",
    "thumbor": "thumbor",
    "naive": "plain Pillow",
}


def draw(results: Mapping[Case, Mapping[str, Result]]) -> Image.Image:
    """Rows of dots on a scale of doublings; a peer that did something else has no dot."""
    height = HEAD + ROW * len(results) + FOOT
    image = Image.new("RGB", (WIDTH * FINE, height * FINE), PAPER)
    pen = Pen(ImageDraw.Draw(image))
    pen.text((24, 27), "Time to make a picture, where sharp takes 1", 19, INK, bold=True)
    _key(pen)
    pen.text((WIDTH - 22, 61), "one core, medians of paired runs", 12, SOFT, anchor="rm")
    bottom = HEAD + ROW * len(results)
    for number in range(0, len(results), 2):
        pen.box((16, HEAD + ROW * number, WIDTH - 16, HEAD + ROW * (number + 1)), BAND, radius=4)
    for mark in (0.125, 0.25, 0.5, 1, 2, 4, 8):
        x = place(mark)
        pen.line((x, HEAD - 4, x, bottom + 4), SOFT if mark == 1 else LINE, 1.6 if mark == 1 else 1)
        words = f"{mark:g}" if mark > 1 else f"1/{round(1 / mark)}" if mark < 1 else "sharp = 1"
        pen.text((x, bottom + 16), words, 12, SOFT, anchor="mm")
    pen.text((place(LOW) - 4, HEAD - 14), "faster", 12, SOFT)
    pen.text((place(HIGH) - 6, HEAD - 14), "slower", 12, SOFT, anchor="rm")
    pen.text((WIDTH - 22, HEAD - 14), "ours", 12, COLOURS["ours"], anchor="rm")
    for number, (case, done) in enumerate(results.items()):
        _row(pen, HEAD + ROW * (number + 0.5), case, done)
    return image


def place(taken: float) -> float:
    """The horizontal position of a multiple of sharp's time; outside the scale, its end."""
    taken = min(HIGH, max(LOW, taken))
    return LEFT + (RIGHT - LEFT) * (log2(taken) - log2(LOW)) / (log2(HIGH) - log2(LOW))


class Pen:
    """Draws in the page's pixels."""

    def __init__(self, canvas: ImageDraw.ImageDraw) -> None:
        """Draw on a canvas that is `FINE` times as wide."""
        self._canvas = canvas

    def text(
        self, at: tuple[float, float], words: str, size: float, fill: str, anchor: str = "lm", *, bold: bool = False
    ) -> None:
        """Write a line; the font has one weight, so an outline makes it bold."""
        where, outline = (at[0] * FINE, at[1] * FINE), 0.7 if bold else 0
        self._canvas.text(where, words, fill, ImageFont.load_default(size * FINE), anchor, stroke_width=outline)

    def width(self, words: str, size: float) -> float:
        """How wide a line is."""
        return ImageFont.load_default(size * FINE).getlength(words) / FINE

    def line(self, ends: tuple[float, float, float, float], fill: str, width: float) -> None:
        """Draw a straight line."""
        self._canvas.line([end * FINE for end in ends], fill, round(width * FINE))

    def box(self, box: tuple[float, float, float, float], fill: str, radius: float) -> None:
        """Fill a box."""
        self._canvas.rounded_rectangle([side * FINE for side in box], radius * FINE, fill)

    def dot(self, at: tuple[float, float], radius: float, fill: str) -> None:
        """Fill a circle, with a rim that separates it from one below."""
        centre = (at[0] * FINE, at[1] * FINE)
        self._canvas.circle(centre, (radius + 1.2) * FINE, PAPER)
        self._canvas.circle(centre, radius * FINE, fill)


def _key(pen: Pen) -> None:
    x = 24.0
    for peer, name in NAMES.items():
        pen.dot((x + 6, 61), 6 if peer == "ours" else 4.5, COLOURS[peer])
        pen.text((x + 18, 61), name, 13, INK, bold=peer == "ours")
        x += 18 + pen.width(name, 13) + 24


def _row(pen: Pen, y: float, case: Case, done: Mapping[str, Result]) -> None:
    source, target = case.title.replace("×", "x").split(" → ")  # the font has neither sign
    pen.text((24, y), source, 12.5, INK)
    pen.text((TARGET, y), target, 12.5, SOFT)
    for peer, colour in COLOURS.items():
        taken = share(done, peer)
        if taken is not None:
            pen.dot((place(taken), y), 6 if peer == "ours" else 4.5, colour)
    ours = share(done, "ours")
    words = f"{ours:.2f}" if ours else done["ours"].fault or "none"
    pen.text((WIDTH - 22, y), words, 12.5, COLOURS["ours"] if ours else SOFT, anchor="rm", bold=bool(ours))
