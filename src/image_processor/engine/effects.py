"""What is done to a small upright picture in sRGB before it is encoded: L, LA, RGB or RGBA, the same size after."""

from collections.abc import Sequence

from PIL import Image

from image_processor.transformations.transformation import Transformation

SUPERSAMPLING = 4  # times as many pixels to draw a rounded corner with, which smooths its edge


def apply(image: Image.Image, transformation: Transformation) -> Image.Image:
    """The picture blurred, sharpened, toned and made grey, in this order; one without these options as it is."""
    if transformation.blur is not None or transformation.sharpen is not None:
        image = _filtered(image, transformation.blur, transformation.sharpen)
    if (transformation.brightness, transformation.contrast) != (1, 1):
        image = _toned(image, transformation.brightness, transformation.contrast)
    if transformation.saturation != 1 and image.mode.startswith("RGB"):
        image = _coloured(image, transformation.saturation)
    if transformation.grayscale and image.mode.startswith("RGB"):
        image = image.convert("LA" if image.mode == "RGBA" else "L")
    return image


def rounded(image: Image.Image, radius: int) -> Image.Image:
    """The picture with transparent corners; half a side or more makes an ellipse of it."""
    from PIL import ImageDraw  # by need: it brings Pillow's text along

    across, down = min(radius, image.width // 2), min(radius, image.height // 2)
    if not across or not down:
        return image
    scale = SUPERSAMPLING if max(across, down) <= 1024 else 1
    quarter = Image.new("L", (across * scale, down * scale))
    ImageDraw.Draw(quarter).ellipse((0, 0, 2 * across * scale - 1, 2 * down * scale - 1), fill=255)
    quarter = quarter.resize((across, down), Image.Resampling.BOX)
    mask = Image.new("L", image.size, 255)
    right, bottom = image.width - across, image.height - down
    flipped, mirrored = Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.FLIP_LEFT_RIGHT
    mask.paste(quarter, (0, 0))
    mask.paste(quarter.transpose(mirrored), (right, 0))
    mask.paste(quarter.transpose(flipped), (0, bottom))
    mask.paste(quarter.transpose(flipped).transpose(mirrored), (right, bottom))
    straight = image.convert("LA" if image.mode in ("L", "LA") else "RGBA")
    straight.putalpha(_multiplied(straight.getchannel("A"), mask))
    return straight


def overlaid(image: Image.Image, watermark: Image.Image, place: tuple[float, float], opacity: int) -> Image.Image:
    """The picture under a watermark; `place` is the shares of the room to its left and above it, `opacity` per cent."""
    over = watermark.convert("RGBA")
    if opacity < 100:
        over.putalpha(over.getchannel("A").point(lambda alpha: alpha * opacity / 100 + 0.5))
    room = (image.width - over.width, image.height - over.height)
    base = image.convert("RGBA")
    base.alpha_composite(over, (round(room[0] * place[0]), round(room[1] * place[1])))
    return base


def _filtered(image: Image.Image, blur: float | None, sharpen: float | None) -> Image.Image:
    from PIL import ImageFilter

    mode = image.mode
    # Premultiplied, or the colours that hide behind transparency would bleed out of it.
    work = image.convert({"LA": "La", "RGBA": "RGBa"}[mode]) if mode in ("LA", "RGBA") else image
    if blur is not None:
        work = work.filter(ImageFilter.GaussianBlur(blur))
    if sharpen is not None:
        work = work.filter(ImageFilter.UnsharpMask(radius=sharpen, percent=100, threshold=0))
    return work.convert(mode) if work.mode != mode else work


def _toned(image: Image.Image, brightness: float, contrast: float) -> Image.Image:
    curve = [_clipped((sample * brightness - 128) * contrast + 128) for sample in range(256)]
    return image.point(_curves(image, curve))


def _coloured(image: Image.Image, saturation: float) -> Image.Image:
    grey = image.convert("L").convert("RGB")
    coloured = Image.blend(grey, image.convert("RGB"), saturation)
    if image.mode == "RGBA":
        coloured.putalpha(image.getchannel("A"))
    return coloured


def _curves(image: Image.Image, curve: Sequence[int]) -> list[int]:
    """The curve for each band but alpha, which stays."""
    return [sample for band in image.getbands() for sample in (range(256) if band == "A" else curve)]


def _clipped(sample: float) -> int:
    return max(0, min(255, int(sample + 0.5)))


def _multiplied(alpha: Image.Image, mask: Image.Image) -> Image.Image:
    from PIL import ImageChops

    return ImageChops.multiply(alpha, mask)
