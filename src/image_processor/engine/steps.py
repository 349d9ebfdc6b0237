"""The steps of a rendition, in order.

    crop ▸ trim ▸ rotate ▸ flip ▸ the size     in numbers: layout.py, by `RenditionBuilder`
    resample                                   resample.py; the picture is small from here on
    UPRIGHT   orient ▸ convert to sRGB         upright.py
    FINISH    blur ▸ sharpen ▸ … ▸ flatten     effects.py, then compositing.py
    the format                                 encode.py, all frames together

A new effect is a function in effects.py, or in compositing.py if it puts something over, under or around the picture,
and a line in `FINISH`. The manual numbers the steps of a transformation, in docs/transformations.md; a test compares
that list with this module.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from PIL import Image

from image_processor.engine import compositing, effects, upright
from image_processor.engine.context import Context
from image_processor.engine.decoding import decoding
from image_processor.engine.resample import Pixels


class Step(NamedTuple):
    """One step: `run` returns the picture as it is if the transformation does not need the step.

    `documented` is its line in the manual, of options or words; a step without an option has none.
    """

    run: Callable[[Image.Image, Context], Image.Image]
    documented: str = ""


UPRIGHT: Final = (
    Step(upright.orient),
    Step(upright.convert_to_srgb),
    Step(compositing.drop_opaque_alpha),
)
FINISH: Final = (
    Step(effects.premultiply),  # filters mix neighbouring pixels
    Step(effects.blur, "`blur`"),
    Step(effects.sharpen, "`sharpen`"),
    Step(effects.unpremultiply),
    Step(effects.set_tone, "`brightness`, then `contrast`"),
    Step(effects.saturate, "`saturation`"),
    Step(effects.remove_colour, "`grayscale`"),
    Step(compositing.letterbox, "letterboxing"),
    Step(compositing.overlay_watermark, "the watermark"),
    Step(compositing.round_corners, "rounded corners"),
    Step(compositing.drop_opaque_alpha),
    Step(compositing.flatten),
)


def make_upright(pixels: Pixels, context: Context) -> Image.Image:
    """Resample the layout's box of the source: a small upright picture in sRGB, as L, LA, RGB or RGBA.

    Raises `CorruptImage` for a source whose pixels can't be resampled or converted.
    """
    with decoding(context.source.header.format, context.source.limits):
        return _run(UPRIGHT, pixels.resampled(context.layout.box, context.layout.size), context)


def finish(image: Image.Image, context: Context) -> Image.Image:
    """Turn an upright picture into a frame that can be encoded."""
    return _run(FINISH, image, context)


def _run(steps: Iterable[Step], image: Image.Image, context: Context) -> Image.Image:
    for step in steps:
        image = step.run(image, context)
    return image
