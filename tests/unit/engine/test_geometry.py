"""An orientation changes sizes and boxes as it changes pixels, and two orientations compose to one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from image_processor.engine.geometry import compose, from_stored, oriented_size, to_stored

from ..pictures import oriented


@pytest.mark.parametrize("orientation", range(1, 9))
@given(
    size=st.tuples(st.integers(2, 12), st.integers(2, 12)),
    shares=st.tuples(*[st.integers(0, 11)] * 4),
)
@settings(max_examples=40)
def test_a_box_of_the_stored_source_has_the_pixels_of_the_box_of_the_upright_one(orientation, size, shares):
    stored = Image.frombytes("L", size, bytes(range(size[0] * size[1])))  # every pixel is different
    stored.getexif()[0x0112] = orientation
    upright = ImageOps.exif_transpose(stored)
    left, top = shares[0] % upright.width, shares[1] % upright.height
    box = (left, top, left + 1 + shares[2] % (upright.width - left), top + 1 + shares[3] % (upright.height - top))

    found = to_stored(box, upright.size, orientation)

    assert sorted(stored.crop(found).tobytes()) == sorted(upright.crop(box).tobytes())
    assert oriented_size(size, orientation) == (size[::-1] if orientation >= 5 else size)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_is_the_same_after_it_was_converted_to_the_oriented_source_and_back(orientation):
    box = (1.5, 2.0, 5.0, 4.25)

    there = from_stored(box, (7, 6), orientation)

    assert to_stored(there, oriented_size((7, 6), orientation), orientation) == box
    assert (there == box) == (orientation == 1)


@pytest.mark.parametrize("first", range(1, 9))
@pytest.mark.parametrize("then", range(1, 9))
def test_two_orientations_compose_to_one(first, then):
    stored = Image.frombytes("L", (3, 2), bytes(range(6)))

    assert oriented(oriented(stored, first), then).tobytes() == oriented(stored, compose(first, then)).tobytes()
    assert oriented(oriented(stored, first), then).size == oriented_size(stored.size, compose(first, then))
