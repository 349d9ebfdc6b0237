"""How a picture is delivered by its URL: rendered once, in the best format, with its headers, whatever its size."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from change_claims import from_cache
from claims import Claim, Group, expect, expect_equal
from pictures import BLUE, noise, plain, read_png

if TYPE_CHECKING:
    from target import Target
    from web import Response

LARGE = 4_500_000  # bytes; a larger picture does not fit into a response of Lambda
NOISE = (1300, 1300)  # about 5 MB in any format without loss
REDIRECTS = 2
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "strict-transport-security": "max-age=31536000",
    "cross-origin-resource-policy": "cross-origin",
    "timing-allow-origin": "*",
    "access-control-allow-origin": "*",
}


def rendered(response: Response) -> bool:
    """Whether the function has rendered it for this request: responses of the bucket have no Server-Timing."""
    return "server-timing" in response.headers


def signed_size(target: Target) -> str:
    """Request a new size twice: the function renders it, then the bucket or a cache serves the same bytes."""
    url = target.signed_url(target.ready, width=40, format="png")
    first = target.get(url)
    expect(first.is_picture, f"{first}")
    expect(rendered(first), "the first response is not the function's: it has no Server-Timing")
    expect_equal("width", read_png(first.body).width, target.rounded(40, source=300))
    second, _ = target.until_served(url)
    expect_equal("the second picture is the same", second.body == first.body, wanted=True)
    for name in ("etag", "content-type", "content-disposition", "cache-control"):
        expect_equal(f"{name} of the second", second.headers.get(name), first.headers.get(name))
    return f"first {first.seconds:.1f} s by the function, then {second.seconds:.2f} s"


def stored_once(target: Target) -> str:
    """Request a picture that is in the bucket, with its options in another order."""
    key = target.upload("once.png", plain(300, 200, BLUE))
    expect(target.get(target.signed_url(key, width=41, blur=2)).is_picture, "the first request has no picture")
    name = next((name for name in target.stored(key) if "blur" in name), "")
    expect(name, "the bucket has no such rendition")
    response = target.get(target.signed_url(key, blur=2, width=41))
    expect(response.is_picture, f"{response}")
    expect(from_cache(response) or not rendered(response), "the function has rendered it again")
    return f"stored as {name}, and served from there"


def negotiated(target: Target) -> str:
    """Request format=auto with the Accept headers of browsers."""
    url = target.signed_url(target.ready, width=42, format="auto")
    wanted = {
        "image/avif,image/webp,image/apng,*/*;q=0.8": "image/avif",
        "image/webp,*/*": "image/webp",
        "*/*": "image/png",
    }
    for accept, kind in wanted.items():
        expect_equal(f"type for Accept: {accept}", target.get(url, headers={"Accept": accept}).type, kind)
    return "AVIF, WebP, or the source's own format"


def head(target: Target) -> str:
    """Compare HEAD with GET."""
    url = target.variant_url(target.ready)
    got, _ = target.until_served(url)
    response = target.get(url, "HEAD")
    expect_equal("status and body", (response.status, response.body), (200, b""))
    expect_equal("content-length", response.headers.get("content-length"), str(len(got.body)))
    return f"200, content-length {len(got.body)}"


def head_of_new(target: Target) -> str:
    """Send HEAD for a picture that is not stored, which writes nothing."""
    response = target.get(target.signed_url(target.ready, blur=7), "HEAD")
    expect_equal("status and body", (response.status, response.body), (200, b""))
    expect(not [name for name in target.stored(target.ready) if "blur=7" in name], "the picture is stored now")
    return f"200, {response.headers.get('cache-control')}, and nothing is stored"


def not_modified(target: Target) -> str:
    """Request what the viewer already has."""
    url = target.variant_url(target.ready)
    got, _ = target.until_served(url)
    known = target.get(url, headers={"If-None-Match": got.headers["etag"]})
    expect_equal("status and body", (known.status, known.body), (304, b""))
    expect_equal("status for another ETag", target.get(url, headers={"If-None-Match": '"another"'}).status, 200)
    return "304 for its ETag, 200 for another"


def part(target: Target) -> str:
    """Request the first hundred bytes."""
    url = target.variant_url(target.ready)
    got, _ = target.until_served(url)
    response = target.get(url, headers={"Range": "bytes=0-99"})
    expect_equal("status", response.status, 206)
    expect_equal("the bytes are the first hundred", response.body == got.body[:100], wanted=True)
    return f"206, {response.headers.get('content-range')}"


def headers(target: Target) -> str:
    """Compare the headers of a variant with what the template sets."""
    url = target.variant_url(target.ready)
    response, _ = target.until_served(url)
    response = target.get(url, headers={"Origin": "https://www.example.com"})
    for name, value in {**HEADERS, "cache-control": target.parameters["CacheControl"]}.items():
        expect_equal(name, response.headers.get(name), value)
    for name in ("etag", "last-modified", "content-disposition"):
        expect(response.headers.get(name), f"there is no {name}")
    hidden = [name for name in response.headers if name.startswith("x-amz-meta-")]
    expect(not hidden, f"viewers see {', '.join(hidden)}")
    return f"{len(HEADERS)} headers of the policy, cache-control: {target.parameters['CacheControl']}"


def large(target: Target) -> str:
    """Request a picture that does not fit into a response of Lambda, and follow its redirect."""
    url = target.signed_url(target.upload("large.png", noise(*NOISE)), format="png")
    statuses = []
    for _ in range(REDIRECTS + 1):
        response = target.get(url)
        statuses.append(response.status)
        if response.status != 302:
            break
        location = urlsplit(response.headers["location"])
        expect(not location.netloc or location.netloc == target.domain, "the redirect leads to another host")
        url = f"{location.path}?{location.query}"
    expect(response.is_picture, f"{response}")
    expect(len(response.body) > LARGE, f"the picture has only {len(response.body):,} bytes")
    return f"{', then '.join(map(str, statuses))}: {len(response.body):,} bytes in {response.seconds:.1f} s"


def at_once(target: Target) -> str:
    """Send two requests for one new picture at the same time."""
    key = target.upload("both.png", plain(2000, 1500, BLUE))
    url = target.signed_url(key, width=1111, format="webp")
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(target.get, (url, url))
    expect_equal("statuses", (one.status, other.status), (200, 200))
    expect(one.body == other.body, "the two pictures are different")
    names = [name for name in target.stored(key) if name not in target.variants]
    expect_equal("renditions", len(names), 1)
    return f"both {len(one.body):,} bytes, stored once as {names[0]}"


def bad_option(target: Target) -> str:
    """Request an option that there is not."""
    response = target.get(f"/{target.key('any.png')}?widht=300")
    expect_equal("response", (response.status, response.error), (400, "invalid-transformation"))
    message = str(response.json["error"]["message"])
    expect("widht" in message, f"the message does not name the option: {message}")
    return f"400, {message[:40]}…"


def no_source(target: Target) -> str:
    """Request the variant of a source that there is not."""
    response = target.get(target.variant_url(target.key("none.png")))
    expect_equal("response", (response.status, response.error), (404, "source-not-found"))
    return f"404 {response.error}"


def to_https(target: Target) -> str:
    """Request a picture without TLS."""
    response = target.web.request(target.domain, target.variant_url(target.key("any.png")), secure=False)
    if target.parameters["ViewerProtocolPolicy"] == "https-only":
        expect_equal("status", response.status, 403)
        return "403"
    expect_equal("status", response.status, 301)
    expect(response.headers.get("location", "").startswith("https://"), "the redirect is not to HTTPS")
    return "301 to https"


VIEWER, DELIVERY = ("cdn", "public"), ("delivery", "public")
GROUP = Group(
    "Delivery",
    (
        Claim("signed-size", "The function renders a signed size at its first request only", signed_size, DELIVERY),
        Claim(
            "stored-once",
            "… and the bucket serves it, in whatever order its options are written",
            stored_once,
            DELIVERY,
        ),
        Claim("negotiated", "format=auto follows the Accept header", negotiated, DELIVERY),
        Claim("head", "HEAD has the headers of GET", head, VIEWER),
        Claim("head-of-new", "HEAD renders nothing", head_of_new, DELIVERY),
        Claim("not-modified", "A viewer's own copy is not sent again", not_modified, VIEWER),
        Claim("range", "A part of a picture can be requested", part, VIEWER),
        Claim("headers", "A picture has the headers of CORS, caching and security", headers, VIEWER),
        Claim("large", "A picture of more than 4.5 MB is served", large, (*DELIVERY, "large")),
        Claim("at-once", "Two requests at once for a new picture get the same picture", at_once, DELIVERY),
        Claim("bad-option", "An invalid option is answered at the edge", bad_option, VIEWER),
        Claim("no-source", "A source that does not exist is a 404", no_source, DELIVERY),
        Claim("https", "Plain HTTP leads to HTTPS", to_https, ("cdn", "https")),
    ),
)
