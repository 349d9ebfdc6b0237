"""A whole stack on a local AWS with IAM enforced, started as `make run` starts it, for all end-to-end tests."""

from collections.abc import Iterator

import pytest

from .local import LocalAws, Stack, local_aws
from .urls import Author


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with local_aws(tmp_path_factory.mktemp("local") / "state", ENFORCE_IAM="true") as running:
        yield running


@pytest.fixture(scope="session")
def stack(local: LocalAws) -> Stack:
    return Stack(local, local.outputs)


@pytest.fixture(scope="session")
def author(stack: Stack) -> Author:
    return Author(stack, Author(stack).current_key)
