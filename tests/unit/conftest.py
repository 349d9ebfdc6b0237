"""The bench of the unit tests: hypothesis with the same examples in every run, and a pipeline over dictionaries."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Executor

import pytest
from hypothesis import settings

from image_processor.aws.dynamodb import MetadataTable
from image_processor.aws.s3 import RenditionBucket, SourceBucket
from image_processor.engine.limits import Limits
from image_processor.publishing.pipeline import Pipeline
from image_processor.publishing.ports import Storage
from image_processor.transformations.variants import parse_variants

from .fakes import PROCESSED, TABLE, UPLOADS, FakeInvalidations, FakeS3, FakeTable, InlineExecutor

settings.register_profile("suite", deadline=None, derandomize=True, database=None)
settings.load_profile("suite")


@pytest.fixture(scope="package", autouse=True)
def no_socket() -> Iterator[None]:
    """A test that connects anywhere fails."""

    def refuse(*_: object) -> None:
        raise AssertionError("unit tests open no socket")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        yield


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


@pytest.fixture
def table() -> FakeTable:
    return FakeTable()


@pytest.fixture
def invalidations() -> FakeInvalidations:
    return FakeInvalidations()


@pytest.fixture
def new_pipeline(s3: FakeS3, table: FakeTable, invalidations: FakeInvalidations) -> Callable[..., Pipeline]:
    """A worker; several of them share the same buckets and table."""

    def new(
        variants: str = "thumbnail:width=8,height=8;wide:width=16",
        limits: Limits = Limits(),  # noqa: B008 - frozen
        executor: Executor | None = None,
    ) -> Pipeline:
        storage = Storage(
            SourceBucket(s3, UPLOADS),
            RenditionBucket(s3, PROCESSED, "public, max-age=300"),
            MetadataTable(table, TABLE),
            invalidations,
        )
        return Pipeline(storage, parse_variants(variants), limits, executor or InlineExecutor())

    return new


@pytest.fixture
def pipeline(new_pipeline: Callable[..., Pipeline]) -> Pipeline:
    return new_pipeline()
