"""Delivery: what a request over the Function URL gets, and who may have a picture made."""

import json
import math
import time
from base64 import b64decode
from email.utils import format_datetime

import pytest
from PIL import Image

from image_processor import telemetry
from image_processor.errors import (
    BadSignature,
    CorruptImage,
    InvalidRequest,
    InvalidTransformation,
    RouteNotFound,
    SourceNotFound,
    Throttled,
    Unavailable,
)
from image_processor.triggers import function_url
from image_processor.triggers.function_url import MAX_BODY, Delivery

from ..fakes import PROCESSED, client_error
from ..pictures import decode, encode
from .function_url_requests import Keys, request, signed

KEY = "cats/rio.png"
RED = encode(Image.new("RGB", (40, 30), "red"), "png")


@pytest.fixture
def desk(pipeline, s3) -> Delivery:
    s3.upload(KEY, RED)
    return Delivery(pipeline, Keys())


def ask(desk, *arguments, **named) -> dict:
    with telemetry.working():
        return desk.answer(request(*arguments, **named)).response


def test_a_variant_that_is_kept_is_served_as_it_is(desk, pipeline, s3):
    pipeline.publish(KEY)
    kept = s3.objects[PROCESSED, f"{KEY}/thumbnail"]
    puts = s3.count("put_object")

    reply = ask(desk, f"/{KEY}/thumbnail")

    assert reply["statusCode"] == 200
    assert reply["isBase64Encoded"] is True
    assert b64decode(reply["body"]) == kept.body
    headers = reply["headers"]
    assert headers["ETag"] == f'"{kept.etag}"'
    assert headers["Last-Modified"] == format_datetime(kept.modified_at, usegmt=True)
    assert headers["Cache-Control"] == "public, max-age=300"
    assert headers["Content-Type"] == "image/png"
    assert headers["Content-Disposition"] == 'inline; filename="rio-thumbnail.png"'
    assert s3.count("put_object") == puts
    assert not s3.open_bodies


def test_a_variant_is_made_before_its_upload_was_processed(desk, s3, table):
    reply = ask(desk, f"/{KEY}/thumbnail")

    assert decode(b64decode(reply["body"])).size == (8, 8)
    assert list(s3.renditions()) == [f"{KEY}/thumbnail"]
    assert list(table.records()) == [f"s3://uploads/{KEY}/thumbnail"]


def test_a_made_picture_is_told_as_the_kept_one_will_be(desk):
    made = ask(desk, f"/{KEY}/thumbnail")
    kept = ask(desk, f"/{KEY}/thumbnail")

    timing = made["headers"].pop("Server-Timing")
    assert {step.partition(";dur=")[0] for step in timing.split(", ")} >= {"find", "read", "render", "put", "record"}
    assert kept["headers"].pop("Server-Timing").startswith("find;dur=")
    del made["headers"]["Last-Modified"], kept["headers"]["Last-Modified"]
    assert made == kept


def test_a_signed_picture_is_made_and_stored(desk, s3):
    reply = ask(desk, f"/{KEY}/width=4", signed(f"/{KEY}", width="4"))

    assert decode(b64decode(reply["body"])).size == (4, 3)
    assert list(s3.renditions()) == [f"{KEY}/width=4"]


def test_what_is_kept_is_served_without_a_signature(desk):
    ask(desk, f"/{KEY}/width=4", signed(f"/{KEY}", width="4"))

    assert ask(desk, f"/{KEY}/width=4")["statusCode"] == 200


@pytest.mark.parametrize("format", ["avif", "webp", None])
def test_a_format_that_the_edge_chose_is_what_was_signed(desk, format):  # noqa: A002 - the option's name
    text = f"width=4,format={format}" if format else "width=4"

    assert ask(desk, f"/{KEY}/{text}", signed(f"/{KEY}", width="4", format="auto"))["statusCode"] == 200


def test_a_format_that_was_not_left_to_the_edge_is_not(desk):
    with pytest.raises(BadSignature):
        ask(desk, f"/{KEY}/width=4,format=avif", signed(f"/{KEY}", width="4"))


