"""Decodes a PNG in bands of rows, each averaged while it is in the CPU's cache; the whole picture is never in memory.

    source ─▶ chunks ─▶ inflate (ISA-L) ─▶ a band of rows ─▶ as a separate PNG ─▶ unfilter (Rust's png) ─▶ reduce
                └▶ None: the caller lets Pillow decode

Pillow's wheels have neither a fast inflate nor a fast unfilter, and these two take nearly all the time of a PNG. Here
they come from isal and puhu. A hostile file reaches only the first: the second is given nothing but PNGs written here,
whose header, lengths and checksums are right by construction.

The result is None, never an error, for a file that is unusual, damaged or cut off: Pillow alone decides what is refused
and why.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from PIL import Image

from image_processor.engine.decoding.format import Prepare, Reduced
from image_processor.engine.decoding.formats.png_chunks import SIGNATURE, Chunk, chunks
from image_processor.engine.geometry import Size

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_HEADER: Final = struct.Struct(">IIBBBBB")  # IHDR: sides, bits, colour type, compression, filter, interlace
_BLOCK: Final = struct.Struct("<BHH")  # a stored block's head, RFC 1951, 3.2.4
_BLOCK_BYTES: Final = 65_535  # the most data in a stored block
_END: Final = b"\0\0\0\0IEND\xaeB`\x82"
_LEAST_PIXELS: Final = 200_000  # Pillow decodes fewer in less than the 11 ms that importing the two packages takes
_BAND_BYTES: Final = 400_000  # so that rows, their PNG and pixels together fit into a second-level cache
_FED_BYTES: Final = 65_536
_MAX_IDAT_CHUNKS: Final = (
    65_536  # that are inflated: 8 kB each, as libpng writes them, are 512 MB; one byte each would take minutes
)


@dataclass(frozen=True, slots=True)
class _Layout:
    """The depth and colour type with which rows are unfiltered, and Pillow's modes for the samples."""

    bits: int
    colour_type: int
    pixel_bytes: int
    mode: str
    raw: str


# By an IHDR's colour type and bits. The indices of a palette are unfiltered as grey. Samples of 16 bits
# are in the machine's byte order; Pillow uses their upper eight bits, except of grey. Two kinds are left out: fewer
# than 8 bits, which are small files, and grey of 16 bits with alpha, which Pillow can't unpack from this order.
_LAYOUTS: Final = {
    (0, 8): _Layout(8, 0, 1, "L", "L"),
    (2, 8): _Layout(8, 2, 3, "RGB", "RGB"),
    (3, 8): _Layout(8, 0, 1, "P", "P"),
    (4, 8): _Layout(8, 4, 2, "LA", "LA"),
    (6, 8): _Layout(8, 6, 4, "RGBA", "RGBA"),
    (0, 16): _Layout(16, 0, 2, "I;16", "I;16"),
    (2, 16): _Layout(16, 2, 6, "RGB", "RGB;16L"),
    (6, 16): _Layout(16, 6, 8, "RGBA", "RGBA;16L"),
}


class _Unusual(Exception):
    """The file is cut off, or not what its header says."""


