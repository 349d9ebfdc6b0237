"""A picture by its URL: the function renders it at the first request, and the bucket serves it from then on."""

import http.client
import io
import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from PIL import Image

from .local import Stack, eventually, picture
from .urls import Author, error_of, made


@contextmanager
def closed_bucket(stack: Stack) -> Iterator[None]:
    """CloudFront may not read the processed bucket."""
    s3, bucket = stack.local.client("s3"), stack.outputs["ProcessedBucketName"]
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    denied = {
        "Effect": "Deny",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    document = json.loads(policy)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({**document, "Statement": [*document["Statement"], denied]}))
    try:
        yield
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)


@contextmanager
def stopped_queue(stack: Stack) -> Iterator[None]:
    """Uploads wait in the queue."""
    client = stack.local.client("lambda")
    [mapping] = client.list_event_source_mappings(FunctionName=stack.outputs["FunctionName"])["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def test_a_picture_is_made_once_and_served_by_the_bucket_from_then_on(stack: Stack, author: Author) -> None:
    stack.upload("urls/once.jpg", picture(900, 600))
    url = author.url("/urls/once.jpg", width=300, format="webp")

    first, second = stack.ask(url), stack.ask(url)

    assert (first.status, first.headers["content-type"], first.image.size) == (200, "image/webp", (300, 200))
    assert first.headers["cache-control"] == "public, max-age=300"
    assert first.headers["content-disposition"] == 'inline; filename="once-300x200.webp"'
    assert {"etag", "last-modified"} <= first.headers.keys()
    assert made(first)
    assert not made(second)
    assert (second.status, second.body) == (200, first.body)
    for name in ("content-type", "cache-control", "content-disposition", "etag", "last-modified"):
        assert second.headers[name] == first.headers[name], name
    assert "urls/once.jpg/width=300,format=webp" in stack.renditions()


def test_a_stored_picture_is_anyones_by_its_path_or_its_options(stack: Stack, author: Author) -> None:
    stack.upload("urls/shared.jpg", picture())
    assert stack.ask(author.url("/urls/shared.jpg", width=40)).status == 200

    for url in (
        "/urls/shared.jpg/width=40",
        "/urls/shared.jpg?WIDTH=040&fit=cover",
        "/urls/shared.jpg?width=40&sig=no",
    ):
        answer = stack.ask(url)
        assert (answer.status, answer.image.width, made(answer)) == (200, 40, False), url


def test_a_variant_is_anyones_before_its_upload_was_processed(stack: Stack) -> None:
    with stopped_queue(stack):
        stack.upload("urls/early.jpg", picture())
        first, second = (stack.ask(f"/urls/early.jpg{asked}") for asked in ("?variant=thumbnail", "/thumbnail"))

        assert (first.status, first.image.size, made(first)) == (200, (128, 128), True)
        assert (second.body, made(second)) == (first.body, False)
        [record] = stack.records("urls/early.jpg")
        assert record["status"] == "processed"
    eventually(lambda: stack.waiting("QueueUrl") == 0)
    assert stack.ask("/urls/early.jpg/thumbnail").body == first.body


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("image/avif,image/webp,image/apng,image/*,*/*;q=0.8", "image/avif"),
        ("image/webp,*/*", "image/webp"),
        ("image/avif;q=0,image/webp", "image/webp"),
        ("*/*", "image/jpeg"),
        ("", "image/jpeg"),
    ],
)
def test_the_format_is_the_best_that_the_viewer_takes(stack: Stack, author: Author, accept: str, kind: str) -> None:
    stack.upload("urls/auto.jpg", picture())
    url = author.url("/urls/auto.jpg", width=50, dpr=1.5, format="auto")

    answer = stack.ask(url, Accept=accept)

    assert (answer.status, answer.headers["content-type"], answer.image.width) == (200, kind, 75)


