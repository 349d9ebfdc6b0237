"""The largest picture of an icon, found before any is decoded."""

import struct
from dataclasses import dataclass

from image_processor.engine.layout import Size
from image_processor.errors import CorruptImage

_PNG = b"\x89PNG\r\n\x1a\n"
_ENTRY = struct.Struct("<BBBBHHII")
_MAX_BITMAP = 256  # a side, as wide as a directory can say


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of an icon: `body` is a PNG, or an icon of this one bitmap alone."""

    format: str
    size: Size
    body: bytes


def largest(source: bytes) -> Picture:
    """The picture with the most pixels, and of several the one with the most bits; by their own headers.

    Raises `CorruptImage` for an icon without any.
    """
    (count,) = struct.unpack_from("<H", source, 4) if len(source) >= 6 else (0,)
    best: tuple[int, int, int, int, Size] | None = None
    for place in range(6, min(6 + _ENTRY.size * count, len(source) - _ENTRY.size + 1), _ENTRY.size):
        *_, length, start = _ENTRY.unpack_from(source, place)
        size, bits = _measured(source[start : start + min(length, 40)])
        if bits and (best is None or (size[0] * size[1], bits) > best[:2]):
            best = (size[0] * size[1], bits, start, length, size)
    if best is None:
        raise CorruptImage("the source begins like ico and has no picture")
    _, bits, start, length, size = best
    body = source[start : start + length]
    if body.startswith(_PNG):
        return Picture("png", size, body)
    entry = _ENTRY.pack(size[0] % 256, size[1] % 256, 0, 0, 1, bits, len(body), 6 + _ENTRY.size)
    return Picture("ico", size, b"\0\0\1\0\1\0" + entry + body)


def _measured(head: bytes) -> tuple[Size, int]:
    """The sides and bits of a pixel; 0 bits for what is no picture."""
    if head.startswith(_PNG) and len(head) >= 26:
        width, height, depth, kind = struct.unpack_from(">IIBB", head, 16)
        return (width, height), depth * {2: 3, 4: 2, 6: 4}.get(kind, 1)
    if len(head) >= 40 and int.from_bytes(head[:4], "little") >= 40:
        width, height, _, bits = struct.unpack_from("<iiHH", head, 4)
        height //= 2  # the picture, and below it its mask
        if 0 < width <= _MAX_BITMAP and 0 < height <= _MAX_BITMAP:
            return (width, height), bits
    return (0, 0), 0
