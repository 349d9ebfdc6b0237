"""AVIFs and HEICs whose items refer to the same bytes many times, so that a small file has gigabytes to decode."""

import io
import struct
from functools import cache
from hashlib import shake_256

import pillow_heif
from PIL import Image

from .bmff import Coded, box, coded, derived, heic, item, meta, refers, retabled, sides, tiled
from .bomb import Bomb

SAME = b""  # data of an item that is at the offset of the item before
TOO_MUCH = "SourceTooLarge"


def noise(length: int) -> bytes:
    return shake_256(b"noise").digest(length)


@cache
def noisy(brand: bytes, side: int, frames: int = 1) -> bytes:
    """A picture, or an animation, of noise at the best quality."""
    body = io.BytesIO()
    image = Image.frombytes("L", (side, side), noise(side * side))
    if brand == b"heic":
        pillow_heif.from_pillow(image).save(body, quality=100)
    else:
        more = {"save_all": True, "append_images": [image.rotate(90)] * (frames - 1)} if frames > 1 else {}
        image.save(body, "avif", quality=100, speed=10, subsampling="4:0:0", **more)
    return body.getvalue()


def composed(brand: bytes, items: list[Coded], references: bytes = b"", *, claimed: int | None = None) -> bytes:
    """As `put_together`, with items that share their data; `claimed` replaces the lengths of those."""
    properties = [each for item in items for each in item.properties]
    links, last, linked = b"", 0, 0
    for number, each in enumerate(items, 1):
        if each.properties:
            numbers = range(last + 1, last + 1 + len(each.properties))
            links, last = links + struct.pack(">HB", number, len(numbers)) + bytes(numbers), numbers[-1]
            linked += 1
    data = b"".join(each.data for each in items)

    def made(start: int) -> bytes:
        rows, length = b"", 0
        for number, each in enumerate(items, 1):
            start, length = (start + length, len(each.data)) if each.data else (start, length)
            said = length if each.data or claimed is None else claimed
            rows += struct.pack(">HHHII", number, 0, 1, start, said)
        offsets = box(b"iloc", b"\x44\0" + struct.pack(">H", len(items)) + rows, 0)
        information = b"".join(item(number, each.kind) for number, each in enumerate(items, 1))
        made_of = box(b"ipma", struct.pack(">I", linked) + links, 0)
        return meta(brand, information, len(items), b"".join(properties), made_of, offsets, references)[: -8 - 64]

    return made(len(made(0)) + 8) + box(b"mdat", data)


def small(brand: bytes) -> Coded:
    return coded(heic(64, 64) if brand == b"heic" else noisy(brand, 64), 64, 64)


def metadata(brand: bytes, number: int, length: int, kind: bytes = b"Exif", claimed: int | None = None) -> bytes:
    """A picture with this number of items of metadata, all of them the same bytes."""
    data = bytes(4) + b"MM\0*\0\0\0\x08\0\0".ljust(length - 4, b"\1")
    others = [Coded(kind, (), data), *[Coded(kind, (), SAME)] * (number - 1)]
    references = b"".join(refers(b"cdsc", other + 2, [1]) for other in range(number))
    return composed(brand, [small(brand), *others], references, claimed=claimed)


def described(brand: bytes, pictures: int, number: int, length: int) -> bytes:
    """Many pictures, each of which has all items of metadata."""
    picture = small(brand)
    again = Coded(picture.kind, (sides(64, 64), *picture.properties[1:]), SAME)
    data = bytes(4) + b"MM\0*\0\0\0\x08\0\0".ljust(length - 4, b"\1")
    others = [Coded(b"Exif", (), data)] * number
    everyone = list(range(1, pictures + 1))
    references = b"".join(refers(b"cdsc", pictures + 1 + other, everyone) for other in range(number))
    return composed(brand, [picture, *[again] * (pictures - 1), *others], references)


def tiles_of_items(brand: bytes, rows: int, columns: int, side: int) -> bytes:
    """A grid whose tiles are items of their own with the same data."""
    tile = coded(noisy(brand, side), side, side)
    count = rows * columns
    width, height = columns * side, rows * side
    shape = bytes((0, 1, rows - 1, columns - 1)) + struct.pack(">II", width, height)
    # All items have the properties of the first tile: the numbers 3 to 5.
    items = [derived(b"grid", width, height, shape), tile, *[Coded(tile.kind, (), SAME)] * (count - 1)]
    source = composed(brand, items, refers(b"dimg", 1, list(range(2, count + 2))))
    old = source.index(b"ipma") - 4
    length = int.from_bytes(source[old : old + 4], "big")
    links = struct.pack(">I", 1 + count) + b"\0\1\2\1\2"
    links += b"".join(struct.pack(">HB", number, 3) + b"\3\4\5" for number in range(2, count + 2))
    return replaced(source, old, length, box(b"ipma", links, 0))


