"""PNGs that are small and costly to decode."""

import struct
import zlib

from .bomb import Bomb

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def chunk(name: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def header(width: int, height: int, depth: int = 8, colour: int = 0, interlace: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


def zeros(length: int) -> bytes:
    """This number of zero bytes, compressed (RFC 1950): one block of a megabyte, repeated."""
    whole, rest = divmod(length, 1 << 20)
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    packer = zlib.compressobj(9, wbits=-15)
    last = packer.compress(bytes(rest)) + packer.flush()
    return b"\x78\xda" + block * whole + last + struct.pack(">HH", length % 65_521, 1)


def png(width=8, height=8, *, depth=8, colour=0, interlace=0, before=b"", after=b"", data=None) -> bytes:
    row = 1 + (width * depth * CHANNELS[colour] + 7) // 8
    data = zeros(row * height + 15 * height * interlace) if data is None else data
    end = chunk(b"IEND")
    return SIGNATURE + header(width, height, depth, colour, interlace) + before + chunk(b"IDAT", data) + after + end


def text(kind: bytes, between: bytes, number: int, length: int) -> bytes:
    packed = zeros(length)
    return b"".join(chunk(kind, b"%d" % key + between + packed) for key in range(number))


def empty_pixels() -> bytes:
    """The pixels' data in four million chunks, all but two of them empty."""
    data = zeros(72)
    first, last = chunk(b"IDAT", data[:3]), chunk(b"IDAT", data[3:])
    return SIGNATURE + header(8, 8) + first + chunk(b"IDAT") * 4_000_000 + last + chunk(b"IEND")


def animated(said: int, frames: int) -> bytes:
    data, pieces, number = zeros(72), [SIGNATURE, header(8, 8), chunk(b"acTL", struct.pack(">II", said, 0))], 0
    for frame in range(frames):
        pieces.append(chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, 8, 8, 0, 0, 1, 10, 0, 0)))
        number += 2 if frame else 1
        pieces.append(chunk(b"fdAT", struct.pack(">I", number - 1) + data) if frame else chunk(b"IDAT", data))
    return b"".join([*pieces, chunk(b"IEND")])


def exif(entries: int) -> bytes:
    """A directory in which each entry has the whole directory as its value."""
    body = b"".join(struct.pack("<HHII", tag, 7, 12 * entries, 8) for tag in range(entries))
    return chunk(b"eXIf", b"II*\0\x08\0\0\0" + struct.pack("<H", entries) + body)


TOO_MANY, TOO_LARGE = "SourceTooLarge", "SourceTooLarge"
BOMBS = {
    "png, 33 kB of 268 megapixels": Bomb(lambda: png(16_384, 16_384, depth=1), TOO_LARGE, 20),
    "png, 79 megapixels of 16 bits and alpha": Bomb(lambda: png(8900, 8900, depth=16, colour=6), "rendered", 1_000),
    "png, 79 megapixels interlaced": Bomb(lambda: png(8900, 8900, interlace=1), "rendered", 1_000),
    "png, text that unpacks to 200 MB": Bomb(
        lambda: png(before=text(b"zTXt", b"\0\0", 1, 200_000_000)), "CorruptImage", 30
    ),
    "png, international text of 200 MB": Bomb(
        lambda: png(before=text(b"iTXt", b"\0\1\0\0\0", 1, 200_000_000)), "CorruptImage", 30
    ),
    "png, a profile of 200 MB": Bomb(lambda: png(before=text(b"iCCP", b"\0\0", 1, 200_000_000)), "CorruptImage", 30),
    "png, 500 texts of 1 MB": Bomb(lambda: png(before=text(b"zTXt", b"\0\0", 500, 1_000_000)), "CorruptImage", 150),
    "png, 4 million chunks": Bomb(lambda: png(before=chunk(b"prVt") * 4_000_000), TOO_MANY, 150),
    "png, 3 million texts": Bomb(lambda: png(before=chunk(b"tEXt", b"a\0b") * 3_000_000), TOO_MANY, 150),
    "png, 4 million chunks behind the pixels": Bomb(lambda: png(after=chunk(b"prVt") * 4_000_000), TOO_MANY, 150),
    "png, pixels in 4 million chunks": Bomb(empty_pixels, TOO_MANY, 30),
    "png, 500 MB where 72 bytes are due": Bomb(lambda: png(data=zeros(500_000_000)), "rendered", 30),
    "png, a directory that overlaps itself": Bomb(lambda: png(before=exif(65_535)), "rendered", 50),
    "apng, 2 frames that say they are 2^31": Bomb(lambda: animated(2**31 - 1, 2), "rendered", 20),
    "apng, 50,000 frames": Bomb(lambda: animated(50_000, 50_000), "rendered", 20),
}
