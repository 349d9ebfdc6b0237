"""The calls to an SQS queue that backfill.py and redrive.py share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aws_cli import AwsCli

BATCH = 10  # messages in one call; SQS API reference, SendMessageBatch


def visible_messages(aws: AwsCli, url: str) -> int:
    """Return about how many messages wait in a queue, without those that are being processed."""
    name = "ApproximateNumberOfMessages"
    return int(aws.call("sqs", "get-queue-attributes", QueueUrl=url, AttributeNames=[name])["Attributes"][name])


def rejected_entries(response: dict[str, Any]) -> list[int]:
    """Return which entries of a batch SQS has rejected. The programs use the index of an entry as its id."""
    return [int(entry["Id"]) for entry in response.get("Failed", ())]
