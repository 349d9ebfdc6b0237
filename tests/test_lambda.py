"""The handler, from AWS's events to what lies in S3 and DynamoDB afterwards, against moto in process."""

import io
import json
import threading
from base64 import b64decode
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote_plus

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto import mock_aws
from PIL import Image

from image_processor import app, telemetry
from image_processor.triggers import rest_api, sqs_batch
from image_processor.urls.signatures import sign

EVENTS = Path(__file__).parent / "events"
CONTEXT = SimpleNamespace(aws_request_id="11111111-2222-3333-4444-555555555555")
REQUEST, TRANSFORMATION = "invalid-request", "invalid-transformation"
UPLOADS, PROCESSED, TABLE = "uploads", "processed", "records"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[pytest.MonkeyPatch]:
    """Two buckets, a table, and the environment that the template gives the function."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "UPLOAD_BUCKET": UPLOADS,
        "PROCESSED_BUCKET": PROCESSED,
        "METADATA_TABLE": TABLE,
        "VARIANTS": "thumbnail:width=128,height=128,fit=cover",
        "MAX_SOURCE_BYTES": "1000000",
        "MAX_SOURCE_PIXELS": "10000000",
        "CACHE_CONTROL": "public, max-age=300",
        "CORS_ORIGINS": "https://www.example.com",
        "POWERTOOLS_SERVICE_NAME": request.node.nodeid,  # a logger of its own, writing to this test's stdout
        "POWERTOOLS_METRICS_NAMESPACE": "ImageProcessor",
        "LOG_LEVEL": "INFO",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    app.services.cache_clear()
    telemetry._logger.cache_clear()
    with mock_aws():
        s3 = boto3.client("s3")
        for bucket in (UPLOADS, PROCESSED):
            s3.create_bucket(Bucket=bucket)
        boto3.client("dynamodb").create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "original_file", "AttributeType": "S"},
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-original-file",
                    "KeySchema": [{"AttributeName": "original_file", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield monkeypatch
    app.services.cache_clear()


@cache
def picture(width: int = 400, height: int = 300, colour: str = "teal", kind: str = "JPEG") -> bytes:
    body = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(body, kind)
    return body.getvalue()


def upload(key: str, body: bytes) -> None:
    boto3.client("s3").put_object(Bucket=UPLOADS, Key=key, Body=body)


def recorded(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / name).read_text())
    return event


def notification(*keys: str, bucket: str = UPLOADS) -> dict[str, Any]:
    event = recorded("s3-put.json")
    event["Records"] = [deepcopy(event["Records"][0]) for _ in keys]
    for record, key in zip(event["Records"], keys, strict=True):
        record["s3"]["bucket"]["name"] = bucket
        record["s3"]["object"]["key"] = quote_plus(key, safe="/")
    return event


def messages(*bodies: object) -> dict[str, Any]:
    event = recorded("sqs.json")
    event["Records"] = [
        {
            **event["Records"][0],
            "messageId": f"message-{number}",
            "body": body if isinstance(body, str) else json.dumps(body),
        }
        for number, body in enumerate(bodies)
    ]
    return event


def api_request(body: object, **changes: Any) -> dict[str, Any]:
    return {**recorded("api-post-images.json"), "body": body if isinstance(body, str) else json.dumps(body), **changes}


def invoke(event: dict[str, Any]) -> Any:
    return app.lambda_handler(event, CONTEXT)


def context(seconds: float) -> SimpleNamespace:
    """Lambda's, of a function that has this long left."""
    return SimpleNamespace(
        aws_request_id=CONTEXT.aws_request_id, get_remaining_time_in_millis=lambda: round(seconds * 1000)
    )


def post(body: object, **changes: Any) -> tuple[int, dict[str, Any]]:
    answer = invoke(api_request(body, **changes))
    return answer["statusCode"], json.loads(answer["body"])


def renditions() -> list[str]:
    return [item["Key"] for item in boto3.client("s3").list_objects_v2(Bucket=PROCESSED).get("Contents", [])]


def rendition(key: str) -> dict[str, Any]:
    return boto3.client("s3").get_object(Bucket=PROCESSED, Key=key)  # type: ignore[return-value]


def records() -> list[dict[str, Any]]:
    items = boto3.client("dynamodb").scan(TableName=TABLE)["Items"]
    return [{name: next(iter(value.values())) for name, value in item.items()} for item in items]


