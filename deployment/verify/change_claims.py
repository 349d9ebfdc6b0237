"""What follows when a source is overwritten or deleted, in the bucket, in the table and in CloudFront's caches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from claims import Claim, Group, NotChecked, expect
from pictures import BLUE, RED, plain, read_png

if TYPE_CHECKING:
    from target import Target
    from web import Response

NOT_CACHED = "its CloudFront caches nothing"
ODD = "over ~ (1) *.png"  # characters that CloudFront's invalidations refuse or interpret
TRIES = 8  # requests, until one is answered by a cache


def from_cache(response: Response) -> bool:
    """Whether CloudFront has not asked an origin."""
    return response.headers.get("x-cache", "").startswith(("Hit", "RefreshHit"))


def cached(target: Target, url: str) -> bool:
    """Request a URL until a cache answers. Each request may reach another of the caches at an edge location."""
    return not target.local and any(from_cache(target.get(url)) for _ in range(TRIES))


def at_edge(target: Target, seen: str, *, was_cached: bool) -> str:
    """What was seen after a change; raises `NotChecked` if no cache had the former picture, so nothing is shown."""
    if was_cached:
        return f"{seen} (cached before)"
    if target.local:
        return f"{seen} ({NOT_CACHED})"
    raise NotChecked(f"{seen}, and no cache had the former picture in {TRIES} requests")


def edge_caches(target: Target) -> str:
    """Request a stored picture several times."""
    key = target.upload("cached.png", plain(300, 200, RED))
    target.until_served(target.variant_url(key))
    expect(cached(target, target.variant_url(key)), f"{TRIES} requests, and none was answered by the cache")
    return "x-cache: Hit from cloudfront"


def overwritten(target: Target) -> str:
    """Overwrite a source whose variant is cached, and request the variant until it is the new one."""
    url = target.variant_url(target.upload("overwritten.png", plain(300, 200, RED)))
    before, _ = target.until_served(url)
    was_cached = cached(target, url)
    target.upload("overwritten.png", plain(300, 200, BLUE))
    _, seconds = target.until(
        lambda: (after := target.get(url)).is_picture and after.body != before.body,
        lambda: "the same picture as before",
    )
    return at_edge(target, f"the new one after {seconds:.1f} s", was_cached=was_cached)


def odd_overwritten(target: Target) -> str:
    """Overwrite a source whose key has characters that invalidations refuse."""
    url = target.signed_url(target.upload(ODD, plain(300, 200, RED)), format="png", blur=2)
    before, _ = target.until_served(url)
    expect(read_png(before.body).is_at(RED, 0.5, 0.5), "the picture is not red")
    was_cached = cached(target, url)
    target.upload(ODD, plain(300, 200, BLUE))
    _, seconds = target.until(
        lambda: (after := target.get(url)).is_picture and read_png(after.body).is_at(BLUE, 0.5, 0.5),
        lambda: "the picture is still red",
    )
    return at_edge(target, f"{ODD!r}: blue instead of red after {seconds:.1f} s", was_cached=was_cached)


def versioned(target: Target) -> str:
    """Overwrite a source, and request its picture by a URL with another v, which no cache has."""
    key = target.upload("versioned.png", plain(300, 200, RED))
    before, after = (target.signed_url(key, format="png", blur=3, v=version) for version in ("aaaaaaaa", "bbbbbbbb"))
    target.until_served(before)
    was_cached = cached(target, before)
    target.upload("versioned.png", plain(300, 200, BLUE))
    target.until(lambda: not _blurred(target, key), lambda: "the bucket still has the picture of the former source")
    response, seconds = target.until_served(after)
    expect(read_png(response.body).is_at(BLUE, 0.5, 0.5), "the picture is still red")
    names = _blurred(target, key)
    expect(len(names) == 1 and "v=" not in names[0], f"stored: {', '.join(names)}")
    return at_edge(target, f"blue after {seconds:.1f} s, stored as {names[0]}", was_cached=was_cached)


def _blurred(target: Target, key: str) -> list[str]:
    return [name for name in target.stored(key) if "blur" in name]


def deleted(target: Target) -> str:
    """Delete a source whose variant is cached, and request the variant until there is none."""
    key = target.upload("deleted.png", plain(300, 200, RED))
    url = target.variant_url(key)
    target.until_served(url)
    was_cached = cached(target, url)
    target.aws.call("s3api", "delete-object", Bucket=target.upload_bucket, Key=key)
    response, seconds = target.until(
        lambda: response if (response := target.get(url)).status in (403, 404) else None,
        lambda: "the picture is still served",
    )
    return at_edge(target, f"{response.status} after {seconds:.1f} s", was_cached=was_cached)


def deleted_record(target: Target) -> str:
    """Delete a source that has a record, and wait until there is none."""
    key = target.upload("deleted-record.png", plain(300, 200, RED))
    target.until(lambda: target.records(key), lambda: "there is no record")
    target.aws.call("s3api", "delete-object", Bucket=target.upload_bucket, Key=key)
    _, seconds = target.until(lambda: not target.records(key), lambda: "the record is still there")
    expect(not target.stored(key), f"the record is gone, and the bucket has {sorted(target.stored(key))}")
    return f"record and rendition gone after {seconds:.1f} s"


EDGE = ("cdn", "public", "invalidation")
GROUP = Group(
    "Changes",
    (
        Claim("edge-caches", "CloudFront caches a picture", edge_caches, ("cdn", "public"), not_local=NOT_CACHED),
        Claim("overwritten", "An overwritten source's variant is replaced, also at the edge", overwritten, EDGE),
        Claim(
            "odd-overwritten", "… also with characters that invalidations refuse", odd_overwritten, (*EDGE, "delivery")
        ),
        Claim("versioned", "A URL with a new v needs no invalidation", versioned, ("delivery", "public")),
        Claim("deleted", "A deleted source's variant is gone, also at the edge", deleted, EDGE),
        Claim("deleted-record", "… and its record, and its renditions in the bucket", deleted_record, ("metadata",)),
    ),
)
