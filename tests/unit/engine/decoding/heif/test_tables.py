"""The tables of an AVIF or HEIC are bounded in bytes: at the bound they are read, one past it refused."""

import struct

import pytest

from image_processor.engine.decoding.heif.boxes import only
from image_processor.engine.decoding.heif.tables import VERSION, check_tables
from image_processor.errors import SourceTooLarge


def check(source: bytes) -> None:
    check_tables(only(memoryview(source), b"meta")[VERSION:])


def box(name: bytes, body: bytes, *, long: bool = False) -> bytes:
    size = struct.pack(">I", 1) + name + struct.pack(">Q", 16 + len(body))
    return (size if long else struct.pack(">I", 8 + len(body)) + name) + body


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("table", ["iloc", "iinf", "iref", "ipma"])
def test_the_tables_of_an_avif_are_bounded(table, long):
    def source(rows: int) -> bytes:
        held = box(table.encode(), bytes(rows), long=long)
        held = box(b"iprp", held, long=long) if table == "ipma" else held
        return box(b"ftyp", b"avif") + box(b"meta", bytes(4) + box(b"hdlr", b"pict") + held, long=long)

    check(source(65_536))

    with pytest.raises(SourceTooLarge, match=f"table {table} of the source has 65537 bytes, allowed: 65536"):
        check(source(65_537))


@pytest.mark.parametrize("size", [0, 2, 7, 2**32 - 1])
def test_a_box_of_an_impossible_size_is_left_to_the_decoder(size):
    check(box(b"ftyp", b"avif") + struct.pack(">I", size) + b"meta" + bytes(40))
