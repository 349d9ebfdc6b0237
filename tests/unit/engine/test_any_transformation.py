"""For any source and any transformation, the sides of the rendition are those that the manual promises."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from image_processor.engine import render
from image_processor.transformations.options import FITS, FLIPS, FORMATS, ROTATIONS
from image_processor.transformations.transformation import EXACT_FITS, Transformation

from ..pictures import SOURCE_FORMATS, decode, encode, noise

STORED = (24, 15)
ORIENTABLE = ("jpeg", "png", "webp", "avif", "tiff")
SIDES = st.none() | st.integers(1, 40)


def source(image_format: str, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(noise(STORED), image_format, **({"exif": exif} if image_format in ORIENTABLE else {}))


CASES = [(name, orientation) for name in SOURCE_FORMATS for orientation in ((1, 3, 6) if name in ORIENTABLE else (1,))]
SOURCES = {case: source(*case) for case in CASES}
transformations = st.builds(
    Transformation,
    width=SIDES,
    height=SIDES,
    fit=st.sampled_from(FITS),
    enlarge=st.booleans(),
    rotate=st.none() | st.sampled_from(ROTATIONS),
    flip=st.none() | st.sampled_from(FLIPS),
    format=st.sampled_from(FORMATS),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[1]}")
@settings(max_examples=25)
@given(wanted=transformations)
def test_the_sides_are_those_that_the_manual_promises(case, wanted):
    upright = STORED if (case[1] < 5) == (wanted.rotate not in (90, 270)) else STORED[::-1]

    [rendition] = render(SOURCES[case], [wanted])

    width, height = rendition.width, rendition.height
    assert decode(rendition).size == (width, height)
    assert rendition.content_type == f"image/{wanted.format}"
    asked = [
        (side, room, own)
        for side, room, own in zip((width, height), (wanted.width, wanted.height), upright, strict=True)
        if room
    ]
    if len(asked) == 2 and wanted.fit in EXACT_FITS:
        assert (width, height) == (wanted.width, wanted.height)
        return
    if not wanted.enlarge:
        assert width <= upright[0]
        assert height <= upright[1]
    if not asked:
        assert (width, height) == upright
    elif len(asked) == 1 or wanted.fit == "inside":
        assert all(side <= room for side, room, _ in asked)
        assert any(side == (room if wanted.enlarge else min(room, own)) for side, room, own in asked)
    else:
        assert all(side >= room for side, room, _ in asked) or (width, height) == upright
