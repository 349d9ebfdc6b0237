"""A claim: what the project promises of a deployed stack, and the check that shows whether it holds.

A check returns what it has seen, in a few words. It raises `Broken` if the claim does not hold, and `NotChecked` if
this caller can't find out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from target import Target

# Parts that a stack may lack, each with what switches it off.
PARTS = {
    "api": "EnableApi is false",
    "api-key": "ApiAuthorization is not API_KEY",
    "cdn": "EnableCdn is false",
    "delivery": "EnableDelivery or EnableCdn is false",
    "https": "ViewerProtocolPolicy is allow-all",
    "invalidation": "InvalidateCdn or EnableCdn is false",
    "large": "MaxSourceBytes is below 6 MB",
    "metadata": "EnableMetadata is false",
    "public": "CdnKeyGroup requires CloudFront's own signatures",
    "tls": "RequireTls is false",
}


class Broken(Exception):
    """The claim does not hold; the message says what was seen instead."""


class NotChecked(Exception):
    """The check needs something that this caller lacks; the message names it."""


class Stopped(Exception):
    """The user has stopped the run."""


@dataclass(frozen=True)
class Claim:
    """A promise, and its check.

    `needs` names parts of `PARTS`. `not_local` says why the local AWS can't show the claim, and is empty if it can;
    with `enforced`, it can only if it enforces IAM policies.
    """

    name: str
    says: str
    check: Callable[[Target], str]
    needs: tuple[str, ...] = ()
    not_local: str = ""
    enforced: bool = False


@dataclass(frozen=True)
class Group:
    """Claims about one subject."""

    title: str
    claims: tuple[Claim, ...]


def expect(holds: object, otherwise: str) -> None:
    """Raise `Broken` unless it holds."""
    if not holds:
        raise Broken(otherwise)


def expect_equal(what: str, seen: object, wanted: object) -> None:
    """Raise `Broken` unless both are equal."""
    expect(seen == wanted, f"{what}: {seen!r} instead of {wanted!r}")
