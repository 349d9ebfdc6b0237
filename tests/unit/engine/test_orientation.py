"""Every rendition is upright: the red corner of the scene is at the left top, in whichever orientation it is stored."""

import pytest
from PIL import Image, PngImagePlugin

from image_processor.engine import Limits
from image_processor.engine.decoding import open_source

from ..pictures import (
    BLUE,
    LIME,
    ORIENTATION,
    RED,
    WHITE,
    as_stored,
    assert_close,
    assert_corners,
    corners_of,
    decode,
    encode,
    four_corners,
    make,
    png_chunk,
    stored,
)


@pytest.mark.parametrize("transformation", [
    "format=png",
    "width=30,format=png",
    "height=20,format=png",
    "width=60,height=40,format=png",
    "width=30,height=30,fit=fill,format=png",
    "width=40,height=40,fit=inside,format=png",
    "width=20,height=20,fit=outside,format=png",
])  # fmt: skip
@pytest.mark.parametrize("image_format", ["jpeg", "png", "webp", "tiff", "avif", "heif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_red_corner_is_left_top(orientation, image_format, transformation):
    source = stored(four_corners((60, 40)), orientation, image_format)

    picture = decode(make(source, transformation))

    assert_corners(picture)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_large_jpeg_decoded_at_a_fraction_is_upright_and_in_proportion(orientation):
    source = stored(four_corners((803, 401)), orientation, "jpeg")

    picture = decode(make(source, "width=50,format=png"))

    assert picture.size == (50, 25)
    assert_corners(picture)


@pytest.mark.parametrize(
    ("position", "expected"),
    [("left", (RED, RED, BLUE, BLUE)), ("right", (LIME, LIME, WHITE, WHITE)), ("center", (RED, LIME, BLUE, WHITE))],
)
@pytest.mark.parametrize("image_format", ["jpeg", "png", "webp", "tiff", "avif", "heif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_cover_crops_the_upright_scene(orientation, image_format, position, expected):
    source = stored(four_corners((96, 32)), orientation, image_format)

    picture = decode(make(source, f"width=32,height=32,format=png,position={position}"))

    assert_corners(picture, expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_contain_letterboxes_the_upright_scene(orientation):
    source = stored(four_corners((60, 30)), orientation, "jpeg")

    picture = decode(make(source, "width=40,height=40,fit=contain,position=top,background=000,format=png"))

    assert corners_of(picture)[2:] == [(0, 0, 0), (0, 0, 0)]
    assert_close(picture.getpixel((2, 2)), RED, within=16)
    assert_close(picture.getpixel((37, 2)), LIME, within=16)
    assert_close(picture.getpixel((2, 17)), BLUE, within=16)


@pytest.mark.parametrize("orientation", [0, 9, 99, 65535])
def test_an_orientation_outside_1_to_8_is_ignored(orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation

    picture = decode(make(encode(four_corners(), "jpeg", exif=exif), "format=png"))

    assert picture.size == (60, 40)
    assert_close(corners_of(picture)[0], RED, within=16)


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0II*\0", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0" + b"\xff" * 64]
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns that the EXIF is damaged
def test_damaged_exif_is_ignored(exif):
    picture = decode(make(encode(four_corners(), "jpeg", exif=exif), "width=30,format=png"))

    assert picture.size == (30, 20)
    assert_close(corners_of(picture)[0], RED, within=16)


def test_a_rendition_has_its_upright_sides():
    rendition = make(stored(four_corners((60, 40)), 6, "jpeg"), "width=30")

    assert (rendition.width, rendition.height) == decode(rendition).size == (30, 20)


def with_exif_after_its_pixels(orientation: int, pieces: int = 1) -> bytes:
    """A PNG whose eXIf chunk follows its IDAT chunks, of which there are this many."""
    body = encode(as_stored(four_corners((60, 40)), orientation), "png")
    start = body.index(b"IDAT") - 4
    data = body[start + 8 : start + 8 + int.from_bytes(body[start : start + 4], "big")]
    size = -(-len(data) // pieces)
    idat = b"".join(png_chunk(b"IDAT", data[offset : offset + size]) for offset in range(0, len(data), size))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return body[:start] + idat + png_chunk(b"eXIf", exif.tobytes()[6:]) + png_chunk(b"IEND", b"")


@pytest.mark.parametrize("pieces", [1, 7])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_after_the_pixels_of_a_png_is_applied(orientation, pieces):
    picture = decode(make(with_exif_after_its_pixels(orientation, pieces), "width=30,format=png"))

    assert picture.size == (30, 20)
    assert_corners(picture)


def test_exif_after_the_pixels_is_found_without_decoding_them(monkeypatch):
    source = with_exif_after_its_pixels(6)

    def refuse(*_: object) -> None:
        raise AssertionError("pixels are decoded")

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", refuse)

    assert open_source(source, Limits()).header.orientation == 6


def oriented_by_its_container(orientation: int, image_format: str, exif_orientation: int) -> bytes:
    """A file whose container has one orientation, and whose EXIF has another."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[0x0128] = orientation, 2  # 0x0128: a unit, which makes room for an orientation
    body = encode(as_stored(four_corners((60, 40)), orientation), image_format, exif=exif)
    for order in ("big", "little"):
        tag, unit = (number.to_bytes(2, order) for number in (ORIENTATION, 0x0128))
        kind, one = (3).to_bytes(2, order), (1).to_bytes(4, order)
        value = exif_orientation.to_bytes(2, order)
        if unit + kind + one in body:
            if tag + kind + one in body:
                offset = body.index(tag + kind + one) + 8
                return body[:offset] + value + body[offset + 2 :]
            offset = body.index(unit + kind + one)
            return body[:offset] + tag + kind + one + value + body[offset + 10 :]
    raise AssertionError("the file has no EXIF")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("exif_orientation", [1, 3, 6])
@pytest.mark.parametrize("image_format", ["avif", "heif"])
def test_the_orientation_of_the_container_is_applied_and_that_of_exif_is_ignored(
    image_format, exif_orientation, orientation
):
    source = oriented_by_its_container(orientation, image_format, exif_orientation)

    picture = decode(make(source, "width=30,format=png"))

    assert picture.size == (30, 20)
    assert_corners(picture)
