"""The Lambda function's handler: recognises the event and calls its trigger.

    SQS messages with S3 notifications  ─▶ sqs_batch         each message alone; the failed ones return to the queue
    S3 Batch Operations job             ─▶ batch_operations  the result of each task
    REST API request                    ─▶ rest_api          an HTTP response, also for an error
    Function URL request                ─▶ function_url      a rendition or an HTTP error
    S3 notification, EventBridge event  ─▶ s3_events         an error makes Lambda retry the event

`services` builds what the triggers work with.
"""

import math
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from image_processor import telemetry
from image_processor.errors import ForbiddenSource, ImageProcessorError, InvalidSettings
from image_processor.publishing.model import Record
from image_processor.services import services
from image_processor.triggers import batch_operations, function_url, rest_api, s3_events, source_processing, sqs_batch

RESERVED_SECONDS: Final = 2.0  # of an invocation, for the invalidation and the response to Lambda
HTTP_SECONDS: Final = 27.0  # API Gateway waits 29 seconds for a response, CloudFront 30

with suppress(InvalidSettings):  # the first invocation reports it, in the shape that its caller expects
    services()
_queue = sqs_batch.QueueWorkers()


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    """Entry point. Raises only for an event that Lambda itself should retry."""
    telemetry.begin(getattr(context, "aws_request_id", ""))  # absent when invoked by hand
    deadline = _deadline(context)
    _queue.exit_if_stuck()
    http_deadline = min(deadline, time.monotonic() + HTTP_SECONDS)
    try:
        if rest_api.is_api_request(event):
            return rest_api.respond(event, lambda: services().rest_api, http_deadline)
        if function_url.is_delivery_request(event):
            return function_url.respond(event, lambda: services().delivery, http_deadline)
        if sqs_batch.is_queue_batch(event):
            return _queue.process(event["Records"], _publish, deadline)
        if batch_operations.is_job(event):
            return batch_operations.process(event, _publish, deadline)
        source_processing.process_all(s3_events.parse(event), _publish, deadline)
        return None
    finally:
        _invalidate()


def _deadline(context: Any) -> float:
    """When all work must be done, in seconds of `time.monotonic`; infinite when invoked by hand."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return time.monotonic() + remaining() / 1000 - RESERVED_SECONDS if remaining else math.inf


def _publish(event: s3_events.SourceEvent, deadline: float, *, redelivered: bool = False) -> Sequence[Record]:
    upload_bucket = services().settings.upload_bucket  # may raise `InvalidSettings`, which the trigger then reports
    if event.bucket != upload_bucket:
        raise ForbiddenSource(f"bucket {event.bucket} is not the upload bucket, {upload_bucket}")
    return services().pipeline.publish(event.key, deadline, redelivered=redelivered)


def _invalidate() -> None:
    with suppress(InvalidSettings):  # nothing was rendered, and the trigger has reported it
        try:
            services().invalidations.send()
        except ImageProcessorError as error:
            telemetry.invalidation_failed(error)
