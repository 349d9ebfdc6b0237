"""The largest picture of an icon is read: a PNG or a bitmap, in its colours, with its mask."""

import struct

import pytest
from PIL import Image

from image_processor.errors import CorruptImage, SourceTooLarge

from ....pictures import BLUE, RED, assert_close, assert_corners, decode, encode, four_corners, icon, make, noise


def bitmap(size: tuple[int, int], bits: int, pixels: bytes, mask: bytes, palette: bytes = b"") -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, size[0], 2 * size[1], 1, bits, 0, 0, 0, 0, len(palette) // 4, 0)
    return header + palette + pixels + mask


@pytest.mark.parametrize("kind", ["png", "bmp"])
@pytest.mark.parametrize("sides", [(16, 32, 48), (256, 16), (32, 256, 64)])
def test_the_largest_picture_is_taken(sides, kind):
    source = encode(four_corners((256, 256)), "ico", sizes=[(side, side) for side in sides], bitmap_format=kind)

    picture = decode(make(source, "format=png"))

    assert picture.size == (max(sides), max(sides))
    assert_corners(picture, within=4)


def test_the_sides_in_the_directory_are_ignored():
    small, large = encode(Image.new("RGB", (16, 16), RED), "png"), encode(Image.new("RGB", (512, 300), BLUE), "png")

    picture = decode(make(icon((small, 256, 256), (large, 16, 16)), "format=png"))

    assert picture.size == (512, 300)
    assert picture.getpixel((5, 5)) == BLUE


def test_of_pictures_of_one_size_the_one_with_the_most_bits_is_taken():
    two = bitmap((2, 1), 1, b"\x40\0\0\0", bytes(4), bytes((0, 0, 0, 0, 255, 255, 255, 0)))
    many = bitmap((2, 1), 24, bytes((50, 100, 200)) * 2 + bytes(2), bytes(4))

    assert decode(make(icon((many, 2, 1), (two, 2, 1)), "format=png")).getpixel((0, 0)) == (200, 100, 50)
    assert decode(make(icon((two, 2, 1), (many, 2, 1)), "format=png")).getpixel((0, 0)) == (200, 100, 50)


@pytest.mark.parametrize(
    ("bits", "pixels", "palette"),
    [
        (1, b"\x40\0\0\0", bytes((50, 100, 200, 0, 160, 90, 40, 0))),
        (4, b"\x01\0\0\0", bytes((50, 100, 200, 0, 160, 90, 40, 0)) + bytes(56)),
        (8, b"\0\1\0\0", bytes((50, 100, 200, 0, 160, 90, 40, 0)) + bytes(1016)),
        (24, bytes((50, 100, 200, 160, 90, 40, 0, 0)), b""),
    ],
)
@pytest.mark.parametrize("mask", [0x00, 0x40, 0x80])
def test_a_bitmap_of_every_depth_with_its_mask(bits, pixels, palette, mask):
    source = icon((bitmap((2, 1), bits, pixels, bytes((mask, 0, 0, 0)), palette), 2, 1))

    picture = decode(make(source, "format=png")).convert("RGBA")

    for index, colour in enumerate([(200, 100, 50), (40, 90, 160)]):
        hidden = mask << index & 0x80
        assert picture.getpixel((index, 0))[3] == (0 if hidden else 255)
        if not hidden:
            assert picture.getpixel((index, 0))[:3] == colour


def test_a_bitmap_of_thirty_two_bits_has_its_alpha_whatever_the_directory_says():
    source = icon((bitmap((2, 1), 32, bytes((50, 100, 200, 255, 160, 90, 40, 128)), bytes(4)), 2, 1))

    picture = decode(make(source, "format=png"))

    assert picture.getpixel((0, 0)) == (200, 100, 50, 255)
    assert_close(picture.getpixel((1, 0)), (40, 90, 160, 128), within=2)


@pytest.mark.parametrize("kind", ["png", "bmp"])
def test_an_icon_has_no_fringe_at_its_edges(kind):
    image = Image.new("RGBA", (90, 90), (0, 255, 0, 0))
    image.paste((255, 0, 0, 255), (31, 31, 59, 59))

    picture = decode(make(encode(image, "ico", bitmap_format=kind), "width=30,format=png"))

    assert max(green for _, green, _, alpha in picture.get_flattened_data() if alpha > 8) == 0


def test_a_picture_over_the_limit_is_refused_before_it_is_decoded():
    body = encode(noise((16, 16)), "png")
    body = body[:16] + struct.pack(">II", 12_000, 12_000) + body[24:]

    with pytest.raises(SourceTooLarge, match="12000×12000"):
        make(icon((encode(noise((16, 16)), "png"), 16, 16), (body, 16, 16)), "width=9")


@pytest.mark.parametrize(
    "source",
    [
        icon(),
        icon((b"", 16, 16)),
        icon((b"not a picture" * 9, 16, 16)),
        icon((bitmap((2, 1), 24, bytes(8), bytes(4)), 2, 1))[:30],
        icon((bitmap((2, 1), 24, bytes(8), bytes(4)), 2, 1))[:60],
        icon((bitmap((-2, 1), 24, bytes(8), bytes(4)), 2, 1)),
        icon((bitmap((70_000, 70_000), 1, bytes(8), bytes(4)), 0, 0)),
        struct.pack("<HHH", 0, 1, 65_535),
        struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, 2**32 - 1, 2**32 - 1),
    ],
)
def test_an_icon_without_a_picture_is_corrupt(source):
    with pytest.raises(CorruptImage):
        make(source, "width=9")
