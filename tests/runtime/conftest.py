"""The unpacked zip, and the runtime that it runs on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .fake_aws import FakeAws, fake_aws
from .lambda_runtime import LambdaRuntime
from .packaged import Function, function_of_template, unpack


@pytest.fixture(scope="session")
def task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("task")
    unpack(folder)
    return folder


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    with fake_aws() as server:
        yield server


@pytest.fixture(scope="session")
def function() -> Function:
    return function_of_template()


@pytest.fixture
def runtime(task: Path, aws: FakeAws, function: Function) -> Iterator[LambdaRuntime]:
    with LambdaRuntime(task, function.handler, {**function.environment, "AWS_ENDPOINT_URL": aws.url}) as running:
        yield running
