"""The chunks of a PNG that Pillow doesn't tell of, or only when all pixels are decoded."""

import struct
from collections.abc import Mapping
from typing import Final

SIGNATURE: Final = 8  # bytes before the first chunk
MOST: Final = 65_536  # chunks looked at; common encoders make 6,400 for 50 MB
WANTED: Final = frozenset((b"IHDR", b"cICP", b"tRNS", b"eXIf"))


def read(source: bytes) -> Mapping[bytes, bytes]:
    """The content of the first chunk of each wanted name; their checksums are not looked at."""
    found: dict[bytes, bytes] = {}
    place = SIGNATURE
    for _ in range(MOST):
        if place + 8 > len(source):
            break
        length, name = struct.unpack_from(">I4s", source, place)
        if name in WANTED:
            found.setdefault(name, source[place + 8 : place + 8 + length])
        if name == b"IEND":
            break
        place += 12 + length
    return found
