"""Where `position=entropy` and `position=attention` put a crop, on pictures drawn with a known subject."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from image_processor.engine.smart_crop import find_anchor

METHODS = ("entropy", "attention")
WIDE, TALL = (144, 96), (96, 144)
SQUARE = {WIDE: (2 / 3, 1.0), TALL: (1.0, 2 / 3)}  # the share of a square crop
GREY = (118, 122, 126)
SKINS = {"light": (234, 192, 168), "tan": (198, 134, 94), "dark": (92, 58, 40)}
PLACES = {  # upper left corner of a subject of 40×40
    "left": (WIDE, (8, 28)),
    "right": (WIDE, (96, 28)),
    "top": (TALL, (28, 8)),
    "bottom": (TALL, (28, 96)),
}
both = pytest.mark.parametrize("method", METHODS)
everywhere = pytest.mark.parametrize(("size", "corner"), PLACES.values(), ids=PLACES)


def noise(size, dark=(20, 20, 20), light=(235, 235, 235), grain=2, seed=0):
    """Blotches of `grain` pixels, from a dark to a light colour; the same for the same seed."""
    width, height = -(-size[0] // grain), -(-size[1] // grain)
    grey = Image.frombytes("L", (width, height), random.Random(seed).randbytes(width * height))  # noqa: S311
    return ImageOps.colorize(grey.resize(size, Image.Resampling.BICUBIC), dark, light)


def gradient(size, top, bottom):
    return ImageOps.colorize(Image.linear_gradient("L").resize(size), top, bottom)


def draw_face(image, corner, skin):
    x, y = corner
    draw = ImageDraw.Draw(image)
    draw.ellipse((x, y, x + 30, y + 40), fill=skin)
    for eye in (x + 9, x + 21):
        draw.ellipse((eye - 2, y + 14, eye + 2, y + 17), fill=(30, 25, 20))
    draw.line((x + 10, y + 31, x + 20, y + 31), fill=(150, 60, 60), width=2)


def crop(image, kept, method):
    """left, top, right, bottom of the crop, in pixels."""
    places = find_anchor(image, kept, method)
    left, top = (side * (1 - share) * at for side, share, at in zip(image.size, kept, places, strict=True))
    return left, top, left + image.width * kept[0], top + image.height * kept[1]


def assert_kept(image, subject, method, kept=None):
    left, top, right, bottom = crop(image, kept or SQUARE[image.size], method)
    assert left <= subject[0]
    assert top <= subject[1]
    assert subject[2] <= right + 1e-9
    assert subject[3] <= bottom + 1e-9


def boxed(corner, width=40, height=40):
    return (*corner, corner[0] + width, corner[1] + height)


@both
@everywhere
def test_a_detailed_subject_on_a_plain_ground_is_kept(size, corner, method):
    image = Image.new("RGB", size, GREY)
    image.paste(noise((40, 40)), corner)

    assert_kept(image, boxed(corner), method)


@both
@everywhere
@pytest.mark.parametrize("colour", ["#dc1e28", "#145ad2", "#f0c01e"])
def test_a_colourful_subject_on_a_plain_ground_is_kept(size, corner, method, colour):
    image = Image.new("RGB", size, (244, 244, 240))
    ImageDraw.Draw(image).ellipse(boxed(corner), fill=colour)

    assert_kept(image, boxed(corner), method)


@both
@everywhere
def test_a_plain_subject_on_a_textured_ground_is_kept(size, corner, method):
    image = noise(size, (130, 110, 95), (200, 185, 165))
    ImageDraw.Draw(image).ellipse(boxed(corner), fill=(25, 22, 22))

    assert_kept(image, boxed(corner), method)


@both
def test_a_grey_picture_is_judged_by_its_detail(method):
    image = gradient(WIDE, (70, 70, 70), (170, 170, 170)).convert("L")
    image.paste(noise((40, 40)).convert("L"), (96, 28))

    assert_kept(image, (96, 28, 136, 68), method)


@everywhere
@pytest.mark.parametrize("skin", SKINS.values(), ids=SKINS)
def test_a_face_draws_attention_from_grey_foliage(size, corner, skin):
    image = noise(size, (40, 44, 40), (170, 175, 170))
    draw_face(image, corner, skin)

    assert_kept(image, boxed(corner, 30), "attention")


@pytest.mark.parametrize("skin", SKINS.values(), ids=SKINS)
def test_a_face_draws_attention_from_a_more_detailed_and_colourful_dress(skin):
    image = Image.new("RGB", TALL, (180, 185, 190))
    image.paste(noise((60, 70), (160, 30, 40), (250, 180, 20), grain=4), (18, 74))
    draw_face(image, (33, 24), skin)

    assert_kept(image, (33, 24, 63, 64), "attention", kept=(1.0, 0.4))


@everywhere
def test_a_subject_that_differs_by_its_colour_alone_draws_attention(size, corner):
    image = noise(size, (40, 100, 20), (90, 160, 60))
    stone = Image.new("L", size, 0)
    ImageDraw.Draw(stone).ellipse(boxed(corner), fill=255)
    image.paste((105, 105, 105), mask=stone.filter(ImageFilter.GaussianBlur(3)))

    assert_kept(image, boxed(corner), "attention")


@both
@pytest.mark.parametrize("noisy_left", [True, False])
def test_noise_is_kept_rather_than_a_flat_part(method, noisy_left):
    image = Image.new("RGB", WIDE, GREY)
    image.paste(noise((60, 96)), (0 if noisy_left else 84, 0))

    assert_kept(image, (0, 0, 60, 96) if noisy_left else (84, 0, 144, 96), method)


@both
def test_textured_ground_is_kept_rather_than_a_sky_of_all_shades(method):
    image = gradient(TALL, (40, 90, 180), (225, 225, 210))
    image.paste(noise((96, 66), (60, 50, 40), (150, 135, 110)), (0, 78))

    assert crop(image, SQUARE[TALL], method)[3] >= 144 - 4


@both
def test_a_subject_with_room_around_it_is_centred(method):
    image = Image.new("RGB", (150, 50), GREY)
    image.paste(noise((20, 20)), (60, 15))

    left, _, right, _ = crop(image, (1 / 3, 1.0), method)

    assert (left + right) / 2 == pytest.approx(70, abs=3)


@both
def test_a_crop_smaller_on_both_sides_finds_the_subject(method):
    image = Image.new("RGB", WIDE, GREY)
    image.paste(noise((30, 30)), (100, 55))

    assert_kept(image, (100, 55, 130, 85), method, kept=(0.4, 0.5))


@both
def test_what_is_transparent_does_not_attract_by_its_hidden_colours(method):
    image = noise(WIDE, (0, 0, 0), (255, 60, 40)).convert("RGBA")
    image.putalpha(0)
    image.paste((90, 110, 150, 255), (100, 30, 136, 66))

    assert_kept(image, (100, 30, 136, 66), method)


@both
def test_hidden_colours_change_nothing(method):
    size = (108, 72)  # not scaled down, where they would be lost anyway
    shown = Image.new("L", size, 0)
    ImageDraw.Draw(shown).rectangle((15, 15, 40, 40), fill=255)
    ImageDraw.Draw(shown).ellipse((50, 30, 90, 60), fill=120)
    plain, noisy = gradient(size, (200, 40, 40), (40, 40, 200)), noise(size)
    noisy.paste(plain, mask=shown.point(lambda value: 255 if value else 0))
    for image in (plain, noisy):
        image.putalpha(shown)

    assert find_anchor(noisy, (0.4, 1.0), method) == find_anchor(plain, (0.4, 1.0), method)


@both
def test_a_grey_picture_with_alpha_does_not_show_its_hidden_colours_either(method):
    image = noise(WIDE).convert("L").convert("LA")
    image.putalpha(0)
    image.paste((128, 255), (8, 30, 44, 66))

    assert_kept(image, (8, 30, 44, 66), method)


@both
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
@pytest.mark.parametrize("size", [WIDE, TALL, (400, 300), (1, 1)])
@pytest.mark.parametrize("colour", ["black", "white", "gray"])
def test_a_flat_picture_gives_the_centre(method, mode, size, colour):
    for kept in ((0.5, 1.0), (1.0, 0.3), (0.4, 0.6)):
        assert find_anchor(Image.new(mode, size, colour), kept, method) == (0.5, 0.5)


@both
def test_an_invisible_picture_gives_the_centre(method):
    image = noise(WIDE).convert("RGBA")
    image.putalpha(0)

    assert find_anchor(image, SQUARE[WIDE], method) == (0.5, 0.5)


@both
def test_two_subjects_alike_give_the_centre(method):
    image = Image.new("RGB", WIDE, GREY)
    subject = noise((30, 30))
    image.paste(subject, (5, 30))
    image.paste(ImageOps.mirror(subject), (109, 30))

    assert find_anchor(image, (0.4, 1.0), method) == (0.5, 0.5)


@both
def test_of_two_subjects_alike_the_one_nearer_to_the_centre_is_kept(method):
    image = Image.new("RGB", (108, 72), GREY)
    for left in (4, 52):
        image.paste(noise((24, 24)), (left, 24))

    assert_kept(image, (52, 24, 76, 48), method, kept=(0.3, 1.0))


@both
def test_the_edge_of_the_crop_does_not_cut_through_what_it_can_leave_out(method):
    image = Image.new("RGB", (108, 72), GREY)
    objects = ((10, 34), (40, 58), (66, 80))
    for left, right in objects:
        image.paste(noise((right - left, 30)), (left, 20))

    left, _, right, _ = crop(image, (0.6, 1.0), method)

    assert not any(start < edge < end for start, end in objects for edge in (left, right))


@both
def test_a_crop_of_the_whole_has_no_room_to_move(method):
    assert find_anchor(noise(WIDE), (1.0, 1.0), method) == (0.5, 0.5)


@both
def test_a_picture_larger_than_needed_has_the_same_answer(method):
    image = Image.new("RGB", WIDE, GREY)
    image.paste(noise((40, 40)), (8, 28))

    large = find_anchor(image.resize((1440, 960), Image.Resampling.BICUBIC), SQUARE[WIDE], method)

    assert large == pytest.approx(find_anchor(image, SQUARE[WIDE], method), abs=0.08)


@both
def test_grain_too_fine_to_be_seen_in_the_rendition_does_not_attract(method):
    image = Image.new("RGB", (900, 600), GREY)
    image.paste(noise((450, 600), grain=1), (0, 0))
    image.paste(noise((200, 200), grain=24), (660, 200))

    assert_kept(image, (660, 200, 860, 400), method, kept=(0.4, 1.0))


def test_a_small_face_outweighs_a_wide_lawn():
    image = gradient((400, 600), (120, 170, 230), (220, 230, 240))
    image.paste(noise((400, 240), (20, 60, 10), (130, 190, 70)), (0, 360))
    person = Image.new("RGB", (30, 40), (120, 170, 230))
    draw_face(person, (0, 0), SKINS["tan"])
    image.paste(person.resize((75, 100)), (160, 70))

    assert_kept(image, (160, 70, 235, 170), "attention", kept=(1.0, 0.4))


@st.composite
def pictures(draw):
    """Pictures of every mode and proportion; a few shades, or many, some of them with a patch of noise."""
    width, height = draw(st.tuples(st.integers(1, 150), st.integers(1, 150)) | st.sampled_from([(1, 90), (90, 1)]))
    mode = draw(st.sampled_from(["RGB", "RGBA", "L", "LA"]))
    source = random.Random(draw(st.integers(0, 2**32)))  # noqa: S311
    image = Image.new(mode, (width, height), tuple(source.randbytes(len(mode))))
    for _ in range(draw(st.integers(0, 4))):
        size = source.randint(1, width), source.randint(1, height)
        patch = Image.frombytes(mode, size, source.randbytes(size[0] * size[1] * len(mode)))
        if draw(st.booleans()):
            patch = patch.resize((1, 1)).resize(size)
        image.paste(patch, (source.randint(0, width - size[0]), source.randint(0, height - size[1])))
    return image


shares = st.floats(0.01, 1.0) | st.just(1.0)


@both
@settings(max_examples=60, deadline=None)
@given(image=pictures(), kept=st.tuples(shares, shares))
def test_every_picture_has_a_place_within_it(method, image, kept):
    places = find_anchor(image, kept, method)

    assert all(0 <= share <= 1 for share in places)
    assert places == find_anchor(image, kept, method)


@both
@settings(max_examples=60, deadline=None)
@given(image=pictures(), kept=shares)
def test_a_mirrored_picture_has_the_mirrored_place(method, image, kept):
    left, middle = find_anchor(image, (kept, 1.0), method)
    _, top = find_anchor(image, (1.0, kept), method)

    assert find_anchor(ImageOps.mirror(image), (kept, 1.0), method) == pytest.approx((1 - left, middle), abs=1e-9)
    assert find_anchor(ImageOps.flip(image), (1.0, kept), method) == pytest.approx((0.5, 1 - top), abs=1e-9)


@both
def test_the_picture_is_left_as_it_was(method):
    image = noise(WIDE).convert("RGBA")
    before = image.copy()

    find_anchor(image, SQUARE[WIDE], method)

    assert ImageChops.difference(image, before).getbbox() is None
