"""Deletes stale renditions and records.

Another worker may replace a stale rendition between the moment it is found and its deletion. So each deletion is
conditional on what was found: for a rendition its ETag, for a record its time. Two versions of a source can give the
same bytes, which an ETag can't distinguish. Therefore the worker that rendered checks afterwards that its rendition is
there, the worker that deleted one checks for its record, and one of the two corrects the result.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Final

from image_processor.publishing.concurrency import run_concurrently
from image_processor.publishing.model import RenditionInfo, Source, StoredRecord
from image_processor.publishing.names import location, record_id
from image_processor.publishing.ports import Storage
from image_processor.urls.paths import rendition_path

# The second round finds something only when another worker interfered. The third has never found anything.
_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True)
class Stored:
    """What storage has of a source: its renditions, name → ETag, and its records, which were read before them."""

    renditions: Mapping[str, str]
    records: Sequence[StoredRecord]


class Cleanup:
    """Finds and deletes what storage has of sources."""

    def __init__(self, storage: Storage, variants: Collection[str], executor: Executor) -> None:
        self._sources, self._renditions, self._records = storage.sources, storage.renditions, storage.records
        self._invalidations, self._variants, self._executor = storage.invalidations, variants, executor

    def find_stored(self, key: str) -> Stored:
        """All renditions and records of a source."""
        # Records first: a rendition is written before its record. So a record has no rendition if none is found after.
        records = self._records.of(location(self._sources.bucket, key))
        return Stored(self._renditions.etags(key), records)

    def withdraw(self, key: str, stored: Stored, requested: Collection[str]) -> None:
        """Delete all renditions and records of a source; `requested` are ad-hoc names that may be stored just now."""
        # The index may miss a record that was written a moment ago, so records of known names are deleted by their ids.
        unlisted = {
            record_id(self._sources.bucket, key, name) for name in (*self._variants, *requested, *stored.renditions)
        }
        unlisted.difference_update(record.id for record in stored.records)
        deletions: list[Callable[[], None]] = [partial(self._records.delete, missing) for missing in sorted(unlisted)]
        self._delete(key, stored.renditions, [*deletions, *map(self._deletion, stored.records)])

    def delete_stale(self, source: Source, stored: Stored, keep: Collection[str]) -> None:
        """Delete the renditions of other versions of the source, and the records that have no rendition.

        The names to `keep` are not read. Nothing is deleted if the source has changed since.
        """
        for _ in range(_ROUNDS):
            stale = self._stale(source, stored, keep)
            orphans = [
                record
                for record in stored.records
                if not (record.name in stored.renditions or record.name in keep or record.name in self._variants)
            ]
            # If the source has changed, these may belong to its newer version, which the pipeline publishes next.
            if not (stale or orphans) or self._sources.etag(source.key) != source.etag:
                return
            deletions = [
                partial(self._records.delete, record_id(self._sources.bucket, source.key, name), **_condition(found))
                for name, found in stale.items()
            ]
            etags = {name: found.etag for name, found in stale.items()}
            self._delete(source.key, etags, [*deletions, *map(self._deletion, orphans)])
            stored = self.find_stored(source.key)

    def current(self, source: Source, stored: Stored, names: Collection[str]) -> set[str]:
        """Those of the names whose rendition was rendered from this very version of the source."""
        return {
            name
            for name, found in self._find(source, [name for name in names if name in stored.renditions]).items()
            if found.source_etag == source.etag
        }

    def _stale(self, source: Source, stored: Stored, keep: Collection[str]) -> dict[str, RenditionInfo]:
        names = [name for name in stored.renditions if name not in keep]
        return {name: found for name, found in self._find(source, names).items() if found.source_etag != source.etag}

    def _find(self, source: Source, names: Sequence[str]) -> dict[str, RenditionInfo]:
        found = run_concurrently(
            self._executor, [partial(self._renditions.find, rendition_path(source.key, name)) for name in names]
        )
        return {name: one for name, one in zip(names, found, strict=True) if one}

    def _delete(self, key: str, etags: Mapping[str, str], record_deletions: Sequence[Callable[[], None]]) -> None:
        if etags:
            self._invalidations.add(key)
        # Records first: after a crash between the two, the renditions still show what is left to delete.
        run_concurrently(self._executor, record_deletions)
        run_concurrently(
            self._executor,
            [partial(self._renditions.delete, rendition_path(key, name), etag) for name, etag in etags.items()],
        )

    def _deletion(self, record: StoredRecord) -> Callable[[], None]:
        return partial(self._records.delete, record.id, processed_at=record.processed_at)


def _condition(found: RenditionInfo) -> dict[str, str]:
    return {"source_etag": found.source_etag} if found.source_etag else {}
