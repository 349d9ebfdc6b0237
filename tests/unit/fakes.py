"""S3 and DynamoDB in dictionaries: as much of their clients as the function calls, and ways to make them fail."""

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
PAGE = 2  # keys or items in one page of an answer: small, so that tests of a few renditions need several


def refusal(code: str, operation: str = "Operation") -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "arn:aws:iam::123456789012:role/inner is not to be seen"}}, operation
    )


class Fake:
    """Counts the calls of each operation; `before` runs an action, once, ahead of the nth of them."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self._actions: dict[tuple[str, int], Callable[[], Any]] = {}
        self._counting = threading.Lock()

    def before(self, operation: str, nth: int, action: Callable[[], Any]) -> None:
        self._actions[operation, self.count(operation) + nth] = action

    def fail(self, operation: str, nth: int, error: Exception) -> None:
        def action() -> None:
            raise error

        self.before(operation, nth, action)

    def count(self, operation: str) -> int:
        return sum(called == operation for called, _ in self.calls)

    def called(self, operation: str, what: str) -> None:
        with self._counting:
            self.calls.append((operation, what))
            action = self._actions.pop((operation, self.count(operation)), None)
        if action:
            action()


class Inline(Executor):
    """Does at once, in the caller's thread, what the function does beside it: in the same order each time."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        outcome: Future[Any] = Future()
        try:
            outcome.set_result(work(*arguments, **named))
        except Exception as error:  # noqa: BLE001 - the future tells it
            outcome.set_exception(error)
        return outcome


