"""Boxes are read in order and within their bounds: strictly for AVIF and HEIC, leniently for JPEG 2000."""

import struct

import pytest

from image_processor.engine.decoding.heif import boxes as module
from image_processor.engine.decoding.heif.boxes import boxes, first_boxes, only
from image_processor.errors import CorruptImage, SourceTooLarge


def box(name: bytes, body: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack(">I", 8 + len(body) if length is None else length) + name + body


def read(data: bytes) -> list[tuple[bytes, bytes]]:
    return [(name, bytes(content)) for name, content in boxes(memoryview(data))]


def test_boxes_have_their_names_and_contents():
    long = struct.pack(">I4sQ", 1, b"long", 18) + b"xy"

    assert read(box(b"free") + long + box(b"last", b"to the end", 0)) == [
        (b"free", b""),
        (b"long", b"xy"),
        (b"last", b"to the end"),
    ]


def test_a_box_that_is_cut_off_holds_what_is_left_of_it():
    assert read(box(b"meta", b"abc", 100)) == [(b"meta", b"abc")]


@pytest.mark.parametrize("length", [1, 2, 7])
def test_reading_ends_at_a_box_of_an_impossible_length(length):
    assert read(box(b"free") + box(b"meta", b"", length) + box(b"free")[:7]) == [(b"free", b"")]


def test_a_name_that_is_there_twice_is_refused_where_one_may_be():
    data = memoryview(box(b"meta", b"1") + box(b"free") + box(b"meta", b"2"))

    with pytest.raises(CorruptImage, match="2 boxes meta where one may be"):
        only(data, b"meta")
    assert bytes(only(data, b"free")) == bytes(only(data, b"moov")) == b""
    assert [bytes(content) for name, content in first_boxes(data) if name == b"meta"] == [b"1", b"2"]


def test_too_many_boxes_are_refused_in_an_avif_and_not_read_in_a_jpeg_2000(monkeypatch):
    monkeypatch.setattr(module, "MAX_BOXES", 3)

    assert len(read(box(b"free") * 2)) == 2
    with pytest.raises(SourceTooLarge, match="too many boxes, allowed: 3 in one"):
        read(box(b"free") * 3)
    assert len(list(first_boxes(memoryview(box(b"free") * 9)))) == 3
