"""Recognises sources of other formats by their first bytes, so that an error can name them.

Each of these is an image to the person who uploaded it.
"""

from typing import Final

RAW: Final = "a camera's raw file"
_KINDS: Final = (
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


def kind_of(beginning: bytes) -> str:
    """The kind of a source that begins with these bytes."""
    if not beginning:
        return "empty"
    for prefix, kind in _KINDS:
        if beginning.startswith(prefix):
            return kind
    if beginning[4:8] == b"ftyp":
        return RAW if beginning[8:12] == b"crx " else "a video or other media file"  # crx: Canon's CR3
    text = beginning[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"<") and b"<svg" in beginning.lower():
        return "an SVG document"
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page or XML document"
    return "not an image"
