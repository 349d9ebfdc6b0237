"""A source that changes while it is worked on: in the end the renditions are those of the latest."""

import pytest
from PIL import Image

from image_processor.errors import CorruptImage, SourceNotFound, Throttled, Unavailable
from image_processor.transformations.transformation import Transformation

from ..fakes import PROCESSED, refusal
from ..pictures import encode

KEY = "cats/rio.jpg"
RED = encode(Image.new("RGB", (40, 30), "red"), "png")
BLUE = encode(Image.new("RGB", (40, 30), "blue"), "png")
BROKEN = RED[:60]
OTHER_RED = encode(Image.new("RGB", (40, 30), "red"), "png", compress_level=0)  # makes the same pictures as RED
AD_HOC = {"width=4": Transformation(width=4)}
BOTH = (f"{KEY}/thumbnail", f"{KEY}/wide")


@pytest.mark.parametrize(
    ("operation", "nth"),
    [("read", 1), ("put_object", 1), ("put_object", 2), ("list_objects_v2", 1), ("head_upload", 1)],
)
def test_overwritten_at_any_step_the_renditions_are_those_of_the_latest(pipeline, s3, table, operation, nth):
    s3.upload(KEY, RED)
    s3.before(operation, nth, lambda: s3.upload(KEY, BLUE))

    pipeline.publish(KEY)

    etag = s3.head_object(Bucket="uploads", Key=KEY)["ETag"].strip('"')
    assert s3.renditions() == dict.fromkeys(BOTH, etag)
    assert {record["source_etag"] for record in table.records().values()} == {etag}


@pytest.mark.parametrize(
    ("operation", "nth"),
    [("read", 1), ("put_object", 1), ("put_object", 2), ("list_objects_v2", 1), ("head_upload", 1)],
)
def test_deleted_at_any_step_nothing_is_left(pipeline, s3, table, operation, nth):
    s3.upload(KEY, RED)
    s3.before(operation, nth, lambda: s3.remove(KEY))

    assert pipeline.publish(KEY) == []

    assert not s3.objects
    assert not table.items


@pytest.mark.parametrize("operation", ["list_objects_v2", "head_upload"])
def test_put_again_while_it_is_withdrawn_it_is_published(pipeline, s3, table, operation):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    s3.remove(KEY)
    s3.before(operation, 1, lambda: s3.upload(KEY, BLUE))

    records = pipeline.publish(KEY)

    assert len(records) == 2
    assert set(s3.renditions()) == set(BOTH)
    assert len(table.items) == 2


@pytest.mark.parametrize("nth", [1, 2])
def test_overwritten_with_a_corrupt_one_while_it_is_rendered_no_picture_is_left(pipeline, s3, table, nth):
    s3.upload(KEY, RED)
    s3.before("put_object", nth, lambda: s3.upload(KEY, BROKEN))

    with pytest.raises(CorruptImage):
        pipeline.publish(KEY)

    assert s3.renditions() == {}
    assert {record["status"] for record in table.records().values()} == {"failed"}


def test_a_corrupt_one_mended_while_its_failure_is_recorded_is_published(pipeline, s3, table):
    s3.upload(KEY, BROKEN)
    s3.before("list_objects_v2", 1, lambda: s3.upload(KEY, RED))

    assert len(pipeline.publish(KEY)) == 2

    assert set(s3.renditions()) == set(BOTH)
    assert {record["status"] for record in table.records().values()} == {"processed"}


def test_a_source_that_keeps_changing_comes_back_by_the_queue(pipeline, s3):
    def overwrite() -> None:
        s3.upload(KEY, encode(Image.new("RGB", (40, 30), (len(s3.calls) % 256, 0, 0)), "png"))
        s3.before("head_upload", 1, overwrite)

    overwrite()

    with pytest.raises(Unavailable, match="keeps changing; try again later") as caught:
        pipeline.publish(KEY)

    assert caught.value.retryable
    assert s3.count("get_object") == 5


def test_on_demand_a_source_deleted_meanwhile_is_not_found(pipeline, s3, table):
    s3.upload(KEY, RED)
    s3.before("put_object", 1, lambda: s3.remove(KEY))

    with pytest.raises(SourceNotFound):
        pipeline.render_on_demand(KEY, AD_HOC)

    assert not s3.objects
    assert not table.items


def test_on_demand_of_a_source_overwritten_meanwhile_answers_with_the_wanted_alone(pipeline, s3):
    s3.upload(KEY, RED)
    s3.before("put_object", 1, lambda: s3.upload(KEY, BLUE))

    [record] = pipeline.render_on_demand(KEY, AD_HOC)

    etag = s3.head_object(Bucket="uploads", Key=KEY)["ETag"].strip('"')
    assert record.transformation == "width=4"
    assert record.source_etag == etag
    assert s3.renditions()[f"{KEY}/width=4"] == etag


def test_on_demand_withdrawing_a_source_that_another_worker_publishes_anew_costs_no_variant(new_pipeline, s3, table):
    def put_and_publish() -> None:
        s3.upload(KEY, BLUE)
        new_pipeline().publish(KEY)

    s3.before("list_objects_v2", 1, put_and_publish)  # after it was seen gone, before its renditions are listed

    new_pipeline().render_on_demand(KEY, AD_HOC)

    assert set(s3.renditions()) == {*BOTH, f"{KEY}/width=4"}
    assert len(table.items) == 3


