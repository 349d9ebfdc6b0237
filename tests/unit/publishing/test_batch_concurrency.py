"""Messages of a batch are worked on at once, their pixels one after the other, and calls to AWS don't wait in line."""

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
def side() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as pool:
        yield pool


def meeting(monkeypatch, fake, how_many: int, *operations: str) -> None:
    """From now on calls of these operations are answered when so many are under way."""
    together, called = threading.Barrier(how_many, timeout=10), fake.called

    def meet(operation: str, what: str) -> None:
        called(operation, what)
        if operation in operations:
            together.wait()

    monkeypatch.setattr(fake, "called", meet)


def test_the_renditions_of_a_source_are_put_together(new_pipeline, s3, side, monkeypatch):
    s3.upload("rio", SOURCES["1.png"])
    meeting(monkeypatch, s3, 2, "put_object")

    assert len(new_pipeline(executor=side).publish("rio")) == 2


def test_what_is_kept_is_looked_up_while_the_source_comes(new_pipeline, s3, side, monkeypatch):
    s3.upload("rio", SOURCES["1.png"])
    meeting(monkeypatch, s3, 2, "get_object", "list_objects_v2")

    assert len(new_pipeline(executor=side).publish("rio")) == 2


@pytest.mark.parametrize("operation", ["get_object", "put_object", "head_upload"])
def test_sources_wait_for_s3_together(new_pipeline, s3, side, monkeypatch, operation):
    for key, body in SOURCES.items():
        s3.upload(key, body)
    pipeline = new_pipeline("thumbnail:width=8", executor=side)
    meeting(monkeypatch, s3, len(SOURCES), operation)

    with ThreadPoolExecutor(max_workers=len(SOURCES)) as pool:
        list(pool.map(pipeline.publish, SOURCES))

    assert len(s3.renditions()) == len(SOURCES)


def fails() -> None:
    raise KeyError("task")


@pytest.mark.parametrize("order", [1, -1])
def test_no_task_is_still_under_way_when_another_has_failed(side, order):
    done = []

    def slow() -> None:
        threading.Event().wait(0.05)
        done.append(1)

    tasks: list[Callable[[], None]] = [fails, slow][::order]
    with pytest.raises(KeyError, match="task"):
        run_concurrently(side, tasks)

    assert done == [1]


def test_tasks_answer_in_their_order(side):
    assert run_concurrently(side, [lambda number=number: number for number in range(10)]) == list(range(10))
    assert run_concurrently(side, []) == []


def test_sources_published_at_once_are_all_right(pipeline, s3, table):
    etags = {key: s3.upload(key, body) for key, body in SOURCES.items()}

    with ThreadPoolExecutor(max_workers=len(SOURCES)) as pool:
        list(pool.map(pipeline.publish, SOURCES))

    assert s3.renditions() == {f"{key}/{name}": etag for key, etag in etags.items() for name in ("thumbnail", "wide")}
    assert len(table.items) == 2 * len(SOURCES)


def test_only_one_source_has_its_pixels_in_memory(pipeline, s3, monkeypatch):
    for key, body in SOURCES.items():
        s3.upload(key, body)
    two_at_once = threading.Barrier(2)
    render = rendition_writer.render_each

    def rendering(*arguments):
        with pytest.raises(threading.BrokenBarrierError):  # nobody else came here within the time
            two_at_once.wait(timeout=0.1)
        two_at_once.reset()
        return render(*arguments)

    monkeypatch.setattr(rendition_writer, "render_each", rendering)

    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(pipeline.publish, list(SOURCES)[:2]))

    assert len(s3.renditions()) == 4
