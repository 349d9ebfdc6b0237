"""The commands run on Python 3.9, which macOS has, with its standard library alone.

Their modules, and all that these import, are checked for newer syntax and newer names, so that most faults show on any
Python. Where there is a Python 3.9, it runs the commands.
"""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from image_processor.publishing.names import record_id

from .project import PROJECT, Aws, Project, stack_text
from .python39 import evaluated, faults

DEPLOYMENT, SRC = PROJECT / "deployment", PROJECT / "src"
SCRIPTS = "".join(script.read_text() for script in sorted(DEPLOYMENT.glob("*.sh")))
# sign.py, and the programs that a script runs on the user's Python, with the modules that they import.
PROGRAMS = [
    DEPLOYMENT / "sign.py",
    *sorted((DEPLOYMENT / "operations").glob("*.py")),
    *sorted((DEPLOYMENT / "verify").glob("*.py")),
    *(program for program in sorted((DEPLOYMENT / "build").glob("*.py")) if f"/{program.name}" in SCRIPTS),
]


def reachable() -> tuple[set[Path], set[str]]:
    """The files that the programs run on Python 3.9, and the modules they import that are not this project's."""
    files: set[Path] = set()
    foreign: set[str] = set()
    todo = [*PROGRAMS]
    while todo:
        path = todo.pop()
        if path in files:
            continue
        files.add(path)
        for node in evaluated(ast.parse(path.read_text()).body):
            if isinstance(node, ast.Import):
                found = [(name.name, files_of(name.name, path)) for name in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [file for name in node.names for file in files_of(f"{node.module}.{name.name}", path)]
                found = [(node.module, files_of(node.module, path) + names)]
            else:
                continue
            todo += [file for _, own in found for file in own]
            foreign |= {name.partition(".")[0] for name, own in found if not own}
    return files, foreign


def files_of(module: str, importer: Path) -> list[Path]:
    """The files of a module and its packages; none when it is not this project's."""
    parts = module.split(".")
    packages = [SRC.joinpath(*parts[:count], "__init__.py") for count in range(1, len(parts) + 1)]
    beside = [folder / f"{module}.py" for folder in (importer.parent, DEPLOYMENT / "operations")]
    candidates = [*beside, SRC.joinpath(*parts).with_suffix(".py"), *packages]
    return [file for file in candidates if file.is_file()]


FILES, FOREIGN = reachable()


def heredocs() -> dict[str, str]:
    """The programs inside the scripts that run on the user's Python, by script and line."""
    found = {}
    for script in sorted(DEPLOYMENT.glob("*.sh")):
        lines = script.read_text().splitlines()
        for number, line in enumerate(lines):
            if "<<'END'" in line and '"$python"' in " ".join(lines[max(number - 1, 0) : number + 1]):
                found[f"{script.name}:{number + 1}"] = "\n".join(lines[number + 1 : lines.index("END", number)])
    return found


each_file = pytest.mark.parametrize("path", sorted(FILES), ids=lambda path: path.relative_to(PROJECT).as_posix())


@each_file
def test_a_module_of_the_commands_has_nothing_newer_than_python_39(path: Path) -> None:
    assert faults(path.read_text()) == []


@pytest.mark.parametrize("name", heredocs())
def test_a_program_in_a_script_has_nothing_newer_than_python_39(name: str) -> None:
    assert faults(heredocs()[name]) == []


def test_the_commands_need_no_package() -> None:
    assert set(sys.stdlib_module_names) >= FOREIGN


def test_the_shared_functions_are_imported_and_not_copied() -> None:
    shared = {path.relative_to(SRC / "image_processor").as_posix() for path in FILES if path.is_relative_to(SRC)}

    assert {
        "publishing/names.py",
        "triggers/s3_events.py",
        "urls/links.py",
        "urls/paths.py",
        "urls/signatures.py",
    } <= shared
    assert "publishing/__init__.py" in shared


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("match x:\n    case 1: pass", "Pattern matching"),
        ("try: pass\nexcept* ValueError: pass", "line 2"),
        ("from dataclasses import dataclass\n@dataclass(frozen=True, slots=True)\nclass A: pass", "dataclass(slots=)"),
        ("for a, b in zip(x, y, strict=True): pass", "zip(strict=)"),
        ("from datetime import UTC", "datetime.UTC"),
        ("import datetime\nnow = datetime.UTC", "datetime.UTC"),
        ("from itertools import pairwise", "itertools.pairwise"),
        ("from typing import Self", "typing.Self"),
        ("import tomllib", "module tomllib"),
        ("def f(x: int | None): pass", "int | None is evaluated"),
        ("def f() -> dict[str, int] | None: pass", "is evaluated"),
        ("from __future__ import annotations\nNumber = int | float", "int | float is evaluated"),
        ("from __future__ import annotations\nisinstance(x, str | None)", "str | None is evaluated"),
        ("class A:\n    def f(self):\n        raise ExceptionGroup('x', [])", "ExceptionGroup"),
        ("path.write_text('x', newline='')", "write_text(newline=)"),
    ],
)
def test_newer_features_are_found(source: str, fault: str) -> None:
    assert fault in "\n".join(faults(source))


@pytest.mark.parametrize(
    "source",
    [
        "from __future__ import annotations\ndef f(x: int | None) -> str | None:\n    y: int | None = x",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from typing import Self",
        "import sys\ndef f():\n    if sys.version_info < (3, 11):\n        return\n    from typing import Self",
        "both = {1} | set(x)\nflags = a | b",
        "name = 'a.b'.removeprefix('a.')",
    ],
)
def test_what_python_39_has_is_allowed(source: str) -> None:
    assert faults(source) == []


