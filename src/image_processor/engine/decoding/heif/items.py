"""The tables of an AVIF's or HEIC's `meta` box: each item's kind, sides, data and what belongs to it.

    iinf ─ kinds    iloc ─ places    iref ─ parts, auxiliaries    iprp ─ sides
    (ISO/IEC 14496-12, 8.11)                                      (ISO/IEC 23008-12, 9.3)

Read as strictly as their decoders do, so that nothing is decoded that was not looked at here.
"""

import struct
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from image_processor.engine.decoding.heif.containers import MOST, children
from image_processor.engine.layout import Size
from image_processor.errors import CorruptImage, SourceTooLarge

_NOTHING: Final = memoryview(b"")


class Items:
    """Tables that are cut short raise `struct.error` or `IndexError`."""

    def __init__(self, source: memoryview, meta: memoryview) -> None:
        self._source, self._idat = source, only(meta, b"idat")
        self.kinds = defaultdict[int, set[bytes]](set)
        self.sides = defaultdict[int, list[Size]](list)
        self.parts = defaultdict[int, list[int]](list)
        self.auxiliaries = defaultdict[int, list[int]](list)
        self.selects_layer = set[int]()
        pitm = only(meta, b"pitm")
        self.primary = int.from_bytes(pitm[4 : 6 if pitm[0] == 0 else 8], "big") if pitm else None
        self._read_kinds(only(meta, b"iinf"))
        self._read_references(only(meta, b"iref"))
        self._read_properties(only(meta, b"iprp"))
        self._places = dict(_places(only(meta, b"iloc")))

    def data(self, item: int) -> memoryview:
        """The bytes of an item, of all its pieces; raises `CorruptImage` for more than the file has."""
        idat, pieces = self._places.get(item, (False, []))
        whole = self._idat if idat else self._source
        if len(pieces) == 1:
            start, size = pieces[0]
            return whole[start : start + size]
        if sum(size for _, size in pieces) > len(whole):
            raise CorruptImage(f"picture {item} of the source has more bytes than the source")
        return memoryview(b"".join(whole[start : start + size] for start, size in pieces))

    def _read_kinds(self, iinf: memoryview) -> None:
        for name, item in boxes(iinf[6 if iinf[0] == 0 else 8 :]) if iinf else ():
            if name == b"infe" and item[0] >= 2:
                number, kind = struct.unpack_from(">H2x4s" if item[0] == 2 else ">I2x4s", item, 4)
                self.kinds[number].add(kind)

    def _read_references(self, iref: memoryview) -> None:
        for name, reference in boxes(iref[4:]):
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

    def _read_properties(self, iprp: memoryview) -> None:
        properties = list(boxes(only(iprp, b"ipco")))
        for name, ipma in boxes(iprp):
            if name == b"ipma":
                for item, index in _associations(ipma):
                    kind, content = properties[index - 1] if 1 <= index <= len(properties) else (b"", _NOTHING)
                    if kind == b"ispe":
                        self.sides[item].append(struct.unpack_from(">II", content, 4))
                    elif kind == b"lsel":
                        self.selects_layer.add(item)


def boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """As `children`; raises `SourceTooLarge` where there are more than it looks at."""
    for number, box in enumerate(children(data)):
        if number == MOST - 1:
            raise SourceTooLarge(f"the source has too many boxes, allowed: {MOST} in one")
        yield box


def only(data: memoryview, wanted: bytes) -> memoryview:
    """The content of the box of this name, empty if there is none; `CorruptImage` for two, of which decoders differ."""
    found = [content for name, content in boxes(data) if name == wanted]
    if len(found) > 1:
        raise CorruptImage(f"the source has {len(found)} boxes {wanted.decode()} where one may be")
    return found[0] if found else _NOTHING


def _associations(ipma: memoryview) -> Iterator[tuple[int, int]]:
    """Items, and the numbers of their properties, from 1."""
    item, index = (">H" if ipma[0] == 0 else ">I"), (">H" if ipma[3] & 1 else ">B")
    (entries,) = struct.unpack_from(">I", ipma, 4)
    place = 8
    for _ in range(entries):  # ends with the table, which is bounded
        (number,) = struct.unpack_from(item, ipma, place)
        place += struct.calcsize(item)
        count = ipma[place]
        for property_index in struct.unpack_from(f">{count}{index[1]}", ipma, place + 1):
            yield number, property_index & (0x7FFF if index == ">H" else 0x7F)  # the highest bit: if it is essential
        place += 1 + count * struct.calcsize(index)


def _places(iloc: memoryview) -> Iterator[tuple[int, tuple[bool, list[tuple[int, int]]]]]:
    """Each item with whether it lies in the `idat` box, and where its pieces begin and how long they are (8.11.3)."""
    if not iloc:
        return
    version, place = iloc[0], 6
    offset_size, length_size, base_size = iloc[4] >> 4, iloc[4] & 15, iloc[5] >> 4
    index_size = iloc[5] & 15 if version else 0

    def read(size: int) -> int:
        nonlocal place
        place += size
        if place > len(iloc):
            raise IndexError
        return int.from_bytes(iloc[place - size : place], "big")

    for _ in range(read(4 if version == 2 else 2)):
        item = read(4 if version == 2 else 2)
        method = read(2) & 15 if version else 0
        read(2)
        base, pieces = read(base_size), []
        for _ in range(read(2)):
            read(index_size)
            pieces.append((base + read(offset_size), read(length_size)))
        yield item, (method == 1, pieces)
