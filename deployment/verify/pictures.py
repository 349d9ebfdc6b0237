"""Pictures to upload, and a reader for those that come back, by the standard library alone: PNG, and one JPEG."""

from __future__ import annotations

import base64
import random
import struct
import zlib
from dataclasses import dataclass

from claims import Broken

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by PNG's colour type

# A JPEG as a phone stores it: 48 × 32 pixels with EXIF orientation 6, and the camera's name. Upright, it has 32 × 48
# pixels: red and green above, blue and white below.
CAMERA = b"VerifyCamera"
PHOTO_SIZE = (32, 48)
PHOTO = base64.b64decode("""
/9j/4AAQSkZJRgABAQAAAQABAAD/4QA8RXhpZgAATU0AKgAAAAgAAgEPAAIAAAANAAAAJgESAAMAAAABAAYAAAAAAABWZXJpZnlDYW1lcmEAAP/bAEMA
DQkKCwoIDQsKCw4ODQ8TIBUTEhITJxweFyAuKTEwLiktLDM6Sj4zNkY3LC1AV0FGTE5SU1IyPlphWlBgSlFST//bAEMBDg4OExETJhUVJk81LTVPT09P
T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT//AABEIACAAMAMBEQACEQEDEQH/xAAXAAEBAQEAAAAAAAAA
AAAAAAAABwUE/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/EABcBAQEBAQAAAAAAAAAAAAAAAAAGBwX/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIR
AxEAPwDuR6CAAUBYL0ABP0eggAFAWC9AARFxmkgAMJsTKgAG6x1qoADCbEyoAB//2Q==
""")


@dataclass(frozen=True)
class Picture:
    """A decoded PNG: `rows` of bytes, `channels` of them for each pixel, which `palette` may explain."""

    width: int
    height: int
    rows: tuple[bytes, ...]
    channels: int
    palette: bytes

    def pixel(self, x: int, y: int) -> tuple[int, ...]:
        """Red, green and blue at a place."""
        samples = self.rows[y][x * self.channels : (x + 1) * self.channels]
        if self.palette:
            return tuple(self.palette[3 * samples[0] : 3 * samples[0] + 3])
        return tuple(samples[:3]) if self.channels >= 3 else (samples[0],) * 3

    def is_at(self, colour: tuple[int, ...], across: float, down: float) -> bool:
        """Whether it is about this colour at a place in parts of the width and the height; a JPEG is not exact."""
        seen = self.pixel(int(across * self.width), int(down * self.height))
        return all(abs(one - other) < 40 for one, other in zip(seen, colour))  # noqa: B905 - Python 3.9


def plain(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """A PNG of one colour."""
    return _png(width, height, (b"\0" + bytes(colour) * width) * height, level=9)


def noise(width: int, height: int) -> bytes:
    """A PNG that no format without loss makes smaller: about three bytes a pixel."""
    source = random.Random(1)  # noqa: S311 - no secret
    rows = b"".join(b"\0" + source.getrandbits(24 * width).to_bytes(3 * width, "big") for _ in range(height))
    return _png(width, height, rows, level=0)


def read_png(body: bytes) -> Picture:
    """Decode a PNG of 8 bits a sample, not interlaced; raises `Broken` for any other bytes."""
    if not body.startswith(_SIGNATURE):
        raise Broken("the picture is not a PNG")
    header, palette, data, at = b"", b"", b"", len(_SIGNATURE)
    while at < len(body):
        length, kind = struct.unpack(">I4s", body[at : at + 8])
        content = body[at + 8 : at + 8 + length]
        header, palette = (content if kind == b"IHDR" else header), (content if kind == b"PLTE" else palette)
        data += content if kind == b"IDAT" else b""
        at += 12 + length
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    if depth != 8 or interlaced:
        raise Broken(f"a PNG of {depth} bits a sample{', interlaced' if interlaced else ''}, which is not read here")
    channels = _CHANNELS[colour]
    rows = _unfiltered(zlib.decompress(data), width * channels, height, channels)
    return Picture(width, height, rows, channels, palette if colour == 3 else b"")


def _unfiltered(data: bytes, stride: int, height: int, channels: int) -> tuple[bytes, ...]:
    """Undo the filters of PNG's rows; W3C, PNG specification, section 9."""
    rows: list[bytes] = []
    above = bytearray(stride)
    for number in range(height):
        start = number * (stride + 1)
        kind, row = data[start], bytearray(data[start + 1 : start + 1 + stride])
        for index in range(stride):
            left = row[index - channels] if index >= channels else 0
            corner = above[index - channels] if index >= channels else 0
            row[index] = (row[index] + _predicted(kind, left, above[index], corner)) & 255
        rows.append(bytes(row))
        above = row
    return tuple(rows)


def _predicted(kind: int, left: int, above: int, corner: int) -> int:
    if kind == 4:
        distances = (abs(above - corner), abs(left - corner), abs(left + above - 2 * corner))
        return (left, above, corner)[distances.index(min(distances))]
    return (0, left, above, (left + above) // 2)[kind]


def _png(width: int, height: int, rows: bytes, level: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, level)), (b"IEND", b""))
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in parts
    )
