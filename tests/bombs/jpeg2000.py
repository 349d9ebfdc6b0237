"""JPEG 2000s that are small and costly to decode (ISO/IEC 15444-1, annex A)."""

import struct
from collections.abc import Sequence

from .bmff import box
from .bomb import Bomb

SIZ, COD, COC, QCD, POC = 0xFF51, 0xFF52, 0xFF53, 0xFF5C, 0xFF5F
LARGEST = 15  # exponent of the sides of a precinct, if none are given


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">HH", marker, len(body) + 2) + body


def style(levels: int, block: tuple[int, int] = (4, 4), precincts: Sequence[tuple[int, int]] = ()) -> bytes:
    """The end of a COD or COC: `block` and `precincts` are exponents of sides, of blocks less 2."""
    return bytes((levels, *block, 0, 1)) + bytes(down << 4 | across for across, down in precincts)


def cod(levels=0, block=(4, 4), precincts=(), *, layers=1, order=0) -> bytes:
    return segment(COD, struct.pack(">BBHB", bool(precincts), order, layers, 0) + style(levels, block, precincts))


def coc(component: int, levels=0, block=(4, 4), precincts=()) -> bytes:
    return segment(COC, bytes((component, bool(precincts))) + style(levels, block, precincts))


def jpeg2000(
    width=8, height=8, *, tile=(0, 0), components=1, steps=(1, 1), coding=b"", more=b"", parts=None
) -> bytes:  # fmt: skip
    """A codestream of a header and the given tile-parts, by default an empty one; `steps` are the subsampling."""
    tile = tile if all(tile) else (width, height)
    sides = struct.pack(">HIIIIIIIIH", 0, width, height, 0, 0, *tile, 0, 0, components)
    out = b"\xff\x4f" + segment(SIZ, sides + bytes((7, *steps)) * components) + (coding or cod())
    out += segment(QCD, b"\x40" + b"\x40" * (3 * 32 + 1)) + more
    return out + (part() if parts is None else parts) + b"\xff\xd9"


def part(index: int = 0, header: bytes = b"", data: bytes = b"\0") -> bytes:
    """A tile-part of packets that are all empty."""
    body = header + b"\xff\x93" + data
    return b"\xff\x90" + struct.pack(">HHIBB", 10, index, 12 + len(body), 0, 1) + body


def orders(number: int, components: int, resolutions: int, layers: int, order: int = 0) -> bytes:
    """A change of order (A.6.6), which repeats this number of times what it repeats."""
    return segment(POC, struct.pack(">BBHBBB", 0, 0, layers, resolutions, components, order) * number)


def empty_tiles(number: int) -> bytes:
    return b"".join(
        b"\xff\x90" + struct.pack(">HHIBB", 10, index % 65_535, 15, 0, 1) + b"\xff\x93\0" for index in range(number)
    )


def in_file(codestream: bytes, components: int = 1, sides: tuple[int, int] = (8, 8)) -> bytes:
    header = box(b"ihdr", struct.pack(">IIHBBBB", *sides[::-1], components, 7, 7, 0, 0))
    header += box(b"colr", struct.pack(">BBBI", 1, 0, 0, 17 if components < 3 else 16))
    start = b"\0\0\0\x0cjP  \r\n\x87\n" + box(b"ftyp", b"jp2 \0\0\0\0jp2 ") + box(b"jp2h", header)
    return start + box(b"jp2c", codestream)


