"""Whether a TIFF is a camera's raw file, of which Pillow would show the small preview, or colours nobody has mixed."""

import struct
from collections.abc import Mapping
from typing import Final

# Tags of TIFF 6.0, TIFF/EP and DNG 1.7; of each, what only raw files have in their first directory.
_SUBFILE, _COMPRESSION, _PHOTOMETRIC, _SUBDIRECTORIES, _DNG_VERSION = 254, 259, 262, 330, 50706
_FILTER_ARRAY, _LINEAR = 32803, 34892
_CAMERA_COMPRESSIONS: Final = frozenset((32767, 34713, 65535))  # Sony's, Nikon's, Pentax's
_ENTRIES: Final = 512  # looked at; a raw file has up to 100


def is_raw(source: bytes) -> bool:
    """Told by the first directory: DNG by its version, others by what they say that their picture is."""
    if source[8:10] == b"CR":  # Canon's
        return True
    tags = _first_directory(source)
    return (
        _DNG_VERSION in tags
        or tags.get(_PHOTOMETRIC) in (_FILTER_ARRAY, _LINEAR)
        or tags.get(_COMPRESSION) in _CAMERA_COMPRESSIONS
        or (bool(tags.get(_SUBFILE, 0) & 1) and _SUBDIRECTORIES in tags)  # a preview, and the picture elsewhere
    )


def _first_directory(source: bytes) -> Mapping[int, int]:
    """Tag → its first value, if that stands in the directory itself; of a TIFF that is no BigTIFF."""
    order = "<" if source[:2] == b"II" else ">"
    if len(source) < 8 or 42 not in (source[2], source[3]):
        return {}
    (place,) = struct.unpack_from(order + "I", source, 4)
    if place + 2 > len(source):
        return {}
    (entries,) = struct.unpack_from(order + "H", source, place)
    tags: dict[int, int] = {}
    for start in range(place + 2, min(place + 2 + 12 * min(entries, _ENTRIES), len(source) - 11), 12):
        tag, kind = struct.unpack_from(order + "HH", source, start)
        (tags[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), source, start + 8)  # 3: SHORT
    return tags
