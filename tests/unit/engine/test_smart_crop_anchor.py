"""The anchor of a smart crop: for plain, transparent, mirrored and any other pictures."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageOps

from image_processor.engine.smart_crop import find_anchor

from .scenes import GREY, SQUARE, TALL, WIDE, assert_crop_contains, both, gradient, noise


@both
def test_the_colours_of_transparent_pixels_do_not_attract(method):
    image = noise(WIDE, (0, 0, 0), (255, 60, 40)).convert("RGBA")
    image.putalpha(0)
    image.paste((90, 110, 150, 255), (100, 30, 136, 66))

    assert_crop_contains(image, (100, 30, 136, 66), method)


@both
def test_the_colours_of_transparent_pixels_change_nothing(method):
    size = (108, 72)  # small enough not to be scaled down, which would remove them
    shown = Image.new("L", size, 0)
    ImageDraw.Draw(shown).rectangle((15, 15, 40, 40), fill=255)
    ImageDraw.Draw(shown).ellipse((50, 30, 90, 60), fill=120)
    plain, noisy = gradient(size, (200, 40, 40), (40, 40, 200)), noise(size)
    noisy.paste(plain, mask=shown.point(lambda value: 255 if value else 0))
    for image in (plain, noisy):
        image.putalpha(shown)

    assert find_anchor(noisy, (0.4, 1.0), method) == find_anchor(plain, (0.4, 1.0), method)


@both
def test_the_greys_of_transparent_pixels_do_not_attract(method):
    image = noise(WIDE).convert("L").convert("LA")
    image.putalpha(0)
    image.paste((128, 255), (8, 30, 44, 66))

    assert_crop_contains(image, (8, 30, 44, 66), method)


@both
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
@pytest.mark.parametrize("size", [WIDE, TALL, (400, 300), (1, 1)])
@pytest.mark.parametrize("colour", ["black", "white", "gray"])
def test_a_plain_picture_gives_the_centre(method, mode, size, colour):
    for visible in ((0.5, 1.0), (1.0, 0.3), (0.4, 0.6)):
        assert find_anchor(Image.new(mode, size, colour), visible, method) == (0.5, 0.5)


@both
def test_a_transparent_picture_gives_the_centre(method):
    image = noise(WIDE).convert("RGBA")
    image.putalpha(0)

    assert find_anchor(image, SQUARE[WIDE], method) == (0.5, 0.5)


@both
def test_two_equal_subjects_give_the_centre(method):
    image = Image.new("RGB", WIDE, GREY)
    subject = noise((30, 30))
    image.paste(subject, (5, 30))
    image.paste(ImageOps.mirror(subject), (109, 30))

    assert find_anchor(image, (0.4, 1.0), method) == (0.5, 0.5)


@both
def test_a_crop_of_the_whole_picture_gives_the_centre(method):
    assert find_anchor(noise(WIDE), (1.0, 1.0), method) == (0.5, 0.5)


@both
def test_a_larger_picture_gives_the_same_anchor(method):
    image = Image.new("RGB", WIDE, GREY)
    image.paste(noise((40, 40)), (8, 28))

    large = find_anchor(image.resize((1440, 960), Image.Resampling.BICUBIC), SQUARE[WIDE], method)

    assert large == pytest.approx(find_anchor(image, SQUARE[WIDE], method), abs=0.08)


@st.composite
def pictures(draw):
    """Pictures of every mode and aspect ratio: plain, and with patches that are plain or noise."""
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
@given(image=pictures(), visible=st.tuples(shares, shares))
def test_every_picture_has_one_anchor_within_it(method, image, visible):
    anchor = find_anchor(image, visible, method)

    assert all(0 <= share <= 1 for share in anchor)
    assert anchor == find_anchor(image, visible, method)


@both
@settings(max_examples=60, deadline=None)
@given(image=pictures(), visible=shares)
def test_a_mirrored_picture_has_the_mirrored_anchor(method, image, visible):
    left, middle = find_anchor(image, (visible, 1.0), method)
    _, top = find_anchor(image, (1.0, visible), method)

    assert find_anchor(ImageOps.mirror(image), (visible, 1.0), method) == pytest.approx((1 - left, middle), abs=1e-9)
    assert find_anchor(ImageOps.flip(image), (1.0, visible), method) == pytest.approx((0.5, 1 - top), abs=1e-9)


@both
def test_the_picture_itself_is_not_changed(method):
    image = noise(WIDE).convert("RGBA")
    before = image.copy()

    find_anchor(image, SQUARE[WIDE], method)

    assert ImageChops.difference(image, before).getbbox() is None
