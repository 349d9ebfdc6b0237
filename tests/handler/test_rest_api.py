"""POST /images: what it renders, what it answers, and its errors."""

import pytest

from image_processor.triggers import rest_api

from .buckets import UPLOADS, failing, picture, records, rendition, renditions, upload
from .events import api_request, invoke, post

REQUEST, TRANSFORMATION = "invalid-request", "invalid-transformation"
pytestmark = pytest.mark.usefixtures("environment")


def test_a_post_returns_the_renditions() -> None:
    upload("cats/rio ü.jpg", picture())

    status, body = post({"bucket": UPLOADS, "key": "cats/rio ü.jpg"})

    [made] = body["renditions"]
    assert status == 200
    assert body["original_file"] == "s3://uploads/cats/rio ü.jpg"
    assert made == {
        "id": records()[0]["id"],
        "processed_file": "s3://processed/cats/rio=20=C3=BC.jpg/thumbnail",
        "url": f"https://d111111abcdef8.cloudfront.net/cats/rio%20%C3%BC.jpg/thumbnail?v={records()[0]['source_etag'][:8]}",
        "variant": "thumbnail",
        "width": 128,
        "height": 128,
        "content_type": "image/jpeg",
        "bytes": rendition("cats/rio=20=C3=BC.jpg/thumbnail")["ContentLength"],
    }


def test_the_bucket_is_optional() -> None:
    upload("rio.jpg", picture())

    assert post({"key": "rio.jpg"})[0] == 200


def test_a_transformation_is_rendered_once_under_its_canonical_text() -> None:
    upload("rio.jpg", picture())

    _, first = post({"key": "rio.jpg", "transformation": "format=webp, width=0300"})
    _, second = post({"key": "rio.jpg", "transformation": "width=300,format=webp,fit=cover"})

    assert renditions() == ["rio.jpg/width=300,format=webp"]
    assert first == second
    assert first["renditions"][0]["transformation"] == "width=300,format=webp"
    assert first["renditions"][0]["url"].split("?")[0].endswith("/rio.jpg/width=300,format=webp")
    assert len(records()) == 1


def test_only_the_named_variants_are_rendered(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("VARIANTS", "small:width=64;wide:width=200")
    upload("rio.jpg", picture())

    _, body = post({"key": "rio.jpg", "variants": ["wide"]})

    assert [made["variant"] for made in body["renditions"]] == ["wide"]
    assert renditions() == ["rio.jpg/wide"]


def test_without_a_cdn_there_is_no_url() -> None:
    upload("rio.jpg", picture())

    _, body = post({"key": "rio.jpg"}, stageVariables=None)

    assert body["renditions"][0]["url"] is None


@pytest.mark.parametrize(
    ("request_body", "status", "code", "says"),
    [
        ("", 400, REQUEST, "not JSON"),
        ("{", 400, REQUEST, "not JSON"),
        ("[" * 100_000, 400, REQUEST, "not JSON"),
        ([], 400, REQUEST, "send an object"),
        ({}, 400, REQUEST, "field key"),
        ({"key": ""}, 400, REQUEST, "field key"),
        ({"key": 7}, 400, REQUEST, "got 7"),
        ({"key": "k" * 1025}, 400, REQUEST, "1024 bytes"),
        ('{"key": "\\ud800"}', 400, REQUEST, "Unicode"),
        ({"key": "rio.jpg", "colour": "red"}, 400, REQUEST, "there is no field 'colour'"),
        ({"key": "rio.jpg", "variants": []}, 400, REQUEST, "thumbnail"),
        ({"key": "rio.jpg", "variants": "thumbnail"}, 400, REQUEST, "a list of names"),
        ({"key": "rio.jpg", "variants": ["huge"]}, 400, REQUEST, "huge"),
        ({"key": "rio.jpg", "variants": ["thumbnail"], "transformation": "width=9"}, 400, REQUEST, "give one"),
        ({"key": "rio.jpg", "transformation": 5}, 400, REQUEST, "got 5"),
        ({"key": "rio.jpg", "transformation": "width=9000"}, 400, TRANSFORMATION, "got '9000', allowed: 1 to 8192"),
        ({"key": "rio.jpg", "transformation": "widht=9"}, 400, TRANSFORMATION, "no option 'widht'"),
        ({"key": "rio.jpg", "transformation": ""}, 400, TRANSFORMATION, "is empty, allowed: width=300,format=webp"),
        ({"key": "rio.jpg", "transformation": "width=9;fit=fill"}, 400, TRANSFORMATION, "commas join the options"),
        ({"key": "rio.jpg", "bucket": "strangers"}, 403, "forbidden-source", "strangers"),
        ({"key": "gone.jpg"}, 404, "source-not-found", "gone.jpg"),
        ({"key": "s3://uploads/my%20cats/rio.jpg"}, 404, "source-not-found", "did you mean 'my cats/rio.jpg'?"),
        ({"key": "text.jpg"}, 415, "unsupported-format", "not an image"),
        ({"key": "cut.jpg"}, 422, "corrupt-image", "can't be decoded"),
        ({"key": "huge.gif"}, 413, "source-too-large", "5000×5000"),
    ],
)  # fmt: skip
def test_the_error_of_a_wrong_request_says_what_is_wrong(
    request_body: object, status: int, code: str, says: str
) -> None:
    upload("rio.jpg", picture())
    upload("text.jpg", b"text")
    upload("cut.jpg", picture()[:2000])
    upload("huge.gif", picture(5000, 5000, kind="GIF"))

    answered, body = post(request_body)

    assert (answered, body["error"]["code"]) == (status, code)
    assert says in body["error"]["message"]
    assert body["error"]["request_id"] == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    assert set(body) == {"error"}


def test_another_route_is_not_found() -> None:
    status, body = post({"key": "rio.jpg"}, httpMethod="GET")

    assert (status, body["error"]["code"]) == (404, "not-found")


def test_a_refusal_by_aws_returns_503_without_the_words_of_aws(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    upload("rio.jpg", picture())
    failing(environment, "PutObject", "AccessDenied")

    answer = invoke(api_request({"key": "rio.jpg"}))

    assert answer["statusCode"] == 503
    assert answer["headers"]["Retry-After"] == "5"
    assert "as the test wants" not in answer["body"]
    assert "as the test wants" in capsys.readouterr().out


def test_a_fault_of_the_program_returns_500_and_is_logged(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setattr(rest_api, "answer", lambda *_: 1 / 0)

    status, body = post({"key": "rio.jpg"})

    assert (status, body["error"]["code"]) == (500, "internal-error")
    assert "ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.parametrize("body", [{"key": "rio.jpg"}, "{"])
def test_an_allowed_origin_may_read_the_response_and_the_error(body: object) -> None:
    upload("rio.jpg", picture())

    headers = invoke(api_request(body))["headers"]

    assert headers["Access-Control-Allow-Origin"] == "https://www.example.com"
    assert headers["Vary"] == "Origin"


def test_another_origin_may_read_nothing() -> None:
    headers = invoke(api_request("{", headers={"origin": "https://evil.example"}))["headers"]

    assert "Access-Control-Allow-Origin" not in headers


def test_a_preflight_request_is_answered() -> None:
    answer = invoke(api_request("", httpMethod="OPTIONS"))

    assert answer["statusCode"] == 204
    allowed = answer["headers"]["Access-Control-Allow-Headers"].lower().split(",")
    assert {"content-type", "x-api-key", "authorization", "x-amz-date", "x-amz-security-token"} <= set(allowed)
