"""S3 and DynamoDB as dictionaries: the operations that the function calls, and ways to make them fail."""

import io
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import UTC, datetime
from hashlib import md5
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

UPLOADS, PROCESSED, TABLE = "uploads", "processed", "records"
PAGE_SIZE = 2  # keys or items on one page of a result; few, so that tests with few renditions read several pages


def client_error(code: str, operation: str = "Operation") -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "arn:aws:iam::123456789012:role/inner must not be shown"}}, operation
    )


class Fake:
    """Records the calls of each operation; `before` runs an action before the nth call from now on."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self._actions: dict[tuple[str, int], Callable[[], Any]] = {}
        self._lock = threading.Lock()

    def before(self, operation: str, nth: int, action: Callable[[], Any]) -> None:
        self._actions[operation, self.count(operation) + nth] = action

    def fail(self, operation: str, nth: int, error: Exception) -> None:
        def action() -> None:
            raise error

        self.before(operation, nth, action)

    def count(self, operation: str) -> int:
        return sum(recorded == operation for recorded, _ in self.calls)

    def record_call(self, operation: str, target: str) -> None:
        with self._lock:
            self.calls.append((operation, target))
            action = self._actions.pop((operation, self.count(operation)), None)
        if action:
            action()


class InlineExecutor(Executor):
    """Runs each task at once in the caller's thread, so that the order of calls is the same in every run."""

    def submit(self, task: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Future[Any]:
        outcome: Future[Any] = Future()
        try:
            outcome.set_result(task(*arguments, **keywords))
        except Exception as error:  # noqa: BLE001 - the future raises it
            outcome.set_exception(error)
        return outcome


class FakeInvalidations:
    """Records the source keys that are added."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def add(self, source_key: str) -> None:
        self.keys.append(source_key)

    def send(self) -> None:
        raise AssertionError("only the handler sends invalidations; the pipeline adds them")


class FakeS3(Fake):
    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[tuple[str, str], SimpleNamespace] = {}
        self.open_bodies: set[str] = set()

    # What users do

    def upload(self, key: str, body: bytes) -> str:
        self.objects[UPLOADS, key] = _new_object(body)
        return self.objects[UPLOADS, key].etag

    def archive(self, key: str) -> None:
        """Archive a source, as a lifecycle rule or an upload to Glacier does: HEAD succeeds, GET fails."""
        self.objects[UPLOADS, key].archived = True

    def delete(self, key: str) -> None:
        self.objects.pop((UPLOADS, key), None)

    # What tests read

    def renditions(self) -> dict[str, str]:
        """The stored renditions: key → ETag of the source that each was rendered from."""
        return {
            key: stored.metadata["source-etag"] for (bucket, key), stored in self.objects.items() if bucket == PROCESSED
        }

    # The client's operations that the function calls

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - AWS's names
        self.record_call("get_object", Key)
        stored = self.objects.get((Bucket, Key))
        if stored is None:
            raise client_error("NoSuchKey", "GetObject")
        if stored.archived:
            raise client_error("InvalidObjectState", "GetObject")
        self.open_bodies.add(Key)
        body = io.BytesIO(stored.body[: stored.download_size])

        def read(size: int | None = None) -> bytes:
            self.record_call("read", Key)
            return body.read(size)

        def close() -> None:
            self.open_bodies.discard(Key)

        return {
            "Body": SimpleNamespace(read=read, close=close),
            "ContentLength": len(stored.body),
            "ETag": f'"{stored.etag}"',
            "LastModified": stored.modified_at,
            "VersionId": "version-1",
            **stored.headers,
        }

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - AWS's names
        self.record_call("head_upload" if Bucket == UPLOADS else "head_rendition", Key)
        stored = self.objects.get((Bucket, Key))
        if stored is None:
            raise client_error("404", "HeadObject")
        return {
            "ContentLength": len(stored.body),
            "ETag": f'"{stored.etag}"',
            "LastModified": stored.modified_at,
            "Metadata": stored.metadata,
        }

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **headers: Any) -> dict[str, Any]:  # noqa: N803
        self.record_call("put_object", Key)
        assert len(Key.encode()) <= 1024
        assert Bucket == PROCESSED
        self.objects[Bucket, Key] = _new_object(Body, **headers)
        return {"ETag": f'"{self.objects[Bucket, Key].etag}"'}

    def delete_object(self, *, Bucket: str, Key: str, IfMatch: str) -> None:  # noqa: N803 - AWS's names
        self.record_call("delete_object", Key)
        assert Bucket == PROCESSED
        if (Bucket, Key) not in self.objects:
            raise client_error("NoSuchKey", "DeleteObject")
        if f'"{self.objects[Bucket, Key].etag}"' != IfMatch:
            raise client_error("PreconditionFailed", "DeleteObject")
        del self.objects[Bucket, Key]

    def get_paginator(self, operation: str) -> SimpleNamespace:
        assert operation == "list_objects_v2"
        return SimpleNamespace(paginate=self._list)

    def _list(self, *, Bucket: str, Prefix: str, Delimiter: str) -> list[dict[str, Any]]:  # noqa: N803 - AWS's names
        self.record_call("list_objects_v2", Prefix)
        keys = sorted(
            key
            for bucket, key in self.objects
            if bucket == Bucket and key.startswith(Prefix) and Delimiter not in key.removeprefix(Prefix)
        )
        pages = [keys[start : start + PAGE_SIZE] for start in range(0, len(keys), PAGE_SIZE)]
        return [
            {"Contents": [{"Key": key, "ETag": f'"{self.objects[Bucket, key].etag}"'} for key in page]}
            for page in pages
        ] or [{}]


class FakeTable(Fake):
    def __init__(self) -> None:
        super().__init__()
        self.items: dict[str, dict[str, Any]] = {}
        self.index_is_behind = False  # the index is eventually consistent, and may not have an item yet
        self.partial_writes = 0  # the number of next calls that process only half of their requests

    def records(self) -> dict[str, dict[str, str]]:
        """The stored records: location of the rendition → attributes as text."""
        plain = [{name: next(iter(value.values())) for name, value in item.items()} for item in self.items.values()]
        return {f"{item['original_file']}/{item.get('variant') or item['transformation']}": item for item in plain}

    def batch_write_item(self, *, RequestItems: dict[str, list[Any]]) -> dict[str, Any]:  # noqa: N803 - AWS's names
        self.record_call("batch_write_item", TABLE)
        [(table, requests)] = RequestItems.items()
        ids = [_id(request) for request in requests]
        assert table == TABLE
        assert 1 <= len(requests) <= 25
        assert len(set(ids)) == len(ids)  # DynamoDB rejects a batch that has a key twice
        processed = len(requests) // 2 if self.partial_writes else len(requests)
        self.partial_writes = max(0, self.partial_writes - 1)
        for request in requests[:processed]:
            self.items[_id(request)] = request["PutRequest"]["Item"]
        unprocessed = requests[processed:]
        return {"UnprocessedItems": {table: unprocessed} if unprocessed else {}}

    def get_item(self, *, TableName: str, Key: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - AWS's names
        self.record_call("get_item", TableName)
        item = self.items.get(Key["id"]["S"])
        return {"Item": item} if item else {}

    def delete_item(self, *, TableName: str, Key: dict[str, Any], **condition: Any) -> None:  # noqa: N803 - AWS's names
        self.record_call("delete_item", TableName)
        item = self.items.get(Key["id"]["S"], {})
        expected = condition.get("ExpressionAttributeValues", {})
        assert condition.get("ConditionExpression", "") == " AND ".join(f"{name[1:]} = {name}" for name in expected)
        if any(item.get(name[1:]) != value for name, value in expected.items()):
            raise client_error("ConditionalCheckFailedException", "DeleteItem")
        self.items.pop(Key["id"]["S"], None)

    def get_paginator(self, operation: str) -> SimpleNamespace:
        assert operation == "query"
        return SimpleNamespace(paginate=self._query)

    def _query(self, **query: Any) -> list[dict[str, Any]]:
        original_file = query["ExpressionAttributeValues"][":file"]
        self.record_call("query", original_file["S"])
        assert (query["TableName"], query["IndexName"]) == (TABLE, "by-original-file")
        names = query["ProjectionExpression"].split(", ")
        found = [
            {name: item[name] for name in names if name in item}
            for item in self.items.values()
            if item["original_file"] == original_file
        ]
        if self.index_is_behind:
            found = []
        return [{"Items": found[start : start + PAGE_SIZE]} for start in range(0, len(found), PAGE_SIZE)] or [
            {"Items": []}
        ]


def _new_object(body: bytes, **headers: Any) -> SimpleNamespace:
    return SimpleNamespace(
        body=body,
        download_size=len(body),  # bytes that a download delivers before the connection closes
        archived=False,
        etag=md5(body, usedforsecurity=False).hexdigest(),
        metadata=headers.pop("Metadata", {}),
        headers=headers,
        modified_at=datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC),
    )


def _id(request: dict[str, Any]) -> str:
    return str(request["PutRequest"]["Item"]["id"]["S"])
