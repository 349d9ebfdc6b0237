"""Signatures of URLs, which authorise rendering. Pure; deployment/sign.py runs it on Python 3.9.

The signed text is the URL as the page's author wrote it, decoded: the path, `?`, then all parameters except the
signature and the version, sorted by name.

    /cats/rio.jpg?exp=1764000000&format=auto&width=300

No two requests have the same text: the last `?` ends the path, because no name or value may contain one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from image_processor.errors import BadSignature, InvalidRequest, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SIGNATURE, EXPIRY = "sig", "exp"
AGAIN = "again"  # added by the function's own redirect, after the author has signed
VERSION = "v"  # of the source: part of CloudFront's cache key, so that a new version is not served from the cache
UNSIGNED = (SIGNATURE, AGAIN, VERSION)
_LATEST = 253402300799  # the last second of the year 9999


def sign(key: str, path: str, parameters: Mapping[str, str]) -> str:
    """Sign a URL's decoded path and parameters: HMAC-SHA256 in base64url without padding, 43 characters (RFC 4648).

    Raises `ValueError` for a name with `=`, or a name or value with `?` or `&`, which no option has.
    """
    digest = hmac.new(key.encode(), _text(path, parameters).encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_signed(keys: Iterable[str], path: str, parameters: Mapping[str, str]) -> bool:
    """Whether `sig` is by one of the keys; takes the same time whichever key it is, and however much of it is right."""
    given = parameters.get(SIGNATURE, "").encode("utf-8", "surrogatepass")
    found = False
    for key in keys:
        try:
            signature = sign(key, path, parameters)
        except ValueError:  # an unpaired surrogate raises one as well
            return False
        found |= hmac.compare_digest(signature.encode(), given)
    return found


def check(path: str, parameters: Mapping[str, str], keys: Iterable[str], now: float) -> None:
    """Raise `BadSignature` unless the request is signed and, at `now`, in seconds since 1970, not expired.

    Raises `InvalidRequest` for a signed `exp` that is not a time. An unsigned request gets no other error: caches store
    an `InvalidRequest` under the path alone, and viewers with a valid signature would get it too.
    """
    if not parameters.get(SIGNATURE):
        raise BadSignature(f"the signature is missing: parameter {SIGNATURE}")
    if not is_signed(keys, path, parameters):
        raise BadSignature("the signature is wrong: path, options and expiry have to be those that were signed")
    until = expiry(parameters)
    if until is not None and now >= until:
        at = datetime.fromtimestamp(until, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: UP017 - Python 3.9
        raise BadSignature(f"the signature expired at {at}")


def expiry(parameters: Mapping[str, str]) -> int | None:
    """When a request expires, in seconds since 1970; None for never. Raises `InvalidRequest` for any other value."""
    text = parameters.get(EXPIRY)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_LATEST)) and int(text) <= _LATEST):
        raise InvalidRequest(
            f"parameter {EXPIRY}: got {shown(text)}, allowed: whole seconds since 1970, up to the year 9999"
        )
    return int(text)


def _text(path: str, parameters: Mapping[str, str]) -> str:
    pairs = sorted((name, value) for name, value in parameters.items() if name not in UNSIGNED)
    for name, value in pairs:
        if "=" in name or any(mark in part for part in (name, value) for mark in "?&"):
            raise ValueError(f"{name}={value} can't be signed: no option has a '?', '&' or a name with '='")
    return f"{path}?{'&'.join(f'{name}={value}' for name, value in pairs)}"
