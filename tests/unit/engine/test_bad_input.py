"""Each bad source raises its own error, quickly and with little memory."""

import io
import json
import re
import struct
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import pytest
from PIL import Image, TiffImagePlugin, TiffTags

import image_processor
from image_processor.engine import Limits
from image_processor.errors import CorruptImage, SourceTooLarge, UnsupportedFormat

from ..pictures import SOURCE_FORMATS, encode, make, noise, png_chunk

# What messages call the formats, in their order.
LABELS = dict(
    zip(SOURCE_FORMATS, ["JPEG", "PNG", "WebP", "GIF", "AVIF", "TIFF", "BMP", "HEIC", "JPEG 2000", "ICO"], strict=True)
)


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    return struct.pack(">I", 16 + 4 * len(compatible)) + b"ftyp" + major + bytes(4) + b"".join(compatible) + bytes(64)


@pytest.mark.parametrize(
    ("source", "named"),
    [
        (b"", "empty"),
        (b"hello, I am a text\n", "not an image"),
        (b"BMW is a maker of cars, and this is a text about it.", "not an image"),
        (b"BM", "not an image"),
        (b"GIF", "not an image"),
        (b"\x89PNG", "not an image"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "not an image"),
        (bytes(1000), "not an image"),
        (b"PK\x03\x04", "not an image"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG document"),
        (b'\xef\xbb\xbf\n <?xml version="1.0"?>\n<!-- drawn --><svg/>', "an SVG document"),
        (b'<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" ""><svg/>', "an SVG document"),
        (b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" ""><svg/>', "an SVG document"),
        (b"<!-- Generator: a drawing program --><svg/>", "an SVG document"),
        (b"<!DOCTYPE html><html></html>", "a web page or XML document"),
        (b"<html>", "a web page or XML document"),
        (b"<?xml version='1.0'?><Error/>", "a web page or XML document"),
        (ftyp(b"crx ", b"isom"), "a camera's raw file"),
        (ftyp(b"isom", b"mp42"), "a video or other media file"),
        (b"8BPS\0\x01", "a Photoshop document"),
        (b"IIU\0\x18\0\0\0", "a camera's raw file"),
        (b"IIRO\x08\0\0\0", "a camera's raw file"),
        (b"FUJIFILMCCD-RAW 0201", "a camera's raw file"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\xff\x0a\0\0", "JPEG XL"),
    ],
)
def test_the_error_names_what_the_source_is(source, named):
    with pytest.raises(UnsupportedFormat) as caught:
        make(source, "width=10")

    assert str(caught.value) == f"the source is {named}, allowed: {', '.join(LABELS.values())}"


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("image_format", SOURCE_FORMATS)
def test_a_truncated_source_is_corrupt(image_format, share):
    whole = encode(noise((120, 120)), image_format)

    with pytest.raises(CorruptImage, match=f"^the source (is recognized as {LABELS[image_format]}, but |ends before)"):
        make(whole[: int(len(whole) * share)], "width=10")


@pytest.mark.parametrize("image_format", ["jpeg", "png", "webp", "avif", "tiff"])
def test_a_truncated_source_with_orientation_is_corrupt(image_format):
    exif = Image.Exif()
    exif[0x0112] = 6
    whole = encode(noise((120, 120)), image_format, exif=exif)

    with pytest.raises(CorruptImage):
        make(whole[: len(whole) // 2], "width=10")


@pytest.mark.parametrize(
    "magic",
    [
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\0\0\0\0WEBP",
        b"GIF89a",
        b"GIF87a",
        b"II*\0",
        b"MM\0*",
        b"II+\0",
        ftyp(b"avif"),
        ftyp(b"heic", b"mif1"),
        ftyp(b"mif1", b"heic", b"miaf"),
        b"\0\0\1\0\1\0",
        b"\0\0\0\x0cjP  \r\n\x87\n",
        b"\xff\x4f\xff\x51",
    ],
)
@pytest.mark.parametrize("rest", [b"", b"\0", b"and then a text", bytes(200), b"\xff" * 200])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_source_that_only_begins_like_an_image_is_corrupt(magic, rest):
    with pytest.raises(CorruptImage) as caught:
        make(magic + rest, "width=10")

    assert not re.search("0x[0-9a-f]{6}|BytesIO|PIL", str(caught.value))  # no details of the implementation


@pytest.mark.parametrize("image_format", SOURCE_FORMATS)
def test_a_source_of_too_many_bytes_is_refused(image_format):
    source = encode(noise((20, 20)), image_format)

    assert make(source, "width=10", Limits(max_bytes=len(source))).width == 10
    with pytest.raises(SourceTooLarge, match=f"has {len(source)} bytes, allowed: {len(source) - 1}"):
        make(source, "width=10", Limits(max_bytes=len(source) - 1))


@pytest.mark.parametrize("image_format", SOURCE_FORMATS)
def test_a_source_of_one_pixel_too_many_is_refused(image_format):
    source = encode(noise((30, 20)), image_format)

    assert make(source, "width=10", Limits(max_pixels=600)).width == 10
    with pytest.raises(SourceTooLarge, match="has 30×20 pixels, allowed: 599 in all"):
        make(source, "width=10", Limits(max_pixels=599))


def png_claiming(width: int, height: int, data: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(data))
        + png_chunk(b"IEND", b"")
    )


def tiff_claiming(width: int, height: int) -> bytes:
    tags = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: 8}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<I", 16) + bytes(8) + struct.pack("<H", len(tags)) + entries + bytes(4)


def webp_claiming(width: int, height: int) -> bytes:
    extended = (
        b"VP8X" + struct.pack("<II", 10, 0) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    )
    lossless = b"VP8L" + struct.pack("<IBI", 5, 0x2F, (width - 1) | (height - 1) << 14) + b"\0"
    chunks = lossless if width <= 16_384 and height <= 16_384 else extended + lossless
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def avif_claiming(width: int, height: int) -> bytes:
    body = encode(noise((32, 32)), "avif")
    offset = body.index(b"ispe") + 8
    return body[:offset] + struct.pack(">II", width, height) + body[offset + 8 :]


def gif_claiming(screen: tuple[int, int], frame: tuple[int, int]) -> bytes:
    image = b"," + struct.pack("<HHHHB", 0, 0, *frame, 0) + b"\x02\x02\x4c\x01\0;"
    return b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + bytes(6) + image


CLAIMS = {
    "png 60000": png_claiming(60_000, 60_000),
    "png 2^31": png_claiming(2**31 - 1, 2**31 - 1),
    "png wide": png_claiming(2**31 - 1, 1),
    "png, a bomb of 10000": png_claiming(10_000, 10_000, bytes(10_000 * 30_001)),
    "png 12000": png_claiming(12_000, 12_000),
    "bmp": b"BM" + struct.pack("<IIIIiiHHIIiiII", 100, 0, 54, 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(40),
    "bmp upside down": b"BM" + struct.pack("<IIIIiiHHIIiiII", 100, 0, 54, 40, 60_000, -60_000, 1, 24, 0, 0, 0, 0, 0, 0),
    "tiff": tiff_claiming(60_000, 60_000),
    "tiff 12000": tiff_claiming(12_000, 12_000),
    "webp 16000": webp_claiming(16_000, 16_000),
    "webp 10000": webp_claiming(10_000, 10_000),
    "gif": gif_claiming((65_535, 65_535), (65_535, 65_535)),
    "gif of a small screen": gif_claiming((10, 10), (65_535, 65_535)),
    "gif 10000": gif_claiming((10_000, 10_000), (10_000, 10_000)),
    "avif 16000": avif_claiming(16_000, 16_000),
    "jpeg": encode(Image.new("L", (8, 8)), "jpeg").replace(b"\0\x08\0\x08\x01", b"\xff\xff\xff\xff\x01", 1),
}
RENDER_ALL = """
import json, resource, sys, time
from pathlib import Path
from image_processor.engine import render
from image_processor.transformations import Transformation
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024 ** 2)
import PIL.AvifImagePlugin, PIL.WebPImagePlugin, PIL.TiffImagePlugin, PIL.PngImagePlugin, PIL.JpegImagePlugin
outcomes = {}
for path in map(Path, sys.argv[1:]):
    source = path.read_bytes()
    before, started = peak(), time.perf_counter()
    try:
        render(source, [Transformation(width=10)])
        outcome = "rendered"
    except Exception as error:
        outcome = f"{type(error).__name__}: {error}"
    outcomes[path.name] = outcome, time.perf_counter() - started, peak() - before
print(json.dumps(outcomes))
"""


@pytest.fixture(scope="module")
def outcomes_of_claims(tmp_path_factory):
    """The outcome, seconds and megabytes of each, in a process with the default filters for warnings, as in Lambda."""
    folder = tmp_path_factory.mktemp("claims")
    for name, source in CLAIMS.items():
        (folder / name).write_bytes(source)
    paths = [str(folder / name) for name in CLAIMS]
    environment = {"PYTHONPATH": str(Path(image_processor.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", RENDER_ALL, *paths], env=environment, capture_output=True, check=True)
    return json.load(io.BytesIO(done.stdout))


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_of_huge_sides_is_refused_before_decoding(outcomes_of_claims, name):
    outcome, seconds, megabytes = outcomes_of_claims[name]

    assert outcome.startswith("SourceTooLarge: the source has ")
    assert seconds < 1
    assert megabytes < 30


@pytest.mark.parametrize(
    "source", [encode(noise((40, 40)), image_format) for image_format in SOURCE_FORMATS], ids=SOURCE_FORMATS
)
def test_a_source_needs_no_name_or_extension(source):
    assert make(source, "width=10,format=png").width == 10  # render() takes only bytes


def test_the_message_does_not_name_the_class_of_an_exception():
    whole = encode(noise((60, 60)), "png")

    with pytest.raises(CorruptImage) as caught:
        make(whole[:-3000], "width=10")

    assert str(caught.value).startswith("the source is recognized as PNG, but can't be decoded: ")
    assert caught.value.__cause__ is not None


def test_a_side_longer_than_a_jpeg_can_have_is_refused():
    with pytest.raises(SourceTooLarge, match="1×65536 pixels, allowed: 80000000 in all and 65535 a side"):
        make(png_claiming(1, 65536), "width=9")


def test_a_tile_larger_than_the_limit_is_refused_though_its_picture_is_small():
    small = tiff_claiming(100, 100)
    tags = {256: 100, 257: 100, 258: 8, 259: 1, 262: 1, 277: 1, 322: 40000, 323: 40000, 324: 8, 325: 8}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    tiled = small[:8] + bytes(8) + struct.pack("<H", len(tags)) + entries + bytes(4)
    tiled = tiled[:4] + struct.pack("<I", 16) + tiled[8:]

    with pytest.raises(SourceTooLarge, match="40000×40000"):
        make(tiled, "width=9")


def test_a_palette_image_without_its_palette_is_corrupt():
    whole = encode(Image.new("P", (20, 20)), "png")
    start = whole.index(b"PLTE") - 4
    end = start + 12 + int.from_bytes(whole[start : start + 4], "big")

    with pytest.raises(CorruptImage):
        make(whole[:start] + whole[end:], "width=9")


def test_a_tiff_whose_profile_is_a_number_is_rendered_without_it():
    image = Image.new("RGB", (20, 20), "red")
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    directory.tagtype[34675] = TiffTags.RATIONAL
    directory[34675] = 1.5

    make(encode(image, "tiff", tiffinfo=directory), "width=9")


def test_a_png_with_two_contradictory_headers_is_corrupt():
    whole = encode(Image.new("P", (53, 41)), "png")
    grey = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 53, 41, 8, 0, 0, 0, 0))
    pixels = whole.index(b"IDAT") - 4

    with pytest.raises(CorruptImage):
        make(whole[:pixels] + grey + whole[pixels:], "width=9")


def test_a_tile_size_that_is_not_a_number_takes_no_memory():
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    directory.tagtype[322], directory[322] = TiffTags.ASCII, "aaa"
    directory.tagtype[323], directory[323] = TiffTags.LONG, 1_500_000_000
    source = encode(Image.new("RGB", (20, 20), "red"), "tiff", tiffinfo=directory)

    tracemalloc.start()
    try:
        make(source, "width=9")
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert peak < 10_000_000
