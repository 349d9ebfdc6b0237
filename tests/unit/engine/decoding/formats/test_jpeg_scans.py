"""A JPEG is bounded in its segments and scans: at the bound it is read, one past it is refused."""

import io

import pytest

from image_processor.engine.decoding.formats.jpeg_scans import ScanBoundedFile, ScanCounter, read_header
from image_processor.errors import SourceTooLarge, UnsupportedFormat

from ....pictures import encode, make, noise
from .jpeg_sources import SOS, progressive, segment


def scans(source: bytes, piece: int = 1 << 20) -> int:
    start = read_header(io.BytesIO(source)).first_scan
    counter = ScanCounter(10_000)
    for offset in range(start, len(source), piece):
        counter.feed(source[offset : offset + piece])
    return counter.count


def read(source: bytes) -> None:
    """As Pillow does: from the beginning, after its header."""
    jpeg = ScanBoundedFile(io.BytesIO(source), read_header(io.BytesIO(source)))
    jpeg.read(100)
    jpeg.seek(0)
    while jpeg.read(1000):
        pass


@pytest.mark.parametrize(
    ("mode", "options", "one_scan"),
    [("RGB", {}, True), ("L", {}, True), ("CMYK", {}, True), ("RGB", {"progressive": True}, False)],
)
def test_a_jpeg_whose_only_scan_holds_all_components_is_told_from_others(mode, options, one_scan):
    source = encode(noise((64, 64), mode), "jpeg", quality=80, **options)
    scan = source.index(b"\xff\xda")

    assert read_header(io.BytesIO(source)).one_scan == one_scan
    assert not read_header(io.BytesIO(source[: scan + 4] + b"\x02" + source[scan + 5 :])).one_scan


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(("options", "count"), [({}, 1), ({"progressive": True}, 10)])
def test_scans_are_counted(options, count, piece):
    source = encode(noise((64, 64)), "jpeg", quality=80, **options)

    assert scans(source, piece) == count


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 7, 11, 1000])
def test_bytes_like_a_scan_within_a_segment_or_behind_the_picture_are_not_counted(piece):
    assert scans(progressive(7), piece) == 7
    assert scans(progressive(7) + progressive(5), piece) == 7


@pytest.mark.parametrize(("sides", "allowed"), [((1000, 1000), 1000), ((4000, 3000), 106), ((10_000, 8000), 16)])
def test_a_picture_of_more_pixels_may_have_fewer_scans(sides, allowed):
    read(progressive(allowed, *sides))

    with pytest.raises(SourceTooLarge, match=f"more scans than allowed for its pixels: {allowed}"):
        read(progressive(allowed + 1, *sides))


def test_scans_are_found_behind_fill_bytes():
    read(progressive(1000).replace(SOS, b"\xff\xff" + SOS))

    with pytest.raises(SourceTooLarge):
        read(progressive(1001).replace(SOS, b"\xff\xff" + SOS))


@pytest.mark.parametrize(
    ("part", "allowed"), [(segment(0xE5, b"\xff\xda"), 1000), (segment(0xE1, b"Exif\0\0MM"), 16), (segment(0xFE), 1000)]
)
def test_segments_before_the_pixels_are_bounded(part, allowed):
    jpeg = encode(noise((8, 8)), "jpeg")
    others = (
        0 if b"Exif" in part else jpeg.count(b"\xff\xdb") + jpeg.count(b"\xff\xc4") + 2
    )  # with JFIF's and the frame

    make(jpeg[:2] + part * (allowed - others) + jpeg[2:], "width=9,enlarge=true")

    with pytest.raises(SourceTooLarge, match="more segments before its pixels than allowed: 1000, 16 with Exif"):
        make(jpeg[:2] + part * (allowed - others + 1) + jpeg[2:], "width=9,enlarge=true")


def test_bytes_of_no_segment_are_bounded():
    jpeg = encode(noise((8, 8)), "jpeg")

    make(jpeg[:2] + b"\xff" * 90_000 + jpeg[2:], "width=8")

    with pytest.raises(SourceTooLarge, match="more than 100000 bytes of no segment before its pixels"):
        make(jpeg[:2] + b"\xff" * 110_000 + jpeg[2:], "width=8")


@pytest.mark.parametrize("marker", [0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF])
def test_arithmetic_coding_is_refused_by_name(marker):
    source = encode(noise((64, 64)), "jpeg").replace(b"\xff\xc0", bytes((0xFF, marker)))

    with pytest.raises(UnsupportedFormat, match="the source is a JPEG with arithmetic coding, allowed: JPEG, PNG"):
        make(source, "width=9")
