"""The pictures that transformations lay over others: objects of the upload bucket, kept between invocations."""

import threading
from collections.abc import Iterable
from contextlib import closing
from typing import Final

from image_processor.errors import ImageProcessorError, SourceArchived, SourceNotFound, SourceTooLarge
from image_processor.publishing.ports import Sources
from image_processor.transformations.transformation import Transformation

MAX_BYTES: Final = 5 * 1024 * 1024  # of one; four are 20 MiB of the function's memory
_KEPT: Final = 4


class Watermarks:
    """Reads watermarks, and keeps the last few; safe to call from several threads."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._lock, self._kept = threading.Lock(), dict[str, tuple[str, bytes]]()

    def of(self, transformations: Iterable[Transformation]) -> dict[str, bytes | ImageProcessorError]:
        """The watermarks of these transformations as they are now, by their keys.

        In the place of one that is missing, in an archive, or over `MAX_BYTES`, stands its error.
        """
        keys = {key for transformation in transformations if (key := transformation.watermark_key)}
        return {key: self._get_or_tell(key) for key in sorted(keys)}

    def _get_or_tell(self, key: str) -> bytes | ImageProcessorError:
        try:
            return self._get(key)
        except (SourceNotFound, SourceTooLarge, SourceArchived) as error:
            return error

    def _get(self, key: str) -> bytes:
        etag = self._sources.etag(key)
        kept = self._kept.get(key)
        if kept and kept[0] == etag:
            return kept[1]
        source = self._sources.get(key) if etag else None
        if source is None:
            raise SourceNotFound(f"there is no watermark {key!r} in the upload bucket")
        with closing(source.body):
            if source.size > MAX_BYTES:
                raise SourceTooLarge(f"the watermark {key!r} has {source.size} bytes, allowed: {MAX_BYTES}")
            body = source.body.read()
        with self._lock:
            self._kept[key] = source.etag, body
            while len(self._kept) > _KEPT:
                del self._kept[next(iter(self._kept))]
        return body
