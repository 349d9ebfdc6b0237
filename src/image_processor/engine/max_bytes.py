"""Finds the best quality at which pictures take no more than a number of bytes.

A small picture is encoded at up to seven qualities, by a binary search. A large one would take a minute so: its
qualities are tried on a sample of its squares, and the whole is encoded twice, rarely more often.

    sample at some qualities ─▶ the best that may fit ─▶ whole ─▶ what the sample should have said ─▶ whole again
"""

from collections.abc import Callable, Sequence
from functools import cache
from math import sqrt
from typing import Final

from PIL import Image

from image_processor.errors import InvalidTransformation

SAMPLED: Final = 1 << 20  # pixels in all frames from which on a sample is encoded, which has about as many at the most
_SQUARE: Final = 128  # pixels of its sides: a block of AV1, and whole blocks of all other formats
_SPACING: Final = 2.0  # a square for at least as many of their sides, so that a sample is a quarter at the most
# Of the bytes allowed, those that the next quality aims at: the sample is first taken as it is, then corrected by what
# the whole has taken, which leaves an error of 2 % where the qualities differ much.
_AIMS: Final = (1.0, 0.98, 0.9)

Save = Callable[[Sequence[Image.Image], int], bytes]  # encodes the frames at a quality


def within(most: int, images: Sequence[Image.Image], best: int, save: Save) -> bytes:
    """Encode at the best quality, up to `best`, that takes no more than `most` bytes; of a large picture, nearly so.

    Raises `InvalidTransformation` if even quality 1 takes more.
    """
    pixels = sum(image.width * image.height for image in images)
    fitting = _searched(most, images, best, save) if pixels <= SAMPLED else _sampled(most, images, best, save)
    if fitting is None:
        fitting = save(images, 1)
    if len(fitting) > most:
        least = f"at quality 1 the picture still has {len(fitting)} bytes, allowed: {most}"
        raise InvalidTransformation(f"option max_bytes: {least}; ask for fewer pixels")
    return fitting


def _searched(most: int, images: Sequence[Image.Image], best: int, save: Save) -> bytes:
    """The best that fits, by a binary search; that of quality 1 if nothing does."""

    @cache
    def body(quality: int) -> bytes:
        return save(images, quality)

    if len(body(best)) <= most:
        return body(best)
    if len(body(1)) > most:
        return body(1)
    return body(_best(lambda quality: len(body(quality)), most, 2, best - 1))


def _sampled(most: int, images: Sequence[Image.Image], best: int, save: Save) -> bytes | None:
    """The best that was found to fit, None if nothing was; that of quality 1 if it is too much."""
    pixels = sum(image.width * image.height for image in images)
    samples = [_sample(image, pixels) for image in images]

    @cache
    def sample_bytes(quality: int) -> int:
        return len(save(samples, quality))

    factor = pixels / sum(sample.width * sample.height for sample in samples)
    fitting, low, high = None, 1, best
    for aim in _AIMS:
        quality = _best(sample_bytes, aim * most / factor, low, high)
        if fitting and quality < low:
            break
        quality = max(quality, low)
        body = save(images, quality)
        factor = len(body) / sample_bytes(quality)
        if len(body) > most:
            if quality == 1:
                return body
            high = quality - 1
        else:
            fitting, low = body, quality + 1
        if low > high or (fitting and aim < 1):
            break
    return fitting


def _best(size_of: Callable[[int], int], most: float, low: int, high: int) -> int:
    """The highest quality from `low` to `high` of at most this size, by a binary search; `low - 1` if none is."""
    while low <= high:
        middle = (low + high) // 2
        if size_of(middle) <= most:
            low = middle + 1
        else:
            high = middle - 1
    return low - 1


def _sample(image: Image.Image, pixels: int) -> Image.Image:
    """Squares of the picture at regular distances, side by side; `pixels` are those of all frames."""
    spacing = max(_SPACING, sqrt(pixels / SAMPLED))
    width, height = (min(_SQUARE, side) for side in image.size)
    columns, rows = (max(1, round(side / (spacing * _SQUARE))) for side in image.size)
    sample = Image.new(image.mode, (columns * width, rows * height))
    for row in range(rows):
        for column in range(columns):
            left = (image.width - width) * (2 * column + 1) // (2 * columns)
            top = (image.height - height) * (2 * row + 1) // (2 * rows)
            square = image.crop((left, top, left + width, top + height))
            sample.paste(square, (column * width, row * height))
    return sample
