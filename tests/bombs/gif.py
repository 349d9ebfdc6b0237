"""GIFs that are small and costly to decode."""

import struct

from .bomb import Bomb

ONE_PIXEL = b"\x02\x02\x4c\x01\0"


def image(width: int, height: int, data: bytes = ONE_PIXEL, flags: int = 0) -> bytes:
    return b"," + struct.pack("<HHHHB", 0, 0, width, height, flags) + data


def gif(width=1, height=1, *, before=b"", first=None, after=b"") -> bytes:
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    return screen + before + (first or image(width, height)) + after + b";"


def blocks(data: bytes) -> bytes:
    return b"".join(bytes((len(data[i : i + 255]),)) + data[i : i + 255] for i in range(0, len(data), 255)) + b"\0"


def lzw(pixels: int) -> bytes:
    """This number of pixels in the fewest codes: each code encodes one pixel more than the code before."""
    out, held, bits, made = bytearray(), 0, 0, 0

    def put(code: int, size: int) -> None:
        nonlocal held, bits
        held |= code << bits
        bits += size
        while bits >= 8:
            out.append(held & 255)
            held, bits = held >> 8, bits - 8

    size = 9
    while made < pixels:
        put(256, size)  # clear
        size = 9
        put(0, size)
        made += 1
        for run, code in enumerate(range(258, 4096), 2):
            put(code, size)
            made += run
            if code + 1 == 1 << size and size < 12:
                size += 1
            if made >= pixels:
                break
    put(257, size)
    put(0, 8)
    return b"\x08" + blocks(bytes(out))


MOVING = "width=1,format=gif"  # with all its frames
BOMBS = {
    "gif, 29 bytes of 4295 megapixels": Bomb(
        lambda: b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + image(65_535, 65_535) + b";",
        "SourceTooLarge",
        20,
    ),
    "gif, 79 megapixels in 59 kB": Bomb(
        lambda: gif(8900, 8900, first=image(8900, 8900, lzw(8900**2))), "rendered", 600
    ),
    "gif, 79 megapixels interlaced": Bomb(
        lambda: gif(8900, 8900, first=image(8900, 8900, lzw(8900**2), 0x40)), "rendered", 600
    ),
    "gif, a pixel on a screen of 79 megapixels": Bomb(lambda: gif(8900, 8900, first=image(1, 1)), "rendered", 500),
    "gif, 500 megapixels where one is due": Bomb(lambda: gif(first=image(1, 1, lzw(500_000_000))), "rendered", 20),
    "gif, clear codes alone": Bomb(
        lambda: gif(first=image(1, 1, b"\x02" + (b"\xff" + b"\x24\x49\x92" * 85) * 180_000 + b"\0")), "CorruptImage", 80
    ),
    "gif, a million frames": Bomb(
        lambda: gif(after=image(1, 1) * 1_000_000), "SourceTooLarge", 20, "width=1,format=gif"
    ),
    "gif, 999 frames of 79,000 pixels": Bomb(
        lambda: gif(280, 280, first=image(280, 280, lzw(280**2)), after=image(280, 280, lzw(280**2)) * 998),
        "rendered",
        300,
        "width=16,height=16,format=webp",
    ),
    "gif, a comment of 50 MB": Bomb(
        lambda: gif(before=b"!\xfe" + (b"\xff" + bytes(255)) * 200_000 + b"\0"), "rendered", 250
    ),
    "gif, 10 million comments": Bomb(lambda: gif(before=b"!\xfe\x01a\0" * 10_000_000), "SourceTooLarge", 100),
    "gif, 20 million bytes of an extension, each apart": Bomb(
        lambda: gif(before=b"!\xff\x0bXMP DataXMP" + b"\x01a" * 20_000_000 + b"\0"), "SourceTooLarge", 100
    ),
    "gif, the same behind the picture": Bomb(
        lambda: gif(after=b"!\xff\x0bXMP DataXMP" + b"\x01a" * 20_000_000 + b"\0"), "SourceTooLarge", 100, MOVING
    ),
    "gif, 50 MB of no block": Bomb(lambda: gif(before=b"\x07" * 50_000_000), "SourceTooLarge", 100),
    "gif, the same behind its picture": Bomb(lambda: gif(after=b"\x07" * 50_000_000), "SourceTooLarge", 100, MOVING),
}
