"""The Function URL, from which CloudFront requests a rendition that is not in the processed bucket.

    a variant, or a valid signature? ─▶ find ─▶ stored ─▶ served
                                          └──▶ render, store ─▶ served; from then on by the bucket

The edge function has turned the query's options into a path, and sends the URL as it was written in a header. The
signature covers that URL. It authorises rendering, not viewing: the bucket serves a stored rendition to anyone. A
request that may not render is refused before any call to AWS, except that an unknown signature may refresh the keys.
Events and responses have the shapes of a Function URL.
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from image_processor import telemetry
from image_processor.errors import (
    BadSignature,
    ImageProcessorError,
    InvalidSettings,
    attempt,
)
from image_processor.publishing.model import MAX_BODY, StoredRendition
from image_processor.publishing.pipeline import Pipeline
from image_processor.transformations.transformation import Transformation
from image_processor.triggers.fallback_image import FallbackImage
from image_processor.triggers.rendition_request import Request, method_of, parse_request
from image_processor.triggers.rendition_response import (
    error_caching,
    error_response,
    http_response,
    redirect,
    rendition_response,
    unrendered_response,
)
from image_processor.urls.signatures import SIGNATURE

# Options that need no signature where the stack allows it.
_OPEN: Final = {"width", "height", "fit", "format"}


class Keys(Protocol):
    """The signing keys of a stack."""

    def check(self, path: str, parameters: Mapping[str, str], now: float) -> None:
        """Raise `BadSignature` unless the decoded path and parameters have a valid signature at `now`."""


class NoKeys:
    """The keys of a stack that renders nothing but variants by URL."""

    def check(self, path: str, parameters: Mapping[str, str], now: float) -> None:  # noqa: ARG002 - as in `Keys`
        """Raise `BadSignature` for every signature."""
        raise BadSignature("this stack has no signing key")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, and whether its rendition was rendered for it or was stored before."""

    response: dict[str, Any]
    rendered: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the stack allows to be rendered by URL, and what it shows in place of an error."""

    pipeline: Pipeline
    keys: Keys
    ladder: Sequence[int] = ()
    allow_unsigned: bool = False
    fallback: FallbackImage | None = None

    def answer(self, event: Mapping[str, Any], deadline: float = math.inf) -> Answer:
        """The rendition that the path names, rendered if it is not stored; raises the error of request or source."""
        request = parse_request(event, self.pipeline.variants)
        self._authorise(request)
        stored = self.pipeline.find(request.key, request.name, MAX_BODY)
        if stored is None and request.method == "HEAD":  # which writes nothing, and so renders nothing
            return Answer(unrendered_response(request), rendered=False)
        rendition = stored or self.pipeline.deliver(request.key, request.name, request.transformation, deadline)
        if rendition.body is None or len(rendition.body) > MAX_BODY:
            response = redirect(request, rendered=stored is None)
        else:
            response = rendition_response(rendition, rendition.body, request)
        return Answer(response, rendered=stored is None)

    def refusal(
        self, event: Mapping[str, Any], error: ImageProcessorError, deadline: float = math.inf
    ) -> dict[str, Any]:
        """The response to a request that failed: the error as JSON, or the fallback image."""
        image = self._fallback_image(event, error, deadline)
        if image is None or image.body is None or len(image.body) > MAX_BODY:
            return error_response(event, error)
        headers = {**error_caching(error), "Content-Type": image.content_type, "X-Error-Code": error.code}
        return http_response(error.status, headers, image.body, method_of(event))

    def _fallback_image(
        self, event: Mapping[str, Any], error: ImageProcessorError, deadline: float
    ) -> StoredRendition | None:
        """The fallback image by the requested transformation, if the request may render it; else as first variant."""
        if self.fallback is None or error.retryable:  # in an outage, the fallback image would have to wait as well
            return None
        if isinstance(error, BadSignature):
            return self.fallback.first_variant(deadline)
        try:
            request = parse_request(event, self.pipeline.variants)
            self._authorise(request)
        except ImageProcessorError:  # the same error, or one that it preceded
            return self.fallback.first_variant(deadline)
        return self.fallback.rendition(request.name, request.transformation, deadline)

    def _authorise(self, request: Request) -> None:
        """Raise `BadSignature` unless this request may have the rendition rendered."""
        if request.name in self.pipeline.variants or (self.allow_unsigned and self._is_open(request.transformation)):
            return
        path, parameters = request.written or ("", {})
        if not parameters.get(SIGNATURE):
            free = f"the variants {', '.join(self.pipeline.variants)}"
            if self.allow_unsigned:
                free += f"; width, height, dpr, fit and format with sides of {', '.join(map(str, self.ladder))}"
            raise BadSignature(f"the signature is missing: parameter {SIGNATURE}; allowed without it: {free}")
        self.keys.check(path, parameters, time.time())
        if not request.is_named_by(path, parameters, self.ladder):
            raise BadSignature("the signature is for another rendition")

    def _is_open(self, transformation: Transformation) -> bool:
        sides = [side for side in (transformation.width, transformation.height) if side is not None]
        given = {part.partition("=")[0] for part in str(transformation).split(",")}
        return bool(sides) and set(sides) <= set(self.ladder) and given <= _OPEN


def is_delivery_request(event: Mapping[str, Any]) -> bool:
    """Whether this is a request to the Function URL."""
    return "http" in (event.get("requestContext") or {})


def respond(event: Mapping[str, Any], delivery: Callable[[], Delivery], deadline: float) -> dict[str, Any]:
    """The response to a request, also for an error. `delivery` may raise `InvalidSettings`, which is a response too."""
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
        return error_response(event, error)
