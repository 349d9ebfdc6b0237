"""A batch of messages: which ones return to the queue, and when."""

import threading
from typing import Any

import pytest

from image_processor import app
from image_processor.triggers import sqs_batch

from .buckets import failing, picture, records, renditions, upload
from .events import context, invoke, messages, notification, recorded

pytestmark = pytest.mark.usefixtures("environment")


def test_a_bad_message_does_not_fail_the_good_one_beside_it() -> None:
    upload("bad.jpg", b"text")
    upload("good.jpg", picture())

    answer = invoke(messages(notification("bad.jpg"), "not even JSON", notification("good.jpg")))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    assert renditions() == ["good.jpg/thumbnail"]


def test_the_messages_of_a_batch_are_processed_concurrently(environment: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(10, timeout=10)

    def publish(*_: object, **__: object) -> list[object]:
        together.wait()
        return []

    environment.setattr(app, "_publish", publish)

    answer = invoke(messages(*[notification(f"{number}.jpg") for number in range(10)]))

    assert answer == {"batchItemFailures": []}


@pytest.mark.parametrize(
    ("operation", "code", "expected"),
    [
        ("GetObject", "AccessDenied", "unavailable"),
        ("GetObject", "SlowDown", "throttled"),
        ("PutObject", "AccessDenied", "unavailable"),
        ("PutObject", "InternalError", "unavailable"),
        ("HeadObject", "503", "throttled"),
        ("ListObjectsV2", "AccessDenied", "unavailable"),
        ("BatchWriteItem", "ProvisionedThroughputExceededException", "throttled"),
        ("BatchWriteItem", "AccessDeniedException", "unavailable"),
    ],
)
def test_a_refusal_by_aws_returns_the_message_to_the_queue(
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    operation: str,
    code: str,
    expected: str,
) -> None:
    upload("rio.jpg", picture())
    failing(environment, operation, code)

    answer = invoke(messages(notification("rio.jpg")))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert f'"code":"{expected}"' in capsys.readouterr().out


def test_a_function_out_of_time_returns_the_messages_it_has_not_begun(capsys: pytest.CaptureFixture[str]) -> None:
    upload("rio.jpg", picture())
    event = messages(notification("rio.jpg"), recorded("s3-test.json"), notification("gone.jpg"))

    answer = app.lambda_handler(event, context(seconds=8))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert (renditions(), records()) == ([], [])
    assert "there is no time left for this source" in capsys.readouterr().out
    assert app.lambda_handler(event, context(seconds=60)) == {"batchItemFailures": []}
    assert renditions() == ["rio.jpg/thumbnail"]


@pytest.mark.parametrize("ends", [True, False])
def test_a_function_out_of_time_returns_the_messages_it_has_not_finished(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, ends: bool
) -> None:
    begun, stalled, waited = threading.Event(), threading.Event(), []

    def publish(event: Any, *_: object, **__: object) -> list[object]:
        if event.key == "slow.jpg":
            begun.set()
            stalled.wait(30)
        return []

    def wait_for_the_first(outcomes: Any, timeout: float) -> None:
        if outcomes:
            waited.append(timeout)
            outcomes[0].result()
            begun.wait(30)

    environment.setattr(app, "_publish", publish)
    environment.setattr(sqs_batch, "wait", wait_for_the_first)

    answer = app.lambda_handler(messages(notification("rio.jpg"), notification("slow.jpg")), context(seconds=60))

    assert 50 < waited[0] <= 60 - app.RESERVED_SECONDS
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    assert "the function ran out of time" in capsys.readouterr().out
    if ends:
        stalled.set()
        app._queue.abandoned[0].result()
        assert invoke(messages(recorded("s3-test.json"))) == {"batchItemFailures": []}
    else:  # the thread may hold the decode slot
        environment.setattr(sqs_batch, "wait", lambda *_, **__: None)
        environment.setattr(sqs_batch.os, "_exit", lambda code: (_ for _ in ()).throw(SystemExit(code)))
        with pytest.raises(SystemExit, match="1"):
            invoke(messages(recorded("s3-test.json")))
        assert "does not end" in capsys.readouterr().out
        stalled.set()
        app._queue.abandoned[0].result()  # it would write into the next test's output
    app._queue.abandoned.clear()


def test_invalid_settings_return_the_message_to_the_queue(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("VARIANTS", "thumbnail:width=0")
    environment.setenv("MAX_SOURCE_BYTES", "many")

    answer = invoke(messages(notification("rio.jpg")))

    said = capsys.readouterr().out
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert "VARIANTS: variant thumbnail: option width" in said
    assert "MAX_SOURCE_BYTES: got 'many'" in said
