"""A proxy in front of the local AWS at which some calls to S3 and DynamoDB fail, as calls to AWS do.

function ──▶ proxy ──▶ local AWS       a call may be refused or interrupted, or its response may be lost
"""

import http.client
import random
import socket
import struct
import threading
import time
from collections import Counter
from contextlib import AbstractContextManager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import unquote

from ..serving import serving

BUSY, BROKEN, RESET, LOST, CUT = "busy", "broken", "reset", "response lost", "cut short"
_HOP = {"connection", "content-length", "expect", "keep-alive", "transfer-encoding"}  # that end at the proxy; RFC 9110
_REFUSALS = {
    ("s3", BUSY): (503, b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"),
    ("s3", BROKEN): (500, b"<Error><Code>InternalError</Code><Message>We had an error.</Message></Error>"),
    ("dynamodb", BUSY): (400, b'{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}'),
    ("dynamodb", BROKEN): (500, b'{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}'),
}


class FaultyProxy(ThreadingHTTPServer):
    """Counts its `calls` and `faults`; `stored_at` has when each object was first stored, path → monotonic seconds."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, behind: int, share: float) -> None:
        self.behind, self.share = behind, share
        self.calls, self.faults = Counter[str](), Counter[str]()
        self.stored_at: dict[str, float] = {}
        self._dice = random.Random(1)  # noqa: S311 - chance, not secrecy
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Call)

    @property
    def url(self) -> str:
        """The value of `AWS_ENDPOINT_URL`."""
        return f"http://127.0.0.1:{self.server_port}"

    def fault(self, service: str, method: str) -> str | None:
        """Choose the fault of a call by chance; None for no fault."""
        if service not in ("s3", "dynamodb"):
            return None
        with self._lock:
            self.calls[service] += 1
            if self._dice.random() >= self.share:
                return None
            fault = self._dice.choice(
                (BUSY, BROKEN, RESET, LOST, *((CUT,) if service == "s3" and method == "GET" else ()))
            )
            self.faults[fault] += 1
            return fault


def faulty_proxy(behind: int, share: float) -> AbstractContextManager[FaultyProxy]:
    """Serve until the block ends, in front of the local AWS on a port."""
    return serving(FaultyProxy(behind, share))


class _Call(BaseHTTPRequestHandler):
    server: FaultyProxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm: ClassVar[bool] = True  # head and body are two writes

    def do_call(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        scope = self.headers.get("Authorization", "").partition("Credential=")[2].split("/")  # id/day/region/service/…
        service = scope[3] if len(scope) > 3 else ""
        fault = self.server.fault(service, self.command)
        if fault in (BUSY, BROKEN):
            status, reason = _REFUSALS[service, fault]
            self._respond(status, reason)
            return
        if fault == RESET:
            self._reset()
            return
        status, headers, response = self._pass_on(body)
        if self.command == "PUT" and status == http.client.OK:
            self.server.stored_at.setdefault(unquote(self.path).partition("?")[0], time.monotonic())
        if fault == LOST:
            self._reset()
        elif fault == CUT:
            self._respond(status, response[: len(response) // 2], headers, length=len(response))
            self._reset()
        else:
            self._respond(status, response, headers)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_call  # noqa: N815 - the base class's names

    def _pass_on(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        behind = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=60)
        try:
            # Unchanged, also the Host, because they are signed.
            behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP:
                    behind.putheader(name, value)
            behind.putheader("Content-Length", str(len(body)))
            behind.endheaders(body)
            response = behind.getresponse()
            headers = [(name, value) for name, value in response.getheaders() if name.lower() not in _HOP]
            if self.command == "HEAD":
                headers.append(("Content-Length", response.headers.get("Content-Length", "0")))
            return response.status, headers, response.read()
        finally:
            behind.close()

    def _respond(
        self, status: int, body: bytes, headers: list[tuple[str, str]] | None = None, length: int | None = None
    ) -> None:
        self.send_response_only(status)
        for name, value in headers or ():
            self.send_header(name, value)
        if self.command != "HEAD" or not headers:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _reset(self) -> None:
        # Without a time to linger, the connection is reset.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def handle(self) -> None:
        try:
            super().handle()
        except (OSError, ValueError):  # a function that was killed, or this proxy, has closed the connection
            self.close_connection = True

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """No-op."""
