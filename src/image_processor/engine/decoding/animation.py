"""How many frames a source has and how often they are shown, told before any is decoded."""

import struct
from typing import Final

from PIL import Image

from image_processor.engine.layout import Size
from image_processor.errors import CorruptImage, SourceTooLarge

_IMAGE, _EXTENSION, _END = 0x2C, 0x21, 0x3B  # what a block of a GIF begins with (GIF89a, 18 to 27)
_HEADER: Final = 13  # bytes of a GIF before its palette
_RECTANGLE: Final = struct.Struct("<HHHH")  # left, top, width, height of a frame
_DESCRIPTOR: Final = 10  # bytes of an image's before its palette, the first included
_BLOCKS: Final = 1_000_000  # most blocks, and bytes of none; 50 MB of full blocks are 200,000


def frames_of(image: Image.Image, source: bytes, most: int) -> int:
    """The number of frames, or `most` + 1 where there are more; a still picture has one.

    Raises `CorruptImage` for a GIF of which a frame lies outside the picture, which Pillow would make larger for it.
    """
    if image.format == "GIF":
        return _frames_of_gif(source, image.size, most)
    if image.format not in ("PNG", "WEBP", "AVIF"):  # the pages of a TIFF, the sizes of an ICO are no animation
        return 1
    frames = getattr(image, "n_frames", 1) - first_frame(image)  # none, in a PNG that says twice how many it has
    return min(max(1, frames), most + 1)


def first_frame(image: Image.Image) -> int:
    """Where the animation begins: 1 in a PNG whose own picture is only for readers that can't show the rest."""
    return 1 if getattr(image, "default_image", False) else 0


def loops_of(image: Image.Image) -> int:
    """How often the animation is shown; 0 is without end."""
    loop = image.info.get("loop")
    if image.format == "GIF":  # it counts repeats, and without a count is shown once
        return 1 if loop is None else loop + 1 if loop else 0
    return loop or 0


def _frames_of_gif(source: bytes, size: Size, most: int) -> int:
    """Count the image blocks. Pillow's `n_frames` has no bound, and takes a minute for 50 MB of the smallest frames."""
    place, frames, blocks = _HEADER + _palette(source[10]), 0, 0
    while place < len(source) and source[place] != _END and frames <= most:
        kind, passed = source[place], 1
        if kind == _IMAGE and place + _DESCRIPTOR <= len(source):
            left, top, width, height = _RECTANGLE.unpack_from(source, place + 1)
            if left + width > size[0] or top + height > size[1]:
                raise CorruptImage(f"frame {frames + 1} of the gif lies outside its {size[0]}×{size[1]} pixels")
            frames += 1
            place, passed = _after_blocks(source, place + _DESCRIPTOR + _palette(source[place + 9]) + 1)
        elif kind == _EXTENSION:
            place, passed = _after_blocks(source, place + 2)
        else:
            place += 1
        blocks += passed
        if blocks > _BLOCKS:
            raise SourceTooLarge(f"the source is in too many pieces, allowed: {_BLOCKS} blocks")
    return max(1, frames)


def _palette(flags: int) -> int:
    """The bytes of the palette that these flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(source: bytes, place: int) -> tuple[int, int]:
    """The place after a row of data blocks, and how many they were, which is bounded."""
    end = len(source)
    for passed in range(1, _BLOCKS + 2):
        if place >= end or not source[place]:
            return place + 1, passed
        place += source[place] + 1
    return place, passed
