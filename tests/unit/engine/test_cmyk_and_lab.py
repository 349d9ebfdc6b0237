"""CMYK and LAB sources become sRGB, by their profile if they have one."""

import pytest
from PIL import Image

from ..pictures import assert_close, colour_of, encode, patch
from ..profiles import DISPLAY_P3, SRGB, cmyk_profile, lab_of, rgb_profile, unusual_inks


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ((0, 0, 0, 0), (255, 255, 255)),
        ((255, 0, 0, 0), (20, 120, 30)),
        ((0, 255, 0, 0), (220, 120, 20)),
        ((0, 0, 255, 0), (60, 60, 200)),
        ((0, 0, 0, 255), (0, 0, 0)),
    ],
)
@pytest.mark.parametrize("image_format", ["jpeg", "tiff"])
def test_the_profile_of_cmyk_is_applied(image_format, colour, expected):
    source = patch(colour, image_format, "CMYK", icc_profile=cmyk_profile(unusual_inks))

    assert_close(colour_of(source), expected, within=4)


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ((0, 0, 0, 0), (255, 255, 255)),
        ((255, 0, 0, 0), (0, 255, 255)),
        ((0, 255, 0, 0), (255, 0, 255)),
        ((0, 0, 255, 0), (255, 255, 0)),
        ((0, 0, 0, 255), (0, 0, 0)),
        ((0, 0, 0, 128), (127, 127, 127)),
    ],
)
@pytest.mark.parametrize("profile", [None, rgb_profile(DISPLAY_P3, gamma=None), b"damaged"])
@pytest.mark.parametrize("image_format", ["jpeg", "tiff"])
def test_cmyk_without_a_cmyk_profile_is_the_complement_of_rgb(image_format, profile, colour, expected):
    options = {"icc_profile": profile} if profile else {}

    assert_close(colour_of(patch(colour, image_format, "CMYK", **options)), expected, within=4)


@pytest.mark.parametrize(
    "colour", [(255, 255, 255), (0, 0, 0), (128, 128, 128), (20, 120, 30), (220, 120, 20), (60, 60, 200)]
)
def test_lab_becomes_srgb(colour):
    lightness, a, b = lab_of(colour)
    image = Image.new("LAB", (16, 16), (round(lightness * 2.55), round(a) + 128, round(b) + 128))

    assert_close(colour_of(encode(image, "tiff")), colour, within=8)  # a and b are whole numbers


@pytest.mark.parametrize("profile", [b"x", b"not a profile" * 20, rgb_profile(SRGB, gamma=None)])
def test_lab_with_a_profile_of_another_colour_space_is_rendered(profile):
    source = encode(Image.new("LAB", (16, 16), (255, 128, 128)), "tiff", icc_profile=profile)

    assert_close(colour_of(source), (255, 255, 255), within=2)
