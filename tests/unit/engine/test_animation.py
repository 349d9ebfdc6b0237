"""An animated source gives an animation if the format can be animated, and otherwise a picture of its first frame."""

from dataclasses import replace

import pytest
from PIL import Image, ImageDraw

from image_processor.engine import Limits, memory_budget, render, render_each
from image_processor.errors import CorruptImage, InvalidTransformation, SourceTooLarge
from image_processor.transformations import Transformation

from ..pictures import (
    FRAME_COLOURS,
    FRAME_TIMES,
    LIME,
    RED,
    assert_close,
    corners_of,
    decode,
    encode,
    four_corners,
    frames_of,
    make,
    moving,
)

SOURCES = ("gif", "webp", "png", "avif")


@pytest.mark.parametrize("target", ["gif", "webp", "avif"])
@pytest.mark.parametrize("source", SOURCES)
def test_every_frame_has_its_size_and_its_time(source, target):
    frames = frames_of(make(moving(source), f"width=30,format={target}").body)

    assert [milliseconds for _, milliseconds in frames] == list(FRAME_TIMES)
    for (frame, _), colour in zip(frames, FRAME_COLOURS, strict=True):
        assert frame.size == (30, 20)
        assert_close(frame.getpixel((15, 10))[:3], colour, within=8)


@pytest.mark.parametrize("source", ["gif", "webp", "avif"])
def test_without_the_option_format_an_animation_keeps_its_format_and_its_frames(source):
    rendition = make(moving(source), "width=30")

    assert rendition.content_type == f"image/{source}"
    assert len(frames_of(rendition.body)) == len(FRAME_TIMES)


@pytest.mark.parametrize("target", ["jpeg", "png"])
@pytest.mark.parametrize("source", SOURCES)
def test_a_format_without_animation_gets_the_first_frame(source, target):
    [(frame, _)] = frames_of(make(moving(source), f"width=30,format={target}").body)

    assert_close(frame.getpixel((15, 10))[:3], RED, within=8)


def test_without_the_option_format_an_animated_png_gives_its_first_frame():
    assert len(frames_of(make(moving("png"), "width=30").body)) == 1


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("most", "expected"), [(1, 1), (2, 2), (4, 4), (99, 4)])
def test_frames_bounds_the_number_of_frames(source, most, expected):
    assert len(frames_of(make(moving(source), f"width=30,format=webp,frames={most}").body)) == expected


def test_the_default_image_of_an_animated_png_is_no_frame_of_the_animation():
    source = moving("png", default_image=True)

    frames = frames_of(make(source, "width=30,format=webp").body)

    assert_close(frames[0][0].getpixel((15, 10))[:3], LIME, within=8)  # RED is the default image
    for texts in (["width=30,format=png"], ["width=30,format=webp", "width=30,format=png"]):
        still = render(source, [Transformation.parse(text) for text in texts])[-1]
        assert_close(decode(still).getpixel((15, 10))[:3], RED, within=8)


# How often the animation is shown: a GIF counts repeats, WebP and APNG count showings; 0 is endless in each.
@pytest.mark.parametrize(
    ("source", "loop", "shown"),
    [("gif", 0, 0), ("gif", None, 1), ("gif", 2, 3), ("webp", 0, 0), ("webp", 1, 1), ("webp", 3, 3), ("png", 5, 5)],
)
def test_an_animation_is_shown_as_often_as_its_source_in_each_format(source, loop, shown):
    body = moving(source, **({} if loop is None else {"loop": loop}))

    assert decode(make(body, "width=30,format=webp")).info["loop"] == shown
    repeats = decode(make(body, "width=30,format=gif")).info.get("loop")
    assert repeats == {0: 0, 1: None}.get(shown, shown - 1)


def test_a_frame_of_a_gif_without_a_time_gets_the_time_that_browsers_give_it():
    frames = frames_of(make(moving("gif", times=(0, 10, 20)), "width=30,format=webp").body)

    assert [milliseconds for _, milliseconds in frames] == [100, 100, 20]


