"""ICO: the largest picture of an icon, a PNG or a bitmap, found before any is decoded.

Refuses an icon without a picture. The directory is not trusted: each picture's own header is read.
"""

import io
import struct
from dataclasses import dataclass
from typing import Final

from PIL import Image

from image_processor.engine.decoding.bounded_file import File
from image_processor.engine.decoding.format import Format, embedded_profile
from image_processor.engine.decoding.formats.png import Png
from image_processor.engine.decoding.formats.png_chunks import SIGNATURE
from image_processor.engine.decoding.registry import corrupt
from image_processor.engine.geometry import Size
from image_processor.engine.limits import Limits

_HEADER: Final = 6  # bytes before the first entry
_ENTRY: Final = struct.Struct("<BBBBHHII")  # sides, colours, reserved, planes, bits, length, offset
_MAX_BITMAP: Final = 256  # the longest side of a bitmap that a directory can hold


@dataclass(frozen=True, slots=True)
class IconPicture:
    """One picture of an icon: `body` is a PNG, or an icon of this one bitmap alone."""

    is_png: bool
    size: Size
    body: bytes


class Ico(Format):
    """An icon; of its pictures, the largest is read, as a PNG if it is one."""

    name = "ico"
    plugin = "PIL.IcoImagePlugin"

    def __init__(self, source: bytes, limits: Limits) -> None:
        picture = largest(source)
        limits.check_sides(*picture.size)
        super().__init__(picture.body, limits)
        self._png = Png(picture.body, limits) if picture.is_png else None

    def open(self, file: File) -> Image.Image:  # noqa: ARG002
        """The largest picture instead of the whole file."""
        body = io.BytesIO(self.source)
        return self._png.open(body) if self._png else super().open(body)

    def orientation(self, image: Image.Image) -> int:  # noqa: ARG002
        """1, because the EXIF of a PNG in an icon is ignored."""
        return 1

    def profile(self, image: Image.Image) -> bytes | None:
        """The profile of a PNG except its gamma, or of a bitmap."""
        return self._png.profile_without_gamma(image) if self._png else embedded_profile(image)

    def lead(self, image: Image.Image) -> int:
        """The number for a PNG; 0 for a bitmap."""
        return self._png.lead(image) if self._png else 0

    def frames(self, image: Image.Image) -> int:
        """The number for a PNG; 1 for a bitmap, because the sizes of an icon are no animation."""
        return self._png.frames(image) if self._png else 1

    def resizable(self, image: Image.Image, profile: bytes | None) -> Image.Image:
        """The decoded image in a mode that can be resampled."""
        return self._png.resizable(image, profile) if self._png else super().resizable(image, profile)


def largest(source: bytes) -> IconPicture:
    """The picture with the most pixels, and of several the one with the most bits; by their own headers.

    Raises `CorruptImage` for an icon without any.
    """
    (count,) = struct.unpack_from("<H", source, 4) if len(source) >= _HEADER else (0,)
    best: tuple[int, int, int, int, Size] | None = None
    for entry in range(_HEADER, min(_HEADER + _ENTRY.size * count, len(source) - _ENTRY.size + 1), _ENTRY.size):
        *_, length, start = _ENTRY.unpack_from(source, entry)
        size, bits = _measured(source[start : start + min(length, 40)])
        if bits and (best is None or (size[0] * size[1], bits) > best[:2]):
            best = (size[0] * size[1], bits, start, length, size)
    if best is None:
        raise corrupt("ico", "has no picture")
    _, bits, start, length, size = best
    body = source[start : start + length]
    if body.startswith(SIGNATURE):
        return IconPicture(is_png=True, size=size, body=body)
    alone = _ENTRY.pack(size[0] % 256, size[1] % 256, 0, 0, 1, bits, len(body), _HEADER + _ENTRY.size)
    return IconPicture(is_png=False, size=size, body=b"\0\0\1\0\1\0" + alone + body)


def _measured(head: bytes) -> tuple[Size, int]:
    """The sides, and the bits of a pixel, by the first 40 bytes; 0 bits for what is no picture."""
    if head.startswith(SIGNATURE) and len(head) >= 26:
        width, height, depth, colour_type = struct.unpack_from(">IIBB", head, 16)
        return (width, height), depth * {2: 3, 4: 2, 6: 4}.get(colour_type, 1)
    if len(head) >= 40 and int.from_bytes(head[:4], "little") >= 40:
        width, height, _, bits = struct.unpack_from("<iiHH", head, 4)
        height //= 2  # the picture, and below it its mask
        if 0 < width <= _MAX_BITMAP and 0 < height <= _MAX_BITMAP:
            return (width, height), bits
    return (0, 0), 0


FORMAT: Final = Ico
