"""A source's bytes → pixels that can be resampled: told by its first bytes, bounded by its header, decoded scaled.

    sniff ─▶ open ─▶ bounds ─▶ decode
             header only       at 1/2, 1/4 or 1/8 where that leaves enough; the frames of an animation one by one

With `render` and its other rooms the only ones to know Pillow.
"""

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import IO, Final

from PIL import Image, UnidentifiedImageError

from image_processor import boxes, jpeg, tiff
from image_processor.animation import first_frame, frames_of, loops_of
from image_processor.arriving import Arriving, Stream
from image_processor.config import Limits
from image_processor.errors import CorruptImage, SourceTooLarge, UnsupportedFormat
from image_processor.formats import SNIFFED, load_plugin, sniff
from image_processor.geometry import Box, Size
from image_processor.pixels import Pixels, averaged_share_of, share_of
from image_processor.png import exif as exif_of_png
from image_processor.reader import BoundedReader, File

SHORT_FRAME: Final = 100  # milliseconds of a GIF's frame that asks for 10 or less
ORIENTATION: Final = 0x0112  # EXIF tag, CIPA DC-008
TILE_WIDTH, TILE_LENGTH = 322, 323  # tags of TIFF 6.0, section 15
MAX_RUN_LENGTH_PIXELS: Final = 16_000_000  # of a BMP; Pillow decodes it in Python, 0.2 s a megapixel at worst
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


@dataclass(frozen=True, slots=True)
class Header:
    """What a source says of itself before a pixel is decoded; `size` is that of the picture as it is stored."""

    format: str
    size: Size
    orientation: int  # 1 to 8, as EXIF has it
    profile: bytes | None  # ICC
    loops: int  # how often an animation is shown; 0 is without end


class OpenSource:
    """A source whose header was read and is within the limits; no pixel of it is decoded yet."""

    def __init__(self, header: Header, image: Image.Image, source: bytes, limits: Limits) -> None:
        self.header, self.limits, self._image, self._source = header, limits, image, source

    @cached_property
    def frames(self) -> int:
        """How many frames there are, or one more than allowed; counted by need, since a GIF is read through for it."""
        with decoding(self.header.format, self.limits):
            return frames_of(self._image, self._source, self.limits.max_frames)

    def decode(self, parts: Sequence[tuple[Box, Size]] = ()) -> Pixels:
        """The first frame, once; scaled down as far as pictures of these sizes, from these boxes of it, allow."""
        image, header = self._image, self.header
        del self._image  # with its decoder's memory, as much again as the pixels
        with decoding(header.format, self.limits):
            share = max((averaged_share_of(*part) for part in parts), default=1.0)
            least = (ceil(image.width * share), ceil(image.height * share))
            reduced = self._reduced(image, least)
            if reduced is not None:
                return Pixels(*reduced)
            scale = _draft(image, max((share_of(*part) for part in parts), default=1.0))
            image.load()
            return Pixels(_resizable(image, header.profile), scale).at_least(least)

    def _reduced(self, image: Image.Image, least: Size) -> tuple[Image.Image, tuple[float, float]] | None:
        """The picture by a decoder that averages while it decodes, if there is one for it."""
        if self.header.format == "webp":
            from image_processor import webp  # ctypes takes a cold start 2 to 14 ms

            return webp.decode_scaled(self._source, least)
        if self.header.format == "png":
            from image_processor import png

            return png.decode_reduced(self._source, image, least, lambda band: _resizable(band, self.header.profile))
        return None

    def decode_frames(self, most: int) -> Iterator[tuple[Pixels, int]]:
        """The first `most` frames, each whole, with the milliseconds that it is shown.

        Raises `SourceTooLarge` if they are too many, or have too many pixels in all.
        """
        self.limits.check_frames(most, *self.header.size)
        first = first_frame(self._image)
        for number in range(first, first + most):
            with decoding(self.header.format, self.limits):
                self._image.seek(number)
                self._image.load()
                pixels = Pixels(_resizable(self._image, self.header.profile))
            yield pixels, self._milliseconds()

    def _milliseconds(self) -> int:
        shown = round(self._image.info.get("duration", 0))
        # So browsers do, since old GIFs ask for the impossible: Chromium, Firefox and WebKit alike.
        return SHORT_FRAME if self.header.format == "gif" and shown <= 10 else shown


