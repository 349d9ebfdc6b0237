"""What the function says of itself: structured log lines and metrics, by Powertools for AWS Lambda.

One line and one set of metrics for each source: what is noted of it while `working` on it goes along with its outcome.
Powertools is imported at the first line written, not while the function starts. Lines hold keys and codes, never image
bytes, whole events or API keys.
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

# One line at a time: on Lambda, stdout is flushed at each write, and a line and its end are two, so that the lines of
# two threads would run into each other and be read as neither.
_LINE: Final = threading.Lock()


@dataclass(slots=True)
class Work:
    """What is known of the source at hand; sizes in bytes, steps in seconds, `since` in seconds of the epoch."""

    since: float | None = None
    steps: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)


_WORK: Final[ContextVar[Work | None]] = ContextVar("work", default=None)
_SIZES: Final = {"bytes_in": "BytesIn", "bytes_out": "BytesOut"}


@contextmanager
def working(since: float | None = None) -> Iterator[None]:
    """Gather what is noted in this thread until the source is done; `since` when its message was sent, in seconds of
    the epoch, so that the lag of a source processed years after its upload is not years.
    """
    token = _WORK.set(Work(since))
    try:
        yield
    finally:
        _WORK.reset(token)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Time a step of the work at hand; `render` is told from what waits for storage. Steps of one name add up."""
    work, started = _WORK.get(), time.perf_counter()
    try:
        yield
    finally:
        if work:
            work.steps[name] = work.steps.get(name, 0.0) + time.perf_counter() - started


def steps() -> dict[str, int]:
    """The steps of the work at hand so far, in milliseconds."""
    work = _WORK.get()
    return {name: round(seconds * 1000) for name, seconds in work.steps.items()} if work else {}


def note(*, bytes_in: int = 0, bytes_out: int = 0, **facts: str | None) -> None:
    """Add to the work at hand: sizes add up; facts, such as the source's ETag and version, go into the line."""
    if work := _WORK.get():
        for name, size in (("bytes_in", bytes_in), ("bytes_out", bytes_out)):
            if size:
                work.sizes[name] = work.sizes.get(name, 0) + size
        work.facts.update({name: value for name, value in facts.items() if value is not None})


@cache
def _logger() -> "Logger":
    from aws_lambda_powertools import Logger

    # Service and level come from Powertools' own environment variables. The version goes into every line, so that the
    # log of a release that is rolled out or back tells which code wrote which line.
    return Logger(location=None, version=__version__)


def begin(request_id: str) -> None:
    """Put the invocation's id into every line that follows."""
    _logger().append_keys(function_request_id=request_id)


def published(key: str, renditions: int, seconds: float) -> None:
    """A source was brought up to date; without renditions it is gone, and withdrawn."""
    outcome = "published" if renditions else "withdrawn"
    _say(_logger().info, outcome, key=key, renditions=renditions, milliseconds=round(seconds * 1000), **_noted())
    _measure({"SourcesProcessed": 1, "Renditions": renditions, **_measured()})


def failed(key: str, error: ImageProcessorError) -> None:
    """A source can't be processed and won't be tried again."""
    _say(_logger().warning, "failed", key=key, code=error.code, reason=str(error), **_noted())
    _count("SourcesFailed", code=error.code)


def will_retry(key: str | None, error: ImageProcessorError) -> None:
    """Something failed that may succeed later; AWS's own words stand in the traceback."""
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
    """The API could not do what was asked, through no fault of who asked."""
    _say(_logger().error, "fault", route=route, code=error.code, reason=str(error), exc_info=error)
    _count("Faults", code=error.code)


def not_purged(error: ImageProcessorError) -> None:
    """CloudFront was not told what was replaced; its caches are as late as Cache-Control lets them."""
    _say(_logger().warning, "not purged", code=error.code, reason=str(error), exc_info=error)
    _count("PurgesFailed", code=error.code)


def ending() -> None:
    """The process ends itself, for Lambda to start another."""
    _say(_logger().error, "ending: work that an earlier invocation abandoned does not end")


def answered(route: str, status: int, code: str | None, seconds: float) -> None:
    """The API gave an answer; `code` is the error's."""
    _say(_logger().info, "answered", route=route, status=status, code=code, milliseconds=round(seconds * 1000))


def delivered(path: str, status: int, code: str | None, seconds: float) -> None:
    """A picture was asked for over the Function URL; without a `code`, and unless it was kept already, it was made."""
    work = _WORK.get()
    made = work is not None and "render" in work.steps and code is None
    outcome, milliseconds = "made" if made else "answered", round(seconds * 1000)
    _say(_logger().info, outcome, path=path, status=status, code=code, milliseconds=milliseconds, **_noted())
    if made:
        _measure({"Renditions": 1, **_measured()})


def _say(write: Callable[..., None], message: str, **facts: Any) -> None:
    with _LINE:
        write(message, **facts)


def _noted() -> dict[str, Any]:
    work = _WORK.get()
    if work is None:
        return {}
    taken = steps()
    lag = {} if work.since is None else {"lag_milliseconds": _lag(work.since)}
    return {**work.facts, **work.sizes, **({"steps_milliseconds": taken} if taken else {}), **lag}


def _measured() -> dict[str, float]:
    """The metrics of the work at hand; one that was not noted is left out, not 0, which would be an average's ruin."""
    work = _WORK.get()
    if work is None:
        return {}
    metrics: dict[str, float] = {_SIZES[name]: size for name, size in work.sizes.items()}
    if work.steps:
        render = work.steps.get("render", 0.0)
        metrics["RenderTime"] = round(render * 1000)
        metrics["StorageTime"] = round((sum(work.steps.values()) - render) * 1000)
    if work.since is not None:
        metrics["Lag"] = _lag(work.since)
    return metrics


def _lag(since: float) -> int:
    return max(0, round((time.time() - since) * 1000))


def _measure(metrics: dict[str, float]) -> None:
    """Write several metrics in one line of the embedded format; each by the line would cost eight times the log."""
    from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

    units = {
        "BytesIn": MetricUnit.Bytes,
        "BytesOut": MetricUnit.Bytes,
        **dict.fromkeys(("RenderTime", "StorageTime", "Lag"), MetricUnit.Milliseconds),
    }
    with _LINE:
        together = EphemeralMetrics()  # its namespace and service come from Powertools' own environment variables
        for name, value in metrics.items():
            together.add_metric(name=name, unit=units.get(name, MetricUnit.Count), value=value)
        together.flush_metrics()


def _count(name: str, **dimensions: str) -> None:
    from aws_lambda_powertools.metrics import MetricUnit, single_metric

    with _LINE, single_metric(name=name, unit=MetricUnit.Count, value=1) as metric:
        for dimension, value in dimensions.items():
            metric.add_dimension(dimension, value)
