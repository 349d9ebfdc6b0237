"""What AWS sends when a source changed → `SourceEvent`; the only place that decodes an S3 key.

Keys of S3 notifications come encoded as a form (`my+photo+%C3%BC.jpg`), those of EventBridge raw.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

import json
from dataclasses import dataclass
from urllib.parse import unquote_plus

from image_processor.errors import UnknownEvent, shown


@dataclass(frozen=True, slots=True)
class SourceEvent:
    """A hint that an object changed: put, overwritten or deleted. Which of them, a look at the bucket tells."""

    bucket: str
    key: str


def parse_message(body: object) -> list[SourceEvent]:
    """The source events in the body of a message; raises `UnknownEvent`."""
    try:
        event = json.loads(body)  # type: ignore[arg-type]  # what is no text is told below
    except (TypeError, ValueError, RecursionError) as error:
        raise UnknownEvent(f"the message is not JSON: {shown(body)}") from error
    return parse(event)


def parse(event: object) -> list[SourceEvent]:
    """The source events in an S3 notification or an EventBridge event, none in S3's test; raises `UnknownEvent`."""
    match event:
        case {"Event": "s3:TestEvent"}:  # sent once, when the bucket's notification is set up
            return []
        case {"source": "aws.s3", "detail": {"bucket": {"name": str(bucket)}, "object": {"key": str(key)}}}:
            return [SourceEvent(bucket, key)]
        case {"Records": [_, *_] as records}:
            return [_from_notification(record) for record in records]
        case _:
            raise UnknownEvent(f"the event is neither of S3 nor of the API: {shown(event)}")


def _from_notification(record: object) -> SourceEvent:
    match record:
        case {"eventSource": "aws:s3", "s3": {"bucket": {"name": str(bucket)}, "object": {"key": str(key)}}}:
            try:
                return SourceEvent(bucket, unquote_plus(key, errors="strict"))
            except UnicodeDecodeError as error:
                raise UnknownEvent(f"the key is not UTF-8: {shown(key)}") from error
        case _:
            raise UnknownEvent(f"the record is not of S3: {shown(record)}")
