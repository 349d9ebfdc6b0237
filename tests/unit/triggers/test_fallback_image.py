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
def kind_desk(pipeline, s3) -> Delivery:
    s3.upload("fallback.png", BLUE)
    return Delivery(pipeline, Keys(), fallback=FallbackImage(pipeline, "fallback.png"))


def colour_and_size(reply) -> tuple:
    picture = decode(b64decode(reply["body"])).convert("RGB")
    return picture.getpixel((1, 1)), picture.size


def test_a_fallback_image_stands_for_a_missing_one_in_its_size(kind_desk):
    reply = kind_desk.refusal(request("/gone.png/wide"), SourceNotFound("no"))

    assert colour_and_size(reply) == ((0, 0, 255), (16, 12))
    assert reply["statusCode"] == 404
    assert reply["headers"]["Cache-Control"] == "public, max-age=1"
    assert reply["headers"]["Content-Type"] == "image/png"
    assert reply["headers"]["X-Error-Code"] == "source-not-found"
    assert "ETag" not in reply["headers"]


def test_a_signed_size_is_the_fallback_image_s_too(kind_desk):
    event = request("/gone.png/width=4", signed("/gone.png", width="4"))

    assert colour_and_size(kind_desk.refusal(event, SourceNotFound("no")))[1] == (4, 3)


@pytest.mark.parametrize("path", ["/gone.png/width=7", "/gone.png/other", "/"])
def test_what_may_not_be_made_is_not_made_of_the_fallback_image(kind_desk, s3, path):
    reply = kind_desk.refusal(request(path), BadSignature("no"))

    assert colour_and_size(reply)[1] == (8, 8)
    assert reply["statusCode"] == 403
    assert list(s3.renditions()) == ["fallback.png/thumbnail"]


def test_a_variant_that_the_fallback_image_can_t_give_is_the_first_one(new_pipeline, s3, monkeypatch):
    monkeypatch.setattr(telemetry, "fault", lambda *_: None)
    s3.upload("fallback.png", BLUE)
    pipeline = new_pipeline("thumbnail:width=8,height=8;cut:crop=500_500_10_10")
    desk = Delivery(pipeline, Keys(), fallback=FallbackImage(pipeline, "fallback.png"))

    for path in ("/gone.png/cut", "/gone.png/cut", "/gone.png/thumbnail"):
        reply = desk.refusal(request(path), SourceNotFound("no"))
        assert colour_and_size(reply) == ((0, 0, 255), (8, 8))


def test_a_fallback_image_too_large_to_answer_with_is_none(kind_desk, monkeypatch):
    monkeypatch.setattr(function_url, "MAX_BODY", 10)

    reply = kind_desk.refusal(request("/gone.png/thumbnail"), SourceNotFound("no"))

    assert json.loads(b64decode(reply["body"]))["error"]["code"] == "source-not-found"


def test_a_wrong_signature_is_checked_once(pipeline, s3):
    s3.upload("fallback.png", BLUE)
    checked = []

    class Counting(Keys):
        def check(self, *arguments) -> None:
            checked.append(arguments)
            super().check(*arguments)

    desk = Delivery(pipeline, Counting(), fallback=FallbackImage(pipeline, "fallback.png"))
    s3.upload(KEY, RED)
    event = request(f"/{KEY}/width=4", f"/{KEY}?width=4&sig=x")
    with pytest.raises(BadSignature) as caught:
        desk.answer(event)

    assert desk.refusal(event, caught.value)["statusCode"] == 403
    assert len(checked) == 1


def test_an_outage_is_told_in_words(kind_desk, s3):
    reply = kind_desk.refusal(request("/gone.png/thumbnail"), Throttled("no"))

    assert json.loads(b64decode(reply["body"]))["error"]["code"] == "throttled"
    assert not s3.calls


def test_a_fallback_image_that_can_t_be_had_is_left_alone_for_a_minute(pipeline, s3, monkeypatch):
    monkeypatch.setattr(telemetry, "fault", lambda *_: None)
    clock = SimpleNamespace(now=0.0)
    s3.upload("fallback.png", RED[:60])
    desk = Delivery(pipeline, Keys(), fallback=FallbackImage(pipeline, "fallback.png", lambda: clock.now))
    for _ in range(3):
        desk.refusal(request("/gone.png/thumbnail"), SourceNotFound("no"))
    assert s3.count("put_object") == 0
    tried = len(s3.calls)
    s3.upload("fallback.png", BLUE)
    desk.refusal(request("/gone.png/thumbnail"), SourceNotFound("no"))
    assert len(s3.calls) == tried

    clock.now += 60
    assert colour_and_size(desk.refusal(request("/gone.png/thumbnail"), SourceNotFound("no")))[0] == (0, 0, 255)


def test_without_the_fallback_image_there_is_json(kind_desk, s3, monkeypatch):
    faults = []
    monkeypatch.setattr(telemetry, "fault", lambda route, error: faults.append((route, error.code)))
    s3.delete("fallback.png")

    reply = kind_desk.refusal(request("/gone.png/thumbnail"), SourceNotFound("no"))

    assert json.loads(b64decode(reply["body"]))["error"]["code"] == "source-not-found"
    assert faults == [("fallback image fallback.png", "source-not-found")]
