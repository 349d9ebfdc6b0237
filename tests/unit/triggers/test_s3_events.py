"""S3 events: the bucket and the decoded key of each source, from S3 notifications and EventBridge events."""

import json
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from image_processor.errors import UnknownEvent
from image_processor.triggers.s3_events import SourceEvent, parse, parse_message

from .sample_events import eventbridge_event, notification

keys = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("cats/rio.jpg", "cats/rio.jpg"),
        ("my+photo+%C3%BC.jpg", "my photo ü.jpg"),
        ("a%2Bb.jpg", "a+b.jpg"),
        ("100%25.jpg", "100%.jpg"),
        ("100%2525.jpg", "100%25.jpg"),
        ("a%252Bb.jpg", "a%2Bb.jpg"),
        ("what%3F%23%26.jpg", "what?#&.jpg"),
        ("%F0%9F%90%88.jpg", "🐈.jpg"),
        ("a%2Fb.jpg", "a/b.jpg"),
        ("line%0Abreak", "line\nbreak"),
        ("50%.jpg", "50%.jpg"),  # S3 never sends it; used unchanged
    ],
)
def test_the_key_of_a_notification_is_decoded_once(sent, key):
    assert parse({"Records": [notification(sent)]}) == [SourceEvent("uploads", key)]


@pytest.mark.parametrize("key", ["my+photo ü.jpg", "a%2Bb.jpg", "100%25.jpg", "100%.jpg"])
def test_the_key_of_an_eventbridge_event_is_not_decoded(key):
    assert parse(eventbridge_event(key)) == [SourceEvent("uploads", key)]


@settings(max_examples=200)
@given(keys)
def test_any_key_is_read_from_both_kinds_of_event(key):
    assert parse({"Records": [notification(quote_plus(key))]}) == [SourceEvent("uploads", key)]
    assert parse_message(json.dumps({"Records": [notification(quote_plus(key))]})) == [SourceEvent("uploads", key)]
    assert parse(eventbridge_event(key)) == [SourceEvent("uploads", key)]


@pytest.mark.parametrize(
    "name", ["ObjectCreated:Copy", "ObjectRemoved:DeleteMarkerCreated", "LifecycleExpiration:Delete"]
)
def test_the_event_name_does_not_matter(name):
    assert parse({"Records": [notification("a", name=name)]}) == [SourceEvent("uploads", "a")]


def test_every_record_of_a_notification_is_a_source_event():
    event = {"Records": [notification("a"), notification("b", bucket="others"), notification("a")]}

    assert parse(event) == [SourceEvent("uploads", "a"), SourceEvent("others", "b"), SourceEvent("uploads", "a")]


def test_the_s3_test_event_has_no_source():
    body = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "uploads", "RequestId": "1"})

    assert parse_message(body) == []


def test_an_eventbridge_event_in_a_message_is_read():
    assert parse_message(json.dumps(eventbridge_event("a b+c.jpg"))) == [SourceEvent("uploads", "a b+c.jpg")]


UNKNOWN = [
    None,
    [],
    {},
    "text",
    5,
    True,
    {"Records": []},
    {"Records": None},
    {"Records": "aws:s3"},
    {"Records": {"0": {}}},
    {"Records": [None]},
    {"Records": [{}]},
    {"Records": [notification("a"), {}]},
    {"Records": [{**notification("a"), "eventSource": "aws:sns"}]},
    {"Records": [{"eventSource": "aws:s3", "s3": {}}]},
    {"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {"name": "b"}, "object": {}}}]},
    {"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {"name": "b"}, "object": {"key": None}}}]},
    {"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {"name": 5}, "object": {"key": "a"}}}]},
    {"Records": [notification("%FF.jpg")]},
    {"Records": [notification("%C3.jpg")]},
    {"source": "aws.s3", "detail": {"bucket": {"name": "b"}}},
    {"source": "aws.ec2", "detail": {"bucket": {"name": "b"}, "object": {"key": "a"}}},
    {"Event": "s3:OtherEvent"},
    {"Type": "Notification", "Message": json.dumps({"Records": [notification("a")]})},
]


@pytest.mark.parametrize("event", UNKNOWN)
def test_an_event_of_unknown_shape_is_a_retryable_error(event):
    with pytest.raises(UnknownEvent) as caught:
        parse(event)

    assert caught.value.retryable


@pytest.mark.parametrize("event", UNKNOWN)
def test_a_message_of_unknown_shape_is_an_unknown_event(event):
    with pytest.raises(UnknownEvent):
        parse_message(json.dumps(event))


@pytest.mark.parametrize("body", ["", "text", "{", "\0", "[" * 100_000, '{"Records": ' * 5000])
def test_a_message_that_is_not_json_is_an_unknown_event(body):
    with pytest.raises(UnknownEvent) as caught:
        parse_message(body)

    assert len(str(caught.value)) < 200


def test_a_huge_event_is_truncated_in_the_error_message():
    with pytest.raises(UnknownEvent) as caught:
        parse({"x" * 1_000_000: 1})

    assert len(str(caught.value)) < 200


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda values: (
        st.lists(values, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Records", "s3", "bucket", "object", "key", "name", "source", "detail", "Event"]), values
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200)
@given(json_values)
def test_any_json_is_either_read_or_an_unknown_event(value):
    try:
        found = parse_message(json.dumps(value))
    except UnknownEvent as error:
        assert str(error)  # noqa: PT017 - an error is as valid as a result
    else:
        assert all(isinstance(source_event, SourceEvent) for source_event in found)
