"""The chunks of a PNG are read up to the end of the file, also where it is cut off."""

import pytest

from image_processor.engine.decoding.formats import png_chunks
from image_processor.engine.decoding.formats.png_chunks import SIGNATURE, chunks, first_chunks

from ....pictures import png_chunk

SOURCE = SIGNATURE + png_chunk(b"IHDR", b"header") + png_chunk(b"prVt", b"") + png_chunk(b"eXIf", b"first")


def found(source: bytes) -> dict[bytes, bytes]:
    return {name: bytes(data) for name, data in first_chunks(source).items()}


def test_every_chunk_is_read_in_order():
    assert [(name, bytes(data), complete) for name, data, complete in chunks(SOURCE)] == [
        (b"IHDR", b"header", True),
        (b"prVt", b"", True),
        (b"eXIf", b"first", True),
    ]


@pytest.mark.parametrize(("missing", "data", "complete"), [(4, b"first", True), (5, b"firs", False), (9, b"", False)])
def test_a_chunk_that_is_cut_off_holds_what_is_left_of_it(missing, data, complete):
    *_, last = chunks(SOURCE[:-missing])

    assert (last.name, bytes(last.data), last.complete) == (b"eXIf", data, complete)


def test_a_chunk_without_a_whole_name_is_not_read():
    assert [chunk.name for chunk in chunks(SOURCE[:-10])] == [b"IHDR", b"prVt"]


def test_the_first_of_each_wanted_name_counts_up_to_the_end():
    more = png_chunk(b"eXIf", b"second") + png_chunk(b"IEND", b"") + png_chunk(b"cICP", b"late")

    assert found(SOURCE + more) == {b"IHDR": b"header", b"eXIf": b"first"}


def test_the_chunks_that_are_read_are_bounded(monkeypatch):
    monkeypatch.setattr(png_chunks, "MAX_SEARCHED_CHUNKS", 2)

    assert found(SOURCE) == {b"IHDR": b"header"}
