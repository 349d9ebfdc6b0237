"""Paths of renditions in URLs, and the paths that CloudFront invalidates for them. Pure; runs on Python 3.9.

Links percent-encode every character of a source's key that may be encoded. The edge function writes each path in its
own spelling before CloudFront reads its cache, so both spellings are invalidated.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

# Characters that a path may have raw or percent-encoded. The edge function leaves them raw, also in the cache key.
# Links encode them, and AWS recommends to invalidate the paths that viewers request as well.
_RESERVED: Final = "!$&'()*,;=:@"
_WILDCARDS: Final = 15


def rendition_url(base: str, source_key: str, name: str) -> str:
    """The URL of a rendition, by its variant or the text of its transformation."""
    return f"{base}/{quote(source_key)}/{quote(name, safe='=,')}"


def invalidation_paths(keys: Iterable[str]) -> list[str]:
    """The paths of all renditions of these sources, as the edge function spells them and as links do."""
    spelt = {f"/{quote(key, safe=safe)}" for key in keys for safe in ("/", f"/{_RESERVED}")}
    if len(spelt) > _WILDCARDS:
        return ["/*"]
    return sorted(f"{path}{rest}" for path in spelt for rest in ("", "/*"))
