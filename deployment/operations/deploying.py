"""What the programs of deploy.sh share: the stack as deploy.sh has found it, and a refusal in one sentence.

The programs pass data to each other by files in WORK: `stack` (written by find_stack of lib.sh), `parameters.json`,
`tags.json` and `rollback.json` (parts of the change set's request), and `history.json`.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import terminal
from aws_cli import AwsCli, run

if TYPE_CHECKING:
    from collections.abc import Callable

CODE_BUCKET, CODE_KEY = "LambdaS3CodeBucket", "LambdaS3CodeKey"  # the parameters that deploy.sh sets by itself


class Refused(Exception):
    """deploy.sh ends with this sentence, before anything is deployed."""


def say(*lines: str) -> None:
    """Print to stderr, because stdout has results only."""
    for line in lines:
        terminal.say(line, sys.stderr)


@dataclass
class Deployed:
    """The stack as it is, empty if there is none."""

    status: str = ""
    stack_id: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    triggers: dict[str, str] = field(default_factory=dict)  # saved rollback triggers: each alarm's ARN, with its type
    monitoring: int = 0  # minutes of these triggers

    @classmethod
    def read(cls, work: Path) -> Deployed:
        """Read WORK/stack, whose lines are a kind, a name and a value."""
        deployed = cls()
        of_kind = {
            "parameter": deployed.parameters,
            "output": deployed.outputs,
            "tag": deployed.tags,
            "trigger": deployed.triggers,
        }
        for line in (work / "stack").read_text(encoding="utf-8").splitlines():
            kind, name, value = [*line.split("\t"), "", ""][:3]
            if kind == "stack":
                deployed.status, deployed.stack_id = name, value
            elif kind == "monitoring" and value.isdigit():
                deployed.monitoring = int(value)
            elif kind in of_kind and not name.startswith("aws:"):  # tags that only AWS sets
                of_kind[kind][name] = value
        return deployed

    @property
    def exists(self) -> bool:
        """Whether the stack has resources. A change set that was never executed leaves an empty one behind."""
        return self.status not in ("", "REVIEW_IN_PROGRESS")


def read_json(path: Path, otherwise: Any) -> Any:
    """Return what a program before has written, if it has."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else otherwise


def write_json(path: Path, value: Any) -> None:
    """Write for a program that follows, or for the AWS CLI."""
    path.write_text(json.dumps(value), encoding="utf-8")


def arguments(*required: str) -> argparse.ArgumentParser:
    """Return a parser with the options that call_python of lib.sh adds, and with these."""
    parser = argparse.ArgumentParser()
    for name in ("work", "aws", "region", *required):
        parser.add_argument(f"--{name}", required=True)
    return parser


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
