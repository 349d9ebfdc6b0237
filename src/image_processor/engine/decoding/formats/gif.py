"""GIF, still or animated. Refuses frames that are outside the picture, and files of too many blocks."""

from typing import Final

from PIL import Image

from image_processor.engine.decoding.format import Format
from image_processor.engine.decoding.formats.gif_frames import count_frames

SHORT_FRAME: Final = 100  # milliseconds for which browsers show a frame that specifies 10 or less


class Gif(Format):
    """A GIF."""

    name = "gif"
    plugin = "PIL.GifImagePlugin"

    def loops(self, image: Image.Image) -> int:
        """A GIF counts repeats; without a count, it is shown once."""
        loop = image.info.get("loop")
        return 1 if loop is None else loop + 1 if loop else 0

    def frames(self, image: Image.Image) -> int:
        """The number of frames by their blocks: Pillow's `n_frames` takes a minute for 50 MB of the smallest frames."""
        return count_frames(self.source, image.size, self.limits.max_frames)

    def milliseconds(self, image: Image.Image) -> int:
        """How long Chromium, Firefox and WebKit show the frame; old GIFs specify impossibly short times."""
        shown = super().milliseconds(image)
        return SHORT_FRAME if shown <= 10 else shown


FORMAT: Final = Gif
