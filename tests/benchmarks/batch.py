"""Compares a batch of ten messages with ten batches of one, by the real handler: `python -m tests.benchmarks.batch`.

S3 and DynamoDB are fakes in the process, and respond as late as in their region: the first byte of a call after
`FIRST_BYTE`, a body's bytes at `RATE`, whether they are read at once or in pieces. Bytes that have arrived wait for the
reader, as in the kernel's buffers. Prints a line of JSON.
"""

import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from tests.benchmarks.ratios import paired_ratio

MESSAGES: Final = 10  # as many as the queue's BatchSize in templates/main.yaml
FIRST_BYTE: Final = 0.030  # seconds, of S3; its guide has 100 to 200 ms, a function in its region less
TABLE_ANSWER: Final = 0.008  # seconds, of DynamoDB
RATE: Final = 85e6  # bytes a second of one connection; S3 user guide, "Performance design patterns"
ROUNDS: Final = 6
SETTINGS: Final = {
    "UPLOAD_BUCKET": "uploads",
    "PROCESSED_BUCKET": "processed",
    "METADATA_TABLE": "records",
    "VARIANTS": "thumbnail:width=128,height=128,fit=cover",
    "MAX_SOURCE_BYTES": "52428800",
    "MAX_SOURCE_PIXELS": "80000000",
    "CACHE_CONTROL": "public, max-age=300",
    "AWS_DEFAULT_REGION": "us-east-1",
    "POWERTOOLS_METRICS_NAMESPACE": "Bench",
    "POWERTOOLS_SERVICE_NAME": "bench",
    "LOG_LEVEL": "INFO",
}


class Stream(io.RawIOBase):
    """A body that arrives slowly: byte n is there n / `RATE` seconds after the first."""

    def __init__(self, body: bytes) -> None:
        self._body, self._place, self._begun = body, 0, time.perf_counter()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def read(self, amt: int | None = None) -> bytes:
        end = len(self._body) if amt is None or amt < 0 else min(len(self._body), self._place + amt)
        time.sleep(max(0.0, self._begun + end / RATE - time.perf_counter()))
        piece, self._place = self._body[self._place : end], end
        return piece

    def iter_chunks(self, chunk_size: int = 1024) -> Any:
        return iter(lambda: self.read(chunk_size), b"")


class SlowS3:
    """Has the uploads from the start; of renditions it stores the headers."""

    def __init__(self, uploads: Mapping[str, bytes]) -> None:
        self.uploads, self.processed = uploads, dict[str, dict[str, str]]()

    def get_object(self, *, Bucket: str, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803, ARG002 - AWS's names
        time.sleep(FIRST_BYTE)
        body = self.uploads[Key]
        return {
            "Body": Stream(body),
            "ContentLength": len(body),
            "ETag": f'"{Key}"',
            "LastModified": datetime(2026, 1, 2, tzinfo=UTC),
            "VersionId": "1",
        }

    def head_object(self, *, Bucket: str, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - AWS's names
        time.sleep(FIRST_BYTE)
        known = self.uploads if Bucket == "uploads" else self.processed
        if Key not in known:
            raise ClientError({"Error": {"Code": "404"}}, "HeadObject")
        return {"ETag": f'"{Key}"', "Metadata": self.processed.get(Key, {})}

    def put_object(self, *, Key: str, Metadata: dict[str, str], **_: Any) -> dict[str, Any]:  # noqa: N803 - AWS's names
        time.sleep(FIRST_BYTE)
        self.processed[Key] = Metadata
        return {"ETag": f'"{Key}"'}

    def get_paginator(self, _: str) -> SimpleNamespace:
        return SimpleNamespace(paginate=self._list)

    def _list(self, *, Prefix: str, **_: Any) -> list[dict[str, Any]]:  # noqa: N803 - AWS's names
        time.sleep(FIRST_BYTE)
        keys = [key for key in list(self.processed) if key.startswith(Prefix)]
        return [{"Contents": [{"Key": key, "ETag": f'"{key}"'} for key in keys]}]


class SlowTable:
    """Accepts every record, and stores none."""

    def batch_write_item(self, **_: Any) -> dict[str, Any]:
        time.sleep(TABLE_ANSWER)
        return {"UnprocessedItems": {}}

    def get_paginator(self, _: str) -> SimpleNamespace:
        return SimpleNamespace(paginate=self._query)

    def _query(self, **_: Any) -> list[dict[str, Any]]:
        time.sleep(TABLE_ANSWER)
        return [{"Items": []}]


def compare(source: bytes, rounds: int = ROUNDS) -> dict[str, Any]:
    """Milliseconds of both ways, and the paired ratio, of ten invocations with a message each to one with ten."""
    keys = [f"{number}.jpg" for number in range(MESSAGES)]
    s3 = SlowS3(dict.fromkeys(keys, source))
    handler = _handler(s3)
    together: list[float] = []
    alone: list[float] = []
    for number in range(rounds + 1):  # the first warms up
        for times, batches in ((together, [keys]), (alone, [[key] for key in keys])):
            s3.processed.clear()
            begun = time.perf_counter()
            for batch in batches:
                response = handler(_event(batch), SimpleNamespace(aws_request_id="bench"))
                if response != {"batchItemFailures": []}:
                    raise RuntimeError(f"the handler returned {response}")
            if number:
                times.append(1000 * (time.perf_counter() - begun))
            if len(s3.processed) != MESSAGES:
                raise RuntimeError(f"the handler made {len(s3.processed)} renditions of {MESSAGES} sources")
    found = paired_ratio(together, alone)
    return {
        "together": median(together),
        "alone": median(alone),
        "ratio": found.median,
        "low": found.low,
        "high": found.high,
    }


def _handler(s3: SlowS3) -> Any:
    os.environ.update(SETTINGS)
    clients = {"s3": s3, "dynamodb": SlowTable()}
    boto3.client = lambda service, **_: clients[service]
    from image_processor.app import lambda_handler

    return lambda_handler


def _event(keys: list[str]) -> dict[str, Any]:
    recorded = Path(__file__).parents[1] / "events"
    [message] = json.loads((recorded / "sqs.json").read_text())["Records"]
    notification = (recorded / "s3-put.json").read_text()
    records = []
    for key in keys:
        body = json.loads(notification)
        body["Records"][0]["s3"]["bucket"]["name"] = SETTINGS["UPLOAD_BUCKET"]
        body["Records"][0]["s3"]["object"]["key"] = key
        records.append({**message, "messageId": key, "body": json.dumps(body)})
    return {"Records": records}


if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()):  # the function's log
        figures = compare(Path(sys.argv[1]).read_bytes())
    sys.stdout.write(json.dumps(figures) + "\n")
