"""TIFF and BigTIFF, the first page. Refuses raw files of cameras, LZMA, and directories of too many parts."""

from typing import Final

from PIL import Image

from image_processor.engine.decoding import modes
from image_processor.engine.decoding.format import Format
from image_processor.engine.decoding.formats import tiff_bounds
from image_processor.engine.decoding.formats.tiff_directory import PHOTOMETRIC, TILE_LENGTH, TILE_WIDTH, Directory
from image_processor.engine.decoding.formats.tiff_raw import is_raw
from image_processor.engine.decoding.other_kinds import RAW
from image_processor.engine.decoding.registry import unsupported

_WHITE_IS_ZERO: Final = 0


class Tiff(Format):
    """A TIFF."""

    name = "tiff"
    plugin = "PIL.TiffImagePlugin"

    def refuse_kinds(self) -> None:
        """Raise `UnsupportedFormat` for a raw file."""
        if is_raw(self.source):
            raise unsupported(RAW)

    def check_structure(self) -> None:
        """Raise `SourceTooLarge` for too many parts, `UnsupportedFormat` for a compression that is not read."""
        tiff_bounds.check(Directory(self.source), self.limits)

    def check_opened(self, image: Image.Image) -> None:
        """Raise `SourceTooLarge` for a tile beyond the limits: it is decoded whole, even if the picture is smaller."""
        tags = getattr(image, "tag_v2", {})
        width, height = tags.get(TILE_WIDTH), tags.get(TILE_LENGTH)
        if isinstance(width, int) and isinstance(height, int):  # Pillow ignores a tag that is no number
            self.limits.check_sides(width, height)

    def orientation(self, image: Image.Image) -> int:  # noqa: ARG002
        """1, since Pillow decodes the picture upright."""
        return 1

    def resizable(self, image: Image.Image, profile: bytes | None) -> Image.Image:
        """As `modes.resizable`, with WhiteIsZero of 16 bits inverted: Pillow inverts only 8 bits."""
        deep_grey = image.mode in modes.DEEP_GREY
        resizable = modes.resizable(image, profile)
        if deep_grey and getattr(image, "tag_v2", {}).get(PHOTOMETRIC) == _WHITE_IS_ZERO:
            return resizable.point(lambda sample: sample * -1 + 65535)
        return resizable


FORMAT: Final = Tiff
