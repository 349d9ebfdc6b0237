"""What is kept of a source, and what of it may not stay.

Others may make anew what is found to be stale, between the look and the removal. So nothing is removed but what was
looked at: a rendition by its own ETag, a record by what it says of itself. Where two versions of a source make the same
bytes, an ETag can't tell them apart: whoever made a picture looks for it afterwards, whoever removed one looks for its
record, and so one of the two mends it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Final

from image_processor.publishing.model import KeptRecord, KeptRendition, Source
from image_processor.publishing.names import location, record_id
from image_processor.publishing.ports import Records, Renditions, Sources, at_once

_ROUNDS: Final = 3  # of removal; the second finds something only when another worker was there, the third never yet


@dataclass(frozen=True, slots=True)
class Kept:
    """The renditions of a source, name → ETag, and its records, which were looked up before them."""

    renditions: Mapping[str, str]
    records: Sequence[KeptRecord]


class Keeping:
    """Looks up and removes what is kept of sources."""

    def __init__(
        self,
        sources: Sources,
        renditions: Renditions,
        records: Records,
        variants: Collection[str],
        side: Executor,
        replaced: Callable[[str], None],
    ) -> None:
        self._sources, self._renditions, self._records = sources, renditions, records
        self._variants, self._side, self._replaced = variants, side, replaced

    def kept(self, key: str) -> Kept:
        """All that is kept of a source."""
        # Records first: a rendition is written before its record, so that a record whose rendition is not found
        # afterwards has none.
        records = self._records.of(location(self._sources.bucket, key))
        return Kept(self._renditions.etags(key), records)

    def withdraw(self, key: str, kept: Kept, known: Collection[str]) -> None:
        """Remove all renditions and records of a source; `known` names ad-hoc ones that may just have been made."""
        # The index may not know a record written a moment ago: those that are known by name are found by their ids.
        unseen = {record_id(self._sources.bucket, key, name) for name in (*self._variants, *known, *kept.renditions)}
        unseen.difference_update(record.id for record in kept.records)
        removals: list[Callable[[], None]] = [partial(self._records.delete, missing) for missing in sorted(unseen)]
        self._remove(key, kept.renditions, [*removals, *map(self._removal, kept.records)])

    def remove_stale(self, source: Source, kept: Kept, keep: Collection[str]) -> None:
        """Remove the renditions made from another version of the source, and the records that have none.

        The names to `keep` are not looked at. Nothing is removed when the source has changed meanwhile.
        """
        for _ in range(_ROUNDS):
            stale = self._stale(source, kept, keep)
            lost = [
                record
                for record in kept.records
                if not (record.name in kept.renditions or record.name in keep or record.name in self._variants)
            ]
            # Where the source has changed, they may be the newer one's: the next lap tells.
            if not (stale or lost) or self._sources.etag(source.key) != source.etag:
                return
            removals = [
                partial(self._records.delete, self._id(source.key, name), **_origin(found))
                for name, found in stale.items()
            ]
            etags = {name: found.etag for name, found in stale.items()}
            self._remove(source.key, etags, [*removals, *map(self._removal, lost)])
            kept = self.kept(source.key)

    def pictures_of(self, source: Source, kept: Kept, names: Collection[str]) -> set[str]:
        """Those of the names under which a rendition of this very source is kept."""
        there = [name for name in names if name in kept.renditions]
        found = at_once(self._side, [partial(self._renditions.find, f"{source.key}/{name}") for name in there])
        return {name for name, one in zip(there, found, strict=True) if one and one.source_etag == source.etag}

    def _stale(self, source: Source, kept: Kept, keep: Collection[str]) -> dict[str, KeptRendition]:
        names = [name for name in kept.renditions if name not in keep]
        found = at_once(self._side, [partial(self._renditions.find, f"{source.key}/{name}") for name in names])
        return {name: one for name, one in zip(names, found, strict=True) if one and one.source_etag != source.etag}

    def _remove(self, key: str, etags: Mapping[str, str], records: Sequence[Callable[[], None]]) -> None:
        if etags:
            self._replaced(key)
        # Records first: after a crash between the two, the renditions still tell what is left to remove.
        at_once(self._side, records)
        at_once(self._side, [partial(self._renditions.delete, f"{key}/{name}", etag) for name, etag in etags.items()])

    def _removal(self, record: KeptRecord) -> Callable[[], None]:
        return partial(self._records.delete, record.id, processed_at=record.processed_at)

    def _id(self, key: str, name: str) -> str:
        return record_id(self._sources.bucket, key, name)


def _origin(found: KeptRendition) -> dict[str, str]:
    return {"source_etag": found.source_etag} if found.source_etag else {}
