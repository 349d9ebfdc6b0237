"""Each fit crops, letterboxes, fits or distorts the source, as the colours of the picture show."""

import pytest
from PIL import Image

from ..pictures import (
    BLUE,
    LIME,
    RED,
    WHITE,
    assert_close,
    assert_corners,
    corners_of,
    decode,
    encode,
    four_corners,
    make,
)

SOURCE = encode(four_corners((120, 60)), "png")
NAVY = (0, 0, 128)


@pytest.mark.parametrize(
    ("transformation", "size"),
    [
        ("width=128,height=128", (128, 128)),
        ("width=30,height=30", (30, 30)),
        ("width=30,height=30,fit=contain", (30, 30)),
        ("width=30,height=30,fit=fill", (30, 30)),
        ("width=30,height=30,fit=inside", (30, 15)),
        ("width=30,height=30,fit=outside", (60, 30)),
        ("width=300,height=300,fit=inside", (120, 60)),
        ("width=240,height=240,fit=inside,enlarge=true", (240, 120)),
        ("width=300", (120, 60)),
        ("width=240,enlarge=true", (240, 120)),
        ("height=20", (40, 20)),
        ("quality=50", (120, 60)),
        ("width=1,height=1", (1, 1)),
        ("width=8192,height=1", (8192, 1)),
        ("width=1,height=8192,fit=fill", (1, 8192)),
        ("width=1,height=8192", (1, 8192)),
    ],
)
def test_the_sides_of_the_picture(transformation, size):
    rendition = make(SOURCE, transformation)

    assert decode(rendition).size == (rendition.width, rendition.height) == size


@pytest.mark.parametrize("sides", [(1, 1), (1, 9), (9, 1), (2, 3), (1, 20_000), (20_000, 1)])
@pytest.mark.parametrize("image_format", ["jpeg", "png", "webp", "tiff"])
@pytest.mark.parametrize("transformation", [
    "width=128,height=128",
    "width=1,height=8192",
    "width=8192,height=1",
    "width=7,height=5,fit=contain",
    "width=3,height=3,fit=fill",
    "width=64,enlarge=true",
    "width=5,height=5,fit=outside,enlarge=true",
    "width=50,height=3,position=right-bottom",
    "quality=50",
])  # fmt: skip
def test_sources_of_one_or_few_pixels_a_side_are_rendered(sides, image_format, transformation):
    if image_format == "webp" and max(sides) > 16_383:
        sides = tuple(min(side, 16_383) for side in sides)  # the format's own limit
    source = encode(Image.new("RGB", sides, (200, 100, 50)), image_format)

    picture = decode(make(source, f"{transformation},format=png"))

    colour = picture.convert("RGBA").getpixel((picture.width // 2, picture.height // 2))
    assert_close(colour, (200, 100, 50, 255), within=4)


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        ("center", (RED, LIME, BLUE, WHITE)),
        ("left", (RED, RED, BLUE, BLUE)),
        ("right-top", (LIME, LIME, WHITE, WHITE)),
        ("top", (RED, LIME, BLUE, WHITE)),
    ],
)
def test_cover_crops_the_source_at_the_position(position, expected):
    picture = decode(make(SOURCE, f"width=30,height=30,position={position}"))

    assert_corners(picture, expected, within=1)


@pytest.mark.parametrize(
    ("position", "top", "bottom"),
    [("top", 0, 19), ("center", 10, 29), ("bottom", 20, 39), ("left", 10, 29), ("right-bottom", 20, 39)],
)
def test_contain_puts_the_picture_at_the_position(position, top, bottom):
    picture = decode(make(SOURCE, f"width=40,height=40,fit=contain,background=navy,position={position}"))

    rows = [row for row in range(40) if picture.convert("RGB").getpixel((2, row)) != NAVY]
    assert (rows[0], rows[-1]) == (top, bottom)
    assert_close(picture.convert("RGB").getpixel((2, top)), RED, within=0)
    assert_close(picture.convert("RGB").getpixel((37, bottom)), WHITE, within=0)


@pytest.mark.parametrize(
    ("target", "background", "expected"),
    [
        ("png", "", (0, 0, 0, 0)),
        ("webp", "", (None, None, None, 0)),
        ("gif", "", (None, None, None, 0)),
        ("avif", "", (None, None, None, 0)),
        ("jpeg", "", (255, 255, 255, 255)),
        ("png", ",background=navy", (*NAVY, 255)),
        ("jpeg", ",background=navy", (*NAVY, 255)),
        ("png", ",background=00008080", (0, 0, 128, 128)),
        ("jpeg", ",background=00008080", (127, 127, 191, 255)),
        ("jpeg", ",background=transparent", (255, 255, 255, 255)),
    ],
)
def test_the_letterbox_has_the_background_or_is_transparent(target, background, expected):
    picture = decode(make(SOURCE, f"width=40,height=40,fit=contain,format={target}{background}")).convert("RGBA")

    for point in ((1, 1), (38, 38)):
        got = picture.getpixel(point)
        assert_close(
            tuple(a for a, b in zip(got, expected, strict=True) if b is not None),
            tuple(b for b in expected if b is not None),
            within=4,
        )
    assert picture.getpixel((5, 15))[3] >= 250


def test_a_transparent_source_stays_transparent_inside_a_coloured_letterbox():
    source = encode(Image.new("RGBA", (60, 30), (0, 0, 0, 0)), "png")

    picture = decode(make(source, "width=40,height=40,fit=contain,background=navy"))

    assert picture.getpixel((20, 20))[3] == 0
    assert picture.getpixel((20, 2)) == (*NAVY, 255)


def test_a_grey_source_gets_a_coloured_letterbox():
    source = encode(Image.new("L", (60, 30), 100), "png")

    picture = decode(make(source, "width=40,height=40,fit=contain,background=navy"))

    assert picture.getpixel((20, 2)) == NAVY
    assert picture.getpixel((20, 20)) == (100, 100, 100)


def test_contain_in_a_box_of_the_source_s_aspect_ratio_has_no_letterbox():
    picture = decode(make(SOURCE, "width=40,height=20,fit=contain,background=navy"))

    assert corners_of(picture) == [RED, LIME, BLUE, WHITE]
    assert picture.mode == "RGB"


def test_fill_distorts():
    picture = decode(make(SOURCE, "width=20,height=80,fit=fill"))

    assert corners_of(picture) == [RED, LIME, BLUE, WHITE]
