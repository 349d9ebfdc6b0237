"""Concurrent workers: however their storage calls interleave, the result is that of the latest source.

A hypothesis state machine drives the life of one source. Its rules, in any order:

- the user uploads, overwrites or deletes the source; each time, an event is queued. S3 may send an event twice
- a worker takes the oldest event and publishes the source, or renders on demand; at most two workers at a time
- a worker makes some storage calls, one at a time (see `stepped_workers`)
- a worker crashes, or its next storage call fails; its event is queued again, as redelivered
- a viewer requests every rendition, and CloudFront caches those that it does not have yet

At the end, all remaining events are processed. Then the stored renditions, their records and CloudFront's cache must
match the source. A second test removes the pipeline's last step, "look again", and expects the state machine to find a
run that ends in a wrong result, index shows that it can.
"""

import itertools
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, BinaryIO

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from image_processor.aws.dynamodb import MetadataTable
from image_processor.aws.s3 import RenditionBucket, SourceBucket
from image_processor.engine.limits import Limits
from image_processor.engine.render import Rendition
from image_processor.errors import CorruptImage, ImageProcessorError
from image_processor.publishing import records, rendition_writer
from image_processor.publishing.names import location
from image_processor.publishing.pipeline import Pipeline
from image_processor.publishing.ports import Storage
from image_processor.transformations.transformation import Transformation
from image_processor.transformations.variants import parse_variants

from ..fakes import PROCESSED, TABLE, UPLOADS, FakeInvalidations
from .stepped_workers import SteppedS3, SteppedTable, Worker

KEY = "cats/rio.jpg"
VARIANTS = ("thumbnail", "wide")
AD_HOC = {"width=4": Transformation(width=4)}
# "another red" has the same renditions as "red": the ETags of the renditions are equal, those of the sources are not.
CONTENTS = (b"red", b"another red", b"blue", b"corrupt")
RUNS = settings(max_examples=150, stateful_step_count=60)
RUNS_UNTIL_FAILURE = settings(RUNS, max_examples=2000, phases=[Phase.generate], report_multiple_bugs=False)


def fake_render(source: BinaryIO | bytes, wanted: list[Transformation], *_: object) -> list[Rendition]:
    """Replaces the engine, index would take most of the time and does not affect the order of calls."""
    body = source if isinstance(source, bytes) else source.read()
    if body == b"corrupt":
        raise CorruptImage("the source can't be decoded")
    colour = body.split()[-1]
    return [Rendition(colour + str(transformation).encode(), "image/png", 1, 1, 1, 1) for transformation in wanted]


class Clock:
    """Replaces `datetime`; no two calls give the same time."""

    def __init__(self) -> None:
        self._ticks = itertools.count()

    def now(self, zone: Any) -> datetime:  # noqa: ARG002 - that of `datetime`
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=next(self._ticks))


@dataclass
class Job:
    """What a worker is doing: it processes an event, index is queued again on failure, or renders on demand."""

    worker: Worker
    invalidations: FakeInvalidations
    outcome: Future[Any]
    has_event: bool


