"""Pillow as tutorials use it: open, turn, convert, crop, resize, save. Every step on all the pixels."""

import io

from PIL import Image, ImageCms, ImageOps

from tests.benchmarks.cases import Target

SPEED: dict[str, dict[str, int]] = {"webp": {"method": 4}, "avif": {"speed": 8}, "jpeg": {}, "png": {}}


def make(source: bytes, targets: list[Target]) -> list[bytes]:
    """Decode once, resize each target from the whole picture."""
    image = Image.open(io.BytesIO(source))
    if targets[0].animated:
        return [_animation(image, target) for target in targets]
    profile = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    if profile:
        srgb = ImageCms.createProfile("sRGB")
        image = ImageCms.profileToProfile(image, io.BytesIO(profile), srgb, outputMode="RGB")
    image = image.convert("RGB")
    return [_saved(_resized(image, target), target) for target in targets]


def _resized(image: Image.Image, target: Target) -> Image.Image:
    if target.height:
        return ImageOps.fit(image, (target.width, target.height), Image.Resampling.LANCZOS)
    small = image.copy()
    small.thumbnail((target.width, image.height), Image.Resampling.LANCZOS)
    return small


def _saved(image: Image.Image, target: Target, **options: object) -> bytes:
    body = io.BytesIO()
    image.info = {}  # otherwise a profile would be written that is no longer the picture's
    quality = {"quality": target.quality} if target.quality else {}
    image.save(body, target.format, **quality, **SPEED[target.format], **options)
    return body.getvalue()


def _animation(image: Image.Image, target: Target) -> bytes:
    frames, durations = [], []
    for place in range(getattr(image, "n_frames", 1)):
        image.seek(place)
        durations.append(image.info.get("duration", 100))
        frames.append(_resized(image.convert("RGB"), target))
    return _saved(frames[0], target, save_all=True, append_images=frames[1:], duration=durations, loop=0)
