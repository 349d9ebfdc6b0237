"""The Function URL: which requests may have a rendition rendered, and the response to each of them."""

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
from image_processor.urls.paths import escape_key

from ..fakes import PROCESSED, client_error
from ..pictures import decode, encode
from .function_url_requests import Keys, request, signed

KEY = "cats/rio.png"
RED = encode(Image.new("RGB", (40, 30), "red"), "png")


@pytest.fixture
def delivery(pipeline, s3) -> Delivery:
    s3.upload(KEY, RED)
    return Delivery(pipeline, Keys())


def send(delivery, *arguments, **keywords) -> dict:
    with telemetry.working():
        return delivery.answer(request(*arguments, **keywords)).response


def test_a_stored_variant_is_served_without_being_rendered_again(delivery, pipeline, s3):
    pipeline.publish(KEY)
    stored = s3.objects[PROCESSED, f"{KEY}/thumbnail"]
    puts = s3.count("put_object")

    response = send(delivery, f"/{KEY}/thumbnail")

    assert response["statusCode"] == 200
    assert response["isBase64Encoded"] is True
    assert b64decode(response["body"]) == stored.body
    headers = response["headers"]
    assert headers["ETag"] == f'"{stored.etag}"'
    assert headers["Last-Modified"] == format_datetime(stored.modified_at, usegmt=True)
    assert headers["Cache-Control"] == "public, max-age=300"
    assert headers["Content-Type"] == "image/png"
    assert headers["Content-Disposition"] == 'inline; filename="rio-thumbnail.png"'
    assert s3.count("put_object") == puts
    assert not s3.open_bodies


def test_a_variant_is_rendered_if_its_upload_is_not_processed_yet(delivery, s3, table):
    response = send(delivery, f"/{KEY}/thumbnail")

    assert decode(b64decode(response["body"])).size == (8, 8)
    assert list(s3.renditions()) == [f"{KEY}/thumbnail"]
    assert list(table.records()) == [f"s3://uploads/{KEY}/thumbnail"]


def test_a_rendered_and_a_stored_rendition_have_the_same_response(delivery):
    rendered = send(delivery, f"/{KEY}/thumbnail")
    stored = send(delivery, f"/{KEY}/thumbnail")

    timing = rendered["headers"].pop("Server-Timing")
    assert {step.partition(";dur=")[0] for step in timing.split(", ")} >= {"find", "read", "render", "put", "record"}
    assert stored["headers"].pop("Server-Timing").startswith("find;dur=")
    del rendered["headers"]["Last-Modified"], stored["headers"]["Last-Modified"]
    assert rendered == stored


def test_a_signed_rendition_is_rendered_and_stored(delivery, s3):
    response = send(delivery, f"/{KEY}/width=4", signed(f"/{KEY}", width="4"))

    assert decode(b64decode(response["body"])).size == (4, 3)
    assert list(s3.renditions()) == [f"{KEY}/width=4"]


def test_the_refusal_of_an_unsigned_request_says_what_needs_no_signature(delivery, pipeline):
    variants = ", ".join(pipeline.variants)

    with pytest.raises(BadSignature) as caught:
        send(delivery, f"/{KEY}/width=4")
    with pytest.raises(BadSignature) as caught_by_open:
        send(delivery_allowing_unsigned(pipeline), f"/{KEY}/width=5")

    said = f"the signature is missing: parameter sig; allowed without it: the variants {variants}"
    assert str(caught.value) == said
    assert str(caught_by_open.value) == f"{said}; width, height, dpr, fit and format with sides of 4, 8, 16"


def test_an_unsigned_request_is_refused_before_any_call_to_aws(delivery, s3, table):
    for path in (f"/{KEY}/width=4", "/gone.png/width=4"):
        with pytest.raises(BadSignature):
            send(delivery, path)

    assert not s3.calls
    assert not table.calls


def test_a_version_in_the_url_changes_nothing(delivery):
    for written in (signed(f"/{KEY}", width="4", v="0123abcd"), signed(f"/{KEY}/width=4", v="0123abcd")):
        assert send(delivery, f"/{KEY}/width=4", written.replace("0123abcd", "abcd0123"))["statusCode"] == 200


def test_a_signed_path_whose_position_has_a_space_is_still_valid(delivery):
    name = "width=4,height=4,position=right-top"

    response = send(delivery, f"/{KEY}/{name}", signed(f"/{KEY}/{name.replace('right-top', 'right top')}"))

    assert response["statusCode"] == 200


