"""AVIFs, HEICs and JPEG 2000s that hold more than they weigh: files of boxes (ISO/IEC 14496-12, 4.2)."""

import io
import struct
from functools import cache

from PIL import Image

from .bomb import Bomb


def box(name: bytes, body: bytes = b"", version: int | None = None, flags: int = 0) -> bytes:
    full = b"" if version is None else struct.pack(">I", version << 24 | flags)
    return struct.pack(">I", 8 + len(full) + len(body)) + name + full + body


@cache
def avif(width: int = 16, height: int = 16, mode: str = "L") -> bytes:
    body = io.BytesIO()
    subsampling = "4:0:0" if mode == "L" else "4:4:4"
    Image.new(mode, (width, height)).save(body, "avif", speed=10, subsampling=subsampling)
    return body.getvalue()


def claiming(width: int, height: int, source: bytes) -> bytes:
    place = source.index(b"ispe") + 8
    return source[:place] + struct.pack(">II", width, height) + source[place + 8 :]


def item(number: int, kind: bytes) -> bytes:
    return box(b"infe", struct.pack(">HH", number, 0) + kind + b"\0", 2)


def meta(
    brand: bytes, items: bytes, number: int, properties: bytes, links: bytes, places: bytes, references: bytes = b""
) -> bytes:
    """A file of one `meta` box whose primary item is 1; its data is the last 64 bytes."""
    handler = box(b"hdlr", bytes(4) + b"pict" + bytes(13), 0)
    information = box(b"iinf", struct.pack(">H", number) + items, 0)
    described = box(b"iprp", box(b"ipco", properties) + links)
    all_of_it = handler + box(b"pitm", b"\0\1", 0) + information + places + described
    all_of_it += box(b"iref", references, 0) if references else b""
    return box(b"ftyp", brand + bytes(4) + brand + b"mif1miaf") + box(b"meta", all_of_it, 0) + box(b"mdat", bytes(64))


def grid(brand: bytes, kind: bytes, rows: int, columns: int, *, cyclic: bool = False) -> bytes:
    """A picture of tiles, all of them the same item, or of tiles that are itself."""
    sides = struct.pack(">II", 64 * columns, 64 * rows)
    properties = box(b"ispe", sides, 0) + box(b"ispe", struct.pack(">II", 64, 64), 0)
    links = box(b"ipma", struct.pack(">I", 2) + b"\0\1\1\1" + b"\0\2\1\2", 0)
    tiles = rows * columns
    tile = struct.pack(">H", 1 if cyclic else 2)
    references = box(b"dimg", struct.pack(">HH", 1, tiles) + tile * tiles)
    data = bytes((0, 0, rows - 1, columns - 1)) + struct.pack(">HH", min(65_535, 64 * columns), min(65_535, 64 * rows))
    places = box(
        b"iloc", b"\x44\0" + struct.pack(">H", 2) + struct.pack(">HHHIIHHHII", 1, 0, 1, 0, 8, 2, 0, 1, 0, 64), 0
    )
    source = meta(brand, item(1, b"grid") + item(2, kind), 2, properties, links, places, references)
    return source[:-64] + data.ljust(64, b"\0")


def many_places(brand: bytes, kind: bytes, items: int, extents: int) -> bytes:
    """An item of so many pieces, or so many items: each the whole file."""
    pieces = struct.pack(">II", 0, 50_000_000) * extents
    places = b"".join(struct.pack(">HHH", number + 1, 0, extents) + pieces for number in range(items))
    location = box(b"iloc", b"\x44\0" + struct.pack(">H", items) + places, 0)
    links = box(b"ipma", struct.pack(">I", 1) + b"\0\1\1\1", 0)
    return meta(brand, item(1, kind), 1, box(b"ispe", struct.pack(">II", 64, 64), 0), links, location)


