"""JPEGs that are put together of segments and scans."""

import struct

SOS = b"\xff\xda\0\x08\x01\x01\0\0\x3f\0"


def segment(marker: int, body: bytes = b"") -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", 2 + len(body)) + body


def progressive(number: int, width: int = 8, height: int = 8) -> bytes:
    """Of this many scans, each of a few bytes that are no marker, among other segments."""
    frame = segment(0xC2, struct.pack(">BHHB3B", 8, height, width, 1, 1, 0x11, 0))
    return b"\xff\xd8" + frame + (SOS + b"\x12\xff\0\xff\xd0\x34" + segment(0xFE, SOS)) * number + b"\xff\xd9"
