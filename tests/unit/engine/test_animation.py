"""An animation stays one where the format can, frame by frame; elsewhere its first frame is taken."""

import io
from dataclasses import replace

import pytest
from PIL import Image, ImageDraw

from image_processor.engine import memory_budget
from image_processor.engine.limits import Limits
from image_processor.engine.render import render, render_each
from image_processor.errors import CorruptImage, InvalidTransformation, SourceTooLarge
from image_processor.transformations.transformation import Transformation

from ..pictures import BLUE, LIME, RED, assert_close, corners_of, decode, encode, four_corners, make

TIMES = (50, 120, 200, 90)  # milliseconds
COLOURS = (RED, LIME, BLUE, (128, 128, 128))
SOURCES = ("gif", "webp", "png", "avif")


def moving(image_format: str, size=(60, 40), times=TIMES, **options) -> bytes:
    first, *rest = [Image.new("RGB", size, colour) for colour in COLOURS[: len(times)]]
    return encode(first, image_format, save_all=True, append_images=rest, duration=list(times), **options)


def frames_of(body: bytes) -> list[tuple[Image.Image, int]]:
    image = Image.open(io.BytesIO(body))
    frames = []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        image.load()
        frames.append((image.convert("RGBA"), image.info.get("duration")))
    return frames


@pytest.mark.parametrize("target", ["gif", "webp", "avif"])
@pytest.mark.parametrize("source", SOURCES)
def test_every_frame_is_there_at_its_size_and_for_its_time(source, target):
    frames = frames_of(make(moving(source), f"width=30,format={target}").body)

    assert [milliseconds for _, milliseconds in frames] == list(TIMES)
    for (frame, _), colour in zip(frames, COLOURS, strict=True):
        assert frame.size == (30, 20)
        assert_close(frame.getpixel((15, 10))[:3], colour, within=8)


@pytest.mark.parametrize("source", ["gif", "webp", "avif"])
def test_an_animation_without_a_format_asked_for_keeps_its_own_and_moves(source):
    rendition = make(moving(source), "width=30")

    assert rendition.content_type == f"image/{source}"
    assert len(frames_of(rendition.body)) == len(TIMES)


@pytest.mark.parametrize("target", ["jpeg", "png"])
@pytest.mark.parametrize("source", SOURCES)
def test_a_format_that_can_not_move_gets_the_first_frame(source, target):
    [(frame, _)] = frames_of(make(moving(source), f"width=30,format={target}").body)

    assert_close(frame.getpixel((15, 10))[:3], RED, within=8)


def test_an_animated_png_without_a_format_asked_for_gives_its_first_frame():
    assert len(frames_of(make(moving("png"), "width=30").body)) == 1


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("most", "kept"), [(1, 1), (2, 2), (4, 4), (99, 4)])
def test_frames_is_the_most_that_are_taken(source, most, kept):
    assert len(frames_of(make(moving(source), f"width=30,format=webp,frames={most}").body)) == kept


def test_a_picture_for_readers_that_can_not_show_the_animation_is_no_frame_of_it():
    source = moving("png", default_image=True)

    frames = frames_of(make(source, "width=30,format=webp").body)

    assert_close(frames[0][0].getpixel((15, 10))[:3], LIME, within=8)  # RED is the default picture
    for texts in (["width=30,format=png"], ["width=30,format=webp", "width=30,format=png"]):
        still = render(source, [Transformation.parse(text) for text in texts])[-1]
        assert_close(decode(still).getpixel((15, 10))[:3], RED, within=8)


# How often it is shown in all: a GIF counts the repeats, WebP and APNG the rounds; 0 is without end in each.
@pytest.mark.parametrize(
    ("source", "loop", "rounds"),
    [("gif", 0, 0), ("gif", None, 1), ("gif", 2, 3), ("webp", 0, 0), ("webp", 1, 1), ("webp", 3, 3), ("png", 5, 5)],
)
def test_the_rounds_are_kept_in_each_format_s_own_counting(source, loop, rounds):
    body = moving(source, **({} if loop is None else {"loop": loop}))

    assert decode(make(body, "width=30,format=webp")).info["loop"] == rounds
    repeats = decode(make(body, "width=30,format=gif")).info.get("loop")
    assert repeats == {0: 0, 1: None}.get(rounds, rounds - 1)


def test_a_frame_of_a_gif_that_asks_for_no_time_gets_what_browsers_give_it():
    frames = frames_of(make(moving("gif", times=(0, 10, 20)), "width=30,format=webp").body)

    assert [milliseconds for _, milliseconds in frames] == [100, 100, 20]


@pytest.mark.parametrize("disposal", [1, 2, 3])
def test_a_frame_of_a_gif_that_is_a_part_is_shown_on_what_was_left_there(disposal):
    """A dot walks over transparency: kept (1), the former dots stay; cleared (2) or put back (3), there is one."""
    frames = []
    for place in (0, 20, 40):
        frame = Image.new("RGBA", (60, 20), (0, 0, 0, 0))
        ImageDraw.Draw(frame).rectangle((place, 0, place + 19, 19), RED)
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


