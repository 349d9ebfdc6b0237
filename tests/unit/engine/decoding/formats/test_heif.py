"""HEIC as phones write it is read: its colours, its tiles, its primary picture. Other HEIF is refused."""

import io
import struct
import subprocess
import sys
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image, ImageDraw

import image_processor
from image_processor.engine.decoding.heif.items import kinds_in
from image_processor.engine.limits import Limits
from image_processor.errors import CorruptImage, SourceTooLarge, UnsupportedFormat

from ....pictures import (
    BLUE,
    RED,
    assert_close,
    assert_corners,
    colour_of,
    corners_of,
    decode,
    encode,
    four_corners,
    make,
    noise,
    photo,
    psnr,
)
from ....profiles import ADOBE_RGB, DISPLAY_P3, in_srgb, rgb_profile, srgb_to_linear

PATCHES = [(200, 100, 50), (40, 90, 160), (255, 255, 255), (0, 0, 0), (128, 128, 128)]
NCLX_P3 = {"color_primaries": 12, "transfer_characteristics": 13, "matrix_coefficients": 6, "full_range_flag": 1}


def patch(colour: tuple[int, ...], mode: str = "RGB", **options) -> bytes:
    return encode(Image.new(mode, (64, 64), colour), "heif", **options)


@pytest.mark.parametrize("colour", PATCHES)
def test_colours_without_a_description_are_srgb(colour):
    assert_close(colour_of(patch(colour)), colour, within=3)


@pytest.mark.parametrize("colour", PATCHES)
@pytest.mark.parametrize("options", [NCLX_P3, {"icc_profile": rgb_profile(DISPLAY_P3, None)}], ids=["nclx", "icc"])
def test_display_p3_becomes_srgb(colour, options):
    assert_close(colour_of(patch(colour, **options)), in_srgb(colour, DISPLAY_P3, srgb_to_linear), within=5)


def test_a_profile_is_preferred_to_code_points():
    source = patch((200, 100, 50), **NCLX_P3, icc_profile=rgb_profile(ADOBE_RGB, 563 / 256))

    assert_close(colour_of(source), in_srgb((200, 100, 50), ADOBE_RGB, lambda share: share ** (563 / 256)), within=5)


@pytest.mark.slow
@pytest.mark.parametrize("chroma", [420, 444])
def test_a_photo_keeps_its_detail(chroma):
    image = photo((640, 480))

    picture = decode(make(encode(image, "heif", quality=95, chroma=chroma), "width=128,format=png"))

    assert psnr(picture, image.resize((128, 96), Image.Resampling.LANCZOS)) > 40


def test_a_picture_of_tiles_is_whole():
    image = four_corners((1000, 700))
    source = encode(image, "heif", tile_size=256)
    assert b"grid" in kinds_in(source)

    picture = decode(make(source, "width=100,format=png"))

    assert picture.size == (100, 70)
    assert_corners(picture, within=4)
    assert psnr(picture, image.resize((100, 70), Image.Resampling.LANCZOS)) > 40


def test_ten_bits_are_scaled():
    image = Image.frombytes("I;16", (256, 64), b"".join(struct.pack("<H", level * 257) for level in range(256)) * 64)
    source = encode(image, "heif", quality=-1)
    assert pillow_heif.open_heif(source).info["bit_depth"] == 10

    picture = decode(make(source, "format=png"))

    for level in range(0, 256, 5):
        assert_close((picture.convert("L").getpixel((level, 30)),), (level,), within=1)


def test_ten_bits_of_colour_are_scaled():
    body = io.BytesIO()
    samples = struct.pack("<3H", 200 * 257, 100 * 257, 50 * 257) * 64 * 64
    pillow_heif.from_bytes("RGB;16", (64, 64), samples).save(body, quality=-1, chroma=444)
    assert pillow_heif.open_heif(body.getvalue()).info["bit_depth"] == 10

    assert_close(colour_of(body.getvalue()), (200, 100, 50), within=2)


