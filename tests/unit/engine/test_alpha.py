"""Transparency is preserved if the format has it and flattened on the background if not; edges get no fringe."""

import pytest
from PIL import Image, ImageDraw

from ..pictures import assert_close, decode, encode, make

ALPHA_FORMATS = ("png", "webp", "avif", "gif")


def red_square_in_transparent_lime() -> Image.Image:
    """A red square on transparent pixels, whose lime must not show."""
    image = Image.new("RGBA", (90, 90), (0, 255, 0, 0))
    image.paste((255, 0, 0, 255), (31, 31, 59, 59))  # in a picture of a third of its size, the edges lie between pixels
    return image


@pytest.mark.parametrize("image_format", ["png", "webp", "tiff", "avif", "heif", "jpeg2000", "ico"])
@pytest.mark.parametrize("transformation", ["width=30", "width=30,height=30", "width=17", "width=60"])
def test_no_colour_of_invisible_pixels_bleeds_into_the_edge(image_format, transformation):
    source = encode(red_square_in_transparent_lime(), image_format)

    picture = decode(make(source, f"{transformation},format=png"))

    assert picture.mode == "RGBA"
    visible = [pixel for pixel in picture.get_flattened_data() if pixel[3] > 8]
    assert visible
    assert max(green for _, green, _, _ in visible) <= (24 if image_format in ("avif", "heif") else 0)


def test_flattened_on_white_the_edge_is_between_red_and_white():
    picture = decode(make(encode(red_square_in_transparent_lime(), "png"), "width=30,format=jpeg,quality=100"))

    for red, green, blue in picture.get_flattened_data():
        assert red >= 200
        assert abs(green - blue) <= 40  # JPEG's own error; a fringe of lime would be 255 apart


@pytest.mark.parametrize("target", ALPHA_FORMATS)
@pytest.mark.parametrize("image_format", ["png", "webp", "tiff", "avif", "heif", "jpeg2000", "ico"])
def test_alpha_is_preserved(image_format, target):
    source = encode(red_square_in_transparent_lime(), image_format)

    picture = decode(make(source, f"width=30,format={target}")).convert("RGBA")

    assert picture.getpixel((1, 1))[3] <= 2
    assert_close(picture.getpixel((15, 15)), (255, 0, 0, 255), within=12)


@pytest.mark.parametrize("target", ["png", "webp", "avif"])
def test_half_transparent_stays_half_transparent(target):
    source = encode(Image.new("RGBA", (40, 40), (200, 100, 50, 128)), "png")

    picture = decode(make(source, f"width=20,quality=95,format={target}"))

    assert_close(picture.getpixel((10, 10)), (200, 100, 50, 128), within=6)


def test_the_pixels_of_a_gif_are_opaque_or_transparent():
    image = Image.new("RGBA", (60, 20), (255, 0, 0, 255))
    image.paste((0, 0, 255, 0), (0, 0, 20, 20))

    picture = decode(make(encode(image, "png"), "format=gif"))

    assert picture.mode == "P" and "transparency" in picture.info  # noqa: PT018
    assert {pixel[3] for pixel in picture.convert("RGBA").get_flattened_data()} == {0, 255}
    assert_close(picture.convert("RGBA").getpixel((40, 10)), (255, 0, 0, 255), within=3)


