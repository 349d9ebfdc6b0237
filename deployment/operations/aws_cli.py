"""Calls AWS through the AWS CLI, version 1 or 2: besides Python, a machine needs nothing else to deploy.

A script starts the programs beside this module by `call_python` of lib.sh. When AWS refuses a call, `AwsCli.report`
writes the CLI's error to WORK/error and the operation's name to WORK/failed, and the program exits with `REFUSED`. The
script then prints what to do about it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

REFUSED = 3
STOPPED = 130  # a shell's exit status of a program that Ctrl-C has ended
WORKERS = min(8, 2 * (os.cpu_count() or 1))  # calls at a time; each is a process
TRIES = 5  # of a batch that AWS accepts in part
T = TypeVar("T")


class AwsFailed(Exception):
    """AWS responded with an error, or not at all; `error` is what the CLI wrote to stderr."""

    def __init__(self, service: str, operation: str, error: str) -> None:
        super().__init__(f"{service} {operation}: {error.strip()}")
        self.service, self.operation, self.error = service, operation, error


class AwsCli:
    """The AWS CLI, with the region and the endpoint of the script."""

    def __init__(self, work: Path, program: str, region: str) -> None:
        endpoint = os.environ.get("AWS_ENDPOINT_URL")
        self._work, self._numbers = work, itertools.count()
        self._command = [program, "--region", region, *(["--endpoint-url", endpoint] if endpoint else [])]
        # UTF-8 in every locale, because a key may have any character.
        self._environment = {**os.environ, "PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8"}

    def call(self, service: str, operation: str, *options: str, **request: Any) -> dict[str, Any]:
        """Return the response to a request; raises `AwsFailed`. Safe to call from several threads."""
        # The request goes into a file, because Linux limits one argument to 128 KB. Without one, the options are all.
        file = self._work / f"request-{next(self._numbers)}.json"
        file.write_text(json.dumps(request), encoding="utf-8")
        from_file = ("--cli-input-json", f"file://{file}") if request else ()
        command = [*self._command, service, operation, "--output", "json", *from_file, *options]
        try:
            # In a separate session, which Ctrl-C does not reach: a call that has begun ends with a known outcome.
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
        response: dict[str, Any] = json.loads(done.stdout or "{}")
        return response

    def report(self, error: AwsFailed) -> int:
        """Write an error where the script reads it; returns the exit status that says so."""
        (self._work / "error").write_text(error.error, encoding="utf-8")
        (self._work / "failed").write_text(f"{error.service} {error.operation}\n", encoding="utf-8")
        return REFUSED


def arguments(*required: str, optional: Iterable[str] = (), switches: Iterable[str] = ()) -> argparse.ArgumentParser:
    """Return a parser with the options that call_python of lib.sh adds, and with these; optional ones may be empty."""
    parser = argparse.ArgumentParser()
    for name in ("work", "aws", "region", *required):
        parser.add_argument(f"--{name}", required=True)
    for name in optional:
        parser.add_argument(f"--{name}", default="")
    for name in switches:
        parser.add_argument(f"--{name}", action="store_true")
    return parser


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut into lists of `size` items, the last of which may be shorter."""
    rest = iter(items)
    while batch := list(itertools.islice(rest, size)):
        yield batch


def run(aws: AwsCli, program: Callable[[], int]) -> int:
    """Return the exit status of a program that calls AWS."""
    try:
        return program()
    except AwsFailed as error:
        return aws.report(error)
    except KeyboardInterrupt:
        return STOPPED
