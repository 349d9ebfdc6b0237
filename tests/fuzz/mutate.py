"""Changes a source part by part, as its format is built, so that decoders continue past the change."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final

from .containers import BOXES_OF_BOXES, CONTAINERS, FULL_BOXES_OF_BOXES, Container, Part, kind_of

Change = Callable[[bytes, int], bytes]  # bytes, most bytes → other bytes
NUMBERS: Final = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
PLAIN: Final = 0.2  # of the changes do not consider the parts
COPIES: Final = (1, 1, 1, 2, 10, 200)
# Names that no seed has, or that have another meaning elsewhere.
PNG = "IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB sBIT bKGD pHYs iCCP cICP eXIf tEXt zTXt iTXt acTL fcTL fdAT"
BOXES = """ftyp meta hdlr pitm iloc iinf infe iref iprp ipco ipma ispe pixi colr av1C hvcC irot imir clap pasp auxC idat
    mdat moov mvhd trak tkhd mdia mdhd minf stbl stsd stts stsc stsz stco dimg auxl grid jp2h ihdr bpcc jp2c"""
TAGS = (
    *(256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 338, 339, 347, 530),
    *(700, 34665, 34675),
)
NAMES: Final[Mapping[str, tuple[bytes, ...]]] = {
    "png": tuple(name.encode() for name in PNG.split()),
    "jpeg": tuple(bytes((marker,)) for marker in (0x01, *range(0xC0, 0xFF))),
    "gif": (b"!", b",", b";", b"\0"),
    "webp": (b"VP8X", b"VP8 ", b"VP8L", b"ANIM", b"ANMF", b"ALPH", b"ICCP", b"EXIF", b"XMP "),
    "boxes": tuple(name.encode() for name in BOXES.split()),
    "tiff": tuple(tag.to_bytes(2, "little") for tag in TAGS),
}
NESTED: Final = 5  # levels of boxes


def mutate(source: bytes, most: int, random: Random, change: Change, donors: Mapping[str, Sequence[bytes]]) -> bytes:
    """A changed source of at most `most` bytes. `change` changes bytes without structure; `donors` provide parts."""
    kind = kind_of(source)
    if kind is None or random.random() < PLAIN:
        return change(source, most)[:most]
    container = CONTAINERS[kind]
    parts = container.split(source)
    for _ in range(random.choice((1, 1, 2, 4))):
        parts = _changed(parts, kind, random, change, donors.get(kind, ()))
    return container.join(parts)[:most]


def _changed(
    parts: list[Part], kind: str, random: Random, change: Change, donors: Sequence[bytes], level: int = 0
) -> list[Part]:
    if not parts:
        return parts
    at = random.randrange(len(parts))
    match random.choice(("body", "body", "body", "number", "number", "drop", "copy", "swap", "lend", "rename")):
        case "body" | "number" as how:
            parts[at] = _other_body(parts[at], kind, random, change, donors, how, level)
        case "drop":
            del parts[at]
        case "copy":
            parts[at:at] = [parts[at]] * (random.choice(COPIES) if len(parts[at].body) < 1000 else 1)
        case "swap":
            other = random.randrange(len(parts))
            parts[at], parts[other] = parts[other], parts[at]
        case "lend" if donors:
            parts[at:at] = [random.choice(CONTAINERS[kind].split(random.choice(donors)) or [parts[at]])]
        case "rename":
            parts[at] = Part(random.choice(NAMES[kind]), parts[at].body)
    return parts


def _other_body(
    part: Part, kind: str, random: Random, change: Change, donors: Sequence[bytes], how: str, level: int
) -> Part:
    name, body = part
    if kind == "boxes" and level < NESTED and name in BOXES_OF_BOXES | FULL_BOXES_OF_BOXES:
        inner: Container = CONTAINERS["boxes"]
        head = 4 if name in FULL_BOXES_OF_BOXES else 0
        changed = _changed(inner.split(body[head:]), kind, random, change, donors, level + 1)
        return Part(name, body[:head] + inner.join(changed))
    if how == "body" or not body:
        return Part(name, change(body or b"\0", 2 * len(body) + 16))
    size, order = random.choice((1, 2, 4)), "little" if kind in ("gif", "webp", "tiff") else "big"
    at = random.randrange(len(body))
    number = (random.choice(NUMBERS) & (1 << 8 * size) - 1).to_bytes(size, order)  # type: ignore[arg-type]
    return Part(name, (body[:at] + number + body[at + size :])[: max(len(body), at + size)])