ONE = ((0, 0),)  # precincts of one sample
TOO_MUCH = "SourceTooLarge"
BOMBS = {
    "jpeg 2000, 2^64 pixels": Bomb(lambda: jpeg2000(2**32 - 1, 2**32 - 1), TOO_MUCH, 20),
    "jpeg 2000, 79 megapixels in tiles of one": Bomb(lambda: jpeg2000(8900, 8900, tile=(1, 1)), TOO_MUCH, 20),
    "jpeg 2000, 65,000 tiles": Bomb(
        lambda: jpeg2000(8900, 8900, tile=(35, 35), parts=empty_tiles(65_000)), TOO_MUCH, 20
    ),
    "jpeg 2000, 16,384 components": Bomb(
        lambda: in_file(jpeg2000(8000, 8000, components=16_384), 3, (8000, 8000)), "UnsupportedFormat", 20
    ),
    "jpeg 2000, 65,535 layers of 32 levels": Bomb(
        lambda: jpeg2000(8000, 8000, coding=cod(32, layers=65_535), parts=empty_tiles(1)), "rendered", 20
    ),
    "jpeg 2000, precincts of one sample": Bomb(lambda: jpeg2000(2000, 2000, coding=cod(0, (0, 0), ONE)), TOO_MUCH, 20),
    "jpeg 2000, precincts of one sample in three components": Bomb(
        lambda: jpeg2000(2000, 2000, components=3, coding=cod(0, (0, 0), ONE)), TOO_MUCH, 20
    ),
    "jpeg 2000, precincts of one sample in a file": Bomb(
        lambda: in_file(jpeg2000(2000, 2000, coding=cod(0, (0, 0), ONE)), 1, (2000, 2000)), TOO_MUCH, 20
    ),
    "jpeg 2000, code-blocks of 4×4": Bomb(lambda: jpeg2000(4800, 4800, coding=cod(0, (0, 0))), "rendered", 1_200),
    "jpeg 2000, code-blocks of 4×4 in four components": Bomb(
        lambda: jpeg2000(2400, 2400, components=4, coding=cod(5, (0, 0))), "rendered", 1_200
    ),
    "jpeg 2000, code-blocks of 4×4 in 64 megapixels": Bomb(
        lambda: jpeg2000(8000, 8000, coding=cod(5, (0, 0))), TOO_MUCH, 20
    ),
    "jpeg 2000, code-blocks of 4×4 by precincts of 4×4": Bomb(
        lambda: jpeg2000(4800, 4800, coding=cod(0, (4, 4), ((2, 2),))), TOO_MUCH, 20
    ),
    "jpeg 2000, precincts of one sample in one component alone": Bomb(
        lambda: jpeg2000(2000, 2000, components=3, more=coc(2, 0, (0, 0), ONE)), TOO_MUCH, 20
    ),
    "jpeg 2000, precincts of one sample in the highest resolution alone": Bomb(
        lambda: jpeg2000(2000, 2000, coding=cod(2, (0, 0), ((15, 15), (15, 15), (1, 1)))), TOO_MUCH, 20
    ),
    "jpeg 2000, precincts of one sample in a tile alone": Bomb(
        lambda: jpeg2000(2000, 2000, parts=part(header=cod(0, (0, 0), ONE))), TOO_MUCH, 20
    ),
    "jpeg 2000, precincts of one sample in a component of a tile alone": Bomb(
        lambda: jpeg2000(2000, 2000, parts=part(header=coc(0, 0, (0, 0), ONE))), TOO_MUCH, 20
    ),
    "jpeg 2000, precincts of one sample in all of 16 tiles": Bomb(
        lambda: jpeg2000(
            4000, 4000, tile=(1000, 1000), coding=cod(0, (0, 0), ONE), parts=b"".join(map(part, range(16)))
        ),
        TOO_MUCH,
        20,
    ),
    "jpeg 2000, precincts of one column and of one row": Bomb(
        lambda: jpeg2000(8000, 8000, components=4, coding=cod(1, (0, 0), ((0, 15), (15, 1)), order=2)), TOO_MUCH, 20
    ),
    "jpeg 2000, 65,535 layers of 10,000 precincts": Bomb(
        lambda: jpeg2000(1600, 1600, coding=cod(0, (0, 0), ((4, 4),), layers=65_535)), TOO_MUCH, 20
    ),
    "jpeg 2000, 32 orders of 65,535 layers of 32 levels": Bomb(
        lambda: jpeg2000(1000, 1000, coding=cod(32, layers=65_535), more=orders(31, 1, 33, 65_535)), "rendered", 100
    ),
    "jpeg 2000, 31 orders of a million precincts": Bomb(
        lambda: jpeg2000(4000, 4000, coding=cod(0, (0, 0), ((3, 3),), layers=4), more=orders(31, 1, 1, 4)),
        "rendered",
        700,
    ),
    "jpeg 2000, two million tile-parts": Bomb(lambda: jpeg2000(parts=part() * 2_000_000), "CorruptImage", 200),
    "jpeg 2000, a comment of 65 kB 500 times": Bomb(
        lambda: jpeg2000(more=segment(0xFF64, bytes(65_000)) * 500), "rendered", 200
    ),
    "jpeg 2000, 8 million comments": Bomb(lambda: jpeg2000(more=segment(0xFF64, b"") * 8_000_000), "rendered", 200),
    "jpeg 2000, five million quantizations": Bomb(
        lambda: jpeg2000(more=segment(QCD, b"\x40\x40") * 5_000_000), TOO_MUCH, 200
    ),
}
