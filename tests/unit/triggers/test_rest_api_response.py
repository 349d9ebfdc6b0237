"""Responses of the REST API: their headers, the shape of errors, and which origins CORS allows."""

import json
from copy import deepcopy

import pytest

from image_processor.errors import CorruptImage, error_body
from image_processor.triggers import rest_api


def request(**more) -> dict:
    return {"httpMethod": "POST", "resource": "/images", "headers": {}, "requestContext": {"requestId": "r-1"}, **more}


def test_a_response_is_json_that_must_not_be_cached():
    response = rest_api.response(200, {"name": "ü"}, request(), ["*"])

    assert response["statusCode"] == 200
    assert json.loads(response["body"]) == {"name": "ü"}
    assert response["headers"]["Content-Type"] == "application/json"
    assert response["headers"]["Cache-Control"] == "no-store"
    assert response["isBase64Encoded"] is False


def test_a_response_without_a_body_has_an_empty_body():
    assert rest_api.response(204, None, request(), ["*"])["body"] == ""


@pytest.mark.parametrize(("status", "seconds"), [(200, None), (404, None), (500, None), (503, "5")])
def test_a_503_response_has_a_retry_after_header(status, seconds):
    assert rest_api.response(status, {}, request(), ["*"])["headers"].get("Retry-After") == seconds


def test_an_error_has_a_code_a_message_and_the_request_id():
    assert error_body(CorruptImage("the source is broken"), "r-1") == {
        "error": {"code": "corrupt-image", "message": "the source is broken", "request_id": "r-1"}
    }


@pytest.mark.parametrize("origin", ["https://a.example", None])
@pytest.mark.parametrize("status", [200, 204, 400, 503])
def test_a_wildcard_allows_every_origin(origin, status):
    headers = rest_api.response(status, None, request(headers={"Origin": origin} if origin else {}), ["*"])["headers"]

    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Vary" not in headers


@pytest.mark.parametrize("name", ["Origin", "origin", "ORIGIN"])
def test_an_origin_on_the_list_is_allowed_and_varies_the_response(name):
    event = request(headers={name: "https://b.example"})

    headers = rest_api.response(200, None, event, ["https://a.example", "https://b.example"])["headers"]

    assert headers["Access-Control-Allow-Origin"] == "https://b.example"
    assert headers["Access-Control-Allow-Methods"] == "POST,OPTIONS"
    assert "X-Api-Key" in headers["Access-Control-Allow-Headers"].split(",")
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
def test_any_other_origin_is_not_allowed_and_varies_the_response(origins, headers):
    response_headers = rest_api.response(200, None, request(headers=headers), origins)["headers"]

    assert not [name for name in response_headers if name.startswith("Access-Control")]
    assert response_headers["Vary"] == "Origin"


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
def test_an_api_request_is_distinguished_from_other_events(event, expected):
    before = deepcopy(event)

    assert rest_api.is_api_request(event) is expected
    assert event == before
