"""Where the pixels of a picture come from: sizes and boxes, no pixels.

All is worked out on the upright source, as a person sees it; `to_stored` carries a box back to the source as it is
stored, so that the turning is left to the small picture (turning first costs five times the whole rendering).
"""

from dataclasses import dataclass
from math import sqrt
from typing import Final

from image_processor.transformation import MAX_PIXELS, MAX_SIDE, POSITIONS, Transformation, check_area

Size = tuple[int, int]
Box = tuple[float, float, float, float]  # left, top, right, bottom

# EXIF orientation (CIPA DC-008, tag 0x0112) → how an upright place is found in the stored source:
# swap x and y, then count from the right, then count from the bottom.
_STORED: Final = {
    1: (False, False, False),
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """`box` of the upright source becomes `size`, and lies at `offset` on a `canvas`; in pixels."""

    box: Box
    size: Size
    canvas: Size
    offset: tuple[int, int] = (0, 0)


def plan(source: Size, transformation: Transformation) -> Plan:
    """Lay out one picture of an upright source of `source` pixels.

    A side that was not asked for follows the source's proportion; where the picture would pass `MAX_SIDE` or
    `MAX_PIXELS`, or be enlarged without `enlarge`, both shrink alike. Raises `InvalidTransformation` for two sides that
    are too many pixels.
    """
    width, height = transformation.width, transformation.height
    whole = (0.0, 0.0, float(source[0]), float(source[1]))
    if width is None or height is None:
        asked = [side / own for side, own in zip((width, height), source, strict=True) if side is not None]
        size = _scaled(source, asked[0] if asked else 1.0, enlarge=transformation.enlarge)
        return Plan(whole, size, size)
    check_area(transformation)
    scales = (width / source[0], height / source[1])
    box_size = (width, height)
    match transformation.fit:
        case "cover":
            return Plan(_cropped(source, max(scales), box_size, transformation.position), box_size, box_size)
        case "contain":
            size = _scaled(source, min(scales), enlarge=True)
            left, top = POSITIONS[transformation.position]
            offset = (round((width - size[0]) * left), round((height - size[1]) * top))
            return Plan(whole, size, box_size, offset)
        case "fill":
            return Plan(whole, box_size, box_size)
        case fit:
            size = _scaled(source, (min if fit == "inside" else max)(scales), enlarge=transformation.enlarge)
            return Plan(whole, size, size)


def swaps_sides(orientation: int) -> bool:
    """Whether a source of this EXIF orientation is stored lying on its side."""
    return _STORED[orientation][0]


def to_stored(box: Box, upright: Size, orientation: int) -> Box:
    """The box, of an upright source of `upright` pixels, in the source as it is stored."""
    swap, from_right, from_bottom = _STORED[orientation]
    left, top, right, bottom = box
    width, height = upright
    if swap:
        left, top, right, bottom, width, height = top, left, bottom, right, height, width
    if from_right:
        left, right = width - right, width - left
    if from_bottom:
        top, bottom = height - bottom, height - top
    return left, top, right, bottom


def _scaled(source: Size, scale: float, *, enlarge: bool) -> Size:
    width, height = source
    bounds = (MAX_SIDE / width, MAX_SIDE / height, sqrt(MAX_PIXELS / (width * height)))
    scale = min(scale, *bounds, *(() if enlarge else (1.0,)))
    width, height = (max(1, round(side * scale)) for side in source)
    return width, height


def _cropped(source: Size, scale: float, size: Size, position: str) -> Box:
    width, height = (min(float(own), side / scale) for own, side in zip(source, size, strict=True))
    left, top = (
        (own - kept) * share for own, kept, share in zip(source, (width, height), POSITIONS[position], strict=True)
    )
    return left, top, left + width, top + height
