"""POST /images: the fields of a request, the response, and every error; over a pipeline that records its calls."""

import json
from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from image_processor.errors import (
    CorruptImage,
    ForbiddenSource,
    ImageProcessorError,
    InvalidRequest,
    InvalidTransformation,
    RouteNotFound,
    SourceNotFound,
    Throttled,
    Unavailable,
    error_body,
)
from image_processor.publishing.model import Record
from image_processor.transformations.transformation import Transformation
from image_processor.triggers import rest_api
from image_processor.triggers.rest_api import RestApi
from image_processor.urls.links import DEFAULT_LADDER, Links
from image_processor.urls.signatures import sign

CDN = "https://pictures.example"


class RecordingPipeline:
    variants = {"thumbnail": Transformation(width=128, height=128), "wide": Transformation(width=1200)}  # noqa: RUF012

    def __init__(self, error: ImageProcessorError | None = None) -> None:
        self.calls: list[tuple[str, dict[str, Transformation]]] = []
        self._error = error

    def render_on_demand(self, key, wanted, deadline):  # noqa: ARG002 - the signature of `Pipeline`
        self.calls.append((key, dict(wanted)))
        if self._error:
            raise self._error
        return [
            Record(
                id=f"id-of-{name}",
                original_file=f"s3://uploads/{key}",
                source_etag="etag",
                source_version_id=None,
                uploaded_at="2026-01-02T03:04:05.678Z",
                processed_at="2026-01-02T03:04:06.678Z",
                status="processed",
                variant=name if name in self.variants else None,
                transformation=None if name in self.variants else name,
                processed_file=f"s3://processed/{key}/{name}",
                width=12,
                height=34,
                content_type="image/png",
                bytes=56,
                source_width=1000,
                source_height=750,
            )
            for name in wanted
        ]


def request(body=None, *, raw: str | None = None, cdn: str | None = CDN, **more) -> dict:
    return {
        "httpMethod": "POST",
        "resource": "/images",
        "path": "/images",
        "headers": {"Content-Type": "application/json"},
        "requestContext": {"requestId": "r-1"},
        "stageVariables": {"CdnUrl": cdn} if cdn is not None else None,
        "body": json.dumps(body) if raw is None else raw,
        "isBase64Encoded": False,
        **more,
    }


def post(body=None, pipeline=None, **more):
    return rest_api.answer(request(body, **more), RestApi(pipeline or RecordingPipeline(), "uploads"))


def test_a_request_with_a_key_only_renders_every_variant():
    pipeline = RecordingPipeline()

    status, body = post({"key": "cats/rio.jpg"}, pipeline)

    assert status == 200
    assert pipeline.calls == [("cats/rio.jpg", RecordingPipeline.variants)]
    assert body == {
        "original_file": "s3://uploads/cats/rio.jpg",
        "width": 1000,
        "height": 750,
        "srcset": None,
        "widths": None,
        "renditions": [
            {
                "id": f"id-of-{name}",
                "processed_file": f"s3://processed/cats/rio.jpg/{name}",
                "url": f"{CDN}/cats/rio.jpg/{name}?v=etag",
                "variant": name,
                "width": 12,
                "height": 34,
                "content_type": "image/png",
                "bytes": 56,
            }
            for name in ("thumbnail", "wide")
        ],
    }


def test_the_upload_bucket_can_be_named():
    assert post({"bucket": "uploads", "key": "a"})[0] == 200


@pytest.mark.parametrize("names", [["wide"], ["wide", "thumbnail"], ["wide", "wide"]])
def test_variants_are_selected_by_name(names):
    _, body = post({"key": "a", "variants": names})

    assert [rendition["variant"] for rendition in body["renditions"]] == list(dict.fromkeys(names))


def test_a_transformation_is_rendered_under_its_canonical_text():
    pipeline = RecordingPipeline()

    _, body = post({"key": "a", "transformation": " FORMAT=webp , width=0300"}, pipeline)

    assert pipeline.calls == [("a", {"width=300,format=webp": Transformation(width=300, format="webp")})]
    [rendition] = body["renditions"]
    assert rendition["transformation"] == "width=300,format=webp"
    assert "variant" not in rendition
    assert rendition["url"] == f"{CDN}/a/width=300,format=webp?v=etag"


