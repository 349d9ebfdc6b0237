"""Sends HTTP requests exactly as they are written, also those that a browser would change, such as `/a/../b`."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from claims import Broken

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT = 65  # seconds; the function's own timeout is 60


@dataclass(frozen=True)
class Response:
    """A response; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        """The body as JSON; raises `Broken`."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Broken(f"status {self.status}, and the body is not JSON") from error

    @property
    def error(self) -> str:
        """The code of an error; a fallback image has it in a header."""
        if "x-error-code" in self.headers:
            return self.headers["x-error-code"]
        body = self.json
        error = body.get("error") if isinstance(body, dict) else None
        return str(error.get("code")) if isinstance(error, dict) else ""

    @property
    def is_picture(self) -> bool:
        """Whether it is a rendition."""
        return self.status == 200 and self.type.startswith("image/")

    @property
    def type(self) -> str:
        """The media type."""
        return self.headers.get("content-type", "")

    def __str__(self) -> str:
        return f"status {self.status}, {self.type or 'no type'}, {len(self.body):,} bytes"


class Web:
    """The HTTP client. With the endpoint of a local AWS, it sends the requests of all hosts there."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = urlsplit(endpoint) if endpoint else None

    def request(
        self,
        host: str,
        target: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        secure: bool = True,
    ) -> Response:
        """Return the response of a host to a target, which begins with a slash; raises `Broken` if there is none."""
        connection = self._connection(host, secure=secure)
        started = time.monotonic()
        try:
            connection.request(method, target, body, {"Host": host, **(headers or {})})
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Response(response.status, found, response.read(), time.monotonic() - started)
        except (OSError, http.client.HTTPException) as error:
            raise Broken(
                f"no response from {host.partition('.')[2] or host}: {error or type(error).__name__}"
            ) from error
        finally:
            connection.close()

    def _connection(self, host: str, *, secure: bool) -> http.client.HTTPConnection:
        if self._endpoint:
            return http.client.HTTPConnection(self._endpoint.hostname or "", self._endpoint.port, timeout=TIMEOUT)
        return (http.client.HTTPSConnection if secure else http.client.HTTPConnection)(host, timeout=TIMEOUT)
