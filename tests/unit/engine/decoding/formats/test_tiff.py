"""A TIFF of every kind of pixels that scanners and design tools write comes out in the right colours."""

import struct
from collections.abc import Sequence

import pytest
from PIL import Image

from image_processor.errors import CorruptImage, ImageProcessorError, UnsupportedFormat

from ....pictures import BLUE, assert_close, assert_corners, decode, encode, four_corners, make, photo, psnr

WHITE_IS_ZERO, BLACK_IS_ZERO, COLOUR, INKS = 0, 1, 2, 5
PLANAR, PREDICTOR, EXTRA, FORMAT = 284, 317, 338, 339


def tiff(
    size: tuple[int, int], bits: int, photometric: int, strips: Sequence[bytes], *, samples: int = 1,
    order: str = "<", more: dict[int, tuple[int, ...]] | None = None,
) -> bytes:  # fmt: skip
    """An uncompressed TIFF, of one strip or of one for each plane."""
    tags = {
        256: (size[0],), 257: (size[1],), 258: (bits,) * samples, 259: (1,), 262: (photometric,),
        273: tuple(8 + sum(map(len, strips[:index])) for index in range(len(strips))),
        277: (samples,), 278: (size[1],), 279: tuple(map(len, strips)), **(more or {}),
    }  # fmt: skip
    pixels = b"".join(strips)
    pixels += bytes(len(pixels) % 2)
    offset = 8 + len(pixels)
    directory, beyond = struct.pack(order + "H", len(tags)), b""
    for tag, values in sorted(tags.items()):
        packed = struct.pack(f"{order}{len(values)}H", *values)
        if len(packed) > 4:
            packed, beyond = struct.pack(order + "I", offset + 6 + 12 * len(tags) + len(beyond)), beyond + packed
        directory += struct.pack(order + "HHI", tag, 3, len(values)) + packed.ljust(4, b"\0")
    return (
        {"<": b"II*\0", ">": b"MM\0*"}[order]
        + struct.pack(order + "I", offset)
        + pixels
        + directory
        + bytes(4)
        + beyond
    )


def pixels_of(source: bytes) -> list[tuple[int, ...]]:
    picture = decode(make(source, "format=png"))
    return list(picture.convert("RGBA" if picture.mode in ("LA", "RGBA") else "RGB").get_flattened_data())


def words(order: str, *values: int) -> bytes:
    return struct.pack(f"{order}{len(values)}H", *values)


@pytest.mark.parametrize(
    ("bits", "photometric", "order", "greys"),
    [
        (8, BLACK_IS_ZERO, "<", (0, 85, 255)),
        (8, BLACK_IS_ZERO, ">", (0, 85, 255)),
        (8, WHITE_IS_ZERO, "<", (255, 170, 0)),
        (8, WHITE_IS_ZERO, ">", (255, 170, 0)),
        (16, BLACK_IS_ZERO, "<", (0, 85, 255)),
        (16, BLACK_IS_ZERO, ">", (0, 85, 255)),
        (16, WHITE_IS_ZERO, "<", (255, 170, 0)),  # in the other order Pillow doesn't read it
    ],
)
def test_grey_is_not_its_negative(bits, photometric, order, greys):
    row = b"\x00\x55\xff" if bits == 8 else words(order, 0, 0x5555, 0xFFFF)

    assert pixels_of(tiff((3, 1), bits, photometric, [row], order=order)) == [(grey,) * 3 for grey in greys]


@pytest.mark.parametrize(("photometric", "greys"), [(BLACK_IS_ZERO, (255, 0)), (WHITE_IS_ZERO, (0, 255))])
def test_one_bit_is_black_or_white(photometric, greys):
    assert pixels_of(tiff((2, 1), 1, photometric, [b"\x80"])) == [(grey,) * 3 for grey in greys]


@pytest.mark.parametrize("order", ["<", ">"])
def test_sixteen_bits_of_colour_are_scaled(order):
    row = words(order, 200 * 257, 100 * 257, 50 * 257, 65535, 0, 257)

    got = pixels_of(tiff((2, 1), 16, COLOUR, [row], samples=3, order=order))

    for pixel, expected in zip(got, [(200, 100, 50), (255, 0, 1)], strict=True):
        assert_close(pixel, expected, within=1)


@pytest.mark.parametrize("order", ["<", ">"])
def test_sixteen_bits_of_ink_are_scaled(order):
    row = words(order, 0, 0, 0, 0, 65535, 0, 0, 0, 0, 0, 0, 128 * 257)

    got = pixels_of(tiff((3, 1), 16, INKS, [row], samples=4, order=order))

    for pixel, expected in zip(got, [(255, 255, 255), (0, 255, 255), (127, 127, 127)], strict=True):
        assert_close(pixel, expected, within=1)