def test_on_demand_of_a_corrupt_source_that_another_worker_publishes_mended_costs_no_variant(new_pipeline, s3, table):
    s3.upload(KEY, BROKEN)

    def mend_and_publish() -> None:
        s3.upload(KEY, BLUE)
        new_pipeline().publish(KEY)

    s3.before("list_objects_v2", 1, mend_and_publish)

    new_pipeline().render_on_demand(KEY, AD_HOC)

    assert set(s3.renditions()) == {*BOTH, f"{KEY}/width=4"}
    assert {record["status"] for record in table.records().values()} == {"processed"}


def test_a_late_worker_does_not_remove_what_was_made_on_demand_of_the_newer_source(new_pipeline, s3, table):
    s3.upload(KEY, OTHER_RED)
    new_pipeline().render_on_demand(KEY, AD_HOC)
    s3.upload(KEY, RED)

    def overwrite_and_render() -> None:
        s3.upload(KEY, BLUE)
        new_pipeline().render_on_demand(KEY, AD_HOC)

    s3.before("read", 1, overwrite_and_render)

    new_pipeline().publish(KEY)

    etag = s3.head_object(Bucket="uploads", Key=KEY)["ETag"].strip('"')
    assert s3.renditions() == dict.fromkeys((*BOTH, f"{KEY}/width=4"), etag)
    assert len(table.items) == 3


@pytest.mark.parametrize("operation", ["put_object", "head_upload", "list_objects_v2"])
def test_two_workers_with_the_same_event_agree(new_pipeline, s3, table, operation):
    etag = s3.upload(KEY, RED)
    s3.before(operation, 1, lambda: new_pipeline().publish(KEY))

    new_pipeline().publish(KEY)

    assert s3.renditions() == dict.fromkeys(BOTH, etag)
    assert len(table.items) == 2


def test_a_late_worker_s_failing_table_is_retried_and_then_right(new_pipeline, s3, table):
    s3.upload(KEY, RED)

    def overwrite_and_publish() -> None:
        s3.upload(KEY, BLUE)
        new_pipeline().publish(KEY)

    s3.before("read", 1, overwrite_and_publish)  # the body is that of the older source, as S3 gives it
    table.fail("batch_write_item", 2, refusal("ThrottlingException"))
    late = new_pipeline()
    with pytest.raises(Throttled):
        late.publish(KEY)

    late.publish(KEY)

    etag = s3.head_object(Bucket="uploads", Key=KEY)["ETag"].strip('"')
    assert s3.renditions() == dict.fromkeys(BOTH, etag)
    assert {record["source_etag"] for record in table.records().values()} == {etag}


def names(keys) -> set[str]:
    return {key.removeprefix("s3://uploads/").removeprefix(f"{KEY}/") for key in keys}


@pytest.mark.parametrize("step", ["delete_item", "delete_object"])
def test_a_stale_rendition_made_anew_while_it_is_removed_stays_with_its_record(new_pipeline, s3, table, step):
    s3.upload(KEY, RED)
    new_pipeline().render_on_demand(KEY, AD_HOC)
    etag = s3.upload(KEY, BLUE)
    (table if step == "delete_item" else s3).before(step, 1, lambda: new_pipeline().render_on_demand(KEY, AD_HOC))

    new_pipeline().publish(KEY)

    assert s3.renditions() == dict.fromkeys((*BOTH, f"{KEY}/width=4"), etag)
    assert {name: record["source_etag"] for name, record in table.records().items()} == dict.fromkeys(
        (f"s3://uploads/{KEY}/{name}" for name in ("thumbnail", "wide", "width=4")), etag
    )


def test_a_stale_rendition_that_looks_like_the_one_made_anew_goes_with_its_record(new_pipeline, s3, table):
    s3.upload(KEY, RED)
    new_pipeline().render_on_demand(KEY, AD_HOC)
    s3.upload(KEY, OTHER_RED)
    s3.before("delete_object", 1, lambda: new_pipeline().render_on_demand(KEY, AD_HOC))

    new_pipeline().publish(KEY)

    assert names(s3.renditions()) == names(table.records()) == {"thumbnail", "wide"}


def test_on_demand_a_rendition_that_another_worker_removes_before_the_second_look_is_made_again(pipeline, s3, table):
    s3.upload(KEY, RED)
    s3.before("head_rendition", 1, lambda: s3.objects.pop((PROCESSED, f"{KEY}/width=4")))

    pipeline.render_on_demand(KEY, AD_HOC)

    assert names(s3.renditions()) == {"thumbnail", "wide", "width=4"}
    assert names(table.records()) == {"thumbnail", "wide", "width=4"}


def test_a_record_written_anew_while_its_source_is_withdrawn_is_left_to_who_wrote_it(new_pipeline, s3, table):
    s3.upload(KEY, RED)
    new_pipeline().publish(KEY)
    s3.remove(KEY)

    def put_and_publish() -> None:
        s3.upload(KEY, RED)
        new_pipeline().publish(KEY)
        table.fail("delete_item", 1, SystemExit())  # this worker's process ends before it can look again

    table.before("delete_item", 1, put_and_publish)

    with pytest.raises(SystemExit):
        new_pipeline().publish(KEY)

    assert set(s3.renditions()) == set(BOTH)
    assert names(table.records()) == {"thumbnail", "wide"}
