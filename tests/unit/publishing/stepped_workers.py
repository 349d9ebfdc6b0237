"""Workers that make one storage call at a time, in an order that a test decides: threads, of which one runs."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from ..fakes import Fake, FakeS3, FakeTable, refusal


class Crash(BaseException):
    """The function's process is gone, in the middle of whatever it did."""


class Thread:
    """A thread that waits for its turn before each storage call."""

    def __init__(self, worker: "Worker", work: Callable[[], Any]) -> None:
        self.outcome: Future[Any] = Outcome(worker)
        self.waits_for: Future[Any] | None = None
        self._worker, self._work = worker, work
        self._go, self._paused = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def can_run(self) -> bool:
        return not self.outcome.done() and (self.waits_for is None or self.waits_for.done())

    def step(self) -> None:
        self._go.release()
        self._paused.acquire()
        if self.outcome.done():
            self._thread.join()

    def pause(self, waits_for: "Future[Any] | None" = None) -> None:
        self.waits_for = waits_for
        self._paused.release()
        self._go.acquire()
        self.waits_for = None
        self._worker.check()

    def _run(self) -> None:
        self._go.acquire()
        CURRENT.thread = self
        try:
            self._worker.check()
            self.outcome.set_result(self._work())
        except BaseException as error:  # noqa: BLE001 - whatever it is, the worker's outcome tells
            self.outcome.set_exception(error)
        self._paused.release()


CURRENT = threading.local()


class Outcome(Future[Any]):
    """Waiting for it gives the turn away."""

    def __init__(self, worker: "Worker") -> None:
        super().__init__()
        self._worker = worker

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self._wait()
        return super().exception(timeout)

    def result(self, timeout: float | None = None) -> Any:
        self._wait()
        return super().result(timeout)

    def _wait(self) -> None:
        thread = getattr(CURRENT, "thread", None)
        if thread and not self.done():
            thread.pause(waits_for=self)


class Worker(Executor):
    """One invocation of the function: its thread, and those beside it."""

    def __init__(self) -> None:
        self.threads: list[Thread] = []
        self.crashed = False

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        self.threads.append(Thread(self, lambda: work(*arguments, **named)))
        return self.threads[-1].outcome

    def step(self, which: int) -> bool:
        """Let one of the threads make its storage call and go on to its next; whether the work is done."""
        able = [thread for thread in self.threads if thread.can_run()]
        able[which % len(able)].step()
        return not any(thread.can_run() for thread in self.threads)

    def check(self) -> None:
        """Raise `Crash` if it came to that."""
        if self.crashed:
            raise Crash

    def crash(self) -> None:
        self.crashed = True
        for thread in reversed(self.threads):  # those beside it first: it waits for them
            while not thread.outcome.done():
                thread.step()


class Stepped(Fake):
    """Gives the turn away before each call, and refuses while `refusing` holds AWS's code for it."""

    refusing: str | None = None

    def called(self, operation: str, what: str) -> None:
        CURRENT.thread.pause()
        if self.refusing:
            raise refusal(self.refusing, operation)
        super().called(operation, what)


class SteppedS3(Stepped, FakeS3):
    """S3, one call at a time."""


class SteppedTable(Stepped, FakeTable):
    """DynamoDB, one call at a time."""
