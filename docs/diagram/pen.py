"""A drawing surface in the finished picture's pixels, for diagram.py and for docs/images/before_after.py."""

from functools import cache
from typing import Any

from PIL import ImageDraw, ImageFont

Point = tuple[float, float]
Box = tuple[float, float, float, float]

FINE = 3  # drawn three times as large and reduced, for smooth edges


class Pen:
    """A drawing surface in the finished picture's pixels; `at` moves and scales it to draw an icon."""

    def __init__(self, draw: ImageDraw.ImageDraw, scale: float = FINE, origin: Point = (0, 0)) -> None:
        """Draw on `draw`, `scale` of its pixels to one, from `origin`."""
        self._draw, self._scale, self._origin = draw, scale, origin

    def at(self, centre: Point, size: float) -> "Pen":
        """Return a pen for a square of `size` around `centre` whose sides run from -50 to 50."""
        return Pen(self._draw, self._scale * size / 100, self._scaled([centre])[0])

    def _scaled(self, points: list[Point]) -> list[Point]:
        return [(self._origin[0] + x * self._scale, self._origin[1] + y * self._scale) for x, y in points]

    def _style(self, style: dict[str, Any]) -> dict[str, Any]:
        return style | {"width": round(style.get("width", 0) * self._scale)}

    def box(self, box: Box, radius: float = 0, **style: Any) -> None:
        """Draw a box with round corners."""
        self._draw.rounded_rectangle(self._scaled([box[:2], box[2:]]), radius * self._scale, **self._style(style))

    def oval(self, box: Box, **style: Any) -> None:
        """Draw an ellipse that fills the box."""
        self._draw.ellipse(self._scaled([box[:2], box[2:]]), **self._style(style))

    def shape(self, points: list[Point], fill: str) -> None:
        """Fill a polygon."""
        self._draw.polygon(self._scaled(points), fill)

    def line(self, points: list[Point], width: float, fill: str) -> None:
        """Draw a line with round ends and joints."""
        self._draw.line(self._scaled(points), fill, round(width * self._scale), joint="curve")
        for x, y in (points[0], points[-1]):
            self.oval((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=fill)

    def text(self, point: Point, text: str, size: float, fill: str, *, anchor: str = "ms", bold: bool = False) -> None:
        """Write one line; the font has one weight, so a thin outline makes it bold."""
        where, face = self._scaled([point])[0], font(size * self._scale)
        stroke = size * self._scale * 0.021 if bold else 0
        self._draw.text(where, text, fill, face, anchor, stroke_width=stroke, stroke_fill=fill)


@cache
def font(size: float) -> ImageFont.FreeTypeFont:
    """Return Pillow's own font."""
    found = ImageFont.load_default(size)
    if not isinstance(found, ImageFont.FreeTypeFont):
        raise SystemExit("diagram.py: this Pillow was built without FreeType and has no scalable font")
    return found


def length_of(text: str, size: float) -> float:
    """Return a line's width in pixels."""
    return font(size * FINE).getlength(text) / FINE
