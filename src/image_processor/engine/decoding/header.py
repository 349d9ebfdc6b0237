"""What a source says of itself before a pixel is decoded, and whether that is within the limits."""

import io
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final

from PIL import Image, UnidentifiedImageError

from image_processor.engine import memory_budget
from image_processor.engine.decoding import chunks, ico, jpeg, jpeg2000, raw, tiff
from image_processor.engine.decoding.animation import loops_of
from image_processor.engine.decoding.bounded_file import BoundedReader, File
from image_processor.engine.decoding.formats import RAW, load_plugin, unsupported
from image_processor.engine.decoding.heif import boxes, containers
from image_processor.engine.decoding.heif.limits import check as check_coded_pictures
from image_processor.engine.decoding.streaming_file import Arriving
from image_processor.engine.layout import Size
from image_processor.engine.limits import Limits
from image_processor.errors import CorruptImage, SourceTooLarge

ORIENTATION: Final = 0x0112  # EXIF tag, CIPA DC-008
MAX_RUN_LENGTH_PIXELS: Final = 16_000_000  # of a BMP; Pillow decodes it in Python, 0.2 s a megapixel at worst
TILE_WIDTH, TILE_LENGTH = 322, 323  # tags of TIFF 6.0, section 15
# What else libheif can decode (uncompressed, masks, JPEG, JPEG 2000) no phone makes, and its worst holes were in that.
HEIF_ITEMS: Final = frozenset((b"hvc1", b"grid", b"iden", b"iovl", b"tmap", b"Exif", b"mime", b"uri "))
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
    codestream: jpeg2000.Codestream | None = None  # of JPEG 2000


def read(file: IO[bytes] | Arriving, source: bytes, source_format: str, limits: Limits) -> tuple[Header, Image.Image]:
    """The header, and the image to decode. `source` is the whole file, but for a JPEG, which may still be arriving.

    Raises `SourceTooLarge`, `UnsupportedFormat`, or `CorruptImage` for one that can't be read.
    """
    plugin, codestream = source_format, None
    with decoding(source_format, limits):
        if source_format == "ico":
            picture = ico.largest(source)
            limits.check_sides(*picture.size)
            plugin, source = picture.format, picture.body
            file = io.BytesIO(source)
        elif source_format == "jpeg2000":
            codestream = jpeg2000.codestream(source)
            limits.check_sides(*codestream.size)
        _refuse_kinds(source, source_format)
        load_plugin(plugin)
        reader = _bounded(file, source, source_format, limits)
        image = Image.open(reader, formats=[plugin])  # type: ignore[arg-type]  # reads and seeks, as it needs
        _check(image, limits)
        _check_memory(image, reader, len(source), source_format, limits)
        if codestream and codestream.size != image.size:
            raise CorruptImage("the source begins like jpeg2000 and has two sizes")
        more = chunks.read(source) if plugin == "png" else {}
        _mend_transparency(image, more)
        header = Header(
            source_format,
            image.size,
            _orientation(image, source_format, more),
            _profile(image, source, source_format, more),
            loops_of(image),
            codestream,
        )
    return header, image


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
        reason = str(error).partition(" (")[0].strip()  # in brackets, Pillow's decoder tells of its inside
        reason = reason or "it is damaged"
        raise CorruptImage(f"the source begins like {source_format} and can't be decoded: {reason}") from error


def _bounded(file: File, source: bytes, source_format: str, limits: Limits) -> File:
    """Raise `SourceTooLarge` for what its structure tells before it is read, and bound how it is read."""
    if source_format == "tiff":
        tiff.check(source)
    if source_format in ("avif", "heif"):
        boxes.check(source)
        check_coded_pictures(source, limits)
    return jpeg.bounded(BoundedReader(file)) if source_format == "jpeg" else BoundedReader(file)


