"""The metadata table: batches of writes, items that DynamoDB leaves unprocessed, and pages of results."""

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
def delays(monkeypatch) -> list[float]:
    """The delays between attempts, in seconds; nothing sleeps."""
    seconds: list[float] = []
    monkeypatch.setattr(dynamodb.time, "sleep", seconds.append)
    return seconds


@pytest.mark.parametrize("count", [0, 1, 25, 26, 60])
def test_records_are_written_in_batches_of_at_most_25(table, delays, count):
    MetadataTable(table, TABLE).put([record(number) for number in range(count)])

    assert len(table.items) == count
    assert table.count("batch_write_item") == -(-count // 25)
    assert delays == []


def test_unprocessed_records_are_written_again_after_increasing_delays(table, delays):
    table.partial_writes = 3

    MetadataTable(table, TABLE).put([record(number) for number in range(30)])

    assert len(table.items) == 30
    assert delays == sorted(delays)
    assert len(delays) == 3


def test_records_that_remain_unprocessed_raise_throttled(table, delays):
    table.partial_writes = 1000

    with pytest.raises(Throttled, match="DynamoDB is busy; try again later"):
        MetadataTable(table, TABLE).put([record(number) for number in range(25)])

    assert sum(delays) < 5


def test_the_records_of_a_source_are_read_from_every_page(table):
    records = MetadataTable(table, TABLE)
    records.put([record(number) for number in range(7)])

    assert sorted((stored.id, stored.name) for stored in records.of("s3://uploads/a")) == [
        (f"id-{number}", f"v{number}") for number in range(7)
    ]
    assert records.of("s3://uploads/b") == []
