"""Whatever happens in whatever order, renditions and records end up those of the latest source.

A state machine puts, overwrites and deletes a source; delivers its events late, twice and in any order to two workers;
lets them make one storage call at a time; and lets them crash or be refused in between, whereupon their event comes
back. In the end all events have been delivered, and what is kept is compared with the source.
"""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
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
# Another red makes the same pictures as red: their ETags are the same, and those of the sources are not.
CONTENTS = (b"red", b"another red", b"blue", b"broken")
RULES = settings(max_examples=150, stateful_step_count=60)
UNTIL_RED = settings(RULES, max_examples=2000, phases=[Phase.generate], report_multiple_bugs=False)


def paint(source: BinaryIO | bytes, wanted: list[Transformation], *_: object) -> list[Rendition]:
    """Stands in for `render`, which would take most of the time and decide nothing here."""
    body = source if isinstance(source, bytes) else source.read()
    if body == b"broken":
        raise CorruptImage("the source can't be decoded")
    colour = body.split()[-1]
    return [Rendition(colour + str(transformation).encode(), "image/png", 1, 1, 1, 1) for transformation in wanted]


class Clock:
    """Each moment is another."""

    def __init__(self) -> None:
        self._ticks = itertools.count()

    def now(self, zone: Any) -> datetime:  # noqa: ARG002 - that of `datetime`
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=next(self._ticks))


class Job(SimpleNamespace):
    """A worker at work: on an event, which comes back when it fails, or on demand."""

    worker: Worker
    invalidations: FakeInvalidations
    outcome: Any
    again: bool
    of_event: bool


class Life(RuleBasedStateMachine):
    """The life of one source."""

    pipeline: type[Pipeline] = Pipeline

    def __init__(self) -> None:
        super().__init__()
        self.s3, self.table = SteppedS3(), SteppedTable()
        self.events: list[bool] = []  # that wait for a worker; whether they have been with one before
        self.jobs: list[Job | None] = [None, None]
        self.cached: dict[str, bytes] = {}  # by CloudFront
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(rendition_writer, "render_each", paint)
        self.patch.setattr(records, "datetime", Clock())

    @rule(content=st.sampled_from(CONTENTS))
    def put(self, content: bytes) -> None:
        self.s3.upload(KEY, content)
        self.events.append(False)

    @rule()
    def delete(self) -> None:
        self.s3.remove(KEY)
        self.events.append(False)

    @precondition(lambda self: self.events)
    @rule()
    def duplicate(self) -> None:
        self.events.append(False)

    @rule()
    def look(self) -> None:
        """A viewer looks at all there is, and CloudFront keeps what it has not got yet."""
        for (bucket, key), kept in self.s3.objects.items():
            if bucket == PROCESSED:
                self.cached.setdefault(key, kept.body)

    @precondition(lambda self: self.events)
    @rule(which=st.integers(0, 1))
    def deliver(self, which: int) -> None:
        if self.jobs[which] is None:
            again = self.events.pop(0)
            self._start(which, lambda pipeline: pipeline.publish(KEY, redelivered=again), of_event=True)

    @rule(which=st.integers(0, 1), wanted=st.sampled_from([AD_HOC, {"wide": Transformation(width=16)}]))
    def ask(self, which: int, wanted: dict[str, Transformation]) -> None:
        if self.jobs[which] is None:
            self._start(which, lambda pipeline: pipeline.render_on_demand(KEY, wanted), of_event=False)

    @rule(which=st.integers(0, 1), steps=st.integers(1, 15), turn=st.integers(0, 2))
    def work(self, which: int, steps: int, turn: int) -> None:
        for _ in range(steps):
            job = self.jobs[which]
            if job and job.worker.step(turn):
                self._end(which, job)

    @rule(which=st.integers(0, 1))
    def crash(self, which: int) -> None:
        job = self.jobs[which]
        if job and job.of_event:
            job.worker.crash()
            self.jobs[which] = None
            self.events.append(True)

    @rule(which=st.integers(0, 1), code=st.sampled_from(["SlowDown", "InternalError"]))
    def refuse(self, which: int, code: str) -> None:
        """The next call of this worker fails, whichever it is."""
        job = self.jobs[which]
        if job and job.of_event:
            self.s3.refusing = self.table.refusing = code
            done = job.worker.step(0)
            self.s3.refusing = self.table.refusing = None
            if done:
                self._end(which, job)

    def teardown(self) -> None:
        try:
            while self.events or any(self.jobs):  # the worker that is at work now ends last, and is late
                late = 0 if self.jobs[0] else 1
                if self.events:
                    self.deliver(1 - late)
                self.work(1 - late if self.jobs[1 - late] else late, 1, 0)
            self._compare()
        finally:
            for job in filter(None, self.jobs):
                job.worker.crash()
            self.patch.undo()

    def _start(self, which: int, call: Callable[[Pipeline], Any], *, of_event: bool) -> None:
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
        outcome = worker.submit(partial(call, pipeline))
        self.jobs[which] = Job(worker=worker, invalidations=invalidations, outcome=outcome, of_event=of_event)

    def _end(self, which: int, job: Job) -> None:
        self.jobs[which] = None
        if job.invalidations.keys:
            self.cached.clear()
        error = job.outcome.exception()
        if error is not None and not isinstance(error, ImageProcessorError):
            raise error
        if error is not None and error.retryable and job.of_event:
            self.events.append(True)

    def _compare(self) -> None:
        source = self.s3.objects.get((UPLOADS, KEY))
        records = {
            name.removeprefix(f"{location(UPLOADS, KEY)}/"): (record["status"], record["source_etag"])
            for name, record in self.table.records().items()
        }
        made = {name.removeprefix(f"{KEY}/"): etag for name, etag in self.s3.renditions().items()}
        if source is None:
            assert (made, records) == ({}, {})
        elif source.body == b"broken":
            assert (made, records) == ({}, dict.fromkeys(VARIANTS, ("failed", source.etag)))
        else:
            assert set(made) >= set(VARIANTS)
            assert set(made.values()) == {source.etag}
            assert records == dict.fromkeys(made, ("processed", source.etag))
        for key, body in self.cached.items():
            kept = self.s3.objects.get((PROCESSED, key))
            assert kept
            assert kept.body == body


def lives(pipeline: type[Pipeline] = Pipeline) -> type[Life]:
    return type("Life", (Life,), {"pipeline": pipeline})


def test_in_the_end_all_that_is_kept_is_of_the_latest_source():
    run_state_machine_as_test(lives(), settings=RULES)


class WithoutASecondLook(Pipeline):
    def _is_settled(self, *_: object) -> bool:
        return True


def test_without_the_second_look_it_is_not():
    with pytest.raises(AssertionError):
        run_state_machine_as_test(lives(WithoutASecondLook), settings=UNTIL_RED)
