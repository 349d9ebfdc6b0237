"""Any key has its pictures by its URL, and no other path leads to them."""

import pytest

from .local import Stack, picture
from .urls import Author, error_of, made, query_url

KEYS = [
    "a b.jpg", "a+b.jpg", "100%.jpg", "a%20b%2Fc.jpg", "ünï/日本語 🐈.jpg", "what?.jpg", "q?width=9&sig=1.jpg",
    "no#1.jpg", "&=;@:$,'()!*~.jpg", "/first.jpg", "a//b.jpg", "a/../b.jpg", "./c.jpg", "width=20",
    "nested.jpg/thumbnail", "k" * 1000,
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_a_source_with_any_key_has_pictures(stack: Stack, author: Author, key: str) -> None:
    stack.upload(key, picture())
    url = author.url(f"/{key}", width=20, format="png")

    first, second = stack.ask(url), stack.ask(url)

    assert (first.status, first.image.size, made(first)) == (200, (20, 15), True)
    assert (second.status, second.body, made(second)) == (200, first.body, False)
    assert stack.ask(query_url(f"/{key}/thumbnail")).status == 200


def test_a_slash_may_be_encoded(stack: Stack, author: Author) -> None:
    stack.upload("urls/slash.jpg", picture())
    signature = author.signature("/urls/slash.jpg", {"width": "31"})

    assert stack.ask(f"/urls%2Fslash.jpg?width=31&sig={signature}").image.width == 31
    assert stack.ask("/urls%2fslash.jpg%2Fwidth=31").image.width == 31


def test_a_version_changes_nothing_but_the_key_in_cloudfront_s_cache(stack: Stack, author: Author) -> None:
    stack.upload("urls/a version.jpg", picture())
    url = author.url("/urls/a version.jpg", width=20, format="png")

    rendered, stored, unversioned = stack.ask(f"{url}&v=0a1b2c3d"), stack.ask(f"{url}&v=Z_-"), stack.ask(url)

    assert (rendered.status, made(rendered), made(stored), made(unversioned)) == (200, True, False, False)
    assert rendered.body == stored.body == unversioned.body
    assert stack.ask("/urls/a%20version.jpg/thumbnail?v=0a1b2c3d").status == 200
    assert stack.ask("/urls/a%20version.jpg?v=1&variant=thumbnail").status == 200
    assert error_of(stack.ask("/urls/a%20version.jpg/thumbnail?v=1&v=2")) == (400, "invalid-request")


@pytest.mark.parametrize(
    "path",
    [
        "/urls/public/../path.jpg", "/urls/public/%2e%2e/path.jpg", "/urls/public/..%2fpath.jpg", "/urls//path.jpg",
        "//urls/path.jpg", "/./urls/path.jpg", "/urls/path.jpg/", "/urls/path.jpg/thumbnail/../thumbnail",
        "/urls/path.jpg%00", "/urls/path.jpg%ff", "/URLS/path.jpg", "/urls\\path.jpg",
        "/", "//", "/..", "/%2e%2e/%2e%2e/etc", "/../../" + "a" * 1020,
    ],
)  # fmt: skip
def test_no_other_path_leads_to_a_source(stack: Stack, author: Author, path: str) -> None:
    stack.upload("urls/path.jpg", picture())
    signature = author.signature("/urls/path.jpg", {"width": "33"})

    for url in (f"{path}?variant=thumbnail", f"{path}?width=33&sig={signature}", f"{path}/thumbnail", path):
        answer = stack.ask(url)
        assert answer.status in (400, 403, 404), (url, answer)
        assert not answer.headers["content-type"].startswith("image/"), url
