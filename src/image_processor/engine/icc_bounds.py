"""Reduces an ICC profile to the tags that a conversion to sRGB reads, each within bounds.

LittleCMS takes what a profile says on trust: a table of 100 bytes may claim 512 MB, and a multi-process element (tags
D2B0 to B2D3, type `mpet`) may have tens of thousands of steps. Browsers ignore multi-process elements, and so does this
module. A profile that has nothing else describes no colours here, and its picture is taken as sRGB.

    header ▸ number of tags ▸ a row for each tag: name, offset, length ▸ the data of the tags        (ICC.1:2022, 7)
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from math import prod
from typing import Final

_HEADER: Final = 128  # bytes
_ROW: Final = struct.Struct(">4sII")
_SIGNATURE: Final = slice(36, 40)
MAX_TAGS: Final = 100  # LittleCMS refuses a profile of more
_MAX_CHANNELS: Final = 4  # CMYK
_MAX_SAMPLES: Final = 0x7FFF  # of a curve, as in LittleCMS
_PARAMETRIC: Final = (1, 3, 4, 5, 7)  # numbers of a parametric curve, by its function (10.18)


def reduced(profile: bytes) -> bytes | None:
    """The profile with the needed tags alone; None for one that is damaged.

    A needed tag that is out of bounds makes the whole profile damaged, as it does in LittleCMS.
    """
    if len(profile) < _HEADER + 4 or profile[_SIGNATURE] != b"acsp":
        return None
    try:
        needed = dict(_needed(profile))
        if not all(_BOUNDS[name](profile[offset : offset + length]) for name, (offset, length) in needed.items()):
            return None
    except (ValueError, IndexError, struct.error):
        return None
    return _written(profile, needed)


def _needed(profile: bytes) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """The offset and length of each needed tag; raises `ValueError` for too many tags, and for one that is there twice.

    A tag outside the profile counts as absent, as in LittleCMS.
    """
    said, count = struct.unpack_from(">I", profile)[0], struct.unpack_from(">I", profile, _HEADER)[0]
    end = min(said, len(profile))
    if count > MAX_TAGS:
        raise ValueError
    rows = [_ROW.unpack_from(profile, _HEADER + 4 + _ROW.size * index) for index in range(count)]
    inside = [row for row in rows if row[2] > 0 and row[1] + row[2] <= end]
    if len({name for name, _, _ in inside}) < len(inside):
        raise ValueError
    for name, offset, length in inside:
        if name in _BOUNDS:
            yield name, (offset, length)


def _written(profile: bytes, tags: Mapping[bytes, tuple[int, int]]) -> bytes:
    """A profile of these tags; those that share their data share it again."""
    start = _HEADER + 4 + _ROW.size * len(tags)
    rows, data, places = b"", bytearray(), dict[tuple[int, int], int]()
    for name, (offset, length) in tags.items():
        place = places.setdefault((offset, length), start + len(data))
        if place == start + len(data):
            data += profile[offset : offset + length] + bytes(-length % 4)
        rows += _ROW.pack(name, place, length)
    head = struct.pack(">I", start + len(data)) + profile[4:_HEADER]
    return head + struct.pack(">I", len(tags)) + rows + bytes(data)


# Whether the data of a tag is of a known type, and complete; `IndexError` and `struct.error` also say that it is not.


def _is_colour(tag: bytes) -> bool:
    return tag[:4] == b"XYZ " and len(tag) >= 20


def _is_curve(tag: bytes) -> bool:
    return _curve_bytes(tag) <= len(tag)


def _curve_bytes(data: bytes) -> int:
    """The length of the curve at the beginning of `data` (10.6, 10.18)."""
    if data[:4] == b"curv":
        (samples,) = struct.unpack_from(">I", data, 8)
        if samples <= _MAX_SAMPLES:
            return 12 + 2 * int(samples)
    elif data[:4] == b"para":
        (function,) = struct.unpack_from(">H", data, 8)
        return 12 + 4 * _PARAMETRIC[function]
    raise ValueError


def _is_table(tag: bytes) -> bool:
    """Whether this is a complete lookup table (10.10 to 10.13)."""
    inputs, outputs = tag[8], tag[9]
    if not (1 <= inputs <= _MAX_CHANNELS and 1 <= outputs <= _MAX_CHANNELS):
        return False
    match tag[:4]:
        case b"mft1":
            needed = 48 + 256 * (inputs + outputs) + prod([tag[10]] * inputs) * outputs
        case b"mft2":
            before, after = struct.unpack_from(">HH", tag, 48)
            if max(before, after) > _MAX_SAMPLES:
                return False
            needed = 52 + 2 * (before * inputs + prod([tag[10]] * inputs) * outputs + after * outputs)
        case b"mAB ":
            return _has_elements(tag, inputs, outputs, outputs)
        case b"mBA ":
            return _has_elements(tag, outputs, inputs, inputs)
        case _:
            return False
    return needed <= len(tag)


def _has_elements(tag: bytes, a_curves: int, m_curves: int, b_curves: int) -> bool:
    """Whether the parts of a table of type mAB or mBA are complete; an offset of 0 is an absent part (10.12)."""
    parts: tuple[int, ...] = struct.unpack_from(">5I", tag, 12)
    b, matrix, m, grid, a = parts
    if matrix and matrix + 4 * 12 > len(tag):
        return False
    for start, curves in ((b, b_curves), (m, m_curves), (a, a_curves)):
        offset = start
        for _ in range(curves if start else 0):
            offset += -(-_curve_bytes(tag[offset:]) // 4) * 4
        if offset > len(tag) + 3:  # the last curve may be without its padding
            return False
    if not grid:
        return True
    inputs, outputs, bytes_each = tag[8], tag[9], tag[grid + 16]
    return grid + 20 + prod(tag[grid : grid + inputs]) * outputs * bytes_each <= len(tag)


# A2B: from the device to the connection space. LittleCMS needs B2A0 for the black point of CMYK.
_BOUNDS: Final[Mapping[bytes, Callable[[bytes], bool]]] = {
    **dict.fromkeys((b"A2B0", b"A2B1", b"B2A0"), _is_table),
    **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC", b"kTRC"), _is_curve),
    **dict.fromkeys((b"rXYZ", b"gXYZ", b"bXYZ"), _is_colour),
}
