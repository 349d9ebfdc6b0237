"""Whose turn it is to have pixels in memory: one source at a time, while the others of a batch wait for S3.

The function has one core by default, and its memory is enough for one source at the limit.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from image_processor.errors import Unavailable
from image_processor.publishing.model import Source

# Seconds that must be left to begin a source: the slowest takes ten to decode and encode, and its writes a moment.
ENOUGH: Final = 12.0
READ_AHEAD: Final = 64 * 1024 * 1024  # bytes, of all that wait together; more would take the pixels' memory


def check_time(deadline: float, needed: float = 0.0) -> None:
    """Raise `Unavailable` when fewer seconds than needed are left until `deadline`, in those of `time.monotonic`."""
    if deadline - time.monotonic() < needed:
        raise Unavailable("there is no time left for this source; try again later")


class Turns:
    """Gives turns to threads."""

    def __init__(self) -> None:
        self._pixels = threading.Lock()
        self._arithmetic = threading.Lock()
        self._room, self._present = READ_AHEAD, 0

    @contextmanager
    def present(self) -> Iterator[None]:
        """While a source is worked on, from before its download begins."""
        self._count(present=1)
        try:
            yield
        finally:
            self._count(present=-1)

    @contextmanager
    def turn(self, source: Source, deadline: float) -> Iterator[bytes | BinaryIO]:
        """Wait for the turn of a source; gives its body.

        Where it is the only one present, that is still on its way, to be decoded while it comes. Else it is read
        before the turn, as far as all that is read ahead fits, so that nobody waits for S3 with the pixels in hand.
        Raises `Unavailable` when too little time is left to begin.
        """
        ahead, mine = 0, False
        try:
            body: bytes | BinaryIO = source.body
            if self._present > 1:
                ahead = self._take(source.size)
                body = source.body.read() if ahead else body
            left = deadline - ENOUGH - time.monotonic()
            mine = self._pixels.acquire(timeout=min(max(0.0, left), threading.TIMEOUT_MAX))
            check_time(deadline, ENOUGH if mine else float("inf"))
            yield body
        finally:
            if mine:
                self._pixels.release()
            self._count(room=ahead)

    def _take(self, size: int) -> int:
        with self._arithmetic:
            taken = size if size <= self._room else 0
            self._room -= taken
            return taken

    def _count(self, *, present: int = 0, room: int = 0) -> None:
        with self._arithmetic:
            self._present += present
            self._room += room