def replaced(source: bytes, offset: int, length: int, new: bytes) -> bytes:
    """The file with another box within `iprp`, whose offsets and lengths are corrected."""
    more = len(new) - length
    out = bytearray(source[:offset] + new + source[offset + length :])
    for name in (b"meta", b"iprp"):
        at = source.index(name) - 4
        out[at : at + 4] = struct.pack(">I", int.from_bytes(source[at : at + 4], "big") + more)
    rows = source.index(b"iloc") + 4 + 4 + 2
    (count,) = struct.unpack_from(">H", source, rows)
    for row in range(rows + 2, rows + 2 + 14 * count, 14):
        out[row + 6 : row + 10] = struct.pack(">I", struct.unpack_from(">I", source, row + 6)[0] + more)
    return bytes(out)


def same_frames(number: int, side: int) -> bytes:
    """A sequence all of whose frames are its first, in chunks of one sample at the same offset."""
    source = noisy(b"avif", side, 2)
    (size,) = struct.unpack_from(">I", source, source.index(b"stsz") + 16)
    length = len(source)

    def made(offset: int) -> bytes:
        tables = {
            b"stsz": struct.pack(">II", size, number),
            b"stsc": struct.pack(">IIII", 1, 1, 1, 1),
            b"stco": struct.pack(">I", number) + struct.pack(">I", offset) * number,
            b"stts": struct.pack(">III", 1, number, 1),
        }
        return retabled(source, tables)

    (first,) = struct.unpack_from(">I", source, source.index(b"stco") + 12)
    return made(first + len(made(0)) - length)


BOMBS = {
    "heic, 900 items of Exif that are the same 1.5 MB": Bomb(lambda: metadata(b"heic", 900, 1_500_000), TOO_MUCH, 20),
    "avif, 3,000 items of Exif that are the same 10 MB": Bomb(
        lambda: metadata(b"avif", 3_000, 10_000_000), TOO_MUCH, 20
    ),
    "heic, 900 texts that are the same 1.5 MB": Bomb(lambda: metadata(b"heic", 900, 1_500_000, b"mime"), TOO_MUCH, 20),
    "heic, 900 grids that are the same 1.5 MB": Bomb(lambda: metadata(b"heic", 900, 1_500_000, b"grid"), TOO_MUCH, 20),
    "heic, 900 overlays that are the same 1.5 MB": Bomb(
        lambda: metadata(b"heic", 900, 1_500_000, b"iovl"), TOO_MUCH, 20
    ),
    "heic, 900 items of Exif of no length": Bomb(lambda: metadata(b"heic", 900, 1_500_000, claimed=0), "rendered", 40),
    "avif, 900 items of Exif of no length": Bomb(lambda: metadata(b"avif", 900, 1_500_000, claimed=0), "rendered", 40),
    "heic, 900 items of Exif that are longer than the file": Bomb(
        lambda: metadata(b"heic", 900, 1_500_000, claimed=2**32 - 1), TOO_MUCH, 20
    ),
    "heic, 60 pictures with 100 items of Exif each": Bomb(lambda: described(b"heic", 60, 100, 100_000), TOO_MUCH, 20),
    "heic, a grid of 17×17 times one tile of noise": Bomb(
        lambda: tiled(b"heic", coded(noisy(b"heic", 512), 512, 512), 17, 17, 8704, 8704), TOO_MUCH, 20
    ),
    "avif, a grid of 17×17 times one tile of noise": Bomb(
        lambda: tiled(b"avif", coded(noisy(b"avif", 512), 512, 512), 17, 17, 8704, 8704), TOO_MUCH, 20
    ),
    "heic, a grid of 17×17 items that are one tile of noise": Bomb(
        lambda: tiles_of_items(b"heic", 17, 17, 512), TOO_MUCH, 20
    ),
    "avif, a grid of 17×17 items that are one tile of noise": Bomb(
        lambda: tiles_of_items(b"avif", 17, 17, 512), TOO_MUCH, 20
    ),
    "avif, 1,000 frames that are the same noise": Bomb(
        lambda: same_frames(1_000, 280), TOO_MUCH, 20, "width=16,format=webp"
    ),
}
