"""What rendering takes at most, told from the header, so that what would not fit is refused and not killed.

    peak ≤ RESERVED + bytes of the source + max(DECODING × its pixels, HELD × its pixels + ENCODING × the picture's)

The factors are bytes a pixel: the peak of a fresh process over what it had before, rounded up, each held by a test in
`tests/bombs/test_memory.py`. At the default limits all that is accepted fits into the function's 1,769 MB.
"""

from typing import Final

from image_processor.engine.limits import Limits
from image_processor.errors import SourceTooLarge

# Bytes: Python, boto3 and Pillow before a source has come, 100 MB, and what the others of a batch have read ahead.
RESERVED: Final = (100 + 64) * 1024 * 1024
HELD: Final = 4  # a decoded source while its pictures are made
DECODING: Final = {  # the hungriest of each format, decoded in full
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
ENCODING: Final = {
    "jpeg": 24,
    "png": 24,
    "gif": 24,
    "webp": 36,
    "avif": 36,
}  # a picture, from its resampling to its file


def check_source(kind: str, length: int, pixels: int, limits: Limits) -> None:
    """Raise `SourceTooLarge` for a source of these bytes and pixels that can't be decoded in the memory there is."""
    needed = RESERVED + length + DECODING[kind] * pixels
    if needed > limits.memory:
        raise SourceTooLarge(f"to decode {pixels} pixels of {kind} {_takes(needed, limits)}")


def check_picture(held: int, pixels: int, target: str | None, limits: Limits) -> None:
    """Raise `SourceTooLarge` for a picture, of all its frames' pixels, that can't be made in the memory there is.

    `held` are the pixels of the source, and of what else waits. Without a target, its format is not known yet.
    """
    factor = ENCODING[target] if target else max(ENCODING.values())
    needed = RESERVED + HELD * held + factor * pixels
    if needed > limits.memory:
        raise SourceTooLarge(f"to make a picture of {pixels} pixels {_takes(needed, limits)}")


def _takes(needed: int, limits: Limits) -> str:
    return f"takes up to {needed >> 20} MB of memory, and the function has {limits.memory >> 20}"
