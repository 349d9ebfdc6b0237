"""BMPs and icons that are small and costly to decode."""

import struct
from itertools import repeat

from .bomb import Bomb
from .png import png


def bmp(width: int, height: int, depth: int = 24, compression: int = 0, data: bytes = b"", colours: int = 0) -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, depth, compression, 0, 0, 0, colours, 0)
    return b"BM" + struct.pack("<III", 100, 0, 54 + 4 * colours) + info + bytes(4 * colours) + data


def run_length(width: int, height: int, data: bytes, depth: int = 8) -> bytes:
    return bmp(width, height, depth, 1 if depth == 8 else 2, data, 1 << depth)


def icon(entries: int, side: int, body: bytes, length: int | None = None) -> bytes:
    """An icon whose entries all have the offset of one picture."""
    length = len(body) if length is None else length
    entry = struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, length, 6 + 16 * entries)
    return struct.pack("<HHH", 0, 1, entries) + b"".join(repeat(entry, entries)) + body


TOO_MANY = "SourceTooLarge"
BOMBS = {
    "bmp, 3600 megapixels": Bomb(lambda: bmp(60_000, 60_000), "SourceTooLarge", 20),
    "bmp, 79 megapixels in 54 bytes": Bomb(lambda: bmp(8900, 8900), "CorruptImage", 350),
    "bmp, 10 million colours": Bomb(lambda: bmp(8, 8, 8, colours=10_000_000), "CorruptImage", 20),
    "bmp, 78 megapixels of ends of lines": Bomb(
        lambda: run_length(65_000, 1200, b"\1\0" + b"\0\0\1\0" * 1300), "SourceTooLarge", 20
    ),
    "bmp, 16 megapixels of ends of lines": Bomb(
        lambda: run_length(65_000, 246, b"\1\0" + b"\0\0\1\0" * 250), "rendered", 150
    ),
    "bmp, 16 megapixels of half bytes": Bomb(
        lambda: run_length(4000, 4000, (b"\xff\1" * 16 + b"\0\0") * 4000, 4), "rendered", 150
    ),
    "bmp, 16 million runs of one pixel": Bomb(lambda: run_length(4000, 4000, b"\1\0" * 16_000_000), TOO_MANY, 100),
    "bmp, 25 million ends of lines": Bomb(lambda: run_length(4000, 4000, bytes(50_000_000)), TOO_MANY, 100),
    "bmp, 12 million moves to nowhere": Bomb(lambda: run_length(4000, 4000, b"\0\2\0\0" * 12_000_000), TOO_MANY, 100),
    "ico, 65,535 entries": Bomb(lambda: icon(65_535, 8, png(8, 8, colour=6)), "rendered", 20),
    "ico, a png of 268 megapixels within": Bomb(lambda: icon(1, 8, png(16_384, 16_384, depth=1)), TOO_MANY, 20),
    "ico, a png that says it has 2 GB": Bomb(lambda: icon(1, 8, png(8, 8, colour=6), 2**31), "rendered", 20),
    "ico, a bmp of 3600 megapixels within": Bomb(lambda: icon(1, 8, bmp(60_000, 60_000)[14:]), "CorruptImage", 20),
}
