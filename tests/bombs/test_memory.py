"""Rendering takes no more memory than `memory_budget` says, for every kind of source and picture."""

import io
import struct
import sys
import zlib
from collections.abc import Callable
from functools import cache

import pillow_heif
import pytest
from PIL import Image

from image_processor.engine import memory_budget

from .confined import SECONDS, answer

Image.init()  # Pillow's own plugins first: of two plugins for AVIF, the one that was registered first opens it
pillow_heif.register_heif_opener()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory are read from Linux's /proc"),
]
SIZE = (3000, 2000)
ALLOWANCE = 16 * 1024 * 1024  # bytes of libraries and threads, which are no pixels


def encode(image: Image.Image, image_format: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def soft(mode: str, size: tuple[int, int] = SIZE) -> Image.Image:
    """A picture that is quick to render and small when it is encoded."""
    grey = Image.effect_noise((60, 40), 90).resize(size, Image.Resampling.BILINEAR)
    if mode == "I;16":
        return grey.convert("I").point(lambda sample: sample * 257).convert("I;16")
    return grey if mode == "L" else Image.merge(mode, [grey] * len(mode))


def moving(mode: str, image_format: str) -> bytes:
    first = soft(mode)
    return encode(first, image_format, save_all=True, append_images=[first.rotate(180)], duration=100)


def deep_png(colour_type: int, samples: int) -> bytes:
    """16 bits a sample, all rows alike."""
    width, height = SIZE
    row = bytes((1,)) + bytes(range(2 * samples)) + bytes(2 * samples * (width - 1))

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row * height, 1)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def deep_heif(mode: str) -> bytes:
    file = io.BytesIO()
    samples = soft("L").tobytes()
    pixels = b"".join(bytes((0, sample)) * 4 for sample in samples[: SIZE[0]]) * SIZE[1]
    pillow_heif.from_bytes(mode, SIZE, pixels).save(file, quality=50, chroma=444)
    return file.getvalue()


SOURCES: dict[
    str, tuple[str, Callable[[], bytes]]
] = {  # name → its row of `DECODING`, and the function that creates it
    "jpeg": ("jpeg", lambda: encode(soft("RGB"), "jpeg", quality=85, subsampling=0)),
    "jpeg cmyk": ("jpeg", lambda: encode(soft("CMYK"), "jpeg", quality=85)),
    "jpeg progressive": ("jpeg of several scans", lambda: encode(soft("RGB"), "jpeg", progressive=True, subsampling=0)),
    "jpeg progressive cmyk": ("jpeg of several scans", lambda: encode(soft("CMYK"), "jpeg", progressive=True)),
    "png": ("png", lambda: encode(soft("RGB"), "png", compress_level=1)),
    "png alpha": ("png", lambda: encode(soft("RGBA"), "png", compress_level=1)),
    "png palette": ("png", lambda: encode(soft("L").quantize(32), "png", transparency=bytes(range(32)))),
    "png 16 bits grey": ("png", lambda: encode(soft("I;16"), "png", compress_level=1)),
    "png 16 bits grey alpha": ("png", lambda: deep_png(4, 2)),
    "png 16 bits alpha": ("png", lambda: deep_png(6, 4)),
    "png animated": ("png", lambda: moving("RGBA", "png")),
    "webp": ("webp", lambda: encode(soft("RGB"), "webp", method=0)),
    "webp alpha": ("webp", lambda: encode(soft("RGBA"), "webp", method=0)),
    "webp lossless": ("webp", lambda: encode(soft("RGBA"), "webp", method=0, lossless=True)),
    "webp animated": ("webp", lambda: moving("RGBA", "webp")),
    "gif": ("gif", lambda: encode(soft("L").quantize(32), "gif", transparency=3)),
    "gif animated": ("gif", lambda: moving("L", "gif")),
    "avif": ("avif", lambda: encode(soft("RGB"), "avif", quality=50, speed=10)),
    "avif alpha": ("avif", lambda: encode(soft("RGBA"), "avif", quality=50, speed=10)),
    "heif": ("heif", lambda: encode(soft("RGB"), "heif")),
    "heif 10 bits alpha": ("heif", lambda: deep_heif("RGBA;16")),
    "tiff": ("tiff", lambda: encode(soft("RGB"), "tiff", compression="tiff_lzw")),
    "tiff alpha": ("tiff", lambda: encode(soft("RGBA"), "tiff")),
    "tiff cmyk": ("tiff", lambda: encode(soft("CMYK"), "tiff")),
    "tiff 16 bits grey": ("tiff", lambda: encode(soft("I;16"), "tiff")),
    "tiff lab": ("tiff", lambda: encode(soft("RGB").convert("LAB"), "tiff")),
    "bmp": ("bmp", lambda: encode(soft("RGB"), "bmp")),
    "bmp alpha": ("bmp", lambda: encode(soft("RGBA"), "bmp")),
    "jpeg2000": ("jpeg2000", lambda: encode(soft("RGB"), "jpeg2000", num_resolutions=1)),
    "jpeg2000 alpha": ("jpeg2000", lambda: encode(soft("RGBA"), "jpeg2000", num_resolutions=1)),
}


