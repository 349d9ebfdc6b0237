"""TIFFs that are small and costly to decode."""

import lzma
import struct
import zlib
from collections.abc import Sequence
from hashlib import shake_256

from .bomb import Bomb
from .jpeg import arithmetic, progressive, sequential
from .png import zeros

BYTE, SHORT, LONG, UNDEFINED = 1, 3, 4, 7
SIZES = {BYTE: 1, SHORT: 2, LONG: 4, UNDEFINED: 1}
STRIPS, STRIP_BYTES, ROWS, TILE_WIDTH, TILE_LENGTH, TILES, TILE_BYTES = 273, 279, 278, 322, 323, 324, 325
COMPRESSION, BITS, SAMPLES = 259, 258, 277
RAW, LZW, OLD_JPEG, JPEG, DEFLATE, LZMA, ZSTD = 1, 5, 6, 7, 8, 34925, 50000
Tags = dict[int, tuple[int, int | Sequence[int] | bytes]]


def tags(width: int, height: int, changes: Tags | None = None, *, tiled: bool = False) -> Tags:
    """The tags of a grey picture in one strip, whose offset is 0."""
    basic: Tags = {
        256: (LONG, width), 257: (LONG, height), BITS: (SHORT, 8), COMPRESSION: (SHORT, 1), 262: (SHORT, 1),
        SAMPLES: (SHORT, 1),
    }  # fmt: skip
    if not tiled:
        basic |= {STRIPS: (LONG, 8), ROWS: (LONG, height), STRIP_BYTES: (LONG, width * height)}
    return basic | (changes or {})


