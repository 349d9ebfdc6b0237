"""A source that can't be rendered, or not now: what it leaves, what its records say, what is retried."""

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

from ..fakes import refusal
from ..pictures import encode

KEY = "cats/rio.jpg"
RED = encode(Image.new("RGB", (40, 30), "red"), "png")
BROKEN = RED[:60]
AD_HOC = {"width=4": Transformation(width=4)}


@pytest.mark.parametrize("index_is_behind", [True, False])
def test_the_records_of_a_failed_source_go_with_it(pipeline, s3, table, index_is_behind):
    s3.upload(KEY, BROKEN)
    with pytest.raises(CorruptImage):
        pipeline.publish(KEY)
    assert len(table.items) == 2
    s3.remove(KEY)
    table.index_is_behind = index_is_behind

    pipeline.publish(KEY)

    assert not table.items


@pytest.mark.parametrize(
    ("bad", "error", "code"),
    [
        (BROKEN, CorruptImage, "corrupt-image"),
        (b"", UnsupportedFormat, "unsupported-format"),
        (b"a text", UnsupportedFormat, "unsupported-format"),
        (RED + bytes(2000), SourceTooLarge, "source-too-large"),
    ],
)
def test_a_source_overwritten_with_what_can_not_be_rendered_loses_its_pictures_and_its_records_say_why(
    new_pipeline, s3, table, bad, error, code
):
    pipeline = new_pipeline(limits=Limits(max_bytes=1500))
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    pipeline.render_on_demand(KEY, AD_HOC)
    etag = s3.upload(KEY, bad)

    with pytest.raises(error) as caught:
        pipeline.publish(KEY)

    assert s3.renditions() == {}
    assert set(table.records()) == {f"s3://uploads/{KEY}/thumbnail", f"s3://uploads/{KEY}/wide"}
    for record in table.records().values():
        assert (record["status"], record["error_code"], record["error_message"]) == ("failed", code, str(caught.value))
        assert record["source_etag"] == etag
        assert not {"processed_file", "width", "height", "content_type", "bytes", "transformation"} & set(record)
    assert not s3.open_bodies


def test_a_source_of_too_many_bytes_is_not_even_read(new_pipeline, s3):
    s3.upload(KEY, RED)

    with pytest.raises(SourceTooLarge):
        new_pipeline(limits=Limits(max_bytes=10)).publish(KEY)

    assert s3.count("read") == 0
    assert not s3.open_bodies


def test_a_source_in_an_archive_loses_its_older_pictures_and_its_records_say_where_it_is(pipeline, s3, table):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    etag = s3.upload(KEY, encode(Image.new("RGB", (40, 30), "blue"), "png"))
    s3.archive(KEY)

    with pytest.raises(SourceArchived, match=r"^'cats/rio.jpg' lies in an archive of S3"):
        pipeline.publish(KEY)

    assert s3.renditions() == {}
    for record in table.records().values():
        assert (record["status"], record["error_code"], record["source_etag"]) == ("failed", "source-archived", etag)


def test_a_source_that_went_into_an_archive_keeps_its_pictures_and_their_records(new_pipeline, s3, table):
    etag = s3.upload(KEY, RED)
    new_pipeline("thumbnail:width=8").publish(KEY)
    s3.archive(KEY)

    with pytest.raises(SourceArchived):
        new_pipeline("thumbnail:width=8;wide:width=16").publish(KEY)

    assert s3.renditions() == {f"{KEY}/thumbnail": etag}
    assert {record["variant"]: record["status"] for record in table.records().values()} == {
        "thumbnail": "processed", "wide": "failed",
    }  # fmt: skip


def test_a_source_that_goes_while_it_is_found_in_an_archive_is_withdrawn(pipeline, s3, table):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    s3.archive(KEY)
    s3.before("head_upload", 1, lambda: s3.remove(KEY))

    assert pipeline.publish(KEY) == []

    assert not s3.renditions()
    assert not table.items