def test_the_function_serves_while_the_bucket_does_not(stack: Stack, author: Author) -> None:
    stack.upload("urls/down.jpg", picture())
    url = author.url("/urls/down.jpg", width=44)
    stored = stack.ask(url)
    assert not made(stack.ask(url))

    with closed_bucket(stack):
        answer = stack.ask(url)
        assert (answer.status, answer.body, made(answer)) == (200, stored.body, True)
        known = stack.ask(url, **{"If-None-Match": stored.headers["etag"]})
        assert (known.status, known.body, made(known)) == (304, b"", True)
        assert known.headers["content-type"] == stored.headers["content-type"]
        head = stack.ask(url, "HEAD")
        assert (head.status, head.headers["content-length"], head.body) == (200, str(len(stored.body)), b"")
        assert stack.ask(author.url("/urls/down.jpg", width=45)).image.width == 45
        assert stack.ask("/urls/down.jpg?width=44").status == 403


def test_what_a_viewer_has_is_not_sent_again(stack: Stack, author: Author) -> None:
    stack.upload("urls/known.jpg", picture())
    url = author.url("/urls/known.jpg", width=44)
    etag = stack.ask(url).headers["etag"]

    answer = stack.ask(url, **{"If-None-Match": etag})

    assert (answer.status, answer.body) == (304, b"")
    assert stack.ask(url, **{"If-None-Match": '"another"'}).status == 200


def test_a_head_stores_nothing_and_has_the_headers_of_a_stored_picture(stack: Stack, author: Author) -> None:
    stack.upload("urls/head.jpg", picture())
    url = author.url("/urls/head.jpg", width=46)

    early, answer, stored, head = (stack.ask(url, method) for method in ("HEAD", "GET", "GET", "HEAD"))

    assert (early.status, early.body, early.headers["cache-control"]) == (200, b"", "no-store")
    assert (made(answer), made(stored)) == (True, False)
    assert (head.status, head.body) == (200, b"")
    for name in ("content-length", "content-type", "etag"):
        assert head.headers[name] == stored.headers[name], name


def test_nothing_can_be_put_or_deleted(stack: Stack, author: Author) -> None:
    stack.upload("urls/stored.jpg", picture())
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        assert stack.ask(author.url("/urls/stored.jpg", width=47), method).status == 403, method


def test_an_overwritten_sources_pictures_follow_it(stack: Stack, author: Author) -> None:
    stack.upload("urls/over.png", picture(colour="red", kind="PNG"))
    url = author.url("/urls/over.png", width=20)
    assert stack.ask(url).image.convert("RGB").getpixel((9, 9)) == (255, 0, 0)
    eventually(lambda: stack.waiting("QueueUrl") == 0)

    stack.upload("urls/over.png", picture(colour="lime", kind="PNG"))

    eventually(lambda: stack.ask(url).image.convert("RGB").getpixel((9, 9)) == (0, 255, 0))
    eventually(lambda: "/urls/over.png*" in stack.invalidated())


