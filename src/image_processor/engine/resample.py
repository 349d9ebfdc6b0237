"""A decoded source, and the small pictures resampled from it: averaged by whole factors, then by Lanczos."""

from dataclasses import dataclass, field
from typing import Final

from PIL import Image

from image_processor.engine.geometry import Box, Size, first_pixel
from image_processor.engine.trim import trimmed

# A picture is resampled from at least REDUCING_GAP times its size; what is larger is averaged by whole factors first.
# Measured against a Lanczos resize in floating point of the full decode, the worst photo has 45 dB at a gap of 2, 42 at
# 1.5 and 37 at 1. The remainder that whole factors leave matters more the fewer pixels there are, so a side of less
# than 48 pixels is resampled from REDUCED_SIDE. It matters less where there are many: from LARGE_SIDE on, a gap of 1.5
# leaves 43 dB (dense leaves) to 54 at three times 640 pixels a side, and takes two thirds of the time. A page of text,
# whose lines are finer than a pixel, falls to 34 dB there; in sharp it has 30 to 40.
REDUCING_GAP: Final = 2.0
REDUCED_SIDE: Final = 96
LARGE_SIDE: Final = 640
LARGE_GAP: Final = 1.5
# A gap is multiplied by WAVELET_GAP where the halves of a wavelet replace averages: 39 dB are left from twice a
# picture's size, 47 from four times.
WAVELET_GAP: Final = 2.0
# A gap is multiplied by AVERAGING_GAP where the decoder averages, once for pictures of all sizes: 48 dB for the worst.
AVERAGING_GAP: Final = 1.5
# A picture that shows less than this share of the source is averaged by itself: no other picture can use its average.
SHARED_AVERAGE: Final = 0.5


@dataclass(slots=True)
class Pixels:
    """A decoded picture in a mode that can be resampled; `scale` is its sides as shares of the stored source's.

    The shares are not exact fractions of the sides: a side of 1001 decoded at 1/8 is 125.125 wide and has 126 pixels,
    and a resize that took all 126 would lose 20 dB. `shift`, in decoded pixels, is how far the decoded picture is
    shifted to the right and down.
    """

    image: Image.Image
    scale: tuple[float, float] = (1.0, 1.0)
    shift: tuple[float, float] = (0.0, 0.0)
    _averages: dict[tuple[int, int], Image.Image] = field(default_factory=dict)

    def at_least(self, least: Size) -> "Pixels":
        """The same picture, averaged to the fewest pixels that are at least this size.

        The caller drops the original, whose memory is then freed.
        """
        factors = max(1, self.image.width // least[0]), max(1, self.image.height // least[1])
        if factors == (1, 1):
            return self
        across, down = factors
        scale = self.scale[0] / across, self.scale[1] / down
        return Pixels(self.image.reduce(factors), scale, (self.shift[0] / across, self.shift[1] / down))

    def resampled(self, box: Box, size: Size) -> Image.Image:
        """A box of the stored source as a picture of this size: L, LA, RGB, RGBA, CMYK or LAB, 8 bits a sample."""
        left, top, right, bottom = (
            edge * share + shift for edge, share, shift in zip(box, 2 * self.scale, 2 * self.shift, strict=True)
        )
        factors = _factor(right - left, size[0], size), _factor(bottom - top, size[1], size)
        image = self.image
        gap: float | None = gap_of(size)
        if factors != (1, 1) and (right - left) * (bottom - top) >= SHARED_AVERAGE * image.width * image.height:
            image, gap = self._average(factors), None
            left, top, right, bottom = left / factors[0], top / factors[1], right / factors[0], bottom / factors[1]
        # Rounding may take a box past the edge by the last digit of a float, which Pillow refuses.
        width, height = map(float, image.size)
        inside = (max(0.0, left), max(0.0, top), min(width, right), min(height, bottom))
        small = image.resize(size, Image.Resampling.LANCZOS, box=inside, reducing_gap=gap)
        if small.mode in ("RGBa", "La"):
            return small.convert(small.mode.upper())
        if small.mode == "I":
            return small.point(lambda sample: sample * (1 / 257) + 0.5).convert("L")  # 65535 becomes 255, rounded
        return small

    def trimmed(self, region: Box, orientation: int, threshold: int) -> Box:
        """The region of the stored source without its plain edges; for a source that was decoded at its full size."""
        return trimmed(self.image, region, first_pixel(region, self.image.size, orientation), threshold)

    def _average(self, factors: tuple[int, int]) -> Image.Image:
        """The whole picture averaged by these factors, from an earlier average if one divides them."""
        if factors not in self._averages:
            across, down = max((done for done in self._averages if _divides(done, factors)), default=(1, 1))
            image = self._averages.get((across, down), self.image)
            self._averages[factors] = image.reduce((factors[0] // across, factors[1] // down))
        return self._averages[factors]


def share_of(box: Box, size: Size) -> float:
    """The least share of its sides that a source may be decoded at, so that this box can be resampled to this size.

    For a decoder that scales by the coefficients of its transform, which preserves less than an average does.
    """
    return max(REDUCING_GAP, gap_of(size)) * least_share_of(box, size)


def averaged_share_of(box: Box, size: Size) -> float:
    """The same for a decoder that averages by whole factors, which takes the place of averaging here."""
    gap = gap_of(size)
    return (gap if gap == LARGE_GAP else gap * AVERAGING_GAP) * least_share_of(box, size)


def least_share_of(box: Box, size: Size) -> float:
    """The share of its sides at which a source has as many pixels in this box as a picture of this size."""
    return max(size[0] / (box[2] - box[0]), size[1] / (box[3] - box[1]))


def gap_of(size: Size) -> float:
    """How many times its size a picture is resampled from, at the least."""
    return LARGE_GAP if min(size) >= LARGE_SIDE else max(REDUCING_GAP, REDUCED_SIDE / min(size))


def _factor(length: float, side: int, size: Size) -> int:
    return max(1, int(length / side / gap_of(size)))


def _divides(factors: tuple[int, int], others: tuple[int, int]) -> bool:
    return others[0] % factors[0] == 0 and others[1] % factors[1] == 0
