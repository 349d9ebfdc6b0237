"""A large JPEG is never decoded whole for a small picture."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, JpegImagePlugin

import image_processor

from .pictures import encode, make, photo

PEAK = """
import json, resource, sys
import PIL.JpegImagePlugin
from image_processor.render import render
from image_processor.transformation import Transformation
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024 ** 2)
source = open(sys.argv[1], "rb").read()
before = peak()
[rendition] = render(source, [Transformation(width=128, height=128)])
print(json.dumps([rendition.width, rendition.height, peak() - before]))
"""


@pytest.fixture(scope="module")
def twelve_megapixels() -> bytes:
    return encode(photo((1000, 750)).resize((4000, 3000)), "jpeg", quality=85, subsampling=2)


def peak_of_a_thumbnail(source: bytes, folder: Path) -> float:
    """The megabytes that rendering adds to a fresh process."""
    (folder / "source").write_bytes(source)
    environment = {"PYTHONPATH": str(Path(image_processor.__file__).parents[1])}

    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(folder / "source")], env=environment, capture_output=True, check=True
    )

    width, height, megabytes = json.loads(done.stdout)
    assert (width, height) == (128, 128)
    return megabytes


def test_a_thumbnail_of_twelve_megapixels_takes_a_few_megabytes(twelve_megapixels, tmp_path):
    assert peak_of_a_thumbnail(twelve_megapixels, tmp_path) < 12  # 3 measured; all pixels are 36


def test_a_transparent_source_is_in_memory_twice_at_most(tmp_path):
    source = encode(Image.new("RGBA", (4000, 3000), (200, 100, 50, 128)), "png", compress_level=1)

    assert peak_of_a_thumbnail(source, tmp_path) < 2 * 46 + 12  # once is 46


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
        ("width=100,height=375", (1000, 750)),  # a crop: the height decides
        ("width=100,height=100,fit=contain", (500, 375)),
    ],
)
def test_a_jpeg_is_decoded_at_the_fraction_that_leaves_twice_the_picture_s_size(
    twelve_megapixels, monkeypatch, transformation, decoded
):
    sizes = []
    load = JpegImagePlugin.JpegImageFile.load

    def noting(image):
        pixels = load(image)
        sizes.append(image.size)
        return pixels

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", noting)

    make(twelve_megapixels, transformation)

    assert set(sizes) == {decoded}
