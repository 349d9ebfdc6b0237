"""WebPs that are small and costly to decode."""

import io
import struct

from PIL import Image

from .bomb import Bomb

Chunk = tuple[bytes, bytes]
ANIMATION, EXIF, PROFILE = 2, 8, 32  # flags of VP8X


def riff(*chunks: Chunk) -> bytes:
    """The bytes of a chunk without a name are inserted unchanged."""
    body = b"".join(
        name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) if name else data for name, data in chunks
    )
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def sides(*values: int) -> bytes:
    return b"".join(value.to_bytes(3, "little") for value in values)


def canvas(width: int, height: int, flags: int = 0) -> Chunk:
    return b"VP8X", bytes((flags, 0, 0, 0)) + sides(width - 1, height - 1)


def picture(width: int = 8, height: int = 8, mode: str = "RGB") -> Chunk:
    body = io.BytesIO()
    Image.new(mode, (width, height), (1, 2, 3, 4)[: len(mode)]).save(body, "webp", lossless=True, method=0)
    data = body.getvalue()
    return data[12:16], data[20 : 20 + int.from_bytes(data[16:20], "little")]


def frame(width: int = 8, height: int = 8) -> Chunk:
    name, data = picture(width, height)
    inner = name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"ANMF", sides(0, 0, width - 1, height - 1, 100) + b"\0" + inner


def animation(width: int, height: int, *frames: Chunk) -> bytes:
    return riff(canvas(width, height, ANIMATION), (b"ANIM", bytes(6)), *frames)


def exif(entries: int) -> Chunk:
    body = b"".join(struct.pack("<HHII", tag, 7, 12 * entries, 8) for tag in range(entries))
    return b"EXIF", b"II*\0\x08\0\0\0" + struct.pack("<H", entries) + body


MOST = 1_400  # megabytes; the limit of pixels allows as much
BOMBS = {
    "webp, a canvas of 268 megapixels": Bomb(lambda: animation(16_384, 16_384, frame()), "SourceTooLarge", 20),
    "webp, a small frame on 79 megapixels": Bomb(lambda: animation(8900, 8900, frame()), "rendered", MOST),
    "webp, a frame larger than its canvas": Bomb(lambda: animation(8, 8, frame(800, 800)), "CorruptImage", 20),
    "webp, a picture larger than its canvas": Bomb(lambda: riff(canvas(8, 8), picture(4000, 4000)), "CorruptImage", 20),
    "webp, 79 megapixels in 46 bytes": Bomb(lambda: riff(picture(8900, 8900, "RGBA")), "rendered", MOST),
    "webp, 100,000 frames": Bomb(
        lambda: animation(8, 8, *[frame()] * 100_000), "SourceTooLarge", 50, "width=16,height=16,format=webp"
    ),
    "webp, 6 million chunks": Bomb(
        lambda: riff(canvas(8, 8), picture(), (b"", b"abcd\0\0\0\0" * 6_000_000)), "rendered", 400
    ),
    "webp, 6 million profiles": Bomb(
        lambda: riff(canvas(8, 8, PROFILE), (b"", b"ICCP\0\0\0\0" * 6_000_000), picture()), "rendered", 400
    ),
    "webp, a directory that overlaps itself": Bomb(
        lambda: riff(canvas(8, 8, EXIF), picture(), exif(65_000)), "rendered", 50
    ),
}
