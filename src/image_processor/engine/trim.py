"""Finds where the plain edges of a source end."""

from PIL import Image, ImageChops

from image_processor.engine.geometry import Box

_Edges = tuple[int, int, int, int]  # left, top, right, bottom in whole pixels


def trimmed(image: Image.Image, region: Box, corner: tuple[int, int], threshold: int) -> Box:
    """The part of the region whose colours differ from the corner's by more than `threshold` of 255 in any sample.

    The region and the corner are in pixels of the image. A region of one colour is left whole.
    """
    if image.mode == "I":  # 16 bits
        image = image.point(lambda sample: sample * (1 / 257)).convert("L")
    part = image.crop(tuple(map(round, region)))  # type: ignore[arg-type]
    plain = Image.new(part.mode, part.size, image.getpixel(corner))
    found = None
    for band in ImageChops.difference(part, plain).split():
        box = band.point(lambda sample: 255 * (sample > threshold)).getbbox()
        if box:
            found = box if found is None else _around(found, box)
    if found is None:
        return region
    left, top = region[:2]
    return left + found[0], top + found[1], left + found[2], top + found[3]


def _around(one: _Edges, other: _Edges) -> _Edges:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])
