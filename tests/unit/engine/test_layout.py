"""The numbers of a layout are right for any source and any transformation."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from image_processor.engine.geometry import first_pixel, oriented_size
from image_processor.engine.layout import crop as crop_region
from image_processor.engine.layout import lay_out, plan
from image_processor.errors import InvalidTransformation
from image_processor.transformations.options import FITS, MAX_PIXELS, MAX_SIDE, POSITIONS
from image_processor.transformations.transformation import EXACT_FITS, Transformation

from ..pictures import oriented

source_sides = st.one_of(st.integers(1, 12_000), st.integers(1, 64), st.sampled_from([1, 2, 3, 65_535, 80_000_000]))
sources = st.tuples(source_sides, source_sides)
sides = st.one_of(st.integers(1, MAX_SIDE), st.integers(1, 64))
positions = st.sampled_from(list(POSITIONS))
switches = st.booleans()


def too_large(transformation):
    sides = (transformation.width, transformation.height)
    return None not in sides and transformation.fit in EXACT_FITS and sides[0] * sides[1] > MAX_PIXELS


def fitted(*fits, of=sides):
    return st.builds(
        Transformation, width=of, height=of, fit=st.sampled_from(fits), position=positions, enlarge=switches
    ).filter(lambda transformation: not too_large(transformation))


any_transformation = fitted(*FITS, of=st.none() | sides)


def at_its_largest(size):
    """Whether one pixel more on each side would be too much."""
    return MAX_SIDE in size or (size[0] + 1) * (size[1] + 1) > MAX_PIXELS


def assert_same_aspect_ratio(source, size):
    """One scale gives both sides when they are rounded; a side is at least 1."""
    least = max(0 if side == 1 else (side - 0.5) / own for own, side in zip(source, size, strict=True))
    most = min((side + 0.5) / own for own, side in zip(source, size, strict=True))
    assert least <= most * (1 + 1e-9)


@settings(max_examples=200)
@given(sources, any_transformation)
def test_every_side_is_at_least_1_and_at_most_the_longest(source, transformation):
    layout = plan(source, transformation)

    assert all(1 <= side <= MAX_SIDE for side in (*layout.size, *layout.canvas))
    assert layout.canvas[0] * layout.canvas[1] <= MAX_PIXELS + MAX_SIDE  # each side is rounded


@settings(max_examples=200)
@given(sources, any_transformation)
def test_the_box_lies_within_the_source_and_the_picture_within_its_canvas(source, transformation):
    layout = plan(source, transformation)

    left, top, right, bottom = layout.box
    assert -1e-6 <= left < right <= source[0] * (1 + 1e-12) + 1e-6
    assert -1e-6 <= top < bottom <= source[1] * (1 + 1e-12) + 1e-6
    for offset, side, room in zip(layout.offset, layout.size, layout.canvas, strict=True):
        assert 0 <= offset <= room - side


@pytest.mark.slow
@pytest.mark.parametrize("fit", ["cover", "contain", "fill"])
@settings(max_examples=200)
@given(data=st.data())
def test_an_exact_fit_has_the_sides_asked_for(fit, data):
    source, transformation = data.draw(sources), data.draw(fitted(fit))

    layout = plan(source, transformation)

    assert layout.canvas == (transformation.width, transformation.height)
    if fit != "contain":
        assert layout.size == layout.canvas


@settings(max_examples=150)
@given(sources, fitted("cover"))
def test_cover_preserves_the_aspect_ratio_and_as_much_of_the_source_as_possible(source, transformation):
    layout = plan(source, transformation)

    width, height = layout.box[2] - layout.box[0], layout.box[3] - layout.box[1]
    assert width / height == pytest.approx(transformation.width / transformation.height, rel=1e-3)
    assert width == pytest.approx(source[0]) or height == pytest.approx(source[1])


@settings(max_examples=150)
@given(sources, fitted("contain"))
def test_contain_shows_the_whole_source_and_touches_two_edges(source, transformation):
    layout = plan(source, transformation)

    assert layout.box == (0, 0, *source)
    assert layout.size[0] == layout.canvas[0] or layout.size[1] == layout.canvas[1]
    assert_same_aspect_ratio(source, layout.size)


@settings(max_examples=150)
@given(sources, fitted("inside"))
def test_inside_fits_its_box_and_preserves_the_aspect_ratio(source, transformation):
    layout = plan(source, transformation)

    assert layout.size[0] <= transformation.width
    assert layout.size[1] <= transformation.height
    assert layout.canvas == layout.size
    assert_same_aspect_ratio(source, layout.size)


@settings(max_examples=150)
@given(sources, fitted("outside"))
def test_outside_covers_its_box_unless_the_picture_would_be_too_large(source, transformation):
    layout = plan(source, transformation)

    covers = layout.size[0] >= transformation.width and layout.size[1] >= transformation.height
    assert covers or at_its_largest(layout.size) or (not transformation.enlarge and layout.size == source)
    assert_same_aspect_ratio(source, layout.size)


@settings(max_examples=150)
@given(sources, any_transformation)
def test_only_enlarge_and_an_exact_fit_enlarge(source, transformation):
    layout = plan(source, transformation)

    exact = None not in (transformation.width, transformation.height) and transformation.fit in EXACT_FITS
    assert exact or transformation.enlarge or (layout.size[0] <= source[0] and layout.size[1] <= source[1])


@settings(max_examples=150)
@given(sources, sides, switches)
def test_a_missing_side_follows_the_aspect_ratio(source, side, enlarge):
    layout = plan(source, Transformation(width=side, enlarge=enlarge))

    reachable = side <= source[0] or enlarge
    assert_same_aspect_ratio(source, layout.size)
    assert layout.size[0] == side or not reachable or at_its_largest(layout.size)
    assert layout.box == (0, 0, *source)


@pytest.mark.parametrize("fit", EXACT_FITS)
def test_two_sides_of_too_many_pixels_are_refused(fit):
    assert plan((400, 300), Transformation(width=8192, height=4096, fit=fit)).canvas == (8192, 4096)

    with pytest.raises(InvalidTransformation, match="8192×4097 pixels is too large, allowed: 33554432 in all"):
        plan((400, 300), Transformation(width=8192, height=4097, fit=fit))


@pytest.mark.parametrize(
    ("source", "transformation", "size"),
    [
        ((4000, 3000), "width=400", (400, 300)),
        ((4000, 3000), "height=300", (400, 300)),
        ((400, 300), "width=800", (400, 300)),
        ((400, 300), "width=800,enlarge=true", (800, 600)),
        ((4000, 3000), "format=png", (4000, 3000)),
        ((16384, 4096), "format=png", (8192, 2048)),
        ((8000, 8000), "format=png", (5793, 5793)),
        ((10, 10_000), "width=100,enlarge=true", (8, 8192)),
        ((1000, 1), "width=10", (10, 1)),
        ((4000, 3000), "width=200,height=200,fit=inside", (200, 150)),
        ((4000, 3000), "width=200,height=200,fit=outside", (267, 200)),
        ((100, 50), "width=200,height=200,fit=inside", (100, 50)),
        ((100, 50), "width=200,height=200,fit=inside,enlarge=true", (200, 100)),
        ((100, 50), "width=200,height=200,fit=outside", (100, 50)),
        ((100, 50), "width=200,height=200,fit=outside,enlarge=true", (400, 200)),
        ((100, 50), "width=60,height=40,fit=outside", (80, 40)),
    ],
)
def test_the_size_of_the_canvas(source, transformation, size):
    assert plan(source, Transformation.parse(transformation)).canvas == size


@pytest.mark.parametrize(
    ("position", "wide", "tall"),
    [
        ("center", (100, 0, 200, 100), (0, 100, 100, 200)),
        ("top", (100, 0, 200, 100), (0, 0, 100, 100)),
        ("bottom", (100, 0, 200, 100), (0, 200, 100, 300)),
        ("left", (0, 0, 100, 100), (0, 100, 100, 200)),
        ("right", (200, 0, 300, 100), (0, 100, 100, 200)),
        ("left-top", (0, 0, 100, 100), (0, 0, 100, 100)),
        ("right-top", (200, 0, 300, 100), (0, 0, 100, 100)),
        ("left-bottom", (0, 0, 100, 100), (0, 200, 100, 300)),
        ("right-bottom", (200, 0, 300, 100), (0, 200, 100, 300)),
    ],
)
def test_cover_crops_at_the_position(position, wide, tall):
    square = Transformation(width=10, height=10, position=position)

    assert plan((300, 100), square).box == wide
    assert plan((100, 300), square).box == tall


@pytest.mark.parametrize(
    ("position", "wide", "tall"),
    [
        ("center", (0, 20), (20, 0)),
        ("top", (0, 0), (20, 0)),
        ("bottom", (0, 40), (20, 0)),
        ("left", (0, 20), (0, 0)),
        ("right", (0, 20), (40, 0)),
        ("left-top", (0, 0), (0, 0)),
        ("right-top", (0, 0), (40, 0)),
        ("left-bottom", (0, 40), (0, 0)),
        ("right-bottom", (0, 40), (40, 0)),
    ],
)
def test_contain_puts_the_picture_at_the_position(position, wide, tall):
    square = Transformation(width=60, height=60, fit="contain", position=position)

    assert plan((300, 100), square).offset == wide
    assert plan((100, 300), square).offset == tall


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("rotate", [None, 90, 180, 270])
@pytest.mark.parametrize("flip", [None, "horizontal", "vertical", "both"])
@pytest.mark.parametrize("crop", [None, (1, 2, 4, 3), (3, 3, 99, 99)])
def test_a_layout_has_the_pixels_of_the_cropped_rotated_and_flipped_scene(orientation, rotate, flip, crop):
    stored = Image.frombytes("L", (7, 6), bytes(range(42)))
    scene = oriented(stored, orientation)
    if crop:
        scene = scene.crop((*crop[:2], min(crop[0] + crop[2], scene.width), min(crop[1] + crop[3], scene.height)))
    corner = scene.getpixel((0, 0))
    scene = oriented(scene, {None: 1, 90: 6, 180: 3, 270: 8}[rotate])
    for mirror in {None: (), "both": (2, 4), "horizontal": (2,), "vertical": (4,)}[flip]:
        scene = oriented(scene, mirror)
    transformation = Transformation(rotate=rotate, flip=flip, crop=crop, format="png")

    found = crop_region(stored.size, orientation, transformation)
    layout = lay_out(stored.size, orientation, transformation, found)

    assert oriented(stored.crop(tuple(map(round, layout.box))), layout.orientation).tobytes() == scene.tobytes()
    assert oriented_size(layout.size, layout.orientation) == layout.canvas == scene.size
    assert stored.getpixel(first_pixel(found, stored.size, orientation)) == corner


@pytest.mark.parametrize("crop", [(7, 0, 1, 1), (0, 6, 1, 1), (65_535, 65_535, 1, 1)])
def test_a_crop_outside_the_source_is_refused(crop):
    with pytest.raises(InvalidTransformation, match="is outside the source, which is 7×6"):
        crop_region((7, 6), 1, Transformation(crop=crop))


def test_the_pixels_of_all_frames_are_bounded():
    assert plan((4000, 2000), Transformation(format="webp"), frames=4).size == (4000, 2000)
    assert plan((4000, 2000), Transformation(format="webp"), frames=16).size == (2048, 1024)
    with pytest.raises(
        InvalidTransformation, match=r"16 times 2000×2000 pixels is too large.* fewer with the option frames"
    ):
        plan((4000, 2000), Transformation(width=2000, height=2000), frames=16)
