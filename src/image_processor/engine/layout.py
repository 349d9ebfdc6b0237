"""Which part of a source becomes a rendition, at what size: numbers, no pixels.

    stored source ─ crop ▸ trim ─▶ region ─ rotate ▸ flip ▸ the size ─▶ box and size, orientation, canvas

The coordinates are those of one of three pictures:

    stored     as the camera was held: what is decoded
    upright    its EXIF orientation applied: what `crop` and `trim` count in (trim.py, since it needs pixels)
    oriented   `rotate` and `flip` applied, too: what the size and its `position` count in

Everything is computed in the oriented source, and the box is then converted to the stored one. So the pixels are
resampled first and the small picture is oriented afterwards: orienting the source first costs five times as much as the
whole rendition.

A new value of `fit` is a case of `plan`, beside its name in `transformations.options`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from typing import Final

from image_processor.engine.geometry import (
    Anchor,
    Box,
    Size,
    compose,
    from_stored,
    oriented_size,
    swaps_sides,
    to_stored,
)
from image_processor.errors import InvalidTransformation
from image_processor.transformations.options import MAX_PIXELS, MAX_SIDE, POSITIONS
from image_processor.transformations.transformation import Transformation, check_area

_ROTATION: Final = {None: 1, 90: 6, 180: 3, 270: 8}  # clockwise degrees → orientation
_FLIP: Final = {None: 1, "horizontal": 2, "vertical": 4, "both": 3}


@dataclass(frozen=True, slots=True)
class Plan:
    """`box` of an oriented source becomes `size`, and is placed at `offset` on a `canvas`; in pixels."""

    box: Box
    size: Size
    canvas: Size
    offset: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Layout:
    """`box` of the stored source becomes `size`, gets `orientation`, and is placed on a `canvas`; in pixels."""

    box: Box
    size: Size
    orientation: int
    canvas: Size
    offset: tuple[int, int]

    @property
    def oriented_sides(self) -> tuple[float, float]:
        """The width and height of the box in the oriented source."""
        width, height = self.box[2] - self.box[0], self.box[3] - self.box[1]
        return (height, width) if swaps_sides(self.orientation) else (width, height)


def crop(stored: Size, orientation: int, transformation: Transformation) -> Box:
    """The region of the stored source that `crop` leaves, or all of it.

    Raises `InvalidTransformation` for a crop outside the source; one that is partly outside ends at the edge.
    """
    if transformation.crop is None:
        return 0.0, 0.0, float(stored[0]), float(stored[1])
    width, height = upright = oriented_size(stored, orientation)
    left, top, cropped_width, cropped_height = transformation.crop
    if left >= width or top >= height:
        given = "_".join(map(str, transformation.crop))
        raise InvalidTransformation(f"option crop: {given} is outside the source, which is {width}×{height}")
    right, bottom = min(left + cropped_width, width), min(top + cropped_height, height)
    return to_stored((float(left), float(top), float(right), float(bottom)), upright, orientation)


def lay_out(
    stored: Size,
    orientation: int,
    transformation: Transformation,
    region: Box,
    anchor: Anchor | None = None,
    frames: int = 1,
) -> Layout:
    """Rotate, flip and size a region of the stored source; `anchor` replaces the option's `position` for a crop."""
    orientation = compose(orientation, _ROTATION[transformation.rotate])
    orientation = compose(orientation, _FLIP[transformation.flip])
    oriented = oriented_size(stored, orientation)
    left, top, right, bottom = from_stored(region, stored, orientation)
    planned = plan((round(right - left), round(bottom - top)), transformation, anchor, frames)
    box = (planned.box[0] + left, planned.box[1] + top, planned.box[2] + left, planned.box[3] + top)
    size = oriented_size(planned.size, orientation)  # that of the picture before it is oriented
    return Layout(to_stored(box, oriented, orientation), size, orientation, planned.canvas, planned.offset)


def plan(source: Size, transformation: Transformation, anchor: Anchor | None = None, frames: int = 1) -> Plan:
    """Size a picture of an oriented source of `source` pixels.

    A side that the transformation leaves out follows the source's aspect ratio. A picture that would exceed `MAX_SIDE`,
    or `MAX_PIXELS` in all its frames, or be enlarged without `enlarge`, is scaled down as a whole. Raises
    `InvalidTransformation` for two exact sides that are too many pixels.
    """
    width, height = transformation.width, transformation.height
    whole = (0.0, 0.0, float(source[0]), float(source[1]))
    if width is None or height is None:
        given = [side / own for side, own in zip((width, height), source, strict=True) if side is not None]
        size = _scaled(source, given[0] if given else 1.0, frames, enlarge=transformation.enlarge)
        return Plan(whole, size, size)
    check_area(transformation, frames)
    scales = (width / source[0], height / source[1])
    box_size = (width, height)
    match transformation.fit:
        case "cover":
            box = _cropped(source, max(scales), box_size, anchor or _anchor(transformation))
            return Plan(box, box_size, box_size)
        case "contain":
            size = _scaled(source, min(scales), frames, enlarge=True)
            left, top = _anchor(transformation)
            offset = (round((width - size[0]) * left), round((height - size[1]) * top))
            return Plan(whole, size, box_size, offset)
        case "fill":
            return Plan(whole, box_size, box_size)
        case "inside" | "outside" as fit:
            size = _scaled(source, (min if fit == "inside" else max)(scales), frames, enlarge=transformation.enlarge)
            return Plan(whole, size, size)
        case fit:
            raise NotImplementedError(f"fit {fit} has no layout")


def widths(source: Size, ladder: Iterable[int]) -> dict[int, int]:
    """The widths to request of an upright source, each with the width of its rendition: never more than the source's.

    They are the widths of the ladder below the source's, and the first that reaches it. This holds for a still
    rendition: an animation's may be narrower, so that all its frames together stay within `MAX_PIXELS`.
    """
    found: dict[int, int] = {}
    for requested in sorted(ladder):
        width = plan(source, Transformation(width=requested)).size[0]
        if width in found.values():  # the one before is as wide already
            break
        found[requested] = width
    return found


def _anchor(transformation: Transformation) -> Anchor:
    """The anchor of the option's position; a smart position is taken as the centre until the pixels are known."""
    return POSITIONS.get(transformation.position, POSITIONS["center"])


def _scaled(source: Size, scale: float, frames: int, *, enlarge: bool) -> Size:
    width, height = source
    bounds = (MAX_SIDE / width, MAX_SIDE / height, sqrt(MAX_PIXELS / (width * height * frames)))
    scale = min(scale, *bounds, *(() if enlarge else (1.0,)))
    width, height = (max(1, round(side * scale)) for side in source)
    return width, height


def _cropped(source: Size, scale: float, size: Size, anchor: Anchor) -> Box:
    width, height = (min(float(own), side / scale) for own, side in zip(source, size, strict=True))
    left, top = ((own - side) * share for own, side, share in zip(source, (width, height), anchor, strict=True))
    return left, top, left + width, top + height
