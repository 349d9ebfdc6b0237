"""What the function says of itself: structured log lines and metrics, by Powertools for AWS Lambda.

Powertools is imported at the first line written, not while the function starts. Lines hold keys and codes, never image
bytes, whole events or API keys.
"""

import threading
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from image_processor.errors import ImageProcessorError

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

# One line at a time: on Lambda, stdout is flushed at each write, and a line and its end are two, so that the lines of
# two threads would run into each other and be read as neither.
_LINE: Final = threading.Lock()


@cache
def _logger() -> "Logger":
    from aws_lambda_powertools import Logger

    return Logger(location=None)  # service and level come from Powertools' own environment variables


def begin(request_id: str) -> None:
    """Put the invocation's id into every line that follows."""
    _logger().append_keys(function_request_id=request_id)


def published(key: str, renditions: int, seconds: float) -> None:
    """A source was brought up to date; without renditions it is gone, and withdrawn."""
    outcome = "published" if renditions else "withdrawn"
    _say(_logger().info, outcome, key=key, renditions=renditions, milliseconds=round(seconds * 1000))
    _count("SourcesProcessed")


def failed(key: str, error: ImageProcessorError) -> None:
    """A source can't be processed and won't be tried again."""
    _say(_logger().warning, "failed", key=key, code=error.code, reason=str(error))
    _count("SourcesFailed", code=error.code)


def will_retry(key: str | None, error: ImageProcessorError) -> None:
    """Something failed that may succeed later; AWS's own words stand in the traceback."""
    _say(_logger().error, "will be retried", key=key, code=error.code, reason=str(error), exc_info=error)
    _count("Retries", code=error.code)


def fault(route: str, error: ImageProcessorError) -> None:
    """The API could not do what was asked, through no fault of who asked."""
    _say(_logger().error, "fault", route=route, code=error.code, reason=str(error), exc_info=error)
    _count("Faults", code=error.code)


def answered(route: str, status: int, code: str | None, seconds: float) -> None:
    """The API gave an answer; `code` is the error's."""
    _say(_logger().info, "answered", route=route, status=status, code=code, milliseconds=round(seconds * 1000))


def _say(write: Callable[..., None], message: str, **facts: Any) -> None:
    with _LINE:
        write(message, **facts)


def _count(name: str, **dimensions: str) -> None:
    from aws_lambda_powertools.metrics import MetricUnit, single_metric

    with _LINE, single_metric(name=name, unit=MetricUnit.Count, value=1) as metric:
        for dimension, value in dimensions.items():
            metric.add_dimension(dimension, value)
