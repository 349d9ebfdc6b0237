"""A rendition differs from a Lanczos resize of the fully decoded source by no more than the eye sees: 45 dB or more."""

from functools import cache

import pytest
from PIL import Image

from image_processor.engine import render
from image_processor.transformations import Transformation

from ..pictures import decode, encode, four_corners, make, noise, photo, psnr

LEAST = 45  # decibels; to ignore the fraction of draft()'s box, or a plain bicubic resize, gives less than 40


@cache
def source(size: tuple[int, int], image_format: str = "jpeg") -> bytes:
    options = {"quality": 92, "subsampling": 2} if image_format == "jpeg" else {}
    return encode(photo(size), image_format, **options)


def reference(body: bytes, size: tuple[int, int], box: tuple[float, float, float, float] | None = None) -> Image.Image:
    return decode(body).convert("RGB").resize(size, Image.Resampling.LANCZOS, box=box)


@pytest.mark.parametrize("sides", [(1001, 667), (1003, 751), (1600, 1200), (1999, 333)])
@pytest.mark.parametrize("width", [16, 64, 128, 200, 333, 500])
def test_a_jpeg_decoded_at_a_fraction_has_no_visible_loss(sides, width):
    body = source(sides)

    picture = decode(make(body, f"width={width},format=png"))

    assert psnr(picture, reference(body, picture.size)) >= LEAST


@pytest.mark.parametrize("position", ["center", "left-top", "right-bottom"])
@pytest.mark.parametrize(("width", "height"), [(128, 128), (61, 200), (250, 40)])
def test_a_crop_of_a_jpeg_has_no_visible_loss(position, width, height):
    body = source((1001, 667))
    scale = max(width / 1001, height / 667)
    room = (1001 - width / scale, 667 - height / scale)
    shares = {"center": (0.5, 0.5), "left-top": (0, 0), "right-bottom": (1, 1)}[position]
    left, top = room[0] * shares[0], room[1] * shares[1]
    box = (left, top, min(1001, left + width / scale), min(667, top + height / scale))

    picture = decode(make(body, f"width={width},height={height},format=png,position={position}"))

    assert psnr(picture, reference(body, (width, height), box)) >= LEAST


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_an_oriented_jpeg_with_odd_sides_has_no_visible_loss(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    body = encode(photo((1001, 667)), "jpeg", exif=exif, quality=92)
    transpose = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_270, 8: Image.Transpose.ROTATE_90}[
        orientation
    ]

    picture = decode(make(body, "width=90,height=110,fit=fill,format=png"))

    whole = decode(body).convert("RGB").transpose(transpose)
    assert psnr(picture, whole.resize((90, 110), Image.Resampling.LANCZOS)) >= LEAST


@pytest.mark.slow
@pytest.mark.parametrize("image_format", ["png", "webp", "tiff", "bmp", "avif"])
@pytest.mark.parametrize("width", [50, 128, 333])
def test_other_formats_have_no_visible_loss(image_format, width):
    body = source((1001, 667), image_format)

    picture = decode(make(body, f"width={width},format=png"))

    assert psnr(picture, reference(body, picture.size)) >= LEAST


def test_a_palette_has_no_visible_loss():
    body = encode(photo((1001, 667)).quantize(128), "png")

    picture = decode(make(body, "width=128,format=png"))

    assert psnr(picture, reference(body, picture.size)) >= LEAST


def test_a_progressive_jpeg_has_no_visible_loss():
    body = encode(photo((1001, 667)), "jpeg", progressive=True, quality=92)

    picture = decode(make(body, "width=128,format=png"))

    assert psnr(picture, reference(body, picture.size)) >= LEAST


def test_an_enlarged_picture_is_the_plain_lanczos_resize():
    body = source((333, 222))

    picture = decode(make(body, "width=777,enlarge=true,format=png"))

    assert psnr(picture, reference(body, picture.size)) >= 60


def test_a_picture_that_is_not_resized_has_the_pixels_of_its_source():
    body = encode(noise((61, 47)), "png")

    assert decode(make(body, "format=png")).tobytes() == decode(body).tobytes()


MANY = (
    "width=32,height=32",
    "width=200",
    "width=333,height=100,position=right",
    "height=64,fit=contain,width=300",
    "width=700",
)


@pytest.mark.parametrize("image_format", ["jpeg", "png"])
def test_many_renditions_of_one_decode_are_the_same_as_made_one_by_one(image_format):
    body = source((1001, 667), image_format)
    transformations = [Transformation.parse(f"{text},format=png") for text in MANY]

    together = render(body, transformations)

    for text, rendition in zip(MANY, together, strict=True):
        alone = decode(make(body, f"{text},format=png"))
        assert (rendition.width, rendition.height) == alone.size
        assert psnr(decode(rendition), alone) >= LEAST


@pytest.mark.parametrize("target", ["jpeg", "png", "webp", "avif", "gif"])
def test_the_same_source_gives_the_same_bytes(target):
    body = source((333, 222), "webp")

    assert make(body, f"width=100,format={target}").body == make(body, f"width=100,format={target}").body


def test_no_transformation_gives_no_rendition():
    assert render(encode(four_corners(), "jpeg"), []) == []


@cache
def large(image_format: str) -> bytes:
    """Six megapixels with grain in every pixel, as from a camera."""
    size = (3001, 2003)
    grained = Image.blend(photo(size), noise(size, seed="grain"), 0.1)
    return encode(grained, image_format, **({"quality": 90} if image_format == "jpeg" else {}))


@pytest.mark.slow
@pytest.mark.parametrize("image_format", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("width", [97, 640, 961, 1000, 1280, 1999])
def test_a_picture_of_a_large_source_has_no_visible_loss(image_format, width):
    body = large(image_format)

    picture = decode(make(body, f"width={width},format=png"))

    assert psnr(picture, reference(body, picture.size)) >= LEAST


@pytest.mark.slow
@pytest.mark.parametrize("image_format", ["jpeg", "png", "webp"])
def test_pictures_from_one_decode_have_no_visible_loss_in_any_order(image_format):
    body = large(image_format)
    widths = [100, 960, 320, 1280, 640, 333, 1920]

    renditions = render(body, [Transformation.parse(f"width={width},format=png") for width in widths])

    for rendition in renditions:
        picture = decode(rendition)
        assert psnr(picture, reference(body, picture.size)) >= LEAST
