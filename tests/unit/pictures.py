"""Sources that the tests draw, and the renditions of them, decoded again."""

import io
import struct
import zlib
from hashlib import shake_256

import pillow_heif
from PIL import Image, ImageChops, ImageDraw, ImageStat

from image_processor.engine.limits import Limits
from image_processor.engine.render import Rendition, render
from image_processor.transformations.transformation import Transformation

RED, LIME, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
SOURCE_FORMATS = ("jpeg", "png", "webp", "gif", "avif", "tiff", "bmp", "heif", "jpeg2000", "ico")
# Near to lossless, so that a colour can be told.
TRUEST = {
    "jpeg": {"quality": 98, "subsampling": 0},
    "webp": {"lossless": True, "exact": True},
    "avif": {"quality": 98, "subsampling": "4:4:4", "speed": 9},
}


def encode(image: Image.Image, image_format: str, **options) -> bytes:
    body = io.BytesIO()
    if (
        image_format == "heif"
    ):  # by its own class: registered with Pillow, it would be there for the code under test, too
        if "exif" in options:
            options["exif"] = options["exif"].tobytes()  # as an object, its orientation is not looked at
        pillow_heif.from_pillow(image).save(body, **{"quality": 98, "chroma": 444, **options})
        return body.getvalue()
    if image_format == "ico" and max(image.size) > 256:  # more than Pillow writes
        return icon((encode(image, "png"), *image.size))
    if image_format == "ico":
        options = {"sizes": [image.size], **options}
    image.save(body, image_format, **{**TRUEST.get(image_format, {}), **options})
    return body.getvalue()


def make(source: bytes, transformation: str, limits: Limits = Limits()) -> Rendition:  # noqa: B008 - frozen
    [rendition] = render(source, [Transformation.parse(transformation)], limits)
    return rendition


def decode(rendition: Rendition | bytes) -> Image.Image:
    image = Image.open(io.BytesIO(rendition if isinstance(rendition, bytes) else rendition.body))
    image.load()
    return image


def four_corners(size: tuple[int, int] = (60, 40)) -> Image.Image:
    """Red, lime; blue, white: a turned or mirrored one can be told from each other."""
    width, height = size
    image = Image.new("RGB", size, WHITE)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 2 - 1, height // 2 - 1), RED)
    draw.rectangle((width // 2, 0, width - 1, height // 2 - 1), LIME)
    draw.rectangle((0, height // 2, width // 2 - 1, height - 1), BLUE)
    return image


def corners_of(image: Image.Image, inset: int = 2) -> list[tuple[int, ...]]:
    """The colours at the left top, right top, left bottom and right bottom."""
    right, bottom = image.width - 1 - inset, image.height - 1 - inset
    return [
        image.convert("RGB").getpixel(place)
        for place in ((inset, inset), (right, inset), (inset, bottom), (right, bottom))
    ]


def noise(size: tuple[int, int], mode: str = "RGB", seed: str = "noise") -> Image.Image:
    """The same random pixels for the same seed."""
    length = size[0] * size[1] * len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, size, shake_256(seed.encode()).digest(length))


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(size: tuple[int, int], depth: int, kind: int, rows: bytes, *before: tuple[bytes, bytes]) -> bytes:
    """A PNG of any kind of pixels; `rows` are packed as it has them, without filter bytes, `before` chunks of it."""
    length = len(rows) // size[1]
    filtered = b"".join(b"\0" + rows[place : place + length] for place in range(0, len(rows), length))
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, 0)),
        *before,
        (b"IDAT", zlib.compress(filtered)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(name, body) for name, body in chunks)


def icon(*pictures: tuple[bytes, int, int]) -> bytes:
    """An icon of bodies, each with the sides that the directory claims."""
    place, directory, bodies = 6 + 16 * len(pictures), b"", b""
    for body, width, height in pictures:
        directory += struct.pack("<BBBBHHII", width % 256, height % 256, 0, 0, 1, 0, len(body), place + len(bodies))
        bodies += body
    return struct.pack("<HHH", 0, 1, len(pictures)) + directory + bodies


def photo(size: tuple[int, int]) -> Image.Image:
    """Detail of every size over soft shapes, as a photograph has; no two places are alike."""
    image = Image.new("RGB", size, "gray")
    for octave, share in ((4, 0.6), (16, 0.4), (64, 0.3), (256, 0.2), (640, 0.1)):
        layer = noise((octave, octave * size[1] // size[0] + 1), seed=f"octave {octave}")
        image = Image.blend(image, layer.resize(size, Image.Resampling.BICUBIC), share)
    return image


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Decibels of 8-bit samples; the mean over the channels' squared differences."""
    from math import inf, log10

    squares = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).sum2
    mean = sum(squares) / (3 * one.width * one.height)
    return inf if mean == 0 else 10 * log10(255**2 / mean)


def assert_close(colour: tuple[int, ...], expected: tuple[int, ...], within: int) -> None:
    assert len(colour) == len(expected), (colour, expected)
    assert max(abs(a - b) for a, b in zip(colour, expected, strict=True)) <= within, (colour, expected)
