"""Counts the frames of a GIF by its blocks, before any is decoded (GIF89a, 18 to 27)."""

import struct
from typing import Final

from image_processor.engine.geometry import Size
from image_processor.errors import CorruptImage, SourceTooLarge

MAX_BLOCKS: Final = 1_000_000  # and bytes that belong to no block; 50 MB of full blocks are 200,000
_IMAGE, _EXTENSION, _END = 0x2C, 0x21, 0x3B  # the first bytes of blocks
_HEADER: Final = 13  # bytes before the palette of the file
_DESCRIPTOR: Final = 10  # bytes of an image block before its palette, with the first one
_RECTANGLE: Final = struct.Struct("<HHHH")  # left, top, width, height of a frame


def count_frames(source: bytes, size: Size, most: int) -> int:
    """The number of frames, or `most` + 1 where there are more; at least one.

    Raises `CorruptImage` for a frame that is outside the picture, which Pillow would enlarge for it, and
    `SourceTooLarge` for too many blocks.
    """
    offset, frames, blocks = _HEADER + _palette_bytes(source[10]), 0, 0
    while offset < len(source) and source[offset] != _END and frames <= most:
        kind, passed = source[offset], 1
        if kind == _IMAGE and offset + _DESCRIPTOR <= len(source):
            left, top, width, height = _RECTANGLE.unpack_from(source, offset + 1)
            if left + width > size[0] or top + height > size[1]:
                raise CorruptImage(f"frame {frames + 1} of the GIF is outside its {size[0]}×{size[1]} pixels")
            frames += 1
            offset, passed = _after_blocks(source, offset + _DESCRIPTOR + _palette_bytes(source[offset + 9]) + 1)
        elif kind == _EXTENSION:
            offset, passed = _after_blocks(source, offset + 2)
        else:
            offset += 1
        blocks += passed
        if blocks > MAX_BLOCKS:
            raise SourceTooLarge(f"the source is in too many pieces, allowed: {MAX_BLOCKS} blocks")
    return max(1, frames)


def _palette_bytes(flags: int) -> int:
    """The length of the palette that these flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(source: bytes, offset: int) -> tuple[int, int]:
    """The offset after a row of data blocks, and their number, which is bounded."""
    end = len(source)
    for passed in range(1, MAX_BLOCKS + 2):
        if offset >= end or not source[offset]:
            return offset + 1, passed
        offset += source[offset] + 1
    return offset, passed
