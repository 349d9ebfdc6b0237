"""Records in DynamoDB, or nowhere when the stack has no table."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from image_processor.aws.clients import error_code, speaking_to
from image_processor.errors import Throttled
from image_processor.publishing.model import KeptRecord, Record

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import WriteRequestTypeDef

INDEX: Final = "by-original-file"
_BATCH: Final = 25  # items in one BatchWriteItem; DynamoDB API reference
_TRIES: Final = 5  # of a batch that DynamoDB took in part, each waiting twice as long: 1.5 s in all
_FIRST_WAIT: Final = 0.1  # seconds


class MetadataTable:
    """One item for each rendition, found by `id`, or by `original_file` through the index."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def put(self, records: Sequence[Record]) -> None:
        """Write records, over older ones of the same id."""
        self._write([{"PutRequest": {"Item": _item(record)}} for record in records])

    def of(self, original_file: str) -> list[KeptRecord]:
        """The records of a source, as the index knows them: it may be a second behind the table."""
        with speaking_to("DynamoDB"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName=INDEX,
                KeyConditionExpression="original_file = :file",
                ExpressionAttributeValues={":file": {"S": original_file}},
                ProjectionExpression="id, variant, transformation, processed_at",
            )
            items = [item for page in pages for item in page["Items"]]
        return [
            KeptRecord(
                id=item["id"]["S"],
                name=(item.get("variant") or item["transformation"])["S"],
                processed_at=item["processed_at"]["S"],
            )
            for item in items
        ]

    def delete(self, record_id: str, **only_if: str) -> None:
        """Remove a record, if its attributes still are these; one that is another, or gone, is no fault."""
        condition: dict[str, Any] = {
            "ConditionExpression": " AND ".join(f"{name} = :{name}" for name in only_if),
            "ExpressionAttributeValues": {f":{name}": {"S": value} for name, value in only_if.items()},
        }
        with speaking_to("DynamoDB"):
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
                with speaking_to("DynamoDB"):
                    left = self._client.batch_write_item(RequestItems=left).get("UnprocessedItems", {})  # type: ignore[assignment]
                if not left:
                    break
                time.sleep(_FIRST_WAIT * 2**attempt)
            else:
                raise Throttled("DynamoDB is busy; try again later")


class NoTable:
    """Records go nowhere: the stack was made without a table."""

    def put(self, records: Sequence[Record]) -> None:
        """Keep nothing."""

    def of(self, original_file: str) -> list[KeptRecord]:  # noqa: ARG002 - the port's signature
        """Know nothing."""
        return []

    def delete(self, record_id: str, **only_if: str) -> None:
        """Have nothing to remove."""


def _item(record: Record) -> dict[str, dict[str, str]]:
    return {
        name: {"N" if isinstance(value, int) else "S": str(value)}
        for name, value in asdict(record).items()
        if value is not None
    }
