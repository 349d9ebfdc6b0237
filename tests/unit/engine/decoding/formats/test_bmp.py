"""A BMP of every depth, packed and upside down, comes out in the right colours."""

import struct

import pytest

from image_processor.errors import SourceTooLarge

from ....pictures import assert_close, decode, make

RGB, RLE8, RLE4, BITFIELDS = 0, 1, 2, 3
ORANGE, STEEL = (200, 100, 50), (40, 90, 160)
PALETTE = bytes((50, 100, 200, 0, 160, 90, 40, 0))


def bmp(
    size: tuple[int, int], bits: int, pixels: bytes, *, packed: int = RGB, palette: bytes = b"", masks: bytes = b""
) -> bytes:
    """With the header of Windows 3, or with masks that of version 4."""
    length = 108 if masks else 40
    start = 14 + length + len(palette)
    header = struct.pack("<IiiHHIIiiII", length, *size, 1, bits, packed, len(pixels), 0, 0, len(palette) // 4, 0)
    header = (header + masks).ljust(length, b"\0")
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + header + palette + pixels


def pixels_of(source: bytes) -> list[tuple[int, ...]]:
    picture = decode(make(source, "format=png"))
    return list(picture.convert("RGBA" if picture.mode == "RGBA" else "RGB").get_flattened_data())


def masks(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


@pytest.mark.parametrize(
    ("bits", "row", "palette"),
    [
        (1, b"\x40\0\0\0", PALETTE),
        (4, b"\x01\0\0\0", PALETTE),
        (8, b"\0\1\0\0", PALETTE),
        (24, bytes((50, 100, 200, 160, 90, 40, 0, 0)), b""),
        (32, bytes((50, 100, 200, 0, 160, 90, 40, 0)), b""),
    ],
)
def test_every_depth(bits, row, palette):
    assert pixels_of(bmp((2, 1), bits, row, palette=palette)) == [ORANGE, STEEL]


@pytest.mark.parametrize(("packed", "red", "green"), [(RGB, 0x7C00, 0x3E0), (BITFIELDS, 0xF800, 0x7E0)])
def test_sixteen_bits(packed, red, green):
    fields = masks(red, green, 0x1F, 0) if packed == BITFIELDS else b""

    got = pixels_of(bmp((2, 1), 16, struct.pack("<HH", red, green), packed=packed, masks=fields))

    assert got == [(255, 0, 0), (0, 255, 0)]


@pytest.mark.parametrize(
    ("fields", "pixel"),
    [
        (masks(0xFF0000, 0xFF00, 0xFF, 0xFF000000), bytes((50, 100, 200, 128))),
        (masks(0xFF, 0xFF00, 0xFF0000, 0xFF000000), bytes((200, 100, 50, 128))),
    ],
)
def test_alpha_counts_where_there_is_a_mask_of_it(fields, pixel):
    [got] = pixels_of(bmp((1, 1), 32, pixel, packed=BITFIELDS, masks=fields))

    assert_close(got, (*ORANGE, 128), within=2)


@pytest.mark.parametrize("height", [2, -2])
def test_the_rows_begin_at_the_bottom_unless_it_says_at_the_top(height):
    rows = bytes((50, 100, 200, 0)) + bytes((160, 90, 40, 0))

    got = pixels_of(bmp((1, height), 24, rows))

    assert got == ([STEEL, ORANGE] if height > 0 else [ORANGE, STEEL])


@pytest.mark.parametrize(
    ("packed", "bits", "data"),
    [
        (RLE8, 8, b"\x03\x00\x01\x01\x00\x00\x00\x03\x01\x00\x01\x00\x01\x00\x00\x01"),  # a run, and three as they are
        (RLE4, 4, b"\x03\x00\x01\x11\x00\x00\x03\x10\x01\x11\x00\x01"),
    ],
)
def test_run_lengths(packed, bits, data):
    got = pixels_of(bmp((4, 2), bits, data, packed=packed, palette=PALETTE))

    assert got[4:] == [ORANGE, ORANGE, ORANGE, STEEL]
    assert got[0] == got[2] == STEEL
    assert got[1] == ORANGE


def test_run_length_pictures_are_bounded_in_pixels():
    def run_length(height: int) -> bytes:
        header = struct.pack("<IIIIiiHHIIiiII", 100, 0, 58, 40, 16_000, height, 1, 8, 1, 0, 0, 0, 1, 0)
        return b"BM" + header + bytes(4) + (b"\xff\0" * 63 + b"\0\0") * height + b"\0\x01"

    make(run_length(2), "width=9")

    with pytest.raises(SourceTooLarge, match="a run-length BMP of more than 16000000 pixels"):
        make(run_length(1001), "width=9")
