"""Recognises a camera's raw file: Pillow would show its small preview, or the samples of its filter array."""

from itertools import islice
from typing import Final

from image_processor.engine.decoding.formats.tiff_directory import (
    COMPRESSION,
    PHOTOMETRIC,
    SHORT,
    SUBDIRECTORIES,
    SUBFILE,
    Directory,
)

# Of TIFF/EP and DNG 1.7; only raw files have these values in their first directory.
_DNG_VERSION: Final = 50706
_FILTER_ARRAY, _LINEAR = 32803, 34892  # values of PHOTOMETRIC
_CAMERA_COMPRESSIONS: Final = frozenset((32767, 34713, 65535))  # Sony's, Nikon's, Pentax's
_MAX_ENTRIES: Final = 512  # are read; a raw file has up to 100


def is_raw(source: bytes) -> bool:
    """Whether this is a raw file: a DNG by its version, others by the picture that their first directory describes.

    A BigTIFF is no raw file.
    """
    if source[8:10] == b"CR":  # Canon's
        return True
    directory = Directory(source)
    if directory.is_big:
        return False
    tags = {
        entry.tag: directory.number(entry.offset, 2 if entry.type == SHORT else 4)
        for entry in islice(directory, _MAX_ENTRIES)
    }
    return (
        _DNG_VERSION in tags
        or tags.get(PHOTOMETRIC) in (_FILTER_ARRAY, _LINEAR)
        or tags.get(COMPRESSION) in _CAMERA_COMPRESSIONS
        or (bool(tags.get(SUBFILE, 0) & 1) and SUBDIRECTORIES in tags)  # a preview; the picture is in another directory
    )
