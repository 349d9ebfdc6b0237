"""Grey sources stay grey, of 8 bits, and their profile is applied."""

import pytest
from PIL import Image

from ..pictures import assert_close, colour_of, decode, encode, make, noise, patch
from ..profiles import grey_profile, linear_to_srgb


@pytest.mark.parametrize("level", [0, 10, 64, 128, 200, 255])
@pytest.mark.parametrize("image_format", ["jpeg", "png", "tiff"])
def test_a_grey_profile_is_applied(image_format, level):
    source = patch(level, image_format, "L", icc_profile=grey_profile(1.0))

    picture = decode(make(source, "width=8,format=png"))

    assert picture.mode == "L"
    assert_close((picture.getpixel((4, 4)),), (linear_to_srgb(level / 255),), within=3)


@pytest.mark.parametrize("level", [10, 64, 128, 200])
def test_a_grey_profile_is_applied_beside_alpha(level):
    source = patch((level, 128), "png", "LA", icc_profile=grey_profile(1.0))

    got = colour_of(source)

    assert got[-1] == 128
    assert_close(got[:-1], (linear_to_srgb(level / 255),) * (len(got) - 1), within=5)  # half of 8 bits


def test_a_grey_profile_is_applied_at_sixteen_bits():
    source = encode(Image.new("I;16", (16, 16), 128 * 257), "png", icc_profile=grey_profile(1.0))

    assert_close((colour_of(source),), (188,), within=2)


@pytest.mark.parametrize(("image_format", "byte_order"), [("png", "I;16"), ("tiff", "I;16"), ("tiff", "I;16B")])
def test_sixteen_bit_grey_is_scaled_to_eight_bits(image_format, byte_order):
    samples = [level * 257 for level in range(256)]
    order = "big" if byte_order == "I;16B" else "little"
    row = b"".join(sample.to_bytes(2, order) for sample in samples)
    source = encode(Image.frombytes(byte_order, (256, 4), row * 4), image_format)

    picture = decode(make(source, "format=png"))

    assert picture.mode == "L"
    for level in range(256):
        assert_close((picture.getpixel((level, 1)),), (level,), within=1)


@pytest.mark.parametrize("image_format", ["png", "tiff"])
def test_sixteen_bit_grey_is_resized_by_its_mean(image_format):
    source = encode(Image.frombytes("I;16", (400, 400), b"\x00\x00\xff\xff" * 80_000), image_format)

    assert_close((colour_of(source, "width=10,format=png"),), (128,), within=2)


def test_a_grey_picture_stays_grey():
    grey = make(encode(noise((32, 32), "L"), "jpeg"), "width=16")

    assert decode(grey).mode == "L"
