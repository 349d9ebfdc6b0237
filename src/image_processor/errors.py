"""Every error that the function responds with.

    ImageProcessorError             code                     HTTP  retried
    ├── InvalidRequest              invalid-request           400  no
    │   └── InvalidTransformation   invalid-transformation    400  no
    ├── ForbiddenSource             forbidden-source          403  no
    ├── BadSignature                bad-signature             403  no
    ├── SourceNotFound              source-not-found          404  no
    ├── RouteNotFound               not-found                 404  no
    ├── SourceArchived              source-archived           409  no
    ├── SourceTooLarge              source-too-large          413  no
    ├── UnsupportedFormat           unsupported-format        415  no
    ├── CorruptImage                corrupt-image             422  no
    ├── UnknownEvent                unknown-event             500  yes
    ├── InvalidSettings             invalid-settings          500  yes
    ├── InternalError               internal-error            500  yes
    ├── Throttled                   throttled                 503  yes
    └── Unavailable                 unavailable               503  yes

`retryable` alone decides what happens to a queue message: it is retried until it moves to the dead-letter queue, or the
failure is recorded and the message deleted. Callers see an error's message. So the message has no name or text of
AWS's own response, which stays in `__cause__` for the log.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

SHOWN = 80  # characters of a wrong value that a message repeats, because a value may be megabytes long


class ImageProcessorError(Exception):
    """The root of the tree; raised only as one of its leaves."""

    code: ClassVar[str]
    status: ClassVar[int]
    retryable: ClassVar[bool] = False


class InvalidRequest(ImageProcessorError):
    """The body, a field or a key is wrong; the message says which one and what is allowed."""

    code = "invalid-request"
    status = 400


class InvalidTransformation(InvalidRequest):
    """An option or its value is wrong; the message names the option, the value, and what is allowed."""

    code = "invalid-transformation"


class ForbiddenSource(ImageProcessorError):
    """The bucket is not the stack's upload bucket."""

    code = "forbidden-source"
    status = 403


class BadSignature(ImageProcessorError):
    """The signature of a URL is missing, wrong or expired."""

    code = "bad-signature"
    status = 403


class SourceNotFound(ImageProcessorError):
    """The upload bucket has no such object."""

    code = "source-not-found"
    status = 404


class RouteNotFound(ImageProcessorError):
    """The API has no such path or method."""

    code = "not-found"
    status = 404


class SourceArchived(ImageProcessorError):
    """The object is in an S3 archive storage class and must be restored before it can be read."""

    code = "source-archived"
    status = 409


class SourceTooLarge(ImageProcessorError):
    """The source exceeds a limit. All but counts of pieces and scans are checked before a pixel is decoded."""

    code = "source-too-large"
    status = 413


class UnsupportedFormat(ImageProcessorError):
    """The source is not an image, or of a format that is not supported."""

    code = "unsupported-format"
    status = 415


class CorruptImage(ImageProcessorError):
    """The source begins like an image and can't be decoded."""

    code = "corrupt-image"
    status = 422


class UnknownEvent(ImageProcessorError):
    """The event has no known shape; retried, so that it moves to the dead-letter queue, where a person sees it."""

    code = "unknown-event"
    status = 500
    retryable = True


class InvalidSettings(ImageProcessorError):
    """The environment is wrong; retried, because the next deployment can fix it."""

    code = "invalid-settings"
    status = 500
    retryable = True


class InternalError(ImageProcessorError):
    """A fault of this program; only the log has the reason."""

    code = "internal-error"
    status = 500
    retryable = True


class Throttled(ImageProcessorError):
    """AWS throttled a call."""

    code = "throttled"
    status = 503
    retryable = True


class Unavailable(ImageProcessorError):
    """A call to AWS failed: a fault, a timeout, a missing permission."""

    code = "unavailable"
    status = 503
    retryable = True


def attempt(action: Callable[[], Result]) -> Result | ImageProcessorError:
    """The action's result, or its error as a value; an exception of no known kind becomes an `InternalError`."""
    try:
        return action()
    except ImageProcessorError as error:
        return error
    except Exception as fault:  # noqa: BLE001 - the only place where an unknown exception becomes an error of the tree
        unknown = InternalError("the function failed; its log has the reason under this request's id")
        unknown.__cause__ = fault
        return unknown


def error_by_code(code: str) -> type[ImageProcessorError] | None:
    """The leaf of the tree with this code; None for a code of another release."""
    kinds = [ImageProcessorError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    return next((kind for kind in kinds[1:] if kind.code == code), None)


def error_body(error: ImageProcessorError, request_id: str) -> dict[str, dict[str, str]]:
    """The one shape of every error in an HTTP response."""
    return {"error": {"code": error.code, "message": str(error), "request_id": request_id}}


def shown(value: object) -> str:
    """A wrong value as a message repeats it: a string quoted, anything else as JSON, cut after `SHOWN` characters."""
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=repr)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
