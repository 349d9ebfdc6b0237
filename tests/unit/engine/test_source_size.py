"""A rendition has the sides of its whole source, upright, whatever its transformation."""

import io

import pytest
from PIL import Image

from image_processor.engine import render
from image_processor.transformations import Transformation

from ..pictures import encode, four_corners, stored


def source_size(source: bytes, transformation: str = "width=8") -> tuple[int, int]:
    [rendition] = render(source, [Transformation.parse(transformation)])
    return rendition.source_width, rendition.source_height


@pytest.mark.parametrize("image_format", ["jpeg", "png", "webp", "tiff", "avif", "heif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_source_is_measured_upright(orientation, image_format):
    assert source_size(stored(four_corners((60, 40)), orientation, image_format)) == (60, 40)


@pytest.mark.parametrize(
    "transformation",
    ["crop=10_10_20_20", "trim=10", "rotate=90", "rotate=90,width=5,height=30", "width=5,height=5", "format=webp"],
)
def test_the_transformation_does_not_change_the_source_s_sides(transformation):
    assert source_size(stored(four_corners((60, 40)), 6, "jpeg"), transformation) == (60, 40)


@pytest.mark.parametrize("size", [(803, 401), (4001, 17)])
def test_a_jpeg_decoded_at_a_fraction_has_its_full_sides(size):
    assert source_size(encode(Image.new("RGB", size), "jpeg")) == size


@pytest.mark.parametrize("image_format", ["bmp", "gif", "jpeg2000"])
def test_sources_without_exif_are_measured(image_format):
    assert source_size(encode(Image.new("RGB", (60, 40)), image_format)) == (60, 40)


def test_an_animation_is_measured_by_its_canvas():
    file = io.BytesIO()
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("red", "blue")]
    frames[0].save(file, "gif", save_all=True, append_images=frames[1:])

    assert source_size(file.getvalue()) == (60, 40)


def test_the_sides_of_an_icon_are_those_of_its_largest_picture():
    file = io.BytesIO()
    Image.new("RGBA", (64, 64)).save(file, "ico", sizes=[(16, 16), (48, 48)])

    assert source_size(file.getvalue()) == (48, 48)
