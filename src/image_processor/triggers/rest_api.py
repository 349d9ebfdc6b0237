"""The REST API: `POST /images` renders a source now and responds with its renditions.

Events and responses have the shapes of API Gateway's Lambda proxy integration.
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import json
import math
import time
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from image_processor import telemetry
from image_processor.engine.layout import widths
from image_processor.errors import (
    ForbiddenSource,
    ImageProcessorError,
    InvalidRequest,
    RouteNotFound,
    attempt,
    error_body,
    shown,
)
from image_processor.publishing.model import Record
from image_processor.publishing.pipeline import Pipeline
from image_processor.transformations.transformation import Transformation
from image_processor.urls.links import Links
from image_processor.urls.paths import MAX_KEY_BYTES, rendition_url, version_of

_FIELDS: Final = ("bucket", "key", "variants", "transformation")
_PATH: Final = "/images"
_CORS: Final = {
    "Access-Control-Allow-Methods": "POST,OPTIONS",
    # The headers of all three values of ApiAuthorization: a key, a token, and a signature as the AWS SDKs send it
    "Access-Control-Allow-Headers": (
        "Authorization,Content-Type,X-Amz-Content-Sha256,X-Amz-Date,X-Amz-Security-Token,X-Api-Key"
    ),
    "Access-Control-Max-Age": "7200",  # seconds; the most that Chromium honours
}


def is_api_request(event: Mapping[str, Any]) -> bool:
    """Whether this is a request to a REST API."""
    return "httpMethod" in event and "requestContext" in event


@dataclass(frozen=True, slots=True)
class RestApi:
    """What the API needs. Without `links` it offers no URLs of other widths."""

    pipeline: Pipeline
    upload_bucket: str
    cors_origins: Sequence[str] = ()
    links: Links | None = None


def respond(event: Mapping[str, Any], api: Callable[[], RestApi], deadline: float) -> dict[str, Any]:
    """The response to a request, also for an error. `api` may raise `InvalidSettings`, which is a response as well."""
    started = time.perf_counter()
    route = f"{event['httpMethod']} {event.get('resource')}"
    code: str | None = None
    origins: Sequence[str]
    body: Mapping[str, Any] | None
    configured = attempt(api)
    outcome: tuple[int, dict[str, Any] | None] | ImageProcessorError
    if isinstance(configured, ImageProcessorError):
        outcome, origins = configured, ()
    else:
        outcome, origins = attempt(lambda: answer(event, configured, deadline)), configured.cors_origins
    if isinstance(outcome, ImageProcessorError):
        if outcome.retryable:
            telemetry.fault(route, outcome)
        request_id = (event["requestContext"] or {}).get("requestId", "")
        status, code, body = outcome.status, outcome.code, error_body(outcome, request_id)
    else:
        status, body = outcome
    telemetry.answered(route, status, code, time.perf_counter() - started)
    return response(status, body, event, origins)


def answer(event: Mapping[str, Any], api: RestApi, deadline: float = math.inf) -> tuple[int, dict[str, Any] | None]:
    """Handle a request; returns the HTTP status and the body.

    Raises the error of the request or of its source, and `Unavailable` when rendering can't begin before the
    `deadline`, in seconds of `time.monotonic`.
    """
    method, path = event["httpMethod"], event.get("resource") or event.get("path")
    if path != _PATH or method not in ("POST", "OPTIONS"):
        raise RouteNotFound(f"there is no {method} {path}; there is POST {_PATH}")
    if method == "OPTIONS":
        return 204, None
    request = _parse_body(event)
    bucket, key = request.get("bucket"), _key(request)
    if bucket not in (None, api.upload_bucket):
        raise ForbiddenSource(f"field bucket: got {shown(bucket)}, allowed: the upload bucket, or leave it out")
    records = api.pipeline.render_on_demand(key, _wanted(request, api.pipeline.variants), deadline)
    base_url = (event.get("stageVariables") or {}).get("CdnUrl") or None
    return 200, {
        "original_file": records[0].original_file,
        "width": records[0].source_width,
        "height": records[0].source_height,
        **_responsive(key, records[0], base_url, api.links),
        "renditions": [_shape(key, record, base_url) for record in records],
    }


def response(
    status: int, body: Mapping[str, Any] | None, event: Mapping[str, Any], cors_origins: Sequence[str]
) -> dict[str, Any]:
    """The response in the form that API Gateway expects, with the CORS headers."""
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store", **_cors(event, cors_origins)}
    if status == 503:
        headers["Retry-After"] = "5"
    return {
        "statusCode": status,
        "headers": headers,
        "body": "" if body is None else json.dumps(body, ensure_ascii=False),
        "isBase64Encoded": False,
    }


def _parse_body(event: Mapping[str, Any]) -> dict[str, Any]:
    body = event.get("body") or ""
    try:
        request = json.loads(b64decode(body) if event.get("isBase64Encoded") else body)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest('the body is not JSON; send an object such as {"key": "cats/rio.jpg"}') from error
    if not isinstance(request, dict):
        raise InvalidRequest(f'the body is {shown(request)}; send an object such as {{"key": "cats/rio.jpg"}}')
    unknown = [field for field in request if field not in _FIELDS]
    if unknown:
        raise InvalidRequest(f"there is no field {shown(unknown[0])}; the fields are {', '.join(_FIELDS)}")
    return request


def _key(request: Mapping[str, Any]) -> str:
    key = request.get("key")
    if key is None:
        raise InvalidRequest("field key is missing: the key of a source in the upload bucket")
    try:
        valid = isinstance(key, str) and 1 <= len(key.encode()) <= MAX_KEY_BYTES
    except UnicodeEncodeError as error:  # JSON can have half of a surrogate pair
        raise InvalidRequest(f"field key: {shown(key)} is not valid Unicode") from error
    if not valid:
        raise InvalidRequest(f"field key: got {shown(key)}, allowed: a text of 1 to {MAX_KEY_BYTES} bytes")
    return str(key)


def _wanted(request: Mapping[str, Any], variants: Mapping[str, Transformation]) -> dict[str, Transformation]:
    names, text = request.get("variants"), request.get("transformation")
    if names is not None and text is not None:
        raise InvalidRequest("fields variants and transformation: give one of the two")
    if text is not None:
        if not isinstance(text, str):
            raise InvalidRequest(
                f"field transformation: got {shown(text)}, allowed: a text such as width=300,format=webp"
            )
        transformation = Transformation.parse(text)
        return {str(transformation): transformation}
    if names is None:
        return dict(variants)
    known = isinstance(names, list) and names and all(isinstance(name, str) and name in variants for name in names)
    if not known:
        raise InvalidRequest(
            f"field variants: got {shown(names)}, allowed: a list of names out of {', '.join(variants)}"
        )
    return {name: variants[name] for name in names}


def _shape(key: str, record: Record, base_url: str | None) -> dict[str, Any]:
    name = record.variant or record.transformation
    return {
        "id": record.id,
        "processed_file": record.processed_file,
        "url": base_url and name and rendition_url(base_url, key, name, version_of(record.source_etag)),
        "variant" if record.variant else "transformation": name,
        "width": record.width,
        "height": record.height,
        "content_type": record.content_type,
        "bytes": record.bytes,
    }


def _responsive(key: str, record: Record, base_url: str | None, links: Links | None) -> dict[str, Any]:
    """The `srcset` of an `<img>` and its widths; null in a stack that renders nothing by URL."""
    if not (base_url and links and record.source_width and record.source_height):
        return {"srcset": None, "widths": None}
    found, version = widths((record.source_width, record.source_height), links.ladder), version_of(record.source_etag)
    return {"srcset": links.srcset(base_url, key, found, version), "widths": list(found.values())}


def _cors(event: Mapping[str, Any], origins: Sequence[str]) -> dict[str, str]:
    if "*" in origins:
        return {"Access-Control-Allow-Origin": "*", **_CORS}
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    allowed = {"Access-Control-Allow-Origin": headers["origin"], **_CORS} if headers.get("origin") in origins else {}
    return {"Vary": "Origin", **allowed}
