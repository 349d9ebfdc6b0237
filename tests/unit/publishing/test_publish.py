"""Publishing and withdrawing: renditions and records follow the source, whether it is new, overwritten or deleted."""

from hashlib import sha256

import pytest
from PIL import Image

from image_processor.aws.dynamodb import NoTable
from image_processor.aws.s3 import RenditionBucket, SourceBucket
from image_processor.engine.limits import Limits
from image_processor.errors import InvalidTransformation, SourceNotFound
from image_processor.publishing.pipeline import Pipeline
from image_processor.publishing.ports import Storage
from image_processor.transformations.transformation import Transformation
from image_processor.transformations.variants import parse_variants
from image_processor.urls.paths import rendition_path

from ..fakes import PROCESSED, UPLOADS
from ..pictures import decode, encode, four_corners, stored

KEY = "cats/rio.jpg"
RED = encode(Image.new("RGB", (40, 30), "red"), "png")
BLUE = encode(Image.new("RGB", (40, 30), "blue"), "png")
AD_HOC = {"width=4": Transformation(width=4)}


def colour(s3, rendition: str) -> tuple[int, ...]:
    return decode(s3.objects[PROCESSED, rendition].body).convert("RGB").getpixel((1, 1))


def test_every_variant_is_stored_under_the_key_of_its_source(pipeline, s3):
    etag = s3.upload(KEY, RED)

    records = pipeline.publish(KEY)

    assert s3.renditions() == {f"{KEY}/thumbnail": etag, f"{KEY}/wide": etag}
    assert [record.variant for record in records] == ["thumbnail", "wide"]
    stored = s3.objects[PROCESSED, f"{KEY}/thumbnail"]
    assert stored.headers == {
        "ContentType": "image/png",
        "ContentDisposition": 'inline; filename="rio-thumbnail.png"',
        "CacheControl": "public, max-age=300",
    }
    assert decode(stored.body).size == (8, 8)
    assert not s3.open_bodies


def test_a_record_describes_the_rendition_and_its_source(pipeline, s3, table):
    etag = s3.upload(KEY, RED)

    pipeline.publish(KEY)

    record = table.records()[f"s3://uploads/{KEY}/wide"]
    assert record.pop("processed_at").endswith("Z")
    assert record == {
        "id": sha256(b"uploads/cats/rio.jpg/wide").hexdigest()[:32],
        "original_file": "s3://uploads/cats/rio.jpg",
        "processed_file": "s3://processed/cats/rio.jpg/wide",
        "variant": "wide",
        "status": "processed",
        "source_etag": etag,
        "source_version_id": "version-1",
        "uploaded_at": "2026-01-02T03:04:05.678Z",
        "width": "16",
        "height": "12",
        "source_width": "40",
        "source_height": "30",
        "content_type": "image/png",
        "bytes": str(len(s3.objects[PROCESSED, f"{KEY}/wide"].body)),
    }
    assert {
        next(iter(value)) for name, value in table.items[record["id"]].items() if name in ("width", "height", "bytes")
    } == {"N"}


def test_publishing_twice_gives_the_same_bytes_and_record_ids(pipeline, s3, table):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    objects, ids = {key: stored.body for key, stored in s3.objects.items()}, set(table.items)

    pipeline.publish(KEY)

    assert {key: stored.body for key, stored in s3.objects.items()} == objects
    assert set(table.items) == ids


def test_an_overwritten_source_replaces_its_renditions(pipeline, s3, table):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    etag = s3.upload(KEY, BLUE)

    pipeline.publish(KEY)

    assert s3.renditions() == {f"{KEY}/thumbnail": etag, f"{KEY}/wide": etag}
    assert colour(s3, f"{KEY}/thumbnail") == (0, 0, 255)
    assert {record["source_etag"] for record in table.records().values()} == {etag}


