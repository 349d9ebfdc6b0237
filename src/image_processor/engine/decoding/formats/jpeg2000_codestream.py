"""Reads the headers of a JPEG 2000 before it is decoded: its size, its parts, how far it can be halved, its profile.

In a file, the first box of a name counts, as in OpenJPEG. A damaged box counts as absent: the decoder reports the
damage.
"""

import struct
from dataclasses import dataclass
from typing import Final

from image_processor.engine.decoding.formats.jpeg2000_parts import Axis, Parts, count_parts
from image_processor.engine.decoding.heif.boxes import NOTHING, first_boxes
from image_processor.engine.decoding.registry import corrupt, unsupported
from image_processor.engine.geometry import Size
from image_processor.engine.limits import Limits
from image_processor.errors import SourceTooLarge

# OpenJPEG takes 60 to 130 ms for a megapixel of a photo, and 130 for a megabyte of noise, so that both are bounded.
# Decoding at half the sides is a quarter of the work, so that larger sources are read for smaller pictures.
MAX_PIXELS: Final = 24_000_000
MAX_BYTES: Final = 32 * 1024 * 1024
MAX_TILES: Final = 16_384  # each takes 0.05 ms in addition to its pixels
MAX_COMPONENTS: Final = 4

_SOC_SIZ: Final = b"\xff\x4f\xff\x51"  # markers (ISO/IEC 15444-1, table A.2)
_ICC: Final = (2, 3)  # methods of a colour box that has a profile


@dataclass(frozen=True, slots=True)
class Codestream:
    """The main header of a codestream."""

    size: Size
    halvings: int  # how often its sides can be halved by the decoder
    length: int  # bytes of the file
    parts: Parts

    def halved(self, number: int) -> Size:
        """The size after so many halvings (ISO/IEC 15444-1, B-15)."""
        return -(-self.size[0] >> number), -(-self.size[1] >> number)

    def reductions(self, wanted: float, least: float) -> int:
        """How often to halve, so that the share `wanted` of the sides is left, or at least `least` if that is too much.

        Raises `SourceTooLarge` where even that is too much to decode.
        """
        width, height = self.size
        number = 0
        while number < self.halvings and 0.5 ** (number + 1) >= wanted:
            number += 1
        while (width * height >> 2 * number) > MAX_PIXELS or (self.length >> number) > MAX_BYTES:
            number += 1
            if number > self.halvings or 0.5**number < least:
                raise SourceTooLarge(
                    f"the source has {width}×{height} pixels in {self.length} bytes of JPEG 2000, of which at most "
                    f"{MAX_PIXELS} and {MAX_BYTES} are decoded: ask for a smaller picture"
                )
        return number


def read_codestream(source: bytes, limits: Limits) -> Codestream:
    """Read the main header. Raises `CorruptImage` without one, `SourceTooLarge` for too many pixels, tiles or parts.

    Raises `UnsupportedFormat` for more than 4 components, which Pillow does not read.
    """
    data = memoryview(source)
    if source[:4] != _SOC_SIZ:
        data = _first(data, b"jp2c")
    try:
        if bytes(data[:4]) != _SOC_SIZ:
            raise corrupt("jpeg2000", "has no pictures")
        return _read(data, len(source), limits)
    except struct.error as error:
        raise corrupt("jpeg2000", "ends in its header") from error


def _read(data: memoryview, length: int, limits: Limits) -> Codestream:
    right, bottom, left, top, tile_width, tile_height, tile_left, tile_top = struct.unpack_from(">8I", data, 8)
    limits.check_sides(right - left, bottom - top)
    if right <= left or bottom <= top or not tile_width or not tile_height:
        raise corrupt("jpeg2000", "has no pixels, or tiles without pixels")
    tiles = -(-(right - tile_left) // tile_width) * -(-(bottom - tile_top) // tile_height)
    if tiles > MAX_TILES:
        raise SourceTooLarge(f"the source has {tiles} tiles, allowed: {MAX_TILES}")
    (components,) = struct.unpack_from(">H", data, 40)
    if components > MAX_COMPONENTS:
        raise unsupported(f"a JPEG 2000 of {components} components")
    steps = [struct.unpack_from(">BB", data, 43 + 3 * component) for component in range(components)]
    across = Axis(left, right, tile_left, tile_width)
    parts = count_parts(data, across, Axis(top, bottom, tile_top, tile_height), steps)
    # Pillow can't position the halves of a picture that does not begin at the origin of its grid.
    halvings = 0 if left or top else parts.levels
    return Codestream((right - left, bottom - top), halvings, length, parts)


def profile(source: bytes) -> bytes | None:
    """The ICC profile of a JP2 file."""
    for name, content in first_boxes(_first(memoryview(source), b"jp2h")):
        if name == b"colr" and len(content) > 3 and content[0] in _ICC:
            return bytes(content[3:])
    return None


def _first(data: memoryview, wanted: bytes) -> memoryview:
    """The content of the first box of this name, empty if there is none."""
    return next((content for name, content in first_boxes(data) if name == wanted), NOTHING)