class FakeInvalidations:
    """Notes the source keys that are added."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def add(self, source_key: str) -> None:
        self.keys.append(source_key)

    def send(self) -> None:
        raise AssertionError("the pipeline adds, the handler sends")


class FakeS3(Fake):
    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[tuple[str, str], SimpleNamespace] = {}
        self.open_bodies: set[str] = set()

    # What a user does

    def upload(self, key: str, body: bytes) -> str:
        self.objects[UPLOADS, key] = _stored(body)
        return self.objects[UPLOADS, key].etag

    def archive(self, key: str) -> None:
        """As a lifecycle rule does, or an upload to Glacier: HEAD is answered, GET is not."""
        self.objects[UPLOADS, key].archived = True

    def remove(self, key: str) -> None:
        self.objects.pop((UPLOADS, key), None)

    # What a test looks at

    def renditions(self) -> dict[str, str]:
        """Key → ETag of the source it was made from."""
        return {
            key: kept.metadata["source-etag"] for (bucket, key), kept in self.objects.items() if bucket == PROCESSED
        }

    # What the function calls

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - AWS's names
        self.called("get_object", Key)
        kept = self.objects.get((Bucket, Key))
        if kept is None:
            raise refusal("NoSuchKey", "GetObject")
        if kept.archived:
            raise refusal("InvalidObjectState", "GetObject")
        self.open_bodies.add(Key)
        body = io.BytesIO(kept.body[: kept.arrives])

        def read(size: int | None = None) -> bytes:
            self.called("read", Key)
            return body.read(size)

        def close() -> None:
            self.open_bodies.discard(Key)

        return {
            "Body": SimpleNamespace(read=read, close=close),
            "ContentLength": len(kept.body),
            "ETag": f'"{kept.etag}"',
            "LastModified": kept.modified_at,
            "VersionId": "version-1",
            **kept.headers,
        }

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - AWS's names
        self.called("head_upload" if Bucket == UPLOADS else "head_rendition", Key)
        kept = self.objects.get((Bucket, Key))
        if kept is None:
            raise refusal("404", "HeadObject")
        return {
            "ContentLength": len(kept.body),
            "ETag": f'"{kept.etag}"',
            "LastModified": kept.modified_at,
            "Metadata": kept.metadata,
        }

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **headers: Any) -> dict[str, Any]:  # noqa: N803
        self.called("put_object", Key)
        assert len(Key.encode()) <= 1024
        assert Bucket == PROCESSED
        self.objects[Bucket, Key] = _stored(Body, **headers)
        return {"ETag": f'"{self.objects[Bucket, Key].etag}"'}

    def delete_object(self, *, Bucket: str, Key: str, IfMatch: str) -> None:  # noqa: N803 - AWS's names
        self.called("delete_object", Key)
        assert Bucket == PROCESSED
        if (Bucket, Key) not in self.objects:
            raise refusal("NoSuchKey", "DeleteObject")
        if f'"{self.objects[Bucket, Key].etag}"' != IfMatch:
            raise refusal("PreconditionFailed", "DeleteObject")
        del self.objects[Bucket, Key]

    def get_paginator(self, operation: str) -> SimpleNamespace:
        assert operation == "list_objects_v2"
        return SimpleNamespace(paginate=self._list)

    def _list(self, *, Bucket: str, Prefix: str, Delimiter: str) -> list[dict[str, Any]]:  # noqa: N803 - AWS's names
        self.called("list_objects_v2", Prefix)
        keys = sorted(
            key
            for bucket, key in self.objects
            if bucket == Bucket and key.startswith(Prefix) and Delimiter not in key.removeprefix(Prefix)
        )
        pages = [keys[start : start + PAGE] for start in range(0, len(keys), PAGE)]
        return [
            {"Contents": [{"Key": key, "ETag": f'"{self.objects[Bucket, key].etag}"'} for key in page]}
            for page in pages
        ] or [{}]


class FakeTable(Fake):
    def __init__(self) -> None:
        super().__init__()
        self.items: dict[str, dict[str, Any]] = {}
        self.index_is_behind = False  # the index is read eventually consistent: it may not have an item yet
        self.unprocessed = 0  # how many of the next calls take half of their requests

    def records(self) -> dict[str, dict[str, str]]:
        """Name of the rendition → what is kept of it."""
        plain = [{name: next(iter(value.values())) for name, value in item.items()} for item in self.items.values()]
        return {f"{item['original_file']}/{item.get('variant') or item['transformation']}": item for item in plain}

    def batch_write_item(self, *, RequestItems: dict[str, list[Any]]) -> dict[str, Any]:  # noqa: N803 - AWS's names
        self.called("batch_write_item", TABLE)
        [(table, requests)] = RequestItems.items()
        ids = [_id(request) for request in requests]
        assert table == TABLE
        assert 1 <= len(requests) <= 25
        assert len(set(ids)) == len(ids)  # DynamoDB refuses a batch with the same key twice
        taken = len(requests) // 2 if self.unprocessed else len(requests)
        self.unprocessed = max(0, self.unprocessed - 1)
        for request in requests[:taken]:
            self.items[_id(request)] = request["PutRequest"]["Item"]
        left = requests[taken:]
        return {"UnprocessedItems": {table: left} if left else {}}

    def delete_item(self, *, TableName: str, Key: dict[str, Any], **condition: Any) -> None:  # noqa: N803 - AWS's names
        self.called("delete_item", TableName)
        item = self.items.get(Key["id"]["S"], {})
        wanted = condition.get("ExpressionAttributeValues", {})
        assert condition.get("ConditionExpression", "") == " AND ".join(f"{name[1:]} = {name}" for name in wanted)
        if any(item.get(name[1:]) != value for name, value in wanted.items()):
            raise refusal("ConditionalCheckFailedException", "DeleteItem")
        self.items.pop(Key["id"]["S"], None)

    def get_paginator(self, operation: str) -> SimpleNamespace:
        assert operation == "query"
        return SimpleNamespace(paginate=self._query)

    def _query(self, **query: Any) -> list[dict[str, Any]]:
        wanted = query["ExpressionAttributeValues"][":file"]
        self.called("query", wanted["S"])
        assert (query["TableName"], query["IndexName"]) == (TABLE, "by-original-file")
        names = query["ProjectionExpression"].split(", ")
        found = [
            {name: item[name] for name in names if name in item}
            for item in self.items.values()
            if item["original_file"] == wanted
        ]
        if self.index_is_behind:
            found = []
        return [{"Items": found[start : start + PAGE]} for start in range(0, len(found), PAGE)] or [{"Items": []}]


def _stored(body: bytes, **headers: Any) -> SimpleNamespace:
    return SimpleNamespace(
        body=body,
        arrives=len(body),  # bytes of it that a download brings, before the connection ends
        archived=False,
        etag=md5(body, usedforsecurity=False).hexdigest(),
        metadata=headers.pop("Metadata", {}),
        headers=headers,
        modified_at=datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC),
    )


def _id(request: dict[str, Any]) -> str:
    return str(request["PutRequest"]["Item"]["id"]["S"])
