"""How true a picture is: decibels against a Lanczos resize, in floats, of the fully decoded source.

A cropped picture is compared with the reference at several places, up to half a pixel of its own to either side, and
the best counts: where a peer rounds the place of its crop, nobody sees it, and it is no fault of its pixels. Likewise
colours may be converted before the resize or after it. The two differ where colours out of sRGB are clipped, before the
mean or after it, by more than any resize does, and neither is the truth.
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
    # One pixel made of all is their mean.
    mean = sum(square.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0)) for square in squares) / len(squares)
    return inf if mean == 0 else 10 * log10(255**2 / mean)


def truest(picture: bytes, references: Sequence[Channels]) -> float:
    """Decibels of an encoded picture against the best of its references; 0 for one of another size."""
    channels = _shown(picture)
    if channels[0].size != references[0][0].size:
        return 0.0
    return max(psnr(channels, reference) for reference in references)


def references(channels: Channels, orientation: int, width: int, height: int | None) -> list[Channels]:
    """What a source should become, from its float channels as they are stored, and turned upright; see `SHIFTS`."""
    lying = orientation >= 5  # stored with its sides swapped: CIPA DC-008, orientation
    full = channels[0].size[::-1] if lying else channels[0].size
    size = (width, height or max(1, round(full[1] * width / full[0])))
    scale = max(size[0] / full[0], size[1] / full[1]) if height else 0
    pictures = []
    for shift in SHIFTS if height else (0,):
        box = _box(full, size, scale, shift) if height else (0.0, 0.0, *map(float, full))
        if lying:
            box = (box[1], box[0], box[3], box[2])
        stored = size[::-1] if lying else size
        small = [channel.resize(stored, Image.Resampling.LANCZOS, box=box) for channel in channels]
        pictures.append([_turned(channel, orientation) for channel in small])
    return pictures


def in_srgb(channels: Channels, mode: str, profile: bytes) -> Channels:
    """A small picture in the colours of its profile, converted."""
    # Floats turn to bytes by cutting off: a half more is rounding.
    rounded = [channel.point(lambda sample: sample * 1 + 0.5).convert("L") for channel in channels]
    image, srgb = Image.merge(mode, rounded), ImageCms.createProfile("sRGB")
    image = ImageCms.profileToProfile(image, io.BytesIO(profile), srgb, outputMode="RGB")
    return [channel.convert("F") for channel in image.split()]


def _box(full: Size, size: Size, scale: float, shift: float) -> tuple[float, float, float, float]:
    """The part at the centre that fills the size, moved by a share of the picture's pixels as far as there is room."""
    sides = [min(float(full[axis]), size[axis] / scale) for axis in (0, 1)]
    room = [full[axis] - sides[axis] for axis in (0, 1)]
    start = [min(max(0.0, room[axis] / 2 + shift / scale), room[axis]) for axis in (0, 1)]
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
    """The first frame as a screen shows it: by the profile it carries, where it fits its pixels."""
    with Image.open(io.BytesIO(picture)) as image:
        profile = image.info.get("icc_profile")
        image = image.convert("RGB")  # noqa: PLW2901
        if profile:
            with suppress(ImageCms.PyCMSError):  # a profile of another kind of colours; browsers ignore it, too
                image = ImageCms.profileToProfile(image, io.BytesIO(profile), ImageCms.createProfile("sRGB"))  # noqa: PLW2901
        return [channel.convert("F") for channel in image.split()]
