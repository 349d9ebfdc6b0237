"""Where the pixels of a picture come from: sizes and boxes, no pixels.

A source is stored as its camera was held; upright it is as a person sees it; turned, as the transformation's `rotate`
and `flip` have it. All is worked out on the turned source, and the box carried back to the stored one, so that turning
is left to the small picture (turning first costs five times the whole rendering). A turn is one of the eight
orientations of EXIF (CIPA DC-008, tag 0x0112), and two of them, one after the other, are again one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from typing import Final

from image_processor.errors import InvalidTransformation
from image_processor.transformations.options import MAX_PIXELS, MAX_SIDE, POSITIONS
from image_processor.transformations.transformation import Transformation, check_area

Size = tuple[int, int]
Box = tuple[float, float, float, float]  # left, top, right, bottom
Place = tuple[float, float]  # the shares of the room left over to the left of a crop and above it

# Turn → how a turned place is found in the stored source: swap x and y, count from the right, count from the bottom.
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
_TURN: Final = {way: turn for turn, way in _STORED.items()}
_BACK: Final = {6: 8, 8: 6}  # the turn that undoes another; the others undo themselves
_OPTIONS_TURN: Final = {  # rotate and flip, in their canonical form
    (None, None): 1,
    (None, "horizontal"): 2,
    (180, None): 3,
    (None, "vertical"): 4,
    (90, "horizontal"): 5,
    (90, None): 6,
    (90, "vertical"): 7,
    (270, None): 8,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """`box` of a source becomes `size`, and lies at `offset` on a `canvas`; in pixels."""

    box: Box
    size: Size
    canvas: Size
    offset: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Layout:
    """`box` of the stored source becomes `size`, is turned by `turn`, and lies at `offset` on a `canvas`; in pixels."""

    box: Box
    size: Size
    turn: int
    canvas: Size
    offset: tuple[int, int]

    @property
    def turned_sides(self) -> tuple[float, float]:
        """The width and height of the box in the turned source."""
        width, height = self.box[2] - self.box[0], self.box[3] - self.box[1]
        return (height, width) if _STORED[self.turn][0] else (width, height)


def region(stored: Size, orientation: int, transformation: Transformation) -> Box:
    """The part of the stored source that `crop` leaves; raises `InvalidTransformation` where it lies outside."""
    width, height = upright = turned_size(stored, orientation)
    if transformation.crop is None:
        return 0.0, 0.0, float(stored[0]), float(stored[1])
    left, top, cropped_width, cropped_height = transformation.crop
    if left >= width or top >= height:
        asked = "_".join(map(str, transformation.crop))
        raise InvalidTransformation(f"option crop: {asked} lies outside the source, which is {width}×{height}")
    right, bottom = min(left + cropped_width, width), min(top + cropped_height, height)
    return to_stored((float(left), float(top), float(right), float(bottom)), upright, orientation)


def lay_out(
    stored: Size,
    orientation: int,
    transformation: Transformation,
    of: Box,
    place: Place | None = None,
    frames: int = 1,
) -> Layout:
    """Lay out the picture of the region `of` a stored source; `place` is where a crop lies if not at `position`."""
    turn = together(orientation, _OPTIONS_TURN[transformation.rotate, transformation.flip])
    turned = turned_size(stored, turn)
    left, top, right, bottom = to_stored(of, stored, _BACK.get(turn, turn))
    planned = plan((round(right - left), round(bottom - top)), transformation, place, frames)
    box = (planned.box[0] + left, planned.box[1] + top, planned.box[2] + left, planned.box[3] + top)
    size = turned_size(planned.size, turn)  # swapping sides twice is no swap
    return Layout(to_stored(box, turned, turn), size, turn, planned.canvas, planned.offset)


def first_pixel(of: Box, stored: Size, orientation: int) -> tuple[int, int]:
    """The pixel of the stored source that is the left top one of a region, seen upright."""
    left, top, _, _ = to_stored(of, stored, _BACK.get(orientation, orientation))
    x, y, _, _ = to_stored((left, top, left + 1, top + 1), turned_size(stored, orientation), orientation)
    return round(x), round(y)


def together(first: int, then: int) -> int:
    """The turn that is two turns, one after the other."""
    swap, from_right, from_bottom = _STORED[first]
    swap_then, from_right_then, from_bottom_then = _STORED[then]
    if swap:
        from_right_then, from_bottom_then = from_bottom_then, from_right_then
    return _TURN[swap ^ swap_then, from_right ^ from_right_then, from_bottom ^ from_bottom_then]


def turned_size(size: Size, turn: int) -> Size:
    """The sides after the turn."""
    return (size[1], size[0]) if _STORED[turn][0] else size


def plan(source: Size, transformation: Transformation, place: Place | None = None, frames: int = 1) -> Plan:
    """Lay out one picture of a turned source of `source` pixels.

    A side that was not asked for follows the source's proportion; where the picture would pass `MAX_SIDE` or
    `MAX_PIXELS` in all its frames, or be enlarged without `enlarge`, both shrink alike. Raises `InvalidTransformation`
    for two sides that are too many pixels.
    """
    width, height = transformation.width, transformation.height
    whole = (0.0, 0.0, float(source[0]), float(source[1]))
    if width is None or height is None:
        asked = [side / own for side, own in zip((width, height), source, strict=True) if side is not None]
        size = _scaled(source, asked[0] if asked else 1.0, frames, enlarge=transformation.enlarge)
        return Plan(whole, size, size)
    check_area(transformation, frames)
    scales = (width / source[0], height / source[1])
    box_size = (width, height)
    match transformation.fit:
        case "cover":
            return Plan(_cropped(source, max(scales), box_size, place or _place(transformation)), box_size, box_size)
        case "contain":
            size = _scaled(source, min(scales), frames, enlarge=True)
            left, top = _place(transformation)
            offset = (round((width - size[0]) * left), round((height - size[1]) * top))
            return Plan(whole, size, box_size, offset)
        case "fill":
            return Plan(whole, box_size, box_size)
        case fit:
            size = _scaled(source, (min if fit == "inside" else max)(scales), frames, enlarge=transformation.enlarge)
            return Plan(whole, size, size)


def widths(source: Size, ladder: Iterable[int]) -> dict[int, int]:
    """The widths worth asking for of an upright source, and those of the pictures: none is wider than the source.

    Those of the ladder below the source's, and the first that reaches it; of a still picture, since an animation's
    frames may be smaller to be within `MAX_PIXELS` in all.
    """
    found: dict[int, int] = {}
    for asked in sorted(ladder):
        width = plan(source, Transformation(width=asked)).size[0]
        if width in found.values():  # as wide as can be
            break
        found[asked] = width
    return found


def to_stored(box: Box, turned: Size, turn: int) -> Box:
    """The box, of a turned source of `turned` pixels, in the source as it is stored."""
    swap, from_right, from_bottom = _STORED[turn]
    left, top, right, bottom = box
    width, height = turned
    if swap:
        left, top, right, bottom, width, height = top, left, bottom, right, height, width
    if from_right:
        left, right = width - right, width - left
    if from_bottom:
        top, bottom = height - bottom, height - top
    return left, top, right, bottom


def _place(transformation: Transformation) -> Place:
    return POSITIONS.get(transformation.position, POSITIONS["center"])


def _scaled(source: Size, scale: float, frames: int, *, enlarge: bool) -> Size:
    width, height = source
    bounds = (MAX_SIDE / width, MAX_SIDE / height, sqrt(MAX_PIXELS / (width * height * frames)))
    scale = min(scale, *bounds, *(() if enlarge else (1.0,)))
    width, height = (max(1, round(side * scale)) for side in source)
    return width, height


def _cropped(source: Size, scale: float, size: Size, place: Place) -> Box:
    width, height = (min(float(own), side / scale) for own, side in zip(source, size, strict=True))
    left, top = ((own - kept) * share for own, kept, share in zip(source, (width, height), place, strict=True))
    return left, top, left + width, top + height
