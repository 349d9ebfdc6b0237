"""How many parts a TIFF has, which Pillow reads without a bound: entries of its directory and their numbers."""

import re
from typing import Final, Literal

from image_processor.errors import SourceTooLarge

MAX_ENTRIES: Final = 4_096  # of a directory; scanners and cameras write 15 to 100
MAX_NUMBERS: Final = 131_072  # of one entry; 80 megapixels in tiles of 32×32 are 78,125, and take Pillow 2 s
MAX_SCANS: Final = 16  # of all progressive JPEGs within; strips may share one, and libtiff allows each a hundred

_COMPRESSION, _STRIP_OFFSETS, _TILE_OFFSETS = 259, 273, 324  # tags of TIFF 6.0
_JPEG_COMPRESSIONS: Final = (6, 7)
_TYPES: Final = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)  # bytes of each type of number
# The frame header of a progressive JPEG of 1, 3 or 4 components, 8 bits each.
_PROGRESSIVE: Final = re.compile(rb"\xff\xc2\x00[\x0b\x11\x14]\x08")


def check(source: bytes) -> None:
    """Raise `SourceTooLarge` for a first directory of too many entries or numbers, or for JPEG of too many scans."""
    order: Literal["little", "big"] = "little" if source.startswith(b"II") else "big"

    def number(place: int, length: int) -> int:
        return int.from_bytes(source[place : place + length], order)

    word, length, counter = (8, 20, 8) if source[2:4] in (b"+\0", b"\0+") else (4, 12, 2)
    start = number(word, word)
    first = start + counter
    # Pillow stops at the end of the source, whatever their number is said to be.
    entries = min(number(start, counter), max(0, len(source) - first) // length)
    if entries > MAX_ENTRIES:
        raise SourceTooLarge(f"the source's directory has {entries} entries, allowed: {MAX_ENTRIES}")
    for at in range(first, first + entries * length, length):
        tag, kind, count = number(at, 2), number(at + 2, 2), number(at + 4, word)
        size = _TYPES[kind] if kind < len(_TYPES) else 0
        read_one_by_one = size > 1 or (size == 1 and tag in (_STRIP_OFFSETS, _TILE_OFFSETS))
        if read_one_by_one and MAX_NUMBERS < count <= len(source) // size:  # those the source can't hold are not read
            raise SourceTooLarge(f"entry {tag} of the source's directory has {count} numbers, allowed: {MAX_NUMBERS}")
        if tag == _COMPRESSION and number(at + 4 + word, 2) in _JPEG_COMPRESSIONS:
            _check_scans(source)


def _check_scans(source: bytes) -> None:
    found = _PROGRESSIVE.search(source)
    if found and source.count(b"\xff\xda", found.start()) > MAX_SCANS:
        raise SourceTooLarge(f"the source is a TIFF of progressive JPEG, of more than {MAX_SCANS} scans in all")
