"""`position=entropy` and `attention`: the crop goes where the upright, turned, cropped scene has its subject."""

import pytest
from PIL import Image, ImageDraw

from ..pictures import RED, assert_close, decode, encode, frames_of, make, noise, stored

METHODS = ("entropy", "attention")


def scene(place: int, size=(300, 100)) -> Image.Image:
    """A red, busy square on soft grey, its left side at `place`."""
    image = Image.linear_gradient("L").resize(size).point(lambda light: 110 + light // 16).convert("RGB")
    subject = Image.blend(noise((60, 60)), Image.new("RGB", (60, 60), RED), 0.7)
    image.paste(subject, (place, 20))
    return image


def red_in(picture: Image.Image) -> float:
    """The share of the picture that is red."""
    small = picture.convert("RGB").resize((50, 50))
    red = [r > 150 and g < 120 and b < 120 for r, g, b in small.get_flattened_data()]
    return sum(red) / len(red)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("place", [5, 120, 235])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_subject_is_kept_however_the_scene_is_stored(method, place, orientation):
    source = stored(scene(place), orientation, "png")

    picture = decode(make(source, f"width=50,height=50,position={method},format=png"))

    assert red_in(picture) > 0.3  # all of it is 0.36 of the crop


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "turn", ["rotate=90", "rotate=180", "rotate=270", "flip=horizontal", "rotate=90,flip=vertical"]
)
def test_the_subject_is_kept_however_the_scene_is_turned(method, turn):
    picture = decode(make(encode(scene(235), "png"), f"{turn},width=50,height=50,position={method},format=png"))

    assert red_in(picture) > 0.3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("image_format", ["jpeg", "webp", "gif"])
def test_the_subject_of_a_large_scene_is_found_in_its_scaled_decode(method, image_format):
    source = encode(scene(235).resize((1500, 500)), image_format)

    assert red_in(decode(make(source, f"width=50,height=50,position={method},format=png"))) > 0.3


@pytest.mark.parametrize("method", METHODS)
def test_the_subject_of_a_crop_is_looked_for_within_it(method):
    image = scene(5)
    ImageDraw.Draw(image).rectangle((150, 40, 165, 55), (200, 30, 30))

    picture = decode(make(encode(image, "png"), f"crop=100_0_200_100,width=40,height=40,position={method},format=png"))

    assert 0.01 < red_in(picture) < 0.1  # the small one: the large one lies outside


@pytest.mark.parametrize("method", METHODS)
def test_a_plain_picture_is_cropped_at_its_centre(method):
    image = Image.new("RGB", (300, 100), "gray")

    by_method = make(encode(image, "png"), f"width=50,height=50,position={method},format=png")

    assert by_method.body == make(encode(image, "png"), "width=50,height=50,format=png").body


@pytest.mark.parametrize("method", METHODS)
def test_an_animation_keeps_one_crop_found_in_its_first_frame(method):
    source = encode(scene(235), "webp", save_all=True, append_images=[scene(5)], duration=100)

    (first, _), (second, _) = frames_of(make(source, f"width=50,height=50,position={method},format=webp").body)

    assert red_in(first) > 0.3
    assert red_in(second) < 0.02
    assert_close(second.getpixel((25, 25))[:3], (118, 118, 118), within=12)
