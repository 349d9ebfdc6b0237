"""BMP. Refuses run-length pictures of many pixels, which Pillow decodes in Python."""

from typing import Final

from PIL import Image

from image_processor.engine.decoding.format import Format
from image_processor.errors import SourceTooLarge

MAX_RUN_LENGTH_PIXELS: Final = 16_000_000  # a megapixel takes 0.2 s at worst


class Bmp(Format):
    """A BMP."""

    name = "bmp"
    plugin = "PIL.BmpImagePlugin"

    def check_opened(self, image: Image.Image) -> None:
        """Raise `SourceTooLarge` for a run-length picture of more than `MAX_RUN_LENGTH_PIXELS`."""
        run_length = any(tile[0] == "bmp_rle" for tile in getattr(image, "tile", ()))
        if run_length and image.width * image.height > MAX_RUN_LENGTH_PIXELS:
            raise SourceTooLarge(f"the source is a run-length BMP of more than {MAX_RUN_LENGTH_PIXELS} pixels")


FORMAT: Final = Bmp