def _refuse_kinds(source: bytes, source_format: str) -> None:
    """Raise `UnsupportedFormat` for what Pillow would read, and not as the picture that it is."""
    if source_format == "tiff" and raw.is_raw(source):
        raise unsupported(RAW)
    if source_format == "heif":
        other = containers.items(source).types - HEIF_ITEMS
        if other:
            names = ", ".join(sorted(name.decode("ascii", "replace").strip() for name in other))
            raise unsupported(f"HEIF of another codec than HEVC ({names})")


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


def _check_memory(image: Image.Image, reader: File, length: int, source_format: str, limits: Limits) -> None:
    pixels = image.width * image.height
    if source_format == "jpeg2000":  # what has more is decoded at a fraction
        pixels = min(pixels, jpeg2000.MAX_PIXELS)
    several = source_format == "jpeg" and not isinstance(reader, BoundedReader)
    memory_budget.check_source("jpeg of several scans" if several else source_format, length, pixels, limits)


def _orientation(image: Image.Image, source_format: str, more: Mapping[bytes, bytes]) -> int:
    """1 to 8; what is missing, damaged or out of range is 1, as browsers take it.

    Pillow turns a TIFF itself, libheif a HEIC. Of an AVIF, Pillow tells its `irot` and `imir` as EXIF, in place of what
    its EXIF says, which is to be ignored (ISO/IEC 23000-22, 7.3.6.7).
    """
    if source_format in ("tiff", "heif", "ico"):
        return 1
    exif = Image.Exif()
    try:
        # A PNG's may stand behind the pixels, where Pillow comes late; image.getexif() would ask XMP too, which
        # browsers don't.
        exif.load(more.get(b"eXIf", b"") if source_format == "png" else image.info.get("exif", b""))
        orientation = exif.get(ORIENTATION, 1)
    except DECODER_FAULTS:
        return 1
    return orientation if orientation in range(1, 9) else 1


def _profile(image: Image.Image, source: bytes, source_format: str, more: Mapping[bytes, bytes]) -> bytes | None:
    """The ICC profile, embedded or made of what else the source says of its colours; None for sRGB."""
    grey = image.mode in ("1", "L", "LA", "I;16", "I;16B")
    cicp = more.get(b"cICP", b"")
    if len(cicp) == 4 and cicp[2:] == b"\0\1":  # RGB in full range; comes before iCCP (PNG, third edition, 4.3)
        return _of_cicp((cicp[0], cicp[1]), grey=grey)
    embedded = jpeg2000.profile(source) if source_format == "jpeg2000" else image.info.get("icc_profile")
    if isinstance(embedded, bytes) and embedded:  # a TIFF's tag may hold anything
        return embedded
    if source_format in ("avif", "heif"):
        return _of_cicp(containers.items(source).cicp, grey=grey)
    if "gamma" in image.info and "srgb" not in image.info and source_format == "png":
        from image_processor.engine.decoding.icc import of_gamma

        return of_gamma(image.info["gamma"], image.info.get("chromaticity"), grey=grey)
    return None


def _of_cicp(cicp: containers.Cicp | None, *, grey: bool) -> bytes | None:
    if cicp is None:
        return None
    from image_processor.engine.decoding.icc import of_cicp  # by need

    return of_cicp(*cicp, grey=grey)


def _mend_transparency(image: Image.Image, more: Mapping[bytes, bytes]) -> None:
    """Bring a PNG's transparent colour to the 8 bits of Pillow's pixels, as Pillow does for 1 bit alone.

    Of a colour of 16 bits, the upper 8 are compared, since Pillow keeps no others.
    """
    key, head = image.info.get("transparency"), more.get(b"IHDR", b"")
    if len(head) == 13 and image.mode == "RGB" and head[8] == 16 and isinstance(key, tuple):
        image.info["transparency"] = tuple(sample >> 8 for sample in key)
    elif len(head) == 13 and image.mode == "L" and head[8] in (2, 4) and isinstance(key, int):
        image.info["transparency"] = key * 255 // (2 ** head[8] - 1)
