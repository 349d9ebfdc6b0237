"""Reads and deletes records of the metadata table, an item for each rendition, by the function's ids."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cli import TRIES, WORKERS, AwsFailed, batches
from bucket_listings import read_time

from image_processor.publishing.names import record_id
from image_processor.urls.paths import split_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from aws_cli import AwsCli

READ_AT_ONCE = 100  # keys in one BatchGetItem; DynamoDB API reference
WRITTEN_AT_ONCE = 25  # requests in one BatchWriteItem; DynamoDB API reference
PROJECTION = {
    "ProjectionExpression": "id, #status, source_etag, processed_at, error_code, error_message",
    "ExpressionAttributeNames": {"#status": "status"},  # one of DynamoDB's reserved words
}


@dataclass(frozen=True)
class Failure:
    """The record of a variant that could not be rendered from the version of a source with this ETag."""

    source_etag: str
    processed_at: datetime
    reason: str


def read_failures(aws: AwsCli, table: str, ids: list[str]) -> dict[str, Failure]:
    """Return the records among these whose `status` is `failed`, by their ids; raises `AwsFailed`."""
    failures = {}
    for part in batches(ids, READ_AT_ONCE):
        keys = {table: {"Keys": [{"id": {"S": one}} for one in part], **PROJECTION}}
        for response in _call_until_processed(aws, "batch-get-item", keys, "UnprocessedKeys"):
            for item in response.get("Responses", {}).get(table, ()):
                if item["status"]["S"] == "failed":
                    failures[item["id"]["S"]] = _failure(item)
    return failures


def _call_until_processed(
    aws: AwsCli, operation: str, items: dict[str, Any], unprocessed: str
) -> Iterator[dict[str, Any]]:
    """Yield the responses of a batch operation, which is repeated for the items that a busy table leaves out.

    Raises `AwsFailed` when items are left after `TRIES` calls.
    """
    for tried in range(TRIES):
        time.sleep(tried**2)
        response = aws.call("dynamodb", operation, RequestItems=items)
        yield response
        items = response.get(unprocessed) or {}
        if not items:
            return
    raise AwsFailed("dynamodb", operation, "the table is too busy; try again later")


def _failure(item: dict[str, dict[str, str]]) -> Failure:
    reason = f"{item['error_code']['S']}: {item['error_message']['S']}"
    return Failure(item["source_etag"]["S"], read_time(item["processed_at"]["S"]), reason)


def delete_records(aws: AwsCli, table: str, upload_bucket: str, renditions: Iterable[str]) -> None:
    """Delete the records of renditions, which are given by their paths; raises `AwsFailed`."""
    delete_by_ids(aws, table, [record_id(upload_bucket, *found) for found in map(split_path, renditions) if found])


def delete_by_ids(aws: AwsCli, table: str, ids: Iterable[str]) -> None:
    """Delete the records of these ids; raises `AwsFailed`."""
    requests = [{"DeleteRequest": {"Key": {"id": {"S": one}}}} for one in ids]

    def write(part: list[dict[str, Any]]) -> None:
        for _ in _call_until_processed(aws, "batch-write-item", {table: part}, "UnprocessedItems"):
            pass  # the responses have nothing else

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(write, batches(requests, WRITTEN_AT_ONCE)))
