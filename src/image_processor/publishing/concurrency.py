"""Runs several calls to AWS at the same time."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import TypeVar

Result = TypeVar("Result")


def run_concurrently(executor: Executor, tasks: Sequence[Callable[[], Result]]) -> list[Result]:
    """Run all tasks at the same time, the first of them in the caller's thread; raises the first failure.

    Returns or raises when all have ended: a write that is still in progress when its source is read again could undo a
    newer one. No task may itself wait for the `executor`.
    """
    if not tasks:
        return []
    others = [executor.submit(task) for task in tasks[1:]]
    try:
        first = tasks[0]()
    finally:
        for other in others:
            other.exception()  # waits, and raises nothing
    return [first, *(other.result() for other in others)]
