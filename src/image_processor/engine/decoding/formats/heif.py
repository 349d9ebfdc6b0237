"""HEIC: HEIF whose pictures are coded in HEVC, as phones write it.

Refuses every other codec in HEIF, and files with more pixels than their headers say, or too many parts.
"""

from importlib import import_module
from typing import Final

from PIL import Image

from image_processor.engine.decoding.format import Scale, Shift, drafted
from image_processor.engine.decoding.heif.format import ItemsFormat
from image_processor.engine.decoding.heif.items import kinds_in
from image_processor.engine.decoding.registry import unsupported

# libheif decodes more kinds (uncompressed, masks, JPEG, JPEG 2000), which no phone writes and which had its worst
# vulnerabilities.
KINDS: Final = frozenset((b"hvc1", b"grid", b"iden", b"iovl", b"tmap", b"Exif", b"mime", b"uri "))


class Heif(ItemsFormat):
    """A HEIC."""

    name = "heif"
    plugin = "pillow_heif"

    @classmethod
    def load_plugin(cls) -> None:
        """Register the class of the plugin, whose own function would register AVIF and names of files, too."""
        Image.register_open("HEIF", import_module(cls.plugin).HeifImageFile, lambda prefix: prefix[4:8] == b"ftyp")

    def refuse_kinds(self) -> None:
        """Raise `UnsupportedFormat` for an item of another kind than `KINDS`."""
        others = kinds_in(self.source) - KINDS
        if others:
            names = ", ".join(sorted(name.decode("ascii", "replace").strip() for name in others))
            raise unsupported(f"HEIF of another codec than HEVC ({names})")

    def orientation(self, image: Image.Image) -> int:  # noqa: ARG002
        """1, since libheif decodes the picture upright."""
        return 1

    def draft(self, image: Image.Image, share: float, least: float) -> tuple[Scale, Shift]:  # noqa: ARG002
        """Select an embedded thumbnail instead of the picture, if it is large enough."""
        return drafted(image, share)


FORMAT: Final = Heif
