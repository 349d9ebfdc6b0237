"""A source that can't be rendered: what is deleted, what the records say, and which errors are retried."""

import pytest
from PIL import Image

from image_processor.engine.limits import Limits
from image_processor.errors import (
    CorruptImage,
    InvalidRequest,
    InvalidTransformation,
    SourceArchived,
    SourceTooLarge,
    Throttled,
    Unavailable,
    UnsupportedFormat,
)
from image_processor.transformations.transformation import Transformation
from image_processor.urls.paths import rendition_path

from ..fakes import client_error
from ..pictures import encode

KEY = "cats/rio.jpg"
RED = encode(Image.new("RGB", (40, 30), "red"), "png")
CORRUPT = RED[:60]
AD_HOC = {"width=4": Transformation(width=4)}


@pytest.mark.parametrize("index_is_behind", [True, False])
def test_the_records_of_a_failed_source_are_deleted_with_it(pipeline, s3, table, index_is_behind):
    s3.upload(KEY, CORRUPT)
    with pytest.raises(CorruptImage):
        pipeline.publish(KEY)
    assert len(table.items) == 2
    s3.delete(KEY)
    table.index_is_behind = index_is_behind

    pipeline.publish(KEY)

    assert not table.items


@pytest.mark.parametrize(
    ("body", "error", "code"),
    [
        (CORRUPT, CorruptImage, "corrupt-image"),
        (b"", UnsupportedFormat, "unsupported-format"),
        (b"a text", UnsupportedFormat, "unsupported-format"),
        (RED + bytes(2000), SourceTooLarge, "source-too-large"),
    ],
)
def test_a_new_version_that_fails_deletes_the_renditions_and_records_the_error(
    new_pipeline, s3, table, body, error, code
):
    pipeline = new_pipeline(limits=Limits(max_bytes=1500))
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    pipeline.render_on_demand(KEY, AD_HOC)
    etag = s3.upload(KEY, body)

    with pytest.raises(error) as caught:
        pipeline.publish(KEY)

    assert s3.renditions() == {}
    assert set(table.records()) == {f"s3://uploads/{KEY}/thumbnail", f"s3://uploads/{KEY}/wide"}
    for record in table.records().values():
        assert (record["status"], record["error_code"], record["error_message"]) == ("failed", code, str(caught.value))
        assert record["source_etag"] == etag
        assert not {"processed_file", "width", "height", "content_type", "bytes", "transformation"} & set(record)
    assert not s3.open_bodies


def test_a_source_with_too_many_bytes_is_not_read(new_pipeline, s3):
    s3.upload(KEY, RED)

    with pytest.raises(SourceTooLarge):
        new_pipeline(limits=Limits(max_bytes=10)).publish(KEY)

    assert s3.count("read") == 0
    assert not s3.open_bodies


def test_an_archived_new_version_deletes_the_renditions_and_records_the_error(pipeline, s3, table):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    etag = s3.upload(KEY, encode(Image.new("RGB", (40, 30), "blue"), "png"))
    s3.archive(KEY)

    with pytest.raises(SourceArchived, match=r"^'cats/rio.jpg' is in an archive of S3"):
        pipeline.publish(KEY)

    assert s3.renditions() == {}
    for record in table.records().values():
        assert (record["status"], record["error_code"], record["source_etag"]) == ("failed", "source-archived", etag)


def test_archiving_a_published_source_deletes_neither_renditions_nor_records(new_pipeline, s3, table):
    etag = s3.upload(KEY, RED)
    new_pipeline("thumbnail:width=8").publish(KEY)
    s3.archive(KEY)

    with pytest.raises(SourceArchived):
        new_pipeline("thumbnail:width=8;wide:width=16").publish(KEY)

    assert s3.renditions() == {f"{KEY}/thumbnail": etag}
    assert {record["variant"]: record["status"] for record in table.records().values()} == {
        "thumbnail": "processed", "wide": "failed",
    }  # fmt: skip


def test_an_archived_source_that_is_deleted_meanwhile_is_withdrawn(pipeline, s3, table):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    s3.archive(KEY)
    s3.before("head_upload", 1, lambda: s3.delete(KEY))

    assert pipeline.publish(KEY) == []

    assert not s3.renditions()
    assert not table.items


def test_the_records_of_a_fixed_source_say_processed_again(pipeline, s3, table):
    s3.upload(KEY, CORRUPT)
    with pytest.raises(CorruptImage):
        pipeline.publish(KEY)
    s3.upload(KEY, RED)

    pipeline.publish(KEY)

    assert {record["status"] for record in table.records().values()} == {"processed"}
    assert not any("error_code" in record for record in table.records().values())


