"""Measures fidelity: decibels against a Lanczos resize, in floats, of the fully decoded source.

A cropped picture is compared with the reference at several positions, up to half a pixel to either side, and the best
counts, because the rounding of a crop's position is invisible and is no fault of the resize. Colours may be converted
before the resize or after it. The two differ where colours outside sRGB are clipped, before the mean or after it, by
more than any resize does, and both are valid.
"""

import io
from collections.abc import Sequence
from contextlib import suppress
from math import inf, log10
from typing import Final

from PIL import Image, ImageCms, ImageMath

Channels = list[Image.Image]
Size = tuple[int, int]

# Eighths of a pixel, for the side that is cropped.
SHIFTS: Final = tuple(eighth / 8 for eighth in range(-4, 5))


def psnr(channels: Sequence[Image.Image], reference: Sequence[Image.Image]) -> float:
    """Decibels of samples from 0 to 255; the mean over the squared differences in all channels."""
    squares = [
        ImageMath.lambda_eval(lambda of: (of["one"] - of["other"]) * (of["one"] - of["other"]), one=one, other=other)
        for one, other in zip(channels, reference, strict=True)
    ]
    # One pixel of all pixels is their mean.
    mean = sum(square.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0)) for square in squares) / len(squares)
    return inf if mean == 0 else 10 * log10(255**2 / mean)


def truest(picture: bytes, references: Sequence[Channels]) -> float:
    """Decibels of an encoded picture against the best of its references; 0 for one of another size."""
    channels = _shown(picture)
    if channels[0].size != references[0][0].size:
        return 0.0
    return max(psnr(channels, reference) for reference in references)


def references(channels: Channels, orientation: int, width: int, height: int | None) -> list[Channels]:
    """The correct pictures of a source, by its stored float channels, uprighted; see `SHIFTS`."""
    swapped = orientation >= 5  # stored with its sides swapped: CIPA DC-008, orientation
    full = channels[0].size[::-1] if swapped else channels[0].size
    size = (width, height or max(1, round(full[1] * width / full[0])))
    scale = max(size[0] / full[0], size[1] / full[1]) if height else 0
    pictures = []
    for shift in SHIFTS if height else (0,):
        box = _box(full, size, scale, shift) if height else (0.0, 0.0, *map(float, full))
        if swapped:
            box = (box[1], box[0], box[3], box[2])
        stored = size[::-1] if swapped else size
        small = [channel.resize(stored, Image.Resampling.LANCZOS, box=box) for channel in channels]
        pictures.append([_turned(channel, orientation) for channel in small])
    return pictures


def in_srgb(channels: Channels, mode: str, profile: bytes) -> Channels:
    """A small picture in the colours of its profile, converted."""
    # The conversion of floats to bytes truncates; with 0.5 added, it rounds.
    rounded = [channel.point(lambda sample: sample * 1 + 0.5).convert("L") for channel in channels]
    image, srgb = Image.merge(mode, rounded), ImageCms.createProfile("sRGB")
    image = ImageCms.profileToProfile(image, io.BytesIO(profile), srgb, outputMode="RGB")
    return [channel.convert("F") for channel in image.split()]


def _box(full: Size, size: Size, scale: float, shift: float) -> tuple[float, float, float, float]:
    """The part at the centre that fills the size, moved by a share of the picture's pixels within the source."""
    sides = [min(float(full[axis]), size[axis] / scale) for axis in (0, 1)]
    free = [full[axis] - sides[axis] for axis in (0, 1)]
    start = [min(max(0.0, free[axis] / 2 + shift / scale), free[axis]) for axis in (0, 1)]
    return start[0], start[1], start[0] + sides[0], start[1] + sides[1]


def _turned(channel: Image.Image, orientation: int) -> Image.Image:
    match orientation:
        case 1:
            return channel
        case 6:
            return channel.transpose(Image.Transpose.ROTATE_270)
        case _:
            raise ValueError(f"got orientation {orientation}, the sources have 1 and 6")


def _shown(picture: bytes) -> Channels:
    """The first frame as a screen shows it: by its embedded profile, if that fits its pixels."""
    with Image.open(io.BytesIO(picture)) as image:
        profile = image.info.get("icc_profile")
        image = image.convert("RGB")  # noqa: PLW2901
        if profile:
            with suppress(ImageCms.PyCMSError):  # a profile of another kind of colours; browsers ignore it, too
                image = ImageCms.profileToProfile(image, io.BytesIO(profile), ImageCms.createProfile("sRGB"))  # noqa: PLW2901
        return [channel.convert("F") for channel in image.split()]