@pytest.mark.parametrize("format", ["avif", "webp", None])
def test_a_signature_for_format_auto_covers_the_format_that_the_edge_chose(delivery, format):  # noqa: A002 - the option's name
    text = f"width=4,format={format}" if format else "width=4"

    assert send(delivery, f"/{KEY}/{text}", signed(f"/{KEY}", width="4", format="auto"))["statusCode"] == 200


def test_a_signature_without_a_format_does_not_cover_another_format(delivery):
    with pytest.raises(BadSignature):
        send(delivery, f"/{KEY}/width=4,format=avif", signed(f"/{KEY}", width="4"))


def test_a_signature_covers_the_size_that_the_edge_rounded_up(pipeline, s3):
    s3.upload(KEY, RED)
    delivery = Delivery(pipeline, Keys(), ladder=(8, 16))

    assert send(delivery, f"/{KEY}/width=8", signed(f"/{KEY}", width="5"))["statusCode"] == 200
    with pytest.raises(BadSignature):
        send(delivery, f"/{KEY}/width=16", signed(f"/{KEY}", width="5"))


def test_a_signature_of_the_path_of_a_rendition_is_valid(delivery):
    assert send(delivery, f"/{KEY}/width=4", signed(f"/{KEY}/width=4"))["statusCode"] == 200


def test_a_signature_that_expires_in_the_future_is_valid(delivery):
    written = signed(f"/{KEY}", width="4", exp=str(int(time.time()) + 60))

    assert send(delivery, f"/{KEY}/width=4", written)["statusCode"] == 200


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
def test_without_a_valid_signature_for_it_nothing_is_rendered(delivery, s3, written):
    with pytest.raises(BadSignature):
        send(delivery, f"/{KEY}/width=4", written)

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
def test_an_unsigned_request_never_gets_an_error_that_is_cached(delivery, query):
    with pytest.raises(BadSignature):
        send(delivery, f"/{KEY}/width=4", f"/{KEY}?{query}")


def test_a_signed_expiry_that_is_not_a_time_is_an_invalid_request(delivery):
    with pytest.raises(InvalidRequest, match="exp"):
        send(delivery, f"/{KEY}/width=4", signed(f"/{KEY}", width="4", exp="abc"))


@pytest.mark.parametrize("reserved", ["Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"])
def test_the_parameters_of_cloudfront_signed_urls_are_ignored(delivery, reserved):
    written = f"{signed(f'/{KEY}', width='4')}&{reserved}=x"

    assert send(delivery, f"/{KEY}/width=4", written)["statusCode"] == 200


def delivery_allowing_unsigned(pipeline) -> Delivery:
    return Delivery(pipeline, Keys(), ladder=(4, 8, 16), allow_unsigned=True)


@pytest.mark.parametrize(
    "text", ["width=4", "height=8", "width=8,height=16", "width=4,height=4,fit=inside,format=webp"]
)
def test_an_unsigned_request_for_sizes_on_the_ladder_can_be_allowed(pipeline, s3, text):
    s3.upload(KEY, RED)

    assert send(delivery_allowing_unsigned(pipeline), f"/{KEY}/{text}")["statusCode"] == 200


@pytest.mark.parametrize(
    "text", ["width=5", "width=4,height=5", "format=webp", "format=auto", "width=4,blur=3", "width=4,quality=50"]
)
def test_an_unsigned_request_for_anything_else_is_rejected(pipeline, s3, text):
    s3.upload(KEY, RED)

    with pytest.raises(BadSignature):
        send(delivery_allowing_unsigned(pipeline), f"/{KEY}/{text}")


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
        ("/cats/../rio.png/thumbnail", RouteNotFound),
        ("//cats/rio.png/thumbnail", RouteNotFound),
        ("/cats//rio.png/thumbnail", RouteNotFound),
        ("/cats/rio=2Epng/thumbnail", RouteNotFound),
        ("/cats/=2E=2E/rio.png/thumbnail", SourceNotFound),
    ],
)
def test_a_path_that_names_no_rendition_is_an_error(delivery, s3, path, error):
    with pytest.raises(error):
        send(delivery, path)

    assert not s3.renditions()


def test_a_path_that_is_not_utf_8_is_an_invalid_request(delivery):
    event = request("/")
    event["rawPath"] = "/%ff%fe/thumbnail"

    with pytest.raises(InvalidRequest, match="UTF-8"):
        delivery.answer(event)


