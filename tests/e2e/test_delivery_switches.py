"""Delivery by other parameters: unsigned on the ladder, with a fallback image, and with another key."""

import secrets
from collections.abc import Iterator

import pytest

from .local import LocalAws, Stack, picture
from .urls import Author, made

LADDER = (320, 640, 1280)


@pytest.fixture(scope="module")
def open_stack(local: LocalAws) -> Iterator[Stack]:
    stack = local.deploy(
        "open",
        AllowUnsigned="true",
        SizeLadder=",".join(map(str, LADDER)),
        FallbackImage="not there.png",
        EnableApi="false",
    )
    stack.upload("not there.png", picture(2000, 1500, "magenta", kind="PNG"))
    yield stack
    local.client("cloudformation").delete_stack(StackName="open")


@pytest.mark.parametrize(
    ("query", "size"),
    [
        ("width=1", (320, 240)),
        ("width=320", (320, 240)),
        ("width=321&format=webp", (640, 480)),
        ("height=300", (427, 320)),
        ("width=200&dpr=2", (640, 480)),
        ("width=300&height=300", (320, 320)),
        ("width=320&height=640&fit=contain", (320, 640)),
        ("width=8000", (1280, 960)),
    ],
)
def test_anyone_has_pictures_made_in_the_ladders_sizes(open_stack: Stack, query: str, size: tuple[int, int]) -> None:
    open_stack.upload("rio.jpg", picture(2000, 1500))

    answer = open_stack.ask(f"/rio.jpg?{query}")

    assert (answer.status, answer.image.size) == (200, size)
    assert not made(open_stack.ask(f"/rio.jpg?{query}"))


@pytest.mark.parametrize(
    "asked",
    [
        "?width=320&height=300", "?width=640&blur=2", "?width=320&quality=90", "?format=png", "?rotate=90",
        "/width=321", "/height=1", "/width=320,height=321", "/format=webp",
    ],
)  # fmt: skip
def test_no_other_picture_is_rendered_without_a_signature(open_stack: Stack, asked: str) -> None:
    open_stack.upload("limits.jpg", picture(2000, 1500))

    answer = open_stack.ask(f"/limits.jpg{asked}")

    assert (answer.status, answer.headers["x-error-code"]) == (403, "bad-signature")
    assert answer.image.size == (128, 128)  # of the fallback image
    assert answer.headers["cache-control"] == "no-store"


def test_what_is_signed_is_not_held_to_the_options_and_is_rounded_all_the_same(open_stack: Stack) -> None:
    open_stack.upload("signed.jpg", picture(2000, 1500))
    author = Author(open_stack)

    answer = open_stack.ask(author.url("/signed.jpg", width=300, blur=2, format="auto"), Accept="image/webp")

    assert (answer.status, answer.headers["content-type"], answer.image.size) == (200, "image/webp", (320, 240))
    assert "signed.jpg/width=320,format=webp,blur=2" in open_stack.renditions()


def test_the_fallback_image_replaces_an_error_in_the_requested_size(open_stack: Stack) -> None:
    open_stack.upload("broken.jpg", picture(800, 600)[:3000])

    for url, status, code, size in (
        ("/none.jpg?width=320", 404, "source-not-found", (320, 240)),
        ("/none.jpg?variant=thumbnail", 404, "source-not-found", (128, 128)),
        ("/broken.jpg?width=320", 422, "corrupt-image", (320, 240)),
        ("/none.jpg?width=320&blur=9", 403, "bad-signature", (128, 128)),
    ):
        answer = open_stack.ask(url)
        assert (answer.status, answer.headers["x-error-code"], answer.image.size) == (status, code, size), url
        assert answer.image.convert("RGB").getpixel((9, 9)) == (255, 0, 255)
        assert "etag" not in answer.headers
        assert answer.headers["cache-control"] in ("no-store", "public, max-age=1", "public, max-age=10")


def test_a_key_is_replaced_without_a_gap(open_stack: Stack) -> None:
    open_stack.upload("keys.jpg", picture())
    secretsmanager, name = open_stack.local.client("secretsmanager"), open_stack.outputs["FunctionName"]
    first = Author(open_stack, Author(open_stack).current_key)

    def replace_key() -> Author:
        key = secrets.token_urlsafe(48)
        secretsmanager.put_secret_value(SecretId=open_stack.outputs["SigningSecretArn"], SecretString=key)
        return Author(open_stack, key)

    def status(author: Author, blur: int) -> int:
        return open_stack.ask(author.url("/keys.jpg", width=320, blur=blur)).status

    assert status(first, 1) == 200
    second = replace_key()
    assert (status(first, 2), status(second, 3)) == (200, 200)
    third = replace_key()
    # Another function starts, because one that has read the keys caches them for five minutes.
    open_stack.local.client("lambda").update_function_configuration(FunctionName=name, MemorySize=1500)
    assert (status(first, 4), status(second, 5), status(third, 6)) == (403, 200, 200)
