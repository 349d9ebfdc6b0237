"""AVIFs and HEICs that are small and costly to decode: files of boxes (ISO/IEC 14496-12, 4.2)."""

import io
import struct
from dataclasses import dataclass
from functools import cache

import pillow_heif
from PIL import Image

from .bomb import Bomb


def box(name: bytes, body: bytes = b"", version: int | None = None, flags: int = 0) -> bytes:
    full = b"" if version is None else struct.pack(">I", version << 24 | flags)
    return struct.pack(">I", 8 + len(full) + len(body)) + name + full + body


@cache
def heic(width: int = 16, height: int = 16, mode: str = "L", **options) -> bytes:
    body = io.BytesIO()
    pillow_heif.from_pillow(Image.new(mode, (width, height))).save(body, **options)
    return body.getvalue()


@cache
def avif(width: int = 16, height: int = 16, mode: str = "L") -> bytes:
    body = io.BytesIO()
    subsampling = "4:0:0" if mode == "L" else "4:4:4"
    Image.new(mode, (width, height)).save(body, "avif", speed=10, subsampling=subsampling)
    return body.getvalue()


def claiming(width: int, height: int, source: bytes, box: bytes = b"ispe") -> bytes:
    offset = source.index(box) + 8
    return source[:offset] + struct.pack(">II", width, height) + source[offset + 8 :]


@cache
def sequence(width: int, height: int) -> bytes:
    body = io.BytesIO()
    frames = [Image.new("L", (width, height), level) for level in (0, 99)]
    frames[0].save(body, "avif", speed=10, subsampling="4:0:0", save_all=True, append_images=frames[1:])
    return body.getvalue()


def sequence_claiming(width: int, height: int, source: bytes) -> bytes:
    """The claim is in its item and in the header of its track, which differ by two bytes, and in its sample entry."""
    true = source[source.index(b"ispe") + 8 :][:8]
    source = source.replace(true, struct.pack(">II", width, height))
    offset = source.index(b"av01", source.index(b"stsd")) + 4 + 24
    return source[:offset] + struct.pack(">HH", width, height) + source[offset + 4 :]


def many_samples(number: int, chunks: int = 1, runs: int = 1) -> bytes:
    """A sequence with this number of samples of 1 byte each."""
    source = sequence(16, 16)
    tables = {
        b"stsz": struct.pack(">II", 1, number * chunks),
        b"stsc": struct.pack(">I", runs) + b"".join(struct.pack(">III", run + 1, number, 1) for run in range(runs)),
        b"stco": struct.pack(">I", chunks) + bytes(4 * chunks),
    }
    return retabled(source, tables) + box(b"free", bytes(number + 1000))


def retabled(source: bytes, tables: dict[bytes, bytes]) -> bytes:
    """The file with other sample tables; everything after them moves."""
    out, offset = b"", 0
    while offset < len(source):
        size, name = struct.unpack_from(">I4s", source, offset)
        body = source[offset + 8 : offset + size]
        if name in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
            body = retabled(body, tables)
        out += box(name, body[:4] + tables[name] if name in tables else body)
        offset += size
    return out


def item(number: int, kind: bytes) -> bytes:
    return box(b"infe", struct.pack(">HH", number, 0) + kind + b"\0", 2)


def meta(
    brand: bytes, items: bytes, number: int, properties: bytes, links: bytes, offsets: bytes, references: bytes = b""
) -> bytes:
    """A file of one `meta` box whose primary item is 1; its data is the last 64 bytes."""
    handler = box(b"hdlr", bytes(4) + b"pict" + bytes(13), 0)
    information = box(b"iinf", struct.pack(">H", number) + items, 0)
    described = box(b"iprp", box(b"ipco", properties) + links)
    all_of_it = handler + box(b"pitm", b"\0\1", 0) + information + offsets + described
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

    def made(start: int) -> bytes:
        rows = struct.pack(">HHHIIHHHII", 1, 0, 1, start, 8, 2, 0, 1, start, 64)
        offsets = box(b"iloc", b"\x44\0" + struct.pack(">H", 2) + rows, 0)
        return meta(brand, item(1, b"grid") + item(2, kind), 2, properties, links, offsets, references)

    return made(len(made(0)) - 64)[:-64] + data.ljust(64, b"\0")


@dataclass(frozen=True, slots=True)
class Coded:
    """An item of a composed file: its kind, its properties, its data."""

    kind: bytes
    properties: tuple[bytes, ...]
    data: bytes


def sides(width: int, height: int) -> bytes:
    return box(b"ispe", struct.pack(">II", width, height), 0)