def test_a_size_that_the_edge_rounded_is_what_was_signed(pipeline, s3):
    s3.upload(KEY, RED)
    desk = Delivery(pipeline, Keys(), ladder=(8, 16))

    assert ask(desk, f"/{KEY}/width=8", signed(f"/{KEY}", width="5"))["statusCode"] == 200
    with pytest.raises(BadSignature):
        ask(desk, f"/{KEY}/width=16", signed(f"/{KEY}", width="5"))


def test_a_rendition_s_own_path_may_be_signed(desk):
    assert ask(desk, f"/{KEY}/width=4", signed(f"/{KEY}/width=4"))["statusCode"] == 200


def test_an_expiry_in_the_future_is_fine(desk):
    written = signed(f"/{KEY}", width="4", exp=str(int(time.time()) + 60))

    assert ask(desk, f"/{KEY}/width=4", written)["statusCode"] == 200


@pytest.mark.parametrize(
    "written",
    [
        None,
        f"/{KEY}?width=4",
        signed(f"/{KEY}", key="other", width="4"),
        signed(f"/{KEY}", width="5"),
        signed("/cats/other.png", width="4"),
        signed(f"/{KEY}", width="4", exp="1600000000"),
        signed(f"/{KEY}", width="4").replace("width=4", "width=5"),
        signed(f"/{KEY}/thumbnail"),
        signed(f"/{KEY}"),
    ],
    ids=["none", "unsigned", "other key", "other size", "other source", "expired", "tampered", "variant's", "source's"],
)
def test_without_its_signature_a_picture_is_not_made(desk, s3, written):
    with pytest.raises(BadSignature):
        ask(desk, f"/{KEY}/width=4", written)

    assert not s3.renditions()
    assert s3.count("read") == 0


@pytest.mark.parametrize(
    "query",
    [
        "width=4&exp=abc&sig=x",
        "width=4&exp=&sig=x",
        "width=4&exp=%D9%A3&sig=x",
        "width=0&sig=x",
        "x=y&sig=x",
        "width=4",
        "sig=x",
        "sig=",
        "exp=5",
        "width=4&width=5&sig=x",
        "%ff=%ff&sig=%ff",
        "width=4&sig=%ED%A0%80",
        "=",
        "a?b=c&sig=?",
    ],
)
def test_nothing_of_an_unsigned_request_is_an_error_that_caches_keep(desk, query):
    with pytest.raises(BadSignature):
        ask(desk, f"/{KEY}/width=4", f"/{KEY}?{query}")


def test_a_signed_expiry_that_is_no_time_is_told_as_such(desk):
    with pytest.raises(InvalidRequest, match="exp"):
        ask(desk, f"/{KEY}/width=4", signed(f"/{KEY}", width="4", exp="abc"))


@pytest.mark.parametrize("reserved", ["Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"])
def test_cloudfront_s_own_signature_may_stand_beside_ours(desk, reserved):
    written = f"{signed(f'/{KEY}', width='4')}&{reserved}=x"

    assert ask(desk, f"/{KEY}/width=4", written)["statusCode"] == 200


def open_desk(pipeline) -> Delivery:
    return Delivery(pipeline, Keys(), ladder=(4, 8, 16), allow_unsigned=True)


@pytest.mark.parametrize(
    "text", ["width=4", "height=8", "width=8,height=16", "width=4,height=4,fit=inside,format=webp"]
)
def test_within_the_ladder_a_stack_may_allow_unsigned_requests(pipeline, s3, text):
    s3.upload(KEY, RED)

    assert ask(open_desk(pipeline), f"/{KEY}/{text}")["statusCode"] == 200


