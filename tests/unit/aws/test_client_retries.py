"""AWS's own client under faults, without a socket: how often it tries, how long it waits, what comes out."""

import io
import json
from collections.abc import Callable
from typing import Any

import boto3
import botocore.endpoint
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from image_processor import app
from image_processor.aws.clients import CONFIG
from image_processor.aws.dynamodb import MetadataTable
from image_processor.aws.s3 import RenditionBucket, SourceBucket
from image_processor.errors import SourceArchived, Throttled, Unavailable

FUNCTION_TIMEOUT = 60  # seconds; `Timeout` in templates/main.yaml


class Raw(io.BytesIO):
    """A body as urllib3 gives it."""

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self.read()


class Wire:
    """Answers each attempt of a client with the next of what a test has laid down."""

    def __init__(self) -> None:
        self.answers: list[AWSResponse | Exception] = []
        self.attempts: list[Any] = []
        self.waits: list[float] = []

    def client(self, service: str) -> Any:
        client = boto3.client(service, "us-east-1", config=CONFIG)
        client.meta.events.register(f"before-send.{service}", self._send)
        return client

    def _send(self, request: Any, **_: Any) -> AWSResponse:
        self.attempts.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    wire = Wire()
    monkeypatch.setattr(botocore.endpoint.time, "sleep", wire.waits.append)
    return wire


def answer(status: int, body: bytes = b"", **headers: str) -> AWSResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return AWSResponse("https://aws.example", status, {"Content-Length": str(len(body)), **named}, Raw(body))


def s3_error(status: int, code: str) -> Callable[[], AWSResponse]:
    return lambda: answer(status, f"<Error><Code>{code}</Code><Message>inner</Message></Error>".encode())


def table_error(status: int, code: str) -> Callable[[], AWSResponse]:
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "inner"}).encode()
    return lambda: answer(status, body, Content_Type="application/x-amz-json-1.0")


def raising(error: type[Exception]) -> Callable[[], Exception]:
    return lambda: error(endpoint_url="https://s3.inner.example", error="inner")


GOOD = {"ETag": '"etag"', "Last_Modified": "Fri, 02 Jan 2026 03:04:05 GMT"}
PASSING = [
    (s3_error(503, "SlowDown"), Throttled),
    (s3_error(503, "ServiceUnavailable"), Unavailable),
    (s3_error(500, "InternalError"), Unavailable),
    (s3_error(400, "RequestTimeout"), Unavailable),
    (lambda: answer(502, b"<html>"), Unavailable),
    (raising(ReadTimeoutError), Unavailable),
    (raising(ConnectTimeoutError), Unavailable),
    (raising(EndpointConnectionError), Unavailable),
    (raising(ConnectionClosedError), Unavailable),
]
LASTING = [
    (s3_error(403, "AccessDenied"), Unavailable),
    (s3_error(404, "NoSuchBucket"), Unavailable),
]


@pytest.mark.parametrize(("fault", "_"), PASSING)
def test_a_fault_that_passes_is_not_noticed(wire, fault, _):
    wire.answers = [fault(), fault(), answer(200, b"12345", **GOOD)]

    source = SourceBucket(wire.client("s3"), "uploads").get("rio.jpg")

    assert source.body.read() == b"12345"
    assert len(wire.attempts) == 3
    assert all(0 <= wait <= most for wait, most in zip(wire.waits, (1, 2), strict=True))


def test_a_source_in_an_archive_is_told_by_the_answer_s_code_and_known_but_for_its_body(wire):
    wire.answers = [s3_error(403, "InvalidObjectState")(), answer(200, Content_Length="5", **GOOD)]

    source = SourceBucket(wire.client("s3"), "uploads").get("rio.jpg")

    assert [request.method for request in wire.attempts] == ["GET", "HEAD"]
    assert source.etag == GOOD["ETag"].strip('"')
    with pytest.raises(SourceArchived):
        source.body.read()
    source.body.close()


@pytest.mark.parametrize(("fault", "error"), PASSING)
def test_a_fault_that_stays_is_told_after_three_attempts(wire, fault, error):
    wire.answers = [fault(), fault(), fault()]

    with pytest.raises(error):
        SourceBucket(wire.client("s3"), "uploads").get("rio.jpg")

    assert not wire.answers


@pytest.mark.parametrize(("fault", "error"), LASTING)
def test_a_fault_that_would_stay_is_told_at_once(wire, fault, error):
    wire.answers = [fault()]

    with pytest.raises(error):
        SourceBucket(wire.client("s3"), "uploads").get("rio.jpg")

    assert wire.waits == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (table_error(400, "ProvisionedThroughputExceededException"), Throttled),
        (table_error(400, "ThrottlingException"), Throttled),
        (table_error(400, "RequestLimitExceeded"), Throttled),
        (table_error(500, "InternalServerError"), Unavailable),
        (raising(ReadTimeoutError), Unavailable),
    ],
)
def test_the_table_is_tried_as_often(wire, fault, error):
    table = MetadataTable(wire.client("dynamodb"), "records")
    wire.answers = [fault(), fault(), answer(200, b"{}"), fault(), fault(), fault()]

    table.delete("id")
    with pytest.raises(error):
        table.delete("id")

    assert len(wire.attempts) == 6


def test_a_record_that_is_another_by_now_is_left(wire):
    wire.answers = [table_error(400, "ConditionalCheckFailedException")()]

    MetadataTable(wire.client("dynamodb"), "records").delete("id", source_etag="etag")

    asked = json.loads(wire.attempts[0].body)
    assert asked["ConditionExpression"] == "source_etag = :source_etag"
    assert asked["ExpressionAttributeValues"] == {":source_etag": {"S": "etag"}}


@pytest.mark.parametrize(
    "change",
    [s3_error(412, "PreconditionFailed"), s3_error(404, "NoSuchKey"), s3_error(409, "ConditionalRequestConflict")],
)
def test_a_rendition_that_is_another_by_now_is_left(wire, change):
    wire.answers = [change()]

    RenditionBucket(wire.client("s3"), "processed", "").delete("rio.jpg/thumbnail", "etag")

    assert wire.attempts[0].headers["If-Match"] == b'"etag"'


def test_an_outage_is_not_answered_with_three_times_the_load(wire):
    bucket = SourceBucket(wire.client("s3"), "uploads")
    wire.answers = [s3_error(500, "InternalError")() for _ in range(300)]

    for _ in range(100):
        with pytest.raises(Unavailable):
            bucket.etag("rio.jpg")

    assert len(wire.attempts) == 100 + 100  # the client has 500 tokens, and a second attempt takes five of them


def test_two_calls_may_stall_to_the_last_before_the_function_is_out_of_time():
    attempts = CONFIG.retries["total_max_attempts"]
    stalled = attempts * (CONFIG.connect_timeout + CONFIG.read_timeout)
    waits = sum(2**attempt for attempt in range(attempts - 1))  # at most; botocore takes a random part of each

    assert stalled + waits == 24
    assert 2 * (stalled + waits) < FUNCTION_TIMEOUT - app.RESERVED_SECONDS
