"""The chunks of a PNG: a length, a name, the data, a checksum (PNG, third edition, 5.3)."""

import struct
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final, NamedTuple

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
MAX_SEARCHED_CHUNKS: Final = 65_536  # in the search for the chunks of `_WANTED`; common encoders write 6,400 for 50 MB
_WANTED: Final = frozenset((b"IHDR", b"cICP", b"eXIf"))
_HEAD: Final = struct.Struct(">I4s")
_CHECKSUM_BYTES: Final = 4

Chunks = Mapping[bytes, memoryview]


class Chunk(NamedTuple):
    """A chunk; if the file ends within it, `data` is its beginning, and `complete` is False."""

    name: bytes
    data: memoryview
    complete: bool


def chunks(source: bytes) -> Iterator[Chunk]:
    """All chunks up to the end of the file. Checksums are not compared.

    Pillow compares those of the header; the pixels have another checksum, Adler-32.
    """
    view, offset = memoryview(source), len(SIGNATURE)
    while offset + _HEAD.size <= len(source):
        length, name = _HEAD.unpack_from(source, offset)
        start = offset + _HEAD.size
        yield Chunk(name, view[start : start + length], complete=start + length <= len(source))
        offset = start + length + _CHECKSUM_BYTES


def first_chunks(source: bytes) -> Chunks:
    """The data of the first IHDR, cICP and eXIf, by name; not copied, since it may be as long as the file."""
    found: dict[bytes, memoryview] = {}
    for name, data, _ in islice(chunks(source), MAX_SEARCHED_CHUNKS):
        if name in _WANTED:
            found.setdefault(name, data)
        if name == b"IEND":
            break
    return found
