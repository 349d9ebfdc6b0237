"""Every format has a module of its own, which is found by the first bytes of a source and imported for it alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import image_processor
from image_processor.engine import memory_budget
from image_processor.engine.decoding import formats
from image_processor.engine.decoding.registry import SOURCE_FORMATS, format_named, sniff
from image_processor.errors import UnsupportedFormat

from ...pictures import SOURCE_FORMATS as READ
from ...pictures import encode, noise

RENDER = """
import sys
from image_processor.engine import render
from image_processor.transformations import Transformation
render(open(sys.argv[1], "rb").read(), [Transformation.parse("width=9,format=png")])
for name in sorted(sys.modules):
    print(name)
"""


def test_the_formats_that_are_documented_are_registered():
    assert SOURCE_FORMATS == READ


@pytest.mark.parametrize("name", SOURCE_FORMATS)
def test_a_format_has_a_module_of_its_name_and_a_row_in_the_memory_budget(name):
    found = format_named(name)

    assert found.name == name
    assert found.__module__ == f"{formats.__name__}.{name}"
    assert name in memory_budget.DECODING


@pytest.mark.parametrize("source_format", ["jpeg", "tiff"])
def test_the_modules_of_other_formats_are_not_imported(source_format, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(encode(noise((16, 16)), source_format))
    environment = {**os.environ, "PYTHONPATH": str(Path(image_processor.__file__).parents[1])}

    done = subprocess.run(
        [sys.executable, "-c", RENDER, source], env=environment, capture_output=True, text=True, check=True
    )

    imported = set(done.stdout.split())
    prefix = f"{formats.__name__}."
    # The rendition is a PNG, whose module knows the plugin that writes it.
    assert {name.removeprefix(prefix).partition("_")[0] for name in imported if name.startswith(prefix)} == {
        source_format,
        "png",
    }
    assert not {"ctypes", "PIL.WebPImagePlugin", "PIL.AvifImagePlugin", "pillow_heif"} & imported
    assert "image_processor.engine.decoding.heif" not in imported


def brands(major: bytes, *compatible: bytes) -> bytes:
    length = 16 + 4 * len(compatible)
    return length.to_bytes(4, "big") + b"ftyp" + major + b"\0\0\0\0" + b"".join(compatible) + b"avif"


@pytest.mark.parametrize(
    ("beginning", "name"),
    [
        (brands(b"avif"), "avif"),
        (brands(b"mif1", b"miaf", b"avif"), "avif"),
        (brands(b"heic", b"mif1"), "heif"),
        (brands(b"isom", b"mif1"), "heif"),
    ],
)
def test_a_file_of_boxes_is_told_by_its_brands_within_their_box(beginning, name):
    assert sniff(beginning) == name


def test_a_file_of_boxes_without_a_known_brand_is_refused():
    with pytest.raises(UnsupportedFormat, match="a video or other media file"):
        sniff(brands(b"isom"))


def test_a_box_of_256_bytes_is_not_taken_for_an_icon():
    beginning = (256).to_bytes(4, "big") + b"ftypavif"  # an icon begins with 0, 0, 1, 0 as well

    assert sniff(beginning.ljust(256, b"\0")) == "avif"
