"""What a source may cost, at the most."""

from dataclasses import dataclass
from typing import Final

from image_processor.errors import SourceTooLarge

DEFAULT_MEMORY: Final = 1769  # MB, the template's; one whole vCPU


@dataclass(frozen=True, slots=True)
class Limits:
    """What a source may cost, found from its length and header before a pixel is decoded.

    80 megapixels take every phone's 48, 50 and 64 megapixel pictures. A side is what a JPEG or a GIF can have at most;
    a longer one costs memory for each row. `memory` is the function's, in bytes; `memory_budget` has the costs.
    """

    max_bytes: int = 50 * 1024 * 1024
    max_pixels: int = 80_000_000
    max_side: int = 65_535
    max_frames: int = 1_000
    memory: int = DEFAULT_MEMORY * 1024 * 1024

    def check_bytes(self, size: int) -> None:
        """Raise `SourceTooLarge` for a source of more bytes, whether it was read or is still to be."""
        if size > self.max_bytes:
            raise SourceTooLarge(f"the source has {size} bytes, allowed: {self.max_bytes}")

    def check_sides(self, width: int, height: int) -> None:
        """Raise `SourceTooLarge` for a picture of more pixels, or a longer side."""
        if width * height > self.max_pixels or max(width, height) > self.max_side:
            allowed = f"{self.max_pixels} in all and {self.max_side} a side"
            raise SourceTooLarge(f"the source has {width}×{height} pixels, allowed: {allowed}")

    def check_frames(self, frames: int, width: int, height: int) -> None:
        """Raise `SourceTooLarge` for an animation of more frames, or of more pixels in all of them."""
        if frames > self.max_frames:
            raise SourceTooLarge(f"the source has more frames than allowed, {self.max_frames}; {_FEWER}")
        if frames * width * height > self.max_pixels:
            pixels = f"{frames} frames of {width}×{height} pixels"
            raise SourceTooLarge(f"the source has {pixels}, allowed: {self.max_pixels} in all; {_FEWER}")


_FEWER: Final = "option frames asks for fewer, frames=1 for a still picture"
