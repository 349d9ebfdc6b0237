"""A file that may be read in a bounded number of pieces.

Pillow reads the structure of a file in Python, piece by piece, and does not bound their number: 50 MB of the smallest
pieces keep it busy for half a minute. The pixels are bounded elsewhere, by what the header says.
"""

from typing import Final, Protocol

from image_processor.errors import SourceTooLarge

# Pillow takes up to 4 s for these. A chunk of a PNG takes 3 reads, a block of 255 bytes of a GIF takes 2: all frames of
# an animated GIF of 50 MB take 410,000.
MAX_READS: Final = 1_000_000


class File(Protocol):
    """What Pillow needs of a file."""

    def read(self, size: int = -1, /) -> bytes: ...  # noqa: D102
    def seek(self, offset: int, whence: int = 0, /) -> int: ...  # noqa: D102
    def tell(self) -> int: ...  # noqa: D102


class BoundedFile:
    """Raises `SourceTooLarge` when it is read for more than the `MAX_READS`th time."""

    def __init__(self, file: File) -> None:
        self._file, self._reads = file, 0

    def read(self, size: int = -1, /) -> bytes:  # noqa: D102 - as for any file
        self._reads += 1
        if self._reads > MAX_READS:
            raise SourceTooLarge(f"the source is in too many pieces, allowed: {MAX_READS} reads")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:  # noqa: D102
        return self._file.seek(offset, whence)

    def tell(self) -> int:  # noqa: D102
        return self._file.tell()