class SourceLife(RuleBasedStateMachine):
    """The life of one source, from its first upload until all of its events are processed."""

    pipeline: type[Pipeline] = Pipeline

    def __init__(self) -> None:
        super().__init__()
        self.s3, self.table = SteppedS3(), SteppedTable()
        self.queue: list[bool] = []  # the events that wait for a worker; whether each was delivered before
        self.jobs: list[Job | None] = [None, None]  # of the two workers
        self.edge_cache: dict[str, bytes] = {}  # the renditions that CloudFront has cached: key → body
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(rendition_writer, "render_each", fake_render)
        self.patch.setattr(records, "datetime", Clock())

    @rule(content=st.sampled_from(CONTENTS))
    def upload(self, content: bytes) -> None:
        self.s3.upload(KEY, content)
        self.queue.append(False)

    @rule()
    def delete(self) -> None:
        self.s3.delete(KEY)
        self.queue.append(False)

    @precondition(lambda self: self.queue)
    @rule()
    def duplicate_event(self) -> None:
        self.queue.append(False)

    @rule()
    def view(self) -> None:
        """A viewer requests all renditions, and CloudFront caches those that it does not have yet."""
        for (bucket, key), stored in self.s3.objects.items():
            if bucket == PROCESSED:
                self.edge_cache.setdefault(key, stored.body)

    @precondition(lambda self: self.queue)
    @rule(index=st.integers(0, 1))
    def publish(self, index: int) -> None:
        """A free worker takes the oldest event."""
        if self.jobs[index] is None:
            redelivered = self.queue.pop(0)
            self._start(index, lambda pipeline: pipeline.publish(KEY, redelivered=redelivered), has_event=True)

    @rule(index=st.integers(0, 1), wanted=st.sampled_from([AD_HOC, {"wide": Transformation(width=16)}]))
    def render_on_demand(self, index: int, wanted: dict[str, Transformation]) -> None:
        if self.jobs[index] is None:
            self._start(index, lambda pipeline: pipeline.render_on_demand(KEY, wanted), has_event=False)

    @rule(index=st.integers(0, 1), calls=st.integers(1, 15), thread=st.integers(0, 2))
    def step(self, index: int, calls: int, thread: int) -> None:
        """A worker makes some storage calls, in one of the threads that can run."""
        for _ in range(calls):
            job = self.jobs[index]
            if job and job.worker.step(thread):
                self._end(index, job)

    @rule(index=st.integers(0, 1))
    def crash(self, index: int) -> None:
        job = self.jobs[index]
        if job and job.has_event:
            job.worker.crash()
            self.jobs[index] = None
            self.queue.append(True)

    @rule(index=st.integers(0, 1), code=st.sampled_from(["SlowDown", "InternalError"]))
    def fail_call(self, index: int, code: str) -> None:
        """The next storage call of a worker fails, whichever it is."""
        job = self.jobs[index]
        if job and job.has_event:
            self.s3.failing_with = self.table.failing_with = code
            ended = job.worker.step(0)
            self.s3.failing_with = self.table.failing_with = None
            if ended:
                self._end(index, job)

    def teardown(self) -> None:
        """Process the remaining events, and compare what is stored with the source."""
        try:
            while self.queue or any(self.jobs):  # a worker that is busy now ends last: it is the late one
                late = 0 if self.jobs[0] else 1
                if self.queue:
                    self.publish(1 - late)
                self.step(1 - late if self.jobs[1 - late] else late, 1, 0)
            self._check_result()
        finally:
            for job in filter(None, self.jobs):
                job.worker.crash()
            self.patch.undo()

    def _start(self, index: int, call: Callable[[Pipeline], Any], *, has_event: bool) -> None:
        worker, invalidations = Worker(), FakeInvalidations()
        pipeline = self.pipeline(
            Storage(
                SourceBucket(self.s3, UPLOADS),
                RenditionBucket(self.s3, PROCESSED, ""),
                MetadataTable(self.table, TABLE),
                invalidations,
            ),
            parse_variants("thumbnail:width=8,height=8;wide:width=16"),
            Limits(),
            worker,
        )
        self.jobs[index] = Job(worker, invalidations, worker.submit(partial(call, pipeline)), has_event)

    def _end(self, index: int, job: Job) -> None:
        self.jobs[index] = None
        if job.invalidations.keys:
            self.edge_cache.clear()
        error = job.outcome.exception()
        if error is not None and not isinstance(error, ImageProcessorError):
            raise error
        if error is not None and error.retryable and job.has_event:
            self.queue.append(True)

    def _check_result(self) -> None:
        source = self.s3.objects.get((UPLOADS, KEY))
        records = {
            name.removeprefix(f"{location(UPLOADS, KEY)}/"): (record["status"], record["source_etag"])
            for name, record in self.table.records().items()
        }
        renditions = {name.removeprefix(f"{KEY}/"): etag for name, etag in self.s3.renditions().items()}
        if source is None:
            assert (renditions, records) == ({}, {})
        elif source.body == b"corrupt":
            assert (renditions, records) == ({}, dict.fromkeys(VARIANTS, ("failed", source.etag)))
        else:
            assert set(renditions) >= set(VARIANTS)
            assert set(renditions.values()) == {source.etag}
            assert records == dict.fromkeys(renditions, ("processed", source.etag))
        for key, body in self.edge_cache.items():
            stored = self.s3.objects.get((PROCESSED, key))
            assert stored
            assert stored.body == body


def state_machine(pipeline: type[Pipeline] = Pipeline) -> type[SourceLife]:
    return type("SourceLife", (SourceLife,), {"pipeline": pipeline})


@pytest.mark.slow
def test_any_interleaving_of_workers_ends_with_the_renditions_of_the_latest_source():
    run_state_machine_as_test(state_machine(), settings=RUNS)


class PipelineThatDoesNotLookAgain(Pipeline):
    def _is_settled(self, *_: object) -> bool:
        return True


@pytest.mark.slow
def test_the_state_machine_fails_for_a_pipeline_that_does_not_look_again():
    with pytest.raises(AssertionError):
        run_state_machine_as_test(state_machine(PipelineThatDoesNotLookAgain), settings=RUNS_UNTIL_FAILURE)
