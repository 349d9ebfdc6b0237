"""Requests to the Function URL: renditions by their URL."""

import io
import json
from base64 import b64decode
from typing import Any

import pytest
from PIL import Image

from image_processor.services import services
from image_processor.urls.signatures import sign

from .buckets import PROCESSED, client, failing, picture, upload
from .events import invoke, recorded

pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture(autouse=True)
def key(environment: pytest.MonkeyPatch) -> str:
    secret = client("secretsmanager").create_secret(Name="signing", SecretString="s" * 64)
    environment.setenv("SIGNING_SECRET", secret["ARN"])
    services.cache_clear()
    return "s" * 64


def get(path: str, written: str = "") -> dict[str, Any]:
    event = recorded("function-url.json")
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    event["headers"]["x-image-request"] = written or path
    return invoke(event)


def test_a_signed_rendition_is_rendered_stored_and_returned(key: str) -> None:
    upload("cats/rio.jpg", picture())
    signature = sign(key, "/cats/rio.jpg", {"width": "40", "format": "auto"})

    reply = get("/cats/rio.jpg/width=40,format=webp", f"/cats/rio.jpg?width=40&format=auto&sig={signature}")

    assert (reply["statusCode"], reply["headers"]["Content-Type"]) == (200, "image/webp")
    assert Image.open(io.BytesIO(b64decode(reply["body"]))).size == (40, 30)
    stored = client("s3").get_object(Bucket=PROCESSED, Key="cats/rio.jpg/width=40,format=webp")
    assert stored["Body"].read() == b64decode(reply["body"])
    assert stored["ContentDisposition"] == 'inline; filename="rio-40x30.webp"'


def test_an_unsigned_request_is_refused_and_stores_nothing() -> None:
    upload("cats/rio.jpg", picture())

    reply = get("/cats/rio.jpg/width=40")

    assert reply["statusCode"] == 403
    assert json.loads(b64decode(reply["body"]))["error"]["code"] == "bad-signature"
    assert "Contents" not in client("s3").list_objects_v2(Bucket=PROCESSED)


def test_a_request_writes_one_log_line(capsys: pytest.CaptureFixture[str]) -> None:
    upload("cats/rio.jpg", picture())
    for _ in range(2):
        assert get("/cats/rio.jpg/thumbnail")["statusCode"] == 200

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [(line["message"], line["path"], line["status"]) for line in lines if "message" in line]
    assert told == [
        ("rendered", "/cats/rio.jpg/thumbnail", 200),
        ("answered", "/cats/rio.jpg/thumbnail", 200),
    ]
    [metrics] = [line for line in lines if "_aws" in line]
    assert metrics["Renditions"] == [1.0]


def test_an_outage_returns_503_and_counts_a_fault(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(environment, "GetObject", "SlowDown")

    reply = get("/cats/rio.jpg/thumbnail")

    assert (reply["statusCode"], reply["headers"]["Retry-After"]) == (503, "5")
    assert any('"Faults"' in line for line in capsys.readouterr().out.splitlines())


def test_invalid_settings_return_500(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("VARIANTS", "thumbnail:width=0")
    services.cache_clear()

    reply = get("/cats/rio.jpg/thumbnail")

    assert reply["statusCode"] == 500
    assert json.loads(b64decode(reply["body"]))["error"]["code"] == "invalid-settings"
