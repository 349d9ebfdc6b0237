"""A PNG of every kind of pixels comes out in the right colours: depth, palette, transparent colours, colour chunks."""

import struct

import pytest

from ....pictures import assert_close, decode, make, png, png_chunk
from ....profiles import ADOBE_RGB, DISPLAY_P3, in_srgb, linear_to_srgb, rgb_profile, srgb_to_linear

GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6
P3_ORANGE = in_srgb((200, 100, 50), DISPLAY_P3, srgb_to_linear)
SRGB_PRIMARIES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
ADOBE_PRIMARIES = (31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)


def pixels_of(source: bytes, transformation: str = "format=png") -> list[tuple[int, ...]]:
    picture = decode(make(source, transformation))
    return list(picture.convert("RGBA" if picture.mode in ("LA", "RGBA") else "RGB").get_flattened_data())


@pytest.mark.parametrize(
    ("depth", "row", "greys"),
    [
        (1, b"\x60", (0, 255, 255, 0)),
        (2, b"\x1b", (0, 85, 170, 255)),
        (4, b"\x05\xaf", (0, 85, 170, 255)),
        (8, b"\x00\x55\xaa\xff", (0, 85, 170, 255)),
        (16, b"\x00\x00\x55\x55\xaa\xaa\xff\xff", (0, 85, 170, 255)),
    ],
)
def test_grey_of_every_depth(depth, row, greys):
    assert pixels_of(png((4, 1), depth, GREY, row)) == [(grey,) * 3 for grey in greys]


@pytest.mark.parametrize(("depth", "row"), [(1, b"\x60"), (2, b"\x14"), (4, b"\x01\x10"), (8, b"\x00\x01\x01\x00")])
@pytest.mark.parametrize(("transparency", "alphas"), [(None, (255, 255)), (b"\x80", (128, 255)), (b"\xff\0", (255, 0))])
def test_a_palette_of_every_depth(depth, row, transparency, alphas):
    chunks = [(b"PLTE", bytes((200, 100, 50, 40, 90, 160)))]
    chunks += [(b"tRNS", transparency)] if transparency else []

    got = pixels_of(png((4, 1), depth, PALETTE, row, *chunks))

    first, second = (200, 100, 50, alphas[0]), (40, 90, 160, alphas[1])
    for pixel, expected in zip(got, (first, second, second, first), strict=True):
        if expected[3] == 0:
            assert pixel[3] == 0
        else:
            assert_close(pixel, expected if transparency else expected[:3], within=2 if expected[3] < 255 else 0)


@pytest.mark.parametrize(
    ("kind", "row", "expected"),
    [
        (COLOUR, (51400, 25700, 12850, 65535, 0, 257), [(200, 100, 50), (255, 0, 1)]),
        (GREY_ALPHA, (25700, 65535, 25700, 32896), [(100, 100, 100, 255), (100, 100, 100, 128)]),
        (COLOUR_ALPHA, (51400, 25700, 12850, 65535, 0, 257, 0, 32896), [(200, 100, 50, 255), (0, 1, 0, 128)]),
    ],
)  # fmt: skip
def test_sixteen_bits_of_colour_and_alpha_are_scaled(kind, row, expected):
    got = pixels_of(png((2, 1), 16, kind, struct.pack(f">{len(row)}H", *row)))

    for pixel, wanted in zip(got, expected, strict=True):
        assert_close(pixel, wanted, within=1)


@pytest.mark.parametrize(
    ("depth", "kind", "row", "key", "opaque"),
    [
        (1, GREY, b"\x40", (0,), (255, 255, 255)),
        (1, GREY, b"\x80", (1,), (0, 0, 0)),
        (2, GREY, b"\xb0", (2,), (255, 255, 255)),
        (4, GREY, b"\x5a", (5,), (170, 170, 170)),
        (8, GREY, b"\x05\xaa", (5,), (170, 170, 170)),
        (16, GREY, b"\x12\x34\xaa\xaa", (0x1234,), (170, 170, 170)),
        (16, GREY, b"\xaa\xaa\xaa\xab", (0xAAAA,), (170, 170, 170)),
        (16, GREY, b"\x12\xaa\xaa\xaa", (0x12AA,), (170, 170, 170)),
        (8, COLOUR, b"\x01\x02\x03\xc8\x64\x32", (1, 2, 3), (200, 100, 50)),
        (16, COLOUR, b"\x12\x34\x56\x78\x9a\xbc\xc8\xc8\x64\x64\x32\x32", (0x1234, 0x5678, 0x9ABC), (200, 100, 50)),
    ],
)
def test_the_transparent_colour_is_transparent_and_the_other_is_not(depth, kind, row, key, opaque):
    source = png((2, 1), depth, kind, row, (b"tRNS", struct.pack(f">{len(key)}H", *key)))

    hidden, shown = pixels_of(source)

    assert hidden[3] == 0
    assert_close(shown, (*opaque, 255), within=1)


def test_a_transparent_grey_of_sixteen_bits_leaves_no_fringe():
    row = b"\xff\xff" * 30 + b"\x20\x20" * 30
    source = png((60, 60), 16, GREY, row * 60, (b"tRNS", b"\xff\xff"))

    for pixel in pixels_of(source, "width=20,format=png"):
        if pixel[3] > 8:
            assert_close(pixel[:3], (32, 32, 32), within=2)