@pytest.mark.parametrize("disposal", [1, 2, 3])
def test_a_frame_of_a_gif_that_covers_a_part_is_drawn_on_the_frames_before_it(disposal):
    """A square moves over transparency: with disposal 1 the former squares stay, with 2 or 3 there is one."""
    frames = []
    for left in (0, 20, 40):
        frame = Image.new("RGBA", (60, 20), (0, 0, 0, 0))
        ImageDraw.Draw(frame).rectangle((left, 0, left + 19, 19), RED)
        frames.append(frame)
    body = encode(frames[0], "gif", save_all=True, append_images=frames[1:], duration=100, disposal=disposal)
    expected = [frame.convert("RGBA") for frame, _ in frames_of(body)]

    made = [frame for frame, _ in frames_of(make(body, "width=60,format=gif").body)]

    assert [frame.getchannel("A").tobytes() for frame in made] == [
        frame.getchannel("A").tobytes() for frame in expected
    ]
    assert made[2].getpixel((50, 10)) == (*RED, 255)


@pytest.mark.parametrize("target", ["gif", "webp", "avif"])
def test_frames_with_and_without_transparency_make_one_animation(target):
    clear = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    ImageDraw.Draw(clear).rectangle((0, 0, 19, 39), RED)
    body = encode(clear, "png", save_all=True, append_images=[Image.new("RGBA", (40, 40), LIME)], duration=100)

    (first, _), (second, _) = frames_of(make(body, f"width=40,format={target}").body)

    assert first.getpixel((30, 20))[3] < 8
    assert first.getpixel((10, 20))[3] > 247
    assert_close(second.getpixel((30, 20)), (*LIME, 255), within=8)


def test_a_gif_of_many_colours_has_no_transparent_pixels():
    """256 colours in each frame leave no entry of the palette for transparency."""
    frames = [Image.linear_gradient("L").convert("RGB").rotate(angle) for angle in (0, 90)]
    body = encode(frames[0], "webp", save_all=True, append_images=frames[1:], duration=100)

    for frame, _ in frames_of(make(body, "width=200,format=gif").body):
        assert frame.getchannel("A").getextrema() == (255, 255)


def test_every_option_works_on_every_frame():
    source = encode(
        four_corners(), "webp", save_all=True, append_images=[four_corners().rotate(180)], duration=[100, 100]
    )

    transformation = "width=20,height=30,rotate=90,format=webp,lossless=true,grayscale=true,radius=5"
    first, second = frames_of(make(source, transformation).body)

    assert first[0].size == second[0].size == (20, 30)
    assert first[0].getpixel((0, 0))[3] == second[0].getpixel((0, 0))[3] == 0
    assert corners_of(first[0], inset=6) == corners_of(second[0].rotate(180), inset=6)


def test_too_many_frames_are_refused_before_any_is_decoded():
    with pytest.raises(SourceTooLarge, match="more frames than allowed, 3; ask for fewer with the option frames"):
        make(moving("gif"), "width=30", Limits(max_frames=3))


@pytest.mark.parametrize("source", SOURCES)
def test_the_pixels_of_all_frames_count_against_the_limit(source):
    limits = Limits(max_pixels=3 * 60 * 40)
    body = moving(source)

    with pytest.raises(SourceTooLarge, match="4 frames of 60×40 pixels, allowed: 7200 in all"):
        make(body, "width=30,format=webp", limits)

    assert len(frames_of(make(body, "width=30,format=webp,frames=3", limits).body)) == 3
    assert len(frames_of(make(body, "width=30,format=png", limits).body)) == 1


@pytest.mark.slow
def test_an_animation_of_too_many_pixels_is_scaled_down_or_refused():
    body = moving("webp", size=(3000, 3000))

    rendition = make(body, "quality=1,format=webp", replace(Limits(), max_pixels=10**9))

    assert (rendition.width, rendition.height) == (
        2896,
        2896,
    )  # 4 × 2896² pixels are the most that fit into 33.5 million
    with pytest.raises(InvalidTransformation, match="an animation of 4 times 3000×3000 pixels is too large"):
        make(body, "width=3000,height=3000", replace(Limits(), max_pixels=10**9))


