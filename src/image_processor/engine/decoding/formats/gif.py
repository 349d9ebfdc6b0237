"""GIF, still or animated. Refuses frames that lie outside the picture, and files of too many blocks."""

from typing import Final

from PIL import Image

from image_processor.engine.decoding.format import Format
from image_processor.engine.decoding.formats.gif_frames import count_frames

SHORT_FRAME: Final = 100  # milliseconds that a frame is shown which asks for 10 or less


class Gif(Format):
    """A GIF."""

    name = "gif"
    plugin = "PIL.GifImagePlugin"

    def loops(self, image: Image.Image) -> int:
        """A GIF counts repeats; without a count, it is shown once."""
        loop = image.info.get("loop")
        return 1 if loop is None else loop + 1 if loop else 0

    def frames(self, image: Image.Image) -> int:
        """Counted here, since Pillow's `n_frames` has no bound and takes a minute for 50 MB of the smallest frames."""
        return count_frames(self.source, image.size, self.limits.max_frames)

    def milliseconds(self, image: Image.Image) -> int:
        """As Chromium, Firefox and WebKit show it, since old GIFs ask for less time than there is."""
        shown = super().milliseconds(image)
        return SHORT_FRAME if shown <= 10 else shown


FORMAT: Final = Gif
