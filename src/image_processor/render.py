"""Bytes × transformations → renditions. Pure: no clock, no file, no network. Only it and its `colour` know Pillow.

    sniff ─▶ open ─▶ bounds ─▶ decode, scaled ─▶ resize ─▶ turn upright ─▶ sRGB ─▶ canvas ─▶ encode
             header only       once for all     each picture from here on

Turning and colour come after the resize, on the small picture: the same before it would cost five times the whole.
"""

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from PIL import Image, UnidentifiedImageError

from image_processor.config import Limits
from image_processor.errors import CorruptImage, SourceTooLarge, UnsupportedFormat
from image_processor.formats import load_plugin, sniff
from image_processor.geometry import Box, Plan, Size, plan, swaps_sides, to_stored
from image_processor.transformation import ALPHA_FORMATS, DEFAULT_QUALITY, FORMATS, Transformation

# A picture is resampled from at least this many times its size, first by whole factors. Against a float Lanczos
# reference of the full decode, 2 keeps the worst picture above 45 dB, 1.5 falls to 42, 1 to 37. What the whole factors
# leave over weighs more the fewer pixels there are, so that a side of less than 48 is resampled from 96.
REDUCING_GAP: Final = 2.0
REDUCED_SIDE: Final = 96
ORIENTATION: Final = 0x0112  # EXIF tag, CIPA DC-008
TILE_WIDTH, TILE_LENGTH = 322, 323  # tags of TIFF 6.0, section 15
DEEP_GREY: Final = ("I;16", "I;16L", "I;16B", "I;16N")
# What Pillow's decoders raise on a damaged file; a MemoryError is the machine's fault, not the file's.
DECODER_FAULTS: Final = (
    OSError,  # with it the truncated file
    SyntaxError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    AssertionError,
    EOFError,
    struct.error,
    zlib.error,
)
TRANSPARENT: Final = 255  # the last entry of a GIF's palette
ENCODING: Final[dict[str, dict[str, int | bool]]] = {
    "jpeg": {"optimize": True},
    "png": {},
    "webp": {"method": 4},
    "avif": {"speed": 8},  # a third of the time of 6, for a few per cent more bytes
    "gif": {},
}


@dataclass(frozen=True, slots=True)
class Rendition:
    """An encoded picture; sides in pixels."""

    body: bytes
    content_type: str
    width: int
    height: int


def render(source: bytes, transformations: Sequence[Transformation], limits: Limits = Limits()) -> list[Rendition]:  # noqa: B008 - frozen
    """Make one rendition for each transformation, all from one decode of the source.

    Every rendition is upright (EXIF orientation applied), sRGB (by the embedded ICC profile) and free of metadata.
    Raises `SourceTooLarge` before decoding a pixel, `UnsupportedFormat` for what is not a known image, `CorruptImage`
    for one that can't be decoded.
    """
    limits.check_bytes(len(source))
    source_format = sniff(source)
    with _decoding(source_format, limits):
        image = _open(source, source_format)
        _check(image, limits)
        orientation = _orientation(image, source_format)
        upright = _turned(image.size, orientation)
        plans = [plan(upright, transformation) for transformation in transformations]
        profile = image.info.get("icc_profile")
        profile = profile if isinstance(profile, bytes) else None  # a TIFF's tag may hold anything
        boxes = [to_stored(layout.box, upright, orientation) for layout in plans]
        sizes = [_turned(layout.size, orientation) for layout in plans]
        scale = _draft(image, boxes, sizes)
        image.load()
        pixels = _resizable(image, profile)
        del image  # with its decoder's memory, as much again as the pixels
    renditions = []
    for transformation, layout, box, size in zip(transformations, plans, boxes, sizes, strict=True):
        with _decoding(source_format, limits):
            small = _to_srgb(_turn(_resize(pixels, size, box, scale), orientation), profile)
        renditions.append(_encode(small, layout, transformation, source_format))
    return renditions


