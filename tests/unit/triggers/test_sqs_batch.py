"""SQS batches: how they are recognised, and what the attributes of a message say."""

import pytest

from image_processor.triggers import sqs_batch
from image_processor.triggers.sqs_batch import is_queue_batch

from .sample_events import eventbridge_event, notification


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}, True),
        ({"Records": [notification("a")]}, False),
        ({"Records": [{"eventSource": "aws:sqs"}, notification("a")]}, False),
        ({"Records": []}, False),
        ({"Records": None}, False),
        ({"Records": "x"}, False),
        ({"Records": ["aws:sqs"]}, False),
        ({}, False),
        (eventbridge_event("a"), False),
    ],
)
def test_a_queue_batch_is_distinguished_from_other_events(event, expected):
    assert is_queue_batch(event) is expected


@pytest.mark.parametrize(
    ("attributes", "redelivered", "sent_at"),
    [
        ({"ApproximateReceiveCount": "1", "SentTimestamp": "1767323045678"}, False, 1767323045.678),
        ({"ApproximateReceiveCount": "2", "SentTimestamp": "1767323045000"}, True, 1767323045.0),
        ({"SentTimestamp": "soon"}, False, None),
        ({}, False, None),
        (None, False, None),
    ],
)
def test_a_message_says_whether_it_is_redelivered_and_when_it_was_sent(attributes, redelivered, sent_at):
    message = {"attributes": attributes}

    assert (sqs_batch.is_redelivered(message), sqs_batch.sent_at(message)) == (redelivered, sent_at)
