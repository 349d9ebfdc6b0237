"""A TIFF is bounded in entries, numbers and scans: at the bound it is read, one past it is refused."""

import struct

import pytest
from PIL import Image

from image_processor.engine.decoding.formats import tiff_bounds
from image_processor.engine.decoding.formats.tiff_directory import Directory
from image_processor.engine.limits import Limits
from image_processor.errors import SourceTooLarge, UnsupportedFormat

from ....pictures import decode, encode, make, noise, photo, psnr
from .jpeg_sources import SOS


def check(source: bytes) -> None:
    tiff_bounds.check(Directory(source), Limits(max_bytes=10**12))  # strips without lengths are the rest of the file


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


def test_a_tiff_of_jpeg_is_bounded_in_scans_of_all_its_strips():
    many_strips = encode(noise((64, 320)), "tiff", compression="jpeg", tiffinfo={278: 16})
    assert many_strips.count(b"\xff\xda") == 20

    make(many_strips, "width=9")
    check(of_strips(sequential := b"\xff\xd8" + SOS * 16, 10, width=8000, rows=1000))

    with pytest.raises(SourceTooLarge, match="TIFF of JPEG, of 170 scans of 8000000 pixels, allowed: 1280 megapixels"):
        check(of_strips(sequential + SOS, 10, width=8000, rows=1000))


def of_strips(
    data: bytes, number: int, *, width: int, rows: int, compression: int = 7, length: int | None = None
) -> bytes:
    """A TIFF of grey strips that all are the same data."""
    start = 8 + 2 + 12 * 7 + 4
    offsets, lengths = start, start + 4 * number
    entries = [(256, 1, width), (257, 1, rows * number), (259, 1, compression), (273, number, offsets), (277, 1, 1),
               (278, 1, rows), (279, number, lengths)]  # fmt: skip
    body = b"".join(struct.pack("<HHII", tag, 4, count, value) for tag, count, value in entries)
    lists = struct.pack("<I", lengths + 4 * number) * number
    lists += struct.pack("<I", len(data) if length is None else length) * number
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(4) + lists + data


@pytest.mark.parametrize("compression", [1, 5, 8, 50000])
def test_the_bytes_of_all_strips_are_bounded_by_those_of_a_source(compression):
    data, options = bytes(1000), {"width": 8, "rows": 2, "compression": compression}

    tiff_bounds.check(Directory(of_strips(data, 10, **options)), Limits(max_bytes=10_000))

    with pytest.raises(SourceTooLarge, match="the source's parts have 10000 bytes in all, allowed: 9999"):
        tiff_bounds.check(Directory(of_strips(data, 10, **options)), Limits(max_bytes=9_999))
    with pytest.raises(SourceTooLarge, match="10000 bytes in all"):  # a length of 0 is all that is left
        tiff_bounds.check(Directory(of_strips(data, 10, length=0, **options)), Limits(max_bytes=9_999))


def test_the_pixels_of_all_strips_are_bounded():
    tiff_bounds.check(Directory(of_strips(b"", 20, width=10, rows=10)), Limits(max_pixels=1000))

    with pytest.raises(SourceTooLarge, match="21 parts of 100 pixels, allowed: 2000 in all"):
        tiff_bounds.check(Directory(of_strips(b"", 21, width=10, rows=10)), Limits(max_pixels=1000))


@pytest.mark.parametrize("kind", [3, 4])
def test_lzma_is_refused_by_name(kind):
    source = encode(noise((64, 64)), "tiff", compression="lzma")
    offset = source.index(struct.pack("<HHI", 259, 3, 1))
    source = source[: offset + 2] + struct.pack("<H", kind) + source[offset + 4 :]

    with pytest.raises(UnsupportedFormat, match="the source is a TIFF with LZMA compression, allowed: JPEG, PNG"):
        make(source, "width=9")


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "packbits", "zstd", "jpeg", "raw"])
@pytest.mark.parametrize("strip", [8, 64])
def test_every_other_compression_is_read(compression, strip):
    image = photo((128, 96))

    picture = decode(make(encode(image, "tiff", compression=compression, tiffinfo={278: strip}), "width=64,format=png"))

    assert psnr(picture, image.resize((64, 48), Image.Resampling.LANCZOS)) > 30


def test_arithmetic_coding_within_a_tiff_is_refused_by_name():
    source = encode(noise((64, 64)), "tiff", compression="jpeg")

    with pytest.raises(UnsupportedFormat, match="a TIFF of a JPEG with arithmetic coding"):
        make(source.replace(b"\xff\xc0", b"\xff\xc9"), "width=9")