def test_a_variant_that_fails_does_not_affect_the_other_variants(new_pipeline, s3, table):
    pipeline = new_pipeline("small:width=8;corner:crop=90_90_5_5;marked:width=9,watermark=logo.png;large:width=16")
    s3.upload(KEY, RED)

    with pytest.raises(
        InvalidTransformation, match=r"^variant corner: option crop: 90_90_5_5 is outside the source, which is 40×30"
    ):
        pipeline.publish(KEY)

    assert set(s3.renditions()) == {f"{KEY}/small", f"{KEY}/large"}
    records = {record["variant"]: record for record in table.records().values()}
    assert {name: record["status"] for name, record in records.items()} == {
        "small": "processed", "large": "processed", "corner": "failed", "marked": "failed",
    }  # fmt: skip
    assert records["corner"]["error_code"] == "invalid-transformation"
    assert records["marked"]["error_message"] == "there is no watermark 'logo.png' in the upload bucket"


def test_a_variant_that_fails_for_a_new_version_loses_its_stale_rendition(new_pipeline, s3):
    pipeline = new_pipeline("small:width=8;corner:crop=30_20_5_5")
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    s3.upload(KEY, encode(Image.new("RGB", (20, 20), "blue"), "png"))

    with pytest.raises(InvalidTransformation):
        pipeline.publish(KEY)

    assert set(s3.renditions()) == {f"{KEY}/small"}


def test_a_failure_on_demand_writes_no_record_for_an_ad_hoc_rendition(pipeline, s3, table):
    s3.upload(KEY, CORRUPT)

    with pytest.raises(CorruptImage):
        pipeline.render_on_demand(KEY, AD_HOC)

    assert not table.items


def test_a_key_too_long_for_a_variant_fails_with_the_longest_allowed_key_and_the_other_variant_is_rendered(
    pipeline, s3, table
):
    key = "é" * 169 + "a"  # 1015 bytes in a path: room for /wide, not for /thumbnail
    s3.upload(key, RED)

    with pytest.raises(InvalidRequest, match=r"1015 bytes in .*, allowed: 1014, since /thumbnail is added to it"):
        pipeline.publish(key)

    assert list(s3.renditions()) == [rendition_path(key, "wide")]
    failures = {record["variant"]: record.get("error_scope") for record in table.records().values()}
    assert failures == {"thumbnail": "rendition", "wide": None}
    assert len(pipeline.render_on_demand(key, {"w=1": Transformation(width=1)})) == 1


@pytest.mark.parametrize("body", [CORRUPT, b"a text"])
def test_the_download_of_a_failing_source_is_closed(pipeline, s3, body):
    s3.upload(KEY, body)

    with pytest.raises((CorruptImage, UnsupportedFormat)):
        pipeline.publish(KEY)

    assert not s3.open_bodies


def test_the_download_of_a_source_with_too_long_a_key_is_closed(pipeline, s3):
    s3.upload("k" * 1024, RED)

    with pytest.raises(InvalidRequest):
        pipeline.publish("k" * 1024)

    assert not s3.open_bodies


def test_a_key_of_the_longest_allowed_length_is_published(pipeline, s3):
    key = "é" * 169

    s3.upload(key, RED)

    assert len(pipeline.publish(key)) == 2


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("s3", "get_object"),
        ("s3", "read"),
        ("s3", "put_object"),
        ("s3", "list_objects_v2"),
        ("s3", "head_upload"),
        ("table", "batch_write_item"),
    ],
)
@pytest.mark.parametrize(
    ("code", "error"), [("SlowDown", Throttled), ("InternalError", Unavailable), ("AccessDenied", Unavailable)]
)
def test_a_failed_aws_call_raises_a_retryable_error_and_the_retry_succeeds(
    pipeline, s3, table, service, operation, code, error
):
    etag = s3.upload(KEY, RED)
    {"s3": s3, "table": table}[service].fail(operation, 1, client_error(code))

    with pytest.raises(error) as caught:
        pipeline.publish(KEY)

    assert caught.value.retryable
    assert "arn:" not in str(caught.value)
    assert not any(record["status"] == "failed" for record in table.records().values())
    pipeline.publish(KEY)
    assert s3.renditions() == {f"{KEY}/thumbnail": etag, f"{KEY}/wide": etag}
