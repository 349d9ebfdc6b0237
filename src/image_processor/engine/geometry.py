"""Sizes, boxes and orientations: numbers, no pixels.

An orientation is one of the eight ways to rotate and mirror a picture, numbered as EXIF numbers them (CIPA DC-008, tag
0x0112): what has to be done to the stored picture so that it is seen as intended. Two orientations, one after the
other, are again one of the eight.
"""

from typing import Final

Size = tuple[int, int]  # width and height in pixels
Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels
Anchor = tuple[float, float]  # the shares of the free space to the left of a crop and above it, 0 to 1

# How a point of the oriented picture is found in the stored one: swap x and y, count from the right, from the bottom.
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
_ORIENTATION: Final = {stored: orientation for orientation, stored in _STORED.items()}
_INVERSE: Final = {6: 8, 8: 6}  # each of the other orientations undoes itself


def compose(first: int, then: int) -> int:
    """The one orientation that equals two, one after the other."""
    swap, from_right, from_bottom = _STORED[first]
    then_swap, then_from_right, then_from_bottom = _STORED[then]
    if swap:
        then_from_right, then_from_bottom = then_from_bottom, then_from_right
    return _ORIENTATION[swap ^ then_swap, from_right ^ then_from_right, from_bottom ^ then_from_bottom]


def swaps_sides(orientation: int) -> bool:
    """Whether the orientation turns a landscape into a portrait, and the reverse."""
    return _STORED[orientation][0]


def oriented_size(size: Size, orientation: int) -> Size:
    """The sides of a picture of this size after the orientation is applied."""
    return (size[1], size[0]) if swaps_sides(orientation) else size


def to_stored(box: Box, oriented: Size, orientation: int) -> Box:
    """A box of the oriented picture, whose sides are `oriented`, as a box of the stored picture."""
    swap, from_right, from_bottom = _STORED[orientation]
    left, top, right, bottom = box
    width, height = oriented
    if swap:
        left, top, right, bottom, width, height = top, left, bottom, right, height, width
    if from_right:
        left, right = width - right, width - left
    if from_bottom:
        top, bottom = height - bottom, height - top
    return left, top, right, bottom


def from_stored(box: Box, stored: Size, orientation: int) -> Box:
    """A box of the stored picture, whose sides are `stored`, as a box of the oriented picture."""
    return to_stored(box, stored, _INVERSE.get(orientation, orientation))


def first_pixel(box: Box, stored: Size, orientation: int) -> tuple[int, int]:
    """The pixel of the stored picture that is at the left top of a box of it once the orientation is applied."""
    left, top, _, _ = from_stored(box, stored, orientation)
    x, y, _, _ = to_stored((left, top, left + 1, top + 1), oriented_size(stored, orientation), orientation)
    return round(x), round(y)
