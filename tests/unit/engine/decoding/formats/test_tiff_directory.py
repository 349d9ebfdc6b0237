"""The first directory of a TIFF is read alike in both byte orders, as TIFF and as BigTIFF."""

import struct

import pytest

from image_processor.engine.decoding.formats.tiff_directory import Directory, Entry


def source(order: str, *, big: bool, announced: int = 2) -> bytes:
    mark = b"II" if order == "<" else b"MM"
    start = mark + (struct.pack(order + "HHHQ", 43, 8, 0, 16) if big else struct.pack(order + "HI", 42, 8))
    counter, entry = ("Q", "HHQHHI") if big else ("H", "HHIHH")
    field = (7, 0, 0) if big else (7, 0)
    rows = struct.pack(order + entry, 256, 3, 1, *field) + struct.pack(order + entry, 700, 2, 5, *field)
    return start + struct.pack(order + counter, announced) + rows


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("big", "fields"), [(False, (18, 30)), (True, (36, 56))])
def test_entries_have_their_tag_type_number_and_offset(order, big, fields):
    directory = Directory(source(order, big=big))

    assert list(directory) == [Entry(256, 3, 1, fields[0]), Entry(700, 2, 5, fields[1])]
    assert directory.is_big == big
    assert directory.number(fields[0], 2) == 7


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize(("announced", "cut", "left"), [(65_535, 0, 2), (2, 1, 1), (2, 1000, 0), (0, 0, 0)])
def test_no_more_entries_are_read_than_the_file_holds(big, announced, cut, left):
    whole = source("<", big=big, announced=announced)

    assert len(Directory(whole[: max(0, len(whole) - cut)])) == left