def test_a_mended_source_s_records_say_processed_again(pipeline, s3, table):
    s3.upload(KEY, BROKEN)
    with pytest.raises(CorruptImage):
        pipeline.publish(KEY)
    s3.upload(KEY, RED)

    pipeline.publish(KEY)

    assert {record["status"] for record in table.records().values()} == {"processed"}
    assert not any("error_code" in record for record in table.records().values())


def test_a_variant_that_the_source_can_not_give_leaves_the_others_made(new_pipeline, s3, table):
    pipeline = new_pipeline("small:width=8;corner:crop=90_90_5_5;marked:width=9,watermark=logo.png;large:width=16")
    s3.upload(KEY, RED)

    with pytest.raises(
        InvalidTransformation, match=r"^variant corner: option crop: 90_90_5_5 lies outside the source, which is 40×30"
    ):
        pipeline.publish(KEY)

    assert set(s3.renditions()) == {f"{KEY}/small", f"{KEY}/large"}
    records = {record["variant"]: record for record in table.records().values()}
    assert {name: record["status"] for name, record in records.items()} == {
        "small": "processed", "large": "processed", "corner": "failed", "marked": "failed",
    }  # fmt: skip
    assert records["corner"]["error_code"] == "invalid-transformation"
    assert records["marked"]["error_message"] == "there is no watermark 'logo.png' in the upload bucket"


def test_a_variant_that_a_newer_source_can_not_give_loses_its_older_picture(new_pipeline, s3):
    pipeline = new_pipeline("small:width=8;corner:crop=30_20_5_5")
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    s3.upload(KEY, encode(Image.new("RGB", (20, 20), "blue"), "png"))

    with pytest.raises(InvalidTransformation):
        pipeline.publish(KEY)

    assert set(s3.renditions()) == {f"{KEY}/small"}


def test_an_ad_hoc_failure_leaves_no_record_of_its_own(pipeline, s3, table):
    s3.upload(KEY, BROKEN)

    with pytest.raises(CorruptImage):
        pipeline.render_on_demand(KEY, AD_HOC)

    assert not table.items


def test_a_key_without_room_for_the_variant_s_name_fails_with_the_room_there_is(pipeline, s3, table):
    key = "é" * 508  # 1016 bytes: room for /wide, not for /thumbnail
    s3.upload(key, RED)

    with pytest.raises(InvalidRequest, match=r"1016 bytes, allowed: 1014, since /thumbnail is added to it"):
        pipeline.publish(key)

    assert s3.renditions() == {}
    assert {record["error_code"] for record in table.records().values()} == {"invalid-request"}


@pytest.mark.parametrize("bad", [BROKEN, b"a text"])
def test_a_failing_source_gives_its_body_up(pipeline, s3, bad):
    s3.upload(KEY, bad)

    with pytest.raises((CorruptImage, UnsupportedFormat)):
        pipeline.publish(KEY)

    assert not s3.open_bodies


def test_a_key_too_long_gives_its_body_up(pipeline, s3):
    s3.upload("k" * 1024, RED)

    with pytest.raises(InvalidRequest):
        pipeline.publish("k" * 1024)

    assert not s3.open_bodies


def test_a_key_with_just_room_for_every_name_is_published(pipeline, s3):
    key = "é" * 507

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
def test_a_failure_of_aws_passes_through_to_be_retried_and_a_retry_mends_it(
    pipeline, s3, table, service, operation, code, error
):
    etag = s3.upload(KEY, RED)
    {"s3": s3, "table": table}[service].fail(operation, 1, refusal(code))

    with pytest.raises(error) as caught:
        pipeline.publish(KEY)

    assert caught.value.retryable
    assert "arn:" not in str(caught.value)
    assert not any(record["status"] == "failed" for record in table.records().values())
    pipeline.publish(KEY)
    assert s3.renditions() == {f"{KEY}/thumbnail": etag, f"{KEY}/wide": etag}
