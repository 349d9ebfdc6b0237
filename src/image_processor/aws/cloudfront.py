"""CloudFront's caches: told, once for an invocation, under which keys renditions were replaced or removed.

`urls.paths` says which paths these are. What CloudFront refuses is asked for again by the next invocation, and lives no
longer than its Cache-Control says, as all of it does without a distribution.
"""

import threading
from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from image_processor.aws.clients import error_code, speaking_to
from image_processor.urls.paths import invalidation_paths


class NoEdge:
    """Nobody is told: the stack has no distribution, or its caches may be as late as their Cache-Control says."""

    def replaced(self, key: str) -> None:
        """Know of nobody to tell."""

    def purge(self) -> None:
        """Have nobody to tell."""


class Distribution:
    """Collects keys from all threads, and invalidates what CloudFront may hold of them."""

    def __init__(self, cloudfront: Callable[[], Any], distribution_id: Callable[[], str | None]) -> None:
        self._cloudfront, self._id = cache(cloudfront), distribution_id
        self._lock, self._keys = threading.Lock(), set[str]()

    def replaced(self, key: str) -> None:
        """Something that CloudFront may hold of this source was replaced or removed."""
        with self._lock:
            self._keys.add(key)

    def purge(self) -> None:
        """Invalidate what was collected; raises `Throttled` or `Unavailable`, and then keeps it for the next time."""
        with self._lock:
            keys = self._keys.copy()
        if not keys:
            return
        distribution_id = self._id()
        if distribution_id:
            paths = invalidation_paths(keys)
            batch = {"Paths": {"Quantity": len(paths), "Items": paths}, "CallerReference": str(uuid4())}
            with speaking_to("CloudFront"):
                self._cloudfront().create_invalidation(DistributionId=distribution_id, InvalidationBatch=batch)
        with self._lock:
            self._keys -= keys


def id_from_parameter(ssm: Callable[[], Any], name: str) -> Callable[[], str | None]:
    """Reads the distribution's id, once, from the SSM parameter; None while the stack has not made it yet.

    Not from the environment: the distribution knows the function, and a template can't draw a circle.
    """
    found: list[str] = []

    def read() -> str | None:
        if not found:
            with speaking_to("SSM"):
                try:
                    found.append(ssm().get_parameter(Name=name)["Parameter"]["Value"])
                except ClientError as error:
                    if error_code(error) != "ParameterNotFound":
                        raise
        return found[0] if found else None

    return read
