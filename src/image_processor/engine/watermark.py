"""Renders a watermark: another source, upright and in sRGB, as large as `watermark_scale` allows."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from PIL import Image

from image_processor.engine import memory_budget
from image_processor.engine.context import Context
from image_processor.engine.decoding import OpenSource, open_source
from image_processor.engine.geometry import Size
from image_processor.engine.layout import crop, lay_out
from image_processor.engine.limits import Limits
from image_processor.engine.steps import make_upright
from image_processor.errors import ImageProcessorError, SourceNotFound
from image_processor.transformations.transformation import Transformation

Watermarks = Mapping[str, bytes | ImageProcessorError]  # by key; the value is an error if the watermark can't be read
NO_WATERMARKS: Final[Watermarks] = MappingProxyType({})
MAX_PIXELS: Final = 16_000_000  # it is decoded while its picture is in memory, which encoding needs later


def render_watermark(key: str, scale: int, limits: Limits, watermarks: Watermarks, size: Size) -> Image.Image:
    """Render the watermark of this key, at this scale in per cent, for a picture of this size.

    Raises `SourceNotFound` for a key that is not among the watermarks, and the error that is among them. For a
    watermark that can't be rendered, it raises that error with the name of the watermark.
    """
    body = watermarks.get(key, SourceNotFound(f"there is no watermark {key!r}"))
    if isinstance(body, ImageProcessorError):
        raise body
    width, height = (max(1, side * scale // 100) for side in size)
    inside = Transformation(width=width, height=height, fit="inside", enlarge=True, frames=1)
    try:
        source = open_source(body, replace(limits, max_pixels=min(limits.max_pixels, MAX_PIXELS)))
        return _render(source, inside)
    except ImageProcessorError as error:
        raise type(error)(f"the watermark {key!r}: {error}") from error


def _render(source: OpenSource, transformation: Transformation) -> Image.Image:
    header = source.header
    region = crop(header.size, header.orientation, transformation)
    layout = lay_out(header.size, header.orientation, transformation, region)
    pixels = header.size[0] * header.size[1]
    memory_budget.check_picture(pixels, layout.canvas[0] * layout.canvas[1], transformation.format, source.limits)
    return make_upright(source.decode([(layout.box, layout.size)]), Context(source, transformation, layout))
