"""A source that changes while it is processed: in the end, renditions and records are those of its latest version."""

import pytest
from PIL import Image

from image_processor.errors import CorruptImage, SourceNotFound, Throttled, Unavailable
from image_processor.transformations.transformation import Transformation

from ..fakes import PROCESSED, client_error
from ..pictures import encode

KEY = "cats/rio.jpg"
RED = encode(Image.new("RGB", (40, 30), "red"), "png")
BLUE = encode(Image.new("RGB", (40, 30), "blue"), "png")
CORRUPT = RED[:60]
# Other bytes than RED, and the same renditions.
OTHER_RED = encode(Image.new("RGB", (40, 30), "red"), "png", compress_level=0)
AD_HOC = {"width=4": Transformation(width=4)}
VARIANT_KEYS = (f"{KEY}/thumbnail", f"{KEY}/wide")


@pytest.mark.parametrize(
    ("operation", "nth"),
    [("read", 1), ("put_object", 1), ("put_object", 2), ("list_objects_v2", 1), ("head_upload", 1)],
)
def test_a_source_overwritten_at_any_step_ends_with_renditions_of_its_latest_version(
    pipeline, s3, table, operation, nth
):
    s3.upload(KEY, RED)
    s3.before(operation, nth, lambda: s3.upload(KEY, BLUE))

    pipeline.publish(KEY)

    etag = s3.head_object(Bucket="uploads", Key=KEY)["ETag"].strip('"')
    assert s3.renditions() == dict.fromkeys(VARIANT_KEYS, etag)
    assert {record["source_etag"] for record in table.records().values()} == {etag}


@pytest.mark.parametrize(
    ("operation", "nth"),
    [("read", 1), ("put_object", 1), ("put_object", 2), ("list_objects_v2", 1), ("head_upload", 1)],
)
def test_a_source_deleted_at_any_step_leaves_no_renditions_and_no_records(pipeline, s3, table, operation, nth):
    s3.upload(KEY, RED)
    s3.before(operation, nth, lambda: s3.delete(KEY))

    assert pipeline.publish(KEY) == []

    assert not s3.objects
    assert not table.items


@pytest.mark.parametrize("operation", ["list_objects_v2", "head_upload"])
def test_a_source_uploaded_again_while_it_is_withdrawn_is_published(pipeline, s3, table, operation):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    s3.delete(KEY)
    s3.before(operation, 1, lambda: s3.upload(KEY, BLUE))

    records = pipeline.publish(KEY)

    assert len(records) == 2
    assert set(s3.renditions()) == set(VARIANT_KEYS)
    assert len(table.items) == 2


@pytest.mark.parametrize("nth", [1, 2])
def test_a_source_overwritten_with_a_corrupt_one_leaves_no_renditions(pipeline, s3, table, nth):
    s3.upload(KEY, RED)
    s3.before("put_object", nth, lambda: s3.upload(KEY, CORRUPT))

    with pytest.raises(CorruptImage):
        pipeline.publish(KEY)

    assert s3.renditions() == {}
    assert {record["status"] for record in table.records().values()} == {"failed"}


def test_a_corrupt_source_replaced_while_its_failure_is_recorded_is_published(pipeline, s3, table):
    s3.upload(KEY, CORRUPT)
    s3.before("list_objects_v2", 1, lambda: s3.upload(KEY, RED))

    assert len(pipeline.publish(KEY)) == 2

    assert set(s3.renditions()) == set(VARIANT_KEYS)
    assert {record["status"] for record in table.records().values()} == {"processed"}


def test_a_source_that_keeps_changing_raises_a_retryable_error_after_five_attempts(pipeline, s3):
    def overwrite() -> None:
        s3.upload(KEY, encode(Image.new("RGB", (40, 30), (len(s3.calls) % 256, 0, 0)), "png"))
        s3.before("head_upload", 1, overwrite)

    overwrite()

    with pytest.raises(Unavailable, match="keeps changing; try again later") as caught:
        pipeline.publish(KEY)

    assert caught.value.retryable
    assert s3.count("get_object") == 5


def test_a_source_deleted_while_rendered_on_demand_is_not_found(pipeline, s3, table):
    s3.upload(KEY, RED)
    s3.before("put_object", 1, lambda: s3.delete(KEY))

    with pytest.raises(SourceNotFound):
        pipeline.render_on_demand(KEY, AD_HOC)

    assert not s3.objects
    assert not table.items


def test_a_source_overwritten_while_rendered_on_demand_returns_the_requested_record(pipeline, s3):
    s3.upload(KEY, RED)
    s3.before("put_object", 1, lambda: s3.upload(KEY, BLUE))

    [record] = pipeline.render_on_demand(KEY, AD_HOC)

    etag = s3.head_object(Bucket="uploads", Key=KEY)["ETag"].strip('"')
    assert record.transformation == "width=4"
    assert record.source_etag == etag
    assert s3.renditions()[f"{KEY}/width=4"] == etag


def test_withdrawing_on_demand_restores_the_variants_that_another_worker_publishes(new_pipeline, s3, table):
    def upload_and_publish() -> None:
        s3.upload(KEY, BLUE)
        new_pipeline().publish(KEY)

    # After the source was found missing, and before its renditions are listed.
    s3.before("list_objects_v2", 1, upload_and_publish)

    new_pipeline().render_on_demand(KEY, AD_HOC)

    assert set(s3.renditions()) == {*VARIANT_KEYS, f"{KEY}/width=4"}
    assert len(table.items) == 3


