"""A decoded picture → a mode that can be resampled, whatever its source has stored it in."""

from typing import Final

from PIL import Image

from image_processor.errors import UnsupportedFormat

_DEEP_GREY: Final = ("I;16", "I;16L", "I;16B", "I;16N")
_PHOTOMETRIC: Final = 262  # tag of TIFF 6.0; 0 is WhiteIsZero


def resizable(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The image as L, RGB, RGBa or La (alpha premultiplied), I (16 bits), CMYK or LAB.

    Raises `UnsupportedFormat` for samples of 32 bits.
    """
    mode = image.mode
    if mode in _DEEP_GREY:
        return _deep_grey(image)
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


def _deep_grey(image: Image.Image) -> Image.Image:
    key = image.info.get("transparency")
    if isinstance(key, int):
        return _keyed(image, key)
    image.info.pop("transparency", None)  # a damaged PNG's, of a palette; no later conversion can read it
    wide = image.convert("I")
    # Pillow inverts a WhiteIsZero TIFF only if it has 8 bits.
    negative = getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0
    return wide.point(lambda sample: sample * -1 + 65535) if negative else wide


def _keyed(image: Image.Image, key: int) -> Image.Image:
    """A PNG's grey of 16 bits with one level that is transparent, which Pillow leaves to us."""
    from PIL import ImageChops

    samples = image.tobytes()  # the lower byte first
    low, high = (Image.frombytes("L", image.size, samples[place::2]) for place in (0, 1))
    masks = [
        half.point([0 if level == wanted else 255 for level in range(256)])
        for half, wanted in ((low, key & 255), (high, key >> 8))
    ]
    return Image.merge("LA", (high, ImageChops.lighter(*masks))).convert("La")
