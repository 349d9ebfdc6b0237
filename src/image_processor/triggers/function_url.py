"""Delivery: a rendition by its path, over the Function URL, when CloudFront found none in the processed bucket.

    find ─▶ served as it is kept, for whoever asks
      └──▶ a variant, or signed? ─▶ make, store ─▶ served; by the bucket from then on

The edge function has turned the query's options into a path, and says in a header what was written. Signatures are over
that. They guard the making, not the looking: what is kept, the bucket serves to anyone.
The events and answers are those of a Function URL.
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

import json
import math
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
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
    InvalidTransformation,
    RouteNotFound,
    Unavailable,
    error_body,
    shown,
)
from image_processor.publishing.model import MAX_BODY, Picture
from image_processor.publishing.pipeline import Pipeline
from image_processor.transformations.transformation import Transformation
from image_processor.transformations.url_options import resolutions
from image_processor.triggers.fallback_image import Fallback
from image_processor.urls.signatures import AGAIN, EXPIRY, SIGNATURE, UNSIGNED

WRITTEN: Final = "x-image-request"  # header: the URL as its author wrote it, by the edge function
_NOT_OPTIONS: Final = {EXPIRY, *UNSIGNED}
# Parameters of CloudFront's own signed URLs, for a stack with a key group; a redirect has to keep them.
_CLOUDFRONT: Final = {"expires", "policy", "signature", "key-pair-id", "hash-algorithm"}
_OPEN: Final = {"width", "height", "fit", "format"}  # options that may be asked for unsigned, where the stack allows it
# How long browsers keep an error, and CloudFront those that it keeps at all: of these 400, 404 and 415. A 403 nobody:
# the cache knows the path alone, and it would meet those who have a signature. A 404 a moment: its source may come.
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
_ERRORS: Final = {403: "no-store", 404: "public, max-age=1"}
_OTHER_ERRORS: Final = "public, max-age=10"


class Keys(Protocol):
    """Tells signed requests from others; raises `BadSignature`."""

    def check(self, path: str, parameters: Mapping[str, str], now: float) -> None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the stack allows, and how its errors look."""

    pipeline: Pipeline
    keys: Keys
    ladder: Sequence[int] = ()
    allow_unsigned: bool = False
    fallback: Fallback | None = None

    def answer(self, event: Mapping[str, Any], deadline: float = math.inf) -> dict[str, Any]:
        """The rendition that the path names, made if need be; raises the error of the request or of its source."""
        request = _parse(event, self.pipeline.variants)
        picture = self.pipeline.find(request.key, request.name, MAX_BODY)
        made = picture is None
        if picture is None:
            self._authorise(request)
            picture = self.pipeline.deliver(request.key, request.name, request.transformation, deadline)
        if picture.body is None or len(picture.body) > MAX_BODY:
            return _redirect(request, made=made)
        return _served(picture, picture.body, request)

    def refusal(
        self, event: Mapping[str, Any], error: ImageProcessorError, deadline: float = math.inf
    ) -> dict[str, Any]:
        """The answer to a request that failed: what went wrong as JSON, or the fallback image in its place."""
        picture = self._stand_in(event, error, deadline)
        if picture is None or picture.body is None or len(picture.body) > MAX_BODY:
            return error_answer(event, error)
        headers = {**_about(error), "Content-Type": picture.content_type, "X-Error-Code": error.code}
        return _response(error.status, headers, picture.body, _method(event))

    def _stand_in(self, event: Mapping[str, Any], error: ImageProcessorError, deadline: float) -> Picture | None:
        """The fallback image as what was asked for, if that may be made of it too; else as the first variant."""
        if self.fallback is None or error.retryable:  # in an outage it would only wait, too
            return None
        if isinstance(error, BadSignature):
            return self.fallback.first_variant(deadline)
        try:
            request = _parse(event, self.pipeline.variants)
            self._authorise(request)
        except ImageProcessorError:  # that which is being answered, or one behind it
            return self.fallback.first_variant(deadline)
        return self.fallback.picture(request.name, request.transformation, deadline)

    def _authorise(self, request: "Request") -> None:
        """Raise `BadSignature` for what may not be made for this request."""
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
class Request:
    """What is asked for, and the URL as its author wrote it: whole, and its path and parameters decoded."""

    method: str
    key: str
    name: str
    transformation: Transformation
    headers: Mapping[str, str]
    url: str
    written: tuple[str, Mapping[str, str]] | None


