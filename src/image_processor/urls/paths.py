"""Paths of renditions, the URLs that name them, and the paths that CloudFront invalidates. Pure; runs on Python 3.9.

    cats/rio.jpg   thumbnail               ->  cats/rio.jpg/thumbnail
    my cat.jpg     width=300,format=webp   ->  my=20cat.jpg/width=300,format=webp

CloudFront, S3 and Lambda never see a character that needs percent-encoding, because SigV4 encodes a path once for S3
and twice for other services, and CloudFront refuses to invalidate some characters. A rendition's path is therefore
also its key in the processed bucket. A URL has the source's key percent-encoded, and the edge function (see
src/edge/viewer_request.js) writes the path.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from image_processor.errors import InvalidRequest
from image_processor.urls.signatures import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_KEY_BYTES: Final = 1024  # of an object, in UTF-8; Amazon S3 user guide, "Object key naming"
_VERSION_LENGTH: Final = 8  # characters
# Invalidations with a wildcard that may be in progress at a time:
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html
WILDCARDS: Final = 15
# What a path does not have as it is: other bytes, slashes at either end and after a slash, and segments of dots.
_ESCAPED: Final = re.compile(rb"[^A-Za-z0-9._/-]|^/|(?<=/)/|/\Z|(?:(?<=/)|^)\.{1,2}(?=/|\Z)")
_ESCAPE: Final = re.compile(rb"=([0-9A-F]{2})")


def escape_key(key: str) -> str:
    """A source's key in the form that a path has.

    Each byte of its UTF-8 that is not allowed becomes `=` and two hexadecimal digits. Letters, digits, `.`, `_`, `-`
    and `/` are allowed. A slash at the beginning, at the end or after a slash is not, because `//` may be folded to
    `/`. Neither are the dots of a segment `.` or `..`. The escapes are those of quoted-printable (RFC 2045, 6.7). Two
    keys never have the same path.
    """
    return _ESCAPED.sub(_escape, key.encode()).decode("ascii")


def _escape(found: re.Match[bytes]) -> bytes:
    return b"".join(b"=%02X" % byte for byte in found.group())


def unescape_key(escaped: str) -> str | None:
    """The key of which this is the escaped form; None if it is not the escaped form of any key."""
    try:
        key = _ESCAPE.sub(lambda found: bytes.fromhex(found.group(1).decode()), escaped.encode()).decode()
    except UnicodeError:
        return None
    return key if key and escape_key(key) == escaped else None


def rendition_path(source_key: str, name: str) -> str:
    """The path of a rendition, without a leading slash: its key in the processed bucket.

    `name` is a variant, or the canonical text of a transformation. Raises `InvalidRequest` for a source's key that
    leaves no room for the name.
    """
    escaped = escape_key(source_key)
    longest = MAX_KEY_BYTES - len(name) - 1
    if len(escaped) > longest:
        raise InvalidRequest(
            f"the source's key takes {len(escaped)} bytes in the rendition's key, allowed: {longest}, since /{name} is "
            "added to it; a letter, a digit, '.', '_', '-' and '/' take one byte, and any other character three or more"
        )
    return f"{escaped}/{name}"


def split_path(path: str) -> tuple[str, str] | None:
    """The source's key and the rendition's name of a path; None for a path that no rendition has."""
    escaped, _, name = path.rpartition("/")
    key = unescape_key(escaped)
    return None if key is None or not name else (key, name)


def version_of(source_etag: str) -> str:
    """The version that URLs of a source's renditions carry, so that CloudFront caches each version of it apart."""
    return source_etag[:_VERSION_LENGTH]


def rendition_url(base: str, source_key: str, name: str, version: str = "") -> str:
    """The URL of a rendition, by its variant or the text of its transformation."""
    url = f"{base}/{quote(source_key)}/{quote(name, safe='=,')}"
    return f"{url}?{VERSION}={version}" if version else url


def invalidation_paths(keys: Iterable[str]) -> list[str]:
    """The paths of all renditions of these sources: one for each, which also covers the URLs with options."""
    paths = sorted({f"/{escape_key(key)}*" for key in keys})
    return paths if len(paths) <= WILDCARDS else ["/*"]
