"""AWS's failures come out as this project's own errors, without AWS's words."""

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, IncompleteReadError, ReadTimeoutError

from image_processor.aws import dynamodb
from image_processor.aws.clients import speaking_to
from image_processor.aws.dynamodb import MetadataTable
from image_processor.aws.s3 import RenditionBucket, SourceBucket
from image_processor.errors import Throttled, Unavailable
from image_processor.publishing.model import Record

from ..fakes import PROCESSED, TABLE, UPLOADS, refusal


def record(number: int) -> Record:
    return Record(
        id=f"id-{number}",
        original_file="s3://uploads/a",
        source_etag="etag",
        source_version_id=None,
        uploaded_at="2026-01-02T03:04:05.678Z",
        processed_at="2026-01-02T03:04:06.678Z",
        status="processed",
        variant=f"v{number}",
        width=number,
    )


@pytest.fixture
def waits(monkeypatch) -> list[float]:
    """The seconds that would have been slept."""
    seconds: list[float] = []
    monkeypatch.setattr(dynamodb.time, "sleep", seconds.append)
    return seconds


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        *((refusal(code), Throttled) for code in (
            "SlowDown", "503", "429", "ThrottlingException", "Throttling", "ProvisionedThroughputExceededException",
            "RequestLimitExceeded", "TooManyRequestsException",
        )),
        *((refusal(code), Unavailable) for code in ("AccessDenied", "403", "InternalError", "500", "NoSuchBucket", "")),
        (EndpointConnectionError(endpoint_url="https://s3.inner.example"), Unavailable),
        (ConnectTimeoutError(endpoint_url="https://s3.inner.example"), Unavailable),
        (ReadTimeoutError(endpoint_url="https://s3.inner.example"), Unavailable),
        (IncompleteReadError(actual_bytes=1, expected_bytes=2), Unavailable),
    ],
)  # fmt: skip
def test_a_failure_is_throttled_or_unavailable(failure, error):
    with pytest.raises(error) as caught, speaking_to("S3"):
        raise failure

    assert caught.value.__cause__ is failure
    assert str(caught.value).startswith("S3 ")
    assert str(caught.value).endswith("; try again later")
    assert not {"arn:", "inner", "AccessDenied"} & set(str(caught.value).replace("/", " ").split())


def test_a_fault_of_this_program_is_not_taken_for_aws_s():
    with pytest.raises(KeyError), speaking_to("S3"):
        raise KeyError("x")


def test_a_source_that_is_missing_is_none(s3):
    bucket = SourceBucket(s3, UPLOADS)

    assert bucket.get("nope") is None
    assert bucket.etag("nope") is None
    assert RenditionBucket(s3, PROCESSED, "").find("nope") is None


def test_a_source_that_must_not_be_read_is_not_taken_for_missing(s3):
    bucket = SourceBucket(s3, UPLOADS)
    for operation in ("get_object", "head_upload"):
        s3.fail(operation, 1, refusal("AccessDenied" if operation == "get_object" else "403"))

    with pytest.raises(Unavailable):
        bucket.get("a")
    with pytest.raises(Unavailable):
        bucket.etag("a")


def test_a_body_that_breaks_off_is_unavailable(s3):
    s3.upload("a", b"12345")
    source = SourceBucket(s3, UPLOADS).get("a")
    s3.fail("read", 1, IncompleteReadError(actual_bytes=1, expected_bytes=5))

    with pytest.raises(Unavailable):
        source.body.read()


def test_a_rendition_of_unknown_origin_has_no_source_etag(s3):
    s3.put_object(Bucket=PROCESSED, Key="a/b", Body=b"", Metadata={}, ContentType="", CacheControl="")

    assert RenditionBucket(s3, PROCESSED, "").find("a/b").source_etag is None


@pytest.mark.parametrize("count", [0, 1, 25, 26, 60])
def test_records_are_written_in_batches_that_dynamodb_takes(table, waits, count):
    MetadataTable(table, TABLE).put([record(number) for number in range(count)])

    assert len(table.items) == count
    assert table.count("batch_write_item") == -(-count // 25)
    assert waits == []


def test_what_dynamodb_left_over_is_written_again_after_longer_and_longer_waits(table, waits):
    table.unprocessed = 3

    MetadataTable(table, TABLE).put([record(number) for number in range(30)])

    assert len(table.items) == 30
    assert waits == sorted(waits)
    assert len(waits) == 3


def test_a_table_that_never_takes_all_is_throttled(table, waits):
    table.unprocessed = 1000

    with pytest.raises(Throttled, match="DynamoDB is busy; try again later"):
        MetadataTable(table, TABLE).put([record(number) for number in range(25)])

    assert sum(waits) < 5


def test_the_ids_of_a_source_are_found_page_by_page(table):
    records = MetadataTable(table, TABLE)
    records.put([record(number) for number in range(7)])

    assert sorted((kept.id, kept.name) for kept in records.of("s3://uploads/a")) == [
        (f"id-{number}", f"v{number}") for number in range(7)
    ]
    assert records.of("s3://uploads/b") == []
