"""Reads the events that S3 sends when an object changes. Pure; runs on Python 3.9 for the deployment commands.

This is the only module that decodes the key of an event. S3 notifications have form-encoded keys
(`my+photo+%C3%BC.jpg`), EventBridge events have raw keys.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from image_processor.errors import UnknownEvent, shown


@dataclass(frozen=True)
class SourceEvent:
    """A hint that an object was put, overwritten or deleted. The bucket alone has the current state."""

    bucket: str
    key: str


def parse_message(body: object) -> list[SourceEvent]:
    """The source events in the body of a message; raises `UnknownEvent`."""
    try:
        event = json.loads(body)  # type: ignore[arg-type]  # anything but a text is reported below
    except (TypeError, ValueError, RecursionError) as error:
        raise UnknownEvent(f"the message is not JSON: {shown(body)}") from error
    return parse(event)


def parse(event: object) -> list[SourceEvent]:
    """The source events in an S3 notification or EventBridge event, none in S3's test event; raises `UnknownEvent`."""
    if _at(event, "Event") == "s3:TestEvent":  # sent once, when the bucket's notification is set up
        return []
    if _at(event, "source") == "aws.s3":
        bucket, key = _at(event, "detail", "bucket", "name"), _at(event, "detail", "object", "key")
        if isinstance(bucket, str) and isinstance(key, str):
            return [SourceEvent(bucket, key)]
    records = _at(event, "Records")
    if isinstance(records, list) and records:
        return [_from_notification(record) for record in records]
    raise UnknownEvent(f"the event is neither of S3 nor of the API: {shown(event)}")


def _from_notification(record: object) -> SourceEvent:
    bucket, key = _at(record, "s3", "bucket", "name"), _at(record, "s3", "object", "key")
    if _at(record, "eventSource") != "aws:s3" or not (isinstance(bucket, str) and isinstance(key, str)):
        raise UnknownEvent(f"the record is not of S3: {shown(record)}")
    try:
        return SourceEvent(bucket, unquote_plus(key, errors="strict"))
    except UnicodeDecodeError as error:
        raise UnknownEvent(f"the key is not UTF-8: {shown(key)}") from error


def _at(value: object, *names: str) -> object:
    """The value at this path of names in nested mappings; None if there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
