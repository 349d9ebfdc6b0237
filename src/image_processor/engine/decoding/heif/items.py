"""The items of an AVIF or HEIC: each one's kind, sides, colours, data and what belongs to it.

iinf ─ kinds    iloc ─ data    iref ─ parts, auxiliaries    iprp ─ sides, colours
(ISO/IEC 14496-12, 8.11)                                    (ISO/IEC 23008-12, 9.3)
"""

import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from image_processor.engine.decoding.heif.boxes import NOTHING, boxes, only
from image_processor.engine.decoding.heif.tables import VERSION, TableReader, complete_tables
from image_processor.engine.geometry import Size
from image_processor.errors import CorruptImage

CodePoints = tuple[int, int]  # colour primaries and transfer characteristics (ITU-T H.273, tables 2 and 3)
_IN_IDAT: Final = 1  # construction method of `iloc`
_KIND_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class _Location:
    """The pieces of an item, as offset and length: in the file, or in the `idat` box."""

    in_idat: bool
    pieces: list[tuple[int, int]]


class Items:
    """The tables of a `meta` box's content. One that is cut short raises `struct.error` or `IndexError`."""

    def __init__(self, source: memoryview, meta: memoryview) -> None:
        self._source, self._idat = source, only(meta, b"idat")
        self.kinds = defaultdict[int, set[bytes]](set)
        self.sides = defaultdict[int, list[Size]](list)
        self.parts = defaultdict[int, list[int]](list)
        self.auxiliaries = defaultdict[int, list[int]](list)
        self.selects_layer = set[int]()
        self.describes = defaultdict[int, list[int]](list)
        self._code_points = dict[int, CodePoints | None]()
        pitm = only(meta, b"pitm")
        self.primary = int.from_bytes(pitm[4 : 6 if pitm[0] == 0 else 8], "big") if pitm else None
        for number, kind in _kinds(meta):
            if len(kind) < _KIND_BYTES:
                raise IndexError
            self.kinds[number].add(kind)
        self._read_references(only(meta, b"iref"))
        self._read_properties(only(meta, b"iprp"))
        self._locations = dict(_locations(only(meta, b"iloc")))

    @property
    def code_points(self) -> CodePoints | None:
        """The colours of the primary picture, if they are described by code points."""
        return None if self.primary is None else self._code_points.get(self.primary)

    @property
    def lengths(self) -> dict[int, int]:
        """The bytes that each item refers to, of all its pieces; of one that is longer than the file, the file's."""
        return {
            item: sum(min(size, len(self._whole(location))) for _, size in location.pieces)
            for item, location in self._locations.items()
        }

    def data(self, item: int) -> memoryview:
        """The bytes of an item, of all its pieces; raises `CorruptImage` for more than the file has."""
        location = self._locations.get(item, _Location(in_idat=False, pieces=[]))
        whole = self._whole(location)
        if len(location.pieces) == 1:
            [(offset, size)] = location.pieces
            return whole[offset : offset + size]
        if sum(size for _, size in location.pieces) > len(whole):
            raise CorruptImage(f"picture {item} of the source has more bytes than the source")
        return memoryview(b"".join(whole[offset : offset + size] for offset, size in location.pieces))

    def _whole(self, location: _Location) -> memoryview:
        return self._idat if location.in_idat else self._source

    def _read_references(self, iref: memoryview) -> None:
        for name, reference in boxes(iref[VERSION:]):
            number = ">H" if iref[0] == 0 else ">I"
            size = struct.calcsize(number)
            (item,) = struct.unpack_from(number, reference)
            (count,) = struct.unpack_from(">H", reference, size)
            others = struct.unpack_from(f">{count}{number[1]}", reference, size + 2)
            if name == b"dimg":
                self.parts[item] += others
            elif name == b"auxl":
                for other in others:
                    self.auxiliaries[other].append(item)
            elif name == b"cdsc":
                self.describes[item] += others

    def _read_properties(self, iprp: memoryview) -> None:
        properties = list(boxes(only(iprp, b"ipco")))
        for name, ipma in boxes(iprp):
            if name == b"ipma":
                for item, number in _associations(ipma):
                    kind, content = properties[number - 1] if 1 <= number <= len(properties) else (b"", NOTHING)
                    self._read_property(item, kind, content)

    def _read_property(self, item: int, kind: bytes, content: memoryview) -> None:
        if kind == b"ispe":
            self.sides[item].append(struct.unpack_from(">II", content, VERSION))
        elif kind == b"lsel":
            self.selects_layer.add(item)
        elif kind == b"colr" and bytes(content[:4]) == b"nclx":  # the first counts; one that is too short is ignored
            self._code_points.setdefault(item, struct.unpack_from(">HH", content, 4) if len(content) >= 8 else None)


def kinds_in(source: bytes) -> set[bytes]:
    """The kinds of all items of a file: hvc1, av01, grid, Exif, …; of one that is cut off, what is left of its name."""
    with complete_tables():
        return {kind for _, kind in _kinds(only(memoryview(source), b"meta")[VERSION:])}


def _kinds(meta: memoryview) -> Iterator[tuple[int, bytes]]:
    """The number and kind of each item (8.11.6)."""
    iinf = only(meta, b"iinf")
    for name, entry in boxes(iinf[6 if iinf[0] == 0 else 8 :]) if iinf else ():
        if name == b"infe" and entry[0] >= 2:
            kind = 8 if entry[0] == 2 else 10  # its offset, after the number and two bytes of protection
            yield int.from_bytes(entry[VERSION : kind - 2], "big"), bytes(entry[kind : kind + _KIND_BYTES])


def _associations(ipma: memoryview) -> Iterator[tuple[int, int]]:
    """Items, and the numbers of their properties, from 1."""
    item, index = (">H" if ipma[0] == 0 else ">I"), (">H" if ipma[3] & 1 else ">B")
    (entries,) = struct.unpack_from(">I", ipma, VERSION)
    offset = 8
    for _ in range(entries):  # ends with the table, which is bounded
        (number,) = struct.unpack_from(item, ipma, offset)
        offset += struct.calcsize(item)
        count = ipma[offset]
        for property_number in struct.unpack_from(f">{count}{index[1]}", ipma, offset + 1):
            yield number, property_number & (0x7FFF if index == ">H" else 0x7F)  # the highest bit: if it is essential
        offset += 1 + count * struct.calcsize(index)


def _locations(iloc: memoryview) -> Iterator[tuple[int, _Location]]:
    """Each item and its location (8.11.3)."""
    if not iloc:
        return
    version = iloc[0]
    offset_size, length_size, base_size = iloc[4] >> 4, iloc[4] & 15, iloc[5] >> 4
    index_size = iloc[5] & 15 if version else 0
    number_size = 4 if version == 2 else 2
    table = TableReader(iloc, 6)
    for _ in range(table.read(number_size)):
        item = table.read(number_size)
        method = table.read(2) & 15 if version else 0
        table.read(2)  # index of a file with the data, which decoders ignore
        base, pieces = table.read(base_size), []
        for _ in range(table.read(2)):
            table.read(index_size)
            pieces.append((base + table.read(offset_size), table.read(length_size)))
        yield item, _Location(method == _IN_IDAT, pieces)
