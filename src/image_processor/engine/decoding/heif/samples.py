"""Finds the frames of an AVIF sequence in the file (ISO/IEC 14496-12, 8.6 and 8.7).

stsc: so many samples a chunk, from this chunk on
stco, co64: where each chunk begins
stsz: how long each sample is
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice
from typing import Final

from image_processor.engine.decoding.heif.boxes import boxes, only
from image_processor.engine.decoding.heif.tables import check_table
from image_processor.errors import CorruptImage, SourceTooLarge

# Of a track. libavif stores a row for each, also where the file has none, and searches stsc for each chunk.
MAX_SAMPLES: Final = 65_536
_TABLES: Final = frozenset((b"stts", b"stsc", b"stsz", b"stco", b"co64", b"stss"))
_FIRST: Final = 8  # bytes of a table before its first row; the last four are their number


def samples(source: memoryview, stbl: memoryview, most: int) -> Iterator[memoryview]:
    """The first `most` samples of a track. Raises `SourceTooLarge` for tables or samples that are too many."""
    for name, table in boxes(stbl):
        if name in _TABLES:
            check_table(name, len(table))
    return islice(_samples(source, *_chunks(stbl), _lengths(stbl)), most)


def _samples(
    source: memoryview, offsets: tuple[int, ...], counts: list[int], lengths: Iterator[int]
) -> Iterator[memoryview]:
    for offset, count in zip(offsets, counts, strict=True):
        start = offset
        for length in islice(lengths, count):
            yield source[start : start + length]
            start += length


def _chunks(stbl: memoryview) -> tuple[tuple[int, ...], list[int]]:
    """The offset of each chunk, and its number of samples."""
    stco, co64, stsc = (only(stbl, name) for name in (b"stco", b"co64", b"stsc"))
    if stco and co64:
        raise CorruptImage("the source has two tables of chunks")
    offsets = _rows(co64, "Q", 1) if co64 else _rows(stco, "I", 1)
    runs = _rows(stsc, "I", 3)
    firsts = runs[::3]
    if not firsts or firsts[0] > 1 or list(firsts) != sorted(firsts):
        raise CorruptImage("the source has a table stsc that is not in order")
    counts = [runs[3 * bisect_right(firsts, chunk + 1) - 2] for chunk in range(len(offsets))]
    if sum(counts) > MAX_SAMPLES:
        raise SourceTooLarge(f"the source has {sum(counts)} samples, allowed: {MAX_SAMPLES}")
    return offsets, counts


def _lengths(stbl: memoryview) -> Iterator[int]:
    stsz = only(stbl, b"stsz")
    (size,) = struct.unpack_from(">I", stsz, 4)
    return iter([size] * MAX_SAMPLES if size else _rows(stsz[4:], "I", 1))


def _rows(table: memoryview, number: str, columns: int) -> tuple[int, ...]:
    """The numbers of all rows."""
    (count,) = struct.unpack_from(">I", table, _FIRST - 4)
    if count > len(table):
        raise IndexError
    return struct.unpack_from(f">{count * columns}{number}", table, _FIRST)
