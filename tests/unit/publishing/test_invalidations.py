"""Invalidations: the pipeline adds a source when a rendition that viewers may have seen was replaced or deleted."""

import pytest
from PIL import Image

from image_processor.errors import CorruptImage, Unavailable
from image_processor.publishing.ports import NoInvalidations
from image_processor.transformations.transformation import Transformation

from ..fakes import refusal
from ..pictures import encode

KEY = "cats/rio.jpg"
RED, BLUE = (encode(Image.new("RGB", (40, 30), colour), "png") for colour in ("red", "blue"))
AD_HOC = {"width=4": Transformation(width=4)}


def test_a_new_source_tells_nobody(pipeline, s3, invalidations):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    pipeline.render_on_demand(KEY, AD_HOC)

    assert invalidations.keys == []


def test_a_repeat_that_makes_the_same_tells_nobody(pipeline, s3, invalidations):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    pipeline.publish(KEY)

    assert invalidations.keys == []


def test_a_repeat_after_nobody_knows_what_tells(pipeline, s3, invalidations):
    s3.upload(KEY, RED)
    pipeline.publish(KEY, redelivered=True)

    assert invalidations.keys == [KEY]


def test_an_overwritten_source_tells(pipeline, s3, invalidations):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    s3.upload(KEY, BLUE)
    pipeline.publish(KEY)

    assert set(invalidations.keys) == {KEY}


def test_what_was_replaced_before_a_failure_tells(pipeline, s3, invalidations):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    s3.upload(KEY, BLUE)
    s3.fail("put_object", 2, refusal("InternalError"))
    with pytest.raises(Unavailable):
        pipeline.publish(KEY)

    assert set(invalidations.keys) == {KEY}


def test_a_removed_ad_hoc_rendition_tells(pipeline, s3, invalidations):
    s3.upload(KEY, RED)
    pipeline.render_on_demand(KEY, AD_HOC)
    s3.upload(KEY, BLUE)
    pipeline.publish(KEY)

    assert set(invalidations.keys) == {KEY}


@pytest.mark.parametrize("end", ["deleted", "broken"])
def test_pictures_that_go_tell(pipeline, s3, invalidations, end):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    if end == "deleted":
        s3.remove(KEY)
        pipeline.publish(KEY)
    else:
        s3.upload(KEY, RED[:60])
        with pytest.raises(CorruptImage):
            pipeline.publish(KEY)

    assert set(invalidations.keys) == {KEY}


@pytest.mark.parametrize("newer", [BLUE, encode(Image.new("RGB", (40, 30), "red"), "png", compress_level=0)])
def test_a_source_that_changed_while_it_was_written_tells_whatever_it_looks_like(pipeline, s3, invalidations, newer):
    s3.upload(KEY, RED)
    s3.before("head_upload", 1, lambda: s3.upload(KEY, newer))
    pipeline.publish(KEY)

    assert set(invalidations.keys) == {KEY}


def test_a_source_that_was_gone_all_along_tells_nobody(pipeline, invalidations):
    pipeline.publish(KEY)

    assert invalidations.keys == []


def test_no_edge_is_told_nothing():
    invalidations = NoInvalidations()
    invalidations.add(KEY)
    invalidations.send()
