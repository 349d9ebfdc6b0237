"""The boxes of AVIF, HEIC and JPEG 2000 files: what Pillow's decoders don't tell of a picture before it is decoded.

Both containers are nested boxes of a length and a name (ISO/IEC 14496-12, 4.2; ISO/IEC 15444-1, annex I). What is
damaged or missing reads as absent: the decoder itself says what is wrong with a file.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MOST: Final = 4096  # boxes looked at on one level; a grid of 100 megapixels has 400 items

Cicp = tuple[int, int]  # colour primaries and transfer characteristics (ITU-T H.273, tables 2 and 3)


@dataclass(frozen=True, slots=True)
class Items:
    """What the `meta` box of an AVIF or HEIC file says of its pictures."""

    types: frozenset[bytes]  # hvc1, av01, grid, Exif, …
    cicp: Cicp | None  # of the primary picture, if it is described so


def children(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """The name and content of each box, in order."""
    place = 0
    for _ in range(MOST):
        if place + 8 > len(data):
            return
        length, name = struct.unpack_from(">I4s", data, place)
        header = 8
        if length == 1 and place + 16 <= len(data):
            length, header = int.from_bytes(data[place + 8 : place + 16], "big"), 16
        end = place + length if length else len(data)  # 0: to the end of the file
        if end < place + header:
            return
        yield name, data[place + header : end]
        place = end


def first(data: memoryview, *path: bytes) -> memoryview:
    """The content of the first box at a path of names, empty if there is none."""
    for name in path:
        data = next((content for found, content in children(data) if found == name), memoryview(b""))
    return data


def items(source: bytes) -> Items:
    """What an AVIF or HEIC file holds (ISO/IEC 23008-12, 6 and 9)."""
    meta = first(memoryview(source), b"meta")[4:]  # a version and flags stand before its boxes
    try:
        return Items(frozenset(_types(first(meta, b"iinf"))), _cicp(meta))
    except (struct.error, IndexError):  # cut off
        return Items(frozenset(), None)


def _types(iinf: memoryview) -> Iterator[bytes]:
    if iinf:
        for name, item in children(iinf[6 if iinf[0] == 0 else 8 :]):
            if name == b"infe" and item[0] >= 2:
                place = 8 if item[0] == 2 else 10
                yield bytes(item[place : place + 4])


def _cicp(meta: memoryview) -> Cicp | None:
    pitm = first(meta, b"pitm")
    if not pitm:
        return None
    primary = int.from_bytes(pitm[4 : 6 if pitm[0] == 0 else 8], "big")
    properties = list(children(first(meta, b"iprp", b"ipco")))
    for index in _properties_of(primary, first(meta, b"iprp", b"ipma")):
        if 1 <= index <= len(properties):
            name, content = properties[index - 1]
            if name == b"colr" and bytes(content[:4]) == b"nclx":
                return struct.unpack_from(">HH", content, 4)
    return None


def _properties_of(primary: int, ipma: memoryview) -> Iterator[int]:
    """The numbers, from 1, of the properties that belong to an item."""
    if not ipma:
        return
    item, index = (">H" if ipma[0] == 0 else ">I"), (">H" if ipma[3] & 1 else ">B")
    (entries,) = struct.unpack_from(">I", ipma, 4)
    place = 8
    for _ in range(min(entries, MOST)):
        (item_id,) = struct.unpack_from(item, ipma, place)
        place += struct.calcsize(item)
        count = ipma[place]
        if item_id == primary:
            for each in range(count):
                (number,) = struct.unpack_from(index, ipma, place + 1 + each * struct.calcsize(index))
                yield number & (0x7FFF if index == ">H" else 0x7F)  # the highest bit: whether it is essential
        place += 1 + count * struct.calcsize(index)
