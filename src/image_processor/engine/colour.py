"""Converts colours from an embedded ICC profile to sRGB. Imported only for a source that has a profile."""

from functools import lru_cache
from io import BytesIO
from typing import Final

from PIL import Image, ImageCms

_SRGB: Final = ImageCms.createProfile("sRGB")
_FLAGS: Final = ImageCms.Flags.BLACKPOINTCOMPENSATION
# Bytes. A large CMYK profile has 3 MB; this bounds the memory that the cache below can hold.
_MAX_PROFILE: Final = 4 * 1024 * 1024
# The colour space that a profile must have to apply to an image of this mode (ICC.1, 7.2.6).
_SPACES: Final = {"L": "GRAY", "RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK", "LAB": "Lab"}


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The image in sRGB: RGB, RGBA, or L or LA for a grey one.

    A profile that is damaged, or of another colour space than the image, is ignored, as browsers ignore it.
    """
    if image.mode == "LA":
        grey, alpha = image.split()
        return Image.merge("LA", (to_srgb(grey, profile), alpha))
    transform = _transform(profile, image.mode) if len(profile or b"") <= _MAX_PROFILE else None
    if transform is None:
        return image if image.mode in ("L", "RGB", "RGBA") else image.convert("RGB")
    converted = transform.apply(image)
    return converted.convert("L") if image.mode == "L" else converted


@lru_cache(maxsize=32)  # a camera embeds the same profile each time; a CMYK transform takes 10 ms and more to build
def _transform(profile: bytes | None, mode: str) -> ImageCms.ImageCmsTransform | None:
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile) if profile else ImageCms.createProfile("LAB"))
        if source.profile.xcolor_space.strip() != _SPACES[mode]:
            return None
        return ImageCms.buildTransform(
            source,
            ImageCms.ImageCmsProfile(_SRGB),
            mode,
            mode if mode == "RGBA" else "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            _FLAGS,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
