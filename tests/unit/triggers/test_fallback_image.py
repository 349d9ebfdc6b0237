"""The fallback image: which errors it replaces, in which size, and what happens when it can't be rendered."""

import json
from base64 import b64decode
from types import SimpleNamespace

import pytest
from PIL import Image

from image_processor import telemetry
from image_processor.errors import BadSignature, SourceNotFound, Throttled
from image_processor.triggers import function_url
from image_processor.triggers.fallback_image import FallbackImage
from image_processor.triggers.function_url import Delivery

from ..pictures import decode, encode
from .function_url_requests import Keys, request, signed

KEY = "cats/rio.png"
RED = encode(Image.new("RGB", (40, 30), "red"), "png")
BLUE = encode(Image.new("RGB", (40, 30), "blue"), "png")


@pytest.fixture
def delivery_with_fallback(pipeline, s3) -> Delivery:
    s3.upload("fallback.png", BLUE)
    return Delivery(pipeline, Keys(), fallback=FallbackImage(pipeline, "fallback.png"))


def colour_and_size(response) -> tuple:
    picture = decode(b64decode(response["body"])).convert("RGB")
    return picture.getpixel((1, 1)), picture.size


def test_the_fallback_image_replaces_a_missing_rendition_in_its_size(delivery_with_fallback):
    response = delivery_with_fallback.refusal(request("/gone.png/wide"), SourceNotFound("no"))

    assert colour_and_size(response) == ((0, 0, 255), (16, 12))
    assert response["statusCode"] == 404
    assert response["headers"]["Cache-Control"] == "public, max-age=1"
    assert response["headers"]["Content-Type"] == "image/png"
    assert response["headers"]["X-Error-Code"] == "source-not-found"
    assert "ETag" not in response["headers"]


def test_the_fallback_image_has_the_size_that_was_signed(delivery_with_fallback):
    event = request("/gone.png/width=4", signed("/gone.png", width="4"))

    assert colour_and_size(delivery_with_fallback.refusal(event, SourceNotFound("no")))[1] == (4, 3)


@pytest.mark.parametrize("path", ["/gone.png/width=7", "/gone.png/other", "/"])
def test_a_rejected_request_gets_the_first_variant_of_the_fallback_image(delivery_with_fallback, s3, path):
    response = delivery_with_fallback.refusal(request(path), BadSignature("no"))

    assert colour_and_size(response)[1] == (8, 8)
    assert response["statusCode"] == 403
    assert list(s3.renditions()) == ["fallback.png/thumbnail"]


def test_a_variant_that_fails_for_the_fallback_image_is_replaced_by_the_first(new_pipeline, s3, monkeypatch):
    monkeypatch.setattr(telemetry, "fault", lambda *_: None)
    s3.upload("fallback.png", BLUE)
    pipeline = new_pipeline("thumbnail:width=8,height=8;cut:crop=500_500_10_10")
    delivery = Delivery(pipeline, Keys(), fallback=FallbackImage(pipeline, "fallback.png"))

    for path in ("/gone.png/cut", "/gone.png/cut", "/gone.png/thumbnail"):
        response = delivery.refusal(request(path), SourceNotFound("no"))
        assert colour_and_size(response) == ((0, 0, 255), (8, 8))


def test_a_fallback_image_too_large_for_a_response_is_replaced_by_json(delivery_with_fallback, monkeypatch):
    monkeypatch.setattr(function_url, "MAX_BODY", 10)

    response = delivery_with_fallback.refusal(request("/gone.png/thumbnail"), SourceNotFound("no"))

    assert json.loads(b64decode(response["body"]))["error"]["code"] == "source-not-found"


def test_a_wrong_signature_is_checked_only_once(pipeline, s3):
    s3.upload("fallback.png", BLUE)
    checked = []

    class CountingKeys(Keys):
        def check(self, *arguments) -> None:
            checked.append(arguments)
            super().check(*arguments)

    delivery = Delivery(pipeline, CountingKeys(), fallback=FallbackImage(pipeline, "fallback.png"))
    s3.upload(KEY, RED)
    event = request(f"/{KEY}/width=4", f"/{KEY}?width=4&sig=x")
    with pytest.raises(BadSignature) as caught:
        delivery.answer(event)

    assert delivery.refusal(event, caught.value)["statusCode"] == 403
    assert len(checked) == 1


def test_a_retryable_error_is_json_without_reading_the_fallback_image(delivery_with_fallback, s3):
    response = delivery_with_fallback.refusal(request("/gone.png/thumbnail"), Throttled("no"))

    assert json.loads(b64decode(response["body"]))["error"]["code"] == "throttled"
    assert not s3.calls


def test_a_fallback_image_that_failed_is_not_retried_for_a_minute(pipeline, s3, monkeypatch):
    monkeypatch.setattr(telemetry, "fault", lambda *_: None)
    clock = SimpleNamespace(now=0.0)
    s3.upload("fallback.png", RED[:60])
    delivery = Delivery(pipeline, Keys(), fallback=FallbackImage(pipeline, "fallback.png", lambda: clock.now))
    for _ in range(3):
        delivery.refusal(request("/gone.png/thumbnail"), SourceNotFound("no"))
    assert s3.count("put_object") == 0
    calls = len(s3.calls)
    s3.upload("fallback.png", BLUE)
    delivery.refusal(request("/gone.png/thumbnail"), SourceNotFound("no"))
    assert len(s3.calls) == calls

    clock.now += 60
    assert colour_and_size(delivery.refusal(request("/gone.png/thumbnail"), SourceNotFound("no")))[0] == (0, 0, 255)


def test_a_missing_fallback_image_is_replaced_by_json_and_logged(delivery_with_fallback, s3, monkeypatch):
    faults = []
    monkeypatch.setattr(telemetry, "fault", lambda route, error: faults.append((route, error.code)))
    s3.delete("fallback.png")

    response = delivery_with_fallback.refusal(request("/gone.png/thumbnail"), SourceNotFound("no"))

    assert json.loads(b64decode(response["body"]))["error"]["code"] == "source-not-found"
    assert faults == [("fallback image fallback.png", "source-not-found")]