def failing(monkeypatch: pytest.MonkeyPatch, operation: str, code: str, key: str = "") -> None:
    """From now on AWS answers every call of one operation with an error, or those whose key begins like this."""
    original = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(self: BaseClient, name: str, arguments: dict[str, Any]) -> Any:
        if name == operation and arguments.get("Key", "").startswith(key):
            raise ClientError({"Error": {"Code": code, "Message": "as the test wants"}}, name)
        return original(self, name, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)


@pytest.mark.usefixtures("environment")
class TestMessagesOfTheQueue:
    def test_a_source_becomes_a_thumbnail_of_exactly_128_by_128(self) -> None:
        upload("cats/rio.jpg", picture())

        answer = invoke(messages(notification("cats/rio.jpg")))

        made = rendition("cats/rio.jpg/thumbnail")
        assert answer == {"batchItemFailures": []}
        assert Image.open(made["Body"]).size == (128, 128)
        assert made["ContentType"] == "image/jpeg"
        assert made["CacheControl"] == "public, max-age=300"

    def test_a_rendition_tells_the_etag_of_its_source(self) -> None:
        upload("rio.jpg", picture())
        etag = boto3.client("s3").head_object(Bucket=UPLOADS, Key="rio.jpg")["ETag"].strip('"')

        invoke(messages(notification("rio.jpg")))

        assert rendition("rio.jpg/thumbnail")["Metadata"] == {"source-etag": etag}

    def test_a_record_tells_what_was_made_from_what(self) -> None:
        upload("rio.jpg", picture())

        invoke(messages(notification("rio.jpg")))

        [record] = records()
        assert record["original_file"] == "s3://uploads/rio.jpg"
        assert record["processed_file"] == "s3://processed/rio.jpg/thumbnail"
        assert record["variant"] == "thumbnail"
        assert (record["width"], record["height"], record["content_type"]) == ("128", "128", "image/jpeg")
        assert record["bytes"] == str(rendition("rio.jpg/thumbnail")["ContentLength"])
        assert record["status"] == "processed"
        assert len(record["id"]) == 32

    def test_a_repeated_message_changes_nothing(self) -> None:
        upload("rio.jpg", picture())

        invoke(messages(notification("rio.jpg")))
        first, [record] = rendition("rio.jpg/thumbnail")["Body"].read(), records()
        invoke(messages(notification("rio.jpg"), notification("rio.jpg")))

        [again] = records()
        assert rendition("rio.jpg/thumbnail")["Body"].read() == first
        assert {**again, "processed_at": ""} == {**record, "processed_at": ""}

    @pytest.mark.parametrize(
        "key", ["a b.jpg", "a+b.jpg", "100%.jpg", "ü/日本.jpg", "a?b#c.jpg", "a%20b.jpg", "d/e/e/p/x.jpg", "k" * 1000]
    )
    def test_a_key_is_decoded_exactly_once(self, key: str) -> None:
        upload(key, picture())

        invoke(messages(notification(key)))

        assert renditions() == [f"{key}/thumbnail"]

    def test_every_variant_is_made(self, environment: pytest.MonkeyPatch) -> None:
        environment.setenv("VARIANTS", "small:width=64;wide:width=200,height=50,format=webp")
        upload("rio.jpg", picture())

        invoke(messages(notification("rio.jpg")))

        assert Image.open(rendition("rio.jpg/small")["Body"]).size == (64, 48)
        assert Image.open(rendition("rio.jpg/wide")["Body"]).size == (200, 50)
        assert rendition("rio.jpg/wide")["ContentType"] == "image/webp"
        assert {record["variant"] for record in records()} == {"small", "wide"}

    def test_it_works_without_a_table(self, environment: pytest.MonkeyPatch) -> None:
        environment.setenv("METADATA_TABLE", "")
        upload("rio.jpg", picture())

        answer = invoke(messages(notification("rio.jpg")))

        assert answer == {"batchItemFailures": []}
        assert (renditions(), records()) == (["rio.jpg/thumbnail"], [])

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (b"", "unsupported-format"),
            (b"just text, named .jpg", "unsupported-format"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported-format"),
            (picture()[:2000], "corrupt-image"),
            (b"\xff\xd8\xff" + bytes(50), "corrupt-image"),
            (b"\xff\xd8\xff" + bytes(1_000_000), "source-too-large"),
            (picture(5000, 5000, kind="GIF"), "source-too-large"),
        ],
    )
    def test_a_bad_source_is_recorded_as_failed_and_not_retried(self, body: bytes, code: str) -> None:
        upload("bad.jpg", body)

        answer = invoke(messages(notification("bad.jpg")))

        [record] = records()
        assert answer == {"batchItemFailures": []}
        assert (record["status"], record["error_code"]) == ("failed", code)
        assert record["original_file"] == "s3://uploads/bad.jpg"
        assert "processed_file" not in record
        assert renditions() == []

    def test_a_bad_source_does_not_hold_up_the_good_one_beside_it(self) -> None:
        upload("bad.jpg", b"text")
        upload("good.jpg", picture())

        answer = invoke(messages(notification("bad.jpg"), "not even JSON", notification("good.jpg")))

        assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
        assert renditions() == ["good.jpg/thumbnail"]

    def test_the_messages_of_a_batch_are_done_together(self, environment: pytest.MonkeyPatch) -> None:
        together = threading.Barrier(10, timeout=10)

        def publish(*_: object, **__: object) -> list[object]:
            together.wait()
            return []

        environment.setattr(app, "_publish", publish)

        answer = invoke(messages(*[notification(f"{number}.jpg") for number in range(10)]))

        assert answer == {"batchItemFailures": []}

    def test_a_source_that_becomes_bad_loses_its_renditions(self) -> None:
        upload("rio.jpg", picture())
        invoke(messages(notification("rio.jpg")))

        upload("rio.jpg", b"text")
        invoke(messages(notification("rio.jpg")))

        [record] = records()
        assert renditions() == []
        assert record["error_code"] == "unsupported-format"

    def test_a_deleted_source_is_withdrawn_with_its_records(self) -> None:
        upload("cats/rio.jpg", picture())
        upload("cats", picture())
        invoke(messages(notification("cats/rio.jpg", "cats")))

        boto3.client("s3").delete_object(Bucket=UPLOADS, Key="cats")
        invoke(messages(notification("cats")))

        assert renditions() == ["cats/rio.jpg/thumbnail"]
        assert [record["original_file"] for record in records()] == ["s3://uploads/cats/rio.jpg"]

    def test_with_versions_the_renditions_are_those_of_the_current_one(self) -> None:
        s3 = boto3.client("s3")
        s3.put_bucket_versioning(Bucket=UPLOADS, VersioningConfiguration={"Status": "Enabled"})
        etags, versions = [], []
        for colour in ("teal", "red"):
            put = s3.put_object(Bucket=UPLOADS, Key="rio.jpg", Body=picture(colour=colour))
            etags.append(put["ETag"].strip('"'))
            versions.append(put["VersionId"])
        marker: list[str] = []

        def kept() -> tuple[list[str], list[str]]:
            invoke(messages(notification("rio.jpg")))
            made = [rendition(key)["Metadata"]["source-etag"] for key in renditions()]
            return made, [record["source_version_id"] for record in records()]

        assert kept() == ([etags[1]], [versions[1]])
        s3.delete_object(Bucket=UPLOADS, Key="rio.jpg", VersionId=versions[0])  # a former one
        assert kept() == ([etags[1]], [versions[1]])
        s3.put_object(Bucket=UPLOADS, Key="rio.jpg", Body=picture(colour="teal"))
        marker.append(s3.delete_object(Bucket=UPLOADS, Key="rio.jpg")["VersionId"])
        assert kept() == ([], [])
        s3.delete_object(Bucket=UPLOADS, Key="rio.jpg", VersionId=marker[0])  # the marker: undeleted
        assert kept()[0] == [etags[0]]
        s3.delete_object(Bucket=UPLOADS, Key="rio.jpg")
        assert kept() == ([], [])
        again = s3.put_object(Bucket=UPLOADS, Key="rio.jpg", Body=picture(colour="red"))
        assert kept() == ([etags[1]], [again["VersionId"]])

    def test_an_ad_hoc_rendition_of_an_overwritten_source_goes(self) -> None:
        upload("rio.jpg", picture())
        post({"key": "rio.jpg", "transformation": "width=50"})

        upload("rio.jpg", picture(colour="red"))
        invoke(messages(notification("rio.jpg")))

        assert renditions() == ["rio.jpg/thumbnail"]
        assert [record["variant"] for record in records()] == ["thumbnail"]

    def test_the_test_event_of_s3_is_done(self) -> None:
        assert invoke(messages(recorded("s3-test.json"))) == {"batchItemFailures": []}

    def test_another_bucket_is_refused_and_not_retried(self, capsys: pytest.CaptureFixture[str]) -> None:
        answer = invoke(messages(notification("rio.jpg", bucket="strangers")))

        assert answer == {"batchItemFailures": []}
        assert '"forbidden-source"' in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("operation", "code", "expected"),
        [
            ("GetObject", "AccessDenied", "unavailable"),
            ("GetObject", "SlowDown", "throttled"),
            ("PutObject", "AccessDenied", "unavailable"),
            ("PutObject", "InternalError", "unavailable"),
            ("HeadObject", "503", "throttled"),
            ("ListObjectsV2", "AccessDenied", "unavailable"),
            ("BatchWriteItem", "ProvisionedThroughputExceededException", "throttled"),
            ("BatchWriteItem", "AccessDeniedException", "unavailable"),
        ],
    )
    def test_what_aws_refuses_comes_back(
        self,
        environment: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        operation: str,
        code: str,
        expected: str,
    ) -> None:
        upload("rio.jpg", picture())
        failing(environment, operation, code)

        answer = invoke(messages(notification("rio.jpg")))

        assert answer == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
        assert f'"code":"{expected}"' in capsys.readouterr().out

    def test_a_function_out_of_time_gives_back_what_it_has_not_begun(self, capsys: pytest.CaptureFixture[str]) -> None:
        upload("rio.jpg", picture())
        event = messages(notification("rio.jpg"), recorded("s3-test.json"), notification("gone.jpg"))

        answer = app.lambda_handler(event, context(seconds=8))

        assert answer == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
        assert (renditions(), records()) == ([], [])
        assert "there is no time left for this source" in capsys.readouterr().out
        assert app.lambda_handler(event, context(seconds=60)) == {"batchItemFailures": []}
        assert renditions() == ["rio.jpg/thumbnail"]

    @pytest.mark.parametrize("ends", [True, False])
    def test_a_function_out_of_time_gives_back_what_it_has_not_done(
        self, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, ends: bool
    ) -> None:
        begun, stalled, waited = threading.Event(), threading.Event(), []

        def publish(event: Any, *_: object, **__: object) -> list[object]:
            if event.key == "slow.jpg":
                begun.set()
                stalled.wait(30)
            return []

        def wait_for_the_first(outcomes: Any, timeout: float) -> None:
            if outcomes:
                waited.append(timeout)
                outcomes[0].result()
                begun.wait(30)

        environment.setattr(app, "_publish", publish)
        environment.setattr(sqs_batch, "wait", wait_for_the_first)

        answer = app.lambda_handler(messages(notification("rio.jpg"), notification("slow.jpg")), context(seconds=60))

        assert 50 < waited[0] <= 60 - app.RESERVED_SECONDS
        assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
        assert "the function ran out of time" in capsys.readouterr().out
        if ends:
            stalled.set()
            app._queue.abandoned[0].result()
            assert invoke(messages(recorded("s3-test.json"))) == {"batchItemFailures": []}
        else:  # it may hold what others wait for
            environment.setattr(sqs_batch, "wait", lambda *_, **__: None)
            environment.setattr(sqs_batch.os, "_exit", lambda code: (_ for _ in ()).throw(SystemExit(code)))
            with pytest.raises(SystemExit, match="1"):
                invoke(messages(recorded("s3-test.json")))
            assert "does not end" in capsys.readouterr().out
            stalled.set()
            app._queue.abandoned[0].result()  # it would write into the next test's output
        app._queue.abandoned.clear()

    def test_wrong_settings_keep_the_message(
        self, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        environment.setenv("VARIANTS", "thumbnail:width=0")
        environment.setenv("MAX_SOURCE_BYTES", "many")

        answer = invoke(messages(notification("rio.jpg")))

        said = capsys.readouterr().out
        assert answer == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
        assert "VARIANTS: variant thumbnail: option width" in said
        assert "MAX_SOURCE_BYTES: got 'many'" in said


@pytest.mark.usefixtures("environment")
class TestEventsSentDirectly:
    def test_an_s3_notification_is_processed(self) -> None:
        upload("a b.jpg", picture())

        assert invoke(notification("a b.jpg")) is None

        assert renditions() == ["a b.jpg/thumbnail"]

    def test_an_eventbridge_key_comes_raw(self) -> None:
        event = recorded("eventbridge-object-created.json")
        event["detail"]["object"]["key"] = "a b+c%20d.jpg"
        upload("a b+c%20d.jpg", picture())

        invoke(event)

        assert renditions() == ["a b+c%20d.jpg/thumbnail"]

    def test_the_test_event_is_done(self) -> None:
        assert invoke(recorded("s3-test.json")) is None

    def test_what_can_be_retried_is_raised_after_the_other_sources_were_processed(
        self, environment: pytest.MonkeyPatch
    ) -> None:
        upload("good.jpg", picture())
        upload("other.jpg", picture(colour="red"))
        failing(environment, "PutObject", "SlowDown", key="other.jpg")

        with pytest.raises(app.ImageProcessorError, match="S3 is busy"):
            invoke(notification("other.jpg", "good.jpg"))

        assert renditions() == ["good.jpg/thumbnail"]

    def test_an_unknown_event_is_raised(self) -> None:
        with pytest.raises(app.ImageProcessorError, match="neither of S3 nor of the API"):
            invoke({"hello": "world"})


@pytest.mark.usefixtures("environment")
class TestJobsOfS3BatchOperations:
    def task(self, key: str, bucket: str = UPLOADS) -> dict[str, Any]:
        event = recorded("s3-batch-operations.json")
        event["tasks"][0].update(s3Key=quote_plus(key, safe="/"), s3Bucket=bucket)
        return event

    def result(self, event: dict[str, Any]) -> tuple[str, str]:
        [result] = invoke(event)["results"]
        assert result["taskId"] == event["tasks"][0]["taskId"]
        return result["resultCode"], result["resultString"]

    def test_a_task_makes_the_renditions_of_its_source(self) -> None:
        upload("cats/a b+ü.jpg", picture())

        assert self.result(self.task("cats/a b+ü.jpg")) == ("Succeeded", "")
        assert renditions() == ["cats/a b+ü.jpg/thumbnail"]

    def test_a_source_that_can_not_be_rendered_fails_for_good_and_has_its_record(self) -> None:
        upload("bad.jpg", b"no picture")

        code, reason = self.result(self.task("bad.jpg"))

        assert (code, reason.split(":")[0]) == ("PermanentFailure", "unsupported-format")
        assert [record["status"] for record in records()] == ["failed"]

    def test_another_bucket_is_refused(self) -> None:
        assert self.result(self.task("rio.jpg", "another"))[0] == "PermanentFailure"

    def test_what_aws_refuses_is_tried_again_by_the_job(self, environment: pytest.MonkeyPatch) -> None:
        upload("rio.jpg", picture())
        failing(environment, "PutObject", "SlowDown")

        assert self.result(self.task("rio.jpg"))[0] == "TemporaryFailure"

    def test_a_task_leaves_its_line_and_metrics(self, capsys: pytest.CaptureFixture[str]) -> None:
        upload("rio.jpg", picture())

        invoke(self.task("rio.jpg"))

        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [line["message"] for line in lines if "message" in line] == ["published"]
        assert [line["SourcesProcessed"] for line in lines if "SourcesProcessed" in line] == [[1.0]]


@pytest.mark.usefixtures("environment")
class TestApiRequests:
    def test_a_post_answers_with_what_was_processed(self) -> None:
        upload("cats/rio ü.jpg", picture())

        status, body = post({"bucket": UPLOADS, "key": "cats/rio ü.jpg"})

        [made] = body["renditions"]
        assert status == 200
        assert body["original_file"] == "s3://uploads/cats/rio ü.jpg"
        assert made == {
            "id": records()[0]["id"],
            "processed_file": "s3://processed/cats/rio ü.jpg/thumbnail",
            "url": "https://d111111abcdef8.cloudfront.net/cats/rio%20%C3%BC.jpg/thumbnail",
            "variant": "thumbnail",
            "width": 128,
            "height": 128,
            "content_type": "image/jpeg",
            "bytes": rendition("cats/rio ü.jpg/thumbnail")["ContentLength"],
        }

    def test_the_bucket_may_be_left_out(self) -> None:
        upload("rio.jpg", picture())

        assert post({"key": "rio.jpg"})[0] == 200

    def test_a_transformation_is_made_once_under_its_canonical_text(self) -> None:
        upload("rio.jpg", picture())

        _, first = post({"key": "rio.jpg", "transformation": "format=webp, width=0300"})
        _, second = post({"key": "rio.jpg", "transformation": "width=300,format=webp,fit=cover"})

        assert renditions() == ["rio.jpg/width=300,format=webp"]
        assert first == second
        assert first["renditions"][0]["transformation"] == "width=300,format=webp"
        assert first["renditions"][0]["url"].endswith("/rio.jpg/width=300,format=webp")
        assert len(records()) == 1

    def test_only_the_named_variants_are_made(self, environment: pytest.MonkeyPatch) -> None:
        environment.setenv("VARIANTS", "small:width=64;wide:width=200")
        upload("rio.jpg", picture())

        _, body = post({"key": "rio.jpg", "variants": ["wide"]})

        assert [made["variant"] for made in body["renditions"]] == ["wide"]
        assert renditions() == ["rio.jpg/wide"]

    def test_without_a_cdn_there_is_no_url(self) -> None:
        upload("rio.jpg", picture())

        _, body = post({"key": "rio.jpg"}, stageVariables=None)

        assert body["renditions"][0]["url"] is None

    @pytest.mark.parametrize(
        ("request_body", "status", "code", "says"),
        [
            ("", 400, REQUEST, "not JSON"),
            ("{", 400, REQUEST, "not JSON"),
            ("[" * 100_000, 400, REQUEST, "not JSON"),
            ([], 400, REQUEST, "send an object"),
            ({}, 400, REQUEST, "field key"),
            ({"key": ""}, 400, REQUEST, "field key"),
            ({"key": 7}, 400, REQUEST, "got 7"),
            ({"key": "k" * 1025}, 400, REQUEST, "1024 bytes"),
            ('{"key": "\\ud800"}', 400, REQUEST, "Unicode"),
            ({"key": "rio.jpg", "colour": "red"}, 400, REQUEST, "there is no field 'colour'"),
            ({"key": "rio.jpg", "variants": []}, 400, REQUEST, "thumbnail"),
            ({"key": "rio.jpg", "variants": "thumbnail"}, 400, REQUEST, "a list of names"),
            ({"key": "rio.jpg", "variants": ["huge"]}, 400, REQUEST, "huge"),
            ({"key": "rio.jpg", "variants": ["thumbnail"], "transformation": "width=9"}, 400, REQUEST, "give one"),
            ({"key": "rio.jpg", "transformation": 5}, 400, REQUEST, "got 5"),
            ({"key": "rio.jpg", "transformation": "width=9000"}, 400, TRANSFORMATION, "got '9000', allowed: 1 to 8192"),
            ({"key": "rio.jpg", "transformation": "widht=9"}, 400, TRANSFORMATION, "no option 'widht'"),
            ({"key": "rio.jpg", "bucket": "strangers"}, 403, "forbidden-source", "strangers"),
            ({"key": "gone.jpg"}, 404, "source-not-found", "gone.jpg"),
            ({"key": "text.jpg"}, 415, "unsupported-format", "not an image"),
            ({"key": "cut.jpg"}, 422, "corrupt-image", "can't be decoded"),
            ({"key": "huge.gif"}, 413, "source-too-large", "5000×5000"),
        ],
    )  # fmt: skip
    def test_a_wrong_request_is_told_what_is_wrong(
        self, request_body: object, status: int, code: str, says: str
    ) -> None:
        upload("rio.jpg", picture())
        upload("text.jpg", b"text")
        upload("cut.jpg", picture()[:2000])
        upload("huge.gif", picture(5000, 5000, kind="GIF"))

        answered, body = post(request_body)

        assert (answered, body["error"]["code"]) == (status, code)
        assert says in body["error"]["message"]
        assert body["error"]["request_id"] == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
        assert set(body) == {"error"}

    def test_another_route_is_not_found(self) -> None:
        status, body = post({"key": "rio.jpg"}, httpMethod="GET")

        assert (status, body["error"]["code"]) == (404, "not-found")

    def test_what_aws_refuses_is_answered_503_without_aws_own_words(
        self, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        upload("rio.jpg", picture())
        failing(environment, "PutObject", "AccessDenied")

        answer = invoke(api_request({"key": "rio.jpg"}))

        assert answer["statusCode"] == 503
        assert answer["headers"]["Retry-After"] == "5"
        assert "as the test wants" not in answer["body"]
        assert "as the test wants" in capsys.readouterr().out

    def test_a_fault_of_the_program_is_answered_500_and_logged(
        self, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        environment.setattr(rest_api, "answer", lambda *_: 1 / 0)

        status, body = post({"key": "rio.jpg"})

        assert (status, body["error"]["code"]) == (500, "internal-error")
        assert "ZeroDivisionError" in capsys.readouterr().out

    @pytest.mark.parametrize("body", [{"key": "rio.jpg"}, "{"])
    def test_an_allowed_origin_may_read_the_answer_and_the_error(self, body: object) -> None:
        upload("rio.jpg", picture())

        headers = invoke(api_request(body))["headers"]

        assert headers["Access-Control-Allow-Origin"] == "https://www.example.com"
        assert headers["Vary"] == "Origin"

    def test_another_origin_may_not(self) -> None:
        headers = invoke(api_request("{", headers={"origin": "https://evil.example"}))["headers"]

        assert "Access-Control-Allow-Origin" not in headers

    def test_a_preflight_request_is_answered(self) -> None:
        answer = invoke(api_request("", httpMethod="OPTIONS"))

        assert answer["statusCode"] == 204
        assert answer["headers"]["Access-Control-Allow-Headers"] == "Content-Type,X-Api-Key"


@pytest.mark.usefixtures("environment")
class TestLogs:
    def test_a_source_leaves_one_line_and_a_metric(self, capsys: pytest.CaptureFixture[str]) -> None:
        upload("rio.jpg", picture())

        invoke(messages(notification("rio.jpg")))

        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        [line] = [line for line in lines if line.get("message") == "published"]
        assert (line["key"], line["renditions"]) == ("rio.jpg", 1)
        assert line["function_request_id"] == CONTEXT.aws_request_id
        assert line["steps_milliseconds"].keys() == {"read", "render", "put", "record", "look"}
        assert (line["bytes_in"], line["bytes_out"]) == (
            len(picture()),
            rendition("rio.jpg/thumbnail")["ContentLength"],
        )
        assert line["lag_milliseconds"] > 0  # since the recorded message was sent
        [metrics] = [line for line in lines if "_aws" in line]
        assert metrics["SourcesProcessed"] == [1.0]
        assert {"BytesIn", "BytesOut", "RenderTime", "StorageTime", "Lag"} < metrics.keys()

    def test_a_failure_is_counted_by_its_code(self, capsys: pytest.CaptureFixture[str]) -> None:
        upload("bad.jpg", b"text")

        invoke(messages(notification("bad.jpg")))

        metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
        assert [(metric["SourcesFailed"], metric["code"]) for metric in metrics] == [([1.0], "unsupported-format")]


@pytest.mark.usefixtures("environment")
class TestTheEdge:
    @pytest.fixture(autouse=True)
    def distribution(self, environment: pytest.MonkeyPatch) -> str:
        origin = {
            "Id": "o",
            "DomainName": f"{PROCESSED}.s3.amazonaws.com",
            "S3OriginConfig": {"OriginAccessIdentity": ""},
        }
        behaviour = {
            "TargetOriginId": "o",
            "ViewerProtocolPolicy": "allow-all",
            "MinTTL": 0,
            "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
        }
        made = boto3.client("cloudfront").create_distribution(
            DistributionConfig={
                "CallerReference": "one",
                "Origins": {"Quantity": 1, "Items": [origin]},
                "DefaultCacheBehavior": behaviour,
                "Comment": "",
                "Enabled": True,
            }  # type: ignore[typeddict-item]
        )
        distribution_id: str = made["Distribution"]["Id"]
        boto3.client("ssm").put_parameter(Name="/stack/distribution", Value=distribution_id, Type="String")
        environment.setenv("DISTRIBUTION_PARAMETER", "/stack/distribution")
        app.services.cache_clear()
        return distribution_id

    @staticmethod
    def invalidated(distribution_id: str) -> list[list[str]]:
        cloudfront = boto3.client("cloudfront")
        listed = cloudfront.list_invalidations(DistributionId=distribution_id)["InvalidationList"].get("Items", [])
        found = [
            cloudfront.get_invalidation(DistributionId=distribution_id, Id=item["Id"])["Invalidation"]
            for item in listed
        ]
        return [sorted(one["InvalidationBatch"]["Paths"]["Items"]) for one in found]

    def test_it_is_told_once_of_all_that_a_batch_replaced(self, distribution: str) -> None:
        keys = ("a.jpg", "b.jpg", "c.jpg")
        for colour, changed in (("teal", keys), ("red", keys[:2])):
            for key in changed:
                upload(key, picture(colour=colour))
            invoke(messages(*map(notification, keys)))

        assert self.invalidated(distribution) == [["/a.jpg", "/a.jpg/*", "/b.jpg", "/b.jpg/*"]]

    def test_a_message_that_comes_again_tells_it(self, distribution: str) -> None:
        upload("rio.jpg", picture())
        event = messages(notification("rio.jpg"))
        event["Records"][0]["attributes"] = {**event["Records"][0]["attributes"], "ApproximateReceiveCount": "2"}

        invoke(event)

        assert self.invalidated(distribution) == [["/rio.jpg", "/rio.jpg/*"]]

    def test_its_refusal_holds_up_nothing(
        self, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        failing(environment, "CreateInvalidation", "TooManyInvalidationsInProgress")
        for colour in ("teal", "red"):
            upload("rio.jpg", picture(colour=colour))
            assert invoke(messages(notification("rio.jpg"))) == {"batchItemFailures": []}

        metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"InvalidationsFailed"' in line]
        assert [metric["code"] for metric in metrics] == ["throttled"]


@pytest.mark.usefixtures("environment")
class TestTheFunctionUrl:
    @pytest.fixture(autouse=True)
    def key(self, environment: pytest.MonkeyPatch) -> str:
        secret = boto3.client("secretsmanager").create_secret(Name="signing", SecretString="s" * 64)
        environment.setenv("SIGNING_SECRET", secret["ARN"])
        app.services.cache_clear()
        return "s" * 64

    @staticmethod
    def get(path: str, written: str = "") -> dict[str, Any]:
        event = recorded("function-url.json")
        event["rawPath"] = event["requestContext"]["http"]["path"] = path
        event["headers"]["x-image-request"] = written or path
        return invoke(event)

    def test_a_signed_picture_is_made_and_answered(self, key: str) -> None:
        upload("cats/rio.jpg", picture())
        signature = sign(key, "/cats/rio.jpg", {"width": "40", "format": "auto"})

        reply = self.get("/cats/rio.jpg/width=40,format=webp", f"/cats/rio.jpg?width=40&format=auto&sig={signature}")

        assert (reply["statusCode"], reply["headers"]["Content-Type"]) == (200, "image/webp")
        assert Image.open(io.BytesIO(b64decode(reply["body"]))).size == (40, 30)
        stored = boto3.client("s3").get_object(Bucket=PROCESSED, Key="cats/rio.jpg/width=40,format=webp")
        assert stored["Body"].read() == b64decode(reply["body"])
        assert stored["ContentDisposition"] == 'inline; filename="rio-40x30.webp"'

    def test_an_unsigned_one_is_refused_and_recorded_nowhere(self) -> None:
        upload("cats/rio.jpg", picture())

        reply = self.get("/cats/rio.jpg/width=40")

        assert reply["statusCode"] == 403
        assert json.loads(b64decode(reply["body"]))["error"]["code"] == "bad-signature"
        assert "Contents" not in boto3.client("s3").list_objects_v2(Bucket=PROCESSED)

    def test_one_line_tells_what_was_made(self, capsys: pytest.CaptureFixture[str]) -> None:
        upload("cats/rio.jpg", picture())
        for _ in range(2):
            assert self.get("/cats/rio.jpg/thumbnail")["statusCode"] == 200

        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        told = [(line["message"], line["path"], line["status"]) for line in lines if "message" in line]
        assert told == [
            ("rendered", "/cats/rio.jpg/thumbnail", 200),
            ("answered", "/cats/rio.jpg/thumbnail", 200),
        ]
        [metrics] = [line for line in lines if "_aws" in line]
        assert metrics["Renditions"] == [1.0]

    def test_an_outage_is_an_answer_and_a_fault(
        self, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        failing(environment, "GetObject", "SlowDown")

        reply = self.get("/cats/rio.jpg/thumbnail")

        assert (reply["statusCode"], reply["headers"]["Retry-After"]) == (503, "5")
        assert any('"Faults"' in line for line in capsys.readouterr().out.splitlines())

    def test_wrong_settings_are_told(self, environment: pytest.MonkeyPatch) -> None:
        environment.setenv("VARIANTS", "thumbnail:width=0")
        app.services.cache_clear()

        reply = self.get("/cats/rio.jpg/thumbnail")

        assert reply["statusCode"] == 500
        assert json.loads(b64decode(reply["body"]))["error"]["code"] == "invalid-settings"
