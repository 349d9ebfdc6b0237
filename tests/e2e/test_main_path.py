"""CloudFront serves the renditions of an upload, the table has its record, and the API renders it."""

import io
import time
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from .local import Stack, eventually, picture


def phone_photo() -> bytes:
    """A portrait as a phone stores it: rotated, with EXIF orientation 6, and with the location where it was taken."""
    upright = Image.new("RGB", (900, 1200), "navy")
    ImageDraw.Draw(upright).rectangle((0, 0, 900, 600), fill="orange")  # the sky is above
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "SecretCamera"
    body = io.BytesIO()
    upright.transpose(Image.Transpose.ROTATE_90).save(body, "JPEG", exif=exif)
    return body.getvalue()


def test_a_photo_uploaded_with_the_aws_cli_is_served_upright_and_private(stack: Stack, tmp_path: Path) -> None:
    photo = tmp_path / "my photo.jpg"
    photo.write_bytes(phone_photo())

    stack.local.aws("s3", "cp", str(photo), f"s3://{stack.outputs['UploadBucketName']}/cats/")
    uploaded = time.monotonic()
    answer = stack.served("cats/my photo.jpg/thumbnail")

    thumbnail = answer.image.convert("RGB")
    red, _, blue = thumbnail.getpixel((64, 10))  # type: ignore[misc]
    assert thumbnail.size == (128, 128)
    assert red > 200 > 100 > blue  # orange, above
    assert thumbnail.getpixel((64, 118))[2] > 100  # type: ignore[index] # navy, below
    assert b"SecretCamera" not in answer.body
    assert time.monotonic() - uploaded < 2, "a thumbnail is there within two seconds of its upload"


def test_what_cloudfront_serves_is_typed_cacheable_and_secured(stack: Stack) -> None:
    stack.upload("headers.jpg", picture())

    headers = stack.served("headers.jpg/thumbnail").headers

    assert headers["content-type"] == "image/jpeg"
    assert headers["cache-control"] == "public, max-age=300"
    assert headers["x-content-type-options"] == "nosniff"
    assert "strict-transport-security" in headers
    assert headers["etag"]


def test_the_record_has_the_rendition_and_its_source(stack: Stack) -> None:
    stack.upload("record.png", picture(kind="PNG"))

    [record] = eventually(lambda: stack.records("record.png"))

    assert record["processed_file"] == f"s3://{stack.outputs['ProcessedBucketName']}/record.png/thumbnail"
    assert (record["width"], record["height"], record["content_type"]) == ("128", "128", "image/png")
    assert record["source_version_id"]


def test_the_api_answers_with_a_url_that_works(stack: Stack) -> None:
    stack.upload("api.jpg", picture())

    answer = stack.post(
        {"bucket": stack.outputs["UploadBucketName"], "key": "api.jpg", "transformation": "width=300,format=webp"}
    )

    [made] = answer.json["renditions"]
    assert answer.status == 200
    url, _, version = made["url"].partition("?v=")
    assert url == f"{stack.local.outputs['CdnUrl']}/api.jpg/width=300,format=webp"
    assert version == stack.records("api.jpg")[0]["source_etag"][:8]
    assert (made["width"], made["height"], made["content_type"]) == (300, 225, "image/webp")
    served = stack.ask(f"/api.jpg/width=300,format=webp?v={version}")
    assert (served.status, served.image.size, len(served.body)) == (200, (300, 225), made["bytes"])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "TIFF", "BMP"])
def test_every_source_format_is_processed(stack: Stack, kind: str) -> None:
    stack.upload(f"formats/{kind}", picture(kind=kind))

    assert stack.served(f"formats/{kind}/thumbnail").image.size == (128, 128)


@pytest.mark.parametrize(
    "key",
    ["a b.jpg", "a+b.jpg", "100%.jpg", "a%20b%2Fc.jpg", "ünï/日本語 🐈.jpg", "what?.jpg", "no#1.jpg",
     "&=;@:$,'()!*~.jpg", "d/e/e/p/e/r/x.jpg",
     "a//b.jpg", "k" * 1000],
)  # fmt: skip
def test_any_key_is_processed_and_served(stack: Stack, key: str) -> None:
    stack.upload(key, picture())

    assert stack.served(f"{key}/thumbnail").image.size == (128, 128)
    [made] = stack.post({"key": key}).json["renditions"]
    assert stack.from_cdn(f"{key}/thumbnail").body, made["url"]


def test_an_overwritten_source_replaces_its_renditions(stack: Stack) -> None:
    stack.upload("overwritten.png", picture(colour="red", kind="PNG"))
    stack.served("overwritten.png/thumbnail")
    stack.post({"key": "overwritten.png", "transformation": "width=20"})

    stack.upload("overwritten.png", picture(colour="lime", kind="PNG"))

    eventually(lambda: stack.from_cdn("overwritten.png/thumbnail").image.convert("RGB").getpixel((9, 9)) == (0, 255, 0))
    eventually(lambda: "overwritten.png/width=20" not in stack.renditions())
    eventually(lambda: "/overwritten.png*" in stack.invalidated())


def test_a_deleted_source_is_withdrawn(stack: Stack) -> None:
    stack.upload("deleted.jpg", picture())
    stack.served("deleted.jpg/thumbnail")
    eventually(lambda: stack.records("deleted.jpg"))

    stack.local.client("s3").delete_object(Bucket=stack.outputs["UploadBucketName"], Key="deleted.jpg")

    eventually(lambda: stack.from_cdn("deleted.jpg/thumbnail").status != 200)
    eventually(lambda: not stack.records("deleted.jpg"))
    eventually(lambda: "/deleted.jpg*" in stack.invalidated())


def test_a_picture_that_was_not_there_before_costs_no_invalidation(stack: Stack) -> None:
    stack.upload("first.jpg", picture())
    eventually(lambda: stack.records("first.jpg"))

    assert "/first.jpg*" not in stack.invalidated()
