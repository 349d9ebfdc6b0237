"""Uprighting: steps that a resampled picture needs before any effect, so that it is upright and in sRGB.

They come after the resampling, on the small picture: on the source they would cost five times the whole rendition.
"""

from typing import Final

from PIL import Image

from image_processor.engine.context import Context

_TRANSPOSE: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,  # Pillow counts anticlockwise
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


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
