"""A copy of the project to run the deployment scripts in, and an `aws` that answers what a test tells it to."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]

# What `aws` is in these tests. It notes each call, with the files that the call names, and answers the first answer of
# which every word is in the call; an operation without an answer succeeds in silence.
# Begun by sh, which the Python below reads as a text: a first line can't name a Python whose path has a space.
FAKE_AWS = f"""#!/bin/sh
'''exec' "{sys.executable}" -IS "$0" "$@"
' '''
import json, sys
folder, call = sys.argv[0].removesuffix("/aws"), sys.argv[1:]
files = [open(word[7:], encoding="utf-8").read() for word in call if word.startswith("file://")]
print(json.dumps([call, files]), file=open(folder + "/calls", "a"))
answers = json.load(open(folder + "/answers"))
for number, (words, out, error, again) in enumerate(answers):
    if set(words) <= set(call):
        if not again:
            del answers[number]
            json.dump(answers, open(folder + "/answers", "w"))
        sys.stdout.write(out)
        sys.stderr.write(error)
        sys.exit(254 if error else 0)
"""


@dataclass
class Aws:
    """The fake `aws`: its answers, and the calls it got."""

    folder: Path
    answers: list[tuple[list[str], str, str, bool]] = field(default_factory=list)

    def answer(self, words: str, out: str = "", *, error: str = "", again: bool = True) -> None:
        """Answer calls that have all of the words; the latest answer to fit is given, unless it was for once."""
        self.answers.insert(0, (words.split(), out, error, again))
        (self.folder / "answers").write_text(json.dumps(self.answers))

    def deny(self, words: str, operation: str, code: str, message: str) -> None:
        """Answer as AWS does when it refuses."""
        self.answer(words, error=f"\nAn error occurred ({code}) when calling the {operation} operation: {message}\n")

    def calls(self, *words: str) -> list[tuple[list[str], list[str]]]:
        """Return the calls that have all of the words, each with the contents of the files it names."""
        log = self.folder / "calls"
        calls = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [(call, files) for call, files in calls if set(words) <= set(call)]


@dataclass
class Project:
    """A copy of the project in a folder of its own."""

    root: Path
    environment: dict[str, str]

    def run(self, script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a script of deployment/ with nobody to answer questions."""
        return subprocess.run(
            [str(self.root / "deployment" / script), *arguments],
            cwd="/",
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def copy_project(root: Path) -> Project:
    """Copy what the deployment scripts use; their Python is this one, or that of the venv in SCRIPTS_VENV."""
    leftovers = shutil.ignore_patterns("__pycache__")
    for folder in ("deployment", "src", "templates"):
        shutil.copytree(PROJECT / folder, root / folder, ignore=leftovers)
    (root / ".venv").symlink_to(os.environ.get("SCRIPTS_VENV", sys.prefix))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return Project(root, environment)


def error_line(result: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a failed script ends with."""
    assert result.returncode == 1, result
    assert result.stdout == "", result.stdout
    *progress, last = result.stderr.splitlines()
    assert not [line for line in progress if "rror" in line or "Traceback" in line], result.stderr
    return last


def stack_text(
    status: str,
    parameters: dict[str, str] | None = None,
    outputs: dict[str, str] | None = None,
) -> str:
    """Return what describe-stacks answers in the form that the scripts ask for."""
    rows: list[tuple[str, ...]] = [("stack", status, "arn:aws:cloudformation:eu-central-1:123456789012:stack/it/1")]
    rows += [("parameter", *pair) for pair in (parameters or {}).items()]
    rows += [("output", *pair) for pair in (outputs or {}).items()]
    return "".join("\t".join(row) + "\n" for row in rows)


def json_of(files: list[str]) -> Any:
    """Return the file among a call's that is JSON."""
    return next(json.loads(text) for text in files if text.startswith(("[", "{")))
