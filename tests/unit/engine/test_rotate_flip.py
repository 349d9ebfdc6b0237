"""`rotate` and `flip` apply to the upright source, and the size to what they give."""

import pytest

from ..pictures import BLUE, LIME, RED, WHITE, assert_corners, decode, encode, four_corners, make, stored


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
def test_rotate_and_flip_apply_to_the_upright_scene(orientation, image_format, option, expected):
    picture = decode(make(stored(four_corners((60, 40)), orientation, image_format), f"{option},width=30,format=png"))

    sideways = "90" in option or "270" in option
    assert picture.size == ((30, 45) if sideways else (30, 20))
    assert_corners(picture, expected, inset=3)


def test_sides_and_positions_are_those_of_the_rotated_scene():
    picture = decode(
        make(encode(four_corners((90, 30)), "png"), "rotate=90,width=30,height=30,position=top,format=png")
    )

    assert_corners(picture, (BLUE, RED, BLUE, RED), inset=3)
