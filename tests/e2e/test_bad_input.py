"""Bad uploads and bad requests: each gets its clear error, and a good one at the same time is processed."""

import json
import struct
import zlib

import pytest

from .local import Stack, eventually, picture, request


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header states these sides."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


BAD_UPLOADS = {
    "empty.jpg": (b"", "unsupported-format"),
    "text.jpg": (b"this is text, in spite of its name", "unsupported-format"),
    "page.png": (b"<!doctype html><title>Not found</title>", "unsupported-format"),
    "drawing.svg": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "unsupported-format"),
    "paper.pdf": (b"%PDF-1.7\n", "unsupported-format"),
    "truncated.jpg": (picture(800, 600)[:3000], "corrupt-image"),
    "truncated.png": (picture(800, 600, kind="PNG")[:-100], "corrupt-image"),
    "header-only.jpg": (b"\xff\xd8\xff\xe0", "corrupt-image"),
    "bomb.png": (png_that_claims(60_000, 60_000), "source-too-large"),
    "huge.gif": (picture(9000, 9000, kind="GIF"), "source-too-large"),
    "large.jpg": (b"\xff\xd8\xff" + bytes(52_428_800), "source-too-large"),
}


def test_bad_uploads_are_recorded_and_the_good_one_beside_them_is_processed(stack: Stack) -> None:
    for name, (body, _) in BAD_UPLOADS.items():
        stack.upload(f"bad/{name}", body)
    stack.upload("bad/a JPEG named.png", picture())

    assert stack.served("bad/a JPEG named.png/thumbnail").headers["content-type"] == "image/jpeg"
    for name, (_, code) in BAD_UPLOADS.items():
        [record] = eventually(lambda name=name: stack.records(f"bad/{name}"))  # type: ignore[misc]
        assert (name, record["status"], record.get("error_code")) == (name, "failed", code)
        assert "processed_file" not in record
    eventually(lambda: stack.waiting("QueueUrl") == 0)
    assert stack.waiting("DeadLetterQueueUrl") == 0
    assert [key for key in stack.renditions() if key.startswith("bad/")] == ["bad/a JPEG named.png/thumbnail"]


@pytest.mark.parametrize(
    ("name", "status"), [("text.jpg", 415), ("truncated.jpg", 422), ("bomb.png", 413), ("large.jpg", 413)]
)
def test_the_api_reports_what_is_wrong_with_a_source(stack: Stack, name: str, status: int) -> None:
    body, code = BAD_UPLOADS[name]
    stack.upload(f"asked/{name}", body)

    answer = stack.post({"key": f"asked/{name}"})

    assert (answer.status, answer.json["error"]["code"]) == (status, code)
    assert answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("not JSON", 400, "invalid-request"),
        ({"key": ""}, 400, "invalid-request"),
        ({"key": "a.jpg", "transformation": "width=0"}, 400, "invalid-transformation"),
        ({"key": "a.jpg", "bucket": "a-stranger-s"}, 403, "forbidden-source"),
        ({"key": "there/is/none.jpg"}, 404, "source-not-found"),
    ],
)
def test_the_api_reports_what_is_wrong_with_a_request(stack: Stack, body: object, status: int, code: str) -> None:
    answer = stack.post(body, Origin="https://www.example.com")

    assert (answer.status, answer.json["error"]["code"]) == (status, code)
    assert answer.json["error"]["request_id"]
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("key", ["", "wrong"])
def test_without_the_api_key_the_api_refuses_in_the_same_shape(stack: Stack, key: str) -> None:
    answer = stack.post({"key": "a.jpg"}, **{"x-api-key": key})

    assert (answer.status, answer.json["error"]["code"]) == (403, "forbidden")
    assert set(answer.json["error"]) == {"code", "message", "request_id"}
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_web_page_may_ask_before_it_posts(stack: Stack) -> None:
    path = "/" + stack.local.outputs["ApiUrl"].split("/", 3)[3] + "/images"

    answer = request("OPTIONS", stack.local.port, path, Origin="https://www.example.com")

    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "X-Api-Key" in answer.headers["access-control-allow-headers"]


def test_what_is_not_there_is_not_served_and_not_listed(stack: Stack) -> None:
    stack.upload("listed.jpg", picture())
    stack.served("listed.jpg/thumbnail")

    assert stack.from_cdn("there-is-none.jpg/thumbnail").status in (403, 404)
    for path in ("", "?list-type=2", "listed.jpg"):
        answer = request("GET", stack.local.port, f"/{path}", Host=stack.outputs["DistributionDomainName"])
        assert answer.status in (400, 403, 404), path
        assert b"listed.jpg/thumbnail" not in answer.body


def test_the_buckets_are_closed_to_strangers(stack: Stack) -> None:
    stack.upload("private.jpg", picture())
    stack.served("private.jpg/thumbnail")

    for bucket, key in (("UploadBucketName", "private.jpg"), ("ProcessedBucketName", "private.jpg/thumbnail")):
        assert request("GET", stack.local.port, f"/{stack.outputs[bucket]}/{key}").status == 403


def test_a_log_line_reports_a_failure_without_the_source(stack: Stack) -> None:
    stack.upload("logged.jpg", b"a secret text")
    eventually(lambda: stack.records("logged.jpg"))
    logs = stack.local.client("logs")

    def line() -> dict[str, str] | None:
        for group in logs.describe_log_groups()["logGroups"]:
            for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]:
                if '"logged.jpg"' in event["message"] and '"failed"' in event["message"]:
                    found: dict[str, str] = json.loads(event["message"][event["message"].index("{") :])
                    return found
        return None

    said = eventually(line)
    assert said["code"] == "unsupported-format"
    assert "secret" not in json.dumps(said)
