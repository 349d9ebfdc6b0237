"""Invalidations: the pipeline adds a source when a rendition that viewers may have seen was replaced or deleted."""

import pytest
from PIL import Image

from image_processor.errors import CorruptImage, Unavailable
from image_processor.publishing.ports import NoInvalidations
from image_processor.transformations.transformation import Transformation

from ..fakes import client_error
from ..pictures import encode

KEY = "cats/rio.jpg"
RED, BLUE = (encode(Image.new("RGB", (40, 30), colour), "png") for colour in ("red", "blue"))
AD_HOC = {"width=4": Transformation(width=4)}


def test_a_new_source_is_not_invalidated(pipeline, s3, invalidations):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    pipeline.render_on_demand(KEY, AD_HOC)

    assert invalidations.keys == []


def test_renditions_replaced_with_the_same_bytes_are_not_invalidated(pipeline, s3, invalidations):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    pipeline.publish(KEY)

    assert invalidations.keys == []


def test_a_redelivered_message_invalidates_its_source(pipeline, s3, invalidations):
    s3.upload(KEY, RED)
    pipeline.publish(KEY, redelivered=True)

    assert invalidations.keys == [KEY]


def test_an_overwritten_source_is_invalidated(pipeline, s3, invalidations):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    s3.upload(KEY, BLUE)
    pipeline.publish(KEY)

    assert set(invalidations.keys) == {KEY}


def test_renditions_replaced_before_a_failure_are_invalidated(pipeline, s3, invalidations):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    s3.upload(KEY, BLUE)
    s3.fail("put_object", 2, client_error("InternalError"))
    with pytest.raises(Unavailable):
        pipeline.publish(KEY)

    assert set(invalidations.keys) == {KEY}


def test_a_deleted_ad_hoc_rendition_is_invalidated(pipeline, s3, invalidations):
    s3.upload(KEY, RED)
    pipeline.render_on_demand(KEY, AD_HOC)
    s3.upload(KEY, BLUE)
    pipeline.publish(KEY)

    assert set(invalidations.keys) == {KEY}


@pytest.mark.parametrize("change", ["deleted", "corrupt"])
def test_renditions_of_a_deleted_or_corrupt_source_are_invalidated(pipeline, s3, invalidations, change):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    if change == "deleted":
        s3.delete(KEY)
        pipeline.publish(KEY)
    else:
        s3.upload(KEY, RED[:60])
        with pytest.raises(CorruptImage):
            pipeline.publish(KEY)

    assert set(invalidations.keys) == {KEY}


@pytest.mark.parametrize("newer", [BLUE, encode(Image.new("RGB", (40, 30), "red"), "png", compress_level=0)])
def test_a_source_that_changes_while_it_is_published_is_always_invalidated(pipeline, s3, invalidations, newer):
    s3.upload(KEY, RED)
    s3.before("head_upload", 1, lambda: s3.upload(KEY, newer))
    pipeline.publish(KEY)

    assert set(invalidations.keys) == {KEY}


def test_a_source_that_never_had_renditions_is_not_invalidated(pipeline, invalidations):
    pipeline.publish(KEY)

    assert invalidations.keys == []


def test_without_a_distribution_invalidations_are_no_ops():
    invalidations = NoInvalidations()
    invalidations.add(KEY)
    invalidations.send()
