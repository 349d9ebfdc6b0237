"""Bounds an AVIF or HEIC by the pixels and bytes that its decoder will decode, which may be more than the file has.

    primary picture ─┬─ tiles, layers ─▶ coded pictures ─▶ sides by the box `ispe`, and by AV1's own header
                     └─ auxiliaries (alpha) likewise

Items may share their bytes, and a tile may be used many times: all is counted as often as it is referred to.

libavif and dav1d decode a stream at its own sides, not at those of `ispe`, up to 268 megapixels. libheif lets the sides
of a stream be 64 pixels longer than `ispe` says, and no more (1.23.6, `tighten_image_size_limit_for_ispe`), and opens
nothing without it, so that `ispe` is enough for HEVC.
"""

import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

from image_processor.engine.decoding.heif import av1
from image_processor.engine.decoding.heif.boxes import NOTHING, boxes, only
from image_processor.engine.decoding.heif.items import Items
from image_processor.engine.decoding.heif.samples import samples
from image_processor.engine.decoding.heif.tables import VERSION, check_tables, complete_tables
from image_processor.engine.geometry import Size
from image_processor.engine.limits import Limits
from image_processor.errors import CorruptImage, SourceTooLarge

PADDING: Final = 128  # pixels by which a coded side may pass the picture's: AV1's largest block; HEVC's is 64
TILES: Final = 9 / 8  # of the pixels allowed; the last tiles of a row and a column may hang over
MAX_LAYERS: Final = 8  # frames of a still picture in AV1; a progressive one has 4 at most
_NESTED: Final = 8  # levels of pictures that consist of pictures
_AV1: Final = b"av01"
_CODED: Final = frozenset((_AV1, b"hvc1"))


def read_items(source: bytes, limits: Limits) -> Items | None:
    """The items of a file that is within the limits; None where it has none.

    Raises `SourceTooLarge` for tables that are too long and for more pixels than allowed, and `CorruptImage` for a
    stream larger than it is said to be.
    """
    data = memoryview(source)
    with complete_tables():
        meta, moov = only(data, b"meta")[VERSION:], only(data, b"moov")
        check_tables(meta)
        units = _check_tracks(data, moov, limits) if moov else 0
        if not meta:
            return None
        items = Items(data, meta)
        _check_lengths(items, len(data), limits)
        _Pictures(items, limits, av1.MAX_UNITS - units).check()
        return items


def _check_tracks(data: memoryview, moov: memoryview, limits: Limits) -> int:
    """Check the frames that may be decoded of each track in AV1; returns how many units they have."""
    units = coded = 0
    for name, track in boxes(moov):
        stbl = only(only(only(track, b"mdia"), b"minf"), b"stbl") if name == b"trak" else NOTHING
        entry = only(only(stbl, b"stsd")[8:], _AV1)
        if not entry:
            continue
        said = _track_sides(track) or struct.unpack_from(">HH", entry, 24)
        stream, found = av1.Av1Stream(), list(samples(data, stbl, limits.max_frames))
        coded += sum(map(len, found))
        if coded > limits.max_bytes:
            raise SourceTooLarge(f"the source's frames have {coded} bytes in all, allowed: {limits.max_bytes}")
        for sample in found:
            units += stream.feed(sample, av1.MAX_UNITS - units)
        limits.check_sides(*stream.possible)
        _check_padding(said, stream.declared)
        if stream.possible != stream.declared:  # then the size of a frame is not what the header says
            limits.check_frames(len(found), *stream.possible)
        _check_number(stream, 2 * len(found) + MAX_LAYERS)  # some frames are only references for others
    return units


def _track_sides(track: memoryview) -> Size | None:
    """The sides that libavif expects of a sequence's frames (ISO/IEC 14496-12, 8.3.2); None if there are none."""
    tkhd = only(track, b"tkhd")
    width, height = struct.unpack_from(">II", tkhd, 88 if tkhd and tkhd[0] else 76)
    return (width >> 16, height >> 16) if width and height else None


def _check_lengths(items: Items, length: int, limits: Limits) -> None:
    """Check the bytes of all items, and of those that are no coded pictures: decoders read these when they open a file.

    libheif reads them all, and once for each picture that they describe.
    """
    lengths = items.lengths
    total = sum(lengths.values())
    if total > limits.max_bytes:
        raise SourceTooLarge(f"the source's items have {total} bytes in all, allowed: {limits.max_bytes}")
    tiles = {part for parts in items.parts.values() for part in parts}
    read = 0
    for item, size in lengths.items():
        if not items.kinds.get(item, set()) & _CODED:
            pictures = sum(other not in tiles for other in items.describes.get(item, ()))
            read += size * max(1, pictures)
    if read <= length:
        return
    if max(lengths.values()) > length or not all(items.kinds.get(item) for item in lengths):
        raise CorruptImage("the source ends before its items do")
    raise SourceTooLarge(f"the source's metadata have {read} bytes in all, and the source has {length}")


