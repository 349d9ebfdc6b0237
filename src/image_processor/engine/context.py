"""What the steps of one rendition know besides the picture they work on."""

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from image_processor.engine.decoding import OpenSource
from image_processor.engine.geometry import Size
from image_processor.engine.layout import Layout
from image_processor.transformations.transformation import Transformation


@dataclass(frozen=True, slots=True)
class Context:
    """One source, one transformation, and where the one becomes a picture by the other."""

    source: OpenSource
    transformation: Transformation
    layout: Layout
    watermark: Callable[[Size], Image.Image] | None = None  # renders it for a picture of this size; None for none
