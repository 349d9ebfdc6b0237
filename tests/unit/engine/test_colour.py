"""Every rendition is in sRGB: its colours are converted from the embedded profile."""

import pytest
from PIL import Image

from ..pictures import assert_close, colour_of, decode, encode, make, patch
from ..profiles import (
    ADOBE_RGB,
    DISPLAY_P3,
    PROPHOTO,
    SRGB,
    cmyk_profile,
    grey_profile,
    in_srgb,
    parametric_rgb_profile,
    rgb_profile,
    srgb_to_linear,
    unusual_inks,
)

ADOBE_GAMMA = 563 / 256
PATCHES = [
    (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0),
    (128, 128, 128), (200, 100, 50), (40, 90, 160), (12, 24, 6),
]  # fmt: skip
ORANGE = (215, 93, 31)  # (200, 100, 50) of Display P3 in sRGB
WITH_PROFILE = ("jpeg", "png", "webp", "avif", "tiff", "heif")


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
def test_a_profile_of_version_four_is_applied(image_format, colour):
    source = patch(colour, image_format, icc_profile=parametric_rgb_profile(DISPLAY_P3, 2.4))

    assert_close(
        colour_of(source), in_srgb(colour, DISPLAY_P3, srgb_to_linear), within=2 if image_format == "png" else 5
    )


def with_code_points(avif: bytes, primaries: int, transfer: int) -> bytes:
    """The AVIF with other code points for its colours."""
    offset = avif.index(b"nclx") + 4
    return avif[:offset] + bytes((0, primaries, 0, transfer)) + avif[offset + 4 :]


@pytest.mark.parametrize("colour", PATCHES)
def test_display_p3_code_points_of_an_avif_become_srgb(colour):
    source = with_code_points(patch(colour, "avif"), 12, 13)

    assert_close(colour_of(source), in_srgb(colour, DISPLAY_P3, srgb_to_linear), within=5)


@pytest.mark.parametrize(("primaries", "transfer"), [(1, 13), (2, 2), (1, 1), (77, 99)])
def test_unknown_code_points_are_taken_as_srgb(primaries, transfer):
    assert_close(colour_of(with_code_points(patch((200, 100, 50), "avif"), primaries, transfer)), (200, 100, 50), 3)


def test_the_profile_of_an_avif_takes_precedence_over_its_code_points():
    source = patch((200, 100, 50), "avif", icc_profile=rgb_profile(SRGB, gamma=None))

    assert_close(colour_of(with_code_points(source, 12, 13)), (200, 100, 50), within=3)


def test_a_p3_red_is_clipped_to_srgb_and_a_p3_orange_is_converted():
    profile = rgb_profile(DISPLAY_P3, gamma=None)

    assert_close(colour_of(patch((255, 0, 0), icc_profile=profile)), (255, 0, 0), within=1)
    assert_close(colour_of(patch((200, 100, 50), icc_profile=profile)), ORANGE, within=2)


@pytest.mark.parametrize("colour", PATCHES)
def test_srgb_is_not_changed(colour):
    assert_close(colour_of(patch(colour, icc_profile=rgb_profile(SRGB, gamma=None))), colour, within=1)
    assert_close(colour_of(patch(colour)), colour, within=0)


@pytest.mark.parametrize("alpha", [0, 64, 128, 254])
def test_a_profile_changes_colours_and_not_alpha(alpha):
    source = patch((200, 100, 50, alpha), mode="RGBA", icc_profile=rgb_profile(DISPLAY_P3, gamma=None))

    picture = colour_of(source)

    assert picture[3] == alpha
    if alpha > 200:
        assert_close(picture[:3], ORANGE, within=3)


def test_the_profile_of_a_palette_is_applied():
    image = Image.new("RGB", (16, 16), (200, 100, 50)).quantize(4)
    source = encode(image, "png", icc_profile=rgb_profile(DISPLAY_P3, gamma=None))

    assert_close(colour_of(source), ORANGE, within=2)


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
def test_a_damaged_profile_is_ignored(image_format, profile):
    source = patch((200, 100, 50), image_format, icc_profile=profile)

    assert_close(colour_of(source), (200, 100, 50), within=4)


@pytest.mark.parametrize(
    ("mode", "colour", "profile"),
    [
        ("RGB", (200, 100, 50), grey_profile(1.0)),
        ("RGB", (200, 100, 50), cmyk_profile(unusual_inks)),
        ("RGBA", (200, 100, 50, 128), cmyk_profile(unusual_inks)),
        ("L", 100, P3),
        ("L", 100, cmyk_profile(unusual_inks)),
    ],
)
def test_a_profile_of_another_colour_space_is_ignored(mode, colour, profile):
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


def test_the_background_is_srgb_whatever_the_source_s_profile():
    source = patch((0, 0, 0), icc_profile=P3)

    picture = decode(make(source, "width=40,height=20,fit=contain,background=c86432,format=png"))

    assert_close(picture.getpixel((1, 1))[:3], (200, 100, 50), within=0)