def packed(kind: int, value: int | Sequence[int] | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    values = [value] if isinstance(value, int) else value
    return b"".join(number.to_bytes(SIZES[kind], "little") for number in values)


def tiff(of: Tags, data: bytes = b"", more: bytes = b"", following: int = 0) -> bytes:
    """A little-endian TIFF; `more` are further entries, `data` the bytes at the end."""
    number = len(of) + len(more) // 12
    entries, values = b"", b""
    values_offset = 8 + 2 + 12 * number + 4
    for tag, (kind, value) in sorted(of.items()):
        body = packed(kind, value)
        field = body.ljust(4, b"\0") if len(body) <= 4 else struct.pack("<I", values_offset + len(values))
        entries += struct.pack("<HHI", tag, kind, len(body) // SIZES[kind]) + field
        values += body + b"\0" * (len(body) % 2) if len(body) > 4 else b""
    return b"II*\0" + struct.pack("<IH", 8, number) + entries + more + struct.pack("<I", following) + values + data


def at_the_end(of: Tags, data: bytes, parts: int = 1) -> bytes:
    """A TIFF whose strips or tiles are all the same data, at the end of the file."""
    offsets, lengths = (TILES, TILE_BYTES) if TILE_WIDTH in of else (STRIPS, STRIP_BYTES)
    of = of | {lengths: (LONG, struct.pack("<I", len(data)) * parts), offsets: (LONG, bytes(4) * parts)}
    return tiff(of | {offsets: (LONG, struct.pack("<I", len(tiff(of))) * parts)}, data)


def deflated(sides: tuple[int, int], samples: int, bits: int) -> bytes:
    colour: Tags = {BITS: (SHORT, [bits] * samples), SAMPLES: (SHORT, samples), 262: (SHORT, 2 if samples > 1 else 1)}
    extra: Tags = {338: (SHORT, 2)} if samples == 4 else {}
    of = tags(*sides, {COMPRESSION: (SHORT, DEFLATE)} | colour | extra)
    return at_the_end(of, zeros(sides[0] * sides[1] * samples * bits // 8))


def tiles(number: int, side: int, data: bytes, compression: int = 1) -> bytes:
    changes: Tags = {TILE_WIDTH: (LONG, side), TILE_LENGTH: (LONG, side), COMPRESSION: (SHORT, compression)}
    across = int(number**0.5) * side
    return at_the_end(tags(across, across, changes, tiled=True), data, number)


def many_directories(number: int) -> bytes:
    one = tiff(tags(8, 8))[8:-4]
    offsets = [8 + (len(one) + 4) * (index + 1) for index in range(number - 1)]
    return b"II*\0" + struct.pack("<I", 8) + b"".join(one + struct.pack("<I", offset) for offset in [*offsets, 0])


def of_jpeg(sides: tuple[int, int], data: bytes) -> bytes:
    return at_the_end(tags(*sides, {COMPRESSION: (SHORT, JPEG)}), data)


def sharing(width: int, rows: int, strips: int, compression: int, data: bytes) -> bytes:
    """Strips of so many rows, which are all the same data."""
    return at_the_end(tags(width, rows * strips, {COMPRESSION: (SHORT, compression), ROWS: (LONG, rows)}), data, strips)


def of_colour(width: int, rows: int, strips: int, samples: int, bits: int, compression: int, data: bytes) -> bytes:
    """The same with several samples a pixel."""
    colour: Tags = {BITS: (SHORT, [bits] * samples), SAMPLES: (SHORT, samples), 262: (SHORT, 2)}
    extra: Tags = {338: (SHORT, 2)} if samples == 4 else {}
    of = tags(width, rows * strips, {COMPRESSION: (SHORT, compression), ROWS: (LONG, rows)} | colour | extra)
    return at_the_end(of, data, strips)


def without_lengths(width: int, rows: int, strips: int, data: bytes) -> bytes:
    """The same without the tag of the strips' lengths, which are then taken as all that is left of the file."""
    of = tags(width, rows * strips, {COMPRESSION: (SHORT, DEFLATE), ROWS: (LONG, rows)})
    del of[STRIP_BYTES]
    of[STRIPS] = (LONG, bytes(4) * strips)
    return tiff(of | {STRIPS: (LONG, struct.pack("<I", len(tiff(of))) * strips)}, data)


def overhanging(side: int, bits: int) -> bytes:
    """A picture a pixel longer than its tiles on both sides, so that most of four tiles is not seen."""
    colour: Tags = {BITS: (SHORT, [bits] * 4), SAMPLES: (SHORT, 4), 262: (SHORT, 2), 338: (SHORT, 2)}
    changes: Tags = {TILE_WIDTH: (LONG, side), TILE_LENGTH: (LONG, side), COMPRESSION: (SHORT, DEFLATE)}
    of = tags(side + 1, side + 1, changes | colour, tiled=True)
    return at_the_end(of, zeros(side * side * 4 * bits // 8), 4)


def noise(length: int, bits: int = 255) -> bytes:
    """Bytes of noise; with fewer bits set, data that can be packed, which takes longer to unpack."""
    return shake_256(b"noise").digest(length).translate(bytes(byte & bits for byte in range(256)))


def one_bit(strips: int) -> bytes:
    """64 megapixels of 1 bit, in strips each of which is nearly the whole picture."""
    of = tags(8000, 8000, {BITS: (SHORT, 1), ROWS: (LONG, 7999)})
    return at_the_end(of, bytes(8_000_000), strips)


def many_lists(number: int, strips: int) -> bytes:
    """A directory with this number of entries for the strips' offsets, and as many for their lengths."""
    of, start = tags(8, 8, {ROWS: (LONG, 1)}), 8 + 2 + 12 * number + 4
    more = b"".join(
        struct.pack("<HHII", (STRIPS, STRIP_BYTES)[index % 2], LONG, strips, start) for index in range(number)
    )
    return tiff(of, bytes(4 * strips), more)


def window(bits: int) -> bytes:
    """A frame of zstandard (RFC 8878) of one block, 4096 times the same byte."""
    block = (4096 << 3 | 1 << 1 | 1).to_bytes(3, "little")
    return b"\x28\xb5\x2f\xfd\0" + bytes(((bits - 10) << 3,)) + block + b"\x55"


def same_value(number: int) -> bytes:
    """Entries that all have the directory itself as their value."""
    return b"".join(struct.pack("<HHII", tag, UNDEFINED, 12 * number, 8) for tag in range(500, 500 + number))


def big(entries: int, said: int) -> bytes:
    body = b"".join(struct.pack("<HHQQ", entry % 65_536, BYTE, 1, 0) for entry in range(entries))
    return b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, said) + body


LONGS, BYTES = struct.pack("<I", 8), b"\x08"
TOO_MANY, UNREAD = "SourceTooLarge", "UnsupportedFormat"
BOMBS = {
    "tiff, directories in a circle": Bomb(lambda: tiff(tags(8, 8), bytes(99), following=8), "rendered", 20),
    "tiff, 10,000 directories": Bomb(lambda: many_directories(10_000), "rendered", 20),
    "tiff, 65,000 entries": Bomb(lambda: tiff(tags(8, 8), bytes(99), more=same_value(65_000)), TOO_MANY, 20),
    "tiff, 4,000 entries that overlap": Bomb(
        lambda: tiff(tags(8, 8), bytes(99), more=same_value(4_000)), "rendered", 50
    ),
    "tiff, 2^63 entries": Bomb(lambda: big(2_000_000, 2**63), TOO_MANY, 20),
    "tiff, 12 million strips": Bomb(
        lambda: tiff(tags(8, 8, {ROWS: (LONG, 1), STRIPS: (LONG, LONGS * 12_000_000)}), bytes(99)), TOO_MANY, 20
    ),
    "tiff, 48 million strips": Bomb(
        lambda: tiff(tags(8, 8, {ROWS: (LONG, 1), STRIPS: (BYTE, BYTES * 48_000_000)}), bytes(99)), TOO_MANY, 20
    ),
    "tiff, 130,000 tiles": Bomb(lambda: tiles(130_000, 16, bytes(256)), "rendered", 300),
    "tiff, 130,000 tiles, packed": Bomb(
        lambda: tiles(130_000, 16, zlib.compress(bytes(256)), DEFLATE), "rendered", 300
    ),
    "tiff, 4 million tiles of one pixel": Bomb(lambda: tiles(4_000_000, 1, b"\0"), TOO_MANY, 20),
    "tiff, strips that overlap": Bomb(
        lambda: at_the_end(tags(8000, 6000, {ROWS: (LONG, 1)}), bytes(8000), 6000), "rendered", 150
    ),
    "tiff, strips that overlap in 64 MB": Bomb(
        lambda: at_the_end(tags(8000, 8000, {ROWS: (LONG, 1)}), bytes(8000), 8000), TOO_MANY, 20
    ),
    "tiff, 4,000 lists of 130,000 strips": Bomb(lambda: many_lists(4_000, 130_000), "CorruptImage", 20),
    "tiff, zstandard with a window of 128 MB": Bomb(lambda: sharing(64, 64, 1, ZSTD, window(27)), "rendered", 30),
    "tiff, 65,535 samples a pixel": Bomb(lambda: tiff(tags(8, 8, {SAMPLES: (SHORT, 65_535)})), "CorruptImage", 20),
    "tiff, 2^31 samples a pixel": Bomb(lambda: tiff(tags(8, 8, {SAMPLES: (LONG, 2**31)})), "CorruptImage", 20),
    "tiff, 20 million depths": Bomb(lambda: tiff(tags(8, 8, {BITS: (SHORT, b"\x08\0" * 20_000_000)})), TOO_MANY, 20),
    "tiff, 500 MB where 64 bytes are due": Bomb(
        lambda: at_the_end(tags(8, 8, {COMPRESSION: (SHORT, DEFLATE)}), zeros(500_000_000)), "rendered", 20
    ),
    "tiff, 79 megapixels in one strip": Bomb(lambda: deflated((8900, 8900), 3, 8), "rendered", 700),
    "tiff, 79 megapixels of 16 bits and alpha": Bomb(lambda: deflated((8900, 8900), 4, 16), "rendered", 1_300),
    "tiff, a jpeg of 2000 scans": Bomb(lambda: of_jpeg((8000, 8000), progressive(8000, 8000, 1, 2000)), TOO_MANY, 20),
    "tiff, a jpeg of 15 scans": Bomb(lambda: of_jpeg((8000, 8000), progressive(8000, 8000, 1, 14)), "rendered", 400),
    "tiff, a jpeg of other sides": Bomb(
        lambda: of_jpeg((8, 8), progressive(60_000, 60_000, 1, 0)[:5000]), "CorruptImage", 30
    ),
    "tiff, 76 strips of one jpeg of arithmetic coding": Bomb(
        lambda: sharing(8000, 128, 76, JPEG, arithmetic(8000, 128)), UNREAD, 20
    ),
    "tiff, 76 strips of one jpeg of arithmetic coding, progressive": Bomb(
        lambda: sharing(8000, 128, 76, JPEG, arithmetic(8000, 128, 0xCA, 90)), UNREAD, 20
    ),
    "tiff, an old jpeg of arithmetic coding": Bomb(
        lambda: sharing(8000, 8000, 1, OLD_JPEG, arithmetic(8000, 8000)), UNREAD, 20
    ),
    "tiff, 100 strips of one jpeg of 99 scans, not progressive": Bomb(
        lambda: of_colour(8000, 80, 100, 3, 8, JPEG, sequential(8000, 80, 99)), TOO_MANY, 20
    ),
    "tiff, 100 strips of one jpeg of 99 scans, progressive": Bomb(
        lambda: sharing(8000, 80, 100, JPEG, progressive(8000, 80, 1, 98)), TOO_MANY, 20
    ),
    "tiff, 152 strips of one of lzma": Bomb(
        lambda: of_colour(8000, 59, 152, 4, 16, LZMA, lzma.compress(noise(8000 * 59 * 8, 15))), UNREAD, 20
    ),
    "tiff, 152 strips of one of deflate": Bomb(
        lambda: of_colour(8000, 59, 152, 4, 16, DEFLATE, zlib.compress(noise(8000 * 59 * 8))), TOO_MANY, 20
    ),
    "tiff, a strip of lzma": Bomb(lambda: sharing(64, 64, 1, LZMA, lzma.compress(bytes(4096))), UNREAD, 20),
    "tiff, 65,000 strips of one of 4 MB": Bomb(
        lambda: sharing(100, 1, 65_000, DEFLATE, zlib.compress(noise(4_000_000))), TOO_MANY, 20
    ),
    "tiff, 65,000 tiles of one of 4 MB": Bomb(
        lambda: tiles(65_000, 16, zlib.compress(noise(4_000_000)), DEFLATE), TOO_MANY, 20
    ),
    "tiff, 65,000 strips without lengths in 4 MB": Bomb(
        lambda: without_lengths(100, 1, 65_000, zlib.compress(noise(4_000_000))), TOO_MANY, 20
    ),
    "tiff, 130,000 strips that are each the whole picture": Bomb(lambda: one_bit(130_000), TOO_MANY, 20),
    "tiff, tiles of 68 megapixels of 16 bits over each edge": Bomb(lambda: overhanging(8256, 16), TOO_MANY, 20),
}
