"""`crop` keeps a part of the upright source, in its pixels."""

import pytest
from PIL import Image, ImageDraw

from image_processor.errors import InvalidTransformation

from ..pictures import WHITE, assert_corners, decode, encode, four_corners, make, psnr, stored

GREY = (120, 120, 120)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["jpeg", "png", "webp", "tiff"])
def test_a_crop_is_in_pixels_of_the_upright_scene(orientation, image_format):
    scene = four_corners((60, 40))
    ImageDraw.Draw(scene).rectangle((36, 24, 55, 35), GREY)

    picture = decode(make(stored(scene, orientation, image_format), "crop=36_24_20_12,format=png"))

    assert picture.size == (20, 12)
    assert_corners(picture, (GREY,) * 4, inset=3)


def test_a_crop_past_the_edge_ends_there():
    picture = decode(make(encode(four_corners((60, 40)), "png"), "crop=30_20_500_500,format=png"))

    assert picture.size == (30, 20)
    assert_corners(picture, (WHITE,) * 4, inset=3)


def test_a_crop_outside_the_source_is_refused_with_the_source_s_sides():
    with pytest.raises(InvalidTransformation, match="crop: 60_0_5_5 is outside the source, which is 60×40"):
        make(encode(four_corners((60, 40)), "png"), "crop=60_0_5_5")


def test_a_small_crop_of_a_large_jpeg_has_its_full_detail():
    scene = Image.new("RGB", (1600, 1200), GREY)
    detail = Image.effect_noise((200, 200), 120).convert("RGB").resize((400, 400))
    scene.paste(detail, (801, 403))
    source = encode(scene, "jpeg", quality=95, subsampling=0)

    picture = decode(make(source, "crop=801_403_400_400,width=200,format=png"))

    expected = decode(source).crop((801, 403, 1201, 803)).resize((200, 200), Image.Resampling.LANCZOS)
    assert psnr(picture, expected) > 40