def test_alpha_is_kept_without_a_fringe():
    image = Image.new("RGBA", (120, 120), (255, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((20, 20, 100, 100), fill=(255, 0, 0, 255))

    picture = decode(make(encode(image, "heif", quality=100), "width=40,format=png"))

    assert picture.mode == "RGBA"
    assert picture.getpixel((1, 1))[3] == 0
    assert_close(picture.getpixel((20, 20)), (255, 0, 0, 255), within=6)
    assert all(pixel[0] > 220 and max(pixel[1:3]) < 30 for pixel in picture.get_flattened_data() if pixel[3] > 32)


def of_many(primary: int) -> bytes:
    file = pillow_heif.from_pillow(four_corners((120, 80)))
    file.add_from_pillow(Image.new("RGB", (200, 100), BLUE))
    file.add_from_pillow(Image.new("RGB", (60, 60), "gray"))
    body = io.BytesIO()
    file.save(body, primary_index=primary, quality=95)
    return body.getvalue()


@pytest.mark.parametrize(
    ("primary", "size", "colour"), [(0, (120, 80), RED), (1, (200, 100), BLUE), (2, (60, 60), (128, 128, 128))]
)
def test_of_many_pictures_the_primary_one_is_taken(primary, size, colour):
    picture = decode(make(of_many(primary), "format=png"))

    assert picture.size == size
    assert_close(corners_of(picture)[0], colour, within=8)


def test_a_thumbnail_in_it_is_not_taken():
    image = Image.new("RGB", (300, 200), RED)
    source = encode(image, "heif", thumbnails=[64])
    assert pillow_heif.open_heif(source).info["thumbnails"] == [64]

    assert decode(make(source, "format=png")).size == (300, 200)


def test_without_a_format_it_becomes_a_jpeg_or_a_png_if_it_is_transparent():
    assert make(patch((1, 2, 3)), "width=8").content_type == "image/jpeg"
    assert make(patch((1, 2, 3, 0), "RGBA"), "width=8").content_type == "image/png"


@pytest.mark.parametrize("codec", [b"unci", b"mski", b"av01", b"jpeg", b"j2k1", b"vvc1", b"\xff\0\0\0"])
def test_another_codec_in_it_is_refused_before_it_is_opened(codec, monkeypatch):
    source = patch((1, 2, 3)).replace(b"hvc1", codec)
    monkeypatch.setattr(pillow_heif.heif, "HeifFile", None)

    with pytest.raises(UnsupportedFormat, match="HEIF of another codec than HEVC"):
        make(source, "width=8")


def test_sides_are_bounded_before_pixels():
    source = patch((1, 2, 3)).replace(struct.pack(">II", 64, 64), struct.pack(">II", 8_950, 8_950))

    with pytest.raises(SourceTooLarge, match="8950×8950"):
        make(source, "width=8")


@pytest.mark.parametrize("claimed", [(32, 32), (64, 8), (128, 128)])
def test_a_picture_of_another_size_than_it_claims_is_corrupt(claimed):
    source = patch((1, 2, 3)).replace(struct.pack(">II", 64, 64), struct.pack(">II", *claimed))

    with pytest.raises(CorruptImage):
        make(source, "width=8", Limits())


def test_the_decoder_is_imported_only_for_heic():
    code = """
import sys
from image_processor.engine.render import render
from image_processor.transformations.transformation import Transformation
for path in sys.argv[1:]:
    render(open(path, "rb").read(), [Transformation(width=8)])
    print("pillow_heif" in sys.modules)
from PIL import Image
print(Image.EXTENSION.get(".heic"))
"""
    source = Path(image_processor.__file__).parents[1]

    def run(*paths: Path) -> list[str]:
        command = [sys.executable, "-c", code, *map(str, paths)]
        return subprocess.run(
            command, env={"PYTHONPATH": str(source)}, capture_output=True, text=True, check=True
        ).stdout.split()

    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for image_format in ("jpeg", "avif", "heif"):
            paths.append(Path(folder) / image_format)
            paths[-1].write_bytes(encode(noise((16, 16)), image_format))
        assert run(*paths) == ["False", "False", "True", "None"]