@cache
def source_of(name: str) -> bytes:
    return SOURCES[name][1]()


def assert_foreseen(name: str, transformation: str, encoding: int = 0, pixels: int = SIZE[0] * SIZE[1]) -> None:
    source = source_of(name)

    done = answer(source, transformation)

    assert done.outcome == "rendered", done.message
    decoding = memory_budget.DECODING[SOURCES[name][0]] * pixels
    foreseen = len(source) + max(decoding, memory_budget.HELD * pixels + encoding * pixels)
    assert done.megabytes * 1024**2 <= foreseen + ALLOWANCE


@pytest.mark.parametrize("name", SOURCES)
def test_decoding_takes_no_more_than_is_foreseen(name):
    assert_foreseen(name, "width=128,height=128,format=jpeg")


@pytest.mark.parametrize("target", memory_budget.ENCODING)
def test_a_picture_takes_no_more_than_is_foreseen(target):
    assert_foreseen("png alpha", f"quality=50,format={target}", memory_budget.ENCODING[target])


@pytest.mark.parametrize("target", ["webp", "avif", "gif"])
def test_an_animation_takes_no_more_than_is_foreseen(target):
    assert_foreseen("webp animated", f"quality=50,format={target}", 2 * memory_budget.ENCODING[target])


@pytest.mark.parametrize("options", [
    "blur=20,sharpen=5,brightness=2,contrast=2,saturation=2,radius=400",
    "rotate=90,grayscale=true,radius=100",
    "trim=5,width=3000,height=2500,fit=contain,background=red",
    "position=attention,width=2900,height=1900",
])  # fmt: skip
@pytest.mark.parametrize("target", ["jpeg", "avif"])
def test_effects_take_no_more_than_is_foreseen(options, target):
    assert_foreseen("png alpha", f"{options},format={target}", memory_budget.ENCODING[target], 3000 * 2500)


@pytest.mark.parametrize("name", ["jpeg", "png alpha", "png 16 bits grey"])
def test_trim_takes_no_more_than_decoding(name):
    assert_foreseen(name, "trim=5,width=128,format=jpeg")


@pytest.mark.parametrize("target", ["jpeg", "webp", "avif"])
def test_max_bytes_takes_no_more_than_one_encoding(target):
    assert_foreseen("png alpha", f"max_bytes=1200000,format={target}", memory_budget.ENCODING[target])


def test_max_bytes_takes_no_longer_than_any_source():
    """33 megapixels as AVIF took 49 s in seven encodings."""
    noise = Image.effect_noise((6600, 5000), 12)
    source = encode(Image.merge("RGB", [noise, noise.rotate(180), noise]), "jpeg", quality=80)

    done = answer(source, "max_bytes=2000000,format=avif")

    assert done.outcome == "rendered", done.message
    assert done.seconds < SECONDS, done


def test_a_thumbnail_of_twelve_megapixels_takes_a_few_megabytes():
    assert (
        answer(encode(soft("RGB", (4000, 3000)), "jpeg"), "width=128,height=128").megabytes < 12
    )  # 3 measured; all pixels are 36
