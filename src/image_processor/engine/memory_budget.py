"""How much memory rendering takes at the most, so that a source is refused before the process would be killed.

    peak ≤ RESERVED + bytes of the source + max(DECODING × its pixels, HELD × its pixels + ENCODING × the picture's)

The factors are in bytes a pixel: the peak of a fresh process above what it used before, rounded up. Tests in
`tests/bombs/test_memory.py` measure each. Everything that the default limits accept fits into a function of 1,769 MB.
"""

from typing import Final

from image_processor.engine.limits import Limits
from image_processor.errors import SourceTooLarge

# Bytes: 100 MB for Python, boto3 and Pillow before a source is read, and 64 for what other messages read ahead.
RESERVED: Final = (100 + 64) * 1024 * 1024
HELD: Final = 4  # a decoded source while its renditions are rendered
DECODING: Final = {  # the kind of each format that takes the most, decoded at its full size
    "jpeg": 5,
    "jpeg of several scans": 13,  # CMYK
    "png": 12,  # 16 bits with alpha, interlaced
    "webp": 18,  # a frame of an animation
    "gif": 10,  # with transparency
    "avif": 14,  # 4:4:4 with alpha
    "heif": 21,  # 10 bits, 4:4:4 with alpha
    "tiff": 12,  # 16 bits with alpha
    "bmp": 5,
    "jpeg2000": 25,  # with alpha
    "ico": 12,
}
ENCODING: Final = {  # a picture, from its resampling to its file
    "jpeg": 24,
    "png": 24,
    "gif": 24,
    "webp": 36,
    "avif": 36,
}


def check_source(kind: str, length: int, pixels: int, limits: Limits) -> None:
    """Raise `SourceTooLarge` if a source of this many bytes and pixels can't be decoded in the available memory.

    `kind` is a key of `DECODING`. `length` includes what the parts of a picture take besides its pixels.
    """
    needed = RESERVED + length + DECODING[kind] * pixels
    if needed > limits.memory:
        raise SourceTooLarge(f"to decode {pixels} pixels of {kind} {_takes(needed, limits)}")


def check_picture(held: int, pixels: int, target: str | None, limits: Limits) -> None:
    """Raise `SourceTooLarge` if a picture of this many pixels, in all its frames, needs more memory than available.

    `held` are the pixels in memory meanwhile: those of the source, and of other animations. `target` is the format of
    the picture, None while it is unknown.
    """
    factor = ENCODING[target] if target else max(ENCODING.values())
    needed = RESERVED + HELD * held + factor * pixels
    if needed > limits.memory:
        raise SourceTooLarge(f"to render a picture of {pixels} pixels {_takes(needed, limits)}")


def _takes(needed: int, limits: Limits) -> str:
    return f"takes up to {needed >> 20} MB of memory, allowed: {limits.memory >> 20}"
