"""A source whose bytes are still arriving, as a file: arrived bytes are stored, missing ones are waited for."""

import io
from typing import Final, Protocol

from image_processor.engine.limits import Limits
from image_processor.errors import ImageProcessorError, Unavailable

PIECE: Final = 64 * 1024  # bytes that are waited for at a time; a decoder reads as many at once


class ByteStream(Protocol):
    """Gives bytes in order; at its end, `read` returns none."""

    def read(self, size: int, /) -> bytes: ...  # noqa: D102


class StreamingFile(io.BufferedIOBase):
    """Reads and seeks as a file does; stores what has arrived, and never more than the limits allow.

    Raises `SourceTooLarge` for more bytes than allowed. A failure of the stream becomes `Unavailable`, unless it is one
    of the project's own errors, which is passed on.
    """

    def __init__(self, stream: ByteStream, limits: Limits) -> None:
        self._stream, self._limits = stream, limits
        self._arrived = io.BytesIO()
        self._complete = False

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to `size` bytes, fewer only at the end; -1 reads all that is left."""
        size = -1 if size is None else size
        self._await(self._arrived.tell() + size if size >= 0 else None)
        return self._arrived.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Seek to an offset, which may be after the bytes that have arrived."""
        if whence == io.SEEK_END:
            self._await(None)
        return self._arrived.seek(offset, whence)

    def tell(self) -> int:
        """The offset of the next byte to be read."""
        return self._arrived.tell()

    def readable(self) -> bool:  # noqa: D102 - of io
        return True

    def seekable(self) -> bool:  # noqa: D102 - of io
        return True

    def _next(self) -> bytes:
        try:
            return self._stream.read(PIECE)
        except ImageProcessorError:
            raise
        except Exception as error:
            raise Unavailable("the source stopped on its way; try again later") from error

    def _await(self, end: int | None) -> None:
        """Wait until the bytes before the offset `end` have arrived; None waits for all of them."""
        offset = self._arrived.tell()
        length = self._arrived.seek(0, io.SEEK_END)
        while not self._complete and (end is None or length < end):
            piece = self._next()
            self._complete = not piece
            length += self._arrived.write(piece)
            self._limits.check_bytes(length)
        self._arrived.seek(offset)
