"""The Lambda function's handler: recognises the event, calls one use case, shapes the reply; wires clients once.

SQS messages with S3 notifications ─▶ each message alone, all at once; the failed ones go back to the queue
S3 notification, EventBridge event ─▶ each source; an error makes Lambda retry the event
REST API request                   ─▶ an HTTP answer, whatever happens
"""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from image_processor import api, events, telemetry
from image_processor.aws import CONFIG
from image_processor.config import Settings
from image_processor.errors import ForbiddenSource, ImageProcessorError, InternalError, InvalidSettings
from image_processor.metadata import MetadataTable, NoTable
from image_processor.model import Record
from image_processor.pipeline import Pipeline
from image_processor.storage import RenditionBucket, SourceBucket


@dataclass(frozen=True, slots=True)
class Services:
    """What one execution environment keeps between invocations."""

    settings: Settings
    pipeline: Pipeline


@cache
def services() -> Services:
    """Read the settings and open the clients, once, while Lambda starts the function; raises `InvalidSettings`."""
    settings = Settings.from_environment()
    s3 = boto3.client("s3", config=CONFIG)
    table = settings.metadata_table
    records = MetadataTable(boto3.client("dynamodb", config=CONFIG), table) if table else NoTable()
    pipeline = Pipeline(
        SourceBucket(s3, settings.upload_bucket),
        RenditionBucket(s3, settings.processed_bucket, settings.cache_control),
        records,
        settings.variants,
        settings.limits,
    )
    return Services(settings, pipeline)


with suppress(InvalidSettings):  # told by the first invocation, which has an answer to give
    services()


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    """Entry point. Raises only for an event that Lambda should retry by itself."""
    telemetry.begin(getattr(context, "aws_request_id", ""))  # none when invoked by hand
    if api.is_api_request(event):
        return _answer(event)
    if events.is_queue_batch(event):
        return _process_messages(event["Records"])
    for failure in _process_sources(events.parse(event)):
        raise failure
    return None


def _process_messages(messages: list[dict[str, Any]]) -> dict[str, Any]:
    # All at once: while one message has the pixels, the others wait for S3. Powertools' batch takes them in turn.
    with ThreadPoolExecutor(max_workers=len(messages)) as pool:
        done = list(pool.map(_process_message, messages))
    failed = [message["messageId"] for message, ok in zip(messages, done, strict=True) if not ok]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _process_message(message: Mapping[str, Any]) -> bool:
    try:
        return not _process_sources(events.parse_message(message.get("body")))
    except Exception as fault:  # noqa: BLE001 - a message that can't be read fails alone
        telemetry.will_retry(None, _known(fault))
        return False


def _process_sources(source_events: list[events.SourceEvent]) -> list[ImageProcessorError]:
    """Bring each source up to date; returns the errors that are worth another try."""
    outcomes = [_process_source(source_event) for source_event in source_events]
    return [error for error in outcomes if error and error.retryable]


def _process_source(source_event: events.SourceEvent) -> ImageProcessorError | None:
    started = time.perf_counter()
    try:
        records = _publish(source_event)
    except Exception as fault:  # noqa: BLE001 - the one place where the unknown becomes a retry and a log line
        error = _known(fault)
        (telemetry.will_retry if error.retryable else telemetry.failed)(source_event.key, error)
        return error
    telemetry.published(source_event.key, len(records), time.perf_counter() - started)
    return None


def _publish(source_event: events.SourceEvent) -> list[Record]:
    upload_bucket = services().settings.upload_bucket
    if source_event.bucket != upload_bucket:
        raise ForbiddenSource(f"bucket {source_event.bucket} is not the upload bucket, {upload_bucket}")
    return services().pipeline.publish(source_event.key)


def _answer(event: dict[str, Any]) -> dict[str, Any]:
    started = time.perf_counter()
    origins: tuple[str, ...] = ()
    route, code = f"{event['httpMethod']} {event.get('resource')}", None
    try:
        settings, pipeline = services().settings, services().pipeline
        origins = settings.cors_origins
        status, body = api.answer(event, pipeline, settings.upload_bucket)
    except Exception as fault:  # noqa: BLE001 - a caller gets an answer, whatever happens
        error = _known(fault)
        if error.retryable:
            telemetry.fault(route, error)
        status, code, body = (
            error.status,
            error.code,
            api.error_body(error, (event["requestContext"] or {}).get("requestId", "")),
        )
    telemetry.answered(route, status, code, time.perf_counter() - started)
    return api.response(status, body, event, origins)


def _known(fault: Exception) -> ImageProcessorError:
    if isinstance(fault, ImageProcessorError):
        return fault
    error = InternalError("the function failed; its log has the reason under this request's id")
    error.__cause__ = fault
    return error
