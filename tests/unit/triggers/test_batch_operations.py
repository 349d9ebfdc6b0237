"""S3 Batch Operations: the tasks of a job are sources, and the response has a result for each task."""

import json
from pathlib import Path
from typing import Any

import pytest

from image_processor.errors import CorruptImage, Throttled, UnknownEvent
from image_processor.triggers import batch_operations
from image_processor.triggers.s3_events import SourceEvent

EVENT: dict[str, Any] = json.loads((Path(__file__).parents[2] / "events" / "s3-batch-operations.json").read_text())
TASK = EVENT["tasks"][0]
SOURCE = SourceEvent("upload-bucket", "cats/rio de janeiro ü.jpg")


def with_task(**changes: Any) -> dict[str, Any]:
    return {**EVENT, "tasks": [{**TASK, **changes}]}


def test_a_job_is_distinguished_from_other_events() -> None:
    assert batch_operations.is_job(EVENT)
    for event in ({"Records": []}, {"source": "aws.s3"}, {"httpMethod": "POST"}, {"tasks": []}):
        assert not batch_operations.is_job(event)


def test_a_task_names_a_source_by_its_decoded_key() -> None:
    assert batch_operations.parse(EVENT) == [batch_operations.Task(TASK["taskId"], SOURCE)]


def test_schema_1_names_the_bucket_by_its_arn() -> None:
    task = {"taskId": "1", "s3Key": TASK["s3Key"], "s3VersionId": "1", "s3BucketArn": "arn:aws:s3:::upload-bucket"}

    assert batch_operations.parse({**EVENT, "invocationSchemaVersion": "1.0", "tasks": [task]})[0].source == SOURCE


@pytest.mark.parametrize(
    "event",
    [
        {**EVENT, "invocationSchemaVersion": "3.0"},
        {**EVENT, "tasks": []},
        {**EVENT, "tasks": "all"},
        {**EVENT, "tasks": ["a"]},
        {"invocationSchemaVersion": "2.0", "tasks": [TASK]},
        with_task(s3Key=None),
        with_task(s3Key="%ff"),
        with_task(s3Bucket=1),
    ],
)
def test_an_event_of_another_shape_is_an_unknown_event(event: dict[str, Any]) -> None:
    with pytest.raises(UnknownEvent):
        batch_operations.parse(event)


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (None, "Succeeded", ""),
        (Throttled("S3 is busy"), "TemporaryFailure", "throttled: S3 is busy"),
        (CorruptImage("it ends early"), "PermanentFailure", "corrupt-image: it ends early"),
    ],
)
def test_the_response_has_the_result_of_each_task(error: Any, code: str, text: str) -> None:
    response = batch_operations.answer(EVENT, batch_operations.parse(EVENT), [error])

    assert response == {
        "invocationSchemaVersion": "2.0",
        "invocationId": EVENT["invocationId"],
        "treatMissingKeysAs": "TemporaryFailure",
        "results": [{"taskId": TASK["taskId"], "resultCode": code, "resultString": text}],
    }
    assert json.loads(json.dumps(response)) == response


def test_a_task_without_an_outcome_raises_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        batch_operations.answer(EVENT, batch_operations.parse(EVENT), [])
