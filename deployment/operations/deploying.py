"""What the programs of deploy.sh share: files between them, and a refusal in one sentence.

The programs pass data to each other by files in WORK: `stack` (written by find_stack of lib.sh), `parameters.json`,
`tags.json` and `rollback.json` (parts of the change set's request), and `history.json`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import terminal
from aws_cli import AwsCli, run

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

CODE_BUCKET, CODE_KEY = "LambdaS3CodeBucket", "LambdaS3CodeKey"  # the parameters that deploy.sh sets by itself


class Refused(Exception):
    """deploy.sh ends with this sentence, before anything is deployed."""


def say(*lines: str) -> None:
    """Print to stderr, because stdout has results only."""
    for line in lines:
        terminal.say(line, sys.stderr)


def read_json(path: Path, otherwise: Any) -> Any:
    """Return what a program before has written, if it has."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else otherwise


def planned_tags(work: Path) -> dict[str, str]:
    """Return the tags that the stack will have, which stack_tags.py has written."""
    return {tag["Key"]: tag["Value"] for tag in read_json(work / "tags.json", [])}


def write_json(path: Path, value: Any) -> None:
    """Write for a program that follows, or for the AWS CLI."""
    path.write_text(json.dumps(value), encoding="utf-8")


def main(options: argparse.Namespace, program: Callable[[AwsCli, argparse.Namespace], None]) -> int:
    """Run a program, and return its exit status."""
    options.work = Path(options.work)
    aws = AwsCli(options.work, options.aws, options.region)

    def refusing() -> int:
        try:
            program(aws, options)
        except Refused as refused:
            say(f"deploy.sh: {refused}")
            return 1
        return 0

    return run(aws, refusing)
