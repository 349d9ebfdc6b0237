"""Processing the sources of an event: what is logged and returned, and which error makes Lambda retry the event."""

import math
from typing import Any

import pytest

from image_processor import telemetry
from image_processor.errors import CorruptImage, ImageProcessorError, InternalError, Throttled, Unavailable
from image_processor.triggers import source_processing
from image_processor.triggers.s3_events import SourceEvent

EVENT = SourceEvent("uploads", "cats/rio.jpg")


class FakePublish:
    """Records its calls; gives each key its result, or raises it if it is an exception."""

    def __init__(self, results: dict[str, Any]) -> None:
        self.calls: list[tuple[str, float, bool]] = []
        self._results = results

    def __call__(self, event: SourceEvent, deadline: float, *, redelivered: bool = False) -> Any:
        self.calls.append((event.key, deadline, redelivered))
        result = self._results[event.key]
        if isinstance(result, Exception):
            raise result
        return result


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was logged: the outcome, the key, and the number of renditions or the error."""
    lines: list[tuple[Any, ...]] = []
    monkeypatch.setattr(telemetry, "published", lambda key, count, _: lines.append(("published", key, count)))
    monkeypatch.setattr(telemetry, "failed", lambda key, error: lines.append(("failed", key, error)))
    monkeypatch.setattr(telemetry, "will_retry", lambda key, error: lines.append(("will retry", key, error)))
    return lines


def test_a_published_source_is_logged_and_has_no_error(log):
    publish = FakePublish({EVENT.key: ["a record", "another record"]})

    error = source_processing.process(EVENT, publish, math.inf)

    assert error is None
    assert log == [("published", EVENT.key, 2)]


@pytest.mark.parametrize("redelivered", [True, False])
def test_the_deadline_and_redelivered_are_passed_on(log, redelivered):
    publish = FakePublish({EVENT.key: []})

    source_processing.process(EVENT, publish, 12.5, redelivered=redelivered)

    assert publish.calls == [(EVENT.key, 12.5, redelivered)]
    assert log == [("published", EVENT.key, 0)]


@pytest.mark.parametrize(("failure", "outcome"), [(CorruptImage("x"), "failed"), (Throttled("x"), "will retry")])
def test_an_error_is_logged_as_permanent_or_retryable_and_returned(log, failure, outcome):
    error = source_processing.process(EVENT, FakePublish({EVENT.key: failure}), math.inf)

    assert error is failure
    assert log == [(outcome, EVENT.key, failure)]


def test_an_unknown_exception_is_logged_and_returned_as_a_retryable_error(log):
    fault = KeyError("a bug")

    error = source_processing.process(EVENT, FakePublish({EVENT.key: fault}), math.inf)

    assert isinstance(error, InternalError)
    assert error.__cause__ is fault
    assert log == [("will retry", EVENT.key, error)]


def test_the_lag_of_a_source_counts_from_when_its_message_was_sent(log, monkeypatch):
    sent = []
    working = telemetry.working
    monkeypatch.setattr(telemetry, "working", lambda sent_at: (sent.append(sent_at), working(sent_at))[1])

    source_processing.process(EVENT, FakePublish({EVENT.key: []}), math.inf, 1767323045.678)

    assert sent == [1767323045.678]
    assert len(log) == 1


def test_every_source_is_processed_before_the_first_retryable_error_is_raised(log):
    results: dict[str, Any] = {
        "corrupt": CorruptImage("x"),
        "throttled": Throttled("first"),
        "unavailable": Unavailable("second"),
        "good": ["a record"],
    }
    publish = FakePublish(results)

    with pytest.raises(ImageProcessorError) as caught:
        source_processing.process_all([SourceEvent("uploads", key) for key in results], publish, 12.5)

    assert caught.value is results["throttled"]
    assert publish.calls == [(key, 12.5, False) for key in results]
    assert [(outcome, key) for outcome, key, _ in log] == [
        ("failed", "corrupt"),
        ("will retry", "throttled"),
        ("will retry", "unavailable"),
        ("published", "good"),
    ]


def test_a_permanent_error_is_not_raised(log):
    events = [SourceEvent("uploads", key) for key in ("corrupt", "good")]

    source_processing.process_all(events, FakePublish({"corrupt": CorruptImage("x"), "good": []}), math.inf)

    assert [(outcome, key) for outcome, key, _ in log] == [("failed", "corrupt"), ("published", "good")]


def test_an_event_without_sources_does_nothing(log):
    source_processing.process_all([], FakePublish({}), math.inf)

    assert log == []
