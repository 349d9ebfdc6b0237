"""What needs more memory than there is is refused; a large JPEG is decoded at a fraction for a small picture."""

import pytest
from PIL import Image, JpegImagePlugin

from image_processor.engine import Limits, memory_budget
from image_processor.errors import SourceTooLarge
from image_processor.transformations.options import MAX_PIXELS

from ..pictures import encode, make, photo


@pytest.fixture(scope="module")
def twelve_megapixels() -> bytes:
    return encode(photo((1000, 750)).resize((4000, 3000)), "jpeg", quality=85, subsampling=2)


def test_a_source_that_needs_too_much_memory_is_refused_before_it_is_decoded():
    source = encode(photo((300, 200)), "webp")
    needed = memory_budget.RESERVED + len(source) + memory_budget.DECODING["webp"] * 60_000

    make(source, "width=128", Limits(memory=needed))
    with pytest.raises(
        SourceTooLarge, match=r"to decode 60000 pixels of webp takes up to \d+ MB of memory, allowed: \d+"
    ):
        make(source, "width=128", Limits(memory=needed - 1))


def test_a_picture_that_needs_too_much_memory_is_refused_before_it_is_made():
    source = encode(Image.new("RGB", (10, 10)), "png")
    needed = memory_budget.RESERVED + memory_budget.HELD * 100 + memory_budget.ENCODING["avif"] * 1000 * 1000
    wanted = "width=1000,height=1000,format=avif"

    make(source, wanted, Limits(memory=needed))
    with pytest.raises(SourceTooLarge, match="to render a picture of 1000000 pixels takes up to"):
        make(source, wanted, Limits(memory=needed - 1))


@pytest.mark.parametrize("kind", memory_budget.DECODING)
def test_the_default_limits_fit_into_the_function(kind):
    limits = Limits()
    pixels = {"jpeg2000": 24_000_000}.get(kind, limits.max_pixels)

    memory_budget.check_source(kind, 0, pixels, limits)
    memory_budget.check_picture(limits.max_pixels, MAX_PIXELS, None, limits)


@pytest.mark.parametrize(
    ("transformation", "decoded"),
    [
        ("width=128,height=128", (500, 375)),
        ("width=248", (500, 375)),
        ("width=252", (1000, 750)),
        ("width=500", (1000, 750)),
        ("width=1000", (2000, 1500)),
        ("width=1500", (4000, 3000)),
        ("quality=50", (4000, 3000)),
        ("width=100,height=375", (1000, 750)),  # a crop, by its height
        ("width=100,height=100,fit=contain", (500, 375)),
    ],
)
def test_a_jpeg_is_decoded_at_the_fraction_that_leaves_twice_the_picture_s_size(
    twelve_megapixels, monkeypatch, transformation, decoded
):
    sizes = []
    load = JpegImagePlugin.JpegImageFile.load

    def load_and_record(image):
        pixels = load(image)
        sizes.append(image.size)
        return pixels

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", load_and_record)

    make(twelve_megapixels, transformation)

    assert set(sizes) == {decoded}