def coded(source: bytes, width: int, height: int) -> Coded:
    """The first picture of a file by Pillow, changed to state these sides."""
    kind, name = (b"av01", b"av1C") if b"av1C" in source else (b"hvc1", b"hvcC")
    offset = source.index(name) - 4
    settings = source[offset : offset + int.from_bytes(source[offset : offset + 4], "big")]
    data = source[source.index(b"mdat") + 4 :]
    return Coded(kind, (sides(width, height), settings, box(b"pixi", b"\1\x08", 0)), data)


def derived(kind: bytes, width: int, height: int, data: bytes = b"") -> Coded:
    return Coded(kind, (sides(width, height), box(b"pixi", b"\1\x08", 0)), data)


def put_together(brand: bytes, items: list[Coded], references: bytes = b"") -> bytes:
    """A file of these items, the first of them the primary one."""
    properties = [each for item in items for each in item.properties]
    links, last = struct.pack(">I", len(items)), 0
    for number, each in enumerate(items, 1):
        numbers = range(last + 1, last + 1 + len(each.properties))
        links, last = links + struct.pack(">HB", number, len(numbers)) + bytes(numbers), numbers[-1]
    data = b"".join(each.data for each in items)

    def made(start: int) -> bytes:
        rows = b""
        for number, each in enumerate(items, 1):
            rows += struct.pack(">HHHII", number, 0, 1, start, len(each.data))
            start += len(each.data)
        offsets = box(b"iloc", b"\x44\0" + struct.pack(">H", len(items)) + rows, 0)
        information = b"".join(item(number, each.kind) for number, each in enumerate(items, 1))
        made_of = box(b"ipma", links, 0)
        return meta(brand, information, len(items), b"".join(properties), made_of, offsets, references)[: -8 - 64]

    return made(len(made(0)) + 8) + box(b"mdat", data)


def auxiliary(picture: Coded) -> Coded:
    kind = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"
    return Coded(picture.kind, (*picture.properties, box(b"auxC", kind, 0)), picture.data)


def refers(kind: bytes, item: int, others: list[int]) -> bytes:
    return box(kind, struct.pack(f">HH{len(others)}H", item, len(others), *others))


def with_alpha(brand: bytes, picture: Coded, alpha: Coded) -> bytes:
    return put_together(brand, [picture, auxiliary(alpha)], refers(b"auxl", 2, [1]))


def repeated(times: int, picture: Coded) -> Coded:
    return Coded(picture.kind, picture.properties, picture.data * times)


def tiled(brand: bytes, tile: Coded, rows: int, columns: int, width: int, height: int) -> bytes:
    """A grid of a tile that is the same everywhere."""
    data = bytes((0, 1, rows - 1, columns - 1)) + struct.pack(">II", width, height)
    items = [derived(b"grid", width, height, data), tile]
    return put_together(brand, items, refers(b"dimg", 1, [2] * (rows * columns)))


def overlaid(layer: Coded, layers: int, width: int, height: int) -> bytes:
    """An overlay of a layer upon itself, on a canvas that only the overlay's own data describes."""
    data = b"\0\1" + bytes(8) + struct.pack(">II", width, height) + bytes(8 * layers)
    items = [derived(b"iovl", 64, 64, data), layer]
    return put_together(b"heic", items, refers(b"dimg", 1, [2] * layers))


def of_identities(levels: int) -> bytes:
    """A picture that consists of the next one twice, and so on."""
    items = [derived(b"iovl", 64, 64, b"\0\0" + bytes(8) + struct.pack(">HH", 64, 64) + bytes(8))] * levels
    references = b"".join(refers(b"dimg", number, [number + 1] * 2) for number in range(1, levels + 1))
    return put_together(b"heic", [*items, coded(heic(64, 64), 64, 64)], references)


def many_locations(brand: bytes, kind: bytes, items: int, extents: int) -> bytes:
    """An item of this number of pieces, or this number of items: each is the whole file."""
    pieces = struct.pack(">II", 0, 50_000_000) * extents
    offsets = b"".join(struct.pack(">HHH", number + 1, 0, extents) + pieces for number in range(items))
    location = box(b"iloc", b"\x44\0" + struct.pack(">H", items) + offsets, 0)
    links = box(b"ipma", struct.pack(">I", 1) + b"\0\1\1\1", 0)
    return meta(brand, item(1, kind), 1, box(b"ispe", struct.pack(">II", 64, 64), 0), links, location)