class _Cost(NamedTuple):
    """What is decoded for an item."""

    pixels: int
    bytes: int

    def plus(self, others: Iterable["_Cost"]) -> "_Cost":
        """The sum of this and others."""
        pixels, lengths = zip(self, *others, strict=True)
        return _Cost(sum(pixels), sum(lengths))


class _Pictures:
    """The pixels and bytes of a file's items; those of each item are computed once."""

    def __init__(self, items: Items, limits: Limits, units: int) -> None:
        self._items, self._limits, self._units = items, limits, units
        self._lengths = items.lengths
        self._costs, self._auxiliary_costs = dict[int, _Cost](), dict[int, _Cost]()

    def check(self) -> None:
        items, most = self._items, self._limits.max_bytes
        kinds = list(items.kinds.items())
        # All in AV1, since libavif may decode one that the primary picture does not name (sample transforms).
        roots = [number for number, kind in kinds if kind & {_AV1, b"sato"}]
        roots += [items.primary] if items.primary is not None else [number for number, _ in kinds]
        allowed = int(self._limits.max_pixels * TILES) + PADDING**2
        for root in roots:
            costs = self._cost_of(root), self._auxiliary_cost_of(root)
            for pixels, _ in costs:
                if pixels > allowed:
                    raise SourceTooLarge(f"the source's pictures have {pixels} pixels in all, allowed: {allowed}")
            if (coded := costs[0].bytes + costs[1].bytes) > most:
                raise SourceTooLarge(f"the source's pictures have {coded} bytes in all, allowed: {most}")

    def _cost_of(self, item: int, level: int = 0) -> _Cost:
        """Of all that is decoded for an item."""
        if item not in self._costs:
            parts = self._items.parts.get(item, [])
            if parts:
                _check_level(level)
                self._check_canvas(item)
            own = _Cost(self._coded(item), self._lengths.get(item, 0))
            self._costs[item] = own.plus(self._cost_of(part, level + 1) for part in parts)
        return self._costs[item]

    def _auxiliary_cost_of(self, item: int, level: int = 0) -> _Cost:
        """Of an item's auxiliaries, and of its parts' auxiliaries."""
        if item not in self._auxiliary_costs:
            _check_level(level)
            own = [self._cost_of(other) for other in self._items.auxiliaries.get(item, [])]
            parts = [self._auxiliary_cost_of(part, level + 1) for part in self._items.parts.get(item, [])]
            self._auxiliary_costs[item] = _Cost(0, 0).plus(own + parts)
        return self._auxiliary_costs[item]

    def _coded(self, item: int) -> int:
        """The pixels of a picture as it is coded; none for one that consists of others."""
        said = self._items.sides.get(item, [])
        for sides in said:
            _check_sides(sides, self._limits)
        if _AV1 not in self._items.kinds.get(item, ()):
            coded = not self._items.parts.get(item)
            return max((width * height for width, height in said), default=0) if coded else 0
        stream = av1.Av1Stream()
        self._units -= stream.feed(self._items.data(item), self._units)
        _check_sides(stream.possible, self._limits)
        _check_number(stream, MAX_LAYERS)
        if item not in self._items.selects_layer:
            for sides in said:
                _check_padding(sides, stream.declared)
        return stream.possible[0] * stream.possible[1]

    def _check_canvas(self, item: int) -> None:
        """Check the sides of the picture of a grid or an overlay (ISO/IEC 23008-12, 6.6.2)."""
        kinds = self._items.kinds.get(item, set())
        for kind, offset in ((b"grid", 4), (b"iovl", 10)):
            if kind in kinds:
                data = self._items.data(item)
                self._limits.check_sides(*struct.unpack_from(">II" if data[1] & 1 else ">HH", data, offset))


def _check_sides(coded: Size, limits: Limits) -> None:
    """Allow for padding: a picture of the largest size may be coded with more, and cropped by the box `clap`."""
    width, height = (max(1, side - PADDING) for side in coded)
    if width * height > limits.max_pixels or max(width, height) > limits.max_side:
        limits.check_sides(*coded)


def _check_padding(said: Size, coded: Size) -> None:
    if any(side > least + PADDING for side, least in zip(coded, said, strict=True)):
        raise CorruptImage(f"the source says it has {said[0]}×{said[1]} pixels, and has {coded[0]}×{coded[1]}")


def _check_number(stream: av1.Av1Stream, most: int) -> None:
    if stream.frames > most:
        raise SourceTooLarge(f"the source has {stream.frames} frames of AV1, of which at most {most} are to be seen")


def _check_level(level: int) -> None:
    if level > _NESTED:
        raise CorruptImage("the source has pictures made of each other")
