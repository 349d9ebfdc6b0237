"""Bounds what the decoders of a JPEG do not: the segments before the pixels, and the scans over them.

Refuses arithmetic coding.

    SOI  segment …  frame header  segment …  scan  segment … scan …  EOI

A progressive JPEG has its pixels in layers. Each scan is one more pass over the whole picture; an empty one takes 100
bytes.
"""

import re
from dataclasses import dataclass
from typing import Final

from image_processor.engine.decoding.bounded_file import File
from image_processor.engine.decoding.jpeg_kinds import ARITHMETIC, ARITHMETIC_KIND, MAX_SCANNED
from image_processor.engine.decoding.registry import unsupported
from image_processor.errors import SourceTooLarge

# Segments before the first scan: 50 MB of full ones, such as the depth maps of phones, are 800.
MAX_SEGMENTS: Final = 1_000
MAX_EXIF_SEGMENTS: Final = 16  # 1 MiB; Pillow joins them, each time copying what it has
MAX_SCANS: Final = 1_000
MAX_FILL: Final = 100_000  # bytes before the first scan that belong to no segment

# Markers (ITU-T T.81, table B.1).
_EOI, _SOS, _APP1 = 0xD9, 0xDA, 0xE1
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_BARE: Final = frozenset({0x01, *range(0xD0, 0xDA)})  # without a length
_PROGRESSIVE: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
# The next marker: neither a stuffed zero, nor fill bytes, nor a restart within a scan.
_MARKER: Final = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """What a JPEG has before its pixels; `first_scan` is the offset of the first scan's marker."""

    pixels: int
    first_scan: int
    one_scan: bool  # it has all components, and decoders stop at its end

    @property
    def most_scans(self) -> int:
        """The number of scans that a picture of so many pixels may have."""
        return max(1, min(MAX_SCANS, MAX_SCANNED // max(1, self.pixels)))


def read_header(file: File) -> JpegHeader:
    """Read up to the first scan, then seek to the beginning.

    Raises `SourceTooLarge` for too many segments, `UnsupportedFormat` for arithmetic coding.
    """
    file.seek(2)
    segments, exifs, pixels, components = 0, 0, 0, 0
    while (marker := _next_marker(file)) not in (_SOS, _EOI, None):
        if marker in _BARE:
            continue
        start = file.tell()
        head = file.read(8)  # the length and what follows it
        segments += 1
        exifs += marker == _APP1 and head[2:8] == b"Exif\0\0"
        if segments > MAX_SEGMENTS or exifs > MAX_EXIF_SEGMENTS:
            allowed = f"{MAX_SEGMENTS}, {MAX_EXIF_SEGMENTS} with Exif"
            raise SourceTooLarge(f"the source has more segments before its pixels than allowed: {allowed}")
        if marker in ARITHMETIC:
            raise unsupported(ARITHMETIC_KIND)
        if marker in _FRAMES:
            components = 0 if marker in _PROGRESSIVE else int.from_bytes(head[7:8], "big")
            pixels = int.from_bytes(head[3:5], "big") * int.from_bytes(head[5:7], "big")
        file.seek(start + max(2, int.from_bytes(head[:2], "big")))
    first_scan, scanned = file.tell() - 2, file.read(3)[2:]  # the number of components in the scan
    file.seek(0)
    return JpegHeader(pixels, first_scan, one_scan=scanned == bytes((components,)) != b"\0")


def _next_marker(file: File) -> int | None:
    """The code of the next marker, None at the end of the file; the file's position is then after it."""
    last = b""
    for _ in range(MAX_FILL):
        byte = file.read(1)
        if not byte:
            return None
        if last == b"\xff" and byte not in (b"\0", b"\xff"):
            return byte[0]
        last = byte
    raise SourceTooLarge(f"the source has more than {MAX_FILL} bytes of no segment before its pixels")


class ScanCounter:
    """Counts the scans in the bytes of a JPEG from its first scan on, which come in pieces of any length."""

    def __init__(self, most: int) -> None:
        self.count, self._most = 0, most
        self._ended, self._skipped, self._rest = False, 0, b""

    def feed(self, piece: bytes) -> None:
        """Count the scans in the next piece, up to the end of the picture.

        Raises `SourceTooLarge` for more scans than allowed.
        """
        data, offset = self._rest + piece, self._skipped
        self._rest = b""
        while not self._ended and (found := _MARKER.search(data, offset)):
            marker, offset = ord(found[1]), found.end()
            if marker not in _BARE and offset + 2 > len(data):
                self._rest, self._skipped = data[found.start() :], 0
                return
            self._ended = marker == _EOI
            self.count += marker == _SOS
            if self.count > self._most:
                raise SourceTooLarge(f"the source has more scans than allowed for its pixels: {self._most}")
            if marker not in _BARE:
                offset += max(2, int.from_bytes(data[offset : offset + 2], "big"))
        self._skipped = max(0, offset - len(data))
        if offset < len(data) and data.endswith(b"\xff"):
            self._rest = b"\xff"


class ScanBoundedFile:
    """A JPEG that raises `SourceTooLarge` when it is read past more scans than its pixels may have."""

    def __init__(self, file: File, header: JpegHeader) -> None:
        self._file, self._next, self._scans = file, header.first_scan, ScanCounter(header.most_scans)

    def read(self, size: int = -1, /) -> bytes:  # noqa: D102 - as for any file
        start = self._file.tell()
        piece = self._file.read(size)
        if start <= self._next < start + len(piece):
            self._scans.feed(piece[self._next - start :])
            self._next = start + len(piece)
        return piece

    def seek(self, offset: int, whence: int = 0, /) -> int:  # noqa: D102
        return self._file.seek(offset, whence)

    def tell(self) -> int:  # noqa: D102
        return self._file.tell()