def test_a_palette_s_transparency_behind_a_grey_of_sixteen_bits_is_none():
    source = png((4, 4), 16, GREY, b"\x20\x20" * 16)
    palette = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, PALETTE, 0, 0, 0)) + png_chunk(b"tRNS", b"\0\x20")

    assert set(pixels_of(source[:-12] + palette + source[-12:], "radius=1,format=png")) >= {(32, 32, 32, 255)}


def coloured(*chunks: tuple[bytes, bytes], kind: int = COLOUR, pixel: bytes = b"\xc8\x64\x32") -> bytes:
    return png((1, 1), 8, kind, pixel, *chunks)


def iccp(profile: bytes) -> tuple[bytes, bytes]:
    import zlib

    return b"iCCP", b"a name\0\0" + zlib.compress(profile)


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([(b"cICP", bytes((12, 13, 0, 1)))], P3_ORANGE),
        ([(b"cICP", bytes((1, 13, 0, 1)))], (200, 100, 50)),
        ([(b"cICP", bytes((1, 13, 0, 1))), iccp(rgb_profile(DISPLAY_P3, None))], (200, 100, 50)),  # cICP comes first
        ([(b"cICP", bytes((12, 13, 6, 1))), ], (200, 100, 50)),  # there is no YCbCr in a PNG
        ([(b"cICP", b"\x0c")], (200, 100, 50)),
        ([(b"cICP", bytes((200, 200, 0, 1)))], (200, 100, 50)),
        ([(b"cICP", bytes((1, 8, 0, 1)))], tuple(linear_to_srgb(sample / 255) for sample in (200, 100, 50))),
    ],
)  # fmt: skip
def test_code_points_of_colours_count(chunks, expected):
    [pixel] = pixels_of(coloured(*chunks))

    assert_close(pixel, expected, within=2)


def gama(share: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(share * 100_000))


def chrm(values: tuple[int, ...]) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *values)


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([gama(0.45455)], (200, 100, 50)),
        ([gama(0.45455), chrm(SRGB_PRIMARIES)], (200, 100, 50)),
        ([chrm(ADOBE_PRIMARIES)], (200, 100, 50)),  # without a gamma it says too little
        ([gama(0.45455), chrm(ADOBE_PRIMARIES)], in_srgb((200, 100, 50), ADOBE_RGB, lambda share: share**2.2)),
        ([gama(1)], tuple(linear_to_srgb(sample / 255) for sample in (200, 100, 50))),
        ([gama(1), (b"sRGB", b"\0")], (200, 100, 50)),
        ([gama(1), iccp(rgb_profile(DISPLAY_P3, None))], P3_ORANGE),
        ([gama(0)], (200, 100, 50)),
        ([gama(1), chrm((0,) * 8)], (200, 100, 50)),
        ([gama(1), chrm((2**32 - 1,) * 8)], (200, 100, 50)),
    ],
)
def test_gamma_and_primaries_count_where_nothing_better_is_said(chunks, expected):
    [pixel] = pixels_of(coloured(*chunks))

    assert_close(pixel, expected, within=2)


@pytest.mark.parametrize("chunk", [(b"cICP", bytes((12, 8, 0, 1))), gama(1)])
def test_they_count_for_grey_too(chunk):
    picture = decode(make(coloured(chunk, kind=GREY, pixel=b"\x80"), "format=png"))

    assert picture.mode == "L"
    assert_close((picture.getpixel((0, 0)),), (188,), within=1)


@pytest.mark.parametrize(("transfer", "white", "bright"), [(16, 148, 180), (18, 191, 240)])
def test_pictures_for_hdr_keep_their_order_and_nothing_is_cut_off(transfer, white, bright):
    row = bytes(sample for level in range(256) for sample in (level, level, level))
    source = png((256, 1), 8, COLOUR, row, (b"cICP", bytes((9, transfer, 0, 1))))

    levels = [red for red, _, _ in pixels_of(source)]

    assert levels == sorted(levels)
    assert levels[0] == 0
    # Paper white, 203 cd/m²: at 58 % of PQ and 75 % of HLG (ITU-R BT.2408, table 1).
    assert 175 <= levels[white] <= 200
    assert levels[white] + 20 < levels[bright] < 255


@pytest.mark.parametrize(
    ("depth", "kind", "hidden", "shown", "expected"),
    [
        (16, GREY, b"\xff\xff", b"\x20\x20", (32, 32, 32)),
        (8, GREY, b"\xff", b"\x20", (32, 32, 32)),
        (16, COLOUR, b"\xff\xff\xff\xff\xff\xff", b"\xc8\xc8\x64\x64\x32\x32", (200, 100, 50)),
        (8, COLOUR, b"\xff\xff\xff", b"\xc8\x64\x32", (200, 100, 50)),
    ],
)
def test_so_it_is_in_a_large_picture_which_is_decoded_in_bands(depth, kind, hidden, shown, expected):
    key = b"".join(
        b"\0" * (depth == 8) + hidden[place : place + depth // 8] for place in range(0, len(hidden), depth // 8)
    )
    source = png((600, 600), depth, kind, (hidden * 300 + shown * 300) * 600, (b"tRNS", key))

    pixels = pixels_of(source, "width=20,format=png")

    assert pixels[2][3] == 0
    assert_close(pixels[17], (*expected, 255), within=1)
