"""JPEG 2000, as a file (JP2) or as a codestream alone; decoded at 1/2, 1/4 and so on of its sides where that is enough.

Refuses too many tiles, precincts or code-blocks, files that contradict themselves about their size, and what takes too
long to decode.
"""

from typing import Final

from PIL import Image

from image_processor.engine.decoding.format import Format, Scale, Shift
from image_processor.engine.decoding.formats.jpeg2000_codestream import MAX_PIXELS, profile, read_codestream
from image_processor.engine.decoding.registry import corrupt
from image_processor.engine.limits import Limits
from image_processor.engine.resample import WAVELET_GAP


class Jpeg2000(Format):
    """A JPEG 2000."""

    name = "jpeg2000"
    plugin = "PIL.Jpeg2KImagePlugin"

    def __init__(self, source: bytes, limits: Limits) -> None:
        super().__init__(source, limits)
        self._codestream = read_codestream(source, limits)
        self.overhead = self._codestream.parts.memory

    def check_opened(self, image: Image.Image) -> None:
        """Raise `CorruptImage` where the file and its codestream have two sizes."""
        if self._codestream.size != image.size:
            raise corrupt("jpeg2000", "has two sizes")

    def decoded_pixels(self, image: Image.Image) -> int:
        """At most `MAX_PIXELS`, because a larger picture is decoded at a fraction of its size."""
        return min(image.width * image.height, MAX_PIXELS)

    def profile(self, image: Image.Image) -> bytes | None:  # noqa: ARG002 - Pillow does not read it
        """The ICC profile of the first colour box that has one."""
        return profile(self.source)

    def draft(self, image: Image.Image, share: float, least: float) -> tuple[Scale, Shift]:
        """Select as many halvings as leave `share` of the sides, or more where that takes too long to decode."""
        number = self._codestream.reductions(min(1.0, WAVELET_GAP * share), least)
        # Setting image.reduce does the same, but rounds odd sides down, and then can't decode.
        [tile] = image.tile  # type: ignore[attr-defined]  # of an image file
        codec, _, layers, *file = tile.args
        image._size = self._codestream.halved(number)
        image.tile = [tile._replace(extents=(0, 0, *image.size), args=(codec, number, layers, *file))]  # type: ignore[attr-defined]
        # A wavelet has the position of the first of two samples, a mean the position between them.
        shift = 0.5 - 0.5 ** (number + 1)
        return (0.5**number, 0.5**number), (shift, shift)


FORMAT: Final = Jpeg2000
