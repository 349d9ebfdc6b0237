"""Compositing: steps that put something around, over or under a picture, and what they have in common for alpha.

Pictures are L, LA, RGB or RGBA. steps.py has the order of the steps.
"""

from typing import Final

from PIL import Image

from image_processor.engine.context import Context
from image_processor.engine.encode import has_alpha, keeps_alpha, target_format
from image_processor.transformations.options import POSITIONS

SUPERSAMPLING: Final = 4  # a rounded corner is drawn this many times larger, which smooths its edge
SUPERSAMPLED_RADIUS: Final = 1024  # pixels; a larger radius is drawn at its size, which bounds the memory it takes


def letterbox(image: Image.Image, context: Context) -> Image.Image:
    """Put a picture that is smaller than its canvas on the background; transparent where `flatten` is still to come."""
    layout, wanted = context.layout, context.transformation
    if layout.canvas == image.size:
        return image
    transparent_format = wanted.format is None or keeps_alpha(wanted.format)
    background = wanted.background if transparent_format else None
    canvas = Image.new("RGBA", layout.canvas, _rgba(background or "00000000"))
    canvas.paste(image.convert("RGBA"), layout.offset)
    return canvas


def overlay_watermark(image: Image.Image, context: Context) -> Image.Image:
    """Lay the watermark over the picture, at its position and with its opacity."""
    if context.watermark is None:
        return image
    wanted = context.transformation
    mark = context.watermark(image.size).convert("RGBA")
    if wanted.watermark_opacity < 100:
        mark.putalpha(mark.getchannel("A").point(lambda alpha: alpha * wanted.watermark_opacity / 100 + 0.5))
    left, top = POSITIONS[wanted.watermark_position]
    base = image.convert("RGBA")
    base.alpha_composite(mark, (round((image.width - mark.width) * left), round((image.height - mark.height) * top)))
    return base


def round_corners(image: Image.Image, context: Context) -> Image.Image:
    """Make the corners outside a quarter circle transparent; a radius of half a side or more makes an ellipse."""
    radius = context.transformation.radius or 0
    across, down = min(radius, image.width // 2), min(radius, image.height // 2)
    if not across or not down:
        return image
    from PIL import ImageChops  # imported when it is needed, for the cold start

    alpha_added = image.convert("LA" if image.mode in ("L", "LA") else "RGBA")
    alpha_added.putalpha(ImageChops.multiply(alpha_added.getchannel("A"), _corner_mask(image.size, across, down)))
    return alpha_added


def drop_opaque_alpha(image: Image.Image, _: Context) -> Image.Image:
    """Leave alpha out of a picture that has no transparent pixel."""
    opaque = has_alpha(image) and image.getchannel("A").getextrema()[0] == 255
    return image.convert(image.mode.removesuffix("A")) if opaque else image


def flatten(image: Image.Image, context: Context) -> Image.Image:
    """Put a transparent picture on its background, with white below, if it becomes a format without alpha."""
    wanted = context.transformation
    if not has_alpha(image) or keeps_alpha(target_format(wanted, context.source.header.format, alpha=True)):
        return image
    canvas = Image.new("RGBA", image.size, "white")
    if wanted.background:
        canvas.alpha_composite(Image.new("RGBA", image.size, _rgba(wanted.background)))
    canvas.alpha_composite(image.convert("RGBA"))
    return canvas.convert("RGB")


def _corner_mask(size: tuple[int, int], across: int, down: int) -> Image.Image:
    """255 inside corners of these radii, 0 outside."""
    from PIL import ImageDraw  # imported when it is needed: it imports Pillow's text

    scale = SUPERSAMPLING if max(across, down) <= SUPERSAMPLED_RADIUS else 1
    corner = Image.new("L", (across * scale, down * scale))
    ImageDraw.Draw(corner).ellipse((0, 0, 2 * across * scale - 1, 2 * down * scale - 1), fill=255)
    corner = corner.resize((across, down), Image.Resampling.BOX)
    mask = Image.new("L", size, 255)
    right, bottom = size[0] - across, size[1] - down
    flipped, mirrored = Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.FLIP_LEFT_RIGHT
    mask.paste(corner, (0, 0))
    mask.paste(corner.transpose(mirrored), (right, 0))
    mask.paste(corner.transpose(flipped), (0, bottom))
    mask.paste(corner.transpose(flipped).transpose(mirrored), (right, bottom))
    return mask


def _rgba(colour: str) -> tuple[int, int, int, int]:
    red, green, blue, alpha = (*bytes.fromhex(colour), 255)[:4]
    return red, green, blue, alpha