@pytest.fixture
def old_project(shared_project: Project, python39: str, tmp_path: Path) -> Project:
    """The shared copy on a machine that has Python 3.9 alone."""
    root = tmp_path / "project"
    root.mkdir()
    for folder in ("deployment", "src", "templates"):
        (root / folder).symlink_to(shared_project.root / folder)
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "python3").symlink_to(shutil.which(python39) or python39)
    path = f"{tmp_path / 'python'}:{shared_project.environment['PATH']}"
    return Project(root, shared_project.environment | {"PATH": path})


@each_file
def test_python_39_itself_imports_each_module(python39: str, path: Path) -> None:
    # verify.sh has both of its folders on the path.
    beside = [str(path.parent), str(DEPLOYMENT / "operations")] if DEPLOYMENT in path.parents else []
    folders = [str(SRC), *beside]
    name = path.stem if DEPLOYMENT in path.parents else ".".join(path.relative_to(SRC).with_suffix("").parts)
    code = "import importlib, sys; sys.path[:0] = sys.argv[2:]; importlib.import_module(sys.argv[1])"
    subprocess.run([python39, "-IBS", "-c", code, name, *folders], check=True)


@pytest.fixture
def stack(aws: Aws) -> None:
    """A stack with a source that lacks its rendition, one that cannot be rendered, a stale rendition, a dead letter."""
    outputs = {
        "UploadBucketName": "up", "ProcessedBucketName": "done", "QueueUrl": "queue", "MetadataTableName": "records",
        "DeadLetterQueueUrl": "dead", "FunctionName": "f", "DistributionDomainName": "d1.cloudfront.net",
        "SigningSecretArn": "arn:aws:secretsmanager:eu-west-3:1:secret:s",
    }  # fmt: skip
    aws.answer(
        "describe-stacks", stack_text("UPDATE_COMPLETE", {"Variants": "a:width=1", "MemorySize": "1769"}, outputs)
    )
    listed = [
        {"Key": key, "Size": 1, "LastModified": "2026-11-24T12:00:00.000Z", "ETag": '"e"'}
        for key in ("bad.jpg", "ü.jpg")
    ]
    aws.answer("list-objects-v2 up", json.dumps({"Contents": listed}))
    aws.answer("list-objects-v2 done", json.dumps({"Contents": [{**listed[0], "Key": "=C3=BC.jpg/old"}]}))
    failed = {
        "id": record_id("up", "bad.jpg", "a"),
        "status": "failed",
        "source_etag": "e",
        "error_code": "corrupt-image",
    }
    failed |= {"processed_at": "2026-11-24T12:00:00.123456Z", "error_message": "the image can't be decoded"}
    records = [{name: {"S": value} for name, value in failed.items()}]
    aws.answer("batch-get-item", json.dumps({"Responses": {"records": records}}))
    aws.answer("get-queue-attributes", '{"Attributes": {"ApproximateNumberOfMessages": "0"}}')
    aws.answer("secretsmanager get-secret-value", '"key"\n')
    aws.answer("get-function-configuration", "/log\n")
    function = {"LastModified": "2026-11-24T12:00:00.123+0000", "LoggingConfig": {"LogGroup": "/log"}}
    aws.answer("get-function-configuration --cli-input-json", json.dumps(function))
    record = {"eventSource": "aws:s3", "s3": {"bucket": {"name": "up"}, "object": {"key": "a+b.jpg"}}}
    attributes = {"ApproximateReceiveCount": "6", "SentTimestamp": "1795498776231"}
    letter = {
        "MessageId": "1",
        "ReceiptHandle": "r",
        "Body": json.dumps({"Records": [record]}),
        "Attributes": attributes,
    }
    aws.answer("receive-message", "")
    aws.answer("receive-message", json.dumps({"Messages": [letter]}), again=False)
    aws.answer("start-query", '{"queryId": "q"}')
    aws.answer("get-query-results", '{"status": "Complete", "results": []}')


@pytest.mark.slow
@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["sign.py", "/cats/rio.jpg?width=300"], "https://d1.cloudfront.net/cats/rio.jpg?width=300&sig="),
        (
            ["backfill.sh", "--only-missing"],
            "1 source cannot be rendered and is left out; --dry-run names them\nSent: 1.",
        ),
        (["backfill.sh", "--remove-stale", "--yes"], "old: 1 rendition, 0.0 kB\nDeleted: 1."),
        (["redrive.sh"], "a b.jpg\n  received 5 times"),
        (["redrive.sh", "--drop", "a b.jpg"], "Dropped: 1 of 1 dead letters."),
        (["status.sh"], "0 waiting, 0 in flight"),
    ],
)
def test_python_39_itself_runs_the_commands(old_project: Project, command: list[str], shown: str) -> None:
    result = old_project.run(*command)

    assert result.returncode == 0, result
    assert shown in result.stdout


@pytest.mark.usefixtures("stack")
def test_python_39_itself_signs_the_same(old_project: Project, shared_project: Project) -> None:
    asked = "/my%20photo ü.jpg?width=300&format=auto"

    assert old_project.run("sign.py", asked).stdout == shared_project.run("sign.py", asked).stdout != ""


def test_the_commands_of_these_tests_run_on_python_39(old_project: Project) -> None:
    code = ["bash", "-euc", '. "$0"; find_python; "$python" -V', str(old_project.root / "deployment/lib.sh")]
    done = subprocess.run(code, env=old_project.environment, capture_output=True, text=True, check=True)

    assert done.stdout.startswith("Python 3.9.")
