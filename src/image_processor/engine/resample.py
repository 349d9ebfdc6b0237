"""A decoded source, and the small pictures that are resampled from it: Lanczos, after an average by whole factors."""

from dataclasses import dataclass, field
from typing import Final

from PIL import Image

from image_processor.engine.layout import Box, Size, first_pixel
from image_processor.engine.trim import trimmed

# A picture is resampled from at least this many times its size, first by whole factors. Against a float Lanczos
# reference of the full decode, 2 keeps the worst photo above 45 dB, 1.5 falls to 42, 1 to 37. What the whole factors
# leave over weighs more the fewer pixels there are, so that a side of less than 48 is resampled from 96; and less where
# there are many: at 1.5, photos of three times 640 pixels a side keep 43 dB (dense leaves) to 54, in two thirds of the
# time. A page of text, whose lines are finer than a pixel, falls to 34 dB, as it does to 30 to 40 in sharp.
REDUCING_GAP: Final = 2.0
REDUCED_SIDE: Final = 96
LARGE_SIDE: Final = 640
LARGE_GAP: Final = 1.5
# Times more where a wavelet's halves stand for means: from twice a picture's size 39 dB are left, from four times 47.
WAVELET_GAP: Final = 2.0
AVERAGING_GAP: Final = 1.5  # times more, where what is averaged can't be chosen for each picture: 48 dB at the worst
KEPT_SHARE: Final = 0.5  # of the source: a picture of less is averaged by itself, since no other has use of it


@dataclass(slots=True)
class Pixels:
    """A decoded picture in a mode that can be resampled; `scale` is its sides as shares of the stored source's.

    The shares have fractions: a side of 1001 at 1/8 is 125.125 wide in 126 pixels, and a resize that takes all 126
    loses 20 dB. `shift`, in decoded pixels, is how far right and down the decoded picture lies beside that.
    """

    image: Image.Image
    scale: tuple[float, float] = (1.0, 1.0)
    shift: tuple[float, float] = (0.0, 0.0)
    _averaged: dict[tuple[int, int], Image.Image] = field(default_factory=dict)

    def at_least(self, least: Size) -> "Pixels":
        """The same in as few pixels as leave it this size; what is left out is no longer in memory."""
        factors = max(1, self.image.width // least[0]), max(1, self.image.height // least[1])
        if factors == (1, 1):
            return self
        across, down = factors
        scale = self.scale[0] / across, self.scale[1] / down
        return Pixels(self.image.reduce(factors), scale, (self.shift[0] / across, self.shift[1] / down))

    def resampled(self, box: Box, size: Size) -> Image.Image:
        """A part of the stored source as a small picture: L, LA, RGB, RGBA, CMYK or LAB, 8 bits a sample."""
        left, top, right, bottom = (
            place * share + shift for place, share, shift in zip(box, 2 * self.scale, 2 * self.shift, strict=True)
        )
        factors = _factor(right - left, size[0], size), _factor(bottom - top, size[1], size)
        image = self.image
        gap: float | None = gap_of(size)
        if factors != (1, 1) and (right - left) * (bottom - top) >= KEPT_SHARE * image.width * image.height:
            image, gap = self._average(factors), None
            left, top, right, bottom = left / factors[0], top / factors[1], right / factors[0], bottom / factors[1]
        # A box may pass the edge by the last digit of a float, and Pillow refuses that.
        width, height = map(float, image.size)
        inside = (max(0.0, left), max(0.0, top), min(width, right), min(height, bottom))
        small = image.resize(size, Image.Resampling.LANCZOS, box=inside, reducing_gap=gap)
        if small.mode in ("RGBa", "La"):
            return small.convert(small.mode.upper())
        if small.mode == "I":
            return small.point(lambda sample: sample * (1 / 257) + 0.5).convert("L")  # 65535 → 255, rounded
        return small

    def trimmed(self, region: Box, orientation: int, threshold: int) -> Box:
        """The part of a region of the stored source that is left without its plain edges; of a whole decode only."""
        return trimmed(self.image, region, first_pixel(region, self.image.size, orientation), threshold)

    def _average(self, factors: tuple[int, int]) -> Image.Image:
        """The whole picture, averaged by these factors: from an average that is there already, if it divides them."""
        if factors not in self._averaged:
            across, down = max((at for at in self._averaged if _divides(at, factors)), default=(1, 1))
            image = self._averaged.get((across, down), self.image)
            self._averaged[factors] = image.reduce((factors[0] // across, factors[1] // down))
        return self._averaged[factors]


def share_of(box: Box, size: Size) -> float:
    """What share of its sides a source must be decoded at, to leave this picture of this box room to be resampled.

    The decoder scales by its transform's coefficients, which keeps less than an average does.
    """
    return max(REDUCING_GAP, gap_of(size)) * least_share_of(box, size)


def averaged_share_of(box: Box, size: Size) -> float:
    """The same where the decoder averages by whole factors, in place of what would be done after it."""
    gap = gap_of(size)
    return (gap if gap == LARGE_GAP else gap * AVERAGING_GAP) * least_share_of(box, size)


def least_share_of(box: Box, size: Size) -> float:
    """What share of its sides a source has no fewer pixels at than this picture of this box."""
    return max(size[0] / (box[2] - box[0]), size[1] / (box[3] - box[1]))


def gap_of(size: Size) -> float:
    """How many times its size a picture is resampled from at the least."""
    return LARGE_GAP if min(size) >= LARGE_SIDE else max(REDUCING_GAP, REDUCED_SIDE / min(size))


def _factor(length: float, side: int, size: Size) -> int:
    return max(1, int(length / side / gap_of(size)))


def _divides(factors: tuple[int, int], others: tuple[int, int]) -> bool:
    return others[0] % factors[0] == 0 and others[1] % factors[1] == 0