def test_a_failure_on_demand_restores_the_variants_that_another_worker_publishes(new_pipeline, s3, table):
    s3.upload(KEY, CORRUPT)

    def replace_and_publish() -> None:
        s3.upload(KEY, BLUE)
        new_pipeline().publish(KEY)

    s3.before("list_objects_v2", 1, replace_and_publish)

    new_pipeline().render_on_demand(KEY, AD_HOC)

    assert set(s3.renditions()) == {*VARIANT_KEYS, f"{KEY}/width=4"}
    assert {record["status"] for record in table.records().values()} == {"processed"}


def test_a_late_worker_does_not_delete_an_ad_hoc_rendition_of_the_newer_version(new_pipeline, s3, table):
    s3.upload(KEY, OTHER_RED)
    new_pipeline().render_on_demand(KEY, AD_HOC)
    s3.upload(KEY, RED)

    def overwrite_and_render() -> None:
        s3.upload(KEY, BLUE)
        new_pipeline().render_on_demand(KEY, AD_HOC)

    s3.before("read", 1, overwrite_and_render)

    new_pipeline().publish(KEY)

    etag = s3.head_object(Bucket="uploads", Key=KEY)["ETag"].strip('"')
    assert s3.renditions() == dict.fromkeys((*VARIANT_KEYS, f"{KEY}/width=4"), etag)
    assert len(table.items) == 3


@pytest.mark.parametrize("operation", ["put_object", "head_upload", "list_objects_v2"])
def test_two_workers_with_the_same_event_end_with_one_set_of_renditions(new_pipeline, s3, table, operation):
    etag = s3.upload(KEY, RED)
    s3.before(operation, 1, lambda: new_pipeline().publish(KEY))

    new_pipeline().publish(KEY)

    assert s3.renditions() == dict.fromkeys(VARIANT_KEYS, etag)
    assert len(table.items) == 2


def test_a_late_worker_that_could_not_write_its_records_succeeds_when_retried(new_pipeline, s3, table):
    s3.upload(KEY, RED)

    def overwrite_and_publish() -> None:
        s3.upload(KEY, BLUE)
        new_pipeline().publish(KEY)

    # The download has begun, so its bytes are still those of the older version, as on S3.
    s3.before("read", 1, overwrite_and_publish)
    table.fail("batch_write_item", 2, client_error("ThrottlingException"))
    late_worker = new_pipeline()
    with pytest.raises(Throttled):
        late_worker.publish(KEY)

    late_worker.publish(KEY)

    etag = s3.head_object(Bucket="uploads", Key=KEY)["ETag"].strip('"')
    assert s3.renditions() == dict.fromkeys(VARIANT_KEYS, etag)
    assert {record["source_etag"] for record in table.records().values()} == {etag}


def names(keys) -> set[str]:
    return {key.removeprefix("s3://uploads/").removeprefix(f"{KEY}/") for key in keys}


@pytest.mark.parametrize("step", ["delete_item", "delete_object"])
def test_a_stale_rendition_replaced_while_it_is_deleted_remains_with_its_record(new_pipeline, s3, table, step):
    s3.upload(KEY, RED)
    new_pipeline().render_on_demand(KEY, AD_HOC)
    etag = s3.upload(KEY, BLUE)
    (table if step == "delete_item" else s3).before(step, 1, lambda: new_pipeline().render_on_demand(KEY, AD_HOC))

    new_pipeline().publish(KEY)

    assert s3.renditions() == dict.fromkeys((*VARIANT_KEYS, f"{KEY}/width=4"), etag)
    assert {name: record["source_etag"] for name, record in table.records().items()} == dict.fromkeys(
        (f"s3://uploads/{KEY}/{name}" for name in ("thumbnail", "wide", "width=4")), etag
    )


def test_a_stale_rendition_replaced_with_the_same_bytes_is_deleted_with_its_record(new_pipeline, s3, table):
    s3.upload(KEY, RED)
    new_pipeline().render_on_demand(KEY, AD_HOC)
    s3.upload(KEY, OTHER_RED)
    s3.before("delete_object", 1, lambda: new_pipeline().render_on_demand(KEY, AD_HOC))

    new_pipeline().publish(KEY)

    assert names(s3.renditions()) == names(table.records()) == {"thumbnail", "wide"}


def test_a_rendition_deleted_while_rendered_on_demand_is_rendered_again(pipeline, s3, table):
    s3.upload(KEY, RED)
    s3.before("head_rendition", 1, lambda: s3.objects.pop((PROCESSED, f"{KEY}/width=4")))

    pipeline.render_on_demand(KEY, AD_HOC)

    assert names(s3.renditions()) == {"thumbnail", "wide", "width=4"}
    assert names(table.records()) == {"thumbnail", "wide", "width=4"}


def test_a_record_that_another_worker_writes_during_a_withdrawal_is_not_deleted(new_pipeline, s3, table):
    s3.upload(KEY, RED)
    new_pipeline().publish(KEY)
    s3.delete(KEY)

    def upload_and_publish() -> None:
        s3.upload(KEY, RED)
        new_pipeline().publish(KEY)
        table.fail("delete_item", 1, SystemExit())  # this worker's process ends before it looks at the source again

    table.before("delete_item", 1, upload_and_publish)

    with pytest.raises(SystemExit):
        new_pipeline().publish(KEY)

    assert set(s3.renditions()) == set(VARIANT_KEYS)
    assert names(table.records()) == {"thumbnail", "wide"}
