"""What the tests of the deployment scripts start from."""

import os
from pathlib import Path

import pytest

from .project import FAKE_AWS, Aws, Project, copy_project


@pytest.fixture
def aws(tmp_path: Path) -> Aws:
    """An AWS of which nothing is known but who is asking."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "aws").write_text(FAKE_AWS)
    (folder / "aws").chmod(0o755)
    aws = Aws(folder)
    aws.answer("sts get-caller-identity", "123456789012\n")
    return aws


@pytest.fixture
def project(tmp_path: Path, aws: Aws) -> Project:
    """A project whose package.sh makes a zip of a few bytes at once, and who has the fake `aws` first on the PATH."""
    project = copy_project(tmp_path / "a project")
    package = project.root / "deployment" / "package.sh"
    package.write_text('#!/bin/sh\necho "$@" >"$0.arguments"\necho "a zip" >"$0.zip"\necho "$0.zip"\n')
    project.environment |= {
        "PATH": f"{aws.folder}:{os.environ['PATH']}",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",  # an emulator is asked more often, so that tests need not wait
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    return project
