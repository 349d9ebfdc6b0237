"""Retries of the AWS clients: attempts, delays, and the errors that remain. botocore runs without a socket."""

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


class RawBody(io.BytesIO):
    """The body of a response, in the interface of urllib3."""

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self.read()


class FakeNetwork:
    """Replaces the network of a client: each attempt gets the next of the prepared responses, or raises it."""

    def __init__(self) -> None:
        self.responses: list[AWSResponse | Exception] = []
        self.attempts: list[Any] = []
        self.delays: list[float] = []

    def client(self, service: str) -> Any:
        client = boto3.client(service, "us-east-1", config=CONFIG)
        client.meta.events.register(f"before-send.{service}", self._send)
        return client

    def _send(self, request: Any, **_: Any) -> AWSResponse:
        self.attempts.append(request)
        response = self.responses.pop(0)
        if isinstance(response, Exception):
            raise response
        return response


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> FakeNetwork:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    network = FakeNetwork()
    monkeypatch.setattr(botocore.endpoint.time, "sleep", network.delays.append)
    return network


def http_response(status: int, body: bytes = b"", **headers: str) -> AWSResponse:
    with_dashes = {name.replace("_", "-"): value for name, value in headers.items()}
    return AWSResponse("https://aws.example", status, {"Content-Length": str(len(body)), **with_dashes}, RawBody(body))


def s3_error(status: int, code: str) -> Callable[[], AWSResponse]:
    return lambda: http_response(status, f"<Error><Code>{code}</Code><Message>inner</Message></Error>".encode())


def dynamodb_error(status: int, code: str) -> Callable[[], AWSResponse]:
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "inner"}).encode()
    return lambda: http_response(status, body, Content_Type="application/x-amz-json-1.0")


def connection_error(error: type[Exception]) -> Callable[[], Exception]:
    return lambda: error(endpoint_url="https://s3.inner.example", error="inner")


SOURCE_HEADERS = {"ETag": '"etag"', "Last_Modified": "Fri, 02 Jan 2026 03:04:05 GMT"}
TRANSIENT = [
    (s3_error(503, "SlowDown"), Throttled),
    (s3_error(503, "ServiceUnavailable"), Unavailable),
    (s3_error(500, "InternalError"), Unavailable),
    (s3_error(400, "RequestTimeout"), Unavailable),
    (lambda: http_response(502, b"<html>"), Unavailable),
    (connection_error(ReadTimeoutError), Unavailable),
    (connection_error(ConnectTimeoutError), Unavailable),
    (connection_error(EndpointConnectionError), Unavailable),
    (connection_error(ConnectionClosedError), Unavailable),
]
PERMANENT = [
    (s3_error(403, "AccessDenied"), Unavailable),
    (s3_error(404, "NoSuchBucket"), Unavailable),
]


@pytest.mark.parametrize(("fault", "_"), TRANSIENT)
def test_a_call_succeeds_after_two_transient_faults(network, fault, _):
    network.responses = [fault(), fault(), http_response(200, b"12345", **SOURCE_HEADERS)]

    source = SourceBucket(network.client("s3"), "uploads").get("rio.jpg")

    assert source.body.read() == b"12345"
    assert len(network.attempts) == 3
    assert all(0 <= delay <= longest for delay, longest in zip(network.delays, (1, 2), strict=True))


def test_an_archived_source_has_all_attributes_and_a_body_that_raises(network):
    network.responses = [
        s3_error(403, "InvalidObjectState")(),
        http_response(200, Content_Length="5", **SOURCE_HEADERS),
    ]

    source = SourceBucket(network.client("s3"), "uploads").get("rio.jpg")

    assert [request.method for request in network.attempts] == ["GET", "HEAD"]
    assert source.etag == SOURCE_HEADERS["ETag"].strip('"')
    with pytest.raises(SourceArchived):
        source.body.read()
    source.body.close()


@pytest.mark.parametrize(("fault", "error"), TRANSIENT)
def test_a_transient_fault_is_raised_after_three_attempts(network, fault, error):
    network.responses = [fault(), fault(), fault()]

    with pytest.raises(error):
        SourceBucket(network.client("s3"), "uploads").get("rio.jpg")

    assert not network.responses


@pytest.mark.parametrize(("fault", "error"), PERMANENT)
def test_a_permanent_fault_is_raised_without_a_retry(network, fault, error):
    network.responses = [fault()]

    with pytest.raises(error):
        SourceBucket(network.client("s3"), "uploads").get("rio.jpg")

    assert network.delays == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (dynamodb_error(400, "ProvisionedThroughputExceededException"), Throttled),
        (dynamodb_error(400, "ThrottlingException"), Throttled),
        (dynamodb_error(400, "RequestLimitExceeded"), Throttled),
        (dynamodb_error(500, "InternalServerError"), Unavailable),
        (connection_error(ReadTimeoutError), Unavailable),
    ],
)
def test_a_dynamodb_call_is_attempted_three_times(network, fault, error):
    table = MetadataTable(network.client("dynamodb"), "records")
    network.responses = [fault(), fault(), http_response(200, b"{}"), fault(), fault(), fault()]

    table.delete("id")
    with pytest.raises(error):
        table.delete("id")

    assert len(network.attempts) == 6


def test_a_record_that_was_replaced_is_not_deleted(network):
    network.responses = [dynamodb_error(400, "ConditionalCheckFailedException")()]

    MetadataTable(network.client("dynamodb"), "records").delete("id", source_etag="etag")

    request = json.loads(network.attempts[0].body)
    assert request["ConditionExpression"] == "source_etag = :source_etag"
    assert request["ExpressionAttributeValues"] == {":source_etag": {"S": "etag"}}


@pytest.mark.parametrize(
    "change",
    [s3_error(412, "PreconditionFailed"), s3_error(404, "NoSuchKey"), s3_error(409, "ConditionalRequestConflict")],
)
def test_a_rendition_that_was_replaced_is_not_deleted(network, change):
    network.responses = [change()]

    RenditionBucket(network.client("s3"), "processed", "").delete("rio.jpg/thumbnail", "etag")

    assert network.attempts[0].headers["If-Match"] == b'"etag"'


def test_retries_stop_when_most_calls_fail(network):
    bucket = SourceBucket(network.client("s3"), "uploads")
    network.responses = [s3_error(500, "InternalError")() for _ in range(300)]

    for _ in range(100):
        with pytest.raises(Unavailable):
            bucket.etag("rio.jpg")

    assert len(network.attempts) == 100 + 100  # the client has 500 retry tokens, and a retry takes five


def test_two_stalled_calls_fit_into_the_function_timeout():
    attempts = CONFIG.retries["total_max_attempts"]
    stalled = attempts * (CONFIG.connect_timeout + CONFIG.read_timeout)
    delays = sum(2**attempt for attempt in range(attempts - 1))  # at most, because botocore waits a random part of each

    assert stalled + delays == 24
    assert 2 * (stalled + delays) < FUNCTION_TIMEOUT - app.RESERVED_SECONDS