def test_ad_hoc_renditions_of_an_overwritten_source_are_deleted(pipeline, s3, table):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    pipeline.render_on_demand(KEY, {**AD_HOC, "width=5": Transformation(width=5)})
    s3.upload(KEY, BLUE)

    pipeline.publish(KEY)

    assert set(s3.renditions()) == {f"{KEY}/thumbnail", f"{KEY}/wide"}
    assert set(table.records()) == {f"s3://uploads/{KEY}/thumbnail", f"s3://uploads/{KEY}/wide"}


def test_ad_hoc_renditions_of_an_unchanged_source_are_not_deleted(pipeline, s3, table):
    s3.upload(KEY, RED)
    pipeline.render_on_demand(KEY, AD_HOC)

    pipeline.publish(KEY)

    assert f"{KEY}/width=4" in s3.renditions()
    assert table.records()[f"s3://uploads/{KEY}/width=4"]["transformation"] == "width=4"


@pytest.mark.parametrize("ad_hoc", [True, False])
def test_rendering_on_demand_stores_one_rendition_and_returns_its_record(pipeline, s3, ad_hoc):
    s3.upload(KEY, RED)
    wanted = AD_HOC if ad_hoc else {"wide": pipeline.variants["wide"]}

    [record] = pipeline.render_on_demand(KEY, wanted)

    [name] = wanted
    assert set(s3.renditions()) == {f"{KEY}/{name}"}
    assert (record.variant, record.transformation) == ((None, name) if ad_hoc else (name, None))
    assert record.processed_file == f"s3://processed/{KEY}/{name}"


def test_rendering_an_overwritten_source_on_demand_does_not_delete_its_variants(pipeline, s3):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    s3.upload(KEY, BLUE)

    pipeline.render_on_demand(KEY, AD_HOC)

    assert set(s3.renditions()) == {f"{KEY}/thumbnail", f"{KEY}/wide", f"{KEY}/width=4"}


def test_renditions_and_records_of_a_deleted_source_are_deleted(pipeline, s3, table):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    pipeline.render_on_demand(KEY, AD_HOC)
    s3.delete(KEY)

    assert pipeline.publish(KEY) == []

    assert not s3.objects
    assert not table.items


def test_records_that_are_not_in_the_index_yet_are_deleted_with_their_source(pipeline, s3, table):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    pipeline.render_on_demand(KEY, AD_HOC)
    s3.delete(KEY)
    table.index_is_behind = True

    pipeline.publish(KEY)

    assert not table.items


def test_publishing_deletes_records_without_a_rendition(pipeline, s3, table):
    s3.upload(KEY, RED)
    pipeline.render_on_demand(KEY, AD_HOC)
    del s3.objects[PROCESSED, f"{KEY}/width=4"]

    pipeline.publish(KEY)

    assert set(table.records()) == {f"s3://uploads/{KEY}/thumbnail", f"s3://uploads/{KEY}/wide"}


def test_withdrawing_deletes_records_without_a_rendition(pipeline, s3, table):
    s3.upload(KEY, RED)
    pipeline.render_on_demand(KEY, AD_HOC)
    del s3.objects[PROCESSED, f"{KEY}/width=4"]
    s3.delete(KEY)

    pipeline.publish(KEY)

    assert not table.items


def test_withdrawing_a_source_leaves_similar_keys_alone(pipeline, s3, table):
    neighbours = ("cats", "cats/", "cats/rio.jpg", "cats/rio", "cats/rio.jpg/thumbnail", "cat", "cats/rio.jpg2")
    for key in neighbours:
        s3.upload(key, RED)
        pipeline.publish(key)
    for deleted in ("cats", "cats/rio.jpg"):
        s3.delete(deleted)

        pipeline.publish(deleted)

    remaining = [key for key in neighbours if key not in ("cats", "cats/rio.jpg")]
    assert set(s3.renditions()) == {rendition_path(key, name) for key in remaining for name in ("thumbnail", "wide")}
    assert set(table.records()) == {f"s3://uploads/{key}/{name}" for key in remaining for name in ("thumbnail", "wide")}


