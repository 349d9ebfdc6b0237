"""Converts a decoded picture from any mode that a source may have into one that can be resampled."""

from typing import Final

from PIL import Image

from image_processor.errors import UnsupportedFormat

DEEP_GREY: Final = ("I;16", "I;16L", "I;16B", "I;16N")
GREY: Final = ("1", "L", "LA", "I;16", "I;16B")


def resizable(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The image as L, RGB, RGBa or La (alpha premultiplied), I (16 bits), CMYK or LAB.

    Raises `UnsupportedFormat` for samples of 32 bits.
    """
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
