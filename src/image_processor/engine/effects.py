"""Effects: steps that change the pixels of an upright picture in sRGB, each by its option. steps.py has their order.

Pictures are L, LA, RGB or RGBA and keep their size; between `premultiply` and `unpremultiply` they are also La or RGBa.
"""

from PIL import Image

from image_processor.engine.context import Context


def premultiply(image: Image.Image, context: Context) -> Image.Image:
    """Multiply the colours by their alpha before a filter, which would bring out the colours of invisible pixels."""
    wanted = context.transformation
    filtered = wanted.blur is not None or wanted.sharpen is not None
    return image.convert(image.mode[:-1] + "a") if filtered and image.mode in ("LA", "RGBA") else image


def blur(image: Image.Image, context: Context) -> Image.Image:
    """Blur by a Gaussian of this sigma."""
    if context.transformation.blur is None:
        return image
    from PIL import ImageFilter  # imported when it is needed, for the cold start

    return image.filter(ImageFilter.GaussianBlur(context.transformation.blur))


def sharpen(image: Image.Image, context: Context) -> Image.Image:
    """Sharpen by an unsharp mask of this sigma."""
    if context.transformation.sharpen is None:
        return image
    from PIL import ImageFilter

    return image.filter(ImageFilter.UnsharpMask(radius=context.transformation.sharpen, percent=100, threshold=0))


def unpremultiply(image: Image.Image, _: Context) -> Image.Image:
    """Undo `premultiply`."""
    return image.convert(image.mode.upper()) if image.mode in ("La", "RGBa") else image


def set_tone(image: Image.Image, context: Context) -> Image.Image:
    """Multiply the brightness, then the distance from middle grey: as one curve, so that nothing is clipped between."""
    brightness, contrast = context.transformation.brightness, context.transformation.contrast
    if (brightness, contrast) == (1, 1):
        return image
    curve = [_clipped((sample * brightness - 128) * contrast + 128) for sample in range(256)]
    curves = [sample for band in image.getbands() for sample in (range(256) if band == "A" else curve)]
    return image.point(curves)


def saturate(image: Image.Image, context: Context) -> Image.Image:
    """Multiply the distance from grey; a grey picture has none."""
    saturation = context.transformation.saturation
    if saturation == 1 or not image.mode.startswith("RGB"):
        return image
    grey = image.convert("L").convert("RGB")
    saturated = Image.blend(grey, image.convert("RGB"), saturation)
    if image.mode == "RGBA":
        saturated.putalpha(image.getchannel("A"))
    return saturated


def remove_colour(image: Image.Image, context: Context) -> Image.Image:
    """Replace the colours by the luma of ITU-R BT.601."""
    if not context.transformation.grayscale or not image.mode.startswith("RGB"):
        return image
    return image.convert("LA" if image.mode == "RGBA" else "L")


def _clipped(sample: float) -> int:
    return max(0, min(255, int(sample + 0.5)))
