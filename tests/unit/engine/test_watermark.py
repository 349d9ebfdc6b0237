"""A watermark has its position, scale, opacity and transparency; one that can't be rendered is named in the error."""

import pytest
from PIL import Image

from image_processor.engine import Limits, render
from image_processor.engine import watermark as watermark_module
from image_processor.errors import CorruptImage, SourceNotFound, SourceTooLarge, UnsupportedFormat
from image_processor.transformations import Transformation

from ..pictures import BLUE, LIME, RED, assert_close, decode, encode, frames_of, moving, stored

LOGO = encode(Image.new("RGB", (40, 40), RED), "png")


def made(options: str, watermark: bytes = LOGO, source: bytes | None = None, limits: Limits = Limits()):  # noqa: B008
    source = source or encode(Image.new("RGB", (200, 100), BLUE), "png")
    wanted = Transformation.parse(f"watermark=logo.png,{options}")
    [rendition] = render(source, [wanted], limits, {"logo.png": watermark})
    return decode(rendition)


# The default scale is 25 %, of 100 pixels the tighter bound: 25 × 25.
@pytest.mark.parametrize(
    ("position", "inside", "outside"),
    [
        ("right-bottom", (198, 98), (170, 98)),
        ("left-top", (1, 1), (28, 1)),
        ("center", (100, 50), (85, 50)),
        ("top", (100, 1), (100, 28)),
        ("left", (1, 50), (1, 30)),
    ],
)
def test_the_watermark_lies_at_its_position(position, inside, outside):
    picture = made(f"watermark_position={position},format=png")

    assert_close(picture.getpixel(inside), RED, within=3)
    assert_close(picture.getpixel(outside), BLUE, within=3)


def test_the_default_position_is_right_bottom():
    assert made("format=png").getpixel((199, 99)) == RED


@pytest.mark.parametrize(("scale", "side"), [(10, 10), (50, 50), (100, 100)])
def test_the_scale_is_a_share_of_the_picture(scale, side):
    picture = made(f"watermark_scale={scale},watermark_position=left-top,format=png")

    red = [x for x in range(200) if picture.getpixel((x, 0)) == RED]
    assert len(red) == side


def test_the_watermark_keeps_its_aspect_ratio():
    wide = encode(Image.new("RGB", (80, 10), RED), "png")

    picture = made("watermark_scale=40,watermark_position=left-top,format=png", wide)

    assert picture.getpixel((79, 9)) == RED
    assert picture.getpixel((79, 12)) == picture.getpixel((82, 9)) == BLUE


def test_the_opacity_mixes_the_watermark_with_the_picture():
    assert_close(made("watermark_opacity=40,format=png").getpixel((199, 99)), (102, 0, 153), within=2)


def test_the_transparency_of_the_watermark_is_preserved():
    half = Image.new("RGBA", (40, 40), (255, 0, 0, 128))
    half.paste((0, 0, 0, 0), (0, 0, 20, 40))

    picture = made("watermark_position=left-top,format=png", encode(half, "png"))

    assert_close(picture.getpixel((2, 2)), BLUE, within=2)
    assert_close(picture.getpixel((22, 2)), (128, 0, 127), within=2)


def test_the_watermark_is_upright():
    logo = Image.new("RGB", (40, 40), RED)
    logo.paste(LIME, (0, 0, 40, 20))

    picture = made("watermark_position=left-top,format=png", stored(logo, 6, "jpeg"))

    assert_close(picture.getpixel((12, 3)), LIME, within=16)
    assert_close(picture.getpixel((12, 22)), RED, within=16)


def test_the_watermark_is_on_every_frame():
    [rendition] = render(
        moving("webp"), [Transformation.parse("watermark=logo.png,format=webp")], watermarks={"logo.png": LOGO}
    )

    assert all(frame.getpixel((59, 39))[0] > 200 for frame, _ in frames_of(rendition.body))


def test_the_watermark_is_decoded_once_for_all_frames(monkeypatch):
    opened = []
    open_source = watermark_module.open_source
    monkeypatch.setattr(watermark_module, "open_source", lambda *a: (opened.append(a[0]), open_source(*a))[1])

    render(moving("webp"), [Transformation.parse("watermark=logo.png,format=webp")], watermarks={"logo.png": LOGO})

    assert opened.count(LOGO) == 1


def test_an_animated_watermark_is_its_first_frame():
    assert_close(made("format=png", moving("gif")).getpixel((199, 99)), RED, within=3)


def test_the_error_names_a_missing_watermark():
    with pytest.raises(SourceNotFound, match=r"there is no watermark 'brand/logo\.png'"):
        render(LOGO, [Transformation.parse("watermark=brand~logo.png")])


@pytest.mark.parametrize(
    ("watermark", "error"),
    [
        (b"<svg></svg>", UnsupportedFormat),
        (b"", UnsupportedFormat),
        (LOGO[:60], CorruptImage),
        (encode(Image.new("RGB", (300, 300)), "png"), SourceTooLarge),
    ],
)
def test_the_error_names_a_watermark_that_can_not_be_rendered(watermark, error):
    with pytest.raises(error, match=r"^the watermark 'logo\.png': "):
        made("format=png", watermark, limits=Limits(max_pixels=50_000))