@pytest.mark.parametrize("body", [{"key": "a", "variants": None}, {"key": "a", "transformation": None}])
def test_a_null_field_is_the_same_as_a_missing_one(body):
    assert len(post(body)[1]["renditions"]) == 2


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("my photo ü.jpg", "my%20photo%20%C3%BC.jpg"),
        ("a+b.jpg", "a%2Bb.jpg"),
        ("100%.jpg", "100%25.jpg"),
        ("100%25.jpg", "100%2525.jpg"),
        ("what?#&;.jpg", "what%3F%23%26%3B.jpg"),
        ("deep/er/folder/a.jpg", "deep/er/folder/a.jpg"),
        ("/leading.jpg", "/leading.jpg"),
        ("double//slash", "double//slash"),
        ('"<>\\^`{|}', "%22%3C%3E%5C%5E%60%7B%7C%7D"),
        ("a~b_c-d.e=f,g", "a~b_c-d.e%3Df%2Cg"),
        ("🐈", "%F0%9F%90%88"),
    ],
)
def test_the_key_is_percent_encoded_in_a_url(key, path):
    _, body = post({"key": key, "variants": ["wide"]})

    assert body["renditions"][0]["url"] == f"{CDN}/{path}/wide?v=etag"


@pytest.mark.parametrize("cdn", [None, ""])
def test_without_a_distribution_the_url_is_null(cdn):
    assert post({"key": "a"}, cdn=cdn)[1]["renditions"][0]["url"] is None


def post_with_links(ladder=DEFAULT_LADDER, key="cats/rio.jpg", *, cdn: str | None = CDN):
    event = request({"key": key, "variants": ["wide"]}, cdn=cdn)
    return rest_api.answer(event, RestApi(RecordingPipeline(), "uploads", links=Links(lambda: "the key", ladder)))[1]


def test_a_stack_that_renders_by_url_returns_a_signed_srcset():
    body = post_with_links()

    assert body["widths"] == [320, 640, 960, 1000]
    candidates = [candidate.split(" ") for candidate in body["srcset"].split(", ")]
    assert [width for _, width in candidates] == ["320w", "640w", "960w", "1000w"]
    for width, (url, _) in zip((320, 640, 960, 1280), candidates, strict=True):
        signature = sign("the key", "/cats/rio.jpg", {"format": "auto", "width": str(width)})
        assert url == f"{CDN}/cats/rio.jpg?format=auto&v=etag&width={width}&sig={signature}"


def test_the_srcset_uses_the_size_ladder_of_the_stack():
    assert post_with_links(ladder=(500, 100))["widths"] == [100, 500]


def test_the_key_is_percent_encoded_in_a_srcset():
    url, width, *_ = post_with_links(key="my photo, ü?.jpg, x")["srcset"].split(" ")

    assert url.startswith(f"{CDN}/my%20photo%2C%20%C3%BC%3F.jpg%2C%20x?format=auto&v=etag&width=320&sig=")
    assert width == "320w,"


def test_without_a_distribution_the_srcset_is_null():
    body = post_with_links(cdn=None)

    assert (body["srcset"], body["widths"], body["width"]) == (None, None, 1000)


def test_signing_keys_that_cannot_be_read_are_an_error_not_a_null_srcset():
    def fail() -> str:
        raise Unavailable("Secrets Manager can't be reached")

    with pytest.raises(Unavailable):
        rest_api.answer(request({"key": "a"}), RestApi(RecordingPipeline(), "uploads", links=Links(fail)))


@pytest.mark.parametrize("field", ["stageVariables", "headers"])
def test_null_headers_and_stage_variables_are_the_same_as_none(field):
    assert post({"key": "a"}, **{field: None})[0] == 200


def test_a_base64_body_is_decoded():
    raw = b64encode(json.dumps({"key": "ü"}).encode()).decode()

    assert post(raw=raw, isBase64Encoded=True)[0] == 200


@pytest.mark.parametrize(
    ("raw", "more"),
    [
        ("", {}),
        ("text", {}),
        ("{", {}),
        ("{'key': 'a'}", {}),
        ("[" * 100_000, {}),
        ('{"key": ' * 5000, {}),
        ('{"key": ' + "9" * 5000 + "}", {}),
        ("%%%", {"isBase64Encoded": True}),
        ("é", {"isBase64Encoded": True}),
        (b64encode(b"\xff\xfe\xff").decode(), {"isBase64Encoded": True}),
    ],
)
def test_a_body_that_is_not_json_is_rejected(raw, more):
    with pytest.raises(InvalidRequest, match="the body is not JSON; send an object such as"):
        post(raw=raw, **more)


def test_a_request_without_a_body_is_rejected():
    event = {**request(), "body": None}  # as API Gateway sends it

    with pytest.raises(InvalidRequest, match="the body is not JSON"):
        rest_api.answer(event, RestApi(RecordingPipeline(), "uploads"))


@pytest.mark.parametrize("body", [None, [], "a", 5, True, [{"key": "a"}], ["x" * 1_000_000]])
def test_a_body_that_is_not_an_object_is_rejected(body):
    with pytest.raises(InvalidRequest, match="the body is ") as caught:
        post(body)

    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("key", ["", 5, [], {}, True, "x" * 1025, "é" * 513])
