"""The format of a rendition, its content type and its quality."""

import pytest
from PIL import Image

from image_processor.transformations.options import FORMATS

from ..pictures import SOURCE_FORMATS, decode, encode, make, noise, photo

MAGIC = {
    "jpeg": (0, b"\xff\xd8\xff"),
    "png": (0, b"\x89PNG"),
    "webp": (8, b"WEBP"),
    "avif": (4, b"ftypavif"),
    "gif": (0, b"GIF8"),
}


def opaque(image_format: str) -> bytes:
    return encode(Image.new("RGB", (20, 20), (200, 100, 50)), image_format)


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("source_format", SOURCE_FORMATS)
def test_any_source_becomes_any_format(source_format, target):
    rendition = make(opaque(source_format), f"width=10,format={target}")

    start, magic = MAGIC[target]
    assert rendition.body[start : start + len(magic)] == magic
    assert rendition.content_type == f"image/{target}"
    assert decode(rendition).size == (rendition.width, rendition.height) == (10, 10)


@pytest.mark.parametrize(
    ("source_format", "expected"),
    [
        ("jpeg", "jpeg"),
        ("png", "png"),
        ("webp", "webp"),
        ("gif", "gif"),
        ("avif", "avif"),
        ("tiff", "jpeg"),
        ("bmp", "jpeg"),
    ],
)
def test_without_the_option_format_a_source_keeps_its_format_if_browsers_show_it(source_format, expected):
    assert make(opaque(source_format), "width=10").content_type == f"image/{expected}"


@pytest.mark.parametrize(
    ("source_format", "expected"), [("png", "png"), ("webp", "webp"), ("gif", "gif"), ("avif", "avif"), ("tiff", "png")]
)
def test_without_the_option_format_a_transparent_source_keeps_its_alpha(source_format, expected):
    image = Image.new("RGBA", (20, 20), (200, 100, 50, 0))

    rendition = make(encode(image, source_format), "width=10")

    assert rendition.content_type == f"image/{expected}"
    assert decode(rendition).convert("RGBA").getpixel((5, 5))[3] == 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
@pytest.mark.parametrize("target", FORMATS)
def test_a_source_of_any_mode_becomes_any_format(mode, target):
    image_format = "tiff" if mode == "CMYK" else "png"

    rendition = make(encode(Image.new(mode, (20, 20)), image_format), f"width=10,format={target}")

    assert decode(rendition).size == (10, 10)


@pytest.mark.parametrize("target", ["jpeg", "webp", "avif"])
def test_more_quality_takes_more_bytes(target):
    source = encode(photo((200, 150)), "png")

    lengths = [len(make(source, f"width=100,format={target},quality={quality}").body) for quality in (10, 50, 90)]

    assert lengths == sorted(lengths)
    assert lengths[0] < lengths[2] / 2


@pytest.mark.parametrize(("target", "default"), [("jpeg", 80), ("webp", 80), ("avif", 60)])
def test_the_default_quality_of_each_format(target, default):
    source = encode(photo((200, 150)), target)

    def body(quality: int) -> bytes:
        return make(source, f"width=100,quality={quality}").body

    assert make(source, "width=100").body == body(default) != body(default - 1)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("quality", [1, 94, 95, 100])
@pytest.mark.parametrize("target", ["jpeg", "webp"])
def test_pure_noise_can_be_encoded_at_any_quality(mode, quality, target):
    source = encode(noise((600, 400), mode), "png")

    assert decode(make(source, f"format={target},quality={quality}")).size == (600, 400)
