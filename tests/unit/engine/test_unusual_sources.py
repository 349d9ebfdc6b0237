"""Odd and ordinary sources that are to be read, and what stays as it was while they are."""

from contextlib import suppress

import pytest
from PIL import Image, ImageFile

from image_processor.engine.decoding.registry import sniff
from image_processor.errors import ImageProcessorError, UnsupportedFormat

from ..pictures import (
    BLUE,
    LIME,
    RED,
    SOURCE_FORMATS,
    WHITE,
    assert_close,
    corners_of,
    decode,
    encode,
    four_corners,
    make,
)


def blue_frame() -> Image.Image:
    return Image.new("RGB", (60, 40), BLUE)


@pytest.mark.parametrize("image_format", SOURCE_FORMATS)
def test_a_format_is_told_by_its_first_bytes(image_format):
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
def test_a_source_of_this_kind_is_read(image_format, options):
    picture = decode(make(encode(four_corners(), image_format, **options), "format=png"))

    for colour, expected in zip(corners_of(picture, inset=6), (RED, LIME, BLUE, WHITE), strict=True):
        assert_close(colour, expected, within=16)


def test_the_first_picture_of_a_multi_picture_jpeg_is_taken():
    source = encode(four_corners(), "MPO", save_all=True, append_images=[blue_frame()], quality=95)
    assert decode(source).format == "MPO"

    picture = decode(make(source, "width=30,format=png"))

    for colour, expected in zip(corners_of(picture), (RED, LIME, BLUE, WHITE), strict=True):
        assert_close(colour, expected, within=24)
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
def test_an_animation_gives_its_first_frame(image_format, options):
    source = encode(
        four_corners(),
        image_format,
        save_all=True,
        append_images=[blue_frame(), Image.new("RGB", (60, 40), "gray")],
        **options,
    )

    rendition = make(source, "width=30,format=png")

    assert getattr(decode(rendition), "n_frames", 1) == 1
    for colour, expected in zip(corners_of(decode(rendition)), (RED, LIME, BLUE, WHITE), strict=True):
        assert_close(colour, expected, within=16)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_samples_of_32_bits_are_refused(mode):
    with pytest.raises(UnsupportedFormat, match=f"32 bits for each sample \\({mode}\\); at most 16 are read"):
        make(encode(Image.new(mode, (20, 20)), "tiff"), "width=10")


@pytest.mark.parametrize(
    "source", [encode(four_corners(), "jpeg"), encode(four_corners(), "jpeg")[:300], b"nonsense", b""]
)
def test_pillow_s_globals_stay_as_they_were(source):
    def globals_of_pillow() -> tuple[object, ...]:
        return (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, ImageFile.MAXBLOCK, ImageFile.SAFEBLOCK)

    before = globals_of_pillow()

    with suppress(ImageProcessorError):
        make(source, "width=10")

    assert globals_of_pillow() == before
    assert before[:2] == (89_478_485, False)
