"""The tables of an ISO base media file, how long they may be, and how their rows are read.

meta ─┬─ iloc, iinf, iref   the items' offsets, their kinds, which belong together (ISO/IEC 14496-12, 8.11)
      └─ iprp ── ipma       their properties (ISO/IEC 23008-12, 9.3)
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from image_processor.engine.decoding.heif.boxes import boxes
from image_processor.errors import CorruptImage, SourceTooLarge

# Bytes of one table, each row of which is an item that decoders look up in a list. A phone's 48 megapixels in 200 tiles
# take 4,000; looking up items takes time by their square, 12 s for the 60,000 of 600 kB.
MAX_TABLE: Final = 65_536
VERSION: Final = 4  # bytes of version and flags, before the content of a full box
_TABLES: Final = frozenset((b"iloc", b"iinf", b"iref"))


def check_tables(meta: memoryview) -> None:
    """Raise `SourceTooLarge` for a table of more than `MAX_TABLE` bytes in this content of a `meta` box."""
    for name, content in boxes(meta):
        if name in _TABLES:
            check_table(name, len(content))
        elif name == b"iprp":
            check_table(b"ipma", sum(len(part) for inner, part in boxes(content) if inner == b"ipma"))


def check_table(name: bytes, size: int) -> None:
    """Raise `SourceTooLarge` for a table of more than `MAX_TABLE` bytes."""
    if size > MAX_TABLE:
        raise SourceTooLarge(f"table {name.decode()} of the source has {size} bytes, allowed: {MAX_TABLE}")


@contextmanager
def complete_tables() -> Iterator[None]:
    """Raise `CorruptImage` for a table that is read beyond its end, which raises `struct.error` or `IndexError`."""
    try:
        yield
    except (struct.error, IndexError) as error:
        raise CorruptImage("the source has a table that ends before its last row") from error


class TableReader:
    """Reads the numbers of a table one after the other; raises `IndexError` after the last."""

    def __init__(self, table: memoryview, offset: int) -> None:
        self._table, self._offset = table, offset

    def read(self, size: int) -> int:
        """The next number, of `size` bytes."""
        start, self._offset = self._offset, self._offset + size
        if self._offset > len(self._table):
            raise IndexError
        return int.from_bytes(self._table[start : self._offset], "big")