@pytest.mark.parametrize(
    "text", ["width=5", "width=4,height=5", "format=webp", "format=auto", "width=4,blur=3", "width=4,quality=50"]
)
def test_beyond_the_ladder_unsigned_requests_are_refused_there_too(pipeline, s3, text):
    s3.upload(KEY, RED)

    with pytest.raises(BadSignature):
        ask(open_desk(pipeline), f"/{KEY}/{text}")


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/", RouteNotFound),
        ("/thumbnail", RouteNotFound),
        (f"/{KEY}", RouteNotFound),
        (f"/{KEY}/", RouteNotFound),
        (f"/{KEY}/other", RouteNotFound),
        (f"/{KEY}/width=0", InvalidTransformation),
        (f"/{KEY}/height=4,width=4", InvalidTransformation),
        (f"/{KEY}/WIDTH=4", InvalidTransformation),
        ("/gone.png/thumbnail", SourceNotFound),
        (f"/{'k' * 1020}/thumbnail", InvalidRequest),
        ("/cats/../rio.png/thumbnail", SourceNotFound),
        ("//cats/rio.png/thumbnail", SourceNotFound),
        ("/cats//rio.png/thumbnail", SourceNotFound),
    ],
)
def test_what_is_no_picture_is_an_error(desk, s3, path, error):
    with pytest.raises(error):
        ask(desk, path)

    assert not s3.renditions()


def test_a_path_that_is_not_utf_8_is_an_error(desk):
    event = request("/")
    event["rawPath"] = "/%ff%fe/thumbnail"

    with pytest.raises(InvalidRequest, match="UTF-8"):
        desk.answer(event)


@pytest.mark.parametrize(
    "key", ["a b.png", "ü/日本.png", "100%.png", "a+b.png", "what?.png", "a%2Fb.png", "/a.png", "..", "a/../b"]
)
def test_any_key_is_found_by_its_encoded_path(desk, s3, key):
    s3.upload(key, RED)

    assert ask(desk, f"/{key}/thumbnail")["statusCode"] == 200
    assert ask(desk, f"/{key}/width=4", signed(f"/{key}", width="4"))["statusCode"] == 200


def test_a_source_that_is_not_there_costs_two_looks(desk, s3, table):
    with pytest.raises(SourceNotFound):
        ask(desk, "/gone.png/thumbnail")

    assert sorted(operation for operation, _ in s3.calls) == ["get_object", "head_upload"]
    assert not table.calls


def test_a_source_that_can_t_be_rendered_is_its_error(desk, s3):
    s3.upload(KEY, RED[:60])

    with pytest.raises(CorruptImage):
        ask(desk, f"/{KEY}/thumbnail")


def test_the_source_itself_is_never_served(desk, s3):
    s3.upload("cats", RED)

    with pytest.raises(RouteNotFound):
        ask(desk, f"/{KEY}")


def test_head_is_get_without_the_body(desk):
    whole = ask(desk, f"/{KEY}/thumbnail")
    head = ask(desk, f"/{KEY}/thumbnail", method="HEAD")

    assert head["body"] == ""
    assert head["headers"]["Content-Length"] == str(len(b64decode(whole["body"])))
    assert head["headers"]["ETag"] == whole["headers"]["ETag"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_no_other_method_is_known(desk, method):
    with pytest.raises(RouteNotFound, match=method):
        ask(desk, f"/{KEY}/thumbnail", method=method)


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_who_has_the_picture_gets_no_other(desk, form):
    etag = ask(desk, f"/{KEY}/thumbnail")["headers"]["ETag"]

    reply = ask(desk, f"/{KEY}/thumbnail", **{"If-None-Match": form.format(etag)})

    assert (reply["statusCode"], reply["body"]) == (304, "")
    assert reply["headers"]["ETag"] == etag
    assert reply["headers"]["Cache-Control"] == "public, max-age=300"


def test_who_has_another_picture_gets_this_one(desk):
    ask(desk, f"/{KEY}/thumbnail")

    assert ask(desk, f"/{KEY}/thumbnail", **{"if-none-match": '"other"'})["statusCode"] == 200


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("Fri, 02 Jan 2026 03:04:05 GMT", 304),
        ("Fri, 02 Jan 2026 03:04:04 GMT", 200),
        ("yesterday", 200),
        ("Fri, 02 Jan 2026 03:04:05 -0000", 200),
    ],
)
def test_a_picture_is_told_by_its_time_too(desk, since, status):
    ask(desk, f"/{KEY}/thumbnail")

    assert ask(desk, f"/{KEY}/thumbnail", **{"if-modified-since": since})["statusCode"] == status