AVIF, HEIC = (b"avif", b"av01"), (b"heic", b"hvc1")
TOO_MUCH = "SourceTooLarge"
BOMBS = {
    "avif, 16 pixels that say they are 1024 megapixels": Bomb(lambda: claiming(32_000, 32_000, avif()), TOO_MUCH, 20),
    "avif, 16 pixels that say they are 79 megapixels": Bomb(lambda: claiming(8900, 8900, avif()), "rendered", 500),
    "avif, 64 megapixels in 800 bytes": Bomb(lambda: avif(8000, 8000), "rendered", 500),
    "avif, 64 megapixels that say they are 256 pixels": Bomb(
        lambda: claiming(16, 16, avif(8000, 8000)), "CorruptImage", 20
    ),
    "avif, 84 megapixels that say they are 256 pixels": Bomb(lambda: claiming(16, 16, avif(9200, 9200)), TOO_MUCH, 20),
    "avif, 500 frames of 64 megapixels": Bomb(
        lambda: put_together(b"avif", [repeated(500, coded(avif(8000, 8000), 8000, 8000))]), TOO_MUCH, 20
    ),
    "avif, an alpha of 64 megapixels": Bomb(
        lambda: with_alpha(b"avif", coded(avif(), 16, 16), coded(avif(8000, 8000), 16, 16)), "CorruptImage", 20
    ),
    "avif, a grid of 9 tiles of 64 megapixels": Bomb(
        lambda: tiled(b"avif", coded(avif(8000, 8000), 8000, 8000), 3, 3, 192, 192), TOO_MUCH, 20
    ),
    "avif, a sequence of 84 megapixels that says it is 256 pixels": Bomb(
        lambda: sequence_claiming(16, 16, sequence(9200, 9200)), TOO_MUCH, 20, "width=16,frames=1"
    ),
    "avif, a sequence of 64 megapixels that says it is 256 pixels": Bomb(
        lambda: sequence_claiming(16, 16, sequence(8000, 8000)), "CorruptImage", 20
    ),
    "avif, a sequence of 2.5 million samples": Bomb(lambda: many_samples(2_500_000), TOO_MUCH, 20, "width=16,frames=1"),
    "avif, a sequence of 200,000 chunks by 200,000 rules": Bomb(
        lambda: many_samples(1, 200_000, 200_000), TOO_MUCH, 20, "width=16,frames=1"
    ),
    "avif, a grid of 65,025 tiles": Bomb(lambda: grid(*AVIF, 255, 255), "SourceTooLarge", 50),
    "avif, a grid of itself": Bomb(lambda: grid(*AVIF, 4, 4, cyclic=True), "CorruptImage", 20),
    "avif, 60,000 pieces that are the whole": Bomb(lambda: many_locations(*AVIF, 1, 60_000), "SourceTooLarge", 50),
    "avif, 60,000 items": Bomb(lambda: many_locations(*AVIF, 60_000, 1), "SourceTooLarge", 50),
    "avif, 4,600 items": Bomb(lambda: many_locations(*AVIF, 4_600, 1), TOO_MUCH, 50),
    "heic, a grid of 65,025 tiles": Bomb(lambda: grid(*HEIC, 255, 255), TOO_MUCH, 50),
    "heic, a grid of itself": Bomb(lambda: grid(*HEIC, 4, 4, cyclic=True), "CorruptImage", 20),
    "heic, 64 megapixels": Bomb(lambda: heic(8000, 8000), "rendered", 500),
    "heic, 64 megapixels that say they are 256 pixels": Bomb(
        lambda: claiming(16, 16, heic(8000, 8000)), "CorruptImage", 20
    ),
    "heic, 84 megapixels that say they are 256 pixels": Bomb(
        lambda: claiming(16, 16, heic(9200, 9200)), "CorruptImage", 20
    ),
    "heic, an alpha of 64 megapixels": Bomb(
        lambda: with_alpha(b"heic", coded(heic(64, 64), 64, 64), coded(heic(8000, 8000), 64, 64)), "CorruptImage", 20
    ),
    "heic, a grid of 9 tiles of 64 megapixels": Bomb(
        lambda: tiled(b"heic", coded(heic(8000, 8000), 8000, 8000), 3, 3, 192, 192), TOO_MUCH, 20
    ),
    "heic, a grid of 64 megapixels, of one tile": Bomb(
        lambda: tiled(b"heic", coded(heic(1000, 1000), 1000, 1000), 8, 8, 8000, 8000), "rendered", 500
    ),
    "heic, 900 megapixels under a layer of 4096": Bomb(
        lambda: overlaid(coded(heic(64, 64), 64, 64), 1, 30_000, 30_000), TOO_MUCH, 20
    ),
    "heic, 200 layers of a megapixel": Bomb(
        lambda: overlaid(coded(heic(1000, 1000), 1000, 1000), 200, 64, 64), TOO_MUCH, 20
    ),
    "heic, 2^50 layers": Bomb(lambda: of_identities(50), "CorruptImage", 20),
    "heic, 60,000 pieces that are the whole": Bomb(lambda: many_locations(*HEIC, 1, 60_000), TOO_MUCH, 50),
    "heic, 60,000 items": Bomb(lambda: many_locations(*HEIC, 60_000, 1), TOO_MUCH, 50),
}
