"""The handler, from an event of S3 to the objects and records afterwards, with moto as AWS."""

import pytest
from PIL import Image

from image_processor import app
from image_processor.urls.paths import rendition_path

from .handler.buckets import UPLOADS, client, failing, picture, records, rendition, renditions, upload
from .handler.events import invoke, messages, notification, post, recorded

pytestmark = pytest.mark.usefixtures("environment")


def test_a_source_becomes_a_thumbnail_of_exactly_128_by_128() -> None:
    upload("cats/rio.jpg", picture())

    answer = invoke(messages(notification("cats/rio.jpg")))

    made = rendition("cats/rio.jpg/thumbnail")
    assert answer == {"batchItemFailures": []}
    assert Image.open(made["Body"]).size == (128, 128)
    assert made["ContentType"] == "image/jpeg"
    assert made["CacheControl"] == "public, max-age=300"


def test_a_rendition_stores_the_etag_of_its_source() -> None:
    upload("rio.jpg", picture())
    etag = client("s3").head_object(Bucket=UPLOADS, Key="rio.jpg")["ETag"].strip('"')

    invoke(messages(notification("rio.jpg")))

    assert rendition("rio.jpg/thumbnail")["Metadata"] == {"source-etag": etag}


def test_a_record_names_the_source_and_describes_the_rendition() -> None:
    upload("rio.jpg", picture())

    invoke(messages(notification("rio.jpg")))

    [record] = records()
    assert record["original_file"] == "s3://uploads/rio.jpg"
    assert record["processed_file"] == "s3://processed/rio.jpg/thumbnail"
    assert record["variant"] == "thumbnail"
    assert (record["width"], record["height"], record["content_type"]) == ("128", "128", "image/jpeg")
    assert record["bytes"] == str(rendition("rio.jpg/thumbnail")["ContentLength"])
    assert record["status"] == "processed"
    assert len(record["id"]) == 32


def test_a_repeated_message_changes_nothing() -> None:
    upload("rio.jpg", picture())

    invoke(messages(notification("rio.jpg")))
    first, [record] = rendition("rio.jpg/thumbnail")["Body"].read(), records()
    invoke(messages(notification("rio.jpg"), notification("rio.jpg")))

    [second] = records()
    assert rendition("rio.jpg/thumbnail")["Body"].read() == first
    assert {**second, "processed_at": ""} == {**record, "processed_at": ""}


@pytest.mark.parametrize(
    "key", ["a b.jpg", "a+b.jpg", "100%.jpg", "ü/日本.jpg", "a?b#c.jpg", "a%20b.jpg", "d/e/e/p/x.jpg", "k" * 1000]
)
def test_a_key_is_decoded_exactly_once(key: str) -> None:
    upload(key, picture())

    invoke(messages(notification(key)))

    assert renditions() == [rendition_path(key, "thumbnail")]


def test_every_variant_is_rendered(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("VARIANTS", "small:width=64;wide:width=200,height=50,format=webp")
    upload("rio.jpg", picture())

    invoke(messages(notification("rio.jpg")))

    assert Image.open(rendition("rio.jpg/small")["Body"]).size == (64, 48)
    assert Image.open(rendition("rio.jpg/wide")["Body"]).size == (200, 50)
    assert rendition("rio.jpg/wide")["ContentType"] == "image/webp"
    assert {record["variant"] for record in records()} == {"small", "wide"}


def test_without_a_table_only_the_records_are_missing(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("METADATA_TABLE", "")
    upload("rio.jpg", picture())

    answer = invoke(messages(notification("rio.jpg")))

    assert answer == {"batchItemFailures": []}
    assert (renditions(), records()) == (["rio.jpg/thumbnail"], [])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "unsupported-format"),
        (b"just text, named .jpg", "unsupported-format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported-format"),
        (picture()[:2000], "corrupt-image"),
        (b"\xff\xd8\xff" + bytes(50), "corrupt-image"),
        (b"\xff\xd8\xff" + bytes(1_000_000), "source-too-large"),
        (picture(5000, 5000, kind="GIF"), "source-too-large"),
    ],
)
def test_a_bad_source_is_recorded_as_failed_and_not_retried(body: bytes, code: str) -> None:
    upload("bad.jpg", body)

    answer = invoke(messages(notification("bad.jpg")))

    [record] = records()
    assert answer == {"batchItemFailures": []}
    assert (record["status"], record["error_code"]) == ("failed", code)
    assert record["original_file"] == "s3://uploads/bad.jpg"
    assert "processed_file" not in record
    assert renditions() == []


