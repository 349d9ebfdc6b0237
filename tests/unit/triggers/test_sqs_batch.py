"""SQS batches: how they are recognised, and what the attributes of a message say."""

import pytest

from image_processor.triggers import sqs_batch
from image_processor.triggers.sqs_batch import is_queue_batch

from .sample_events import eventbridge, notification


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
        (eventbridge("a"), False),
    ],
)
def test_a_batch_of_the_queue_is_told_from_other_events(event, expected):
    assert is_queue_batch(event) is expected


@pytest.mark.parametrize(
    ("attributes", "before", "at"),
    [
        ({"ApproximateReceiveCount": "1", "SentTimestamp": "1767323045678"}, False, 1767323045.678),
        ({"ApproximateReceiveCount": "2", "SentTimestamp": "1767323045000"}, True, 1767323045.0),
        ({"SentTimestamp": "soon"}, False, None),
        ({}, False, None),
        (None, False, None),
    ],
)
def test_a_message_tells_when_it_was_sent_and_whether_it_was_delivered_before(attributes, before, at):
    message = {"attributes": attributes}

    assert (sqs_batch.is_redelivered(message), sqs_batch.sent_at(message)) == (before, at)
