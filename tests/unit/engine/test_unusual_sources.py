"""Unusual sources are rendered, unsupported ones refused, and Pillow's global settings stay unchanged."""

from contextlib import suppress

import pytest
from PIL import Image, ImageFile

from image_processor.engine.decoding.registry import sniff
from image_processor.errors import ImageProcessorError, UnsupportedFormat

from ..pictures import (
    BLUE,
    SOURCE_FORMATS,
    assert_corners,
    decode,
    encode,
    four_corners,
    make,
)


def blue_frame() -> Image.Image:
    return Image.new("RGB", (60, 40), BLUE)


@pytest.mark.parametrize("image_format", SOURCE_FORMATS)
def test_a_format_is_recognized_by_its_first_bytes(image_format):
    assert sniff(encode(four_corners(), image_format)) == image_format


@pytest.mark.parametrize(
    ("image_format", "options"),
    [
        ("jpeg", {"progressive": True}),
        ("jpeg", {"optimize": True, "subsampling": 2, "quality": 95}),
        ("jpeg", {"restart_marker_blocks": 1}),
        ("png", {"compress_level": 0}),
        ("tiff", {"compression": "tiff_lzw"}),
        ("tiff", {"compression": "tiff_deflate"}),
        ("tiff", {"compression": "jpeg", "quality": 95}),
        ("tiff", {"compression": "packbits"}),
        ("tiff", {"big_tiff": True}),
        ("webp", {"lossless": False, "quality": 95}),
        ("avif", {"quality": 90, "subsampling": "4:2:0"}),
        ("gif", {"interlace": True}),
    ],
)
def test_every_variety_of_a_format_is_rendered(image_format, options):
    picture = decode(make(encode(four_corners(), image_format, **options), "format=png"))

    assert_corners(picture, inset=6)


def test_a_multi_picture_jpeg_gives_its_first_picture():
    source = encode(four_corners(), "MPO", save_all=True, append_images=[blue_frame()], quality=95)
    assert decode(source).format == "MPO"

    picture = decode(make(source, "width=30,format=png"))

    assert_corners(picture, within=24)
    assert make(source, "width=30").content_type == "image/jpeg"


@pytest.mark.parametrize(
    ("image_format", "options"),
    [
        ("gif", {}),
        ("gif", {"disposal": 2}),
        ("webp", {}),
        ("png", {}),
        ("png", {"default_image": True}),
        ("tiff", {"compression": "tiff_lzw"}),
        ("avif", {}),
    ],
)
def test_a_source_of_several_pictures_gives_the_first(image_format, options):
    source = encode(
        four_corners(),
        image_format,
        save_all=True,
        append_images=[blue_frame(), Image.new("RGB", (60, 40), "gray")],
        **options,
    )

    rendition = make(source, "width=30,format=png")

    assert getattr(decode(rendition), "n_frames", 1) == 1
    assert_corners(decode(rendition))


@pytest.mark.parametrize("mode", ["I", "F"])
def test_samples_of_32_bits_are_refused(mode):
    with pytest.raises(UnsupportedFormat, match=f"32 bits for each sample \\({mode}\\); at most 16 are read"):
        make(encode(Image.new(mode, (20, 20)), "tiff"), "width=10")


@pytest.mark.parametrize(
    "source", [encode(four_corners(), "jpeg"), encode(four_corners(), "jpeg")[:300], b"nonsense", b""]
)
def test_pillow_s_global_settings_stay_unchanged(source):
    def globals_of_pillow() -> tuple[object, ...]:
        return (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, ImageFile.MAXBLOCK, ImageFile.SAFEBLOCK)

    before = globals_of_pillow()

    with suppress(ImageProcessorError):
        make(source, "width=10")

    assert globals_of_pillow() == before
    assert before[:2] == (89_478_485, False)
