"""The sources: drawn by code from one seed, with the entropy of photographs, and stored in a folder that git ignores.

An encoded photograph's size determines how long its decoder takes, so sizes are close to a camera's: 4 MB for a
12-megapixel JPEG at quality 88, 20 MB for the same as PNG.
"""

import hashlib
import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import PIL
import pyvips
from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageFilter

from tests.unit import profiles

Size = tuple[int, int]

FULL: Final = (4000, 3000)
ORIENTATION: Final = 0x0112  # EXIF tag, CIPA DC-008
GIF_FRAMES: Final = 100
# Grains across the picture, and how far each layer differs from grey: finer layers differ less, as in photographs.
LAYERS: Final = ((5, 60), (17, 30), (70, 18), (260, 12), (900, 14), (2000, 17), (4000, 13))
SHAPES: Final = 260


def sources(folder: Path) -> dict[str, Path]:
    """Name → file of every source; draws those that are not there yet."""
    text = Path(__file__).read_bytes() + Path(profiles.__file__).read_bytes() + PIL.__version__.encode()
    stored = folder / f"sources-{hashlib.sha256(text).hexdigest()[:12]}"
    stored.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, draw in DRAWN.items():
        files[name] = stored / name
        if not files[name].exists():
            unfinished = stored / f"unfinished-{name}"
            unfinished.write_bytes(draw())
            unfinished.rename(files[name])
    return files


@cache
def photo() -> Image.Image:
    """12 megapixels of hard-edged shapes, soft light, texture of every fineness and a sensor's noise."""
    dice = random.Random("photo")  # noqa: S311 - a picture, not a secret
    image = _noise(dice, (6, 5), 110).resize(FULL, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for number in range(SHAPES):
        _shape(dice, draw, reach=1000 * 0.98**number + 15)
    image = image.filter(ImageFilter.GaussianBlur(1.1))  # as soft as a lens makes an edge
    for grains, strength in LAYERS:
        layer = _noise(dice, (grains, grains * FULL[1] // FULL[0] + 1), strength)
        image = ImageChops.add(image, layer.resize(FULL, Image.Resampling.BICUBIC), 1, -128)
    return image


def _noise(dice: random.Random, size: Size, strength: int) -> Image.Image:
    """Noise, half of which is the same in all channels, and half coloured."""
    grey = Image.frombytes("L", size, dice.randbytes(size[0] * size[1])).convert("RGB")
    colour = Image.frombytes("RGB", size, dice.randbytes(3 * size[0] * size[1]))
    mixed = Image.blend(grey, colour, 0.25)
    return mixed.point(lambda sample: round(128 + (sample - 127.5) * strength / 128))


def _shape(dice: random.Random, draw: ImageDraw.ImageDraw, reach: float) -> None:
    x, y = dice.uniform(0, FULL[0]), dice.uniform(0, FULL[1])
    colour = tuple(round(dice.triangular(20, 235)) for _ in range(3))
    if dice.random() < 0.4:
        wide, high = dice.uniform(0.3, 1) * reach, dice.uniform(0.3, 1) * reach
        draw.ellipse((x - wide, y - high, x + wide, y + high), fill=colour)
    else:
        corners = [
            (x + dice.uniform(-reach, reach), y + dice.uniform(-reach, reach)) for _ in range(dice.choice((3, 4, 5)))
        ]
        draw.polygon(corners, fill=colour)


def _encoded(image: Image.Image, image_format: str, **options: Any) -> bytes:
    body = io.BytesIO()
    image.save(body, image_format, **options)
    return body.getvalue()


def _jpeg(size: Size = FULL, **options: Any) -> bytes:
    image = photo() if size == FULL else photo().resize(size, Image.Resampling.LANCZOS)
    return _encoded(image, "jpeg", **{"quality": 88, "subsampling": 2, **options})


def _lying_on_its_side() -> bytes:
    """A portrait as a phone stores it: in Display P3, with an orientation of 90 degrees clockwise."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    return _jpeg(exif=exif, icc_profile=profiles.rgb_profile(profiles.DISPLAY_P3, None))


def _cmyk() -> bytes:
    def inks_on_paper(inks: tuple[int, int, int, int]) -> tuple[int, ...]:
        return tuple(round(255 * (1 - 0.9 * ink) * (1 - 0.92 * inks[3])) for ink in inks[:3])

    return _encoded(photo().convert("CMYK"), "jpeg", quality=80, icc_profile=profiles.cmyk_profile(inks_on_paper))


def _deep_png() -> bytes:
    """3 megapixels of 16 bits in RGB, the lower eight full of noise, as a raw converter exports."""
    size = (2000, 1500)
    shallow = photo().resize(size, Image.Resampling.LANCZOS)
    image = pyvips.Image.new_from_memory(shallow.tobytes(), *size, 3, "uchar")
    grain = pyvips.Image.gaussnoise(*size, mean=0, sigma=80, seed=7)
    deep = (image * 257 + grain).cast("ushort").copy(interpretation="rgb16")
    return deep.pngsave_buffer(compression=6)


def _animation() -> bytes:
    """A camera that pans over the photo."""
    small = photo().resize((1600, 1200), Image.Resampling.LANCZOS)
    frames = [
        small.crop((5 * place, 3 * place, 5 * place + 480, 3 * place + 360)).quantize(128, Image.Quantize.FASTOCTREE)
        for place in range(GIF_FRAMES)
    ]
    return _encoded(frames[0], "gif", save_all=True, append_images=frames[1:], duration=50, loop=0)


DRAWN: Final[dict[str, Callable[[], bytes]]] = {
    "12mp.jpg": _jpeg,
    "2.8mp.jpg": lambda: _jpeg((1936, 1452)),
    "odd.jpg": lambda: _jpeg((2003, 1501)),
    "progressive.jpg": lambda: _jpeg(progressive=True),
    "cmyk.jpg": _cmyk,
    "p3-turned.jpg": _lying_on_its_side,
    "12mp.png": lambda: _encoded(photo(), "png", compress_level=6),
    "16bit.png": _deep_png,
    "12mp.webp": lambda: _encoded(photo(), "webp", quality=85, method=4),
    "12mp.avif": lambda: _encoded(photo(), "avif", quality=70, speed=8),
    "animation.gif": _animation,
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A source's first frame, all pixels, as it is stored: channels of floats from 0 to 255."""

    srgb: list[Image.Image]
    own: list[Image.Image]  # in the colours of its profile; the same where it has none
    mode: str
    profile: bytes | None
    orientation: int


def decoded(body: bytes) -> Decoded:
    """Decode a source in full."""
    with Image.open(io.BytesIO(body)) as image:
        orientation, profile = image.getexif().get(ORIENTATION, 1), image.info.get("icc_profile")
        if image.format == "PNG" and pyvips.Image.new_from_buffer(body, "").format == "ushort":
            channels = _deep_channels(body)
            return Decoded(channels, channels, "RGB", None, orientation)
        if not profile:
            channels = _floats(image.convert("RGB"))
            return Decoded(channels, channels, "RGB", None, orientation)
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, io.BytesIO(profile), srgb, outputMode="RGB")
        return Decoded(_floats(converted), _floats(image), image.mode, profile, orientation)


def _floats(image: Image.Image) -> list[Image.Image]:
    return [channel.convert("F") for channel in image.split()]


def _deep_channels(body: bytes) -> list[Image.Image]:
    deep = pyvips.Image.new_from_buffer(body, "")
    bands = [(band / 257).cast("float") for band in deep.bandsplit()]
    return [Image.frombytes("F", (deep.width, deep.height), band.write_to_memory()) for band in bands]
