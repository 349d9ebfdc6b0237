"""SQS batches: messages that each hold an S3 notification, all processed at the same time.

Each message fails alone: the response names the failed ones, and only these return to the queue.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Final

from image_processor import telemetry
from image_processor.errors import ImageProcessorError, Unavailable, attempt
from image_processor.triggers.s3_events import parse_message
from image_processor.triggers.source_processing import Publish, process

# Seconds that abandoned work gets to end. A stalled AWS call ends at once, because its own timeout has long passed.
GRACE_SECONDS: Final = 5.0


def is_queue_batch(event: Mapping[str, Any]) -> bool:
    """Whether these are SQS messages, each of which can fail alone."""
    records = event.get("Records")
    return bool(records) and isinstance(records, list) and all(_event_source(record) == "aws:sqs" for record in records)


def is_redelivered(message: Mapping[str, Any]) -> bool:
    """Whether SQS has delivered this message before: an earlier attempt may have stopped at any point."""
    return str((message.get("attributes") or {}).get("ApproximateReceiveCount", "1")) != "1"


def sent_at(message: Mapping[str, Any]) -> float | None:
    """When S3 sent this message to the queue, in seconds since 1970; None if the message has no time."""
    milliseconds = str((message.get("attributes") or {}).get("SentTimestamp", ""))
    return int(milliseconds) / 1000 if milliseconds.isdecimal() else None


class QueueWorkers:
    """Processes batches in threads, and remembers the threads that an earlier invocation had to abandon."""

    def __init__(self) -> None:
        self.abandoned: list[Future[bool]] = []

    def process(self, messages: Sequence[Mapping[str, Any]], publish: Publish, deadline: float) -> dict[str, Any]:
        """Process all messages; returns a partial batch response with those that failed or missed the `deadline`.

        One thread for each message: while one holds the decode slot, the others wait for S3. Powertools' batch
        processor would process them one after another.
        """
        pool = ThreadPoolExecutor(max_workers=len(messages))
        outcomes = [pool.submit(_process_message, message, publish, deadline) for message in messages]
        wait(outcomes, timeout=None if deadline == math.inf else max(0.0, deadline - time.monotonic()))
        # A thread that continues during a later invocation still checks the source again after it has written.
        pool.shutdown(wait=False, cancel_futures=True)
        failed = [
            message["messageId"] for message, outcome in zip(messages, outcomes, strict=True) if not self._done(outcome)
        ]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    def exit_if_stuck(self) -> None:
        """End the process if work that an earlier invocation abandoned does not end: it may hold the decode slot.

        Lambda then starts a new execution environment, and the queue redelivers the messages. `sys.exit` would wait
        for the stuck threads.
        """
        wait(self.abandoned, timeout=GRACE_SECONDS)
        if not all(outcome.done() for outcome in self.abandoned):
            telemetry.ending()
            sys.stdout.flush()
            os._exit(1)
        self.abandoned.clear()

    def _done(self, outcome: Future[bool]) -> bool:
        if outcome.done() and not outcome.cancelled():
            return outcome.result()
        telemetry.will_retry(None, Unavailable("the function ran out of time; try again later"))
        self.abandoned.append(outcome)
        return False


def _process_message(message: Mapping[str, Any], publish: Publish, deadline: float) -> bool:
    """Whether the message can be deleted from the queue."""
    outcome = attempt(lambda: _process_events(message, publish, deadline))
    if isinstance(outcome, ImageProcessorError):
        telemetry.will_retry(None, outcome)
        return False
    return outcome


def _process_events(message: Mapping[str, Any], publish: Publish, deadline: float) -> bool:
    sent, redelivered = sent_at(message), is_redelivered(message)
    events = parse_message(message.get("body"))
    errors = [process(event, publish, deadline, sent, redelivered=redelivered) for event in events]
    return not any(error is not None and error.retryable for error in errors)


def _event_source(record: object) -> object:
    return record.get("eventSource") if isinstance(record, Mapping) else None
