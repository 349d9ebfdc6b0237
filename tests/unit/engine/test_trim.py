"""`trim` cuts plain edges, by the colour of the left top corner."""

import pytest
from PIL import Image

from ..pictures import BLUE, LIME, RED, WHITE, assert_corners, decode, encode, framed, make, stored


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["jpeg", "png", "webp"])
def test_trim_cuts_plain_edges(orientation, image_format):
    picture = decode(make(stored(framed(), orientation, image_format), "trim=30,format=png"))

    assert abs(picture.width - 30) <= 2  # a JPEG rings
    assert abs(picture.height - 20) <= 2
    assert_corners(picture.resize((30, 20)), (RED, LIME, BLUE, WHITE), inset=5)


@pytest.mark.parametrize(("mode", "edge"), [("RGBA", (0, 0, 0, 0)), ("L", 3), ("LA", (0, 0)), ("CMYK", (9, 9, 9, 0))])
def test_trim_works_on_sources_of_every_mode(mode, edge):
    image_format = "tiff" if mode == "CMYK" else "png"

    assert make(encode(framed(mode, edge), image_format), "trim=20,format=png").width == 30


def test_trim_works_on_a_palette():
    assert make(encode(framed().quantize(16), "png"), "trim=20,format=png").width == 30


def test_trim_works_on_16_bits():
    scene = Image.new("I;16", (80, 60), 1000)
    scene.paste(60_000, (12, 25, 42, 45))

    picture = decode(make(encode(scene, "png"), "trim=20,format=png"))

    assert picture.size == (30, 20)


def test_trim_keeps_colours_within_its_threshold():
    scene = Image.new("RGB", (60, 40), (100, 100, 100))
    scene.paste((110, 100, 100), (10, 10, 50, 30))

    assert make(encode(scene, "png"), "trim=10,format=png").width == 60
    assert make(encode(scene, "png"), "trim=9,format=png").width == 40


def test_trim_leaves_a_plain_picture_whole():
    assert make(encode(Image.new("RGB", (60, 40), RED), "png"), "trim=10,width=30").width == 30


def test_trim_applies_to_the_crop_and_the_size_to_what_is_left():
    rendition = make(encode(framed(), "png"), "crop=0_0_80_35,trim=20,width=60,format=png,enlarge=true")

    assert (rendition.width, rendition.height) == (60, 20)  # 30 × 10 are left
