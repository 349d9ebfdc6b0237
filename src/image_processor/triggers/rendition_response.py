"""HTTP responses of the Function URL: a rendition, a redirect to it, or an error."""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote

from image_processor import telemetry
from image_processor.errors import ImageProcessorError, Unavailable, error_body
from image_processor.publishing.model import StoredRendition
from image_processor.transformations.options import FORMATS
from image_processor.triggers.rendition_request import Request, method_of
from image_processor.urls.signatures import AGAIN

# How long browsers cache an error, and CloudFront those that it caches: of these 400, 404 and 415. 403 responses are
# never cached, because the cache key is the path alone, and viewers with a valid signature would get them too. A 404 is
# cached for one second, because its source may arrive.
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
_ERRORS: Final = {403: "no-store", 404: "public, max-age=1"}
_OTHER_ERRORS: Final = "public, max-age=10"


def rendition_response(rendition: StoredRendition, body: bytes, request: Request) -> dict[str, Any]:
    """200 with the rendition, or 304 if the viewer already has it."""
    timings = ", ".join(f"{step};dur={milliseconds}" for step, milliseconds in telemetry.steps().items())
    headers = {
        "ETag": f'"{rendition.etag}"',
        "Last-Modified": format_datetime(rendition.modified_at.astimezone(UTC), usegmt=True),
        "Cache-Control": rendition.cache_control,
        "Server-Timing": timings,
        # Also of a 304: a Function URL adds application/json to a response without it, which CloudFront would store.
        "Content-Type": rendition.content_type,
    }
    if _is_cached_by_viewer(rendition, request.headers):
        return _bodiless(304, headers)
    headers["Content-Disposition"] = rendition.content_disposition
    return http_response(200, headers, body, request.method)


def unrendered_response(request: Request) -> dict[str, Any]:
    """200 to HEAD for a rendition that a GET would render: without the headers that only rendering determines.

    RFC 9110, 9.3.2 allows to omit them.
    """
    target = request.transformation.format
    content_type = f"image/{target}" if target in FORMATS else "application/octet-stream"
    return _bodiless(200, {"Cache-Control": "no-store", "Content-Type": content_type})


def _is_cached_by_viewer(rendition: StoredRendition, headers: Mapping[str, str]) -> bool:
    """Whether the viewer already has this rendition (RFC 9110, 13.2.2)."""
    etags, since = headers.get("if-none-match"), headers.get("if-modified-since")
    if etags is not None:
        known = {etag.strip().removeprefix("W/").strip('"') for etag in etags.split(",")}
        return bool(known & {rendition.etag, "*"})
    try:
        return since is not None and rendition.modified_at.replace(microsecond=0) <= parsedate_to_datetime(since)
    except (TypeError, ValueError):  # not a date, or one without a time zone: ignored
        return False


def redirect(request: Request, *, rendered: bool) -> dict[str, Any]:
    """Redirect to the same URL: the rendition is stored now, and the bucket serves renditions of any size."""
    is_redirected = request.written is not None and AGAIN in request.written[1]
    if is_redirected and not rendered:
        raise Unavailable("the picture is stored, and CloudFront can't read it from the bucket; try again later")
    # Browsers read a backslash as a slash, and a path that begins with two slashes as the name of another host.
    url = quote(request.url, safe="/?&=%+,;:@!$'()*~")
    url = f"/.{url}" if url.startswith("//") else url
    location = url if is_redirected else f"{url}{'&' if '?' in url else '?'}{AGAIN}=1"
    return _bodiless(302, {"Location": location, "Cache-Control": "no-store"})


def http_response(status: int, headers: Mapping[str, str], body: bytes, method: str) -> dict[str, Any]:
    """A response with this body; a response to HEAD has only its length."""
    if method == "HEAD":
        return _bodiless(status, {**headers, "Content-Length": str(len(body))})
    return {"statusCode": status, "headers": headers, "body": b64encode(body).decode(), "isBase64Encoded": True}


def _bodiless(status: int, headers: Mapping[str, str]) -> dict[str, Any]:
    return {"statusCode": status, "headers": headers, "body": "", "isBase64Encoded": False}


def error_response(event: Mapping[str, Any], error: ImageProcessorError) -> dict[str, Any]:
    """The error as JSON, in the one shape of every error."""
    body = error_body(error, event["requestContext"].get("requestId", ""))
    headers = {**error_caching(error), "Content-Type": "application/json"}
    return http_response(error.status, headers, json.dumps(body, ensure_ascii=False).encode(), method_of(event))


def error_caching(error: ImageProcessorError) -> dict[str, str]:
    """The headers that say how long a response with this error may be cached, and when to retry."""
    if error.retryable:
        return {"Cache-Control": "no-store", "Retry-After": "5"}
    return {"Cache-Control": _ERRORS.get(error.status, _OTHER_ERRORS)}
