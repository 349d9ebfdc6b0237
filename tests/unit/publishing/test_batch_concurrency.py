"""Concurrency in a batch: AWS calls of all sources overlap, and one source at a time is decoded."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from image_processor.publishing import rendition_writer
from image_processor.publishing.concurrency import run_concurrently

from ..pictures import encode

SOURCES = {f"{number}.png": encode(Image.new("RGB", (40, 30), (number, 0, 0)), "png") for number in range(8)}


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as pool:
        yield pool


def block_until_concurrent(monkeypatch, fake, count: int, *operations: str) -> None:
    """Block calls of these operations until `count` of them are in progress; fail after 10 seconds."""
    barrier, record_call = threading.Barrier(count, timeout=10), fake.record_call

    def record_and_wait(operation: str, target: str) -> None:
        record_call(operation, target)
        if operation in operations:
            barrier.wait()

    monkeypatch.setattr(fake, "record_call", record_and_wait)


def test_the_renditions_of_a_source_are_stored_concurrently(new_pipeline, s3, executor, monkeypatch):
    s3.upload("rio", SOURCES["1.png"])
    block_until_concurrent(monkeypatch, s3, 2, "put_object")

    assert len(new_pipeline(executor=executor).publish("rio")) == 2


def test_stored_renditions_are_listed_while_the_source_is_downloaded(new_pipeline, s3, executor, monkeypatch):
    s3.upload("rio", SOURCES["1.png"])
    block_until_concurrent(monkeypatch, s3, 2, "get_object", "list_objects_v2")

    assert len(new_pipeline(executor=executor).publish("rio")) == 2


@pytest.mark.parametrize("operation", ["get_object", "put_object", "head_upload"])
def test_sources_of_a_batch_call_s3_concurrently(new_pipeline, s3, executor, monkeypatch, operation):
    for key, body in SOURCES.items():
        s3.upload(key, body)
    pipeline = new_pipeline("thumbnail:width=8", executor=executor)
    block_until_concurrent(monkeypatch, s3, len(SOURCES), operation)

    with ThreadPoolExecutor(max_workers=len(SOURCES)) as pool:
        list(pool.map(pipeline.publish, SOURCES))

    assert len(s3.renditions()) == len(SOURCES)


def fail_with_key_error() -> None:
    raise KeyError("task")


@pytest.mark.parametrize("order", [1, -1])
def test_a_failure_is_raised_only_after_every_task_has_ended(executor, order):
    done = []

    def slow() -> None:
        threading.Event().wait(0.05)
        done.append(1)

    tasks: list[Callable[[], None]] = [fail_with_key_error, slow][::order]
    with pytest.raises(KeyError, match="task"):
        run_concurrently(executor, tasks)

    assert done == [1]


def test_results_are_returned_in_the_order_of_the_tasks(executor):
    assert run_concurrently(executor, [lambda number=number: number for number in range(10)]) == list(range(10))
    assert run_concurrently(executor, []) == []


def test_sources_published_concurrently_are_all_complete(pipeline, s3, table):
    etags = {key: s3.upload(key, body) for key, body in SOURCES.items()}

    with ThreadPoolExecutor(max_workers=len(SOURCES)) as pool:
        list(pool.map(pipeline.publish, SOURCES))

    assert s3.renditions() == {f"{key}/{name}": etag for key, etag in etags.items() for name in ("thumbnail", "wide")}
    assert len(table.items) == 2 * len(SOURCES)


def test_only_one_source_at_a_time_is_rendered(pipeline, s3, monkeypatch):
    for key, body in SOURCES.items():
        s3.upload(key, body)
    barrier = threading.Barrier(2)
    render = rendition_writer.render_each

    def rendering(*arguments):
        with pytest.raises(threading.BrokenBarrierError):  # no other thread renders within 0.1 s
            barrier.wait(timeout=0.1)
        barrier.reset()
        return render(*arguments)

    monkeypatch.setattr(rendition_writer, "render_each", rendering)

    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(pipeline.publish, list(SOURCES)[:2]))

    assert len(s3.renditions()) == 4