def test_rendering_a_missing_source_on_demand_raises_source_not_found(pipeline, s3, table):
    with pytest.raises(SourceNotFound, match=r"there is no source 'cats/rio\.jpg'"):
        pipeline.render_on_demand(KEY, AD_HOC)

    assert not s3.objects
    assert not table.items


def test_a_rendition_that_would_be_too_large_is_rejected_before_any_aws_call(pipeline, s3, table):
    s3.upload(KEY, RED)
    huge = Transformation(width=8192, height=8192)

    with pytest.raises(InvalidTransformation, match="a picture of 8192×8192 pixels is too large"):
        pipeline.render_on_demand(KEY, {str(huge): huge})

    assert not s3.calls
    assert not table.calls


def test_a_folder_marker_of_the_s3_console_is_ignored(pipeline, s3, table):
    s3.upload("cats/", b"")

    assert pipeline.publish("cats/") == []

    assert s3.renditions() == {}
    assert not table.items
    assert not s3.open_bodies


def test_an_image_whose_key_ends_with_a_slash_is_published(pipeline, s3):
    s3.upload("cats/", RED)

    assert len(pipeline.publish("cats/")) == 2


def test_a_source_overwritten_with_a_folder_marker_is_withdrawn(pipeline, s3, table):
    s3.upload("cats/", RED)
    pipeline.publish("cats/")
    s3.upload("cats/", b"")

    pipeline.publish("cats/")

    assert s3.renditions() == {}
    assert not table.items


def test_a_stack_without_a_table_stores_and_deletes_renditions(s3):
    storage = Storage(SourceBucket(s3, UPLOADS), RenditionBucket(s3, PROCESSED, ""), NoTable())
    pipeline = Pipeline(storage, parse_variants("thumbnail:width=8"), Limits())
    s3.upload(KEY, RED)

    pipeline.publish(KEY)
    pipeline.render_on_demand(KEY, AD_HOC)
    stored_keys = set(s3.renditions())
    s3.delete(KEY)
    pipeline.publish(KEY)

    assert stored_keys == {f"{KEY}/thumbnail", f"{KEY}/width=4"}
    assert not s3.objects


def test_withdrawing_deletes_renditions_and_records_of_every_page(new_pipeline, s3, table):
    pipeline = new_pipeline(";".join(f"v{number}:width={number}" for number in range(1, 31)))
    s3.upload(KEY, RED)
    assert len(pipeline.publish(KEY)) == 30
    s3.delete(KEY)

    pipeline.publish(KEY)

    assert not s3.objects
    assert not table.items


def test_a_record_has_the_upright_sides_of_its_source(pipeline, s3, table):
    s3.upload("a.jpg", stored(four_corners((60, 40)), 6, "jpeg"))
    pipeline.publish("a.jpg")

    for record in table.records().values():
        assert (record["source_width"], record["source_height"]) == ("60", "40")


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("/cats/rio.jpg", "cats/rio.jpg"),
        ("my%20cats/rio.jpg", "my cats/rio.jpg"),
        ("/my%20cats/rio.jpg", "my cats/rio.jpg"),
        ("s3://upload-bucket/cats/rio.jpg", "cats/rio.jpg"),
        ("https://d1.cloudfront.net/caf%C3%A9.jpg", "café.jpg"),
    ],
)
def test_a_missing_key_that_is_written_as_in_a_url_gets_a_hint(pipeline, key, meant):
    with pytest.raises(SourceNotFound) as caught:
        pipeline.render_on_demand(key, AD_HOC)

    assert str(caught.value) == f"there is no source {key!r}; did you mean {meant!r}?"


@pytest.mark.parametrize("key", ["cats//rio.jpg", "100%.jpg", "%ff.jpg", "/", "s3://upload-bucket/"])
def test_another_missing_key_gets_no_hint(pipeline, key):
    with pytest.raises(SourceNotFound) as caught:
        pipeline.render_on_demand(key, AD_HOC)

    assert str(caught.value) == f"there is no source {key!r}"