@pytest.mark.parametrize(
    "key", ["a b.png", "ü/日本.png", "100%.png", "a+b.png", "what?.png", "a%2Fb.png", "/a.png", "..", "a/../b"]
)
def test_any_key_is_found_by_its_path(delivery, s3, key):
    s3.upload(key, RED)

    path = f"/{escape_key(key)}"
    assert send(delivery, f"{path}/thumbnail")["statusCode"] == 200
    assert send(delivery, f"{path}/width=4", signed(f"/{key}", width="4"))["statusCode"] == 200
    assert send(delivery, f"{path}/width=5", signed(f"/{key}/width=5"))["statusCode"] == 200


def test_a_missing_source_costs_two_s3_calls(delivery, s3, table):
    with pytest.raises(SourceNotFound):
        send(delivery, "/gone.png/thumbnail")

    assert sorted(operation for operation, _ in s3.calls) == ["get_object", "head_upload"]
    assert not table.calls


def test_a_source_that_failed_raises_its_error_without_being_read_again(delivery, s3, table):
    s3.upload(KEY, RED[:60])
    with pytest.raises(CorruptImage) as first:
        send(delivery, f"/{KEY}/thumbnail")
    reads, writes = s3.count("read"), table.count("batch_write_item")

    for written in (None, signed(f"/{KEY}", width="4")):
        with pytest.raises(CorruptImage) as repeated:
            send(delivery, f"/{KEY}/width=4" if written else f"/{KEY}/thumbnail", written)
        assert str(repeated.value) == str(first.value)

    assert (s3.count("read"), table.count("batch_write_item")) == (reads, writes)


def test_the_source_itself_is_never_served(delivery, s3):
    s3.upload("cats", RED)

    with pytest.raises(RouteNotFound):
        send(delivery, f"/{KEY}")


@pytest.mark.parametrize(
    ("text", "content_type"), [("width=4", "application/octet-stream"), ("width=4,format=webp", "image/webp")]
)
def test_head_of_a_rendition_that_is_not_stored_renders_and_writes_nothing(delivery, s3, table, text, content_type):
    response = send(delivery, f"/{KEY}/{text}", signed(f"/{KEY}/{text}"), method="HEAD")

    assert response["statusCode"] == 200
    assert response["headers"] == {"Cache-Control": "no-store", "Content-Type": content_type}
    assert s3.count("read") == 0
    assert not s3.renditions()
    assert table.count("batch_write_item") == 0


def test_head_has_the_headers_of_get_and_no_body(delivery):
    get = send(delivery, f"/{KEY}/thumbnail")
    head = send(delivery, f"/{KEY}/thumbnail", method="HEAD")

    assert head["body"] == ""
    assert head["headers"]["Content-Length"] == str(len(b64decode(get["body"])))
    assert head["headers"]["ETag"] == get["headers"]["ETag"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_than_get_and_head_are_not_found(delivery, method):
    with pytest.raises(RouteNotFound, match=method):
        send(delivery, f"/{KEY}/thumbnail", method=method)


@pytest.mark.parametrize("header", ["{}", "W/{}", '"other", {}', "*"])
def test_a_matching_if_none_match_gets_304(delivery, header):
    etag = send(delivery, f"/{KEY}/thumbnail")["headers"]["ETag"]

    response = send(delivery, f"/{KEY}/thumbnail", **{"If-None-Match": header.format(etag)})

    assert (response["statusCode"], response["body"]) == (304, "")
    assert response["headers"]["ETag"] == etag
    assert response["headers"]["Cache-Control"] == "public, max-age=300"
    assert response["headers"]["Content-Type"] == "image/png"


def test_an_if_none_match_of_another_etag_gets_the_rendition(delivery):
    send(delivery, f"/{KEY}/thumbnail")

    assert send(delivery, f"/{KEY}/thumbnail", **{"if-none-match": '"other"'})["statusCode"] == 200


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("Fri, 02 Jan 2026 03:04:05 GMT", 304),
        ("Fri, 02 Jan 2026 03:04:04 GMT", 200),
        ("yesterday", 200),
        ("Fri, 02 Jan 2026 03:04:05 -0000", 200),
    ],
)
def test_if_modified_since_is_compared_with_the_time_of_the_rendition(delivery, since, status):
    send(delivery, f"/{KEY}/thumbnail")

    assert send(delivery, f"/{KEY}/thumbnail", **{"if-modified-since": since})["statusCode"] == status


