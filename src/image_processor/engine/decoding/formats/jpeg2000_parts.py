"""Counts the parts of a JPEG 2000 that OpenJPEG allocates or visits, however few bytes they have.

    tile ─▶ component ─▶ resolution ─▶ precinct ─▶ code-block            packet: one layer of one precinct

The sides of precincts and code-blocks are in the markers COD and COC of the main header or of any tile-part (ISO/IEC
15444-1, A.6.1, A.6.2). Readers differ on where a header ends, so that these markers are found by their bytes alone. Of
several the costliest counts. (In 50 MB of coded pixels, a sequence of bytes like one of them comes by once in 10,000.)
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd
from typing import Final, NamedTuple

from image_processor.engine.decoding.registry import corrupt
from image_processor.errors import SourceTooLarge

# Bytes of memory; measured 150 and 320 to 400. OpenJPEG allocates all resolutions, also those that are not decoded.
PRECINCT_BYTES: Final = 200  # in each sub-band
BLOCK_BYTES: Final = 400
MAX_PARTS: Final = 2_000_000  # precincts and code-blocks; 1 µs each. 80 megapixels in blocks of 32×32 have 320,000
MAX_PACKETS: Final = 16_000_000  # and steps in search of the next one: 32 orders may visit each, in 5 ns
MAX_STYLES: Final = 256  # that differ; encoders write one, or one for each component

_MATCHES: Final = 65_536  # of COD and COC: one for each component of each of 16,384 tiles
_LARGEST: Final = 15  # exponent of the sides of a precinct, if a style has none
# Up to and including the wavelet. OpenJPEG refuses other values, and another length than the style needs.
_COD: Final = re.compile(
    rb"(?=\xff\x52\x00([\x0c-\x2d])([\x00-\x07]).(..)[\x00\x01]([\x00-\x20])([\x00-\x08])([\x00-\x08]).[\x00\x01])",
    re.DOTALL,
)
_COC: Final = re.compile(
    rb"(?=\xff\x53\x00([\x09-\x2a])([\x00-\x03])(.)([\x00-\x20])([\x00-\x08])([\x00-\x08]).[\x00\x01])", re.DOTALL
)


class Axis(NamedTuple):
    """The columns or the rows of a picture in its reference grid: from `begin` to `end`, in tiles (B.2, B.3)."""

    begin: int
    end: int
    tile_begin: int
    tile: int

    def parts(self, step: int, level: int, exponent: int) -> int:
        """The parts of 2^exponent samples, in all tiles, after `level` halvings of every `step`th column; at the most.

        A part ends where its tile ends, so that an edge of tiles within a part makes two of it.
        """
        scale, side = step << level, 1 << exponent
        first, last = -(-self.begin // scale), -(-self.end // scale)
        whole = -(-last // side) - first // side
        edges = max(0, -(-(self.end - self.tile_begin) // self.tile) - 1)
        if self.tile_begin % (scale * side) == 0:
            edges -= edges // (scale * side // gcd(self.tile, scale * side))
        return min(whole + edges, last - first)


class Parts(NamedTuple):
    """The bytes of memory that precincts and code-blocks take, and the fewest decompositions of a component."""

    memory: int
    levels: int


class _Style(NamedTuple):
    """What a COD or a COC says."""

    levels: int
    block: tuple[int, int]  # exponents of the sides of a code-block
    precincts: bytes  # exponents of the sides of a precinct, by resolution; none for the largest
    layers: int
    component: int | None  # that it is for

    def precinct(self, resolution: int) -> tuple[int, int]:
        if not self.precincts:
            return _LARGEST, _LARGEST
        return self.precincts[resolution] & 15, self.precincts[resolution] >> 4


@dataclass(frozen=True, slots=True)
class _Count:
    precincts: int  # in each sub-band
    blocks: int
    most: int  # precincts of one resolution


def count_parts(codestream: memoryview, across: Axis, down: Axis, steps: list[tuple[int, int]]) -> Parts:
    """Count the parts of all tiles; `steps` is the subsampling of each component.

    Raises `SourceTooLarge` for too many of them, or too many packets, and `CorruptImage` for a step of 0.
    """
    if any(0 in pair for pair in steps):
        raise corrupt("jpeg2000", "has a component without samples")
    styles = _styles(codestream)
    precincts = blocks = most = 0
    for component, pair in enumerate(steps):
        own = [style for style in styles if style.component in (None, component)]
        counts = [_count(style, across, down, pair) for style in own]
        precincts += max((count.precincts for count in counts), default=0)
        blocks += max((count.blocks for count in counts), default=0)
        most = max([most, *(count.most for count in counts)])
    if precincts + blocks > MAX_PARTS:
        parts = f"{precincts} precincts and {blocks} code-blocks"
        raise SourceTooLarge(f"the source has {parts} of JPEG 2000, allowed: {MAX_PARTS} in all")
    _check_packets(styles, most, len(steps), _searched(styles, across, down, steps))
    levels = min((style.levels for style in styles), default=0)  # the decoder refuses a tile that has fewer
    return Parts(PRECINCT_BYTES * precincts + BLOCK_BYTES * blocks, levels)


def _check_packets(styles: set[_Style], precincts: int, components: int, searched: int) -> None:
    """As OpenJPEG counts them: every resolution of every component as if it were that with the most precincts."""
    resolutions = 1 + max((style.levels for style in styles), default=0)
    layers = max((style.layers for style in styles), default=1)
    packets = max(layers * precincts, searched) * components * resolutions
    if packets > MAX_PACKETS:
        raise SourceTooLarge(f"the source has {packets} packets of JPEG 2000, allowed: {MAX_PACKETS}")


def _searched(styles: set[_Style], across: Axis, down: Axis, steps: list[tuple[int, int]]) -> int:
    """How many places are searched for precincts in an order by position (B.12.1.3 to B.12.1.5).

    The distances of the places are those of the narrowest and of the lowest precinct of any component.
    """
    found = 1
    for axis, index in ((across, 0), (down, 1)):
        distances = [
            pair[index] << (style.precinct(resolution)[index] + style.levels - resolution)
            for style in styles
            for resolution in range(style.levels + 1)
            for pair in steps
        ]
        found *= axis.parts(min(distances, default=1 << _LARGEST), 0, 0)
    return found


def _count(style: _Style, across: Axis, down: Axis, step: tuple[int, int]) -> _Count:
    """The parts of one component in all tiles (B.6, B.7)."""
    precincts = blocks = most = 0
    for resolution in range(style.levels + 1):
        level, bands = style.levels - resolution, 3 if resolution else 1
        exponents = style.precinct(resolution)
        here = across.parts(step[0], level, exponents[0]) * down.parts(step[1], level, exponents[1])
        precincts, most = precincts + bands * here, max(most, here)
        halved = 1 if resolution else 0  # sub-bands have half the sides of their resolution
        sides = [min(block, max(0, own - halved)) for block, own in zip(style.block, exponents, strict=True)]
        columns = across.parts(step[0], level + halved, sides[0])
        blocks += bands * columns * down.parts(step[1], level + halved, sides[1])
    return _Count(precincts, blocks, most)


def _styles(codestream: memoryview) -> set[_Style]:
    """All styles of a codestream, in headers of tiles, too."""
    found: set[_Style] = set()
    for number, style in enumerate(_matches(codestream)):
        found.add(style)
        if number >= _MATCHES or len(found) > MAX_STYLES:
            raise SourceTooLarge(f"the source has more coding styles of JPEG 2000 than allowed: {MAX_STYLES}")
    return found


def _matches(codestream: memoryview) -> Iterator[_Style]:
    for match in _COD.finditer(codestream):
        length, scod, layers, levels, *block = match.groups()
        own = _precincts(codestream, match.start() + 14, scod[0], levels[0], length[0] - 12)
        if own is not None:
            sides = block[0][0] + 2, block[1][0] + 2
            yield _Style(levels[0], sides, own, struct.unpack(">H", layers)[0], None)
    for match in _COC.finditer(codestream):
        length, component, scoc, levels, *block = match.groups()
        own = _precincts(codestream, match.start() + 11, scoc[0], levels[0], length[0] - 9)
        if own is not None:
            yield _Style(levels[0], (block[0][0] + 2, block[1][0] + 2), own, 1, component[0])


def _precincts(codestream: memoryview, offset: int, flags: int, levels: int, length: int) -> bytes | None:
    """The sides of the precincts, one byte for each resolution; None where the marker's length does not fit."""
    needed = levels + 1 if flags & 1 else 0
    own = bytes(codestream[offset : offset + needed])
    return own if length == needed == len(own) else None
