"""How large the tables of an ISO base media file are; each row is an item, which decoders look up in a list.

meta ─┬─ iloc, iinf, iref   where the items lie, what they are, what belongs together (ISO/IEC 14496-12, 8.11)
      └─ iprp ── ipma       their properties (ISO/IEC 23008-12, 9.3)
"""

from collections.abc import Iterator
from typing import Final

from image_processor.errors import SourceTooLarge

# Bytes of one table. A phone's 48 megapixels in 200 tiles take 4,000; looking up items takes time by their square,
# 12 s for the 60,000 of 600 kB.
MAX_TABLE: Final = 65_536
_TABLES: Final = frozenset({b"iloc", b"iinf", b"iref"})
_VERSION: Final = 4  # bytes of version and flags before what a full box holds


def check(source: bytes) -> None:
    """Raise `SourceTooLarge` for a table of more than `MAX_TABLE` bytes."""
    for name, start, end in _children(source, 0, len(source)):
        if name == b"meta":
            for table, size in _tables(source, start + _VERSION, end):
                if size > MAX_TABLE:
                    raise SourceTooLarge(f"table {table} of the source has {size} bytes, allowed: {MAX_TABLE}")


def _tables(source: bytes, start: int, end: int) -> Iterator[tuple[str, int]]:
    for name, first, last in _children(source, start, end):
        if name in _TABLES:
            yield name.decode(), last - first
        elif name == b"iprp":
            yield "ipma", sum(end - start for part, start, end in _children(source, first, last) if part == b"ipma")


def _children(source: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes from one place to another: name, and where what they hold begins and ends."""
    while start + 8 <= end:
        size, header = int.from_bytes(source[start : start + 4], "big"), 8
        if size == 1:  # the size follows
            size, header = int.from_bytes(source[start + 8 : start + 16], "big"), 16
        last = end if size == 0 else min(end, start + size)
        if last < start + header:
            return
        yield source[start + 4 : start + 8], start + header, last
        start = last
