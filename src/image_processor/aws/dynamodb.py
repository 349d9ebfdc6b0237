"""Records in DynamoDB, or no-ops in a stack without a table."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from image_processor.aws.clients import error_code, translated_errors
from image_processor.errors import Throttled
from image_processor.publishing.model import Record, StoredFailure, StoredRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import WriteRequestTypeDef

INDEX: Final = "by-original-file"
_BATCH: Final = 25  # items in one BatchWriteItem; DynamoDB API reference
_TRIES: Final = 5  # of a batch that DynamoDB accepted in part, each after twice the wait: 1.5 s in all
_FIRST_WAIT: Final = 0.1  # seconds


class MetadataTable:
    """One item for each rendition, with `id` as key, and an index by `original_file`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def put(self, records: Sequence[Record]) -> None:
        """Write records, over older ones of the same id."""
        self._write([{"PutRequest": {"Item": _item(record)}} for record in records])

    def of(self, original_file: str) -> list[StoredRecord]:
        """The records of a source, read from the index, which may be a second behind the table."""
        with translated_errors("DynamoDB"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName=INDEX,
                KeyConditionExpression="original_file = :file",
                ExpressionAttributeValues={":file": {"S": original_file}},
                ProjectionExpression="id, variant, transformation, processed_at",
            )
            items = [item for page in pages for item in page["Items"]]
        return [
            StoredRecord(
                id=item["id"]["S"],
                name=(item.get("variant") or item["transformation"])["S"],
                processed_at=item["processed_at"]["S"],
            )
            for item in items
        ]

    def failure(self, record_id: str) -> StoredFailure | None:
        """The record of this id if its rendition failed; None if there is no record, or its rendition is stored."""
        with translated_errors("DynamoDB"):
            item = self._client.get_item(TableName=self._table, Key={"id": {"S": record_id}}).get("Item", {})
        text = {name: value["S"] for name, value in item.items() if "S" in value}
        if text.get("status") != "failed":
            return None
        return StoredFailure(
            source_etag=text["source_etag"],
            code=text["error_code"],
            message=text["error_message"],
            scope=text.get("error_scope", ""),  # release 1.0 wrote neither this nor the next
            limits=text.get("error_limits", ""),
        )

    def delete(self, record_id: str, **only_if: str) -> None:
        """Delete a record if its attributes still have these values; does nothing if it was replaced or is gone."""
        condition: dict[str, Any] = {
            "ConditionExpression": " AND ".join(f"{name} = :{name}" for name in only_if),
            "ExpressionAttributeValues": {f":{name}": {"S": value} for name, value in only_if.items()},
        }
        with translated_errors("DynamoDB"):
            try:
                self._client.delete_item(
                    TableName=self._table, Key={"id": {"S": record_id}}, **(condition if only_if else {})
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise

    def _write(self, requests: "list[WriteRequestTypeDef]") -> None:
        for start in range(0, len(requests), _BATCH):
            left = {self._table: requests[start : start + _BATCH]}
            for attempt in range(_TRIES):
                with translated_errors("DynamoDB"):
                    left = self._client.batch_write_item(RequestItems=left).get("UnprocessedItems", {})  # type: ignore[assignment]
                if not left:
                    break
                time.sleep(_FIRST_WAIT * 2**attempt)
            else:
                raise Throttled("DynamoDB is busy; try again later")


class NoTable:
    """No-op, for a stack without a table."""

    def put(self, records: Sequence[Record]) -> None:
        """No-op."""

    def of(self, original_file: str) -> list[StoredRecord]:  # noqa: ARG002 - the port's signature
        """No records."""
        return []

    def failure(self, record_id: str) -> StoredFailure | None:  # noqa: ARG002 - the port's signature
        """No record."""
        return None

    def delete(self, record_id: str, **only_if: str) -> None:
        """No-op."""


def _item(record: Record) -> dict[str, dict[str, str]]:
    return {
        name: {"N" if isinstance(value, int) else "S": str(value)}
        for name, value in asdict(record).items()
        if value is not None
    }
