"""Calls AWS by the AWS CLI, 1 or 2, which with Python is all that a machine that deploys has.

A script runs the programs beside this one by `call_python` of lib.sh. When AWS refuses, its words go to WORK/error and
the operation's name to WORK/failed, and the program ends with `REFUSED`: the script says what to do about it.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

REFUSED = 3
STOPPED = 130  # as a shell says of what Ctrl-C has ended
WORKERS = min(8, 2 * (os.cpu_count() or 1))  # calls at a time, where it matters; each is a process that starts anew
TRIES = 5  # of what AWS takes in part
T = TypeVar("T")


class AwsFailed(Exception):
    """AWS's answer was an error, or there was none; `words` is what the CLI wrote."""

    def __init__(self, service: str, operation: str, words: str) -> None:
        super().__init__(f"{service} {operation}: {words.strip()}")
        self.service, self.operation, self.words = service, operation, words


class Aws:
    """The AWS CLI, with the region and the endpoint that a script has found."""

    def __init__(self, work: Path, program: str, region: str) -> None:
        endpoint = os.environ.get("AWS_ENDPOINT_URL")
        self._work, self._numbers = work, itertools.count()
        self._command = [program, "--region", region, *(["--endpoint-url", endpoint] if endpoint else [])]
        # UTF-8 whatever the locale, for a key may hold any letter.
        self._environment = {**os.environ, "PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8"}

    def call(self, service: str, operation: str, *options: str, **request: Any) -> dict[str, Any]:
        """Return the answer to a request; raises `AwsFailed`."""
        file = self._work / f"request-{next(self._numbers)}.json"  # a file, for an argument may have 128 KB on Linux
        file.write_text(json.dumps(request), encoding="utf-8")
        command = [
            *self._command,
            service,
            operation,
            "--output",
            "json",
            "--cli-input-json",
            f"file://{file}",
            *options,
        ]
        try:
            # In a session of its own, which Ctrl-C does not reach: what was begun is finished, and known to be.
            done = subprocess.run(  # noqa: S603 - the AWS CLI, without a shell
                command,
                env=self._environment,
                capture_output=True,
                encoding="utf-8",
                start_new_session=True,
                check=False,
            )
        finally:
            file.unlink()
        if done.returncode:
            raise AwsFailed(service, operation, done.stderr)
        answer: dict[str, Any] = json.loads(done.stdout or "{}")
        return answer

    def report(self, error: AwsFailed) -> int:
        """Leave an error to the script; returns the exit status that tells it."""
        (self._work / "error").write_text(error.words, encoding="utf-8")
        (self._work / "failed").write_text(f"{error.service} {error.operation}\n")
        return REFUSED


def batches(things: Iterable[T], size: int = 10) -> Iterator[list[T]]:
    """Cut into what AWS takes at once: ten messages."""
    rest = iter(things)
    while batch := list(itertools.islice(rest, size)):
        yield batch


def refused(answer: dict[str, Any]) -> list[int]:
    """Return which entries of a batch SQS did not take, by their ids, which are their places."""
    return [int(entry["Id"]) for entry in answer.get("Failed", ())]


def waiting(aws: Aws, url: str) -> int:
    """Return about how many messages a queue holds, those at work aside."""
    name = "ApproximateNumberOfMessages"
    return int(aws.call("sqs", "get-queue-attributes", QueueUrl=url, AttributeNames=[name])["Attributes"][name])


def duration(seconds: float) -> str:
    """Return a duration in words."""
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def bytes_in_words(size: int) -> str:
    """Return a number of bytes in words, such as 1.2 GB."""
    for unit, least in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size >= least:
            return f"{size / least:,.1f} {unit}"
    return f"{size / 1e3:,.1f} kB"


def show_progress(done: int, total: int, words: str) -> None:
    """Draw a bar over the last one on a terminal; a log gets none, but the last line."""
    share = min(done / total, 1.0) if total else 1.0
    bar = "█" * round(share * 30)
    line = f"  {bar:·<30} {done:,} of {total:,}{words}"
    if sys.stderr.isatty():
        print(f"\r{line:<78}", end="" if done < total else "\n", file=sys.stderr, flush=True)
    elif done >= total:
        print(line, file=sys.stderr)


def run(aws: Aws, program: Callable[[], int]) -> int:
    """Run a program to its exit status, whatever becomes of it."""
    try:
        return program()
    except AwsFailed as error:
        return aws.report(error)
    except KeyboardInterrupt:
        return STOPPED
