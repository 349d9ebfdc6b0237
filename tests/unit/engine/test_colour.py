"""Every rendition is sRGB: the embedded profile says what a colour is."""

import pytest
from PIL import Image

from ..pictures import assert_close, decode, encode, make, noise
from ..profiles import (
    ADOBE_RGB,
    DISPLAY_P3,
    PROPHOTO,
    SRGB,
    cmyk_profile,
    grey_profile,
    in_srgb,
    lab_of,
    linear_to_srgb,
    parametric_rgb_profile,
    rgb_profile,
    srgb_to_linear,
)

ADOBE_GAMMA = 563 / 256
PATCHES = [
    (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0),
    (128, 128, 128), (200, 100, 50), (40, 90, 160), (12, 24, 6),
]  # fmt: skip
ORANGE = (215, 93, 31)  # what Display P3's (200, 100, 50) is in sRGB
WITH_PROFILE = ("jpeg", "png", "webp", "avif", "tiff", "heif")


def colour_of(source: bytes, transformation: str = "width=8,format=png") -> tuple[int, ...]:
    picture = decode(make(source, transformation))
    return picture.getpixel((picture.width // 2, picture.height // 2))


def patch(colour, image_format: str = "png", mode: str = "RGB", **options) -> bytes:
    return encode(Image.new(mode, (16, 16), colour), image_format, **options)


@pytest.mark.parametrize("colour", PATCHES)
@pytest.mark.parametrize("image_format", WITH_PROFILE)
def test_display_p3_becomes_srgb(image_format, colour):
    source = patch(colour, image_format, icc_profile=rgb_profile(DISPLAY_P3, gamma=None))

    assert_close(
        colour_of(source), in_srgb(colour, DISPLAY_P3, srgb_to_linear), within=2 if image_format == "png" else 5
    )


@pytest.mark.parametrize("colour", PATCHES)
def test_adobe_rgb_becomes_srgb(colour):
    source = patch(colour, icc_profile=rgb_profile(ADOBE_RGB, ADOBE_GAMMA))

    assert_close(colour_of(source), in_srgb(colour, ADOBE_RGB, lambda share: share**ADOBE_GAMMA), within=2)


@pytest.mark.parametrize("colour", [(200, 120, 100), (90, 100, 110), (255, 255, 255), (0, 0, 0), (128, 128, 128)])
def test_prophoto_rgb_becomes_srgb(colour):
    source = patch(colour, icc_profile=rgb_profile(PROPHOTO, 1.8))

    gamma = round(256 * 1.8) / 256
    assert_close(colour_of(source), in_srgb(colour, PROPHOTO, lambda share: share**gamma), within=2)


@pytest.mark.parametrize("colour", PATCHES)
@pytest.mark.parametrize("image_format", WITH_PROFILE)
def test_a_profile_of_version_four_is_followed(image_format, colour):
    source = patch(colour, image_format, icc_profile=parametric_rgb_profile(DISPLAY_P3, 2.4))

    assert_close(
        colour_of(source), in_srgb(colour, DISPLAY_P3, srgb_to_linear), within=2 if image_format == "png" else 5
    )


def with_code_points(avif: bytes, primaries: int, transfer: int) -> bytes:
    """The AVIF with its colours told anew, where its container does."""
    place = avif.index(b"nclx") + 4
    return avif[:place] + bytes((0, primaries, 0, transfer)) + avif[place + 4 :]


@pytest.mark.parametrize("colour", PATCHES)
def test_an_avif_s_code_points_of_display_p3_become_srgb(colour):
    source = with_code_points(patch(colour, "avif"), 12, 13)

    assert_close(colour_of(source), in_srgb(colour, DISPLAY_P3, srgb_to_linear), within=5)


@pytest.mark.parametrize(("primaries", "transfer"), [(1, 13), (2, 2), (1, 1), (77, 99)])
def test_other_code_points_are_srgb(primaries, transfer):
    assert_close(colour_of(with_code_points(patch((200, 100, 50), "avif"), primaries, transfer)), (200, 100, 50), 3)


def test_an_avif_s_profile_counts_more_than_its_code_points():
    source = patch((200, 100, 50), "avif", icc_profile=rgb_profile(SRGB, gamma=None))

    assert_close(colour_of(with_code_points(source, 12, 13)), (200, 100, 50), within=3)


def test_a_p3_red_is_more_than_srgb_can_show_and_a_p3_orange_is_this():
    profile = rgb_profile(DISPLAY_P3, gamma=None)

    assert_close(colour_of(patch((255, 0, 0), icc_profile=profile)), (255, 0, 0), within=1)
    assert_close(colour_of(patch((200, 100, 50), icc_profile=profile)), ORANGE, within=2)


@pytest.mark.parametrize("colour", PATCHES)
def test_srgb_stays_as_it_is(colour):
    assert_close(colour_of(patch(colour, icc_profile=rgb_profile(SRGB, gamma=None))), colour, within=1)
    assert_close(colour_of(patch(colour)), colour, within=0)


@pytest.mark.parametrize("level", [0, 10, 64, 128, 200, 255])
@pytest.mark.parametrize("image_format", ["jpeg", "png", "tiff"])
def test_a_grey_profile_is_followed(image_format, level):
    source = patch(level, image_format, "L", icc_profile=grey_profile(1.0))

    picture = decode(make(source, "width=8,format=png"))

    assert picture.mode == "L"
    assert_close((picture.getpixel((4, 4)),), (linear_to_srgb(level / 255),), within=3)


@pytest.mark.parametrize("level", [10, 64, 128, 200])
def test_a_grey_profile_is_followed_beside_alpha(level):
    source = patch((level, 128), "png", "LA", icc_profile=grey_profile(1.0))

    got = colour_of(source)

    assert got[-1] == 128
    assert_close(got[:-1], (linear_to_srgb(level / 255),) * (len(got) - 1), within=5)  # half of 8 bits


def test_a_grey_profile_is_followed_at_sixteen_bits():
    source = encode(Image.new("I;16", (16, 16), 128 * 257), "png", icc_profile=grey_profile(1.0))

    assert_close((colour_of(source),), (188,), within=2)


@pytest.mark.parametrize("alpha", [0, 64, 128, 254])
def test_a_profile_changes_colours_and_leaves_alpha(alpha):
    source = patch((200, 100, 50, alpha), mode="RGBA", icc_profile=rgb_profile(DISPLAY_P3, gamma=None))

    picture = colour_of(source)

    assert picture[3] == alpha
    if alpha > 200:
        assert_close(picture[:3], ORANGE, within=3)


def test_a_palette_follows_its_profile():
    image = Image.new("RGB", (16, 16), (200, 100, 50)).quantize(4)
    source = encode(image, "png", icc_profile=rgb_profile(DISPLAY_P3, gamma=None))

    assert_close(colour_of(source), ORANGE, within=2)


def inks(mixture):
    """A printer of odd inks: cyan looks green, magenta orange, yellow blue; all else is black."""
    looks = {
        (0, 0, 0, 0): (255, 255, 255),
        (1, 0, 0, 0): (20, 120, 30),
        (0, 1, 0, 0): (220, 120, 20),
        (0, 0, 1, 0): (60, 60, 200),
    }
    return looks.get(mixture, (0, 0, 0))


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
def test_cmyk_follows_its_profile(image_format, colour, expected):
    source = patch(colour, image_format, "CMYK", icc_profile=cmyk_profile(inks))

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
def test_cmyk_without_a_profile_of_its_own_is_taken_as_the_complement(image_format, profile, colour, expected):
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
def test_lab_with_a_profile_that_is_not_of_it_is_still_a_picture(profile):
    source = encode(Image.new("LAB", (16, 16), (255, 128, 128)), "tiff", icc_profile=profile)

    assert_close(colour_of(source), (255, 255, 255), within=2)


P3 = rgb_profile(DISPLAY_P3, gamma=None)


@pytest.mark.parametrize(
    "profile",
    [
        b"x",
        b"not a profile" * 20,
        P3[:100],
        P3[:128],
        P3[:200],
        P3[:36] + b"xxxx" + P3[40:],  # not signed acsp
        P3[:16] + b"XXXX" + P3[20:],
        P3[:20] + b"XXXX" + P3[24:],
        P3.replace(b"rXYZ", b"xXYZ"),
        P3.replace(b"curv", b"vruc"),
    ],
)
@pytest.mark.parametrize("image_format", WITH_PROFILE)
def test_a_damaged_profile_is_taken_as_absent(image_format, profile):
    source = patch((200, 100, 50), image_format, icc_profile=profile)

    assert_close(colour_of(source), (200, 100, 50), within=4)


@pytest.mark.parametrize(
    ("mode", "colour", "profile"),
    [
        ("RGB", (200, 100, 50), grey_profile(1.0)),
        ("RGB", (200, 100, 50), cmyk_profile(inks)),
        ("RGBA", (200, 100, 50, 128), cmyk_profile(inks)),
        ("L", 100, P3),
        ("L", 100, cmyk_profile(inks)),
    ],
)
def test_a_profile_of_another_colour_space_is_taken_as_absent(mode, colour, profile):
    got = colour_of(patch(colour, mode=mode, icc_profile=profile))

    assert_close(
        got if isinstance(got, tuple) else (got,), colour if isinstance(colour, tuple) else (colour,), within=1
    )


def test_the_profile_is_applied_to_every_rendition_of_many():
    source = encode(Image.new("RGB", (64, 64), (200, 100, 50)), "jpeg", icc_profile=P3)

    for transformation in (
        "width=64,format=png",
        "width=8,height=4,fit=contain,background=red,format=png",
        "width=2,format=png",
    ):
        assert_close(colour_of(source, transformation)[:3], ORANGE, within=4)


def test_letterbox_and_background_are_srgb_whatever_the_source_s_profile():
    source = patch((0, 0, 0), icc_profile=P3)

    picture = decode(make(source, "width=40,height=20,fit=contain,background=c86432,format=png"))

    assert_close(picture.getpixel((1, 1))[:3], (200, 100, 50), within=0)


@pytest.mark.parametrize(("image_format", "byte_order"), [("png", "I;16"), ("tiff", "I;16"), ("tiff", "I;16B")])
def test_sixteen_bit_grey_is_scaled_not_clipped(image_format, byte_order):
    samples = [place * 257 for place in range(256)]
    order = "big" if byte_order == "I;16B" else "little"
    row = b"".join(sample.to_bytes(2, order) for sample in samples)
    source = encode(Image.frombytes(byte_order, (256, 4), row * 4), image_format)

    picture = decode(make(source, "format=png"))

    assert picture.mode == "L"
    for place in range(256):
        assert_close((picture.getpixel((place, 1)),), (place,), within=1)


@pytest.mark.parametrize("image_format", ["png", "tiff"])
def test_sixteen_bit_grey_is_resized_by_its_mean(image_format):
    source = encode(Image.frombytes("I;16", (400, 400), b"\x00\x00\xff\xff" * 80_000), image_format)

    assert_close((colour_of(source, "width=10,format=png"),), (128,), within=2)


def test_a_picture_of_grey_stays_grey():
    grey = make(encode(noise((32, 32), "L"), "jpeg"), "width=16")

    assert decode(grey).mode == "L"
