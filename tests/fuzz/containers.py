"""Splits image files into their parts, and joins the parts with correct lengths and checksums.

    split ─▶ [part, part, …] ─▶ (changed) ─▶ join

What can't be split is one part, so that any bytes can be split and joined without a loss.
"""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple


class Part(NamedTuple):
    """A chunk, segment, block or box: what it is, and what it holds. Without a name, bytes as they are."""

    name: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Container:
    """How a format is split and joined."""

    split: Callable[[bytes], list[Part]]
    join: Callable[[list[Part]], bytes]


PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
BOXES_OF_BOXES: Final = frozenset({b"iprp", b"ipco", b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf", b"jp2h"})
FULL_BOXES_OF_BOXES: Final = frozenset({b"meta", b"iref"})
BARE_MARKERS: Final = frozenset({0x01, *range(0xD0, 0xDA)})


def split_png(source: bytes) -> list[Part]:
    parts, offset = [], 8
    while offset + 12 <= len(source):
        length = int.from_bytes(source[offset : offset + 4], "big")
        parts.append(Part(source[offset + 4 : offset + 8], source[offset + 8 : offset + 8 + length]))
        offset += 12 + length
    return parts if offset == len(source) else [*parts, Part(b"", source[offset:])]


def join_png(parts: list[Part]) -> bytes:
    return PNG_SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) if name else body
        for name, body in parts
    )


def split_jpeg(source: bytes) -> list[Part]:
    parts, offset = [], 2
    while offset + 2 <= len(source) and source[offset] == 0xFF:
        marker = source[offset + 1]
        offset += 2
        length = 2 if marker in BARE_MARKERS else int.from_bytes(source[offset : offset + 2], "big")
        if marker in BARE_MARKERS:
            parts.append(Part(bytes((marker,)), b""))
        else:
            parts.append(Part(bytes((marker,)), source[offset + 2 : offset + max(2, length)]))
            offset += max(2, length)
        start = offset
        while offset < len(source) and not (
            source[offset] == 0xFF and source[offset + 1 : offset + 2] not in (b"", b"\0")
        ):
            offset += 1
        if offset > start:
            parts.append(Part(b"", source[start:offset]))
    return parts if offset >= len(source) else [*parts, Part(b"", source[offset:])]


def join_jpeg(parts: list[Part]) -> bytes:
    out = [b"\xff\xd8"]
    for name, body in parts:
        if not name:
            out.append(body)
        elif name[0] in BARE_MARKERS:
            out.append(b"\xff" + name)
        else:
            out.append(b"\xff" + name[:1] + struct.pack(">H", len(body[:65_533]) + 2) + body[:65_533])
    return b"".join(out)


def split_gif(source: bytes) -> list[Part]:
    offset = 13 + palette(source[10:11])
    parts = [Part(b"", source[:offset])]
    while offset < len(source):
        start, first = offset, source[offset : offset + 1]
        if first == b"!":
            offset = after_blocks(source, offset + 2)
        elif first == b",":
            offset = after_blocks(source, offset + 11 + palette(source[offset + 9 : offset + 10]))
        else:
            offset += 1
        parts.append(Part(first, source[start + 1 : offset]))
    return parts


def join_plain(parts: list[Part]) -> bytes:
    return b"".join(name + body for name, body in parts)


def palette(flags: bytes) -> int:
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0


def after_blocks(source: bytes, offset: int) -> int:
    while offset < len(source) and source[offset]:
        offset += source[offset] + 1
    return min(len(source), offset + 1)


def split_riff(source: bytes) -> list[Part]:
    parts, offset = [], 12
    while offset + 8 <= len(source):
        length = int.from_bytes(source[offset + 4 : offset + 8], "little")
        parts.append(Part(source[offset : offset + 4], source[offset + 8 : offset + 8 + length]))
        offset += 8 + length + length % 2
    return parts if offset >= len(source) else [*parts, Part(b"", source[offset:])]


def join_riff(parts: list[Part]) -> bytes:
    body = b"".join(
        name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2) if name else body for name, body in parts
    )
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def split_boxes(source: bytes) -> list[Part]:
    parts, offset = [], 0
    while offset + 8 <= len(source):
        length = int.from_bytes(source[offset : offset + 4], "big") or len(source) - offset
        if length < 8:  # with it the 1 of a length that follows, which small files have no need of
            break
        parts.append(Part(source[offset + 4 : offset + 8], source[offset + 8 : offset + length]))
        offset += length
    return parts if offset >= len(source) else [*parts, Part(b"", source[offset:])]


def join_boxes(parts: list[Part]) -> bytes:
    return b"".join(struct.pack(">I", 8 + len(body)) + name + body if name else body for name, body in parts)


def split_tiff(source: bytes) -> list[Part]:
    """The header, each entry of the first directory, and all else; values stay where they are."""
    order = "<" if source.startswith(b"II") else ">"
    if len(source) < 10:
        return [Part(b"", source)]
    start = struct.unpack(order + "I", source[4:8])[0]
    number = int.from_bytes(source[start : start + 2], "little" if order == "<" else "big")
    first = start + 2
    if first + 12 * number > len(source):
        return [Part(b"", source)]
    entries = [Part(source[at : at + 2], source[at + 2 : at + 12]) for at in range(first, first + 12 * number, 12)]
    return [Part(b"", source[:first]), *entries, Part(b"", source[first + 12 * number :])]


CONTAINERS: Final = {
    "png": Container(split_png, join_png),
    "jpeg": Container(split_jpeg, join_jpeg),
    "gif": Container(split_gif, join_plain),
    "webp": Container(split_riff, join_riff),
    "boxes": Container(split_boxes, join_boxes),
    "tiff": Container(split_tiff, join_plain),
}


def kind_of(source: bytes) -> str | None:
    """The container of a source, by its first bytes."""
    if source.startswith(PNG_SIGNATURE):
        return "png"
    if source.startswith(b"\xff\xd8"):
        return "jpeg"
    if source.startswith(b"GIF8"):
        return "gif"
    if source[:4] == b"RIFF":
        return "webp"
    if source[4:8] in (b"ftyp", b"jP  "):
        return "boxes"
    return "tiff" if source[:4] in (b"II*\0", b"MM\0*") else None
