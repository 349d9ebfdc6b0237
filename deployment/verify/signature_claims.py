"""A picture is rendered only with a valid signature.

Each check uses blur, which no stack renders without one, with a value of its own.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from claims import Claim, Group, expect, expect_equal
from pictures import RED, plain

from image_processor.urls.links import signed_url

if TYPE_CHECKING:
    from target import Target

REFUSED = (403, "bad-signature")


def _refused(target: Target, blur: int, urls: dict[str, str]) -> str:
    """Check that each of these URLs is refused, and that none leaves a rendition with this blur."""
    for what, url in urls.items():
        response = target.get(url)
        expect_equal(what, (response.status, response.error), REFUSED)
        expect_equal(f"cache-control of {what}", response.headers.get("cache-control"), "no-store")
    left = [name for name in target.stored(target.ready) if f"blur={blur}" in name]
    expect(not left, f"the bucket has {', '.join(left)}")
    return f"403 bad-signature, {len(urls)} of {len(urls)}"


def unsigned(target: Target) -> str:
    """Request pictures without a signature, then one of them with it: the refusal is not cached."""
    key = target.ready
    seen = _refused(
        target,
        2,
        {
            "by its options": target.options_url(key, width=50, blur=2),
            "by its path": f"/{quote(key)}/blur=2",
            "with an empty signature": target.options_url(key, blur=2, sig=""),
        },
    )
    response = target.get(target.signed_url(key, blur=2))
    expect(response.is_picture, f"signed after it was refused: {response}")
    return f"{seen}; signed afterwards, 200"


def wrong(target: Target) -> str:
    """Request pictures with signatures of other pictures, or by another key."""
    key = target.ready
    other = target.upload("other.png", plain(300, 200, RED))
    signed = target.signed_url(key, width=51, blur=3)
    urls = {
        "by another key": signed_url("", key, {"width": "51", "blur": "3"}, "guessed"),
        "of another source": signed.replace(quote(key), quote(other), 1),
        "of another size": signed.replace("width=51", "width=4000"),
        "with another option": signed.replace("?", "?flip=both&", 1),
        "cut": signed[:-1],
    }
    expect(signed not in urls.values(), "one of the URLs is the signed one")
    return _refused(target, 3, urls)


def expired(target: Target) -> str:
    """Request a picture whose signature ended a minute ago, and one whose signature ends in ten."""
    now = int(time.time())
    past = target.signed_url(target.ready, blur=4, exp=now - 60)
    extended = past.replace(f"exp={now - 60}", f"exp={now + 600}")
    seen = _refused(target, 4, {"expired": past, "extended": extended})
    response = target.get(target.signed_url(target.ready, blur=4, exp=now + 600))
    expect(response.is_picture, f"not expired: {response}")
    return f"{seen}; before it expires, 200"


def forged(target: Target) -> str:
    """Send the header in which the edge function passes on what was signed."""
    key, header = target.ready, {"X-Image-Request": target.signed_url(target.ready, width=53, blur=5)}
    for what, url in {
        "by its path": f"/{quote(key)}/width=53,blur=5",
        "by its options": target.options_url(key, width=53, blur=5),
    }.items():
        response = target.get(url, headers=header)
        expect_equal(what, (response.status, response.error), REFUSED)
    return "403 bad-signature"


def other_methods(target: Target) -> str:
    """Send methods that change something."""
    url = target.signed_url(target.ready, blur=6)
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        expect_equal(method, target.get(url, method).status, 403)
    return "POST, PUT, DELETE and PATCH: 403"


DELIVERY = ("delivery", "public")
GROUP = Group(
    "Signatures",
    (
        Claim("unsigned", "Without a signature, nothing but variants is rendered", unsigned, DELIVERY),
        Claim("wrong-signature", "A signature is for one picture, by the stack's key", wrong, DELIVERY),
        Claim("expired", "A signature can expire", expired, DELIVERY),
        Claim("forged", "A viewer can't say what was signed", forged, DELIVERY),
        Claim("other-methods", "Nothing can be put or deleted by a URL", other_methods, DELIVERY),
    ),
)
