"""The interfaces to storage and CloudFront. `aws` implements them; the tests implement them with dictionaries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from image_processor.publishing.model import Record, RenditionInfo, Source, StoredFailure, StoredRecord, StoredRendition


class Sources(Protocol):
    """The upload bucket, which is read and never written."""

    bucket: str

    def get(self, key: str) -> Source | None:
        """The source as it is now, its body still downloading; None when there is none."""

    def etag(self, key: str) -> str | None:
        """The source's ETag as it is now; None when there is no source."""


class Renditions(Protocol):
    """The processed bucket."""

    bucket: str

    def put(
        self, key: str, body: bytes, content_type: str, content_disposition: str, source_etag: str
    ) -> StoredRendition:
        """Store a rendition, over an older one of the same key."""

    def get(self, key: str, max_body: int) -> StoredRendition | None:
        """A rendition, without its body if that is longer than `max_body` bytes; None when there is none."""

    def etags(self, source_key: str) -> Mapping[str, str]:
        """All renditions of a source, name → ETag."""

    def find(self, key: str) -> RenditionInfo | None:
        """The metadata of a rendition, without its body; None when there is none."""

    def delete(self, key: str, etag: str) -> None:
        """Delete a rendition if it still has this ETag; does nothing if it was replaced or is gone."""


class Records(Protocol):
    """The metadata table."""

    def put(self, records: Sequence[Record]) -> None:
        """Write records, over older ones of the same id."""

    def of(self, original_file: str) -> Sequence[StoredRecord]:
        """The records of a source. One that was written a moment ago may be missing."""

    def failure(self, record_id: str) -> StoredFailure | None:
        """The record of this id if its rendition failed; None if there is no record, or its rendition is stored."""

    def delete(self, record_id: str, **only_if: str) -> None:
        """Delete a record if its attributes still have these values; does nothing if it was replaced or is gone."""


class Invalidations(Protocol):
    """Collects the sources whose renditions were replaced or deleted, and invalidates them in CloudFront."""

    def add(self, source_key: str) -> None:
        """Note that renditions of this source were replaced or deleted. Sends nothing yet."""

    def send(self) -> None:
        """Invalidate what was added since the last call; raises `Throttled` or `Unavailable`."""


class NoInvalidations:
    """No-op, for a stack without a distribution, or one whose caches may serve what Cache-Control allows."""

    def add(self, source_key: str) -> None:
        """No-op."""

    def send(self) -> None:
        """No-op."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Everything that the use cases read and write."""

    sources: Sources
    renditions: Renditions
    records: Records
    invalidations: Invalidations = field(default_factory=NoInvalidations)
