"""Jobs of S3 Batch Operations, which invoke the function for each object of a manifest, and the answer they want.

Of invocation schema 2.0, which names the bucket, and 1.0, which has its ARN. A job sends one task at a time, and tries
one that failed for a time again by itself. Keys come encoded as a form, as in S3's notifications, and by the same door.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from image_processor.errors import ImageProcessorError, UnknownEvent, shown
from image_processor.triggers import s3_events


@dataclass(frozen=True, slots=True)
class Task:
    """One object of a job's manifest."""

    id: str
    source: s3_events.SourceEvent


def is_job(event: Mapping[str, Any]) -> bool:
    """Whether a job of S3 Batch Operations asks; it wants an answer whatever happens."""
    return "invocationSchemaVersion" in event and "tasks" in event


def parse(event: Mapping[str, Any]) -> list[Task]:
    """The tasks of a job; raises `UnknownEvent`."""
    match event:
        case {"invocationSchemaVersion": "1.0" | "2.0", "invocationId": str(), "tasks": [_, *_] as tasks}:
            return [_parse_task(task) for task in tasks]
        case _:
            raise UnknownEvent(f"the event is no job of S3 Batch Operations, schema 1.0 or 2.0: {shown(event)}")


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
    event: Mapping[str, Any], tasks: Sequence[Task], outcomes: Sequence[ImageProcessorError | None]
) -> dict[str, Any]:
    """What becomes of each task, in the job's words: done, to be tried again, or failed for good. The last two are told
    apart by the error's `retryable`; its code and message stand in the job's report.
    """
    return {
        "invocationSchemaVersion": event["invocationSchemaVersion"],
        "invocationId": event["invocationId"],
        # A task that the answer leaves out; there is none.
        "treatMissingKeysAs": "TemporaryFailure",
        "results": [_result(task, error) for task, error in zip(tasks, outcomes, strict=True)],
    }


def _result(task: Task, error: ImageProcessorError | None) -> dict[str, str]:
    if error is None:
        return {"taskId": task.id, "resultCode": "Succeeded", "resultString": ""}
    code = "TemporaryFailure" if error.retryable else "PermanentFailure"
    return {"taskId": task.id, "resultCode": code, "resultString": f"{error.code}: {error}"}
