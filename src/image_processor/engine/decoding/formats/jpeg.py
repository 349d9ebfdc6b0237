"""JPEG, decoded while it arrives and at 1/2, 1/4 or 1/8 of its sides where that is enough.

Of several pictures in one file (MPO, Ultra HDR) the first is read. Too many segments or scans are refused.
"""

from typing import Final

from PIL import Image

from image_processor.engine.decoding.bounded_file import File
from image_processor.engine.decoding.format import Format, Scale, Shift, drafted
from image_processor.engine.decoding.formats.jpeg_scans import ScanBoundedFile, read_header


class Jpeg(Format):
    """A JPEG."""

    name = "jpeg"
    plugin = "PIL.JpegImagePlugin"
    streams = True

    def bounded(self, file: File) -> File:
        """Raise `SourceTooLarge` for too many segments; the returned file raises it for too many scans."""
        header = read_header(file)
        if header.one_scan:
            return file
        self.memory_kind = "jpeg of several scans"
        return ScanBoundedFile(file, header)

    def draft(self, image: Image.Image, share: float, least: float) -> tuple[Scale, Shift]:  # noqa: ARG002
        """Select 1/2, 1/4 or 1/8 of the sides, which the decoder takes from the coefficients of its transform."""
        return drafted(image, share)


FORMAT: Final = Jpeg
