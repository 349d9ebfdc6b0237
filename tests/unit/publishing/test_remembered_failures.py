"""A source that failed is not rendered again for the next request; one that may succeed is."""

import pytest
from PIL import Image

from image_processor.engine.limits import Limits
from image_processor.errors import CorruptImage, InvalidTransformation, SourceArchived, SourceTooLarge
from image_processor.publishing.failures import Failures
from image_processor.transformations.transformation import Transformation

from ..pictures import encode

KEY = "cats/rio.jpg"
RED = encode(Image.new("RGB", (40, 30), "red"), "png")
BLUE = encode(Image.new("RGB", (40, 30), "blue"), "png")
CORRUPT = RED[:60]
MAX_BODY = 1_000_000
WIDTH_4 = Transformation(width=4)
BEYOND = Transformation.parse("crop=500_500_10_10")


def fail(pipeline, error, transformation=WIDTH_4):
    with pytest.raises(error) as caught:
        pipeline.deliver(KEY, str(transformation), transformation)
    return str(caught.value)


def find(pipeline, name="width=4"):
    return pipeline.find(KEY, name, MAX_BODY)


@pytest.mark.parametrize("name", ["thumbnail", "wide", "width=4", "width=5"])
def test_the_record_of_a_failed_source_answers_in_another_environment(new_pipeline, s3, name):
    s3.upload(KEY, CORRUPT)
    with pytest.raises(CorruptImage) as caught:
        new_pipeline().publish(KEY)
    reads = s3.count("read")

    with pytest.raises(CorruptImage, match=str(caught.value)):
        find(new_pipeline(), name)

    assert s3.count("read") == reads


def test_a_failure_without_a_record_is_remembered_by_its_environment_alone(new_pipeline, s3, table):
    s3.upload(KEY, CORRUPT)
    pipeline = new_pipeline()
    message = fail(pipeline, CorruptImage)
    table.items.clear()

    with pytest.raises(CorruptImage, match=message):
        find(pipeline)
    assert find(new_pipeline()) is None


def test_a_new_version_of_a_failed_source_may_be_rendered(new_pipeline, s3):
    pipeline = new_pipeline()
    s3.upload(KEY, CORRUPT)
    with pytest.raises(CorruptImage):
        pipeline.publish(KEY)
    s3.upload(KEY, BLUE)

    assert find(pipeline) is None
    assert find(new_pipeline()) is None


def test_a_source_that_was_too_large_may_be_rendered_under_other_limits(new_pipeline, s3):
    s3.upload(KEY, RED)
    with pytest.raises(SourceTooLarge):
        new_pipeline(limits=Limits(max_bytes=10)).publish(KEY)

    with pytest.raises(SourceTooLarge):
        find(new_pipeline(limits=Limits(max_bytes=10)))
    assert find(new_pipeline(limits=Limits(max_bytes=1_000))) is None


def test_a_rendition_that_failed_does_not_stop_the_others(new_pipeline, s3):
    pipeline = new_pipeline()
    s3.upload(KEY, RED)
    fail(pipeline, InvalidTransformation, BEYOND)

    with pytest.raises(InvalidTransformation):
        find(pipeline, str(BEYOND))
    assert find(pipeline) is None


def test_a_variant_that_failed_has_a_record_which_stops_nothing_in_another_environment(new_pipeline, s3, table):
    variants = "cut:crop=500_500_10_10;thumbnail:width=8,height=8"
    s3.upload(KEY, RED)
    with pytest.raises(InvalidTransformation):
        new_pipeline(variants).publish(KEY)

    assert table.records()[f"s3://uploads/{KEY}/cut"]["error_scope"] == "rendition"
    assert find(new_pipeline(variants)) is None


def test_a_missing_watermark_is_looked_for_again(new_pipeline, s3):
    pipeline = new_pipeline()
    marked = Transformation.parse("width=4,watermark=mark.png")
    s3.upload(KEY, RED)
    with pytest.raises(Exception, match=r"mark\.png"):
        pipeline.deliver(KEY, str(marked), marked)

    s3.upload("mark.png", BLUE)

    assert find(pipeline, str(marked)) is None
    assert pipeline.deliver(KEY, str(marked), marked).body


def test_a_source_in_an_archive_is_looked_at_again_after_a_minute(table):
    now = [0.0]
    failures = Failures(table, "uploads", {"thumbnail": WIDTH_4}, Limits(), lambda: now[0])
    table.failure = lambda _: None
    source = type("Archived", (), {"key": KEY, "etag": "etag"})
    failures.remember(source, SourceArchived("restore it"))

    found = [failures.find(KEY, "etag", "thumbnail")]
    now[0] = 60.0
    found.append(failures.find(KEY, "etag", "thumbnail"))

    assert [type(one) for one in found] == [SourceArchived, type(None)]


def test_the_memory_is_bounded(table):
    failures = Failures(table, "uploads", {"thumbnail": WIDTH_4}, Limits())
    table.failure = lambda _: None
    for n in range(1_100):
        failures.remember(type("Source", (), {"key": f"{n}", "etag": "etag"}), CorruptImage("no"))

    assert failures.find("99", "etag", "thumbnail") is None
    assert isinstance(failures.find("100", "etag", "thumbnail"), CorruptImage)