@pytest.fixture
def large(s3):
    """A kept picture that is one byte too large to answer with."""
    s3.upload(KEY, RED)
    s3.objects[PROCESSED, f"{KEY}/thumbnail"] = s3.objects["uploads", KEY].__class__(
        **{**vars(s3.objects["uploads", KEY]), "body": b"x" * (MAX_BODY + 1), "headers": {"ContentType": "image/png"}}
    )


@pytest.mark.usefixtures("large")
def test_a_picture_too_large_to_answer_with_is_where_it_is_stored(desk, s3):
    reply = ask(desk, f"/{KEY}/thumbnail", f"/{KEY}?variant=thumbnail")

    assert reply["statusCode"] == 302
    assert reply["headers"] == {"Location": f"/{KEY}?variant=thumbnail&again=1", "Cache-Control": "no-store"}
    assert s3.count("read") == 0


@pytest.mark.usefixtures("large")
def test_without_a_query_the_redirect_has_the_path(desk):
    assert ask(desk, f"/{KEY}/thumbnail")["headers"]["Location"] == f"/{KEY}/thumbnail?again=1"


@pytest.mark.usefixtures("large")
def test_a_redirect_that_led_here_leads_nowhere_else(desk):
    with pytest.raises(Unavailable):
        ask(desk, f"/{KEY}/thumbnail", f"/{KEY}/thumbnail?again=1")


def test_a_picture_that_was_just_made_is_redirected_to_even_by_a_redirect_s_own_url(desk, monkeypatch):
    monkeypatch.setattr(function_url, "MAX_BODY", 10)

    reply = ask(desk, f"/{KEY}/thumbnail", f"/{KEY}?variant=thumbnail&again=1")

    assert (reply["statusCode"], reply["headers"]["Location"]) == (302, f"/{KEY}?variant=thumbnail&again=1")


@pytest.mark.usefixtures("large")
def test_a_redirect_stays_on_its_host(desk):
    event = request(f"/{KEY}/thumbnail", "//evil.example/x?variant=thumbnail")

    assert desk.answer(event).response["headers"]["Location"] == "/.//evil.example/x?variant=thumbnail&again=1"


def test_a_made_picture_too_large_to_answer_with_is_stored(desk, s3, monkeypatch):
    monkeypatch.setattr(function_url, "MAX_BODY", 10)

    reply = ask(desk, f"/{KEY}/width=4", signed(f"/{KEY}", width="4"))

    assert reply["statusCode"] == 302
    assert list(s3.renditions()) == [f"{KEY}/width=4"]


@pytest.mark.parametrize(
    ("error", "caching"),
    [
        (BadSignature("no"), "no-store"),
        (SourceNotFound("no"), "public, max-age=1"),
        (CorruptImage("no"), "public, max-age=10"),
        (Throttled("no"), "no-store"),
    ],
)
def test_an_error_is_json_and_kept_for_a_moment_at_most(desk, error, caching):
    reply = desk.refusal(request(f"/{KEY}/thumbnail"), error)

    assert reply["statusCode"] == error.status
    assert reply["headers"]["Cache-Control"] == caching
    assert reply["headers"].get("Retry-After") == ("5" if error.retryable else None)
    assert json.loads(b64decode(reply["body"])) == {"error": {"code": error.code, "message": "no", "request_id": "r-1"}}


def test_an_outage_is_told_as_such(desk, s3):
    s3.fail("get_object", 1, client_error("InternalError"))

    with pytest.raises(Unavailable):
        ask(desk, f"/{KEY}/thumbnail")


def test_what_can_t_be_begun_in_time_is_not_begun(desk):
    with pytest.raises(Unavailable):
        desk.answer(request(f"/{KEY}/thumbnail"), deadline=time.monotonic() - 1)
    assert desk.answer(request(f"/{KEY}/thumbnail"), deadline=math.inf).response["statusCode"] == 200
