"""The decode slot: one source at a time has its pixels in memory, while the others of a batch wait for S3.

The function has one core by default, and its memory is enough for one source at the limit.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from image_processor.errors import Unavailable
from image_processor.publishing.model import Source

# Seconds that must remain to begin a source: the slowest takes ten to decode and encode, and its writes take a moment.
DECODE_SECONDS: Final = 12.0
# Bytes that all waiting sources may have read ahead together. More would take the memory of the decoded one.
READ_AHEAD: Final = 64 * 1024 * 1024


def check_time(deadline: float, needed: float = 0.0) -> None:
    """Raise `Unavailable` if fewer seconds than needed remain until `deadline`, in seconds of `time.monotonic`."""
    if deadline - time.monotonic() < needed:
        raise Unavailable("there is no time left for this source; try again later")


class DecodeSlot:
    """Held by one thread at a time."""

    def __init__(self) -> None:
        self._slot = threading.Lock()
        self._counters = threading.Lock()
        self._read_ahead_left, self._in_progress = READ_AHEAD, 0

    @contextmanager
    def in_progress(self) -> Iterator[None]:
        """Count a source as in progress, from before its download begins."""
        self._count(in_progress=1)
        try:
            yield
        finally:
            self._count(in_progress=-1)

    @contextmanager
    def hold(self, source: Source, deadline: float) -> Iterator[bytes | BinaryIO]:
        """Wait for the slot, and hold it; gives the source's body.

        The body of the only source in progress is still downloading, so that it is decoded while it arrives. With
        others in progress, the body is read before the wait, as far as `READ_AHEAD` allows, so that no thread waits for
        S3 while it holds the slot. Raises `Unavailable` if too little time is left to begin.
        """
        read_ahead, is_held = 0, False
        try:
            body: bytes | BinaryIO = source.body
            if self._in_progress > 1:
                read_ahead = self._take_read_ahead(source.size)
                body = source.body.read() if read_ahead else body
            remaining = deadline - DECODE_SECONDS - time.monotonic()
            is_held = self._slot.acquire(timeout=min(max(0.0, remaining), threading.TIMEOUT_MAX))
            check_time(deadline, DECODE_SECONDS if is_held else float("inf"))
            yield body
        finally:
            if is_held:
                self._slot.release()
            self._count(read_ahead=read_ahead)

    def _take_read_ahead(self, size: int) -> int:
        with self._counters:
            taken = size if size <= self._read_ahead_left else 0
            self._read_ahead_left -= taken
            return taken

    def _count(self, *, in_progress: int = 0, read_ahead: int = 0) -> None:
        with self._counters:
            self._in_progress += in_progress
            self._read_ahead_left += read_ahead
