"""A TIFF is bounded in entries, numbers and scans: at the bound it is read, one past it is refused."""

import struct

import pytest

from image_processor.engine.decoding.formats import tiff_bounds
from image_processor.engine.decoding.formats.tiff_directory import Directory
from image_processor.errors import SourceTooLarge

from ....pictures import encode, make, noise
from .jpeg_sources import progressive


def check(source: bytes) -> None:
    tiff_bounds.check(Directory(source))


def tiff_of(order: str, entries: list[tuple[int, int, int]], *, big: bool = False) -> bytes:
    mark = b"II" if order == "<" else b"MM"
    values = bytes(1_100_000)  # of the entries; Pillow skips entries whose values do not exist
    start = mark + (struct.pack(order + "HHHQ", 43, 8, 0, 16) if big else struct.pack(order + "HI", 42, 8))
    body = b"".join(struct.pack(order + ("HHQQ" if big else "HHII"), *entry, 0) for entry in entries)
    return start + struct.pack(order + ("Q" if big else "H"), len(entries)) + body + values


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("big", [False, True])
def test_entries_and_their_numbers_are_bounded(order, big):
    longs, offsets_as_bytes, text = (700, 4), (273, 1), (270, 2)
    check(tiff_of(order, [(*longs, 131_072), (*offsets_as_bytes, 131_072), (*text, 1_000_000)], big=big))
    check(tiff_of(order, [(*text, 1)] * 4096, big=big))

    for kind in (longs, offsets_as_bytes):
        with pytest.raises(SourceTooLarge, match=f"entry {kind[0]} .* has 131073 numbers, allowed: 131072"):
            check(tiff_of(order, [(*text, 1), (*kind, 131_073)], big=big))
    with pytest.raises(SourceTooLarge, match="4097 entries, allowed: 4096"):
        check(tiff_of(order, [(*text, 1)] * 4097, big=big))


def test_a_tiff_of_jpeg_is_bounded_in_scans_only_if_they_are_progressive():
    many_strips = encode(noise((64, 320)), "tiff", compression="jpeg", tiffinfo={278: 16})
    assert many_strips.count(b"\xff\xda") == 20

    make(many_strips, "width=9")

    with pytest.raises(SourceTooLarge, match="progressive JPEG, of more than 16 scans"):
        make(many_strips + progressive(17), "width=9")
