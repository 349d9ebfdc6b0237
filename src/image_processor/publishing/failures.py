"""Remembers why sources could not be rendered, so that a repeated request does not download and decode one again.

Anyone may request a variant, as often as they like. The answer comes from the memory of the execution environment, or
else from the record that the source's event has left. Both are about one version of the source, by its ETag. A record
is ignored if it was written by another release or under other limits, which may accept the source.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from image_processor.engine import Limits
from image_processor.errors import ImageProcessorError, SourceArchived, error_by_code
from image_processor.publishing.model import Source
from image_processor.publishing.names import record_id
from image_processor.publishing.ports import Records
from image_processor.publishing.records import limits_text
from image_processor.transformations.transformation import Transformation

_MAX_FAILURES: Final = 1_000  # that are remembered, of up to 2 KB each
_ARCHIVED_SECONDS: Final = 60.0  # a source that is restored from an archive has the ETag it had before
_ANY: Final = ""  # instead of a rendition's name: the source itself can't be rendered


class Failures:
    """Finds the failure of a source, or of one of its renditions; safe to call from several threads."""

    def __init__(
        self,
        records: Records,
        bucket: str,
        variants: Mapping[str, Transformation],
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._records, self._bucket, self._clock = records, bucket, clock
        self._variants, self._limits = variants, limits_text(limits)
        self._lock = threading.Lock()
        self._memory = dict[tuple[str, str], tuple[str, float, ImageProcessorError]]()

    def remember(self, source: Source, error: ImageProcessorError, name: str = _ANY) -> None:
        """Remember that this version of a source can't be rendered, or not as the rendition of this name.

        `error` is one that a retry does not fix.
        """
        until = self._clock() + _ARCHIVED_SECONDS if isinstance(error, SourceArchived) else math.inf
        with self._lock:
            self._memory.pop((source.key, name), None)
            self._memory[source.key, name] = source.etag, until, error
            while len(self._memory) > _MAX_FAILURES:
                del self._memory[next(iter(self._memory))]

    def find(self, key: str, etag: str, name: str) -> ImageProcessorError | None:
        """Why this version of a source has no rendition of this name, as far as it is known."""
        return self._remembered(key, etag, _ANY) or self._remembered(key, etag, name) or self._recorded(key, etag, name)

    def _remembered(self, key: str, etag: str, name: str) -> ImageProcessorError | None:
        of_version, until, error = self._memory.get((key, name), ("", 0.0, None))
        if error is None or of_version != etag or self._clock() >= until:
            return None
        return type(error)(str(error))  # a new one, because several threads may raise it at a time

    def _recorded(self, key: str, etag: str, name: str) -> ImageProcessorError | None:
        # A source that can't be rendered at all has a failed record for each variant. Any other failed record may be
        # that of a transformation which the variant no longer has.
        variant = name if name in self._variants else next(iter(self._variants))
        found = self._records.failure(record_id(self._bucket, key, variant))
        if found is None or (found.scope, found.source_etag, found.limits) != ("source", etag, self._limits):
            return None
        error = error_by_code(found.code)
        return None if error in (None, SourceArchived) else error(found.message)
