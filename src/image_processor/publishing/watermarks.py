"""Watermarks: objects of the upload bucket that transformations lay over renditions, cached between invocations."""

import threading
from collections.abc import Iterable
from contextlib import closing
from typing import Final

from image_processor.errors import ImageProcessorError, SourceArchived, SourceNotFound, SourceTooLarge
from image_processor.publishing.ports import Sources
from image_processor.transformations.transformation import Transformation

MAX_BYTES: Final = 5 * 1024 * 1024  # of one watermark
_CACHE_SIZE: Final = 4  # watermarks, which take up to 20 MiB of the function's memory


class Watermarks:
    """Reads watermarks and caches the last few by their ETag; safe to call from several threads."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._lock, self._cache = threading.Lock(), dict[str, tuple[str, bytes]]()

    def of(self, transformations: Iterable[Transformation]) -> dict[str, bytes | ImageProcessorError]:
        """The watermarks of these transformations as they are now, by key.

        The value is an error for a watermark that is missing, in an archive, or longer than `MAX_BYTES`.
        """
        keys = {key for transformation in transformations if (key := transformation.watermark_key)}
        return {key: self._get_or_error(key) for key in sorted(keys)}

    def _get_or_error(self, key: str) -> bytes | ImageProcessorError:
        try:
            return self._get(key)
        except (SourceNotFound, SourceTooLarge, SourceArchived) as error:
            return error

    def _get(self, key: str) -> bytes:
        etag = self._sources.etag(key)
        cached = self._cache.get(key)
        if cached and cached[0] == etag:
            return cached[1]
        source = self._sources.get(key) if etag else None
        if source is None:
            raise SourceNotFound(f"there is no watermark {key!r} in the upload bucket")
        with closing(source.body):
            if source.size > MAX_BYTES:
                raise SourceTooLarge(f"the watermark {key!r} has {source.size} bytes, allowed: {MAX_BYTES}")
            body = source.body.read()
        with self._lock:
            self._cache[key] = source.etag, body
            while len(self._cache) > _CACHE_SIZE:
                del self._cache[next(iter(self._cache))]
        return body
