"""Requests to the Function URL, and the key that signs them."""

from urllib.parse import quote, urlencode

from image_processor.triggers.rendition_request import WRITTEN
from image_processor.urls import signatures

SECRET = "s" * 64


class Keys:
    """The keys of a stack with one signing key."""

    def check(self, path, parameters, now) -> None:
        signatures.check(path, parameters, [SECRET], now)


def request(path: str, written: str | None = None, method: str = "GET", **headers: str) -> dict:
    """The event of a request; `written` is the URL as its author wrote it, which a header of the edge function has."""
    if written is not None:
        headers[WRITTEN] = written
    return {
        "version": "2.0",
        "rawPath": quote(path, safe="/=,~"),
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {"http": {"method": method, "path": path}, "requestId": "r-1"},
    }


def signed(path: str, key: str = SECRET, **parameters: str) -> str:
    """The URL of this path and these parameters with its signature."""
    return f"{quote(path)}?{urlencode({**parameters, 'sig': signatures.sign(key, path, parameters)})}"
