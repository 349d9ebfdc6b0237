"""`position=entropy` and `position=attention` keep the known subject of a drawn picture."""

import pytest
from PIL import Image, ImageDraw, ImageFilter

from .scenes import (
    GREY,
    SKINS,
    SQUARE,
    TALL,
    WIDE,
    assert_crop_contains,
    both,
    boxed,
    crop,
    draw_face,
    everywhere,
    gradient,
    noise,
)


@both
@everywhere
def test_a_detailed_subject_on_a_plain_ground_is_kept(size, corner, method):
    image = Image.new("RGB", size, GREY)
    image.paste(noise((40, 40)), corner)

    assert_crop_contains(image, boxed(corner), method)


@both
@everywhere
@pytest.mark.parametrize("colour", ["#dc1e28", "#145ad2", "#f0c01e"])
def test_a_colourful_subject_on_a_plain_ground_is_kept(size, corner, method, colour):
    image = Image.new("RGB", size, (244, 244, 240))
    ImageDraw.Draw(image).ellipse(boxed(corner), fill=colour)

    assert_crop_contains(image, boxed(corner), method)


@both
@everywhere
def test_a_plain_subject_on_a_textured_ground_is_kept(size, corner, method):
    image = noise(size, (130, 110, 95), (200, 185, 165))
    ImageDraw.Draw(image).ellipse(boxed(corner), fill=(25, 22, 22))

    assert_crop_contains(image, boxed(corner), method)


@both
def test_a_grey_picture_is_judged_by_its_detail(method):
    image = gradient(WIDE, (70, 70, 70), (170, 170, 170)).convert("L")
    image.paste(noise((40, 40)).convert("L"), (96, 28))

    assert_crop_contains(image, (96, 28, 136, 68), method)


@everywhere
@pytest.mark.parametrize("skin", SKINS.values(), ids=SKINS)
def test_a_face_draws_attention_from_grey_foliage(size, corner, skin):
    image = noise(size, (40, 44, 40), (170, 175, 170))
    draw_face(image, corner, skin)

    assert_crop_contains(image, boxed(corner, 30), "attention")


@pytest.mark.parametrize("skin", SKINS.values(), ids=SKINS)
def test_a_face_draws_attention_from_a_more_detailed_and_colourful_dress(skin):
    image = Image.new("RGB", TALL, (180, 185, 190))
    image.paste(noise((60, 70), (160, 30, 40), (250, 180, 20), grain=4), (18, 74))
    draw_face(image, (33, 24), skin)

    assert_crop_contains(image, (33, 24, 63, 64), "attention", visible=(1.0, 0.4))


@everywhere
def test_a_subject_that_differs_by_its_colour_alone_draws_attention(size, corner):
    image = noise(size, (40, 100, 20), (90, 160, 60))
    stone = Image.new("L", size, 0)
    ImageDraw.Draw(stone).ellipse(boxed(corner), fill=255)
    image.paste((105, 105, 105), mask=stone.filter(ImageFilter.GaussianBlur(3)))

    assert_crop_contains(image, boxed(corner), "attention")


@both
@pytest.mark.parametrize("noisy_left", [True, False])
def test_noise_is_kept_rather_than_a_flat_part(method, noisy_left):
    image = Image.new("RGB", WIDE, GREY)
    image.paste(noise((60, 96)), (0 if noisy_left else 84, 0))

    assert_crop_contains(image, (0, 0, 60, 96) if noisy_left else (84, 0, 144, 96), method)


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

    assert_crop_contains(image, (100, 55, 130, 85), method, visible=(0.4, 0.5))


@both
def test_of_two_equal_subjects_the_one_nearer_to_the_centre_is_kept(method):
    image = Image.new("RGB", (108, 72), GREY)
    for left in (4, 52):
        image.paste(noise((24, 24)), (left, 24))

    assert_crop_contains(image, (52, 24, 76, 48), method, visible=(0.3, 1.0))


@both
def test_the_edge_of_the_crop_does_not_cut_an_object_that_it_can_leave_out(method):
    image = Image.new("RGB", (108, 72), GREY)
    objects = ((10, 34), (40, 58), (66, 80))
    for left, right in objects:
        image.paste(noise((right - left, 30)), (left, 20))

    left, _, right, _ = crop(image, (0.6, 1.0), method)

    assert not any(start < edge < end for start, end in objects for edge in (left, right))


@both
def test_fine_grain_does_not_attract(method):
    image = Image.new("RGB", (900, 600), GREY)
    image.paste(noise((450, 600), grain=1), (0, 0))
    image.paste(noise((200, 200), grain=24), (660, 200))

    assert_crop_contains(image, (660, 200, 860, 400), method, visible=(0.4, 1.0))


def test_a_small_face_outweighs_a_wide_lawn():
    image = gradient((400, 600), (120, 170, 230), (220, 230, 240))
    image.paste(noise((400, 240), (20, 60, 10), (130, 190, 70)), (0, 360))
    person = Image.new("RGB", (30, 40), (120, 170, 230))
    draw_face(person, (0, 0), SKINS["tan"])
    image.paste(person.resize((75, 100)), (160, 70))

    assert_crop_contains(image, (160, 70, 235, 170), "attention", visible=(1.0, 0.4))