def is_delivery_request(event: Mapping[str, Any]) -> bool:
    """Whether this is a request over the Function URL."""
    return "http" in (event.get("requestContext") or {})


def error_answer(event: Mapping[str, Any], error: ImageProcessorError) -> dict[str, Any]:
    """What went wrong, in the one shape of every error."""
    body = error_body(error, event["requestContext"].get("requestId", ""))
    headers = {**_about(error), "Content-Type": "application/json"}
    return _response(error.status, headers, json.dumps(body, ensure_ascii=False).encode(), _method(event))


def _about(error: ImageProcessorError) -> dict[str, str]:
    if error.retryable:
        return {"Cache-Control": "no-store", "Retry-After": "5"}
    return {"Cache-Control": _ERRORS.get(error.status, _OTHER_ERRORS)}


def _method(event: Mapping[str, Any]) -> str:
    return str(event["requestContext"]["http"].get("method"))


def _parse(event: Mapping[str, Any], variants: Mapping[str, Transformation]) -> Request:
    method = _method(event)
    if method not in ("GET", "HEAD"):
        raise RouteNotFound(f"there is no {method} of a picture; there are GET and HEAD")
    # Decoded before it is parted: to S3, too, an encoded slash is one. A Function URL leaves the path encoded.
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
    """Whether what was written names the picture that is asked for, or may be resolved to it."""
    options = {name: value for name, value in parameters.items() if name not in _NOT_OPTIONS}
    if options:
        return path == f"/{request.key}" and request.name in resolutions(options, ladder)
    return path == f"/{request.key}/{request.name}"


def _served(picture: Picture, body: bytes, request: Request) -> dict[str, Any]:
    timings = ", ".join(f"{step};dur={milliseconds}" for step, milliseconds in telemetry.steps().items())
    headers = {
        "ETag": f'"{picture.etag}"',
        "Last-Modified": format_datetime(picture.modified_at.astimezone(UTC), usegmt=True),
        "Cache-Control": picture.cache_control,
        "Server-Timing": timings,
    }
    if _is_known(picture, request.headers):
        return _bodiless(304, headers)
    headers |= {"Content-Type": picture.content_type, "Content-Disposition": picture.content_disposition}
    return _response(200, headers, body, request.method)


def _is_known(picture: Picture, headers: Mapping[str, str]) -> bool:
    """Whether the viewer has this very picture, by RFC 9110, 13.2.2."""
    etags, since = headers.get("if-none-match"), headers.get("if-modified-since")
    if etags is not None:
        known = {etag.strip().removeprefix("W/").strip('"') for etag in etags.split(",")}
        return bool(known & {picture.etag, "*"})
    try:
        return since is not None and picture.modified_at.replace(microsecond=0) <= parsedate_to_datetime(since)
    except (TypeError, ValueError):  # not a date, or one without a zone: as if it were not there
        return False


def _redirect(request: Request, *, made: bool) -> dict[str, Any]:
    """To the same URL once more: the picture is stored now, and the bucket serves it whatever its size."""
    is_again = request.written is not None and AGAIN in request.written[1]
    if is_again and not made:
        raise Unavailable("the picture is stored, and CloudFront can't read it from the bucket; try again later")
    # A path that begins with two slashes would be taken for another host.
    url = f"/.{request.url}" if request.url.startswith("//") else request.url
    location = url if is_again else f"{url}{'&' if '?' in url else '?'}{AGAIN}=1"
    return _bodiless(302, {"Location": location, "Cache-Control": "no-store"})


def _response(status: int, headers: Mapping[str, str], body: bytes, method: str) -> dict[str, Any]:
    if method == "HEAD":
        return _bodiless(status, {**headers, "Content-Length": str(len(body))})
    return {"statusCode": status, "headers": headers, "body": b64encode(body).decode(), "isBase64Encoded": True}


def _bodiless(status: int, headers: Mapping[str, str]) -> dict[str, Any]:
    return {"statusCode": status, "headers": headers, "body": "", "isBase64Encoded": False}
