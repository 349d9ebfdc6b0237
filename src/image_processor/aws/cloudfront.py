"""CloudFront: invalidates, once for an invocation, the sources whose renditions were replaced or deleted.

Each source is two paths, `/cats/rio.jpg/*` for its renditions' own, and `/cats/rio.jpg` for URLs with options: where a
function changes a path, AWS recommends both. CloudFront works on 15 wildcards at a time and refuses more, so that more
are one path, `/*`. The next invocation repeats a request that failed; until then CloudFront serves the
former renditions, at most for their Cache-Control.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
"""

import threading
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

from image_processor.aws.clients import speaking_to

# What may stand in a path as it is or encoded. The edge function leaves it as it is, and there the cache has it; our
# own links encode it, and AWS advises to invalidate what viewers ask for, too.
_RESERVED: Final = "!$&'()*,;=:@"
_WILDCARDS: Final = 15


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
            with speaking_to("CloudFront"):
                self._cloudfront().create_invalidation(DistributionId=distribution_id, InvalidationBatch=batch)
        with self._lock:
            self._keys -= keys


def invalidation_paths(keys: Iterable[str]) -> list[str]:
    """The paths of all renditions of these sources, as the edge function spells them and as links do."""
    spelt = {f"/{quote(key, safe=safe)}" for key in keys for safe in ("/", f"/{_RESERVED}")}
    if len(spelt) > _WILDCARDS:
        return ["/*"]
    return sorted(f"{path}{rest}" for path in spelt for rest in ("", "/*"))
