"""Requests to the Function URL, and the key that signs them."""

from urllib.parse import quote, urlencode

from image_processor.triggers.function_url import WRITTEN
from image_processor.urls import signatures

SECRET = "s" * 64


class Keys:
    """One signing key."""

    def check(self, path, parameters, now) -> None:
        signatures.check(path, parameters, [SECRET], now)


def request(path: str, written: str | None = None, method: str = "GET", **headers: str) -> dict:
    """As a Function URL gives it; `written` is what the edge function says that the author wrote."""
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
    return f"{quote(path)}?{urlencode({**parameters, 'sig': signatures.sign(key, path, parameters)})}"
