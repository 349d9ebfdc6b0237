"""Converts colours from an embedded ICC profile to sRGB. Imported only for a source that has a profile."""

from collections import OrderedDict
from io import BytesIO
from threading import Lock
from typing import Final

from PIL import Image, ImageCms

from image_processor.engine.icc_bounds import reduced

_SRGB: Final = ImageCms.createProfile("sRGB")
_FLAGS: Final = ImageCms.Flags.BLACKPOINTCOMPENSATION
_MAX_PROFILE: Final = 4 * 1024 * 1024  # bytes; a large CMYK profile has 3 MB
# Of cached transforms: a camera embeds the same profile each time, and a CMYK transform takes 10 ms and more to build.
# A cached transform holds its profile, and 0.5 MB at the most besides.
MAX_CACHED: Final = 16
MAX_CACHED_BYTES: Final = 8 * 1024 * 1024
# The colour space that a profile must have to apply to an image of this mode (ICC.1, 7.2.6).
_SPACES: Final = {"L": "GRAY", "RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK", "LAB": "Lab"}

_cache: Final[OrderedDict[tuple[bytes, str], ImageCms.ImageCmsTransform | None]] = OrderedDict()
_lock: Final = Lock()


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The image in sRGB: RGB, RGBA, or L or LA for a grey one.

    A profile that is damaged, or of another colour space than the image, is ignored, as browsers ignore it.
    """
    if image.mode == "LA":
        grey, alpha = image.split()
        return Image.merge("LA", (to_srgb(grey, profile), alpha))
    transform = _cached_transform(profile or b"", image.mode)
    if transform is None:
        return image if image.mode in ("L", "RGB", "RGBA") else image.convert("RGB")
    converted = transform.apply(image)
    return converted.convert("L") if image.mode == "L" else converted


def _cached_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform from a profile to sRGB; without one, from Lab. None for a profile that is ignored."""
    if len(profile) > _MAX_PROFILE:
        return None
    key = (profile, mode)
    with _lock:
        if key in _cache:
            _cache.move_to_end(key)
            return _cache[key]
    transform = _transform(profile, mode)
    with _lock:
        _cache[key] = transform
        while len(_cache) > MAX_CACHED or sum(len(cached) for cached, _ in _cache) > MAX_CACHED_BYTES:
            _cache.popitem(last=False)
    return transform


def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    needed = reduced(profile) if profile else b""
    if needed is None:
        return None
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(needed) if needed else ImageCms.createProfile("LAB"))
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
