"""The use cases: publish and withdraw a source, render on demand.

Write, then look again. S3's events come at least once and in any order, so an event is a hint that a key changed, and
what it says of the content is never trusted:

    1. read the source as it is now; gone: withdraw
    2. render, write the renditions and the records
    3. look at the source again. Same ETag: done. Another: go to 1. Gone: withdraw

Whoever writes last has looked last, so under any interleaving of workers the renditions end up those of the latest
source, without a lock.
"""

import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, Protocol

from image_processor.config import Limits
from image_processor.errors import ImageProcessorError, SourceNotFound, Unavailable
from image_processor.model import Record, Source, location, record_id, rendition_key
from image_processor.render import Rendition, render
from image_processor.transformation import Transformation, Variant, check_area

_LOOKS: Final = 5  # a source overwritten more often than this while it is processed comes back by the queue
_READ_AHEAD: Final = 8 * 1024 * 1024  # bytes; ten larger sources, read while they wait, would take the pixels' memory


class Sources(Protocol):
    """Where sources are read."""

    bucket: str

    def get(self, key: str) -> Source | None: ...  # noqa: D102
    def etag(self, key: str) -> str | None: ...  # noqa: D102


class Renditions(Protocol):
    """Where renditions are kept."""

    bucket: str

    def put(self, key: str, body: bytes, content_type: str, source_etag: str) -> None: ...  # noqa: D102
    def names(self, source_key: str) -> list[str]: ...  # noqa: D102
    def source_etag(self, key: str) -> str | None: ...  # noqa: D102
    def delete(self, keys: Sequence[str]) -> None: ...  # noqa: D102


class Records(Protocol):
    """Where records are kept."""

    def put(self, records: Sequence[Record]) -> None: ...  # noqa: D102
    def ids(self, original_file: str) -> list[str]: ...  # noqa: D102
    def delete(self, ids: Sequence[str]) -> None: ...  # noqa: D102


