"""A copy of the project to run the deployment scripts in, and a fake `aws` with the responses that a test gives it."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

PROJECT = Path(__file__).parents[2]

# The fake `aws`. It logs each call with the files that the call names, and prints the first response of which all words
# are in the call; an operation without a response succeeds without output. Strings in a request are words too. Objects
# that are put into a bucket can be read again.
# sh starts it, and the Python below reads those lines as a string, because a shebang can't name a path with a space.
FAKE_AWS = f"""#!/bin/sh
'''exec' "{sys.executable}" -IS "$0" "$@"
' '''
import base64, hashlib, json, os, sys, time
folder, call = sys.argv[0].removesuffix("/aws"), sys.argv[1:]
files = [open(word[7:], encoding="utf-8").read() for word in call if word.startswith("file://")]
print(json.dumps([call, files]), file=open(folder + "/calls", "a"))
request = json.loads(files[0]) if "--cli-input-json" in call else {{}}
file = call[-1]
call += [value for value in request.values() if isinstance(value, str)]
answers = json.load(open(folder + "/answers"))
for number, (words, out, error, again) in enumerate(answers):
    if set(words) <= set(call):
        if not again:
            del answers[number]
            json.dump(answers, open(folder + "/answers", "w"))
        sys.stdout.write(out)
        sys.stderr.write(error)
        sys.exit(254 if error else 0)
if "get-object" in call:
    request = dict(zip(("Bucket", "Key"), (call[call.index(name) + 1] for name in ("--bucket", "--key"))))
if "s3api" in call and "Key" in request:
    stored = folder + "/" + (request["Bucket"] + "/" + request["Key"]).replace("/", "%")
    if "put-object" in call:
        open(stored, "wb").write(open(call[call.index("--body") + 1], "rb").read())
    elif not os.path.exists(stored):
        sys.exit("An error occurred (404) when calling the operation: Not Found")
    elif "get-object" in call:
        open(file, "wb").write(open(stored, "rb").read())
    elif "head-object" in call:
        digest = hashlib.sha256(open(stored, "rb").read()).digest()
        written = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(os.path.getmtime(stored)))
        print(json.dumps({{"ChecksumSHA256": base64.b64encode(digest).decode(), "LastModified": written}}))
"""


@dataclass
class Aws:
    """The fake `aws`: its responses, and the calls it has received."""

    folder: Path
    answers: list[tuple[list[str], str, str, bool]] = field(default_factory=list)

    def answer(self, words: str, out: str = "", *, error: str = "", again: bool = True) -> None:
        """Respond to calls that have all of the words; the latest one counts, only once without `again`."""
        self.answers.insert(0, (words.split(), out, error, again))
        (self.folder / "answers").write_text(json.dumps(self.answers))

    def deny(self, words: str, operation: str, code: str, message: str) -> None:
        """Respond as AWS does when it refuses a call."""
        self.answer(words, error=f"\nAn error occurred ({code}) when calling the {operation} operation: {message}\n")

    def requests(self, operation: str) -> list[dict[str, Any]]:
        """Return the JSON requests for an operation, each of which the real AWS CLI would accept."""
        requests = []
        for call, files in self.calls(operation, "--cli-input-json"):
            service = call[call.index(operation) - 1]
            request = json.loads(files[0])
            assert not request_errors(service, operation, request)
            requests.append(request)
        return requests

    def store(self, bucket: str, key: str, content: bytes) -> None:
        """Let there be an object in a bucket."""
        (self.folder / f"{bucket}/{key}".replace("/", "%")).write_bytes(content)

    def stored(self, bucket: str, key: str) -> bytes:
        """Return the content of an object that was put into a bucket."""
        return (self.folder / f"{bucket}/{key}".replace("/", "%")).read_bytes()

    def calls(self, *words: str) -> list[tuple[list[str], list[str]]]:
        """Return the calls that have all of the words, each with the contents of the files it names."""
        log = self.folder / "calls"
        calls = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [(call, files) for call, files in calls if set(words) <= set(call)]


def request_errors(service: str, operation: str, request: dict[str, Any]) -> str:
    """Return what botocore's model of the service, which the AWS CLI follows, reports as wrong in a request."""
    model = service_model({"s3api": "s3"}.get(service, service))
    name = next(name for name in model.operation_names if xform_name(name, "-") == operation)
    report = ParamValidator().validate(request, model.operation_model(name).input_shape)
    return str(report.generate_report())


@cache
def service_model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


@dataclass
class Project:
    """A copy of the project in a separate folder."""

    root: Path
    environment: dict[str, str]

    def run(self, script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a script of deployment/, without a terminal for confirmations."""
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
    """Copy the folders that the scripts use; their Python is this one, or that of the venv in SCRIPTS_VENV."""
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
    """Return the response of describe-stacks in the form that the scripts request.

    The AWS CLI begins with a None for each list that AWS leaves out, such as the outputs of a stack in progress.
    """
    rows: list[tuple[str, ...]] = [("None",)] if not outputs else []
    rows += [("stack", status, "arn:aws:cloudformation:eu-central-1:123456789012:stack/it/1")]
    rows += [("parameter", *pair) for pair in (parameters or {}).items()]
    rows += [("output", *pair) for pair in (outputs or {}).items()]
    return "".join("\t".join(row) + "\n" for row in rows)


def json_of(files: list[str]) -> Any:
    """Return the file among a call's that is JSON."""
    return next(json.loads(text) for text in files if text.startswith(("[", "{")))