def test_a_deleted_sources_pictures_are_gone(stack: Stack, author: Author) -> None:
    stack.upload("urls/gone.jpg", picture())
    urls = [author.url("/urls/gone.jpg", width=20), "/urls/gone.jpg?variant=thumbnail"]
    assert [stack.ask(url).status for url in urls] == [200, 200]
    eventually(lambda: stack.waiting("QueueUrl") == 0)

    stack.local.client("s3").delete_object(Bucket=stack.outputs["UploadBucketName"], Key="urls/gone.jpg")

    for url in urls:
        eventually(lambda url=url: error_of(answer) if (answer := stack.ask(url)).status != 200 else None)  # type: ignore[misc]
        assert error_of(stack.ask(url)) == (404, "source-not-found")
        assert stack.ask(url).headers["cache-control"] == "public, max-age=1"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("width=0", "allowed: 1 to 8192"),
        ("widht=300", "there is no option 'widht'"),
        ("width=300&width=400", "width is given twice"),
        ("format=bmp", "jpeg, png, webp, avif, gif, auto"),
        ("width=300,height=200", "in a URL, & joins the options"),
        ("variant=thumbnail&width=20", "a variant has its own options"),
    ],
)
def test_bad_options_are_reported_at_the_edge(stack: Stack, query: str, words: str) -> None:
    answer = stack.ask(f"/urls/a.jpg?{query}")

    assert error_of(answer) == (400, "invalid-transformation")
    assert words in answer.json["error"]["message"]
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_bad_parameter_that_is_no_option_is_reported_at_the_edge(stack: Stack) -> None:
    answer = stack.ask("/urls/a.jpg?variant=..")

    assert error_of(answer) == (400, "invalid-request")
    assert "allowed: a name" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("key", "body", "status", "code"),
    [
        ("urls/none.jpg", None, 404, "source-not-found"),
        ("urls/text.jpg", b"this is text", 415, "unsupported-format"),
        ("urls/cut.jpg", picture(800, 600)[:3000], 422, "corrupt-image"),
    ],
)
def test_a_source_that_gives_no_picture_is_reported_and_never_served_as_one(
    stack: Stack, author: Author, key: str, body: bytes | None, status: int, code: str
) -> None:
    if body is not None:
        stack.upload(key, body)

    for url in (author.url(f"/{key}", width=20), f"/{key}?variant=thumbnail"):
        answer = stack.ask(url)
        assert error_of(answer) == (status, code)
        assert answer.json["error"]["request_id"]
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] in ("public, max-age=1", "public, max-age=10")
        assert "etag" not in answer.headers


def test_a_picture_too_large_for_the_function_comes_from_the_bucket(stack: Stack, author: Author) -> None:
    noise = Image.frombytes("RGB", (1300, 1300), random.Random(1).randbytes(1300 * 1300 * 3))  # noqa: S311 - no secret
    body = io.BytesIO()
    noise.save(body, "PNG")
    stack.upload("urls/large.png", body.getvalue())
    url = author.url("/urls/large.png", quality=90, format="auto")

    first = stack.ask(url)
    assert (first.status, first.headers["cache-control"]) == (302, "no-store")
    path, _, query = first.headers["location"].partition("?")
    assert path == "/urls/large.png"
    assert {*query.split("&")} == {*url.partition("?")[2].split("&"), "again=1"}
    second = stack.ask(first.headers["location"])

    assert (second.status, second.headers["content-type"], made(second)) == (200, "image/png", False)
    assert len(second.body) > 4_500_000
    assert second.image.size == (1300, 1300)
    with closed_bucket(stack):
        assert stack.ask(url).status == 302
        assert error_of(stack.ask(first.headers["location"])) == (503, "unavailable")


def test_two_who_ask_at_once_get_one_picture(stack: Stack, author: Author) -> None:
    stack.upload("urls/both.jpg", picture(3000, 2000))
    url = author.url("/urls/both.jpg", width=1111, format="webp")

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(stack.ask, [url, url]))

    assert [answer.status for answer in answers] == [200, 200]
    assert len({answer.body for answer in [*answers, stack.ask(url)]}) == 1
    assert answers[0].image.width == 1111
    assert [key for key in stack.renditions() if key.startswith("urls/both.jpg/width")] == [
        "urls/both.jpg/width=1111,format=webp"
    ]


def test_a_dead_viewer_costs_nothing_but_its_picture(stack: Stack, author: Author) -> None:
    stack.upload("urls/left.jpg", picture())
    url = author.url("/urls/left.jpg", width=48)
    connection = http.client.HTTPConnection("127.0.0.1", stack.local.port, timeout=60)
    connection.request("GET", url, headers={"Host": stack.outputs["DistributionDomainName"]})
    connection.close()

    eventually(lambda: "urls/left.jpg/width=48" in stack.renditions())
    assert stack.ask(url).image.width == 48