class Pipeline:
    """Makes and removes renditions; safe to call from several threads."""

    def __init__(
        self, sources: Sources, renditions: Renditions, records: Records, variants: Sequence[Variant], limits: Limits
    ) -> None:
        self._sources, self._renditions, self._records, self._limits = sources, renditions, records, limits
        self._variants = {variant.name: variant.transformation for variant in variants}
        # One picture at a time: the function has one core by default, and its memory is enough for one source at the
        # limit, while the other messages of a batch wait for S3.
        self._pixels = threading.Lock()

    @property
    def variants(self) -> Mapping[str, Transformation]:
        """The variants made of every source, by name."""
        return self._variants

    def publish(self, key: str) -> list[Record]:
        """Make all variants of a source as it is now, and remove what an older one left; withdraw it when it is gone.

        Returns the records of what was made, none for a source that is gone. A source that can't be rendered raises
        its error after its old renditions were removed and the error was recorded.
        """
        return self._settle(key, self._variants)

    def render_on_demand(self, key: str, wanted: Mapping[str, Transformation]) -> list[Record]:
        """Make the wanted renditions, by name, of a source as it is now.

        Raises `SourceNotFound`, or the error of a source that can't be rendered. Before anything is done, it raises
        `InvalidRequest` for a key too long to add a name to, `InvalidTransformation` for a picture too large to make.
        """
        for name, transformation in wanted.items():
            rendition_key(key, name)
            check_area(transformation)
        records = self._settle(key, wanted)
        if not records:
            raise SourceNotFound(f"there is no source {key!r}")
        return records

    def withdraw(self, key: str, known: Collection[str] = ()) -> None:
        """Remove all renditions and records of a source; `known` names ad-hoc ones that may just have been made."""
        # The index may not know a record written a moment ago: those that are known by name are found by their ids.
        ids = {self._id(key, name) for name in {*self._variants, *known}}
        self._remove(key, self._renditions.names(key), also=ids.union(self._records.ids(self._original_file(key))))

    def _settle(self, key: str, asked: Mapping[str, Transformation]) -> list[Record]:
        wanted = asked
        for _ in range(_LOOKS):
            records, failure = [], None
            source = self._sources.get(key)
            if source is None or _is_folder(source):
                self.withdraw(key, wanted)
            else:
                try:
                    records = self._write(source, wanted)
                except ImageProcessorError as error:
                    if error.retryable:
                        raise
                    failure = error
                    self._record_failure(source, wanted, error)
            if self._sources.etag(key) == (source and source.etag):
                if failure:
                    raise failure
                return [record for record in records if (record.variant or record.transformation) in asked]
            # The newer source's variants may have been published by another worker, and removed by this one.
            wanted = {**self._variants, **asked}
        raise Unavailable(f"the source {key!r} keeps changing; try again later")

    def _write(self, source: Source, wanted: Mapping[str, Transformation]) -> list[Record]:
        with closing(source):
            keys = {name: rendition_key(source.key, name) for name in wanted}
            pictures = dict(zip(wanted, self._render(source, wanted), strict=True))
        for name, picture in pictures.items():
            self._renditions.put(keys[name], picture.body, picture.content_type, source.etag)
        records = [self._made(source, name, keys[name], picture) for name, picture in pictures.items()]
        self._records.put(records)
        # The other variants are left to the event of their own: they are made again, not missed in between.
        self._remove_stale(source, keep={*wanted, *self._variants})
        return records

    def _render(self, source: Source, wanted: Mapping[str, Transformation]) -> list[Rendition]:
        self._limits.check_bytes(source.size)
        ahead = source.read() if source.size <= _READ_AHEAD else None
        with self._pixels:
            return render(source.read() if ahead is None else ahead, list(wanted.values()), self._limits)

    def _record_failure(self, source: Source, wanted: Mapping[str, Transformation], error: ImageProcessorError) -> None:
        """No picture of an older source may stay, and the records of the variants say why there is none of this one."""
        self._remove_stale(source)
        self._records.put([self._failed(source, name, error) for name in wanted if name in self._variants])

    def _remove_stale(self, source: Source, keep: Collection[str] = ()) -> None:
        names = [name for name in self._renditions.names(source.key) if name not in keep]
        stale = [name for name in names if self._renditions.source_etag(f"{source.key}/{name}") != source.etag]
        # Where the source has changed meanwhile, they may be the newer one's: the next lap tells.
        if stale and self._sources.etag(source.key) == source.etag:
            self._remove(source.key, stale)

    def _remove(self, key: str, names: Sequence[str], also: Collection[str] = ()) -> None:
        # Records first: after a crash between the two, the renditions still tell what is left to remove.
        self._records.delete(sorted({*also, *(self._id(key, name) for name in names)}))
        self._renditions.delete([f"{key}/{name}" for name in names])

    def _id(self, key: str, name: str) -> str:
        return record_id(self._sources.bucket, key, name)

    def _original_file(self, key: str) -> str:
        return location(self._sources.bucket, key)

    def _made(self, source: Source, name: str, key: str, picture: Rendition) -> Record:
        return replace(
            self._record(source, name),
            processed_file=location(self._renditions.bucket, key),
            width=picture.width,
            height=picture.height,
            content_type=picture.content_type,
            bytes=len(picture.body),
        )

    def _failed(self, source: Source, name: str, error: ImageProcessorError) -> Record:
        return replace(self._record(source, name), status="failed", error_code=error.code, error_message=str(error))

    def _record(self, source: Source, name: str) -> Record:
        return Record(
            id=self._id(source.key, name),
            original_file=self._original_file(source.key),
            variant=name if name in self._variants else None,
            transformation=None if name in self._variants else name,
            status="processed",
            source_etag=source.etag,
            source_version_id=source.version_id,
            uploaded_at=_iso(source.modified_at),
            processed_at=_iso(datetime.now(UTC)),
        )


def _is_folder(source: Source) -> bool:
    """Whether this is what the S3 console makes for "Create folder", and no source; gives up its body if so."""
    folder = not source.size and source.key.endswith("/")
    if folder:
        source.close()
    return folder


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
