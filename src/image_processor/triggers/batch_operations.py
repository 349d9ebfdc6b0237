"""S3 Batch Operations: a job that invokes the function for each object of a manifest, and expects a result for each.

Invocation schema 2.0 names the bucket, 1.0 gives its ARN. A job sends one task at a time, and retries a task that
failed temporarily. Keys are form-encoded, as in S3 notifications.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from image_processor.errors import ImageProcessorError, UnknownEvent, shown
from image_processor.triggers import s3_events, source_processing
from image_processor.triggers.source_processing import Publish


@dataclass(frozen=True, slots=True)
class Task:
    """One object of a job's manifest."""

    id: str
    source: s3_events.SourceEvent


def is_job(event: Mapping[str, Any]) -> bool:
    """Whether this is an invocation by a job of S3 Batch Operations."""
    return "invocationSchemaVersion" in event and "tasks" in event


def process(event: Mapping[str, Any], publish: Publish, deadline: float) -> dict[str, Any]:
    """Process all tasks of a job; returns the result of each. Raises `UnknownEvent`."""
    tasks = parse(event)
    return answer(event, tasks, [source_processing.process(task.source, publish, deadline) for task in tasks])


def parse(event: Mapping[str, Any]) -> list[Task]:
    """The tasks of a job; raises `UnknownEvent`."""
    match event:
        case {"invocationSchemaVersion": "1.0" | "2.0", "invocationId": str(), "tasks": [_, *_] as tasks}:
            return [_parse_task(task) for task in tasks]
        case _:
            raise UnknownEvent(f"the event is not a job of S3 Batch Operations, schema 1.0 or 2.0: {shown(event)}")


def _parse_task(task: object) -> Task:
    match task:
        case {"taskId": str(task_id), "s3Key": str(key), "s3Bucket": str(bucket)}:
            pass
        case {"taskId": str(task_id), "s3Key": str(key), "s3BucketArn": str(arn)}:
            bucket = arn.rpartition(":")[2]
        case _:
            raise UnknownEvent(f"the task is not of S3 Batch Operations: {shown(task)}")
    record = {"eventSource": "aws:s3", "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}
    [source] = s3_events.parse({"Records": [record]})
    return Task(task_id, source)


def answer(
    event: Mapping[str, Any], tasks: Sequence[Task], errors: Sequence[ImageProcessorError | None]
) -> dict[str, Any]:
    """The response to the job: each task succeeded, failed temporarily, or failed permanently.

    The error's `retryable` distinguishes the two failures. Its code and message appear in the job's report.
    """
    return {
        "invocationSchemaVersion": event["invocationSchemaVersion"],
        "invocationId": event["invocationId"],
        # For a task that the response leaves out. This response leaves none out.
        "treatMissingKeysAs": "TemporaryFailure",
        "results": [_result(task, error) for task, error in zip(tasks, errors, strict=True)],
    }


def _result(task: Task, error: ImageProcessorError | None) -> dict[str, str]:
    if error is None:
        return {"taskId": task.id, "resultCode": "Succeeded", "resultString": ""}
    code = "TemporaryFailure" if error.retryable else "PermanentFailure"
    return {"taskId": task.id, "resultCode": code, "resultString": f"{error.code}: {error}"}
