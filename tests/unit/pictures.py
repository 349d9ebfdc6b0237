"""Draws sources for tests, renders them, and decodes their renditions."""

import io
import struct
import zlib
from hashlib import shake_256

import pillow_heif
from PIL import Image, ImageChops, ImageDraw, ImageStat

from image_processor.engine import Limits, Rendition, render
from image_processor.transformations import Transformation

RED, LIME, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
SOURCE_FORMATS = ("jpeg", "png", "webp", "gif", "avif", "tiff", "bmp", "heif", "jpeg2000", "ico")
ORIENTATION = 0x0112  # EXIF tag, CIPA DC-008
# How a camera in this orientation stores an upright scene: the inverse of what has to be done to show it.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
FRAME_COLOURS = (RED, LIME, BLUE, (128, 128, 128))
FRAME_TIMES = (50, 120, 200, 90)  # milliseconds
# Nearly lossless, so that colours can be compared.
TRUEST = {
    "jpeg": {"quality": 98, "subsampling": 0},
    "webp": {"lossless": True, "exact": True},
    "avif": {"quality": 98, "subsampling": "4:4:4", "speed": 9},
}


def encode(image: Image.Image, image_format: str, **options) -> bytes:
    body = io.BytesIO()
    if image_format == "heif":  # without Pillow, where a registered plugin would serve the code under test, too
        if "exif" in options:
            options["exif"] = options["exif"].tobytes()  # pillow-heif ignores the orientation of an Exif object
        pillow_heif.from_pillow(image).save(body, **{"quality": 98, "chroma": 444, **options})
        return body.getvalue()
    if image_format == "ico" and max(image.size) > 256:  # Pillow writes no larger ones
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
    """Red and lime above blue and white: different in each of the eight orientations."""
    width, height = size
    image = Image.new("RGB", size, WHITE)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 2 - 1, height // 2 - 1), RED)
    draw.rectangle((width // 2, 0, width - 1, height // 2 - 1), LIME)
    draw.rectangle((0, height // 2, width // 2 - 1, height - 1), BLUE)
    return image


def patch(colour, image_format: str = "png", mode: str = "RGB", **options) -> bytes:
    """A source of 16×16 pixels of one colour."""
    return encode(Image.new(mode, (16, 16), colour), image_format, **options)


def colour_of(source: bytes, transformation: str = "width=8,format=png") -> tuple[int, ...]:
    """The colour in the middle of a rendition."""
    picture = decode(make(source, transformation))
    return picture.getpixel((picture.width // 2, picture.height // 2))


def corners_of(image: Image.Image, inset: int = 2) -> list[tuple[int, ...]]:
    """The colours at the left top, right top, left bottom and right bottom."""
    right, bottom = image.width - 1 - inset, image.height - 1 - inset
    return [
        image.convert("RGB").getpixel(point)
        for point in ((inset, inset), (right, inset), (inset, bottom), (right, bottom))
    ]


def stored(scene: Image.Image, orientation: int, image_format: str) -> bytes:
    """A scene as a camera in this orientation stores it, with the orientation in its EXIF."""
    image = as_stored(scene, orientation)
    if image_format == "tiff":
        return encode(image, "tiff", tiffinfo={ORIENTATION: orientation})
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return encode(image, image_format, exif=exif)


def as_stored(scene: Image.Image, orientation: int) -> Image.Image:
    transpose = STORED[orientation]
    return scene if transpose is None else scene.transpose(transpose)


def framed(mode: str = "RGB", edge=(250, 250, 250)) -> Image.Image:
    """Four corners of 30×20 pixels at (12, 25) on a plain ground of 80×60."""
    scene = Image.new(mode, (80, 60), edge)
    scene.paste(four_corners((30, 20)).convert(mode), (12, 25))
    return scene


def moving(image_format: str, size: tuple[int, int] = (60, 40), times=FRAME_TIMES, **options) -> bytes:
    """An animation of one plain frame in each of `FRAME_COLOURS`, as many as there are times."""
    first, *rest = [Image.new("RGB", size, colour) for colour in FRAME_COLOURS[: len(times)]]
    return encode(first, image_format, save_all=True, append_images=rest, duration=list(times), **options)


def frames_of(body: bytes) -> list[tuple[Image.Image, int]]:
    """The frames of an animation in RGBA, each with its milliseconds."""
    image = Image.open(io.BytesIO(body))
    frames = []
    for index in range(getattr(image, "n_frames", 1)):
        image.seek(index)
        image.load()
        frames.append((image.convert("RGBA"), image.info.get("duration")))
    return frames


def noise(size: tuple[int, int], mode: str = "RGB", seed: str = "noise") -> Image.Image:
    """Random pixels, the same for the same seed."""
    length = size[0] * size[1] * len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, size, shake_256(seed.encode()).digest(length))


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(size: tuple[int, int], depth: int, kind: int, rows: bytes, *before: tuple[bytes, bytes]) -> bytes:
    """A PNG of any kind of pixels: packed rows without their filter bytes, and chunks that come before the pixels."""
    length = len(rows) // size[1]
    filtered = b"".join(b"\0" + rows[offset : offset + length] for offset in range(0, len(rows), length))
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, 0)),
        *before,
        (b"IDAT", zlib.compress(filtered)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(name, body) for name, body in chunks)


def icon(*pictures: tuple[bytes, int, int]) -> bytes:
    """An icon of several pictures, each with the sides that the directory claims."""
    offset, directory, bodies = 6 + 16 * len(pictures), b"", b""
    for body, width, height in pictures:
        directory += struct.pack("<BBBBHHII", width % 256, height % 256, 0, 0, 1, 0, len(body), offset + len(bodies))
        bodies += body
    return struct.pack("<HHH", 0, 1, len(pictures)) + directory + bodies


def photo(size: tuple[int, int]) -> Image.Image:
    """Detail of every size over soft shapes, as a photograph has, and different everywhere."""
    image = Image.new("RGB", size, "gray")
    for octave, share in ((4, 0.6), (16, 0.4), (64, 0.3), (256, 0.2), (640, 0.1)):
        layer = noise((octave, octave * size[1] // size[0] + 1), seed=f"octave {octave}")
        image = Image.blend(image, layer.resize(size, Image.Resampling.BICUBIC), share)
    return image


def psnr(one: Image.Image, other: Image.Image) -> float:
    """The peak signal-to-noise ratio in decibels, from the mean of the squared differences of all channels."""
    from math import inf, log10

    squares = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).sum2
    mean = sum(squares) / (3 * one.width * one.height)
    return inf if mean == 0 else 10 * log10(255**2 / mean)


def assert_close(colour: tuple[int, ...], expected: tuple[int, ...], within: int) -> None:
    assert len(colour) == len(expected), (colour, expected)
    assert max(abs(a - b) for a, b in zip(colour, expected, strict=True)) <= within, (colour, expected)


def assert_corners(picture: Image.Image, expected=(RED, LIME, BLUE, WHITE), within: int = 16, inset: int = 2) -> None:
    """The colours of the corners are the expected ones, by default those of upright `four_corners`."""
    for colour, wanted in zip(corners_of(picture, inset), expected, strict=True):
        assert_close(colour, wanted, within)
