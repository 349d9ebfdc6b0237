"""WebP, still ones decoded at a whole fraction of their size. Refuses nothing by itself."""

from typing import Final

from PIL import Image

from image_processor.engine.decoding.format import Format, Prepare, Reduced
from image_processor.engine.geometry import Size


class Webp(Format):
    """A WebP."""

    name = "webp"
    plugin = "PIL.WebPImagePlugin"
    animated = True

    def decode_reduced(self, image: Image.Image, least: Size, prepare: Prepare) -> Reduced | None:  # noqa: ARG002
        """Decode with libwebp itself, if the picture is still and complete."""
        from image_processor.engine.decoding.formats import webp_scaled  # ctypes takes 2 to 14 ms of a cold start

        return webp_scaled.decode_scaled(self.source, least)


FORMAT: Final = Webp
