"""What a file is, told by its first bytes: never by its name or Content-Type."""

from importlib import import_module
from typing import Final

from image_processor.errors import UnsupportedFormat

# Format → the Pillow module that reads and writes it. Only the one that is needed is imported: all of Pillow's together
# take 44 ms of a cold start, and each is a door for hostile files.
_PLUGINS: Final = {
    "jpeg": "PIL.JpegImagePlugin",
    "png": "PIL.PngImagePlugin",
    "webp": "PIL.WebPImagePlugin",
    "gif": "PIL.GifImagePlugin",
    "avif": "PIL.AvifImagePlugin",
    "tiff": "PIL.TiffImagePlugin",
    "bmp": "PIL.BmpImagePlugin",
    "heif": "pillow_heif",
    "jpeg2000": "PIL.Jpeg2KImagePlugin",
    "ico": "PIL.IcoImagePlugin",
}
SNIFFED: Final = 4096  # bytes of a source that are enough to tell
SOURCE_FORMATS: Final = tuple(_PLUGINS)

_MAGIC: Final = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),  # BigTIFF
    (b"MM\0+", "tiff"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "jpeg2000"),
    (b"\xff\x4f\xff\x51", "jpeg2000"),  # the codestream alone
    (b"\0\0\1\0", "ico"),
)
# The lengths that the header after "BM" can have; the two letters alone are text.
_BMP_HEADERS: Final = frozenset((12, 40, 52, 56, 64, 108, 124))
_AVIF_BRANDS: Final = frozenset((b"avif", b"avis"))
RAW: Final = "a camera's raw file"
# Named in the message, since each is an image to the person who uploaded it.
_REFUSED: Final = (
    (b"%PDF", "a PDF document"),
    (b"8BPS", "a Photoshop document"),
    (b"IIRO", RAW),  # Olympus
    (b"IIRS", RAW),
    (b"MMOR", RAW),
    (b"IIU\0", RAW),  # Panasonic, Leica
    (b"FUJIFILMCCD-RAW", RAW),
    (b"FOVb", RAW),  # Sigma
    (b"\0MRM", RAW),  # Minolta
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
)
_HEIF_BRANDS: Final = frozenset((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"))


def sniff(source: bytes) -> str:
    """The source's format, one of `SOURCE_FORMATS`.

    Raises `UnsupportedFormat`, which names what the source is where that is known.
    """
    for magic, name in _MAGIC:
        if source.startswith(magic):
            return name
    if source[:4] == b"RIFF" and source[8:12] == b"WEBP":
        return "webp"
    if source[:2] == b"BM" and int.from_bytes(source[14:18], "little") in _BMP_HEADERS:
        return "bmp"
    if source[4:8] == b"ftyp":
        for brands, name in ((_AVIF_BRANDS, "avif"), (_HEIF_BRANDS, "heif")):
            if _brands(source) & brands:
                return name
    raise unsupported(_known_as(source))


def unsupported(known_as: str) -> UnsupportedFormat:
    """The error for a source that is of another kind."""
    return UnsupportedFormat(f"the source is {known_as}; read are {', '.join(SOURCE_FORMATS)}")


def load_plugin(name: str) -> None:
    """Register the Pillow plugin of a format, so that Pillow doesn't import all of them to find it."""
    plugin = import_module(_PLUGINS[name])
    if name == "heif":  # registers nothing by itself, and by its own function the names of files and AVIF, too
        from PIL import Image

        Image.register_open("HEIF", plugin.HeifImageFile, lambda prefix: prefix[4:8] == b"ftyp")


def _brands(source: bytes) -> set[bytes]:
    """The major and compatible brands of an ISO base media file (ISO/IEC 14496-12, 4.3)."""
    box = source[8 : min(int.from_bytes(source[:4], "big"), 256)]
    return {box[start : start + 4] for start in range(0, len(box), 4) if start != 4}  # 4: its version


def _known_as(source: bytes) -> str:
    if not source:
        return "empty"
    for magic, name in _REFUSED:
        if source.startswith(magic):
            return name
    if source[4:8] == b"ftyp":
        return RAW if source[8:12] == b"crx " else "a video or other media file"  # crx: Canon's CR3
    start = source[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<") and b"<svg" in source[:SNIFFED].lower():
        return "an SVG document"
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page or XML document"
    return "not an image"
