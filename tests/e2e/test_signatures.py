"""A picture is rendered only with a valid signature, also past CloudFront or its edge function."""

import time

from .local import Stack, picture, request
from .urls import Author, error_of, query_url


def test_a_picture_is_rendered_only_with_a_signature(stack: Stack, author: Author) -> None:
    stack.upload("urls/a.jpg", picture())
    stack.upload("urls/b.jpg", picture())
    stranger = Author(stack, key="guessed")
    url = author.url("/urls/a.jpg", width=70, blur=2, exp=int(time.time()) + 600)
    replayed = url.rpartition("&sig=")[2]
    urls = {
        "unsigned": "/urls/a.jpg?width=70",
        "by its path": "/urls/a.jpg/width=70",
        "another's signature": stranger.url("/urls/a.jpg", width=70),
        "no signature": "/urls/a.jpg?width=70&sig=",
        "of another source": url.replace("/a.jpg", "/b.jpg"),
        "of another size": url.replace("width=70", "width=71"),
        "with an option more": url.replace("?", "?flip=both&"),
        "with an option less": url.replace("&blur=2", ""),
        "for longer": url.replace("exp=", "exp=9"),
        "for ever": query_url("/urls/a.jpg", width=70, blur=2, sig=replayed),
        "cut": url[:-1],
        "a second later": author.url("/urls/a.jpg", width=70, exp=int(time.time()) - 1),
    }

    for what, asked in urls.items():
        answer = stack.ask(asked)
        assert (what, *error_of(answer)) == (what, 403, "bad-signature")
        assert answer.headers["cache-control"] == "no-store", what
    assert not {key for key in stack.renditions() if key.startswith(("urls/a.jpg/width", "urls/b.jpg/width"))}
    assert stack.ask(url).status == 200


def test_what_was_signed_is_not_for_the_viewer_to_say(stack: Stack, author: Author) -> None:
    stack.upload("urls/forged.jpg", picture())
    signed = author.url("/urls/forged.jpg", width=60)
    headers = {"X-Image-Request": signed}

    assert error_of(stack.ask("/urls/forged.jpg/width=60", **headers)) == (403, "bad-signature")
    assert error_of(stack.ask("/urls/forged.jpg?width=60", **headers)) == (403, "bad-signature")
    assert stack.ask(signed, **{"X-Image-Request": "/urls/other.jpg?width=1"}).status == 200


def test_the_function_is_closed_to_all_but_cloudfront(stack: Stack, author: Author) -> None:
    stack.upload("urls/direct.jpg", picture())
    name = stack.outputs["FunctionName"]
    host = stack.local.client("lambda").get_function_url_config(FunctionName=name)["FunctionUrl"].split("/")[2]

    for path in ("/urls/direct.jpg/thumbnail", author.url("/urls/direct.jpg", width=20)):
        answer = request("GET", stack.local.port, path, Host=host)
        assert answer.status == 403
        assert b"JFIF" not in answer.body
    assert stack.ask("/urls/direct.jpg?variant=thumbnail").status == 200
