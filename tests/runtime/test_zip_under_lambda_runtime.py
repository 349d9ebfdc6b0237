"""The zip under AWS's runtime client and the template's handler name, which finds a missing file or a wrong name."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from image_processor.urls.paths import rendition_path

from .fake_aws import FakeAws
from .lambda_runtime import LambdaRuntime, RuntimeFailed, missing
from .packaged import Function

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")
EVENTS = Path(__file__).parents[1] / "events"


def put_event(function: Function, key: str) -> dict[str, Any]:
    event = json.loads((EVENTS / "s3-put.json").read_text())
    [record] = event["Records"]
    record["s3"]["bucket"]["name"], record["s3"]["object"]["key"] = function.upload_bucket, key
    return event


def picture() -> bytes:
    body = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").resize((400, 300)).save(body, "JPEG")
    return body.getvalue()


def thumbnail_size(aws: FakeAws, function: Function, key: str) -> tuple[int, int]:
    with Image.open(
        io.BytesIO(aws.objects[f"{function.processed_bucket}/{rendition_path(key, 'thumbnail')}"])
    ) as thumbnail:
        return thumbnail.size


def test_an_s3_event_makes_a_rendition_and_its_record(runtime: LambdaRuntime, aws: FakeAws, function: Function) -> None:
    aws.objects[f"{function.upload_bucket}/rio.jpg"] = picture()
    aws.calls.clear()

    assert runtime.invoke(put_event(function, "rio.jpg")) is None

    assert thumbnail_size(aws, function, "rio.jpg") == (128, 128)
    assert "BatchWriteItem" in aws.calls


def test_one_poison_message_goes_back_and_the_one_beside_it_is_done(
    runtime: LambdaRuntime, aws: FakeAws, function: Function
) -> None:
    aws.objects[f"{function.upload_bucket}/lima.jpg"] = picture()
    messages = [("good", json.dumps(put_event(function, "lima.jpg"))), ("poison", "not JSON")]
    records = [{"messageId": name, "eventSource": "aws:sqs", "body": body} for name, body in messages]

    answer = runtime.invoke({"Records": records})

    assert answer == {"batchItemFailures": [{"itemIdentifier": "poison"}]}
    assert thumbnail_size(aws, function, "lima.jpg") == (128, 128)


def test_each_task_of_a_job_is_answered_with_what_became_of_it(
    runtime: LambdaRuntime, aws: FakeAws, function: Function
) -> None:
    aws.objects[f"{function.upload_bucket}/cats/la paz.jpg"] = picture()
    aws.objects[f"{function.upload_bucket}/cats/text"] = b"no picture"
    event = json.loads((EVENTS / "s3-batch-operations.json").read_text())
    [task] = event["tasks"]
    results = []

    for number, key in enumerate(["cats/la+paz.jpg", "cats/text"]):
        event["tasks"] = [{**task, "taskId": str(number), "s3Bucket": function.upload_bucket, "s3Key": key}]
        results += runtime.invoke(event)["results"]

    assert [(one["taskId"], one["resultCode"]) for one in results] == [("0", "Succeeded"), ("1", "PermanentFailure")]
    assert results[1]["resultString"].startswith("unsupported-format: ")
    assert thumbnail_size(aws, function, "cats/la paz.jpg") == (128, 128)


def test_the_api_is_answered(runtime: LambdaRuntime, aws: FakeAws, function: Function) -> None:
    aws.objects[f"{function.upload_bucket}/quito.jpg"] = picture()
    event = json.loads((EVENTS / "api-post-images.json").read_text())
    event["body"] = json.dumps({"key": "quito.jpg", "transformation": "width=64,format=avif"})

    answer = runtime.invoke(event)

    assert answer["statusCode"] == 200, answer
    [rendition] = json.loads(answer["body"])["renditions"]
    assert (rendition["width"], rendition["height"], rendition["content_type"]) == (64, 48, "image/avif")


STALLING = """
import threading
from pathlib import Path
from image_processor import app
from image_processor.triggers import sqs_batch

publish, sqs_batch.GRACE_SECONDS = app._publish, 0.2

def stall(*event, **options):
    if Path({marker!r}).exists():
        threading.Event().wait()  # for ever
    return publish(*event, **options)

app._publish = stall
app._deadline = lambda context: app.time.monotonic() + (1 if Path({marker!r}).exists() else 60)
lambda_handler = app.lambda_handler
"""


def test_abandoned_work_that_never_ends_restarts_the_runtime_and_its_message_is_done_when_it_comes_back(
    task: Path, aws: FakeAws, function: Function, tmp_path: Path
) -> None:
    marker = tmp_path / "stall"
    marker.touch()
    (task / "stalling.py").write_text(STALLING.format(marker=str(marker)))
    aws.objects[f"{function.upload_bucket}/oslo.jpg"] = picture()
    body = json.dumps(put_event(function, "oslo.jpg"))
    batch = {"Records": [{"messageId": "stalled", "eventSource": "aws:sqs", "body": body}]}
    environment = {**function.environment, "AWS_ENDPOINT_URL": aws.url, "AWS_LAMBDA_FUNCTION_TIMEOUT": "20"}

    with LambdaRuntime(task, "stalling.lambda_handler", environment) as running:
        assert running.invoke(batch) == {"batchItemFailures": [{"itemIdentifier": "stalled"}]}
        marker.unlink()
        # The invocation fails, so that SQS redelivers the batch. It ends at once: sys.exit would wait for the stuck
        # thread until the function's timeout.
        with pytest.raises(RuntimeFailed, match=r"Runtime\.ExitError"):
            running.invoke(batch)
        assert running.invoke(batch) == {"batchItemFailures": []}

        assert "does not end" in running.log()
        assert "Task timed out" not in running.log()
    assert thumbnail_size(aws, function, "oslo.jpg") == (128, 128)


@pytest.mark.parametrize("handler", ["image_processor.app.no_such_function", "image_processor.no_such_module.handler"])
def test_a_handler_that_is_not_there_is_seen(task: Path, function: Function, handler: str) -> None:
    with (
        LambdaRuntime(task, handler, function.environment) as running,
        pytest.raises(RuntimeFailed, match=r"HandlerNotFound|ImportModuleError"),
    ):
        running.invoke({})
