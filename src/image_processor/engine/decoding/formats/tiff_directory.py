"""The first directory of a TIFF or BigTIFF: one entry for each tag (TIFF 6.0, section 2)."""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

SUBFILE, COMPRESSION, PHOTOMETRIC, STRIP_OFFSETS = 254, 259, 262, 273
TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS, SUBDIRECTORIES = 322, 323, 324, 330
SHORT: Final = 3  # type of numbers of 2 bytes


class Entry(NamedTuple):
    """An entry: its tag, the type and number of its values, and the offset of the field that holds or locates them."""

    tag: int
    type: int
    values: int
    offset: int


class Directory:
    """The first directory of `source`. Numbers after the end of the source are 0, entries there are absent."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.is_big = source[2:4] in (b"+\0", b"\0+")
        self._order: Literal["little", "big"] = "little" if source.startswith(b"II") else "big"
        self._word, self._entry_bytes, counter = (8, 20, 8) if self.is_big else (4, 12, 2)
        start = self.number(self._word, self._word)
        self._first = start + counter
        # Pillow stops at the end of the source, even if more entries are announced.
        complete_entries = max(0, len(source) - self._first) // self._entry_bytes
        self._entries = min(self.number(start, counter), complete_entries)

    def __len__(self) -> int:
        return self._entries

    def __iter__(self) -> Iterator[Entry]:
        for index in range(self._entries):
            at = self._first + index * self._entry_bytes
            value = at + 4 + self._word
            yield Entry(self.number(at, 2), self.number(at + 2, 2), self.number(at + 4, self._word), value)

    def number(self, offset: int, size: int) -> int:
        """The number of `size` bytes at this offset of the source."""
        return int.from_bytes(self.source[offset : offset + size], self._order)
