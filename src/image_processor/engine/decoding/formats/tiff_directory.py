"""The first directory of a TIFF or BigTIFF: one entry for each tag (TIFF 6.0, section 2)."""

import struct
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

SUBFILE, WIDTH, HEIGHT, COMPRESSION, PHOTOMETRIC, STRIP_OFFSETS = 254, 256, 257, 259, 262, 273
SAMPLES, ROWS_PER_STRIP, STRIP_LENGTHS, PLANAR = 277, 278, 279, 284
TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS, TILE_LENGTHS, SUBDIRECTORIES = 322, 323, 324, 325, 330
SHORT: Final = 3  # type of numbers of 2 bytes
MAX_NUMBERS: Final = 131_072  # of one entry; 80 megapixels in tiles of 32×32 are 78,125, and take Pillow 2 s

_TYPE_BYTES: Final = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)  # by the number of the type
_CODES: Final = {1: "B", 2: "H", 4: "I", 8: "Q"}  # of `struct`


class Entry(NamedTuple):
    """An entry: its tag, the type and number of its values, and the offset of the field that holds or locates them."""

    tag: int
    type: int
    values: int
    offset: int

    @property
    def number_bytes(self) -> int:
        """The length of one of its values; 0 for a type that does not exist."""
        return _TYPE_BYTES[self.type] if self.type < len(_TYPE_BYTES) else 0


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

    def numbers(self, entry: Entry, most: int = MAX_NUMBERS) -> tuple[int, ...]:
        """The first values of an entry as whole numbers, up to `most` of them and to the end of the source."""
        size = entry.number_bytes
        if not size:
            return ()
        length = size * min(entry.values, most)
        start = entry.offset if size * entry.values <= self._word else self.number(entry.offset, self._word)
        data = self.source[start : start + length]
        count = len(data) // size
        return struct.unpack_from(f"{'<' if self._order == 'little' else '>'}{count}{_CODES[size]}", data)