def test_a_gif_of_many_colours_has_no_holes():
    """256 colours in each frame leave no entry of the palette for transparency."""
    frames = [Image.linear_gradient("L").convert("RGB").rotate(turn) for turn in (0, 90)]
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


def test_too_many_frames_are_refused_before_one_is_decoded():
    with pytest.raises(SourceTooLarge, match="more frames than allowed, 3; option frames asks for fewer"):
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
def test_an_animation_larger_than_can_be_made_shrinks_or_is_refused():
    body = moving("webp", size=(3000, 3000))

    rendition = make(body, "quality=1,format=webp", replace(Limits(), max_pixels=10**9))

    assert (rendition.width, rendition.height) == (2896, 2896)  # 4 × 2896² is all that 33.5 million pixels take
    with pytest.raises(InvalidTransformation, match="an animation of 4 times 3000×3000 pixels is too large"):
        make(body, "width=3000,height=3000", replace(Limits(), max_pixels=10**9))


def test_a_gif_with_a_frame_outside_its_picture_is_refused():
    body = bytearray(moving("gif"))
    second = body.index(b"\x2c", body.index(b"\x2c") + 1)
    body[second + 1 : second + 3] = b"\xff\x7f"  # its left side

    with pytest.raises(CorruptImage, match="frame 2 of the gif lies outside its 60×40 pixels"):
        make(bytes(body), "width=30")


def test_a_truncated_animation_is_refused_and_its_first_frame_is_not():
    body = moving("gif")
    body = body[: body.rindex(b"\x2c") + 12]

    with pytest.raises(CorruptImage):
        make(body, "width=30")
    assert make(body, "width=30,format=png").width == 30


def test_stills_and_animations_come_from_one_source_at_once():
    wanted = ["width=30,format=webp", "width=20,format=png", "width=10,format=gif,frames=2"]

    moved, still, two = render(moving("webp"), [Transformation.parse(text) for text in wanted])

    assert [len(frames_of(rendition.body)) for rendition in (moved, still, two)] == [4, 1, 2]


def test_a_still_is_made_of_an_animation_that_has_too_many_frames():
    wanted = [Transformation.parse("width=30,format=webp"), Transformation.parse("width=30,format=png")]

    refused, still = render_each(moving("gif"), wanted, Limits(max_frames=3))

    assert isinstance(refused, SourceTooLarge)
    assert still.width == 30


@pytest.mark.parametrize("target", ["gif", "webp", "avif"])
@pytest.mark.parametrize(
    "source", [moving("gif", loop=65_535), moving("png", loop=2**32 - 1), moving("png", times=(60_000_000,) * 4)]
)
def test_counts_that_a_format_can_not_hold_are_cut_to_what_it_can(source, target):
    assert len(frames_of(make(source, f"width=20,format={target}").body)) == 4


def test_times_that_a_gif_can_not_hold_are_rounded_and_their_sum_is_kept():
    source = moving("webp", times=(33, 33, 33, 16))

    assert [milliseconds for _, milliseconds in frames_of(make(source, "width=20,format=gif").body)] == [30, 40, 30, 20]


def test_a_damaged_later_frame_leaves_the_still_pictures_made():
    body = moving("gif")
    wanted = [Transformation.parse("width=30,format=webp"), Transformation.parse("width=30,format=png")]

    damaged, still = render_each(body[: body.rindex(b"\x2c") + 12], wanted)

    assert isinstance(damaged, CorruptImage)
    assert still.width == 30


def test_several_animations_count_together_against_the_memory():
    source = moving("webp", size=(600, 400))
    wanted = [Transformation.parse(f"width={600 - number},format=webp") for number in range(9)]
    one = memory_budget.RESERVED + memory_budget.HELD * 600 * 400 + memory_budget.ENCODING["webp"] * 4 * 600 * 400

    outcomes = render_each(source, wanted, Limits(memory=one + 3 * memory_budget.HELD * 4 * 600 * 400))

    assert [isinstance(outcome, SourceTooLarge) for outcome in outcomes] == [False] * 4 + [True] * 5


def test_like_frames_whose_times_are_too_long_together_are_shown_for_less():
    """Found by the fuzzer: Pillow makes one frame of them, of more hundredths of a second than a GIF can hold."""
    frames = [four_corners(), four_corners(), Image.new("RGB", (60, 40), RED)]
    frames[1].putpixel((45, 30), (254, 254, 254))  # or they were one in the source already
    source = encode(frames[0], "png", save_all=True, append_images=frames[1:], duration=[60_000_000, 400_000, 100])

    shown = [milliseconds for _, milliseconds in frames_of(make(source, "width=30,format=gif").body)]

    assert len(shown) == 2
    assert shown[0] <= 655_350
    assert shown[1] == 100
