"""A function out of memory, under AWS's runtime client: the outcome of its source, and of the others in the batch.

Lambda kills the process (SIGKILL), and so do these tests, from outside. The queue in this file counts the receives of
each message, as SQS does. This is not the usual case: `memory_budget.py` refuses what would not fit.
"""

import io
import json
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from .fake_aws import FakeAws
from .lambda_runtime import LambdaRuntime, RuntimeFailed, missing
from .packaged import Function
from .test_zip_under_lambda_runtime import picture, put_event

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")
POISON = "poison.jpg"
GOOD = [f"{number}.jpg" for number in range(9)]
TRIES = 5  # maxReceiveCount of the template
DONE_BEFORE_DEATH = 4  # of the good ones


@dataclass
class Queue:
    """SQS, as far as it matters here: a message that failed is received again, until its tries are used up."""

    bodies: dict[str, str]
    received: dict[str, int] = field(default_factory=dict)
    dead: list[str] = field(default_factory=list)

    def receive(self) -> dict[str, Any]:
        self.dead += [name for name in self.bodies if self.received.get(name, 0) == TRIES]
        self.bodies = {name: body for name, body in self.bodies.items() if name not in self.dead}
        for name in self.bodies:
            self.received[name] = self.received.get(name, 0) + 1
        return {
            "Records": [
                {
                    "messageId": name,
                    "eventSource": "aws:sqs",
                    "body": body,
                    "attributes": {"ApproximateReceiveCount": str(self.received[name])},
                }
                for name, body in self.bodies.items()
            ]
        }

    def settle(self, answer: dict[str, Any]) -> None:
        """Delete all messages but those that the function reports as failed."""
        left = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
        self.bodies = {name: body for name, body in self.bodies.items() if name in left}


def queue_of(function: Function, aws: FakeAws, keys: list[str]) -> Queue:
    for key in keys:
        aws.objects[f"{function.upload_bucket}/{key}"] = picture()
    return Queue({key: json.dumps(put_event(function, key)) for key in keys})


def made(function: Function, aws: FakeAws) -> set[str]:
    prefix, suffix = f"{function.processed_bucket}/", "/thumbnail"
    return {name.removeprefix(prefix).removesuffix(suffix) for name in list(aws.objects) if name.endswith(suffix)}


def kill_at_poison(running: LambdaRuntime, function: Function, aws: FakeAws, done: int, *, once: bool = False) -> None:
    """From now on, the process is killed when it requests the poison, after this number of other renditions."""

    def kill(operation: str, path: str) -> None:
        if operation == "GetObject" and path.endswith(POISON):
            while len(made(function, aws)) < done:
                time.sleep(0.01)
            if once:
                aws.before = lambda *_: None
            os.kill(running.process_id(), signal.SIGKILL)

    aws.before = kill


def test_a_batch_whose_function_is_killed_comes_back_whole_and_what_was_done_is_done_again_alike(
    task: Path, function: Function, aws: FakeAws
) -> None:
    queue = queue_of(function, aws, [*GOOD, POISON])

    with LambdaRuntime(task, function.handler, {**function.environment, "AWS_ENDPOINT_URL": aws.url}) as running:
        kill_at_poison(running, function, aws, DONE_BEFORE_DEATH, once=True)
        with pytest.raises(RuntimeFailed, match=r"Runtime\.ExitError"):
            running.invoke(queue.receive())
        before = {name: body for name, body in aws.objects.items() if name.endswith("/thumbnail")}
        assert len(before) >= DONE_BEFORE_DEATH
        assert POISON not in made(function, aws)

        queue.settle(running.invoke(queue.receive()))

    assert made(function, aws) == {*GOOD, POISON}
    assert {name: aws.objects[name] for name in before} == before
    assert (queue.bodies, queue.dead) == ({}, [])
    assert set(queue.received.values()) == {2}


def test_a_source_that_always_kills_the_function_rests_after_five_tries_and_nothing_beside_it_is_lost(
    task: Path, function: Function, aws: FakeAws
) -> None:
    queue = queue_of(function, aws, [*GOOD, POISON])

    with LambdaRuntime(task, function.handler, {**function.environment, "AWS_ENDPOINT_URL": aws.url}) as running:
        kill_at_poison(running, function, aws, len(GOOD))
        for _ in range(TRIES):
            with pytest.raises(RuntimeFailed, match=r"Runtime\.ExitError"):
                running.invoke(queue.receive())
        queue.receive()

        # Messages that were received together had equally many tries. Redriven without the poison, the others succeed.
        assert set(queue.dead) == {*GOOD, POISON}
        sent_back = Queue({key: json.dumps(put_event(function, key)) for key in GOOD})
        sent_back.settle(running.invoke(sent_back.receive()))

    assert made(function, aws) == set(GOOD)
    assert sent_back.bodies == {}


SHORT_OF_MEMORY = """
import resource
from image_processor import app
from image_processor.publishing import rendition_writer

MORE = 60 * 1024 * 1024  # bytes beyond what the process has; the pixels of the GIF take 64 million
render_each = rendition_writer.render_each

def short_of_memory(body, *rest):
    if not (isinstance(body, bytes) and body.startswith(b"GIF")):
        return render_each(body, *rest)
    with open("/proc/self/statm") as sizes:
        there = int(sizes.read().split()[0]) * resource.getpagesize()
    former = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (there + MORE, former[1]))
    try:
        return render_each(body, *rest)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, former)

rendition_writer.render_each = short_of_memory
lambda_handler = app.lambda_handler
"""


def test_a_source_for_which_python_gets_no_memory_comes_back_alone(
    task: Path, function: Function, aws: FakeAws
) -> None:
    (task / "short_of_memory.py").write_text(SHORT_OF_MEMORY)
    queue = queue_of(function, aws, [*GOOD, POISON])
    body = io.BytesIO()
    Image.new("P", (8000, 8000)).save(body, "GIF")
    aws.objects[f"{function.upload_bucket}/{POISON}"] = body.getvalue()
    environment = {**function.environment, "AWS_ENDPOINT_URL": aws.url}

    with LambdaRuntime(task, "short_of_memory.lambda_handler", environment) as running:
        queue.settle(running.invoke(queue.receive()))
        assert list(queue.bodies) == [POISON]
        assert "MemoryError" in running.log()
        assert made(function, aws) == set(GOOD)

    with LambdaRuntime(task, function.handler, environment) as running:
        queue.settle(running.invoke(queue.receive()))
    assert made(function, aws) == {*GOOD, POISON}
    assert queue.bodies == {}