@pytest.mark.parametrize(
    ("extra", "row"), [(2, (200, 100, 50, 128)), (1, (100, 50, 25, 128))], ids=["straight", "premultiplied"]
)
def test_alpha_is_straight_or_premultiplied_as_it_says(extra, row):
    [pixel] = pixels_of(tiff((1, 1), 8, COLOUR, [bytes(row)], samples=4, more={EXTRA: (extra,)}))

    assert_close(pixel, (200, 100, 50, 128), within=2)


def test_grey_has_its_alpha():
    [pixel] = pixels_of(tiff((1, 1), 8, BLACK_IS_ZERO, [b"\x64\x80"], samples=2, more={EXTRA: (2,)}))

    assert_close(pixel, (100, 100, 100, 128), within=2)


@pytest.mark.parametrize(
    ("photometric", "planes", "expected"),
    [
        (COLOUR, [b"\xc8\x00", b"\x64\xff", b"\x32\x00"], [(200, 100, 50), (0, 255, 0)]),
        (INKS, [b"\xff\x00", b"\x00\x00", b"\x00\x00", b"\x00\xff"], [(0, 255, 255), (0, 0, 0)]),
    ],
)
def test_planes_that_follow_each_other_are_joined(photometric, planes, expected):
    source = tiff((2, 1), 8, photometric, planes, samples=len(planes), more={PLANAR: (2,)})

    assert pixels_of(source) == expected


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "raw", "zstd"])
@pytest.mark.parametrize("predictor", [1, 2])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "CMYK"])
def test_every_compression_is_decoded_with_its_predictor(mode, predictor, compression):
    image = photo((64, 48)).convert(mode)
    tags = {PREDICTOR: predictor} if compression not in ("raw", "packbits") else {}

    picture = decode(make(encode(image, "tiff", compression=compression, tiffinfo=tags), "format=png"))

    assert picture.convert("RGB").tobytes() == image.convert("RGB").tobytes()


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate"])
def test_sixteen_bit_grey_is_decompressed(compression):
    samples = b"".join(struct.pack("<H", level * 257) for level in range(256))
    source = encode(
        Image.frombytes("I;16", (256, 2), samples * 2), "tiff", compression=compression, tiffinfo={PREDICTOR: 2}
    )

    picture = decode(make(source, "format=png"))

    assert [picture.getpixel((level, 1)) for level in range(256)] == list(range(256))


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt"])
def test_fax_compressions_are_decoded(compression):
    image = Image.new("1", (64, 64), 1)
    image.paste(0, (0, 0, 32, 32))

    picture = decode(make(encode(image, "tiff", compression=compression), "format=png"))

    assert [picture.convert("L").getpixel(point) for point in ((5, 5), (50, 5), (5, 50))] == [0, 255, 255]


def test_a_jpeg_within_a_tiff_has_its_colours():
    image = photo((128, 96))

    picture = decode(make(encode(image.convert("YCbCr"), "tiff", compression="jpeg", quality=95), "format=png"))

    assert psnr(picture, image) > 35


def test_the_first_of_many_pages_is_taken():
    pages = {"save_all": True, "append_images": [Image.new("RGB", (900, 900), BLUE), Image.new("L", (9, 9))]}

    picture = decode(make(encode(four_corners(), "tiff", **pages), "format=png"))

    assert picture.size == (60, 40)
    assert_corners(picture, within=0)


@pytest.mark.parametrize(("bits", "kind"), [(32, 3), (32, 1), (32, 2), (64, 3), (16, 3)])
def test_samples_of_32_bits_and_floats_are_refused(bits, kind):
    source = tiff((2, 2), bits, BLACK_IS_ZERO, [bytes(bits // 2)], more={FORMAT: (kind,)})

    with pytest.raises((UnsupportedFormat, CorruptImage)):
        make(source, "width=2")


def test_pages_in_a_circle_are_read_once():
    source = tiff((2, 1), 8, BLACK_IS_ZERO, [b"\x00\xff"])
    first = int.from_bytes(source[4:8], "little")
    offset = first + 2 + 12 * int.from_bytes(source[first : first + 2], "little")

    assert pixels_of(source[:offset] + struct.pack("<I", first) + source[offset + 4 :]) == [(0, 0, 0), (255, 255, 255)]


@pytest.mark.parametrize("photometric", [3, 4, 6, 8, 9, 10, 32844, 32845, 65535])
def test_any_photometric_interpretation_is_read_or_refused_by_a_documented_error(photometric):
    try:
        make(tiff((2, 2), 8, photometric, [bytes(12)], samples=3), "width=2")
    except ImageProcessorError as error:
        assert error.code in ("corrupt-image", "unsupported-format")  # noqa: PT017 - either outcome is right
