"""The formats that are read, and the first bytes by which each is recognised: never a file's name or Content-Type.

To add a format: write `formats/<name>.py`, which assigns its class to `FORMAT`, and add a line to `_FORMATS`. How
many bytes a pixel takes to decode goes into `memory_budget.DECODING`, which a test compares with measurements.
"""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Final

from image_processor.engine.decoding.other_kinds import kind_of
from image_processor.errors import CorruptImage, UnsupportedFormat

if TYPE_CHECKING:
    from image_processor.engine.decoding.format import Format

Signature = Callable[[bytes], bool]

SNIFFED: Final = 4096  # bytes of a source that are enough to recognise its format
_BMP_HEADERS: Final = frozenset((12, 40, 52, 56, 64, 108, 124))  # bytes; the two letters BM alone are text


def _begins(*prefixes: bytes) -> Signature:
    return lambda source: source.startswith(prefixes)


def _is_riff(kind: bytes) -> Signature:
    return lambda source: source[:4] == b"RIFF" and source[8:12] == kind


def _is_bmp(source: bytes) -> bool:
    return source[:2] == b"BM" and int.from_bytes(source[14:18], "little") in _BMP_HEADERS


def _has_brand(*brands: bytes) -> Signature:
    """An ISO base media file with one of these as its major or a compatible brand (ISO/IEC 14496-12, 4.3)."""

    def signature(source: bytes) -> bool:
        if source[4:8] != b"ftyp":
            return False
        box = source[8 : min(int.from_bytes(source[:4], "big"), 256)]
        version = 4  # the offset of what is no brand
        return any(box[start : start + 4] in brands for start in range(0, len(box), 4) if start != version)

    return signature


# What messages call each format, and its signature. In the order of the messages; the first signature that fits counts.
_FORMATS: Final[dict[str, tuple[str, Signature]]] = {
    "jpeg": ("JPEG", _begins(b"\xff\xd8\xff")),
    "png": ("PNG", _begins(b"\x89PNG\r\n\x1a\n")),
    "webp": ("WebP", _is_riff(b"WEBP")),
    "gif": ("GIF", _begins(b"GIF87a", b"GIF89a")),
    "avif": ("AVIF", _has_brand(b"avif", b"avis")),
    "tiff": ("TIFF", _begins(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),  # with a plus sign, BigTIFF
    "bmp": ("BMP", _is_bmp),
    "heif": ("HEIC", _has_brand(b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")),
    # A file, and a codestream alone
    "jpeg2000": ("JPEG 2000", _begins(b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")),
    "ico": ("ICO", _begins(b"\0\0\1\0")),
}
SOURCE_FORMATS: Final = tuple(_FORMATS)


def sniff(beginning: bytes) -> str:
    """The format of a source, one of `SOURCE_FORMATS`, by its first `SNIFFED` bytes.

    Raises `UnsupportedFormat`, which names what the source is where that is known.
    """
    for name, (_, fits) in _FORMATS.items():
        if fits(beginning):
            return name
    raise unsupported(kind_of(beginning[:SNIFFED]))


def unsupported(kind: str) -> UnsupportedFormat:
    """The error for a source of another kind than those that are read."""
    return UnsupportedFormat(f"the source is {kind}, allowed: {', '.join(map(label_of, SOURCE_FORMATS))}")


def corrupt(source_format: str, fault: str) -> CorruptImage:
    """The error for a source that begins as this format and has a fault, such as "has no picture"."""
    return CorruptImage(f"the source is recognized as {label_of(source_format)}, but {fault}")


def label_of(source_format: str) -> str:
    """What messages call one of the `SOURCE_FORMATS`."""
    return _FORMATS[source_format][0]


def format_named(name: str) -> "type[Format]":
    """The class of a format. Only its module is imported, and later the plugin it names.

    All plugins of Pillow together take 44 ms of a cold start, and each can be reached by hostile files.
    """
    found: type[Format] = import_module(f"image_processor.engine.decoding.formats.{name}").FORMAT
    return found


def load_plugin(name: str) -> None:
    """Register a format with Pillow, to read or to write it."""
    format_named(name).load_plugin()