@pytest.fixture
def too_large_rendition(s3):
    """A stored rendition that is one byte too large for a response."""
    s3.upload(KEY, RED)
    s3.objects[PROCESSED, f"{KEY}/thumbnail"] = s3.objects["uploads", KEY].__class__(
        **{**vars(s3.objects["uploads", KEY]), "body": b"x" * (MAX_BODY + 1), "headers": {"ContentType": "image/png"}}
    )


@pytest.mark.usefixtures("too_large_rendition")
def test_a_stored_rendition_too_large_for_a_response_is_redirected_to(delivery, s3):
    response = send(delivery, f"/{KEY}/thumbnail", f"/{KEY}?variant=thumbnail")

    assert response["statusCode"] == 302
    assert response["headers"] == {"Location": f"/{KEY}?variant=thumbnail&again=1", "Cache-Control": "no-store"}
    assert s3.count("read") == 0


@pytest.mark.usefixtures("too_large_rendition")
def test_a_redirect_without_a_query_has_the_path(delivery):
    assert send(delivery, f"/{KEY}/thumbnail")["headers"]["Location"] == f"/{KEY}/thumbnail?again=1"


@pytest.mark.usefixtures("too_large_rendition")
def test_a_request_that_was_redirected_is_not_redirected_again(delivery):
    with pytest.raises(Unavailable):
        send(delivery, f"/{KEY}/thumbnail", f"/{KEY}/thumbnail?again=1")


def test_a_redirected_request_that_renders_anew_is_redirected_once_more(delivery, monkeypatch):
    monkeypatch.setattr(function_url, "MAX_BODY", 10)

    response = send(delivery, f"/{KEY}/thumbnail", f"/{KEY}?variant=thumbnail&again=1")

    assert (response["statusCode"], response["headers"]["Location"]) == (302, f"/{KEY}?variant=thumbnail&again=1")


@pytest.mark.usefixtures("too_large_rendition")
@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("//evil.example/x", "/.//evil.example/x"),
        ("/\\evil.example/x", "/%5Cevil.example/x"),
        ("/\t/evil.example/x", "/%09/evil.example/x"),
        ("/my%20cat.jpg", "/my%20cat.jpg"),
    ],
)
def test_a_redirect_stays_on_its_host(delivery, path, location):
    event = request(f"/{KEY}/thumbnail", f"{path}?variant=thumbnail")

    assert delivery.answer(event).response["headers"]["Location"] == f"{location}?variant=thumbnail&again=1"


def test_a_new_rendition_too_large_for_a_response_is_stored_and_redirected_to(delivery, s3, monkeypatch):
    monkeypatch.setattr(function_url, "MAX_BODY", 10)

    response = send(delivery, f"/{KEY}/width=4", signed(f"/{KEY}", width="4"))

    assert response["statusCode"] == 302
    assert list(s3.renditions()) == [f"{KEY}/width=4"]


@pytest.mark.parametrize(
    ("error", "cache_control"),
    [
        (BadSignature("no"), "no-store"),
        (SourceNotFound("no"), "public, max-age=1"),
        (CorruptImage("no"), "public, max-age=10"),
        (Throttled("no"), "no-store"),
    ],
)
def test_an_error_is_json_with_a_cache_control_by_its_status(delivery, error, cache_control):
    response = delivery.refusal(request(f"/{KEY}/thumbnail"), error)

    assert response["statusCode"] == error.status
    assert response["headers"]["Cache-Control"] == cache_control
    assert response["headers"].get("Retry-After") == ("5" if error.retryable else None)
    assert json.loads(b64decode(response["body"])) == {
        "error": {"code": error.code, "message": "no", "request_id": "r-1"}
    }


def test_an_s3_outage_raises_unavailable(delivery, s3):
    s3.fail("get_object", 1, client_error("InternalError"))

    with pytest.raises(Unavailable):
        send(delivery, f"/{KEY}/thumbnail")


def test_nothing_is_rendered_without_enough_time_left(delivery):
    with pytest.raises(Unavailable):
        delivery.answer(request(f"/{KEY}/thumbnail"), deadline=time.monotonic() - 1)
    assert delivery.answer(request(f"/{KEY}/thumbnail"), deadline=math.inf).response["statusCode"] == 200