def open_source(source: bytes | Stream, limits: Limits) -> OpenSource:
    """Read the header. Raises `UnsupportedFormat`, `SourceTooLarge`, or `CorruptImage` for one that can't be read.

    A JPEG is decoded while it arrives; anything else is waited for as a whole.
    """
    if isinstance(source, bytes):
        limits.check_bytes(len(source))
        source_format = sniff(source)
        return _open(io.BytesIO(source), source, source_format, limits)
    file = Arriving(source, limits)
    source_format = sniff(file.read(SNIFFED))
    file.seek(0)
    if source_format == "jpeg":
        return _open(file, b"", source_format, limits)
    body = file.read()
    return _open(io.BytesIO(body), body, source_format, limits)


def _open(file: IO[bytes] | Arriving, source: bytes, source_format: str, limits: Limits) -> OpenSource:
    with decoding(source_format, limits):
        load_plugin(source_format)
        image = Image.open(_bounded(file, source, source_format), formats=[source_format])  # type: ignore[arg-type]  # reads and seeks, as it needs
        _check(image, limits)
        profile = image.info.get("icc_profile")
        header = Header(
            source_format,
            image.size,
            _orientation(image, source, source_format),
            profile if isinstance(profile, bytes) else None,  # a TIFF's tag may hold anything
            loops_of(image),
        )
    return OpenSource(header, image, source, limits)


def _bounded(file: File, source: bytes, source_format: str) -> File:
    """Raise `SourceTooLarge` for what its structure tells before it is read, and bound how it is read."""
    if source_format == "tiff":
        tiff.check(source)
    if source_format == "avif":
        boxes.check(source)
    return jpeg.bounded(BoundedReader(file)) if source_format == "jpeg" else BoundedReader(file)


@contextmanager
def decoding(source_format: str, limits: Limits) -> Iterator[None]:
    """Turn what Pillow raises on a damaged file into `CorruptImage` or `SourceTooLarge`."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:  # Pillow's own limit, met first
        raise SourceTooLarge(f"the source has more pixels than allowed: {limits.max_pixels} in all") from error
    except UnidentifiedImageError as error:  # its own words hold an address in memory
        raise CorruptImage(f"the source begins like {source_format} and its header can't be read") from error
    except DECODER_FAULTS as error:
        reason = str(error).partition(" (")[0] or "it is damaged"  # in brackets, Pillow's decoder tells of its inside
        raise CorruptImage(f"the source begins like {source_format} and can't be decoded: {reason}") from error


def _check(image: Image.Image, limits: Limits) -> None:
    """Raise `SourceTooLarge`, by what the header says of the picture and of the pieces it is decoded in."""
    limits.check_sides(*image.size)
    tags = getattr(image, "tag_v2", {})  # a TIFF's; a tile may be larger than the picture, and is decoded whole
    width, height = tags.get(TILE_WIDTH), tags.get(TILE_LENGTH)
    if isinstance(width, int) and isinstance(height, int):  # a tag that is no number, Pillow does without
        limits.check_sides(width, height)
    run_length = any(tile[0] == "bmp_rle" for tile in getattr(image, "tile", ()))
    if run_length and image.width * image.height > MAX_RUN_LENGTH_PIXELS:
        raise SourceTooLarge(f"the source is a run-length BMP of more than {MAX_RUN_LENGTH_PIXELS} pixels")


def _orientation(image: Image.Image, source: bytes, source_format: str) -> int:
    """1 to 8; what is missing, damaged or out of range is 1, as browsers take it."""
    if source_format == "tiff":  # Pillow turns a TIFF itself
        return 1
    exif = Image.Exif()
    try:
        # image.getexif() would ask XMP too, which browsers don't, and decode a PNG to what stands behind its pixels.
        exif.load(exif_of_png(source) if source_format == "png" else image.info.get("exif", b""))
        orientation = exif.get(ORIENTATION, 1)
    except DECODER_FAULTS:
        return 1
    return orientation if orientation in range(1, 9) else 1


def _draft(image: Image.Image, share: float) -> tuple[float, float]:
    """Ask a JPEG's decoder for 1/2, 1/4 or 1/8 of its size, where that leaves as great a share of it.

    Returns the decoded sides as shares of the full ones.
    """
    width, height = image.size
    drafted = image.draft(None, (max(1, round(width * share)), max(1, round(height * share)))) if share < 1 else None
    if drafted is None:
        return 1.0, 1.0
    _, (_, _, drafted_width, drafted_height) = drafted
    return drafted_width / width, drafted_height / height


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