def test_a_source_that_becomes_bad_loses_its_renditions() -> None:
    upload("rio.jpg", picture())
    invoke(messages(notification("rio.jpg")))

    upload("rio.jpg", b"text")
    invoke(messages(notification("rio.jpg")))

    [record] = records()
    assert renditions() == []
    assert record["error_code"] == "unsupported-format"


def test_a_deleted_source_is_withdrawn_with_its_records() -> None:
    upload("cats/rio.jpg", picture())
    upload("cats", picture())
    invoke(messages(notification("cats/rio.jpg", "cats")))

    client("s3").delete_object(Bucket=UPLOADS, Key="cats")
    invoke(messages(notification("cats")))

    assert renditions() == ["cats/rio.jpg/thumbnail"]
    assert [record["original_file"] for record in records()] == ["s3://uploads/cats/rio.jpg"]


def test_with_versions_the_renditions_are_those_of_the_current_one() -> None:
    s3 = client("s3")
    s3.put_bucket_versioning(Bucket=UPLOADS, VersioningConfiguration={"Status": "Enabled"})
    etags, versions = [], []
    for colour in ("teal", "red"):
        put = s3.put_object(Bucket=UPLOADS, Key="rio.jpg", Body=picture(colour=colour))
        etags.append(put["ETag"].strip('"'))
        versions.append(put["VersionId"])
    marker: list[str] = []

    def stored() -> tuple[list[str], list[str]]:
        invoke(messages(notification("rio.jpg")))
        made = [rendition(key)["Metadata"]["source-etag"] for key in renditions()]
        return made, [record["source_version_id"] for record in records()]

    assert stored() == ([etags[1]], [versions[1]])
    s3.delete_object(Bucket=UPLOADS, Key="rio.jpg", VersionId=versions[0])  # a former one
    assert stored() == ([etags[1]], [versions[1]])
    s3.put_object(Bucket=UPLOADS, Key="rio.jpg", Body=picture(colour="teal"))
    marker.append(s3.delete_object(Bucket=UPLOADS, Key="rio.jpg")["VersionId"])
    assert stored() == ([], [])
    s3.delete_object(Bucket=UPLOADS, Key="rio.jpg", VersionId=marker[0])  # the marker: undeleted
    assert stored()[0] == [etags[0]]
    s3.delete_object(Bucket=UPLOADS, Key="rio.jpg")
    assert stored() == ([], [])
    last = s3.put_object(Bucket=UPLOADS, Key="rio.jpg", Body=picture(colour="red"))
    assert stored() == ([etags[1]], [last["VersionId"]])


def test_an_overwritten_source_loses_its_on_demand_renditions() -> None:
    upload("rio.jpg", picture())
    post({"key": "rio.jpg", "transformation": "width=50"})

    upload("rio.jpg", picture(colour="red"))
    invoke(messages(notification("rio.jpg")))

    assert renditions() == ["rio.jpg/thumbnail"]
    assert [record["variant"] for record in records()] == ["thumbnail"]


def test_the_test_event_of_s3_succeeds() -> None:
    assert invoke(messages(recorded("s3-test.json"))) == {"batchItemFailures": []}


def test_another_bucket_is_refused_and_not_retried(capsys: pytest.CaptureFixture[str]) -> None:
    answer = invoke(messages(notification("rio.jpg", bucket="strangers")))

    assert answer == {"batchItemFailures": []}
    assert '"forbidden-source"' in capsys.readouterr().out


def test_a_notification_without_a_queue_is_processed() -> None:
    upload("a b.jpg", picture())

    assert invoke(notification("a b.jpg")) is None

    assert renditions() == ["a=20b.jpg/thumbnail"]


def test_a_key_from_eventbridge_is_not_decoded() -> None:
    event = recorded("eventbridge-object-created.json")
    event["detail"]["object"]["key"] = "a b+c%20d.jpg"
    upload("a b+c%20d.jpg", picture())

    invoke(event)

    assert renditions() == ["a=20b=2Bc=2520d.jpg/thumbnail"]


def test_the_test_event_without_a_queue_succeeds() -> None:
    assert invoke(recorded("s3-test.json")) is None


def test_without_a_queue_a_retryable_error_is_raised_after_the_other_sources(environment: pytest.MonkeyPatch) -> None:
    upload("good.jpg", picture())
    upload("other.jpg", picture(colour="red"))
    failing(environment, "PutObject", "SlowDown", key="other.jpg")

    with pytest.raises(app.ImageProcessorError, match="S3 is busy"):
        invoke(notification("other.jpg", "good.jpg"))

    assert renditions() == ["good.jpg/thumbnail"]


def test_an_unknown_event_is_raised() -> None:
    with pytest.raises(app.ImageProcessorError, match="neither of S3 nor of the API"):
        invoke({"hello": "world"})
