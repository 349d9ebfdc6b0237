"""The metadata table: batches of writes, requests that DynamoDB leaves unprocessed, and pages of results."""

import pytest

from image_processor.aws import dynamodb
from image_processor.aws.dynamodb import MetadataTable
from image_processor.errors import Throttled
from image_processor.publishing.model import Record

from ..fakes import TABLE


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


@pytest.mark.parametrize("count", [0, 1, 25, 26, 60])
def test_records_are_written_in_batches_that_dynamodb_takes(table, waits, count):
    MetadataTable(table, TABLE).put([record(number) for number in range(count)])

    assert len(table.items) == count
    assert table.count("batch_write_item") == -(-count // 25)
    assert waits == []


def test_what_dynamodb_left_over_is_written_again_after_longer_and_longer_waits(table, waits):
    table.partial_writes = 3

    MetadataTable(table, TABLE).put([record(number) for number in range(30)])

    assert len(table.items) == 30
    assert waits == sorted(waits)
    assert len(waits) == 3


def test_a_table_that_never_takes_all_is_throttled(table, waits):
    table.partial_writes = 1000

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
