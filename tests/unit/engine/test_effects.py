"""Blur, sharpening, tone, grey and rounded corners give the pixels that can be calculated."""

from itertools import pairwise

import pytest
from PIL import Image, ImageFilter, ImageStat

from ..pictures import BLUE, RED, assert_close, decode, encode, four_corners, make, noise, psnr


def made(image: Image.Image, options: str, target: str = "png") -> Image.Image:
    return decode(make(encode(image, "png"), f"{options},format={target}"))


def plain(colour, mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (32, 32), colour)


def test_blur_is_gaussian_of_its_sigma():
    step = Image.new("L", (60, 60))
    step.paste(255, (30, 0, 60, 60))

    blurred = made(step, "blur=4").convert("L")

    # The share of a normal distribution below -1, 0 and 1 sigma
    assert blurred.getpixel((26, 30)) == pytest.approx(255 * 0.1587, abs=12)
    assert blurred.getpixel((30, 30)) == pytest.approx(255 * 0.55, abs=12)
    assert blurred.getpixel((34, 30)) == pytest.approx(255 * 0.8413, abs=12)


def test_sharpen_steepens_an_edge_and_leaves_a_plain_area():
    soft = four_corners((60, 60)).convert("L").filter(ImageFilter.GaussianBlur(3))

    sharp = made(soft, "sharpen=3").convert("L")

    def steepest(image):
        row = [image.getpixel((x, 10)) for x in range(60)]
        return max(abs(a - b) for a, b in pairwise(row))

    assert steepest(sharp) > 1.3 * steepest(soft)
    assert sharp.getpixel((5, 5)) == pytest.approx(soft.getpixel((5, 5)), abs=2)


@pytest.mark.parametrize(
    ("options", "before", "after"),
    [
        ("brightness=2", (10, 60, 200), (20, 120, 255)),
        ("brightness=0.5", (10, 60, 200), (5, 30, 100)),
        ("brightness=0", (10, 60, 200), (0, 0, 0)),
        ("contrast=2", (128, 100, 200), (128, 72, 255)),
        ("contrast=0.5", (128, 100, 200), (128, 114, 164)),
        ("contrast=0", (10, 60, 200), (128, 128, 128)),
        ("brightness=2,contrast=2", (50, 64, 70), (72, 128, 152)),  # brightness comes first
        ("saturation=0.5", (200, 100, 100), (165, 115, 115)),  # halfway to a grey of 130
        ("saturation=2", (140, 120, 120), (154, 114, 114)),  # as far again from a grey of 126
    ],
)
def test_brightness_contrast_and_saturation_are_as_calculated(options, before, after):
    assert_close(made(plain(before), options).convert("RGB").getpixel((9, 9)), after, within=1)


@pytest.mark.parametrize(("colour", "grey"), [(RED, 76), ((0, 255, 0), 150), (BLUE, 29)])  # ITU-R BT.601
def test_grayscale_preserves_the_luma(colour, grey):
    picture = made(plain(colour), "grayscale=true")

    assert picture.mode == "L"
    assert_close((picture.getpixel((9, 9)),), (grey,), within=1)


@pytest.mark.parametrize("target", ["jpeg", "webp", "avif", "gif", "png"])
def test_grayscale_has_no_colour_in_any_format(target):
    red, green, blue = made(noise((32, 32)), "grayscale=true", target).convert("RGB").split()

    for other in (green, blue):
        assert psnr(red, other) > 40


@pytest.mark.parametrize("options", ["brightness=2", "contrast=0", "saturation=3", "sharpen=2", "grayscale=true"])
def test_an_effect_does_not_change_transparency(options):
    image = plain((90, 120, 150, 99), "RGBA")

    assert made(image, options).convert("RGBA").getchannel("A").getextrema() == (99, 99)


def test_a_blurred_shape_has_no_fringe_of_the_colour_of_invisible_pixels():
    image = Image.new("RGBA", (60, 60), (0, 255, 0, 0))
    image.paste((255, 0, 0, 255), (20, 20, 40, 40))

    blurred = made(image, "blur=3")

    for point in ((18, 30), (19, 30), (21, 30), (30, 42)):
        red, green, _, alpha = blurred.getpixel(point)
        assert alpha > 0
        assert (red, green) == pytest.approx((255, 0), abs=12)


def test_rounded_corners_are_transparent_circles():
    picture = made(plain(RED).resize((100, 60)), "radius=20")

    alpha = picture.getchannel("A")
    assert alpha.getpixel((0, 0)) == alpha.getpixel((99, 59)) == alpha.getpixel((0, 59)) == alpha.getpixel((99, 0)) == 0
    assert alpha.getpixel((20, 0)) > 200
    assert alpha.getpixel((0, 20)) > 200
    assert alpha.getpixel((50, 30)) == 255
    cut = 100 * 60 - ImageStat.Stat(alpha).sum[0] / 255
    assert cut == pytest.approx((4 - 3.14159) * 20**2, rel=0.02)
    edge = [alpha.getpixel((x, 5)) for x in range(20)]
    assert any(0 < value < 255 for value in edge)  # smooth
    assert edge == sorted(edge)


def test_a_large_radius_makes_an_ellipse():
    alpha = made(plain(RED).resize((100, 60)), "radius=8192").getchannel("A")

    assert ImageStat.Stat(alpha).sum[0] / 255 == pytest.approx(3.14159 * 50 * 30, rel=0.01)


@pytest.mark.parametrize("side", [(1, 40), (40, 1), (1, 1), (2, 2)])
def test_a_picture_too_thin_to_be_rounded_stays_visible(side):
    picture = made(plain(RED).resize(side), "radius=30")

    assert picture.size == side
    assert ImageStat.Stat(picture.convert("RGBA").getchannel("A")).sum[0] > 0


def test_rounded_corners_show_the_background_where_the_format_has_no_alpha():
    picture = made(plain(RED).resize((100, 60)), "radius=20,background=blue", "jpeg")

    assert_close(picture.getpixel((0, 0)), BLUE, within=24)
    assert_close(picture.getpixel((50, 30)), RED, within=12)
    assert_close(made(plain(RED), "radius=9", "jpeg").getpixel((0, 0)), (255, 255, 255), within=12)


def test_without_the_option_format_rounded_corners_give_a_format_with_alpha():
    assert make(encode(plain(RED), "bmp"), "radius=9").content_type == "image/png"
    assert make(encode(plain(RED), "webp"), "radius=9").content_type == "image/webp"


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize(
    "options",
    ["blur=2", "sharpen=1", "brightness=1.5", "contrast=0.5", "saturation=2", "grayscale=true", "radius=5",
     "blur=1,sharpen=1,brightness=2,contrast=2,saturation=2,radius=3"],
)  # fmt: skip
@pytest.mark.parametrize("target", ["jpeg", "png", "webp", "avif", "gif"])
def test_every_effect_works_on_every_kind_of_picture(mode, options, target):
    source = encode(noise((24, 20), mode), "png")

    picture = decode(make(source, f"{options},format={target}"))

    assert picture.size == (24, 20)
