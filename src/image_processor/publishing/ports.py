"""What the pipeline works with, be it S3 and DynamoDB, or the dictionaries of its tests."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Protocol, TypeVar

from image_processor.publishing.model import KeptRecord, KeptRendition, Picture, Record, Source

Answer = TypeVar("Answer")


class Sources(Protocol):
    """Where sources are read."""

    bucket: str

    def get(self, key: str) -> Source | None: ...  # noqa: D102
    def etag(self, key: str) -> str | None: ...  # noqa: D102


class Renditions(Protocol):
    """Where renditions are kept."""

    bucket: str

    def put(  # noqa: D102
        self, key: str, body: bytes, content_type: str, content_disposition: str, source_etag: str
    ) -> Picture: ...
    def get(self, key: str, most: int) -> Picture | None: ...  # noqa: D102
    def etags(self, source_key: str) -> Mapping[str, str]: ...  # noqa: D102
    def find(self, key: str) -> KeptRendition | None: ...  # noqa: D102
    def delete(self, key: str, etag: str) -> None: ...  # noqa: D102


class Records(Protocol):
    """Where records are kept."""

    def put(self, records: Sequence[Record]) -> None: ...  # noqa: D102
    def of(self, original_file: str) -> Sequence[KeptRecord]: ...  # noqa: D102
    def delete(self, record_id: str, **only_if: str) -> None: ...  # noqa: D102


class Invalidations(Protocol):
    """Collects the sources whose renditions were replaced or deleted, and invalidates them in CloudFront."""

    def add(self, source_key: str) -> None:
        """Note that renditions of this source were replaced or deleted. Sends nothing yet."""

    def send(self) -> None:
        """Invalidate what was added since the last time; raises `Throttled` or `Unavailable`."""


class NoInvalidations:
    """No-op, for a stack without a distribution, or one whose caches may serve what Cache-Control allows."""

    def add(self, source_key: str) -> None:
        """No-op."""

    def send(self) -> None:
        """No-op."""


def at_once(side: Executor, tasks: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """Do all tasks at the same time, the first of them in the caller's thread; raises the first failure.

    Returns or raises when all are done: a write that is still under way when its source is looked at again could undo
    what is newer. No task may itself wait for `side`.
    """
    if not tasks:
        return []
    others = [side.submit(task) for task in tasks[1:]]
    try:
        first = tasks[0]()
    finally:
        for other in others:
            other.exception()  # waits, and raises nothing
    return [first, *(other.result() for other in others)]