@contextmanager
def _decoding(source_format: str, limits: Limits) -> Iterator[None]:
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:  # Pillow's own limit, met first
        raise SourceTooLarge(f"the source has more pixels than allowed: {limits.max_pixels} in all") from error
    except UnidentifiedImageError as error:  # its own words hold an address in memory
        raise CorruptImage(f"the source begins like {source_format} and its header can't be read") from error
    except DECODER_FAULTS as error:
        reason = str(error).partition(" (")[0] or "it is damaged"  # in brackets, Pillow's decoder tells of its inside
        raise CorruptImage(f"the source begins like {source_format} and can't be decoded: {reason}") from error


def _open(source: bytes, source_format: str) -> Image.Image:
    load_plugin(source_format)
    return Image.open(io.BytesIO(source), formats=[source_format])


def _check(image: Image.Image, limits: Limits) -> None:
    """Raise `SourceTooLarge`, by what the header says of the picture and of the pieces it is decoded in."""
    limits.check_sides(*image.size)
    tags = getattr(image, "tag_v2", {})  # a TIFF's; a tile may be larger than the picture, and is decoded whole
    width, height = tags.get(TILE_WIDTH), tags.get(TILE_LENGTH)
    if isinstance(width, int) and isinstance(height, int):  # a tag that is no number, Pillow does without
        limits.check_sides(width, height)


def _orientation(image: Image.Image, source_format: str) -> int:
    """1 to 8; what is missing, damaged or out of range is 1, as browsers take it."""
    if source_format == "tiff":  # Pillow turns a TIFF itself
        return 1
    if source_format == "png":  # its EXIF may stand behind the pixels
        image.load()
    exif = Image.Exif()
    try:
        exif.load(image.info.get("exif", b""))  # image.getexif() would ask XMP too, which browsers don't
        orientation = exif.get(ORIENTATION, 1)
    except DECODER_FAULTS:
        return 1
    return orientation if orientation in range(1, 9) else 1


def _turned(size: Size, orientation: int) -> Size:
    return (size[1], size[0]) if swaps_sides(orientation) else size


def _draft(image: Image.Image, boxes: Sequence[Box], sizes: Sequence[Size]) -> tuple[float, float]:
    """Ask a JPEG's decoder for 1/2, 1/4 or 1/8 of its size, where that leaves every picture room to be resampled.

    Returns the decoded sides as shares of the full ones. They have fractions: a side of 1001 at 1/8 is 125.125 wide in
    126 pixels, and a resize that takes all 126 loses 20 dB.
    """
    width, height = image.size
    shares = [
        _gap(size) * max(size[0] / (box[2] - box[0]), size[1] / (box[3] - box[1]))
        for box, size in zip(boxes, sizes, strict=True)
    ]
    share = max(shares, default=1.0)
    drafted = image.draft(None, (max(1, round(width * share)), max(1, round(height * share)))) if share < 1 else None
    if drafted is None:
        return 1.0, 1.0
    _, (_, _, drafted_width, drafted_height) = drafted
    return drafted_width / width, drafted_height / height


def _gap(size: Size) -> float:
    return max(REDUCING_GAP, REDUCED_SIDE / min(size))


