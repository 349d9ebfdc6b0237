"""Workers whose storage calls happen one at a time, in an order that the test decides.

A `Worker` stands for one invocation of the function. It is also the executor of its pipeline, so that it owns every
thread of the invocation. Only one thread of all workers runs at any time: a thread pauses before each storage call
(`SteppedS3`, `SteppedTable`) and when it waits for another thread's result (`StepFuture`), until the test calls `step`.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from ..fakes import Fake, FakeS3, FakeTable, client_error


class Crash(BaseException):
    """The process of the function ends, whatever it is doing."""


class SteppedThread:
    """A thread that runs from one pause to the next each time the test calls `step`."""

    def __init__(self, worker: "Worker", task: Callable[[], Any]) -> None:
        self.outcome: Future[Any] = StepFuture(worker)
        self._waits_for: Future[Any] | None = None
        self._worker, self._task = worker, task
        self._resume, self._paused = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def can_run(self) -> bool:
        return not self.outcome.done() and (self._waits_for is None or self._waits_for.done())

    def step(self) -> None:
        """Let the thread run until it pauses or ends."""
        self._resume.release()
        self._paused.acquire()
        if self.outcome.done():
            self._thread.join()

    def pause(self, waits_for: "Future[Any] | None" = None) -> None:
        """Called by the thread itself: wait for the next `step`, after which it may find that its worker crashed."""
        self._waits_for = waits_for
        self._paused.release()
        self._resume.acquire()
        self._waits_for = None
        self._worker.raise_if_crashed()

    def _run(self) -> None:
        self._resume.acquire()
        CURRENT.thread = self
        try:
            self._worker.raise_if_crashed()
            self.outcome.set_result(self._task())
        except BaseException as error:  # noqa: BLE001 - any error is the worker's outcome
            self.outcome.set_exception(error)
        self._paused.release()


CURRENT = threading.local()  # its `thread` is the `SteppedThread` that runs this code


class StepFuture(Future[Any]):
    """A result; a thread that waits for it pauses, so that the thread that computes it can be stepped."""

    def __init__(self, worker: "Worker") -> None:
        super().__init__()
        self._worker = worker

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self._pause_until_done()
        return super().exception(timeout)

    def result(self, timeout: float | None = None) -> Any:
        self._pause_until_done()
        return super().result(timeout)

    def _pause_until_done(self) -> None:
        thread = getattr(CURRENT, "thread", None)
        if thread and not self.done():
            thread.pause(waits_for=self)


class Worker(Executor):
    """One invocation of the function: its main thread, and the threads of its executor."""

    def __init__(self) -> None:
        self.threads: list[SteppedThread] = []
        self.crashed = False

    def submit(self, task: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Future[Any]:
        self.threads.append(SteppedThread(self, lambda: task(*arguments, **keywords)))
        return self.threads[-1].outcome

    def step(self, index: int) -> bool:
        """Let one of the threads that can run make one storage call; returns whether the worker has ended.

        `index` chooses among the threads that can run, modulo their number.
        """
        runnable = [thread for thread in self.threads if thread.can_run()]
        runnable[index % len(runnable)].step()
        return not any(thread.can_run() for thread in self.threads)

    def raise_if_crashed(self) -> None:
        if self.crashed:
            raise Crash

    def crash(self) -> None:
        """End every thread at its current pause, without another storage call."""
        self.crashed = True
        for thread in reversed(self.threads):  # the executor's threads first, because the main thread waits for them
            while not thread.outcome.done():
                thread.step()


class Stepped(Fake):
    """Pauses the thread before each call, which fails with the AWS error code `failing_with` while that is set."""

    failing_with: str | None = None

    def record_call(self, operation: str, target: str) -> None:
        CURRENT.thread.pause()
        if self.failing_with:
            raise client_error(self.failing_with, operation)
        super().record_call(operation, target)


class SteppedS3(Stepped, FakeS3):
    """S3, one call at a time."""


class SteppedTable(Stepped, FakeTable):
    """DynamoDB, one call at a time."""
