"""Records: what they say of a rendition that is stored, and of one that failed."""

import io
from dataclasses import asdict
from datetime import UTC, datetime, timedelta, timezone

import pytest

from image_processor import __version__
from image_processor.engine import Limits, Rendition
from image_processor.errors import CorruptImage
from image_processor.publishing import records as records_module
from image_processor.publishing.model import Source
from image_processor.publishing.names import record_id
from image_processor.publishing.records import RecordFactory

KEY = "cats/rio.jpg"
MODIFIED_AT = datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC)
RENDITION = Rendition(b"12345", "image/png", 16, 12, 40, 30)
ABOUT_THE_FILE = ("processed_file", "width", "height", "content_type", "bytes", "source_width", "source_height")


class FixedClock:
    """Replaces `datetime`: the time is always the same."""

    @staticmethod
    def now(zone: timezone) -> datetime:
        return datetime(2026, 1, 2, 3, 4, 6, 7, tzinfo=zone)


def source(modified_at: datetime = MODIFIED_AT) -> Source:
    return Source(KEY, "etag", "version-1", 1000, modified_at, io.BytesIO())


@pytest.fixture
def factory() -> RecordFactory:
    return RecordFactory("uploads", "processed", {"thumbnail"}, Limits())


def test_the_record_of_a_stored_rendition_has_its_file_its_sizes_and_its_source(factory, monkeypatch):
    monkeypatch.setattr(records_module, "datetime", FixedClock)

    record = factory.processed(source(), "thumbnail", RENDITION)

    assert {name: value for name, value in asdict(record).items() if value is not None} == {
        "id": record_id("uploads", KEY, "thumbnail"),
        "original_file": "s3://uploads/cats/rio.jpg",
        "source_etag": "etag",
        "source_version_id": "version-1",
        "uploaded_at": "2026-01-02T03:04:05.678Z",
        "processed_at": "2026-01-02T03:04:06.000007Z",
        "status": "processed",
        "variant": "thumbnail",
        "processed_file": "s3://processed/cats/rio.jpg/thumbnail",
        "width": 16,
        "height": 12,
        "content_type": "image/png",
        "bytes": 5,
        "source_width": 40,
        "source_height": 30,
    }


def test_the_record_of_an_ad_hoc_rendition_names_its_transformation(factory):
    record = factory.processed(source(), "width=16", RENDITION)

    assert (record.variant, record.transformation) == (None, "width=16")
    assert record.processed_file == "s3://processed/cats/rio.jpg/width=16"


def test_the_record_of_a_failure_has_the_error_and_no_file(factory):
    record = factory.failed(source(), "thumbnail", CorruptImage("the source ends early"), "source")

    assert (record.status, record.error_code, record.error_message) == (
        "failed", "corrupt-image", "the source ends early",
    )  # fmt: skip
    assert record.error_scope == "source"
    assert record.error_limits == f"{__version__}: 52428800 bytes, 80000000 pixels, 1769 MB of memory"
    assert (record.id, record.source_etag) == (record_id("uploads", KEY, "thumbnail"), "etag")
    assert [getattr(record, name) for name in ABOUT_THE_FILE] == [None] * len(ABOUT_THE_FILE)


def test_times_are_written_in_utc(factory):
    in_tokyo = MODIFIED_AT.astimezone(timezone(timedelta(hours=9)))

    assert factory.processed(source(in_tokyo), "thumbnail", RENDITION).uploaded_at == "2026-01-02T03:04:05.678Z"
