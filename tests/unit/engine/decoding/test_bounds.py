"""The parts that a source may have, at the bound and one past it."""

import io
import struct

import pytest
from PIL import Image

from image_processor.engine.decoding import bounded_file, tiff
from image_processor.engine.decoding.bounded_file import BoundedReader
from image_processor.engine.decoding.heif import boxes
from image_processor.engine.decoding.jpeg import Scans, bounded, read_header
from image_processor.errors import SourceTooLarge

from ...pictures import encode, make, noise

SOS = b"\xff\xda\0\x08\x01\x01\0\0\x3f\0"


def segment(marker: int, body: bytes = b"") -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", 2 + len(body)) + body


def progressive(number: int, width: int = 8, height: int = 8) -> bytes:
    """Of this many scans, each of a few bytes that are no marker, among other segments."""
    frame = segment(0xC2, struct.pack(">BHHB3B", 8, height, width, 1, 1, 0x11, 0))
    return b"\xff\xd8" + frame + (SOS + b"\x12\xff\0\xff\xd0\x34" + segment(0xFE, SOS)) * number + b"\xff\xd9"


def scans(source: bytes, piece: int = 1 << 20) -> int:
    start = read_header(io.BytesIO(source)).first_scan
    counter = Scans(10_000)
    for place in range(start, len(source), piece):
        counter.feed(source[place : place + piece])
    return counter.count


def read(source: bytes) -> None:
    """As Pillow does: from the beginning, after its header."""
    jpeg = bounded(io.BytesIO(source))
    jpeg.read(100)
    jpeg.seek(0)
    while jpeg.read(1000):
        pass


@pytest.mark.parametrize(
    ("mode", "options", "one"),
    [("RGB", {}, True), ("L", {}, True), ("CMYK", {}, True), ("RGB", {"progressive": True}, False)],
)
def test_a_jpeg_whose_first_scan_is_all_is_not_counted_in(mode, options, one):
    source = encode(noise((64, 64), mode), "jpeg", quality=80, **options)
    scan = source.index(b"\xff\xda")

    assert read_header(io.BytesIO(source)).one_scan == one
    assert not read_header(io.BytesIO(source[: scan + 4] + b"\x02" + source[scan + 5 :])).one_scan


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(("options", "count"), [({}, 1), ({"progressive": True}, 10)])
def test_scans_are_counted(options, count, piece):
    source = encode(noise((64, 64)), "jpeg", quality=80, **options)

    assert scans(source, piece) == count


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 7, 11, 1000])
def test_what_looks_like_a_scan_within_a_segment_or_behind_the_picture_is_none(piece):
    assert scans(progressive(7), piece) == 7
    assert scans(progressive(7) + progressive(5), piece) == 7


@pytest.mark.parametrize(("sides", "allowed"), [((1000, 1000), 1000), ((4000, 3000), 106), ((10_000, 8000), 16)])
def test_the_more_pixels_the_fewer_scans(sides, allowed):
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


def tiff_of(order: str, entries: list[tuple[int, int, int]], *, big: bool = False) -> bytes:
    mark = b"II" if order == "<" else b"MM"
    room = bytes(1_100_000)  # for what the entries tell of; Pillow passes over those that lie
    start = mark + (struct.pack(order + "HHHQ", 43, 8, 0, 16) if big else struct.pack(order + "HI", 42, 8))
    body = b"".join(struct.pack(order + ("HHQQ" if big else "HHII"), *entry, 0) for entry in entries)
    return start + struct.pack(order + ("Q" if big else "H"), len(entries)) + body + room


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("big", [False, True])
def test_a_directory_s_entries_and_numbers_are_bounded(order, big):
    longs, offsets_as_bytes, text = (700, 4), (273, 1), (270, 2)
    tiff.check(tiff_of(order, [(*longs, 131_072), (*offsets_as_bytes, 131_072), (*text, 1_000_000)], big=big))
    tiff.check(tiff_of(order, [(*text, 1)] * 4096, big=big))

    for kind in (longs, offsets_as_bytes):
        with pytest.raises(SourceTooLarge, match=f"entry {kind[0]} .* has 131073 numbers, allowed: 131072"):
            tiff.check(tiff_of(order, [(*text, 1), (*kind, 131_073)], big=big))
    with pytest.raises(SourceTooLarge, match="4097 entries, allowed: 4096"):
        tiff.check(tiff_of(order, [(*text, 1)] * 4097, big=big))


def test_a_tiff_of_jpeg_is_bounded_in_scans_only_if_they_are_progressive():
    many_strips = encode(noise((64, 320)), "tiff", compression="jpeg", tiffinfo={278: 16})
    assert many_strips.count(b"\xff\xda") == 20

    make(many_strips, "width=9")

    with pytest.raises(SourceTooLarge, match="progressive JPEG, of more than 16 scans"):
        make(many_strips + progressive(17), "width=9")


def test_a_source_is_read_in_so_many_pieces(monkeypatch):
    monkeypatch.setattr(bounded_file, "MAX_READS", 3)
    file = BoundedReader(io.BytesIO(b"abcdef"))

    assert [file.read(1), file.read(2), file.read()] == [b"a", b"bc", b"def"]
    with pytest.raises(SourceTooLarge, match="too many pieces, allowed: 3 reads"):
        file.read(1)


def test_a_run_length_bmp_is_bounded_in_pixels():
    def run_length(height: int) -> bytes:
        header = struct.pack("<IIIIiiHHIIiiII", 100, 0, 58, 40, 16_000, height, 1, 8, 1, 0, 0, 0, 1, 0)
        return b"BM" + header + bytes(4) + (b"\xff\0" * 63 + b"\0\0") * height + b"\0\x01"

    make(run_length(2), "width=9")

    with pytest.raises(SourceTooLarge, match="a run-length BMP of more than 16000000 pixels"):
        make(run_length(1001), "width=9")


def test_a_gif_is_bounded_in_blocks(monkeypatch):
    monkeypatch.setattr("image_processor.engine.decoding.animation._BLOCKS", 50)
    gif = encode(Image.new("P", (8, 8)), "gif")

    make(gif[:-1] + b"!\xfe" + b"\x01a" * 40 + b"\0;", "width=8,format=gif")
    for piece in (b"\x01a", b"\0!\xfe\x01a"):
        with pytest.raises(SourceTooLarge, match="too many pieces, allowed: 50 blocks"):
            make(gif[:-1] + b"!\xfe" + piece * 60 + b"\0;", "width=8,format=gif")


def test_bytes_of_no_segment_are_bounded():
    jpeg = encode(noise((8, 8)), "jpeg")

    make(jpeg[:2] + b"\xff" * 90_000 + jpeg[2:], "width=8")

    with pytest.raises(SourceTooLarge, match="more than 100000 bytes of no segment before its pixels"):
        make(jpeg[:2] + b"\xff" * 110_000 + jpeg[2:], "width=8")


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

    boxes.check(source(65_536))

    with pytest.raises(SourceTooLarge, match=f"table {table} of the source has 65537 bytes, allowed: 65536"):
        boxes.check(source(65_537))


@pytest.mark.parametrize("size", [0, 2, 7, 2**32 - 1])
def test_boxes_that_lie_of_their_size_are_left_to_the_decoder(size):
    boxes.check(box(b"ftyp", b"avif") + struct.pack(">I", size) + b"meta" + bytes(40))
