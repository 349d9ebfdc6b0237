"""The limits on what a source may cost."""

from dataclasses import dataclass
from typing import Final

from image_processor.errors import SourceTooLarge

DEFAULT_MEMORY: Final = 1769  # MB; the template's default, at which a Lambda function has one whole vCPU
_FEWER: Final = "ask for fewer with the option frames, or for a still picture with frames=1"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a source may cost, checked by its length and its header before a pixel is decoded.

    80 megapixels allow the pictures of every phone, of 48, 50 and 64 megapixels. The longest side is the longest that a
    JPEG or a GIF can have; each row of a picture costs memory, even a narrow one. `memory` is what the process may
    use, in bytes; memory_budget.py has what rendering takes of it.
    """

    max_bytes: int = 50 * 1024 * 1024
    max_pixels: int = 80_000_000
    max_side: int = 65_535
    max_frames: int = 1_000
    memory: int = DEFAULT_MEMORY * 1024 * 1024

    def check_bytes(self, size: int) -> None:
        """Raise `SourceTooLarge` for a source of more bytes than allowed."""
        if size > self.max_bytes:
            raise SourceTooLarge(f"the source has {size} bytes, allowed: {self.max_bytes}")

    def check_sides(self, width: int, height: int) -> None:
        """Raise `SourceTooLarge` for a picture of more pixels than allowed, or with a longer side."""
        if width * height > self.max_pixels or max(width, height) > self.max_side:
            allowed = f"{self.max_pixels} in all and {self.max_side} a side"
            raise SourceTooLarge(f"the source has {width}×{height} pixels, allowed: {allowed}")

    def check_frames(self, frames: int, width: int, height: int) -> None:
        """Raise `SourceTooLarge` for an animation of more frames than allowed, or of more pixels in all its frames."""
        if frames > self.max_frames:
            raise SourceTooLarge(f"the source has more frames than allowed, {self.max_frames}; {_FEWER}")
        if frames * width * height > self.max_pixels:
            pixels = f"{frames} frames of {width}×{height} pixels"
            raise SourceTooLarge(f"the source has {pixels}, allowed: {self.max_pixels} in all; {_FEWER}")
