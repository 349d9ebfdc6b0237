"""Structured log lines and metrics, by Powertools for AWS Lambda.

Each source has one line and one set of metrics: what is noted while `working` on it is added to its outcome.
Powertools is imported when the first line is written, not while the function starts. Lines hold keys and codes, never
image bytes, whole events or API keys.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from image_processor import __version__
from image_processor.errors import ImageProcessorError

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

# One line at a time: on Lambda, stdout is flushed at each write, and a line and its line feed are two writes. The lines
# of two threads would mix.
_LINE: Final = threading.Lock()


@dataclass(slots=True)
class Work:
    """What was measured of the current source; sizes in bytes, steps in seconds, `sent_at` in seconds since 1970."""

    sent_at: float | None = None
    steps: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)


_WORK: Final[ContextVar[Work | None]] = ContextVar("work", default=None)
_SIZES: Final = {"bytes_in": "BytesIn", "bytes_out": "BytesOut"}


@contextmanager
def working(sent_at: float | None = None) -> Iterator[None]:
    """Collect what is noted in this thread until the source is done.

    `sent_at`, in seconds since 1970, is when the source's message was sent. The lag counts from it and not from the
    upload, so that the lag of a source that is processed years after its upload is not years.
    """
    token = _WORK.set(Work(sent_at))
    try:
        yield
    finally:
        _WORK.reset(token)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Time a step of the current work. Steps of one name add up; `render` is the one that does not wait for storage."""
    work, started = _WORK.get(), time.perf_counter()
    try:
        yield
    finally:
        if work:
            work.steps[name] = work.steps.get(name, 0.0) + time.perf_counter() - started


def steps() -> dict[str, int]:
    """The steps of the current work so far, in milliseconds."""
    work = _WORK.get()
    return {name: round(seconds * 1000) for name, seconds in work.steps.items()} if work else {}


def note(*, bytes_in: int = 0, bytes_out: int = 0, **facts: str | None) -> None:
    """Add to the current work: sizes add up; facts, such as the source's ETag and version, go into the line."""
    if work := _WORK.get():
        for name, size in (("bytes_in", bytes_in), ("bytes_out", bytes_out)):
            if size:
                work.sizes[name] = work.sizes.get(name, 0) + size
        work.facts.update({name: value for name, value in facts.items() if value is not None})


@cache
def _logger() -> "Logger":
    from aws_lambda_powertools import Logger

    # Service and level come from Powertools' own environment variables. Every line has the release, so that the log of
    # an update or a rollback shows which code wrote which line; `version` is the source's.
    return Logger(location=None, release=__version__)


def begin(request_id: str) -> None:
    """Add the invocation's id to every line that follows."""
    _logger().append_keys(function_request_id=request_id)


def published(key: str, renditions: int, seconds: float) -> None:
    """Log that a source was published, or without renditions, that it is gone and was withdrawn."""
    outcome = "published" if renditions else "withdrawn"
    _say(_logger().info, outcome, key=key, renditions=renditions, milliseconds=round(seconds * 1000), **_noted())
    _measure({"SourcesProcessed": 1, "Renditions": renditions, **_measured()})


def failed(key: str, error: ImageProcessorError) -> None:
    """Log that a source can't be processed and will not be retried."""
    _say(_logger().warning, "failed", key=key, code=error.code, reason=str(error), **_noted())
    _count("SourcesFailed", code=error.code)


def will_retry(key: str | None, error: ImageProcessorError) -> None:
    """Log a failure that may succeed later; AWS's own message is in the traceback."""
    _say(
        _logger().error,
        "will be retried",
        key=key,
        code=error.code,
        reason=str(error),
        exc_info=error,
        **_noted(),
    )
    _count("Retries", code=error.code)


def fault(route: str, error: ImageProcessorError) -> None:
    """Log a failure of the function or of AWS that a caller of the API or a viewer received."""
    _say(_logger().error, "fault", route=route, code=error.code, reason=str(error), exc_info=error)
    _count("Faults", code=error.code)


def invalidation_failed(error: ImageProcessorError) -> None:
    """Log that CloudFront was not invalidated; it serves replaced renditions until their Cache-Control ends."""
    _say(_logger().warning, "invalidation failed", code=error.code, reason=str(error), exc_info=error)
    _count("InvalidationsFailed", code=error.code)


def ending() -> None:
    """Log that the process ends itself, so that Lambda starts another."""
    _say(_logger().error, "exiting: work that an earlier invocation abandoned does not end")


def answered(route: str, status: int, code: str | None, seconds: float) -> None:
    """Log a response of the API; `code` is the error's."""
    _say(_logger().info, "answered", route=route, status=status, code=code, milliseconds=round(seconds * 1000))


def delivered(path: str, status: int, code: str | None, seconds: float, *, rendered: bool) -> None:
    """Log a response to a viewer; `code` is the error's, `rendered` whether its rendition was rendered for it."""
    outcome, milliseconds = "rendered" if rendered else "answered", round(seconds * 1000)
    _say(_logger().info, outcome, path=path, status=status, code=code, milliseconds=milliseconds, **_noted())
    if rendered:
        _measure({"Renditions": 1, **_measured()})


def _say(write: Callable[..., None], message: str, **facts: Any) -> None:
    with _LINE:
        write(message, **facts)


def _noted() -> dict[str, Any]:
    work = _WORK.get()
    if work is None:
        return {}
    taken = steps()
    lag = {} if work.sent_at is None else {"lag_milliseconds": _lag(work.sent_at)}
    return {**work.facts, **work.sizes, **({"steps_milliseconds": taken} if taken else {}), **lag}


def _measured() -> dict[str, float]:
    """The metrics of the current work; one that was not noted is left out, because a 0 would distort the average."""
    work = _WORK.get()
    if work is None:
        return {}
    metrics: dict[str, float] = {_SIZES[name]: size for name, size in work.sizes.items()}
    if work.steps:
        render = work.steps.get("render", 0.0)
        metrics["RenderTime"] = round(render * 1000)
        metrics["StorageTime"] = round((sum(work.steps.values()) - render) * 1000)
    if work.sent_at is not None:
        metrics["Lag"] = _lag(work.sent_at)
    return metrics


def _lag(sent_at: float) -> int:
    return max(0, round((time.time() - sent_at) * 1000))


def _measure(metrics: dict[str, float]) -> None:
    """Write several metrics as one line of the embedded metric format; a line for each would be eight times the log."""
    from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

    units = {
        "BytesIn": MetricUnit.Bytes,
        "BytesOut": MetricUnit.Bytes,
        **dict.fromkeys(("RenderTime", "StorageTime", "Lag"), MetricUnit.Milliseconds),
    }
    with _LINE:
        together = EphemeralMetrics()  # namespace and service come from Powertools' own environment variables
        for name, value in metrics.items():
            together.add_metric(name=name, unit=units.get(name, MetricUnit.Count), value=value)
        together.flush_metrics()


def _count(name: str, **dimensions: str) -> None:
    from aws_lambda_powertools.metrics import MetricUnit, single_metric

    with _LINE, single_metric(name=name, unit=MetricUnit.Count, value=1) as metric:
        for dimension, value in dimensions.items():
            metric.add_dimension(dimension, value)