def test_a_key_must_be_a_text_of_1_to_1024_bytes(key):
    with pytest.raises(InvalidRequest, match=r"field key: got .*, allowed: a text of 1 to 1024 bytes"):
        post({"key": key})


@pytest.mark.parametrize("body", [{}, {"key": None}])
def test_a_missing_key_is_rejected(body):
    with pytest.raises(InvalidRequest, match="field key is missing"):
        post(body)


@pytest.mark.parametrize("key", ["x" * 1024, "é" * 512, " ", ".", "../..", "\x01"])
def test_any_key_that_s3_allows_is_passed_to_the_pipeline(key):
    pipeline = RecordingPipeline(SourceNotFound("there is no such source"))

    with pytest.raises(SourceNotFound):
        post({"key": key}, pipeline)

    assert pipeline.calls[0][0] == key


def test_a_key_with_an_unpaired_surrogate_is_rejected():
    with pytest.raises(InvalidRequest, match="is not valid Unicode"):
        post(raw='{"key": "a\\ud800"}')


@pytest.mark.parametrize("bucket", ["others", "", "Uploads", 5, ["uploads"]])
def test_another_bucket_is_forbidden(bucket):
    pipeline = RecordingPipeline()

    with pytest.raises(ForbiddenSource, match=r"field bucket: got .*, allowed: the upload bucket, or leave it out"):
        post({"bucket": bucket, "key": "a"}, pipeline)

    assert not pipeline.calls


def test_the_error_does_not_reveal_the_name_of_the_upload_bucket():
    with pytest.raises(ForbiddenSource) as caught:
        post({"bucket": "others", "key": "a"})

    assert "uploads" not in str(caught.value)


@pytest.mark.parametrize("field", ["Key", "keys", "variant", "x" * 10_000])
def test_an_unknown_field_is_rejected_with_the_allowed_fields(field):
    with pytest.raises(InvalidRequest) as caught:
        post({"key": "a", field: "b"})

    assert f"there is no field '{field[:50]}" in str(caught.value)
    assert "the fields are bucket, key, variants, transformation" in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "variants", [[], "thumbnail", ["nope"], ["thumbnail", "nope"], [5], [["wide"]], [None], {}, 5, False]
)
def test_variants_must_be_a_list_of_known_names(variants):
    with pytest.raises(
        InvalidRequest, match=r"field variants: got .*, allowed: a list of names out of thumbnail, wide"
    ):
        post({"key": "a", "variants": variants})


@pytest.mark.parametrize("transformation", [5, [], {}, True, ["width=5"]])
def test_a_transformation_must_be_a_text(transformation):
    with pytest.raises(InvalidRequest, match=r"field transformation: got .*, allowed: a text such as"):
        post({"key": "a", "transformation": transformation})


@pytest.mark.parametrize("transformation", ["", "width=0", "widht=5", "width=5,width=6", "fit=cower", "\ud800"])
def test_an_invalid_transformation_is_rejected_before_the_source_is_read(transformation):
    pipeline = RecordingPipeline()

    with pytest.raises(InvalidTransformation):
        post({"key": "a", "transformation": transformation}, pipeline)

    assert not pipeline.calls


def test_variants_and_a_transformation_together_are_rejected():
    with pytest.raises(InvalidRequest, match="fields variants and transformation: give one of the two"):
        post({"key": "a", "variants": ["wide"], "transformation": "width=5"})


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/images"), ("POST", "/"), ("POST", "/images/x"), ("DELETE", "/images")]
)
def test_any_other_route_is_not_found(method, path):
    with pytest.raises(RouteNotFound, match=f"there is no {method} {path}; there is POST /images"):
        post({"key": "a"}, httpMethod=method, resource=path, path=path)


def test_the_stage_in_the_path_is_not_part_of_the_route():
    assert post({"key": "a"}, resource="/images", path="/v1/images")[0] == 200


def test_a_preflight_request_gets_204_without_a_body():
    assert post(raw="", httpMethod="OPTIONS") == (204, None)


@pytest.mark.parametrize("error", [SourceNotFound("x"), CorruptImage("x"), Throttled("x"), Unavailable("x")])
def test_the_error_of_a_source_is_raised(error):
    with pytest.raises(type(error)):
        post({"key": "a"}, RecordingPipeline(error))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda values: st.lists(values, max_size=3),
)


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(["bucket", "key", "variants", "transformation", "x"]), json_values))
def test_any_request_is_either_answered_or_rejected(body):
    try:
        status, _ = post(body)
    except (InvalidRequest, ForbiddenSource) as error:
        json.dumps(error_body(error, "r-1"), ensure_ascii=False).encode()  # every error message can be encoded
    else:
        assert status == 200
