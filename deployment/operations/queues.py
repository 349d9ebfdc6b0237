"""The calls to an SQS queue that several programs make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cli import AwsCli

BATCH = 10  # messages in one call; SQS API reference, SendMessageBatch


def visible_messages(aws: AwsCli, url: str) -> int:
    """Return about how many messages wait in a queue, without those that are being processed."""
    name = "ApproximateNumberOfMessages"
    return int(aws.call("sqs", "get-queue-attributes", QueueUrl=url, AttributeNames=[name])["Attributes"][name])


def message_counts(call: Callable[..., dict[str, Any]], url: str) -> tuple[int, int]:
    """Return how many messages of a queue wait, delayed ones included, and are being processed; raises `AwsFailed`.

    `call` is `AwsCli.call`, or has the same arguments.
    """
    waiting, delayed = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"
    in_flight = "ApproximateNumberOfMessagesNotVisible"
    found = call("sqs", "get-queue-attributes", QueueUrl=url, AttributeNames=[waiting, delayed, in_flight])
    counts = {name: int(value) for name, value in found["Attributes"].items()}
    return counts[waiting] + counts.get(delayed, 0), counts.get(in_flight, 0)


def rejected_entries(response: dict[str, Any]) -> list[int]:
    """Return which entries of a batch SQS has rejected. The programs use the index of an entry as its id."""
    return [int(entry["Id"]) for entry in response.get("Failed", ())]