def test_a_gif_with_a_frame_outside_its_picture_is_refused():
    body = bytearray(moving("gif"))
    second = body.index(b"\x2c", body.index(b"\x2c") + 1)
    body[second + 1 : second + 3] = b"\xff\x7f"  # its left side

    with pytest.raises(CorruptImage, match="frame 2 of the GIF is outside its 60×40 pixels"):
        make(bytes(body), "width=30")


def test_a_truncated_animation_is_refused_but_its_first_frame_is_rendered():
    body = moving("gif")
    body = body[: body.rindex(b"\x2c") + 12]

    with pytest.raises(CorruptImage):
        make(body, "width=30")
    assert make(body, "width=30,format=png").width == 30


def test_one_source_gives_still_and_animated_renditions_at_once():
    wanted = ["width=30,format=webp", "width=20,format=png", "width=10,format=gif,frames=2"]

    animated, still, two = render(moving("webp"), [Transformation.parse(text) for text in wanted])

    assert [len(frames_of(rendition.body)) for rendition in (animated, still, two)] == [4, 1, 2]


def test_an_animation_of_too_many_frames_still_gives_a_still_picture():
    wanted = [Transformation.parse("width=30,format=webp"), Transformation.parse("width=30,format=png")]

    refused, still = render_each(moving("gif"), wanted, Limits(max_frames=3))

    assert isinstance(refused, SourceTooLarge)
    assert still.width == 30


@pytest.mark.parametrize("target", ["gif", "webp", "avif"])
@pytest.mark.parametrize(
    "source", [moving("gif", loop=65_535), moving("png", loop=2**32 - 1), moving("png", times=(60_000_000,) * 4)]
)
def test_counts_and_times_that_a_format_can_not_hold_are_reduced(source, target):
    assert len(frames_of(make(source, f"width=20,format={target}").body)) == 4


def test_times_that_a_gif_can_not_hold_are_rounded_without_changing_their_sum():
    source = moving("webp", times=(33, 33, 33, 16))

    assert [milliseconds for _, milliseconds in frames_of(make(source, "width=20,format=gif").body)] == [30, 40, 30, 20]


def test_a_damaged_later_frame_does_not_affect_still_renditions():
    body = moving("gif")
    wanted = [Transformation.parse("width=30,format=webp"), Transformation.parse("width=30,format=png")]

    damaged, still = render_each(body[: body.rindex(b"\x2c") + 12], wanted)

    assert isinstance(damaged, CorruptImage)
    assert still.width == 30


def test_the_memory_of_several_animations_is_counted_together():
    source = moving("webp", size=(600, 400))
    wanted = [Transformation.parse(f"width={600 - number},format=webp") for number in range(9)]
    one = memory_budget.RESERVED + memory_budget.HELD * 600 * 400 + memory_budget.ENCODING["webp"] * 4 * 600 * 400

    outcomes = render_each(source, wanted, Limits(memory=one + 3 * memory_budget.HELD * 4 * 600 * 400))

    assert [isinstance(outcome, SourceTooLarge) for outcome in outcomes] == [False] * 4 + [True] * 5


def test_like_frames_whose_joined_time_a_gif_can_not_hold_are_shown_for_less():
    """Found by the fuzzer: Pillow joins them to one frame of more hundredths of a second than a GIF can hold."""
    frames = [four_corners(), four_corners(), Image.new("RGB", (60, 40), RED)]
    frames[1].putpixel((45, 30), (254, 254, 254))  # or the source would have them joined already
    source = encode(frames[0], "png", save_all=True, append_images=frames[1:], duration=[60_000_000, 400_000, 100])

    shown = [milliseconds for _, milliseconds in frames_of(make(source, "width=30,format=gif").body)]

    assert len(shown) == 2
    assert shown[0] <= 655_350
    assert shown[1] == 100
