"""Every rendition is upright: the red corner of the scene is the left top one, however the source is stored."""

import pytest
from PIL import Image, PngImagePlugin

from image_processor.engine.decoding import open_source
from image_processor.engine.limits import Limits

from ..pictures import BLUE, LIME, RED, WHITE, assert_close, corners_of, decode, encode, four_corners, make, png_chunk

ORIENTATION = 0x0112
# What a camera held that way has stored of an upright scene: the inverse of how it is to be shown (CIPA DC-008).
STORE = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def stored(scene: Image.Image, orientation: int, image_format: str) -> bytes:
    turn = STORE[orientation]
    image = scene if turn is None else scene.transpose(turn)
    if image_format == "tiff":
        return encode(image, "tiff", tiffinfo={ORIENTATION: orientation})
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return encode(image, image_format, exif=exif)


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

    for colour, expected in zip(corners_of(picture), (RED, LIME, BLUE, WHITE), strict=True):
        assert_close(colour, expected, within=16)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_large_jpeg_decoded_at_a_fraction_is_upright_and_in_proportion(orientation):
    source = stored(four_corners((803, 401)), orientation, "jpeg")

    picture = decode(make(source, "width=50,format=png"))

    assert picture.size == (50, 25)
    for colour, expected in zip(corners_of(picture), (RED, LIME, BLUE, WHITE), strict=True):
        assert_close(colour, expected, within=16)


@pytest.mark.parametrize(
    ("position", "expected"),
    [("left", (RED, RED, BLUE, BLUE)), ("right", (LIME, LIME, WHITE, WHITE)), ("center", (RED, LIME, BLUE, WHITE))],
)
@pytest.mark.parametrize("image_format", ["jpeg", "png", "webp", "tiff", "avif", "heif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_cover_crops_the_upright_scene(orientation, image_format, position, expected):
    source = stored(four_corners((96, 32)), orientation, image_format)

    picture = decode(make(source, f"width=32,height=32,format=png,position={position}"))

    for colour, wanted in zip(corners_of(picture), expected, strict=True):
        assert_close(colour, wanted, within=16)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_contain_letterboxes_the_upright_scene(orientation):
    source = stored(four_corners((60, 30)), orientation, "jpeg")

    picture = decode(make(source, "width=40,height=40,fit=contain,position=top,background=000,format=png"))

    assert corners_of(picture)[2:] == [(0, 0, 0), (0, 0, 0)]
    assert_close(picture.getpixel((2, 2)), RED, within=16)
    assert_close(picture.getpixel((37, 2)), LIME, within=16)
    assert_close(picture.getpixel((2, 17)), BLUE, within=16)


@pytest.mark.parametrize("orientation", [0, 9, 99, 65535])
def test_an_orientation_there_is_none_of_is_taken_as_absent(orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation

    picture = decode(make(encode(four_corners(), "jpeg", exif=exif), "format=png"))

    assert picture.size == (60, 40)
    assert_close(corners_of(picture)[0], RED, within=16)


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0II*\0", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0" + b"\xff" * 64]
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's word that the EXIF is damaged
def test_damaged_exif_is_taken_as_absent(exif):
    picture = decode(make(encode(four_corners(), "jpeg", exif=exif), "width=30,format=png"))

    assert picture.size == (30, 20)
    assert_close(corners_of(picture)[0], RED, within=16)


def test_a_rendition_says_its_own_upright_sides():
    rendition = make(stored(four_corners((60, 40)), 6, "jpeg"), "width=30")

    assert (rendition.width, rendition.height) == decode(rendition).size == (30, 20)


def with_exif_behind_its_pixels(orientation: int, pieces: int = 1) -> bytes:
    """A PNG whose eXIf stands after IDAT, which is in this many pieces."""
    turn = STORE[orientation]
    scene = four_corners((60, 40))
    body = encode(scene if turn is None else scene.transpose(turn), "png")
    start = body.index(b"IDAT") - 4
    data = body[start + 8 : start + 8 + int.from_bytes(body[start : start + 4], "big")]
    size = -(-len(data) // pieces)
    idat = b"".join(png_chunk(b"IDAT", data[place : place + size]) for place in range(0, len(data), size))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return body[:start] + idat + png_chunk(b"eXIf", exif.tobytes()[6:]) + png_chunk(b"IEND", b"")


@pytest.mark.parametrize("pieces", [1, 7])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_behind_the_pixels_of_a_png_counts(orientation, pieces):
    picture = decode(make(with_exif_behind_its_pixels(orientation, pieces), "width=30,format=png"))

    assert picture.size == (30, 20)
    for colour, expected in zip(corners_of(picture), (RED, LIME, BLUE, WHITE), strict=True):
        assert_close(colour, expected, within=16)


def test_exif_behind_the_pixels_is_found_without_decoding_them(monkeypatch):
    source = with_exif_behind_its_pixels(6)

    def refuse(*_: object) -> None:
        raise AssertionError("nothing is to be decoded")

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", refuse)

    assert open_source(source, Limits()).header.orientation == 6


def unturned_with_exif(orientation: int, image_format: str, turn: int) -> bytes:
    """A file turned by its container, and whose EXIF has another opinion."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[0x0128] = turn, 2  # 0x0128: a unit, in the place of which the opinion is put
    stored_turn = STORE[turn]
    scene = four_corners((60, 40))
    body = encode(scene if stored_turn is None else scene.transpose(stored_turn), image_format, exif=exif)
    for order in ("big", "little"):
        tag, unit = (number.to_bytes(2, order) for number in (ORIENTATION, 0x0128))
        kind, one = (3).to_bytes(2, order), (1).to_bytes(4, order)
        if unit + kind + one in body:
            if tag + kind + one in body:
                place = body.index(tag + kind + one) + 8
                return body[:place] + orientation.to_bytes(2, order) + body[place + 2 :]
            place = body.index(unit + kind + one)
            return body[:place] + tag + kind + one + orientation.to_bytes(2, order) + body[place + 10 :]
    raise AssertionError("no EXIF in it")


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("opinion", [1, 3, 6])
@pytest.mark.parametrize("image_format", ["avif", "heif"])
def test_the_container_turns_and_exif_is_ignored(image_format, opinion, turn):
    source = unturned_with_exif(opinion, image_format, turn)

    picture = decode(make(source, "width=30,format=png"))

    assert picture.size == (30, 20)
    for colour, expected in zip(corners_of(picture), (RED, LIME, BLUE, WHITE), strict=True):
        assert_close(colour, expected, within=16)
