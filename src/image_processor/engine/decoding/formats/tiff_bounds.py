"""Bounds what Pillow and libtiff read of a TIFF without a bound, and refuses two ways of compression.

    entries, and the numbers of each ─▶ strips or tiles ─▶ their pixels, their bytes, their scans of JPEG

Strips and tiles may share their data, so that a file of 2 kB has gigabytes to decode. All that they refer to is summed.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from itertools import islice, repeat
from typing import Final

from image_processor.engine.decoding.formats import tiff_directory as tags
from image_processor.engine.decoding.formats.tiff_directory import MAX_NUMBERS, Directory
from image_processor.engine.decoding.jpeg_kinds import ARITHMETIC, ARITHMETIC_KIND, MAX_SCANNED
from image_processor.engine.decoding.registry import unsupported
from image_processor.engine.limits import Limits
from image_processor.errors import CorruptImage, SourceTooLarge

MAX_ENTRIES: Final = 4_096  # of a directory; scanners and cameras write 15 to 100
OVERHANG: Final = 2  # pixels of all strips or tiles, as a multiple of those allowed: the last of a row may hang over

_OLD_JPEG, _JPEG, _LZMA = 6, 7, 34925
_LISTS: Final = ((tags.STRIP_OFFSETS, tags.STRIP_LENGTHS), (tags.TILE_OFFSETS, tags.TILE_LENGTHS))
_SCAN: Final = b"\xff\xda"
# The frame header of a JPEG of up to 4 components with arithmetic coding, of 8 bits a sample.
_ARITHMETIC: Final = re.compile(rb"\xff[%s]\x00[\x0b\x0e\x11\x14]\x08" % bytes(sorted(ARITHMETIC)))

_First = Mapping[
    int, list[int]
]  # the first number of each entry, by its tag; readers differ on a tag that is there twice


def check(directory: Directory, limits: Limits) -> None:
    """Raise an error for a directory whose parts or whose compression are beyond the bounds.

    `SourceTooLarge` for too many entries, numbers, pixels, bytes or scans; `UnsupportedFormat` for LZMA and for JPEG
    with arithmetic coding, both of which libtiff decodes at a few megapixels a second.
    """
    _check_entries(directory)
    first: defaultdict[int, list[int]] = defaultdict(list)
    for entry in directory:
        first[entry.tag] += directory.numbers(entry, 1)
    compressions = set(first[tags.COMPRESSION])
    if _LZMA in compressions:
        raise unsupported("a TIFF with LZMA compression")
    if compressions & {_OLD_JPEG, _JPEG} and _ARITHMETIC.search(directory.source):
        raise unsupported(f"a TIFF of {ARITHMETIC_KIND}")
    for offsets_tag, lengths_tag in _LISTS:
        offsets, lengths = _only(directory, offsets_tag), _only(directory, lengths_tag)
        pixels = _pixels_of_part(first, tiles=offsets_tag == tags.TILE_OFFSETS)
        _check_pixels(len(offsets), pixels, first, limits)
        parts = _parts(directory.source, offsets, lengths)
        _check_bytes(parts, limits)
        if _JPEG in compressions:
            _check_scans(sum(directory.source.count(_SCAN, *part) for part in parts), pixels)
    if _OLD_JPEG in compressions:  # whose data may be at an offset of its own
        _check_scans(directory.source.count(_SCAN), _most(first, tags.WIDTH) * _most(first, tags.HEIGHT))


def _only(directory: Directory, tag: int) -> tuple[int, ...]:
    """The numbers of the one entry of this tag, none if there is none; raises `CorruptImage` for two entries."""
    found = [entry for entry in directory if entry.tag == tag]
    if len(found) > 1:
        raise CorruptImage(f"the source has {len(found)} lists of its parts, by tag {tag}, where one may be")
    return directory.numbers(found[0]) if found else ()


def _check_entries(directory: Directory) -> None:
    if len(directory) > MAX_ENTRIES:
        raise SourceTooLarge(f"the source's directory has {len(directory)} entries, allowed: {MAX_ENTRIES}")
    for entry in directory:
        size, values = entry.number_bytes, entry.values
        read_one_by_one = size > 1 or (size == 1 and entry.tag in (tags.STRIP_OFFSETS, tags.TILE_OFFSETS))
        # Pillow does not read more numbers than the source can hold.
        if read_one_by_one and MAX_NUMBERS < values <= len(directory.source) // size:
            entry_has = f"entry {entry.tag} of the source's directory has {values} numbers"
            raise SourceTooLarge(f"{entry_has}, allowed: {MAX_NUMBERS}")


def _pixels_of_part(first: _First, *, tiles: bool) -> int:
    """The pixels of a strip or a tile."""
    if tiles:
        return _most(first, tags.TILE_WIDTH) * _most(first, tags.TILE_LENGTH)
    height = _most(first, tags.HEIGHT)
    return _most(first, tags.WIDTH) * min(_most(first, tags.ROWS_PER_STRIP) or height, height)


def _most(first: _First, tag: int) -> int:
    return max(first.get(tag, ()), default=0)


def _check_pixels(parts: int, pixels: int, first: _First, limits: Limits) -> None:
    """Pillow decodes each strip of an uncompressed picture, also those beyond its end."""
    separate = _most(first, tags.PLANAR) == 2
    planes = max(1, _most(first, tags.SAMPLES)) if separate else 1
    allowed = OVERHANG * limits.max_pixels * planes
    if parts > 1 and parts * pixels > allowed:
        raise SourceTooLarge(f"the source has {parts} parts of {pixels} pixels, allowed: {allowed} in all")


def _parts(source: bytes, offsets: tuple[int, ...], lengths: tuple[int, ...]) -> list[tuple[int, int]]:
    """Where each part begins and ends; one whose length is missing or 0 may be read to the end of the source."""
    end = len(source)
    known = islice((*lengths, *repeat(0, max(0, len(offsets) - len(lengths)))), len(offsets))
    return [
        (min(start, end), min(start + length, end) if length else end)
        for start, length in zip(offsets, known, strict=True)
    ]


def _check_bytes(parts: list[tuple[int, int]], limits: Limits) -> None:
    total = sum(end - start for start, end in parts)
    if total > limits.max_bytes:
        raise SourceTooLarge(f"the source's parts have {total} bytes in all, allowed: {limits.max_bytes}")


def _check_scans(scans: int, pixels: int) -> None:
    if scans > 1 and scans * pixels > MAX_SCANNED:
        allowed = f"{MAX_SCANNED // 10**6} megapixels in all"
        raise SourceTooLarge(f"the source is a TIFF of JPEG, of {scans} scans of {pixels} pixels, allowed: {allowed}")
