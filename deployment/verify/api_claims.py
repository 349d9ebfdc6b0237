"""The REST API: who may call it, and what it answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from claims import Claim, Group, expect, expect_equal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target import Target
    from web import Response


def call(
    target: Target,
    method: str = "POST",
    path: str = "/images",
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the API's response."""
    url = urlsplit(target.outputs["ApiUrl"])
    host = url.hostname or ""
    if target.local:  # which knows APIs by this name
        host = f"{host.partition('.')[0]}.execute-api.localhost"
    target.go_on()
    content = {"Content-Type": "application/json", **(headers or {})}
    return target.web.request(host, url.path + path, method, content, json.dumps(body).encode() if body else b"")


def without_key(target: Target) -> str:
    """Call the API without credentials, and with a wrong key."""
    statuses = []
    for headers in ({}, {"x-api-key": "guessed-0123456789-guessed"}):
        response = call(target, body={"key": target.ready}, headers=headers)
        expect(response.status in (401, 403), f"{response}")
        statuses.append(response.status)
    return f"{statuses[0]} without a key, {statuses[1]} with a wrong one"


def with_key(target: Target) -> str:
    """Have a picture rendered, and request the URL in the response."""
    body = {"key": target.ready, "transformation": "width=30,format=webp"}
    response = call(target, body=body, headers={"x-api-key": target.api_key})
    expect_equal("status", response.status, 200)
    [made] = response.json["renditions"]
    expect_equal("picture", (made["content_type"], made["width"]), ("image/webp", 30))
    if target.lacks("cdn") or target.lacks("public"):
        return f"200, {made['width']}×{made['height']} {made['content_type']}"
    path = urlsplit(made["url"])
    served = target.get(path.path + (f"?{path.query}" if path.query else ""))
    expect_equal("the URL's picture", (served.status, len(served.body)), (200, made["bytes"]))
    return f"200, {made['width']}×{made['height']} {made['content_type']}, and its URL serves it"


def preflight(target: Target) -> str:
    """Ask as a browser does before it posts from another origin."""
    origin = target.parameters["CorsOrigins"].split(",")[0].strip().replace("*", "https://www.example.com")
    response = call(target, "OPTIONS", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
    expect(response.status in (200, 204), f"{response}")
    allowed = response.headers.get("access-control-allow-origin")
    expect(allowed in ("*", origin), f"allowed origin: {allowed}")
    expect("POST" in response.headers.get("access-control-allow-methods", ""), "POST is not among the allowed methods")
    return f"{response.status}, origin {allowed}"


def unknown_route(target: Target) -> str:
    """Call a route that there is not."""
    response = call(target, "GET", "/nothing", headers={"x-api-key": target.api_key})
    expect_equal("response", (response.status, response.error), (404, "not-found"))
    return "404 not-found"


GROUP = Group(
    "API",
    (
        Claim("api-without-key", "The API refuses strangers", without_key, ("api",)),
        Claim("api-with-key", "The API renders for those who have the key", with_key, ("api", "api-key")),
        Claim("api-preflight", "A web page may call the API", preflight, ("api",)),
        Claim("api-unknown-route", "An unknown route is a 404", unknown_route, ("api", "api-key")),
    ),
)
