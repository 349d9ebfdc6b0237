"""Encodes finished frames as a file: its format and quality, and the format's support for alpha and animation."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image

from image_processor.engine.decoding import load_plugin
from image_processor.engine.max_bytes import SAMPLED, within
from image_processor.engine.quantize import TRANSPARENT, paletted
from image_processor.transformations.options import (
    ALPHA_FORMATS,
    ANIMATED_FORMATS,
    DEFAULT_QUALITY,
    FORMATS,
    LOSSLESS_FORMATS,
)
from image_processor.transformations.transformation import Transformation

LARGE: Final = 512 * 512  # pixels in all frames
LARGE_METHOD: Final = 2  # of a WebP beyond that: half the time of method 4, for 3 to 5 % more bytes
LARGE_SPEED: Final = 9  # of a large AVIF within max_bytes: two thirds of the time of speed 8, for the same bytes
MAX_COUNT: Final = 65_535  # loops, and hundredths of a second in a GIF
MAX_MILLISECONDS: Final = 2**31 - 1  # of all frames of a WebP, which Pillow counts in a C int
MAX_FRAME_MILLISECONDS: Final = 2**24 - 1  # of one frame of a WebP
WEBP_ALPHA: Final = 0x10  # the flag of VP8X (WebP container specification, "Extended file format")
ENCODING: Final[dict[str, dict[str, int | bool]]] = {
    "jpeg": {"optimize": True},
    "png": {},
    "webp": {"method": 4},
    "avif": {"speed": 8},  # a third of the time of speed 6, for a few per cent more bytes
    "gif": {},
}


@dataclass(frozen=True, slots=True)
class Frame:
    """A finished picture, L, LA, RGB or RGBA, and the milliseconds for which an animation shows it."""

    image: Image.Image
    milliseconds: int = 0


def target_format(transformation: Transformation, source_format: str, *, alpha: bool) -> str:
    """The requested format; else the source's own if browsers show it, else PNG or JPEG, with alpha or without."""
    return transformation.format or (source_format if source_format in FORMATS else "png" if alpha else "jpeg")


def has_alpha(image: Image.Image) -> bool:
    """Whether a finished picture has alpha."""
    return image.mode in ("LA", "RGBA")


def keeps_alpha(target: str) -> bool:
    """Whether a picture of this format can be transparent."""
    return target in ALPHA_FORMATS


def keeps_frames(transformation: Transformation, source_format: str) -> bool:
    """Whether the rendition of an animated source is animated too."""
    return transformation.frames != 1 and target_format(transformation, source_format, alpha=False) in ANIMATED_FORMATS


def encode(frames: Sequence[Frame], loops: int, target: str, transformation: Transformation) -> bytes:
    """Encode all frames as one file, which is shown `loops` times, or without end for 0; an AVIF is always endless.

    Raises `InvalidTransformation` if even the lowest quality takes more bytes than `max_bytes` allows.
    """
    load_plugin(target)
    options: dict[str, Any] = dict(ENCODING[target])
    pixels = sum(frame.image.width * frame.image.height for frame in frames)
    large = pixels > LARGE
    if target == "webp" and large:
        options["method"] = 0 if transformation.lossless else LARGE_METHOD
    first, *rest = _encodable([frame.image for frame in frames], target)
    if target == "gif" and any(has_alpha(frame.image) for frame in frames):
        options |= {"transparency": TRANSPARENT, "disposal": 2}
    if rest:
        options |= {"save_all": True, "append_images": rest, "duration": _durations(target, frames)}
        options |= _loop(target, loops)
    if target in LOSSLESS_FORMATS and transformation.lossless:
        return _saved(first, target, {**options, "lossless": True, "quality": 0 if large else 75})  # here: the effort
    if target == "gif":
        return _saved_as_gif(first, options)
    if target not in DEFAULT_QUALITY:
        return _saved(first, target, options)
    quality = transformation.quality or DEFAULT_QUALITY[target]
    if transformation.max_bytes is None:
        return _saved(first, target, {**options, "quality": quality})
    if target == "avif" and pixels > SAMPLED:
        options["speed"] = LARGE_SPEED

    def save(images: Sequence[Image.Image], quality: int) -> bytes:
        more = {"append_images": images[1:]} if rest else {}
        return _saved(images[0], target, {**options, **more, "quality": quality})

    return within(transformation.max_bytes, [first, *rest], quality, save)


def _saved_as_gif(image: Image.Image, options: dict[str, Any]) -> bytes:
    """Encode a GIF. Pillow joins equal frames and adds their times up; times are shortened if the sum is too long."""
    try:
        return _saved(image, "gif", options)
    except OverflowError:
        most = 10 * (MAX_COUNT // len(options["duration"]))
        return _saved(image, "gif", {**options, "duration": [min(time, most) for time in options["duration"]]})


def _saved(image: Image.Image, target: str, options: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    image.save(file, format=target, **options)
    body = file.getbuffer()
    # libwebp leaves the flag out if all that is transparent is outside the rectangles of the frames, and readers then
    # take the picture for opaque.
    if target == "webp" and image.mode == "RGBA" and bytes(body[12:16]) == b"VP8X":
        body[20] |= WEBP_ALPHA
    return bytes(body)


def _encodable(images: Sequence[Image.Image], target: str) -> list[Image.Image]:
    """The pictures in one mode that the encoder of the format takes, without metadata of their source."""
    modes = {image.mode for image in images}
    if modes & {"LA", "RGBA"}:
        mode = "LA" if target == "png" and modes <= {"L", "LA"} else "RGBA"
    else:
        mode = "L" if modes == {"L"} and target not in ("webp", "avif") else "RGB"
    images = [image if image.mode == mode else image.convert(mode) for image in images]
    if target == "gif" and mode != "L":
        images = [paletted(image) for image in images]
    for image in images:
        image.info = {}  # Pillow would write the comment and the profile that it finds here
    return images


def _durations(target: str, frames: Sequence[Frame]) -> list[int]:
    """The milliseconds for which each frame is shown, limited and rounded to the values that the format can store."""
    if target != "gif":
        most = min(MAX_FRAME_MILLISECONDS, MAX_MILLISECONDS // len(frames))
        return [min(frame.milliseconds, most) for frame in frames]
    durations, owed = [], 0.0  # hundredths of a second that rounding has taken from a frame, for the next one
    for frame in frames:
        exact = frame.milliseconds / 10 + owed
        hundredths = min(MAX_COUNT, max(2, int(exact + 0.5)))  # browsers show 0 and 1 as 10
        owed = min(1.0, exact - hundredths)
        durations.append(hundredths * 10)
    return durations


def _loop(target: str, loops: int) -> dict[str, int]:
    """The option of the encoder for how often an animation is shown, counted as the format counts; 0 is endless."""
    match target:
        case "webp":
            return {"loop": min(loops, MAX_COUNT)}
        case "gif" if loops != 1:  # the NETSCAPE extension counts repeats; a GIF without it is shown once
            return {"loop": min(max(0, loops - 1), MAX_COUNT)}
        case _:
            return {}
