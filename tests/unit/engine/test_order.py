"""The manual lists the steps of a transformation in the order in which they are done."""

import re
from pathlib import Path

from PIL import Image

from image_processor.engine import render
from image_processor.engine.steps import FINISH, UPRIGHT
from image_processor.transformations import Transformation
from image_processor.transformations.options import BY_NAME

from ..pictures import BLUE, LIME, RED, WHITE, assert_close, corners_of, decode, encode, four_corners, framed, make

MANUAL = Path(__file__).parents[3] / "docs" / "transformations.md"
# The steps before the pixels are resampled are numbers. The tests below show the order of each two of them.
IN_NUMBERS = ("`crop`", "`trim`", "`rotate`", "`flip`", "the size")
ORDER = (*IN_NUMBERS, *(step.documented for step in (*UPRIGHT, *FINISH) if step.documented), "the format")


def test_the_manual_lists_the_steps_in_their_order():
    expected = "".join(f"{number}. {name}\n" for number, name in enumerate(ORDER, 1))

    block = re.search(r"<!-- order -->\n(.*?)<!-- /order -->", MANUAL.read_text(), re.DOTALL)

    assert block, f"{MANUAL.name} has no block between <!-- order --> and <!-- /order -->; it should be:\n{expected}"
    assert block[1] == expected, f"the block between the order markers of {MANUAL.name} should be:\n{expected}"


def test_a_step_s_option_is_called_by_its_name():
    options = [name for line in ORDER for name in re.findall("`(.*?)`", line)]

    assert options
    assert set(options) <= set(BY_NAME)


def test_crop_comes_before_trim():
    rendition = make(encode(framed(), "png"), "crop=0_0_80_35,trim=20,format=png")

    assert (rendition.width, rendition.height) == (30, 10)  # trimmed first, 30 × 20 would be left


def test_trim_comes_before_rotate():
    scene = Image.new("RGB", (60, 40), RED)
    scene.paste("white", (0, 0, 60, 10))
    scene.paste("black", (0, 30, 60, 40))

    picture = decode(make(encode(scene, "png"), "trim=20,rotate=90,format=png"))

    # The upright left top corner is white. Rotated first, the corner would be black, and white would be left.
    assert corners_of(picture) == [(0, 0, 0), RED, (0, 0, 0), RED]


def test_rotate_comes_before_flip():
    picture = decode(make(encode(four_corners(), "png"), "rotate=90,flip=horizontal,format=png"))

    assert corners_of(picture) == [RED, BLUE, LIME, WHITE]  # flipped first, it would be white, lime, blue, red


def test_flip_comes_before_the_size_and_its_position():
    source = encode(four_corners((90, 30)), "png")

    picture = decode(make(source, "flip=horizontal,width=30,height=30,position=left,format=png"))

    assert corners_of(picture) == [LIME, LIME, WHITE, WHITE]  # cropped first, it would be red and blue


def test_the_size_comes_before_the_effects():
    scene = Image.new("RGB", (600, 600), "black")
    scene.paste("white", (300, 0, 600, 600))

    picture = decode(make(encode(scene, "png"), "width=60,blur=4,format=png"))

    # One sigma from the edge, a normal distribution has 16 %. Blurred first, the sigma would be 0.4 of these pixels.
    assert_close(picture.convert("RGB").getpixel((26, 30)), (40, 40, 40), within=12)


def test_the_effects_come_before_letterboxing():
    grey = encode(Image.new("RGB", (40, 40), (50, 50, 50)), "png")

    picture = decode(make(grey, "brightness=2,width=60,height=20,fit=contain,background=800000,format=png"))

    assert picture.convert("RGB").getpixel((30, 10)) == (100, 100, 100)
    assert picture.convert("RGB").getpixel((2, 10)) == (128, 0, 0)  # letterboxed first, it would be 255


def test_letterboxing_comes_before_the_watermark_and_the_watermark_before_rounded_corners():
    source, mark = (encode(Image.new("RGB", (40, 40), colour), "png") for colour in (BLUE, RED))
    text = "width=80,height=40,fit=contain,watermark=mark,watermark_position=left-top,radius=8,format=png"

    [rendition] = render(source, [Transformation.parse(text)], watermarks={"mark": mark})

    picture = decode(rendition)
    assert picture.getpixel((9, 1)) == (*RED, 255)  # on the letterbox, which ends at 20
    assert picture.getpixel((0, 0))[3] == 0


def test_rounded_corners_come_before_the_format():
    source = encode(Image.new("RGB", (40, 40), RED), "png")

    picture = decode(make(source, "radius=20,background=blue,format=jpeg,quality=100"))

    assert_close(picture.getpixel((0, 0)), BLUE, within=8)
