"""CloudFront: invalidates, once for an invocation, the sources whose renditions were replaced or deleted.

`urls.paths` says which paths these are. The next invocation repeats a request that failed; until then CloudFront serves
the former renditions, at most for their Cache-Control.
"""

import threading
from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import uuid4

from image_processor.aws.clients import translated_errors
from image_processor.urls.paths import invalidation_paths


class CloudFrontInvalidations:
    """Collects keys from all threads, and invalidates their paths in one request."""

    def __init__(self, cloudfront: Callable[[], Any], distribution_id: Callable[[], str | None]) -> None:
        self._cloudfront, self._id = cache(cloudfront), distribution_id
        self._lock, self._keys = threading.Lock(), set[str]()

    def add(self, source_key: str) -> None:
        """Note that renditions of this source were replaced or deleted."""
        with self._lock:
            self._keys.add(source_key)

    def send(self) -> None:
        """Invalidate what was added. After `Throttled` or `Unavailable`, the next call sends it again."""
        with self._lock:
            keys = self._keys.copy()
        if not keys:
            return
        distribution_id = self._id()
        if distribution_id:
            paths = invalidation_paths(keys)
            batch = {"Paths": {"Quantity": len(paths), "Items": paths}, "CallerReference": str(uuid4())}
            with translated_errors("CloudFront"):
                self._cloudfront().create_invalidation(DistributionId=distribution_id, InvalidationBatch=batch)
        with self._lock:
            self._keys -= keys