def jpeg2000(width=8, height=8, *, tile=(0, 0), components=1, layers=1, levels=0, parts=b"") -> bytes:
    """A codestream (ITU-T T.800, annex A) of a header and, as it is, what follows."""
    tile = tile if all(tile) else (width, height)
    sides = struct.pack(">HIIIIIIIIH", 0, width, height, 0, 0, *tile, 0, 0, components) + b"\7\1\1" * components
    style = struct.pack(">BBHBBBBBB", 0, 0, layers, 0, levels, 4, 4, 0, 1)
    quantisation = b"\x40" + b"\x40" * (3 * levels + 1)
    out = b"\xff\x4f"
    for marker, body in ((0x51, sides), (0x52, style), (0x5C, quantisation)):
        out += struct.pack(">HH", 0xFF00 | marker, len(body) + 2) + body
    return out + parts + b"\xff\xd9"


def empty_tiles(number: int) -> bytes:
    return b"".join(
        b"\xff\x90" + struct.pack(">HHIBB", 10, index % 65_535, 15, 0, 1) + b"\xff\x93\0" for index in range(number)
    )


AVIF, HEIC = (b"avif", b"av01"), (b"heic", b"hvc1")
TOO_MUCH = "SourceTooLarge"
BOMBS = {
    "avif, 16 pixels that say they are 1024 megapixels": Bomb(
        lambda: claiming(32_000, 32_000, avif()), "CorruptImage", 20
    ),
    "avif, 16 pixels that say they are 79 megapixels": Bomb(lambda: claiming(8900, 8900, avif()), "rendered", 500),
    "avif, 64 megapixels in 800 bytes": Bomb(lambda: avif(8000, 8000), "rendered", 500),
    "avif, 64 megapixels that say they are 256": Bomb(lambda: claiming(16, 16, avif(8000, 8000)), "rendered", 300),
    "avif, a grid of 65,025 tiles": Bomb(lambda: grid(*AVIF, 255, 255), "SourceTooLarge", 50),
    "avif, a grid of itself": Bomb(lambda: grid(*AVIF, 4, 4, cyclic=True), "CorruptImage", 20),
    "avif, 60,000 pieces that are the whole": Bomb(lambda: many_places(*AVIF, 1, 60_000), "SourceTooLarge", 50),
    "avif, 60,000 items": Bomb(lambda: many_places(*AVIF, 60_000, 1), "SourceTooLarge", 50),
    "avif, 4,600 items": Bomb(lambda: many_places(*AVIF, 4_600, 1), "CorruptImage", 50),
    "heic, a grid of 65,025 tiles": Bomb(lambda: grid(*HEIC, 255, 255), TOO_MUCH, 50),
    "heic, a grid of itself": Bomb(lambda: grid(*HEIC, 4, 4, cyclic=True), "CorruptImage", 20),
    "heic, 60,000 pieces that are the whole": Bomb(lambda: many_places(*HEIC, 1, 60_000), TOO_MUCH, 50),
    "heic, 60,000 items": Bomb(lambda: many_places(*HEIC, 60_000, 1), TOO_MUCH, 50),
    "jpeg 2000, 2^64 pixels": Bomb(lambda: jpeg2000(2**32 - 1, 2**32 - 1), TOO_MUCH, 20),
    "jpeg 2000, 79 megapixels in tiles of one": Bomb(lambda: jpeg2000(8900, 8900, tile=(1, 1)), TOO_MUCH, 20),
    "jpeg 2000, 65,000 tiles": Bomb(
        lambda: jpeg2000(8900, 8900, tile=(35, 35), parts=empty_tiles(65_000)), TOO_MUCH, 20
    ),
    "jpeg 2000, 16,384 components": Bomb(lambda: jpeg2000(8000, 8000, components=16_384), "CorruptImage", 20),
    "jpeg 2000, 65,535 layers of 32 levels": Bomb(
        lambda: jpeg2000(8000, 8000, layers=65_535, levels=32, parts=empty_tiles(1)), TOO_MUCH, 20
    ),
}
