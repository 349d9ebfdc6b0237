"""AVIF, still or a sequence. Refuses files with more pixels than their headers say, or too many parts."""

from typing import Final

from image_processor.engine.decoding.heif.format import ItemsFormat


class Avif(ItemsFormat):
    """An AVIF.

    Its orientation is that of its boxes `irot` and `imir`, which Pillow returns as EXIF. The file's own EXIF is ignored
    (ISO/IEC 23000-22, 7.3.6.7).
    """

    name = "avif"
    plugin = "PIL.AvifImagePlugin"
    animated = True


FORMAT: Final = Avif
