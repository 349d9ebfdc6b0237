"""What the steps of a rendition need besides its picture."""

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from image_processor.engine.decoding import OpenSource
from image_processor.engine.geometry import Size
from image_processor.engine.layout import Layout
from image_processor.transformations.transformation import Transformation


@dataclass(frozen=True, slots=True)
class Context:
    """A source, a transformation, and the layout of the rendition that they give."""

    source: OpenSource
    transformation: Transformation
    layout: Layout
    watermark: Callable[[Size], Image.Image] | None = None  # renders it for a picture of this size; None for none