def decode_reduced(source: bytes, opened: Image.Image, least: Size, prepare: Prepare) -> Reduced | None:
    """The picture reduced by the greatest whole factors that leave it at least `least` in size, or None.

    `opened` is Pillow's image of the same source, not loaded: it has read palette and transparency. `prepare` brings
    rows into a mode that can be averaged. The pixels are those of `prepare(opened).reduce(factors)`.
    """
    width, height = opened.size
    layout = _layout(source)
    if layout is None or layout.mode != opened.mode or width * height < _LEAST_PIXELS:
        return None
    try:
        isal_zlib, puhu = import_module("isal.isal_zlib"), import_module("puhu._core")
    except ImportError:  # there is no wheel for this platform; Pillow gives the same picture, but slower
        return None
    factors = (max(1, width // max(1, least[0])), max(1, height // max(1, least[1])))
    rows = max(1, _BAND_BYTES // (width * layout.pixel_bytes) // factors[1]) * factors[1]
    reduced: Image.Image | None = None
    top = 0
    try:
        for band in _bands(source, opened.size, layout, rows, isal_zlib, puhu.Image.open):
            small = prepare(_as_of(opened, band))
            small = small.reduce(factors) if factors != (1, 1) else small
            reduced = reduced or Image.new(small.mode, (small.width, -(-height // factors[1])))
            reduced.paste(small, (0, top))
            top += small.height
    except (_Unusual, isal_zlib.error, puhu.PuhuProcessingError, puhu.InvalidImageError):
        return None
    return None if reduced is None else (reduced, (1 / factors[0], 1 / factors[1]))


def _layout(source: bytes) -> _Layout | None:
    """The layout of a PNG; None if it is not decoded here: interlaced, animated, or of a layout not in the table."""
    name, header, _ = next(_complete_chunks(source), Chunk(b"", memoryview(b""), complete=False))
    if not source.startswith(SIGNATURE) or name != b"IHDR" or len(header) != _HEADER.size:
        return None
    _, _, bits, colour_type, compression, filtering, interlace = _HEADER.unpack(header)
    if compression or filtering or interlace:
        return None
    for name, _, _ in _complete_chunks(source):
        if name == b"acTL":
            return None
        if name == b"IDAT":
            return _LAYOUTS.get((colour_type, bits))
    return None


def _complete_chunks(source: bytes) -> Iterator[Chunk]:
    """Chunks up to the first that is cut off."""
    return takewhile(lambda chunk: chunk.complete, chunks(source))


def _as_of(opened: Image.Image, band: Image.Image) -> Image.Image:
    """The band with the palette and transparency of the source."""
    if band.mode == "P" and opened.palette is not None:
        band.putpalette(opened.palette.palette, opened.palette.rawmode or opened.palette.mode)
    if "transparency" in opened.info:
        band.info["transparency"] = opened.info["transparency"]
    return band


def _bands(
    source: bytes, size: Size, layout: _Layout, rows: int, isal_zlib: "ModuleType", unfilter: "Callable[[bytes], Any]"
) -> Iterator[Image.Image]:
    """Images of `rows` rows (the last may have fewer), from the top.

    A row is filtered against the one above, so that the PNG of each band begins with the unfiltered row before it.
    """
    width, height = size
    row_bytes = width * layout.pixel_bytes
    above = bytes(row_bytes)
    for filtered in _inflated(source, rows * (row_bytes + 1), height * (row_bytes + 1), isal_zlib):
        count = len(filtered) // (row_bytes + 1)
        header = _HEADER.pack(width, count + 1, layout.bits, layout.colour_type, 0, 0, 0)
        pixels = unfilter(_png(header, b"\0" + above + filtered, isal_zlib)).to_bytes()
        if len(pixels) != (count + 1) * row_bytes:
            raise _Unusual
        band = Image.frombytes(layout.mode, (width, count), memoryview(pixels)[row_bytes:], "raw", layout.raw)
        above = _stored(pixels[-row_bytes:], layout.bits)
        yield band


def _stored(samples: bytes, bits: int) -> bytes:
    """Samples in the order of a row of a PNG: of 16 bits, the upper byte first."""
    if bits == 8:
        return samples
    swapped = bytearray(len(samples))
    swapped[0::2], swapped[1::2] = samples[1::2], samples[0::2]
    return bytes(swapped)


def _inflated(source: bytes, portion: int, total: int, isal_zlib: "ModuleType") -> Iterator[bytes]:
    """The filtered rows in portions of this length, the last one shorter; raises `_Unusual` unless they are `total`."""
    inflater = isal_zlib.decompressobj()
    parts: list[bytes] = []
    had = given = 0
    for fed in _fed(source):
        if inflater.eof:  # the inflater would copy what follows, again for each piece
            break
        data = fed
        while True:
            # Bounded, so that no bomb is inflated; a part may also stay inside until the next call.
            part = inflater.decompress(data, min(portion, total - given) - had or 1)
            parts.append(part)
            had += len(part)
            if given + had > total:
                raise _Unusual
            if had == portion or (had and given + had == total):
                yield b"".join(parts)
                parts, given, had = [], given + had, 0
            data = inflater.unconsumed_tail
            if not data and not part:
                break
    if given != total or not inflater.eof:
        raise _Unusual


def _fed(source: bytes) -> Iterator[memoryview]:
    """The data of the IDAT chunks, which follow each other without others between."""
    count = 0
    for name, data, _ in _complete_chunks(source):
        if name == b"IDAT":
            count += 1
            if count > _MAX_IDAT_CHUNKS:
                raise _Unusual
            for start in range(0, len(data), _FED_BYTES):
                yield data[start : start + _FED_BYTES]
        elif count:
            return


def _png(header: bytes, rows: bytes, isal_zlib: "ModuleType") -> bytes:
    """A PNG whose rows are stored, not deflated."""
    view = memoryview(rows)
    parts: list[bytes | memoryview] = [b"IDAT\x78\x01"]
    for start in range(0, len(rows), _BLOCK_BYTES):
        block = view[start : start + _BLOCK_BYTES]
        last = start + _BLOCK_BYTES >= len(rows)
        parts += (_BLOCK.pack(last, len(block), len(block) ^ 0xFFFF), block)
    parts.append(isal_zlib.adler32(rows).to_bytes(4, "big"))
    named = [b"IHDR" + header, b"".join(parts)]
    framed = [
        piece
        for chunk in named
        for piece in ((len(chunk) - 4).to_bytes(4, "big"), chunk, isal_zlib.crc32(chunk).to_bytes(4, "big"))
    ]
    return b"".join([SIGNATURE, *framed, _END])
