"""The Lambda function's handler: recognises the event, calls one use case, shapes the reply; wires clients once.

SQS messages with S3 notifications ─▶ each message alone, all at once; the failed ones go back to the queue
S3 notification, EventBridge event ─▶ each source; an error makes Lambda retry the event
job of S3 Batch Operations         ─▶ each task, and what became of it
REST API request                   ─▶ an HTTP answer, whatever happens
Function URL request               ─▶ a picture, made if need be, or an HTTP error
"""

import math
import os
import sys
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

import boto3

from image_processor import telemetry
from image_processor.aws.clients import CONFIG
from image_processor.aws.cloudfront import Distribution, NoEdge, id_from_parameter
from image_processor.aws.dynamodb import MetadataTable, NoTable
from image_processor.aws.s3 import RenditionBucket, SourceBucket
from image_processor.aws.secrets_manager import NoKeys, SigningKeys
from image_processor.config import Settings
from image_processor.errors import (
    ForbiddenSource,
    ImageProcessorError,
    InternalError,
    InvalidSettings,
    Unavailable,
    error_body,
)
from image_processor.publishing.model import Record
from image_processor.publishing.pipeline import Pipeline
from image_processor.triggers import batch_operations, function_url, rest_api, s3_events
from image_processor.triggers.fallback_image import Fallback
from image_processor.triggers.function_url import Delivery
from image_processor.urls.links import DEFAULT_LADDER, Links

_TO_ANSWER: Final = 2.0  # seconds kept of an invocation's time to tell CloudFront and Lambda how it ended
_FOR_HTTP: Final = 27.0  # seconds; API Gateway waits 29 for an answer, CloudFront 30
# Seconds for what an invocation had to abandon; a stalled call ends at once, its time is long over.
_TO_END: Final = 5.0
_abandoned: list[Future[bool]] = []


@dataclass(frozen=True, slots=True)
class Services:
    """What one execution environment keeps between invocations."""

    settings: Settings
    pipeline: Pipeline
    edge: Distribution | NoEdge
    delivery: Delivery
    links: Links | None


@cache
def services() -> Services:
    """Read the settings and open the clients, once, while Lambda starts the function; raises `InvalidSettings`."""
    settings = Settings.from_environment()
    s3 = boto3.client("s3", config=CONFIG)
    table = settings.metadata_table
    records = MetadataTable(boto3.client("dynamodb", config=CONFIG), table) if table else NoTable()
    parameter = settings.distribution_parameter
    # Their clients, 60 ms each, are opened at the first overwrite: most uploads don't need them.
    edge = (
        Distribution(
            partial(boto3.client, "cloudfront", config=CONFIG),
            id_from_parameter(partial(boto3.client, "ssm", config=CONFIG), parameter),
        )
        if parameter
        else NoEdge()
    )
    pipeline = Pipeline(
        SourceBucket(s3, settings.upload_bucket),
        RenditionBucket(s3, settings.processed_bucket, settings.cache_control),
        records,
        settings.variants,
        settings.limits,
        edge,
    )
    secret = settings.signing_secret
    keys = SigningKeys(partial(boto3.client, "secretsmanager", config=CONFIG), secret) if secret else None
    links = Links(keys.current, settings.size_ladder or DEFAULT_LADDER) if keys else None
    fallback = Fallback(pipeline, settings.fallback_image) if settings.fallback_image else None
    urls = Delivery(pipeline, keys or NoKeys(), settings.size_ladder, settings.allow_unsigned, fallback)
    return Services(settings, pipeline, edge, urls, links)


with suppress(InvalidSettings):  # told by the first invocation, which has an answer to give
    services()


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    """Entry point. Raises only for an event that Lambda should retry by itself."""
    telemetry.begin(getattr(context, "aws_request_id", ""))  # none when invoked by hand
    deadline = _deadline(context)
    _end_abandoned()
    try:
        if rest_api.is_api_request(event):
            return _answer(event, min(deadline, time.monotonic() + _FOR_HTTP))
        if function_url.is_delivery_request(event):
            return _deliver(event, min(deadline, time.monotonic() + _FOR_HTTP))
        if s3_events.is_queue_batch(event):
            return _process_messages(event["Records"], deadline)
        if batch_operations.is_job(event):
            return _process_tasks(event, deadline)
        for failure in _process_sources(s3_events.parse(event), deadline):
            raise failure
        return None
    finally:
        _purge()


def _deadline(context: Any) -> float:
    """When all work has to be done, in seconds of `time.monotonic`; never, when invoked by hand."""
    left = getattr(context, "get_remaining_time_in_millis", None)
    return time.monotonic() + left() / 1000 - _TO_ANSWER if left else math.inf


def _end_abandoned() -> None:
    """End the process when what an earlier invocation abandoned goes on and on: it may hold the pixels.

    Lambda starts it anew, and the queue hands out again what it held. `sys.exit` would wait for the very threads.
    """
    wait(_abandoned, timeout=_TO_END)
    if not all(outcome.done() for outcome in _abandoned):
        telemetry.ending()
        sys.stdout.flush()
        os._exit(1)
    _abandoned.clear()


