"""Watermarks: objects of the upload bucket, read when a rendition needs them and cached by ETag."""

import pytest
from PIL import Image

from image_processor.aws.s3 import SourceBucket
from image_processor.errors import SourceNotFound, SourceTooLarge
from image_processor.publishing import rendition_writer
from image_processor.publishing import watermarks as watermarks_module
from image_processor.publishing.watermarks import Watermarks
from image_processor.transformations.transformation import Transformation

from ..fakes import UPLOADS
from ..pictures import encode

KEY, MARK = "cats/rio.jpg", "marks/logo.png"
RED = encode(Image.new("RGB", (40, 30), "red"), "png")
BLUE = encode(Image.new("RGB", (8, 8), "blue"), "png")
MARKED = {"marked": Transformation.parse("width=20,watermark=marks~logo.png")}


@pytest.fixture
def watermarks(s3) -> Watermarks:
    return Watermarks(SourceBucket(s3, UPLOADS))


def transformations_with(*keys: str) -> list[Transformation]:
    return [Transformation(width=10), *(Transformation(watermark=key.replace("/", "~")) for key in keys)]


def test_the_watermarks_of_transformations_are_returned_by_key(watermarks, s3):
    s3.upload(MARK, b"mark")

    assert watermarks.of(transformations_with(MARK, MARK)) == {MARK: b"mark"}
    assert watermarks.of(transformations_with()) == {}


def test_an_unchanged_watermark_is_downloaded_once(watermarks, s3):
    for body in (b"one", b"one", b"two"):
        s3.upload(MARK, body)
        assert watermarks.of(transformations_with(MARK)) == {MARK: body}

    assert s3.count("get_object") == 2
    assert not s3.open_bodies


def test_the_last_four_watermarks_are_cached(watermarks, s3):
    for number in range(6):
        s3.upload(f"{number}", b"mark")
        watermarks.of(transformations_with(f"{number}"))

    for number, downloads in [(5, 6), (2, 6), (0, 7)]:
        watermarks.of(transformations_with(f"{number}"))
        assert s3.count("get_object") == downloads


def test_a_missing_watermark_is_named_in_its_error(watermarks):
    [error] = watermarks.of(transformations_with(MARK)).values()

    assert isinstance(error, SourceNotFound)
    assert str(error) == "there is no watermark 'marks/logo.png' in the upload bucket"


def test_a_watermark_deleted_before_its_download_is_not_found(watermarks, s3):
    s3.upload(MARK, b"mark")
    s3.before("get_object", 1, lambda: s3.delete(MARK))

    assert isinstance(watermarks.of(transformations_with(MARK))[MARK], SourceNotFound)


def test_an_archived_watermark_is_named_in_its_error(watermarks, s3):
    s3.upload("marks/logo.png", b"logo")
    s3.archive("marks/logo.png")

    error = watermarks.of(transformations_with("marks/logo.png"))["marks/logo.png"]

    assert error.code == "source-archived"
    assert str(error).startswith("'marks/logo.png' is in an archive")


def test_a_watermark_with_too_many_bytes_is_not_read(watermarks, s3, monkeypatch):
    monkeypatch.setattr(watermarks_module, "MAX_BYTES", 3)
    s3.upload(MARK, b"mark")

    [error] = watermarks.of(transformations_with(MARK)).values()

    assert isinstance(error, SourceTooLarge)
    assert str(error) == "the watermark 'marks/logo.png' has 4 bytes, allowed: 3"
    assert s3.count("read") == 0
    assert not s3.open_bodies


def test_the_engine_receives_the_watermark(pipeline, s3, monkeypatch):
    s3.upload(KEY, RED)
    s3.upload(MARK, BLUE)
    received = []
    render = rendition_writer.render_each
    monkeypatch.setattr(rendition_writer, "render_each", lambda *a: (received.append(a[3]), render(*a))[1])

    pipeline.render_on_demand(KEY, MARKED)

    assert received == [{MARK: BLUE}]


def test_a_variant_without_its_watermark_fails_and_records_the_error(new_pipeline, s3, table):
    pipeline = new_pipeline("marked:width=20,watermark=marks~logo.png")
    s3.upload(KEY, RED)

    with pytest.raises(SourceNotFound):
        pipeline.publish(KEY)

    [record] = table.records().values()
    assert record["error_code"] == "source-not-found"
    assert record["error_message"] == "there is no watermark 'marks/logo.png' in the upload bucket"
    assert not s3.open_bodies