def _resizable(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The decoded image in a mode that can be resampled: L, RGB, RGBa or La (alpha premultiplied), I, CMYK or LAB."""
    mode = image.mode
    if mode in DEEP_GREY:
        return image.convert("I")
    if mode in ("I", "F"):
        raise UnsupportedFormat(f"the source has 32 bits for each sample ({mode}); at most 16 are read")
    if image.has_transparency_data:
        straight = "LA" if mode in ("1", "L", "LA") else "RGBA"
        return (image if mode == straight else image.convert(straight)).convert(straight[:-1] + "a")
    if mode == "1":
        return image.convert("L")
    if mode in ("L", "RGB", "LAB") or (mode == "CMYK" and profile):
        return image
    return image.convert("RGB")


def _resize(pixels: Image.Image, size: Size, box: Box, scale: tuple[float, float]) -> Image.Image:
    left, top, right, bottom = box[0] * scale[0], box[1] * scale[1], box[2] * scale[0], box[3] * scale[1]
    # A box may pass the edge by the last digit of a float, and Pillow refuses that.
    box = (max(0.0, left), max(0.0, top), min(float(pixels.width), right), min(float(pixels.height), bottom))
    small = pixels.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=_gap(size))
    if small.mode in ("RGBa", "La"):
        return small.convert(small.mode.upper())
    if small.mode == "I":
        return small.point(lambda sample: sample * (1 / 257) + 0.5).convert("L")  # 65535 → 255, rounded
    return small


_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _turn(image: Image.Image, orientation: int) -> Image.Image:
    return image if orientation == 1 else image.transpose(_TURNS[orientation])


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile is None and image.mode != "LAB":
        return image
    from image_processor.colour import to_srgb  # ImageCms costs 18 ms of a cold start that most sources don't need

    return to_srgb(image, profile)


def _encode(image: Image.Image, layout: Plan, transformation: Transformation, source_format: str) -> Rendition:
    image = _without_idle_alpha(image)
    target = transformation.format or (
        source_format if source_format in FORMATS else "png" if _has_alpha(image) else "jpeg"
    )
    image = _on_canvas(image, layout, transformation.background, target)
    if target != "png" and image.mode == "LA":
        image = image.convert("RGBA")
    if target in ("webp", "avif") and image.mode == "L":
        image = image.convert("RGB")
    options = dict(ENCODING[target])
    if target == "gif" and image.mode == "RGBA":
        image = _with_binary_alpha(image)
        options["transparency"] = TRANSPARENT
    image.info = {}  # Pillow writes an old comment and profile again
    if target in DEFAULT_QUALITY:
        options["quality"] = transformation.quality or DEFAULT_QUALITY[target]
    body = io.BytesIO()
    load_plugin(target)
    image.save(body, format=target, **options)
    return Rendition(body.getvalue(), f"image/{target}", *image.size)


def _on_canvas(image: Image.Image, layout: Plan, background: str | None, target: str) -> Image.Image:
    """Letterbox, and flatten where the target has no alpha."""
    keeps_alpha = target in ALPHA_FORMATS
    letterboxed = layout.canvas != layout.size
    if not letterboxed and (keeps_alpha or not _has_alpha(image)):
        return image
    colour = bytes.fromhex(background or ("00000000" if keeps_alpha else "ffffff"))
    red, green, blue, alpha = (*colour, 255)[:4]
    canvas = Image.new("RGBA", layout.canvas, (red, green, blue, alpha))
    placed = image.convert("RGBA")
    if keeps_alpha:
        canvas.paste(placed, layout.offset)
    else:
        canvas.alpha_composite(placed, layout.offset)
        white = Image.new("RGBA", layout.canvas, "white")  # beneath a background that is itself transparent
        canvas = Image.alpha_composite(white, canvas).convert("RGB")
    return _without_idle_alpha(canvas)


def _with_binary_alpha(image: Image.Image) -> Image.Image:
    """A palette image whose entry `TRANSPARENT` is what was less than half opaque; Pillow's own would lose edges."""
    transparent = image.getchannel("A").point(lambda alpha: 255 * (alpha < 128))
    solid = image.convert("RGB")
    solid.paste("black", mask=transparent)  # colours that nobody will see must not take the palette's entries
    palette = solid.quantize(TRANSPARENT, method=Image.Quantize.MEDIANCUT)
    palette.paste(TRANSPARENT, mask=transparent)
    return palette


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in ("LA", "RGBA")


def _without_idle_alpha(image: Image.Image) -> Image.Image:
    opaque = _has_alpha(image) and image.getchannel("A").getextrema()[0] == 255
    return image.convert(image.mode.removesuffix("A")) if opaque else image
