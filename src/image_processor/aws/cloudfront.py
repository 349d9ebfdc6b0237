"""CloudFront: invalidates, once for an invocation, the sources whose renditions were replaced or deleted.

`urls.paths` says which paths these are. If CloudFront is busy, can't be reached or denies access, the next invocation
repeats the request. If CloudFront rejects the request itself, no repetition would succeed, and it is given up. In both
cases CloudFront serves the former renditions meanwhile, at most for their Cache-Control.
"""

import threading
from collections.abc import Callable
from functools import cache
from typing import Any, Final
from uuid import uuid4

from botocore.exceptions import ClientError

from image_processor.aws.clients import error_code, translated_errors
from image_processor.errors import ImageProcessorError, Throttled
from image_processor.urls.paths import WILDCARDS, invalidation_paths

# CloudFront rejects the request itself with these errors, and others with the same statuses. It denies access with 403:
# the same request succeeds when the permissions are there.
# https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html
_REJECTIONS: Final = {
    "BatchTooLarge",
    "InconsistentQuantities",
    "InvalidArgument",
    "MissingBody",
    "NoSuchDistribution",
}
_REJECTED: Final = {400, 404, 413}


class CloudFrontInvalidations:
    """Collects keys from all threads, and invalidates their paths in one request."""

    def __init__(self, cloudfront: Callable[[], Any], distribution_id: Callable[[], str | None]) -> None:
        self._cloudfront, self._id = cache(cloudfront), distribution_id
        self._lock, self._keys = threading.Lock(), set[str]()

    def add(self, source_key: str) -> None:
        """Note that renditions of this source were replaced or deleted."""
        with self._lock:
            self._add({source_key})

    def send(self) -> None:
        """Invalidate what was added.

        Raises `Throttled` or `Unavailable`. The next call then repeats the request, unless CloudFront rejected it.
        """
        with self._lock:
            keys, self._keys = self._keys, set()
        if not keys:
            return
        try:
            self._invalidate(invalidation_paths(keys))
        except ImageProcessorError as error:
            if not _is_rejection(error):
                with self._lock:
                    self._add(keys)
            raise

    def _add(self, keys: set[str]) -> None:
        # More than these invalidate the whole distribution, so none has to be added.
        if len(self._keys) <= WILDCARDS:
            self._keys |= keys

    def _invalidate(self, paths: list[str]) -> None:
        distribution_id = self._id()
        if distribution_id:
            batch = {"Paths": {"Quantity": len(paths), "Items": paths}, "CallerReference": str(uuid4())}
            with translated_errors("CloudFront"):
                self._cloudfront().create_invalidation(DistributionId=distribution_id, InvalidationBatch=batch)


def _is_rejection(error: ImageProcessorError) -> bool:
    """Whether CloudFront rejected the request itself, so that the same request never succeeds."""
    cause = error.__cause__
    if isinstance(error, Throttled) or not isinstance(cause, ClientError):
        return False
    status = cause.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return error_code(cause) in _REJECTIONS or status in _REJECTED
