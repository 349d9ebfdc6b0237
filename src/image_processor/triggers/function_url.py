"""The Function URL: CloudFront asks it for a rendition that is not in the processed bucket.

    find ─▶ stored: served to anyone
      └──▶ a variant, or a valid signature? ─▶ render, store ─▶ served; from then on by the bucket

The edge function has turned the query's options into a path, and sends the URL as it was written in a header. The
signature covers that URL. It guards rendering, not viewing: the bucket serves a stored rendition to anyone.
Events and responses have the shapes of a Function URL.
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

import json
import math
import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, unquote

from image_processor import telemetry
from image_processor.errors import (
    BadSignature,
    ImageProcessorError,
    InvalidRequest,
    InvalidSettings,
    InvalidTransformation,
    RouteNotFound,
    Unavailable,
    attempt,
    error_body,
    shown,
)
from image_processor.publishing.model import MAX_BODY, StoredRendition
from image_processor.publishing.pipeline import Pipeline
from image_processor.transformations.transformation import Transformation
from image_processor.transformations.url_options import resolutions
from image_processor.triggers.fallback_image import FallbackImage
from image_processor.urls.signatures import AGAIN, EXPIRY, SIGNATURE, UNSIGNED

WRITTEN: Final = "x-image-request"  # header by the edge function: the URL as its author wrote it
_NOT_OPTIONS: Final = {EXPIRY, *UNSIGNED}
# Parameters of CloudFront's own signed URLs, in a stack with a key group. A redirect must preserve them.
_CLOUDFRONT: Final = {"expires", "policy", "signature", "key-pair-id", "hash-algorithm"}
# Options that need no signature where the stack allows it.
_OPEN: Final = {"width", "height", "fit", "format"}
# How long browsers cache an error, and CloudFront those that it caches: of these 400, 404 and 415. 403 responses are
# never cached, because the cache key is the path alone, and viewers with a valid signature would get them too. A 404 is
# cached for one second, because its source may arrive.
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
_ERRORS: Final = {403: "no-store", 404: "public, max-age=1"}
_OTHER_ERRORS: Final = "public, max-age=10"


class Keys(Protocol):
    """The signing keys of a stack."""

    def check(self, path: str, parameters: Mapping[str, str], now: float) -> None:
        """Raise `BadSignature` unless the decoded path and parameters have a valid signature at `now`."""


class NoKeys:
    """The keys of a stack that renders nothing but variants by URL."""

    def check(self, path: str, parameters: Mapping[str, str], now: float) -> None:  # noqa: ARG002 - as in `Keys`
        """Raise `BadSignature`, whatever the signature."""
        raise BadSignature("this stack has no signing key")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the stack allows to be rendered by URL, and what it shows in place of an error."""

    pipeline: Pipeline
    keys: Keys
    ladder: Sequence[int] = ()
    allow_unsigned: bool = False
    fallback: FallbackImage | None = None

    def answer(self, event: Mapping[str, Any], deadline: float = math.inf) -> "Answer":
        """The rendition that the path names, rendered if it is not stored; raises the error of request or source."""
        request = _parse(event, self.pipeline.variants)
        stored = self.pipeline.find(request.key, request.name, MAX_BODY)
        rendition = stored
        if rendition is None:
            self._authorise(request)
            rendition = self.pipeline.deliver(request.key, request.name, request.transformation, deadline)
        if rendition.body is None or len(rendition.body) > MAX_BODY:
            response = _redirect(request, rendered=stored is None)
        else:
            response = _served(rendition, rendition.body, request)
        return Answer(response, rendered=stored is None)

    def refusal(
        self, event: Mapping[str, Any], error: ImageProcessorError, deadline: float = math.inf
    ) -> dict[str, Any]:
        """The response to a request that failed: the error as JSON, or the fallback image."""
        image = self._fallback_image(event, error, deadline)
        if image is None or image.body is None or len(image.body) > MAX_BODY:
            return error_answer(event, error)
        headers = {**_caching(error), "Content-Type": image.content_type, "X-Error-Code": error.code}
        return _response(error.status, headers, image.body, _method(event))

    def _fallback_image(
        self, event: Mapping[str, Any], error: ImageProcessorError, deadline: float
    ) -> StoredRendition | None:
        """The fallback image by the requested transformation, if the request may render it; else as first variant."""
        if self.fallback is None or error.retryable:  # in an outage, the fallback image would have to wait as well
            return None
        if isinstance(error, BadSignature):
            return self.fallback.first_variant(deadline)
        try:
            request = _parse(event, self.pipeline.variants)
            self._authorise(request)
        except ImageProcessorError:  # the error at hand, or one that it has hidden
            return self.fallback.first_variant(deadline)
        return self.fallback.rendition(request.name, request.transformation, deadline)

    def _authorise(self, request: "Request") -> None:
        """Raise `BadSignature` unless this request may have the rendition rendered."""
        if request.name in self.pipeline.variants or (self.allow_unsigned and self._is_open(request.transformation)):
            return
        path, parameters = request.written or ("", {})
        if not parameters.get(SIGNATURE):
            free = f"variants ({', '.join(self.pipeline.variants)})"
            if self.allow_unsigned:
                free += f" and width, height, dpr, fit and format with sides of {', '.join(map(str, self.ladder))}"
            raise BadSignature(f"only {free} are made without a signature, parameter {SIGNATURE}")
        self.keys.check(path, parameters, time.time())
        if not _names(path, parameters, self.ladder, request):
            raise BadSignature("the signature is another picture's")

    def _is_open(self, transformation: Transformation) -> bool:
        sides = [side for side in (transformation.width, transformation.height) if side is not None]
        given = {part.partition("=")[0] for part in str(transformation).split(",")}
        return bool(sides) and set(sides) <= set(self.ladder) and given <= _OPEN


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, and whether its rendition was rendered for it or was stored before."""

    response: dict[str, Any]
    rendered: bool


@dataclass(frozen=True, slots=True)
class Request:
    """The requested rendition, and the URL as its author wrote it: whole, and as decoded path and parameters."""

    method: str
    key: str
    name: str
    transformation: Transformation
    headers: Mapping[str, str]
    url: str
    written: tuple[str, Mapping[str, str]] | None


def is_delivery_request(event: Mapping[str, Any]) -> bool:
    """Whether this is a request to the Function URL."""
    return "http" in (event.get("requestContext") or {})


def respond(event: Mapping[str, Any], delivery: Callable[[], Delivery], deadline: float) -> dict[str, Any]:
    """The response to a request, whatever happens. `delivery` may raise `InvalidSettings`, a response as well."""
    started, path = time.perf_counter(), event.get("rawPath", "")
    with telemetry.working():
        outcome = attempt(lambda: delivery().answer(event, deadline))
        if isinstance(outcome, ImageProcessorError):
            if outcome.retryable:
                telemetry.fault(f"GET {path}", outcome)
            error, rendered, response = outcome.code, False, _refusal(event, outcome, delivery, deadline)
        else:
            error, rendered, response = None, outcome.rendered, outcome.response
        seconds = time.perf_counter() - started
        telemetry.delivered(path, response["statusCode"], error, seconds, rendered=rendered)
    return response


def _refusal(
    event: Mapping[str, Any], error: ImageProcessorError, delivery: Callable[[], Delivery], deadline: float
) -> dict[str, Any]:
    try:
        return delivery().refusal(event, error, deadline)
    except InvalidSettings:
        return error_answer(event, error)


def error_answer(event: Mapping[str, Any], error: ImageProcessorError) -> dict[str, Any]:
    """The error as JSON, in the one shape of every error."""
    body = error_body(error, event["requestContext"].get("requestId", ""))
    headers = {**_caching(error), "Content-Type": "application/json"}
    return _response(error.status, headers, json.dumps(body, ensure_ascii=False).encode(), _method(event))


def _caching(error: ImageProcessorError) -> dict[str, str]:
    if error.retryable:
        return {"Cache-Control": "no-store", "Retry-After": "5"}
    return {"Cache-Control": _ERRORS.get(error.status, _OTHER_ERRORS)}


def _method(event: Mapping[str, Any]) -> str:
    return str(event["requestContext"]["http"].get("method"))


def _parse(event: Mapping[str, Any], variants: Mapping[str, Transformation]) -> Request:
    method = _method(event)
    if method not in ("GET", "HEAD"):
        raise RouteNotFound(f"there is no {method} of a picture; there are GET and HEAD")
    # The path is decoded before it is split, because an encoded slash is a slash to S3 too. A Function URL passes the
    # path still encoded.
    key, _, name = _decoded(event["rawPath"]).removeprefix("/").rpartition("/")
    if not key:
        raise RouteNotFound("there is no picture here; one is at /SOURCE-KEY/VARIANT, or at /SOURCE-KEY?OPTIONS")
    headers = {header.lower(): value for header, value in (event.get("headers") or {}).items()}
    url = headers.get(WRITTEN, "")
    path, mark, query = url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    parameters = {name: value for name, value in pairs if name.lower() not in _CLOUDFRONT}
    return Request(
        method=method,
        key=key,
        name=name,
        transformation=variants.get(name) or _transformation(name, variants),
        headers=headers,
        url=url or event["rawPath"],
        written=(_decoded(path), parameters) if mark else None,
    )


def _decoded(path: str) -> str:
    try:
        return unquote(path, errors="strict")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"the path {shown(path)} is not UTF-8, encoded by %") from error


def _transformation(name: str, variants: Mapping[str, Transformation]) -> Transformation:
    if "=" not in name:
        raise RouteNotFound(f"there is no variant {shown(name)}; the variants are {', '.join(variants)}")
    transformation = Transformation.parse(name)
    if str(transformation) != name:
        raise InvalidTransformation(f"{shown(name)} is not in canonical form; write {transformation}")
    return transformation


def _names(path: str, parameters: Mapping[str, str], ladder: Sequence[int], request: Request) -> bool:
    """Whether the URL as written names the requested rendition, or can be resolved to it."""
    options = {name: value for name, value in parameters.items() if name not in _NOT_OPTIONS}
    if options:
        return path == f"/{request.key}" and request.name in resolutions(options, ladder)
    return path == f"/{request.key}/{request.name}"


def _served(rendition: StoredRendition, body: bytes, request: Request) -> dict[str, Any]:
    timings = ", ".join(f"{step};dur={milliseconds}" for step, milliseconds in telemetry.steps().items())
    headers = {
        "ETag": f'"{rendition.etag}"',
        "Last-Modified": format_datetime(rendition.modified_at.astimezone(UTC), usegmt=True),
        "Cache-Control": rendition.cache_control,
        "Server-Timing": timings,
    }
    if _is_known(rendition, request.headers):
        return _bodiless(304, headers)
    headers |= {"Content-Type": rendition.content_type, "Content-Disposition": rendition.content_disposition}
    return _response(200, headers, body, request.method)


def _is_known(rendition: StoredRendition, headers: Mapping[str, str]) -> bool:
    """Whether the viewer already has this rendition (RFC 9110, 13.2.2)."""
    etags, since = headers.get("if-none-match"), headers.get("if-modified-since")
    if etags is not None:
        known = {etag.strip().removeprefix("W/").strip('"') for etag in etags.split(",")}
        return bool(known & {rendition.etag, "*"})
    try:
        return since is not None and rendition.modified_at.replace(microsecond=0) <= parsedate_to_datetime(since)
    except (TypeError, ValueError):  # not a date, or one without a time zone: ignored
        return False


def _redirect(request: Request, *, rendered: bool) -> dict[str, Any]:
    """Redirect to the same URL: the rendition is stored now, and the bucket serves it whatever its size."""
    is_again = request.written is not None and AGAIN in request.written[1]
    if is_again and not rendered:
        raise Unavailable("the picture is stored, and CloudFront can't read it from the bucket; try again later")
    # A browser would read a path that begins with two slashes as the name of another host.
    url = f"/.{request.url}" if request.url.startswith("//") else request.url
    location = url if is_again else f"{url}{'&' if '?' in url else '?'}{AGAIN}=1"
    return _bodiless(302, {"Location": location, "Cache-Control": "no-store"})


def _response(status: int, headers: Mapping[str, str], body: bytes, method: str) -> dict[str, Any]:
    if method == "HEAD":
        return _bodiless(status, {**headers, "Content-Length": str(len(body))})
    return {"statusCode": status, "headers": headers, "body": b64encode(body).decode(), "isBase64Encoded": True}


def _bodiless(status: int, headers: Mapping[str, str]) -> dict[str, Any]:
    return {"statusCode": status, "headers": headers, "body": "", "isBase64Encoded": False}