def _purge() -> None:
    with suppress(InvalidSettings):  # nothing was done, and it has been told
        try:
            services().edge.purge()
        except ImageProcessorError as error:
            telemetry.not_purged(error)


def _process_messages(messages: list[dict[str, Any]], deadline: float) -> dict[str, Any]:
    # All at once: while one message has the pixels, the others wait for S3. Powertools' batch takes them in turn.
    pool = ThreadPoolExecutor(max_workers=len(messages))
    outcomes = [pool.submit(_process_message, message, deadline) for message in messages]
    wait(outcomes, timeout=None if deadline == math.inf else max(0.0, deadline - time.monotonic()))
    # What isn't done comes back alone. A thread that goes on in a later invocation looks, too, after it wrote.
    pool.shutdown(wait=False, cancel_futures=True)
    failed = [message["messageId"] for message, done in zip(messages, outcomes, strict=True) if not _is_done(done)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _is_done(outcome: Future[bool]) -> bool:
    if outcome.done() and not outcome.cancelled():
        return outcome.result()
    telemetry.will_retry(None, Unavailable("the function ran out of time; try again later"))
    _abandoned.append(outcome)
    return False


def _process_tasks(event: dict[str, Any], deadline: float) -> dict[str, Any]:
    tasks = batch_operations.parse(event)
    return batch_operations.answer(event, tasks, [_process_source(task.source, deadline) for task in tasks])


def _process_message(message: Mapping[str, Any], deadline: float) -> bool:
    try:
        again, since = s3_events.was_delivered_before(message), s3_events.sent_at(message)
        return not _process_sources(s3_events.parse_message(message.get("body")), deadline, since, again=again)
    except Exception as fault:  # noqa: BLE001 - a message that can't be read fails alone
        telemetry.will_retry(None, _known(fault))
        return False


def _process_sources(
    source_events: list[s3_events.SourceEvent], deadline: float, since: float | None = None, *, again: bool = False
) -> list[ImageProcessorError]:
    """Bring each source up to date; returns the errors that are worth another try."""
    outcomes = [_process_source(source_event, deadline, since, again=again) for source_event in source_events]
    return [error for error in outcomes if error and error.retryable]


def _process_source(
    source_event: s3_events.SourceEvent, deadline: float, since: float | None = None, *, again: bool = False
) -> ImageProcessorError | None:
    with telemetry.working(since):
        started = time.perf_counter()
        try:
            records = _publish(source_event, deadline, again=again)
        except Exception as fault:  # noqa: BLE001 - the one place where the unknown becomes a retry and a log line
            error = _known(fault)
            (telemetry.will_retry if error.retryable else telemetry.failed)(source_event.key, error)
            return error
        telemetry.published(source_event.key, len(records), time.perf_counter() - started)
        return None


def _publish(source_event: s3_events.SourceEvent, deadline: float, *, again: bool) -> list[Record]:
    upload_bucket = services().settings.upload_bucket
    if source_event.bucket != upload_bucket:
        raise ForbiddenSource(f"bucket {source_event.bucket} is not the upload bucket, {upload_bucket}")
    return services().pipeline.publish(source_event.key, deadline, again=again)


def _answer(event: dict[str, Any], deadline: float) -> dict[str, Any]:
    started = time.perf_counter()
    origins: tuple[str, ...] = ()
    route, code = f"{event['httpMethod']} {event.get('resource')}", None
    try:
        settings, pipeline = services().settings, services().pipeline
        origins = settings.cors_origins
        status, body = rest_api.answer(event, pipeline, settings.upload_bucket, deadline, services().links)
    except Exception as fault:  # noqa: BLE001 - a caller gets an answer, whatever happens
        error = _known(fault)
        if error.retryable:
            telemetry.fault(route, error)
        status, code, body = (
            error.status,
            error.code,
            error_body(error, (event["requestContext"] or {}).get("requestId", "")),
        )
    telemetry.answered(route, status, code, time.perf_counter() - started)
    return rest_api.response(status, body, event, origins)


def _deliver(event: dict[str, Any], deadline: float) -> dict[str, Any]:
    started, code = time.perf_counter(), None
    with telemetry.working():
        try:
            reply = services().delivery.answer(event, deadline)
        except Exception as fault:  # noqa: BLE001 - a viewer gets an answer, whatever happens
            error = _known(fault)
            if error.retryable:
                telemetry.fault(f"GET {event.get('rawPath')}", error)
            code, reply = error.code, _refusal(event, error, deadline)
        telemetry.delivered(event.get("rawPath", ""), reply["statusCode"], code, time.perf_counter() - started)
    return reply


def _refusal(event: dict[str, Any], error: ImageProcessorError, deadline: float) -> dict[str, Any]:
    try:
        return services().delivery.refusal(event, error, deadline)
    except InvalidSettings:
        return function_url.error_answer(event, error)


def _known(fault: Exception) -> ImageProcessorError:
    if isinstance(fault, ImageProcessorError):
        return fault
    error = InternalError("the function failed; its log has the reason under this request's id")
    error.__cause__ = fault
    return error
