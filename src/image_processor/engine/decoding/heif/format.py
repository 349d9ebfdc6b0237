"""What AVIF and HEIC have in common: pictures as items in boxes, with colours by code points."""

from PIL import Image

from image_processor.engine.decoding.format import Format, cicp_profile, embedded_profile
from image_processor.engine.decoding.heif.items import Items
from image_processor.engine.decoding.heif.limits import read_items


class ItemsFormat(Format):
    """A file whose pictures are items."""

    _items: Items | None = None

    def check_structure(self) -> None:
        """Raise `SourceTooLarge` or `CorruptImage` for what would be decoded, if it is beyond the limits."""
        self._items = read_items(self.source, self.limits)

    def profile(self, image: Image.Image) -> bytes | None:
        """The ICC profile in the file, else that of the primary picture's code points."""
        embedded = embedded_profile(image)
        code_points = self._items.code_points if self._items else None
        return cicp_profile(image, *code_points) if embedded is None and code_points else embedded
