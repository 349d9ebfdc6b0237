"""A JPEG is read in every colour model of cameras and design tools, with and without the markers that name it."""

import struct

import pytest
from PIL import Image

from ....pictures import assert_close, assert_corners, decode, encode, four_corners, make
from ....profiles import cmyk_profile, grey_profile, linear_to_srgb

INKS = [
    ((0, 0, 0, 0), (255, 255, 255)),
    ((255, 0, 0, 0), (0, 255, 255)),
    ((0, 255, 0, 0), (255, 0, 255)),
    ((0, 0, 255, 0), (255, 255, 0)),
    ((0, 0, 0, 255), (0, 0, 0)),
]


def colour_of(source: bytes) -> tuple[int, ...]:
    picture = decode(make(source, "width=8,format=png"))
    return picture.convert("RGB").getpixel((4, 4))


def without(source: bytes, marker: int) -> bytes:
    """Without the first segment of this marker."""
    offset = 2
    while source[offset + 1] != marker:
        offset += 2 + int.from_bytes(source[offset + 2 : offset + 4], "big")
    return source[:offset] + source[offset + 2 + int.from_bytes(source[offset + 2 : offset + 4], "big") :]


def adobe(transform: int) -> bytes:
    return b"\xff\xee\0\x0eAdobe\0\x64" + bytes(4) + bytes((transform,))


def patch(colour, mode: str = "RGB", **options) -> bytes:
    return encode(Image.new(mode, (32, 32), colour), "jpeg", **options)


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
@pytest.mark.parametrize(("inks", "expected"), INKS)
def test_cmyk_inverted_as_by_adobe_has_its_colours(inks, expected, options):
    source = patch(inks, "CMYK", **options)
    assert adobe(0)[:-1] in source

    assert_close(colour_of(source), expected, within=3)


def ycck(inks: tuple[int, int, int, int]) -> bytes:
    """CMYK as Photoshop writes it: inverted, and the complement of that, but for black, as luma and chroma."""
    luma = Image.new("RGB", (1, 1), inks[:3]).convert("YCbCr").getpixel((0, 0))
    stored = (*(255 - sample for sample in luma), inks[3])  # Pillow inverts what it writes
    return patch(stored, "CMYK").replace(adobe(0), adobe(2), 1)


@pytest.mark.parametrize(("inks", "expected"), INKS)
def test_ycck_has_its_colours(inks, expected):
    assert_close(colour_of(ycck(inks)), expected, within=4)


def test_ycck_follows_its_profile():
    profile = cmyk_profile(lambda mixture: (20, 120, 30) if mixture == (1, 0, 0, 0) else (255, 255, 255))
    source = ycck((255, 0, 0, 0))
    segment = b"ICC_PROFILE\0\1\1" + profile

    source = source[:2] + b"\xff\xe2" + struct.pack(">H", 2 + len(segment)) + segment + source[2:]

    assert_close(colour_of(source), (20, 120, 30), within=5)


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
@pytest.mark.parametrize("marked", ["jfif", "adobe", "nothing"])
def test_ycbcr_has_its_colours(marked, options):
    source = patch((200, 100, 50), **options)
    if marked != "jfif":
        source = without(source, 0xE0)
    if marked == "adobe":
        source = source[:2] + adobe(1) + source[2:]

    assert_close(colour_of(source), (200, 100, 50), within=3)


@pytest.mark.parametrize("marked", [True, False])
def test_rgb_has_its_colours(marked):
    source = without(patch((200, 100, 50), keep_rgb=True), 0xEE)  # its components are named R, G and B
    if marked:
        source = source[:2] + adobe(0) + source[2:]

    assert_close(colour_of(source), (200, 100, 50), within=2)


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_grey_follows_its_profile(options):
    source = patch(128, "L", icc_profile=grey_profile(1.0), **options)

    assert_close(colour_of(source)[:1], (linear_to_srgb(128 / 255),), within=2)


GAIN_MAP = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description xmlns:hdrgm='http://ns.adobe.com/hdr-gain-map/1.0/' hdrgm:Version='1.0'/></rdf:RDF></x:xmpmeta>"  # noqa: E501


@pytest.mark.parametrize("described", [True, False])
def test_an_ultra_hdr_picture_is_read_without_its_gain_map(described):
    gains = Image.new("L", (15, 10), 255)
    source = encode(four_corners((600, 400)), "MPO", save_all=True, append_images=[gains], quality=95)
    if described:
        # Right after the start, before the index of its pictures, whose offsets count from that index.
        source = source[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(GAIN_MAP)) + GAIN_MAP + source[2:]

    picture = decode(make(source, "width=60,format=png"))

    assert picture.size == (60, 40)
    assert_corners(picture, within=8)
    assert make(source, "width=60").content_type == "image/jpeg"
