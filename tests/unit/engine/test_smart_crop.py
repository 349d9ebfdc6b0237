"""`position=entropy` and `attention` crop at the subject of the upright, rotated, flipped and cropped scene."""

import pytest
from PIL import Image, ImageDraw

from ..pictures import RED, assert_close, decode, encode, frames_of, make, noise, stored

METHODS = ("entropy", "attention")


def scene(left: int, size=(300, 100)) -> Image.Image:
    """A red square with much detail on soft grey, with its left side at `left`."""
    image = Image.linear_gradient("L").resize(size).point(lambda light: 110 + light // 16).convert("RGB")
    subject = Image.blend(noise((60, 60)), Image.new("RGB", (60, 60), RED), 0.7)
    image.paste(subject, (left, 20))
    return image


def red_in(picture: Image.Image) -> float:
    """The share of the picture that is red."""
    small = picture.convert("RGB").resize((50, 50))
    red = [r > 150 and g < 120 and b < 120 for r, g, b in small.get_flattened_data()]
    return sum(red) / len(red)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("left", [5, 120, 235])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_subject_is_kept_in_every_orientation_of_the_source(method, left, orientation):
    source = stored(scene(left), orientation, "png")

    picture = decode(make(source, f"width=50,height=50,position={method},format=png"))

    assert red_in(picture) > 0.3  # the whole subject is 0.36 of the crop


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "rotation", ["rotate=90", "rotate=180", "rotate=270", "flip=horizontal", "rotate=90,flip=vertical"]
)
def test_the_subject_is_kept_in_every_rotation(method, rotation):
    picture = decode(make(encode(scene(235), "png"), f"{rotation},width=50,height=50,position={method},format=png"))

    assert red_in(picture) > 0.3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("image_format", ["jpeg", "webp", "gif"])
def test_the_subject_of_a_large_scene_that_is_decoded_smaller_is_kept(method, image_format):
    source = encode(scene(235).resize((1500, 500)), image_format)

    assert red_in(decode(make(source, f"width=50,height=50,position={method},format=png"))) > 0.3


@pytest.mark.parametrize("method", METHODS)
def test_the_subject_is_searched_within_the_crop(method):
    image = scene(5)
    ImageDraw.Draw(image).rectangle((150, 40, 165, 55), (200, 30, 30))

    picture = decode(make(encode(image, "png"), f"crop=100_0_200_100,width=40,height=40,position={method},format=png"))

    assert 0.01 < red_in(picture) < 0.1  # the small square; the large one lies outside


@pytest.mark.parametrize("method", METHODS)
def test_a_plain_picture_is_cropped_at_its_centre(method):
    image = Image.new("RGB", (300, 100), "gray")

    by_method = make(encode(image, "png"), f"width=50,height=50,position={method},format=png")

    assert by_method.body == make(encode(image, "png"), "width=50,height=50,format=png").body


@pytest.mark.parametrize("method", METHODS)
def test_all_frames_of_an_animation_are_cropped_at_the_subject_of_the_first(method):
    source = encode(scene(235), "webp", save_all=True, append_images=[scene(5)], duration=100)

    (first, _), (second, _) = frames_of(make(source, f"width=50,height=50,position={method},format=webp").body)

    assert red_in(first) > 0.3
    assert red_in(second) < 0.02
    assert_close(second.getpixel((25, 25))[:3], (118, 118, 118), within=12)
