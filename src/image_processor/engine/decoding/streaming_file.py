"""A source whose bytes are still on their way, as a file: what has arrived is kept, the rest is waited for."""

import io
from typing import Final, Protocol

from image_processor.engine.limits import Limits
from image_processor.errors import ImageProcessorError, Unavailable

PIECE: Final = 64 * 1024  # bytes that are waited for at a time: what a decoder takes at once


class Stream(Protocol):
    """What bytes come from, in order; at its end `read` gives none."""

    def read(self, size: int, /) -> bytes: ...  # noqa: D102


class Arriving(io.BufferedIOBase):
    """Reads and seeks as a file does; holds what has arrived, and never more than the limits allow.

    Raises `SourceTooLarge`, and `Unavailable` where the stream fails, or its own error if it is one of the project's.
    """

    def __init__(self, stream: Stream, limits: Limits) -> None:
        self._stream, self._limits = stream, limits
        self._held = io.BytesIO()
        self._complete = False

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes, fewer only at the end; all that is left for -1."""
        size = -1 if size is None else size
        self._await(self._held.tell() + size if size >= 0 else None)
        return self._held.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place, also one that has not arrived yet."""
        if whence == io.SEEK_END:
            self._await(None)
        return self._held.seek(offset, whence)

    def tell(self) -> int:
        """The place that is read next."""
        return self._held.tell()

    def readable(self) -> bool:  # noqa: D102 - io's
        return True

    def seekable(self) -> bool:  # noqa: D102 - io's
        return True

    def _next(self) -> bytes:
        try:
            return self._stream.read(PIECE)
        except ImageProcessorError:
            raise
        except Exception as error:
            raise Unavailable("the source stopped on its way; try again later") from error

    def _await(self, end: int | None) -> None:
        """Wait until the bytes before `end` are here; all of them for None."""
        place = self._held.tell()
        arrived = self._held.seek(0, io.SEEK_END)
        while not self._complete and (end is None or arrived < end):
            piece = self._next()
            self._complete = not piece
            arrived += self._held.write(piece)
            self._limits.check_bytes(arrived)
        self._held.seek(place)
