"""The HTTP answer of the API: its headers, its errors' one shape, and which origins may read it."""

import json
from copy import deepcopy

import pytest

from image_processor.errors import CorruptImage, error_body
from image_processor.triggers import rest_api


def request(**more) -> dict:
    return {"httpMethod": "POST", "resource": "/images", "headers": {}, "requestContext": {"requestId": "r-1"}, **more}


def test_an_answer_is_json_that_nobody_stores():
    answer = rest_api.response(200, {"name": "ü"}, request(), ["*"])

    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"name": "ü"}
    assert answer["headers"]["Content-Type"] == "application/json"
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert answer["isBase64Encoded"] is False


def test_an_answer_without_a_body_has_an_empty_one():
    assert rest_api.response(204, None, request(), ["*"])["body"] == ""


@pytest.mark.parametrize(("status", "seconds"), [(200, None), (404, None), (500, None), (503, "5")])
def test_who_should_come_back_is_told_when(status, seconds):
    assert rest_api.response(status, {}, request(), ["*"])["headers"].get("Retry-After") == seconds


def test_errors_have_one_shape():
    assert error_body(CorruptImage("the source is broken"), "r-1") == {
        "error": {"code": "corrupt-image", "message": "the source is broken", "request_id": "r-1"}
    }


@pytest.mark.parametrize("origin", ["https://a.example", None])
@pytest.mark.parametrize("status", [200, 204, 400, 503])
def test_any_origin_is_allowed_by_a_star(origin, status):
    headers = rest_api.response(status, None, request(headers={"Origin": origin} if origin else {}), ["*"])["headers"]

    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Vary" not in headers


@pytest.mark.parametrize("name", ["Origin", "origin", "ORIGIN"])
def test_one_origin_of_several_is_allowed_by_its_name(name):
    event = request(headers={name: "https://b.example"})

    headers = rest_api.response(200, None, event, ["https://a.example", "https://b.example"])["headers"]

    assert headers["Access-Control-Allow-Origin"] == "https://b.example"
    assert headers["Access-Control-Allow-Methods"] == "POST,OPTIONS"
    assert headers["Access-Control-Allow-Headers"] == "Content-Type,X-Api-Key"
    assert headers["Vary"] == "Origin"


@pytest.mark.parametrize("origins", [["https://a.example"], []])
@pytest.mark.parametrize(
    "headers",
    [
        None,
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "https://a.example.evil"},
        {"Origin": "HTTPS://A.EXAMPLE"},
        {"Origin": "null"},
    ],
)
def test_another_origin_is_not_allowed_and_caches_are_told_so(origins, headers):
    answered = rest_api.response(200, None, request(headers=headers), origins)["headers"]

    assert not [name for name in answered if name.startswith("Access-Control")]
    assert answered["Vary"] == "Origin"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (request(), True),
        ({"Records": []}, False),
        ({"source": "aws.s3"}, False),
        ({"httpMethod": "POST"}, False),
        ({}, False),
    ],
)
def test_an_api_request_is_told_from_other_events(event, expected):
    before = deepcopy(event)

    assert rest_api.is_api_request(event) is expected
    assert event == before
