"""The steps that make a rendition, in order.

    crop ▸ trim ▸ rotate ▸ flip ▸ the size     in numbers: layout.py, by `RenditionBuilder`
    resample                                   resample.py; the picture is small from here on
    UPRIGHT                                    orient ▸ convert to sRGB
    FINISH                                     effects.py ▸ compositing.py
    the format                                 encode.py, all frames together

A new effect is a function in effects.py, or in compositing.py if it puts something over, under or around the picture,
and a line in `FINISH`. The manual numbers the steps of a transformation, in docs/transformations.md; a test holds that
list to this module.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from PIL import Image

from image_processor.engine import compositing, effects
from image_processor.engine.context import Context
from image_processor.engine.decoding import decoding
from image_processor.engine.resample import Pixels


class Step(NamedTuple):
    """One step: `run` returns the picture as it is if the context asks for nothing of it.

    `documented` is its line in the manual, of options or words; a step that no option asks for has none.
    """

    run: Callable[[Image.Image, Context], Image.Image]
    documented: str = ""


def orient(image: Image.Image, context: Context) -> Image.Image:
    """Apply the orientation of EXIF, `rotate` and `flip` at once."""
    orientation = context.layout.orientation
    return image if orientation == 1 else image.transpose(_TRANSPOSE[orientation])


def convert_to_srgb(image: Image.Image, context: Context) -> Image.Image:
    """Convert the colours of the source's ICC profile; a picture without one is sRGB already, unless it is LAB."""
    profile = context.source.header.profile
    if profile is None and image.mode != "LAB":
        return image
    from image_processor.engine.colour import to_srgb  # ImageCms takes 18 ms of a cold start; most sources need none

    return to_srgb(image, profile)


_TRANSPOSE: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,  # Pillow counts anticlockwise
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
UPRIGHT: Final = (
    Step(orient),
    Step(convert_to_srgb),
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


def upright(pixels: Pixels, context: Context) -> Image.Image:
    """Resample the layout's box of the source: a small upright picture in sRGB, as L, LA, RGB or RGBA.

    Raises `CorruptImage` for a source whose pixels can't be resampled or converted.
    """
    with decoding(context.source.header.format, context.source.limits):
        return _run(UPRIGHT, pixels.resampled(context.layout.box, context.layout.size), context)


def finish(image: Image.Image, context: Context) -> Image.Image:
    """Make an upright picture into a frame that can be encoded."""
    return _run(FINISH, image, context)


def _run(steps: Iterable[Step], image: Image.Image, context: Context) -> Image.Image:
    for step in steps:
        image = step.run(image, context)
    return image
