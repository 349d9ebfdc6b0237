"""S3, DynamoDB and Secrets Manager as far as the function calls them: objects in a dictionary, records discarded.

It has the shapes of the responses and nothing else; `tests/test_lambda.py` and `tests/e2e` show what is stored.
"""

import json
import threading
import time
from contextlib import AbstractContextManager
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import inf
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from ..serving import serving

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 256 * 1024  # bytes of a body that are sent at a time, where there is a `bandwidth`


class FakeAws(ThreadingHTTPServer):
    """Its `objects` are those in S3, by `bucket/key`; its `calls` are the requests, in order.

    `before` is called before each response, with the operation and the path; all bodies together are sent at
    `bandwidth`, in bytes a second.
    """

    daemon_threads = True

    def __init__(self) -> None:
        self.before: Callable[[str, str], None] = lambda *_: None
        self.bandwidth = inf
        self._pipe, self._free_at = threading.Lock(), 0.0
        self.objects: dict[str, bytes] = {}
        self.metadata: dict[str, dict[str, str]] = {}
        self.calls: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        """The value of `AWS_ENDPOINT_URL`. For an address without a name, botocore puts the bucket into the path."""
        return f"http://127.0.0.1:{self.server_port}"

    def wait_for_the_pipe(self, size: int) -> None:
        """Wait until this number of bytes would have been sent, after those of the other bodies."""
        with self._pipe:
            self._free_at = max(time.monotonic(), self._free_at) + size / self.bandwidth
            wait = self._free_at - time.monotonic()
        time.sleep(max(0.0, wait))


def fake_aws() -> AbstractContextManager[FakeAws]:
    """Serve until the block ends."""
    return serving(FakeAws())


class _Handler(BaseHTTPRequestHandler):
    server: FakeAws
    protocol_version = "HTTP/1.1"
    # Head and body are two writes. If the second waited until the first is acknowledged, it would be 40 ms late.
    disable_nagle_algorithm: ClassVar[bool] = True

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = parse_qs(address.query)
        if "list-type" in query:
            self._begin("ListObjectsV2")
            self._list(unquote(address.path).strip("/"), query.get("prefix", [""])[0])
        else:
            self._begin("GetObject")
            self._object(unquote(address.path)[1:])

    def do_HEAD(self) -> None:
        self._begin("HeadObject")
        self._object(unquote(urlsplit(self.path).path)[1:])

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._begin("PutObject")
        name = unquote(urlsplit(self.path).path)[1:]
        self.server.objects[name] = body
        self.server.metadata[name] = {n: v for n, v in self.headers.items() if n.lower().startswith("x-amz-meta-")}
        self._answer(200, b"", ETag=_etag(body))

    def do_DELETE(self) -> None:
        self._begin("DeleteObject")
        self.server.objects.pop(unquote(urlsplit(self.path).path)[1:], None)
        self._answer(204)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].split(".")[-1]
        self._begin(operation)
        answers = {
            "BatchWriteItem": {"UnprocessedItems": {}},
            "DeleteItem": {},
            "GetItem": {},
            "GetSecretValue": {"SecretString": "k" * 64, "VersionId": "1"},
            "Query": {"Items": [], "Count": 0},
        }
        answer = answers[operation]
        self._answer(200, json.dumps(answer).encode(), **{"Content-Type": "application/x-amz-json-1.0"})

    def _begin(self, operation: str) -> None:
        self.server.calls.append(operation)
        self.server.before(operation, unquote(urlsplit(self.path).path))

    def _object(self, name: str) -> None:
        body = self.server.objects.get(name)
        if body is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>")
        else:
            headers = {"ETag": _etag(body), "Last-Modified": "Mon, 02 Nov 2026 10:00:00 GMT"}
            self._answer(200, body, **headers, **self.server.metadata.get(name, {}))

    def _list(self, bucket: str, prefix: str) -> None:
        found = sorted(
            (name, body) for name, body in self.server.objects.items() if name.startswith(f"{bucket}/{prefix}")
        )
        contents = "".join(
            f"<Contents><Key>{escape(name.removeprefix(f'{bucket}/'))}</Key><ETag>{_etag(body)}</ETag></Contents>"
            for name, body in found
        )
        result = f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
        self._answer(200, result.encode(), **{"Content-Type": "application/xml"})

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        size = CHUNK if self.server.bandwidth < inf else len(body) or 1
        for start in range(0, len(body), size):
            chunk = memoryview(body)[start : start + size]
            self.server.wait_for_the_pipe(len(chunk))
            self.wfile.write(chunk)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """No-op."""


def _etag(body: bytes) -> str:
    return f'"{md5(body, usedforsecurity=False).hexdigest()}"'