def test_a_gif_of_many_colours_keeps_its_transparent_pixels():
    disc = Image.radial_gradient("L").resize((64, 64))
    colours = (disc, disc.rotate(90), disc.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    source = Image.merge("RGBA", (*colours, disc.point(lambda level: 0 if level > 128 else 255)))

    picture = decode(make(encode(source, "png"), "format=gif")).convert("RGBA")

    for corner in ((0, 0), (63, 0), (0, 63), (63, 63)):
        assert picture.getpixel(corner)[3] == 0
    assert picture.getpixel((32, 32))[3] == 255


@pytest.mark.parametrize(
    ("background", "expected"),
    [
        ("", (255, 255, 255)),
        (",background=white", (255, 255, 255)),
        (",background=transparent", (255, 255, 255)),
        (",background=0000ff", (0, 0, 255)),
        (",background=0000ff80", (127, 127, 255)),  # on white
        (",background=black", (0, 0, 0)),
    ],
)
def test_a_jpeg_is_flattened_on_the_background(background, expected):
    source = encode(Image.new("RGBA", (40, 40), (0, 255, 0, 0)), "png")

    picture = decode(make(source, f"width=20,format=jpeg{background}"))

    assert picture.mode == "RGB"
    assert_close(picture.getpixel((10, 10)), expected, within=3)


def test_a_half_transparent_source_mixes_with_the_background():
    source = encode(Image.new("RGBA", (40, 40), (255, 0, 0, 128)), "png")

    picture = decode(make(source, "width=20,format=jpeg,background=blue"))

    assert_close(picture.getpixel((10, 10)), (128, 0, 127), within=4)


@pytest.mark.parametrize("target", ALPHA_FORMATS)
def test_a_source_without_transparent_pixels_gives_a_picture_without_alpha(target):
    source = encode(Image.new("RGBA", (40, 40), (10, 20, 30, 255)), "png")

    picture = decode(make(source, f"width=20,format={target}"))

    assert not picture.has_transparency_data


def palette_with_alpha() -> Image.Image:
    image = Image.new("P", (40, 40), 1)
    image.putpalette([0, 255, 0, 255, 0, 0, 0, 0, 255])
    image.paste(0, (0, 0, 20, 40))
    return image


@pytest.mark.parametrize("image_format", ["png", "gif"])
def test_a_palette_s_transparent_colour_is_transparent(image_format):
    source = encode(palette_with_alpha(), image_format, transparency=0)

    picture = decode(make(source, "width=20,format=png"))

    assert picture.getpixel((2, 10))[3] == 0
    assert_close(picture.getpixel((17, 10)), (255, 0, 0, 255), within=0)


def test_the_alphas_of_a_palette_are_preserved():
    source = encode(palette_with_alpha(), "png", transparency=bytes((0, 128, 255)))

    picture = decode(make(source, "width=20,format=png"))

    assert picture.getpixel((2, 10))[3] == 0
    assert_close(picture.getpixel((17, 10)), (255, 0, 0, 128), within=1)


def test_a_palette_is_resized_by_its_colours_not_its_indices():
    image = Image.new("P", (40, 40), 0)
    image.putpalette([255, 0, 0, 0, 0, 0, 255, 255, 0])
    for column in range(0, 40, 2):
        image.paste(2, (column, 0, column + 1, 40))

    picture = decode(make(encode(image, "png"), "width=4,format=png"))

    assert_close(picture.getpixel((2, 2)), (255, 128, 0), within=3)


@pytest.mark.parametrize(
    ("image", "options", "expected"),
    [
        (Image.new("RGB", (40, 40), (10, 20, 30)), {"transparency": (10, 20, 30)}, 0),
        (Image.new("RGB", (40, 40), (10, 20, 31)), {"transparency": (10, 20, 30)}, None),
        (Image.new("L", (40, 40), 77), {"transparency": 77}, 0),
        (Image.new("L", (40, 40), 78), {"transparency": 77}, None),
        (Image.new("1", (40, 40), 1), {"transparency": 1}, 0),
        (Image.new("1", (40, 40), 0), {"transparency": 1}, None),
        (Image.new("LA", (40, 40), (77, 100)), {}, 100),
    ],
    ids=["RGB hit", "RGB miss", "L hit", "L miss", "1 hit", "1 miss", "LA"],
)
def test_transparency_of_a_png_of_any_kind_of_pixels(image, options, expected):
    picture = decode(make(encode(image, "png", **options), "width=20,format=png"))

    alpha = picture.getpixel((10, 10))[-1] if picture.mode in ("LA", "RGBA") else None
    assert alpha == expected


@pytest.mark.parametrize("target", ALPHA_FORMATS)
def test_grey_with_alpha_becomes_any_format_that_has_alpha(target):
    image = Image.new("LA", (60, 20), (77, 255))
    image.paste((0, 0), (0, 0, 20, 20))

    picture = decode(make(encode(image, "png"), f"format={target}")).convert("RGBA")

    assert picture.getpixel((5, 10))[3] <= 2
    assert_close(picture.getpixel((40, 10)), (77, 77, 77, 255), within=4)


def test_grey_with_alpha_is_flattened_on_a_colour():
    picture = decode(make(encode(Image.new("LA", (40, 40), (0, 128)), "png"), "format=jpeg,background=red,quality=95"))

    assert_close(picture.getpixel((10, 10)), (127, 0, 0), within=4)


def test_grey_with_alpha_shows_nothing_of_its_invisible_pixels():
    image = Image.new("LA", (90, 90), (255, 0))
    image.paste((10, 255), (31, 31, 59, 59))

    picture = decode(make(encode(image, "png"), "width=30,format=png"))

    assert max(grey for *_, grey, alpha in picture.get_flattened_data() if alpha > 8) <= 12


def test_one_bit_pixels_become_greys():
    image = Image.new("1", (40, 40), 0)
    image.paste(1, (0, 0, 20, 40))

    picture = decode(make(encode(image, "png"), "width=20,format=png"))

    assert (picture.getpixel((2, 2)), picture.getpixel((17, 2))) == (255, 0)
    assert decode(make(encode(image, "tiff"), "width=1,format=png")).getpixel((0, 0)) in range(120, 136)


def test_the_edges_of_a_gif_are_opaque_and_have_the_colour_of_the_shape():
    logo = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    ImageDraw.Draw(logo).ellipse((20, 20, 180, 180), fill=(20, 60, 200, 255))

    picture = decode(make(encode(logo, "png"), "width=64,format=gif"))
    shape = decode(make(encode(logo, "png"), "width=64,format=png"))

    for x in range(64):
        for y in range(64):
            *colour, alpha = picture.convert("RGBA").getpixel((x, y))
            assert alpha == (255 if shape.getpixel((x, y))[3] >= 128 else 0), (x, y)
            if alpha:
                assert_close(tuple(colour), (20, 60, 200), within=24)  # Lanczos overshoots
