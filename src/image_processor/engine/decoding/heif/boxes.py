"""The boxes of ISO base media files and of JPEG 2000 files: a length, a name, the content.

(ISO/IEC 14496-12, 4.2; ISO/IEC 15444-1, annex I.)
"""

import struct
from collections.abc import Iterator
from typing import Final

from image_processor.errors import CorruptImage, SourceTooLarge

MAX_BOXES: Final = 4096  # in one; a grid of 100 megapixels has 400 items
NOTHING: Final = memoryview(b"")

_HEAD: Final = struct.Struct(">I4s")
_LONG_HEAD_BYTES: Final = 16
_LENGTH_FOLLOWS, _TO_THE_END = 1, 0  # lengths with a special meaning

Box = tuple[bytes, memoryview]


def boxes(data: memoryview) -> Iterator[Box]:
    """The name and content of each box, in order; the content of one that is cut off is what is left of it.

    Ends at a box of an impossible length, as decoders do. Raises `SourceTooLarge` for `MAX_BOXES`.
    """
    for number, box in enumerate(_walk(data), 1):
        if number == MAX_BOXES:
            raise SourceTooLarge(f"the source has too many boxes, allowed: {MAX_BOXES} in one")
        yield box


def only(data: memoryview, wanted: bytes) -> memoryview:
    """The content of the one box of this name, empty if there is none.

    Raises `CorruptImage` for two, of which decoders choose differently.
    """
    found = [content for name, content in boxes(data) if name == wanted]
    if len(found) > 1:
        raise CorruptImage(f"the source has {len(found)} boxes {wanted.decode()} where one may be")
    return found[0] if found else NOTHING


def first_boxes(data: memoryview) -> Iterator[Box]:
    """As `boxes`, but without an error: for a JPEG 2000, whose decoder takes the first of a name and is bounded."""
    for number, box in enumerate(_walk(data), 1):
        yield box
        if number == MAX_BOXES:
            return


def _walk(data: memoryview) -> Iterator[Box]:
    offset = 0
    while offset + _HEAD.size <= len(data):
        length, name = _HEAD.unpack_from(data, offset)
        start = offset + _HEAD.size
        if length == _LENGTH_FOLLOWS and offset + _LONG_HEAD_BYTES <= len(data):
            length = int.from_bytes(data[start : offset + _LONG_HEAD_BYTES], "big")
            start = offset + _LONG_HEAD_BYTES
        end = len(data) if length == _TO_THE_END else offset + length
        if end < start:
            return
        yield name, data[start:end]
        offset = end
