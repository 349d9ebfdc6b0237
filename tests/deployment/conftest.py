"""Fixtures of the tests of the deployment scripts: a fake `aws`, and copies of the project."""

import os
import subprocess
from pathlib import Path

import pytest

from .project import FAKE_AWS, Aws, Project, copy_project


@pytest.fixture
def aws(tmp_path: Path) -> Aws:
    """An `aws` that prints the caller's account, and otherwise succeeds without output."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "aws").write_text(FAKE_AWS)
    (folder / "aws").chmod(0o755)
    aws = Aws(folder)
    aws.answer("sts get-caller-identity", "123456789012\n")
    return aws


@pytest.fixture
def project(tmp_path: Path, aws: Aws) -> Project:
    """A copy for one test: package.sh makes a zip of a few bytes at once, and the fake `aws` is first on the PATH."""
    project = copy_project(tmp_path / "a project")
    package = project.root / "deployment" / "package.sh"
    package.write_text('#!/bin/sh\necho "$@" >"$0.arguments"\necho "a zip" >"$0.zip"\necho "$0.zip"\n')
    return with_aws(project, aws)


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One copy for all tests of the scripts that write nothing into it."""
    return copy_project(tmp_path_factory.mktemp("installation") / "a project")


@pytest.fixture
def shared_project(installation: Project, aws: Aws) -> Project:
    """The same copy, with the fake `aws` first on the PATH."""
    return with_aws(installation, aws)


def with_aws(project: Project, aws: Aws) -> Project:
    variables = {
        "PATH": f"{aws.folder}:{os.environ['PATH']}",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",  # scripts poll an emulator more often, so that tests need not wait
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    return Project(project.root, project.environment | variables)


@pytest.fixture(scope="session")
def python39() -> str:
    """A Python 3.9, the oldest that the commands support; the variable PYTHON39 may name it."""
    python = os.environ.get("PYTHON39", "python3.9")
    try:
        subprocess.run([python, "-c", "import sys; sys.exit(sys.version_info[:2] != (3, 9))"], check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"{python} is not a Python 3.9 that runs here")
    return python
