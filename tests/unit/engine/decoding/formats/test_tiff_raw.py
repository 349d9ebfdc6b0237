"""A camera's raw file is refused by name; its small preview is never taken for the picture."""

import struct

import pytest
from PIL import Image

from image_processor.errors import UnsupportedFormat

from ....pictures import encode, make

SHORT, LONG, BYTES = 3, 4, 1
PLAIN = {256: (LONG, 4), 257: (LONG, 4), 258: (SHORT, 8), 259: (SHORT, 1), 262: (SHORT, 1), 277: (SHORT, 1)}


def tiff(order: str, tags: dict[int, tuple[int, int]], between: bytes = b"") -> bytes:
    """A grey picture of 4×4 with these tags, beginning after some bytes."""
    pixels = 8 + len(between)
    tags = {**PLAIN, 273: (LONG, pixels), 278: (LONG, 4), 279: (LONG, 16), **tags}
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", pixels + 16)
    directory = struct.pack(order + "H", len(tags))
    for tag, (kind, value) in sorted(tags.items()):
        packed = struct.pack(order + ("HH" if kind == SHORT else "I"), *((value, 0) if kind == SHORT else (value,)))
        directory += struct.pack(order + "HHI", tag, kind, 1) + packed
    return head + between + bytes(16) + directory + bytes(4)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "tags",
    [
        {50706: (BYTES, 0x01040000)},  # DNG
        {254: (LONG, 1), 330: (LONG, 8)},  # NEF, ARW: a preview, and the picture in a directory of its own
        {262: (SHORT, 32803)},  # colours of a filter array
        {262: (SHORT, 34892)},
        {259: (SHORT, 34713)},  # Nikon's compression
        {259: (SHORT, 32767)},  # Sony's
        {259: (SHORT, 65535)},  # Pentax's
    ],
)
def test_a_raw_file_is_refused_by_name(order, tags):
    with pytest.raises(UnsupportedFormat, match="the source is a camera's raw file, allowed: JPEG"):
        make(tiff(order, tags), "width=2")


def test_a_raw_file_of_canon_is_refused_by_name():
    with pytest.raises(UnsupportedFormat, match="a camera's raw file"):
        make(tiff("<", {}, b"CR\x02\0" + bytes(4)), "width=2")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("tags", [{}, {254: (LONG, 0), 330: (LONG, 8)}, {254: (LONG, 1)}, {254: (LONG, 2)}])
def test_a_tiff_with_similar_tags_is_no_raw_file(order, tags):
    assert make(tiff(order, tags), "width=2").width == 2


@pytest.mark.parametrize("options", [{}, {"big_tiff": True}])
def test_a_tiff_of_pages_is_no_raw_file(options):
    two = {"save_all": True, "append_images": [Image.new("RGB", (9, 9))]}

    assert make(encode(Image.new("RGB", (20, 20)), "tiff", **two, **options), "width=2").width == 2
