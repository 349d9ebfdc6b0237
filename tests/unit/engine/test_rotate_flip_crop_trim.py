"""`rotate`, `flip`, `crop` and `trim`: which part of the upright source is shown, and which way up."""

import pytest
from PIL import Image, ImageDraw

from image_processor.errors import InvalidTransformation

from ..pictures import (
    BLUE,
    LIME,
    RED,
    WHITE,
    assert_close,
    corners_of,
    decode,
    encode,
    four_corners,
    framed,
    make,
    psnr,
    stored,
)

GREY = (120, 120, 120)


def assert_corners(picture: Image.Image, expected, inset: int = 3) -> None:
    for colour, wanted in zip(corners_of(picture, inset), expected, strict=True):
        assert_close(colour, wanted, within=16)


# Left top, right top, left bottom, right bottom of the picture; red, lime, blue, white in the scene.
@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("rotate=90", (BLUE, RED, WHITE, LIME)),
        ("rotate=180", (WHITE, BLUE, LIME, RED)),
        ("rotate=270", (LIME, WHITE, RED, BLUE)),
        ("flip=horizontal", (LIME, RED, WHITE, BLUE)),
        ("flip=vertical", (BLUE, WHITE, RED, LIME)),
        ("flip=both", (WHITE, BLUE, LIME, RED)),
        ("rotate=90,flip=horizontal", (RED, BLUE, LIME, WHITE)),
        ("rotate=270,flip=vertical", (RED, BLUE, LIME, WHITE)),
    ],
)
@pytest.mark.parametrize("image_format", ["jpeg", "png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_start_from_the_upright_scene(orientation, image_format, option, expected):
    picture = decode(make(stored(four_corners((60, 40)), orientation, image_format), f"{option},width=30,format=png"))

    turned = "90" in option or "270" in option
    assert picture.size == ((30, 45) if turned else (30, 20))
    assert_corners(picture, expected)


def test_sides_and_positions_are_those_of_the_turned_scene():
    picture = decode(
        make(encode(four_corners((90, 30)), "png"), "rotate=90,width=30,height=30,position=top,format=png")
    )

    assert_corners(picture, (BLUE, RED, BLUE, RED))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["jpeg", "png", "webp", "tiff"])
def test_a_crop_is_in_pixels_of_the_upright_scene(orientation, image_format):
    scene = four_corners((60, 40))
    ImageDraw.Draw(scene).rectangle((36, 24, 55, 35), GREY)

    picture = decode(make(stored(scene, orientation, image_format), "crop=36_24_20_12,format=png"))

    assert picture.size == (20, 12)
    assert_corners(picture, (GREY,) * 4)


def test_a_crop_past_the_edge_ends_there():
    picture = decode(make(encode(four_corners((60, 40)), "png"), "crop=30_20_500_500,format=png"))

    assert picture.size == (30, 20)
    assert_corners(picture, (WHITE,) * 4)


def test_a_crop_outside_the_source_is_refused_with_the_source_s_sides():
    with pytest.raises(InvalidTransformation, match="crop: 60_0_5_5 lies outside the source, which is 60×40"):
        make(encode(four_corners((60, 40)), "png"), "crop=60_0_5_5")


def test_a_small_crop_of_a_large_jpeg_has_all_its_detail():
    scene = Image.new("RGB", (1600, 1200), GREY)
    detail = Image.effect_noise((200, 200), 120).convert("RGB").resize((400, 400))
    scene.paste(detail, (801, 403))
    source = encode(scene, "jpeg", quality=95, subsampling=0)

    picture = decode(make(source, "crop=801_403_400_400,width=200,format=png"))

    expected = decode(source).crop((801, 403, 1201, 803)).resize((200, 200), Image.Resampling.LANCZOS)
    assert psnr(picture, expected) > 40


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["jpeg", "png", "webp"])
def test_trim_cuts_plain_edges(orientation, image_format):
    picture = decode(make(stored(framed(), orientation, image_format), "trim=30,format=png"))

    assert abs(picture.width - 30) <= 2  # a JPEG rings
    assert abs(picture.height - 20) <= 2
    assert_corners(picture.resize((30, 20)), (RED, LIME, BLUE, WHITE), inset=5)


@pytest.mark.parametrize(("mode", "edge"), [("RGBA", (0, 0, 0, 0)), ("L", 3), ("LA", (0, 0)), ("CMYK", (9, 9, 9, 0))])
def test_trim_works_on_sources_of_this_mode(mode, edge):
    image_format = "tiff" if mode == "CMYK" else "png"

    assert make(encode(framed(mode, edge), image_format), "trim=20,format=png").width == 30


def test_trim_works_on_a_palette():
    assert make(encode(framed().quantize(16), "png"), "trim=20,format=png").width == 30


def test_trim_works_on_16_bits():
    scene = Image.new("I;16", (80, 60), 1000)
    scene.paste(60_000, (12, 25, 42, 45))

    picture = decode(make(encode(scene, "png"), "trim=20,format=png"))

    assert picture.size == (30, 20)


def test_trim_leaves_colours_nearer_than_its_threshold():
    scene = Image.new("RGB", (60, 40), (100, 100, 100))
    scene.paste((110, 100, 100), (10, 10, 50, 30))

    assert make(encode(scene, "png"), "trim=10,format=png").width == 60
    assert make(encode(scene, "png"), "trim=9,format=png").width == 40


def test_trim_leaves_a_plain_picture_whole():
    assert make(encode(Image.new("RGB", (60, 40), RED), "png"), "trim=10,width=30").width == 30


def test_trim_keeps_to_the_crop_and_sizes_what_is_left():
    rendition = make(encode(framed(), "png"), "crop=0_0_80_35,trim=20,width=60,format=png,enlarge=true")

    assert (rendition.width, rendition.height) == (60, 20)  # 30 × 10 are left
