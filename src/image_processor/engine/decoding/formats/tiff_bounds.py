"""Bounds what Pillow and libtiff read of a TIFF without a bound: entries, their numbers, scans of progressive JPEG."""

import re
from typing import Final

from image_processor.engine.decoding.formats.tiff_directory import COMPRESSION, STRIP_OFFSETS, TILE_OFFSETS, Directory
from image_processor.errors import SourceTooLarge

MAX_ENTRIES: Final = 4_096  # of a directory; scanners and cameras write 15 to 100
MAX_NUMBERS: Final = 131_072  # of one entry; 80 megapixels in tiles of 32×32 are 78,125, and take Pillow 2 s
MAX_SCANS: Final = 16  # of all progressive JPEGs within; strips may share one, and libtiff allows each a hundred

_JPEG_COMPRESSIONS: Final = (6, 7)
_TYPE_BYTES: Final = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)  # by the number of the type
# The frame header of a progressive JPEG of 1, 3 or 4 components, 8 bits each.
_PROGRESSIVE: Final = re.compile(rb"\xff\xc2\x00[\x0b\x11\x14]\x08")


def check(directory: Directory) -> None:
    """Raise `SourceTooLarge` for a directory of too many entries or numbers, or for JPEG of too many scans."""
    if len(directory) > MAX_ENTRIES:
        raise SourceTooLarge(f"the source's directory has {len(directory)} entries, allowed: {MAX_ENTRIES}")
    for tag, kind, values, offset in directory:
        size = _TYPE_BYTES[kind] if kind < len(_TYPE_BYTES) else 0
        read_one_by_one = size > 1 or (size == 1 and tag in (STRIP_OFFSETS, TILE_OFFSETS))
        # Pillow does not read more numbers than the source can hold.
        if read_one_by_one and MAX_NUMBERS < values <= len(directory.source) // size:
            raise SourceTooLarge(f"entry {tag} of the source's directory has {values} numbers, allowed: {MAX_NUMBERS}")
        if tag == COMPRESSION and directory.number(offset, 2) in _JPEG_COMPRESSIONS:
            _check_scans(directory.source)


def _check_scans(source: bytes) -> None:
    found = _PROGRESSIVE.search(source)
    if found and source.count(b"\xff\xda", found.start()) > MAX_SCANS:
        raise SourceTooLarge(f"the source is a TIFF of progressive JPEG, of more than {MAX_SCANS} scans in all")
