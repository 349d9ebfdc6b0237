"""Jobs of S3 Batch Operations: each task is processed and gets its result."""

import json
from typing import Any
from urllib.parse import quote_plus

import pytest

from .buckets import UPLOADS, failing, picture, records, renditions, upload
from .events import invoke, recorded

pytestmark = pytest.mark.usefixtures("environment")


def task(key: str, bucket: str = UPLOADS) -> dict[str, Any]:
    event = recorded("s3-batch-operations.json")
    event["tasks"][0].update(s3Key=quote_plus(key, safe="/"), s3Bucket=bucket)
    return event


def result(event: dict[str, Any]) -> tuple[str, str]:
    [result] = invoke(event)["results"]
    assert result["taskId"] == event["tasks"][0]["taskId"]
    return result["resultCode"], result["resultString"]


def test_a_task_renders_its_source() -> None:
    upload("cats/a b+ü.jpg", picture())

    assert result(task("cats/a b+ü.jpg")) == ("Succeeded", "")
    assert renditions() == ["cats/a=20b=2B=C3=BC.jpg/thumbnail"]


def test_a_source_that_can_not_be_rendered_fails_permanently_and_has_its_record() -> None:
    upload("bad.jpg", b"no picture")

    code, reason = result(task("bad.jpg"))

    assert (code, reason.split(":")[0]) == ("PermanentFailure", "unsupported-format")
    assert [record["status"] for record in records()] == ["failed"]


def test_another_bucket_is_refused() -> None:
    assert result(task("rio.jpg", "another"))[0] == "PermanentFailure"


def test_a_refusal_by_aws_is_a_temporary_failure_that_the_job_retries(environment: pytest.MonkeyPatch) -> None:
    upload("rio.jpg", picture())
    failing(environment, "PutObject", "SlowDown")

    assert result(task("rio.jpg"))[0] == "TemporaryFailure"


def test_a_task_writes_its_log_line_and_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    upload("rio.jpg", picture())

    invoke(task("rio.jpg"))

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"] for line in lines if "message" in line] == ["published"]
    assert [line["SourcesProcessed"] for line in lines if "SourcesProcessed" in line] == [[1.0]]
