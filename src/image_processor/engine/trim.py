"""Finds where the plain edges of a source end."""

from collections.abc import Iterator
from typing import Final

from PIL import Image, ImageChops

from image_processor.engine.geometry import Box

_Edges = tuple[int, int, int, int]  # left, top, right, bottom in whole pixels
_BAND: Final = 1 << 20  # pixels that are compared at once, because comparing takes 20 bytes for each


def trimmed(image: Image.Image, region: Box, corner: tuple[int, int], threshold: int) -> Box:
    """The part of the region whose colours differ from the corner's by more than `threshold` of 255 in any sample.

    The region and the corner are in pixels of the image. A region of one colour is left whole.
    """
    left, top, right, bottom = map(round, region)
    ground = _of_8_bits(image.crop((*corner, corner[0] + 1, corner[1] + 1)))
    found = None
    for first, last in _bands(right - left, top, bottom):
        part = _of_8_bits(image.crop((left, first, right, last)))
        plain = Image.new(part.mode, part.size, ground.getpixel((0, 0)))
        for band in ImageChops.difference(part, plain).split():
            box = band.point(lambda sample: 255 * (sample > threshold)).getbbox()
            if box:
                edges = box[0], box[1] + first - top, box[2], box[3] + first - top
                found = edges if found is None else _around(found, edges)
    if found is None:
        return region
    return region[0] + found[0], region[1] + found[1], region[0] + found[2], region[1] + found[3]


def _bands(width: int, top: int, bottom: int) -> Iterator[tuple[int, int]]:
    """The first row of each band, and the row after its last."""
    rows = max(1, _BAND // max(1, width))
    for first in range(top, bottom, rows):
        yield first, min(bottom, first + rows)


def _of_8_bits(image: Image.Image) -> Image.Image:
    return image.point(lambda sample: sample * (1 / 257)).convert("L") if image.mode == "I" else image


def _around(one: _Edges, other: _Edges) -> _Edges:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])
