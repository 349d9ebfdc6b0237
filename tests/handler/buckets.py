"""The buckets and the table of the handler's tests: what lies in them, and the errors that AWS answers on request."""

import io
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from PIL import Image

UPLOADS, PROCESSED, TABLE = "uploads", "processed", "records"


@cache
def client(service: str) -> Any:
    """Return the tests' own client; opening one takes longer than most tests."""
    return boto3.client(service)  # type: ignore[call-overload]


def create_buckets_and_table() -> None:
    for bucket in (UPLOADS, PROCESSED):
        client("s3").create_bucket(Bucket=bucket)
    client("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "original_file", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-original-file",
                "KeySchema": [{"AttributeName": "original_file", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )


@cache
def picture(width: int = 400, height: int = 300, colour: str = "teal", kind: str = "JPEG") -> bytes:
    body = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(body, kind)
    return body.getvalue()


def upload(key: str, body: bytes) -> None:
    client("s3").put_object(Bucket=UPLOADS, Key=key, Body=body)


def renditions() -> list[str]:
    """Return the keys in the processed bucket."""
    return [item["Key"] for item in client("s3").list_objects_v2(Bucket=PROCESSED).get("Contents", [])]


def rendition(key: str) -> dict[str, Any]:
    stored: dict[str, Any] = client("s3").get_object(Bucket=PROCESSED, Key=key)
    return stored


def records() -> list[dict[str, Any]]:
    items = client("dynamodb").scan(TableName=TABLE)["Items"]
    return [{name: next(iter(value.values())) for name, value in item.items()} for item in items]


def failing(monkeypatch: pytest.MonkeyPatch, operation: str, code: str, key: str = "") -> None:
    """Have AWS answer each later call of an operation with an error; with `key`, only for keys that begin with it."""
    original = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(self: BaseClient, name: str, arguments: dict[str, Any]) -> Any:
        if name == operation and arguments.get("Key", "").startswith(key):
            raise ClientError({"Error": {"Code": code, "Message": "as the test wants"}}, name)
        return original(self, name, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
