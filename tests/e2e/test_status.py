"""status.sh shows what the stack does, by the local AWS's queues and the function's log."""

import json
import uuid

from .local import Stack, eventually, picture


def status(stack: Stack, *options: str) -> tuple[int, str]:
    """Return the exit status, and what is printed."""
    done = stack.local.script("status.sh", *options)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_a_source_that_was_processed_and_one_that_failed_are_shown(stack: Stack) -> None:
    key = f"status/{uuid.uuid4()}.jpg"
    stack.upload("status/broken.jpg", b"not an image")
    eventually(lambda: stack.records("status/broken.jpg"))
    stack.upload(key, picture())
    stack.served(f"{key}/thumbnail")

    shown = eventually(lambda: text if key in (text := status(stack)[1]) else None)

    assert f"last source     {key}, published" in shown
    assert "unsupported-format" in shown
    assert "alarms          7, which this emulator does not evaluate" in shown


def test_a_dead_letter_makes_the_stack_unhealthy(stack: Stack) -> None:
    queue = stack.outputs["DeadLetterQueueUrl"]
    stack.local.client("sqs").purge_queue(QueueUrl=queue)
    assert status(stack, "--quiet") == (0, "")
    stack.local.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps({"Records": []}))

    code, shown = status(stack, "--quiet")

    assert code == 1
    assert shown.splitlines()[-1] == "  1 dead letter: deployment/redrive.sh --local shows the reasons"
    stack.local.client("sqs").purge_queue(QueueUrl=queue)
