"""Brings one changed source up to date and logs the outcome; what every trigger by S3 events has in common."""

import time
from collections.abc import Iterable, Sequence
from typing import Protocol

from image_processor import telemetry
from image_processor.errors import ImageProcessorError, attempt
from image_processor.publishing.model import Record
from image_processor.triggers.s3_events import SourceEvent


class Publish(Protocol):
    """Publishes or withdraws the source of an event; raises its error.

    `redelivered`: an earlier attempt may have replaced renditions without invalidating CloudFront.
    """

    def __call__(  # noqa: D102
        self, event: SourceEvent, deadline: float, *, redelivered: bool = False
    ) -> Sequence[Record]: ...


def process(
    event: SourceEvent, publish: Publish, deadline: float, sent_at: float | None = None, *, redelivered: bool = False
) -> ImageProcessorError | None:
    """Bring the source of an event up to date; returns its error, which is logged.

    `deadline` is in seconds of `time.monotonic`, `sent_at` in seconds since 1970.
    """
    with telemetry.working(sent_at):
        started = time.perf_counter()
        records = attempt(lambda: publish(event, deadline, redelivered=redelivered))
        if isinstance(records, ImageProcessorError):
            (telemetry.will_retry if records.retryable else telemetry.failed)(event.key, records)
            return records
        telemetry.published(event.key, len(records), time.perf_counter() - started)
        return None


def process_all(events: Iterable[SourceEvent], publish: Publish, deadline: float) -> None:
    """Bring every source up to date, and only then raise the first error that is worth a retry.

    For events that Lambda received directly: it retries the whole event by itself.
    """
    errors = [process(event, publish, deadline) for event in events]
    for error in errors:
        if error is not None and error.retryable:
            raise error
