"""Renders one version of a source and stores the renditions, then their records."""

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Final

from image_processor import telemetry
from image_processor.engine import Limits, Rendition, render_each
from image_processor.errors import CorruptImage, ImageProcessorError, InvalidRequest
from image_processor.publishing.cleanup import Cleanup, Stored
from image_processor.publishing.concurrency import run_concurrently
from image_processor.publishing.decode_slot import DecodeSlot
from image_processor.publishing.failures import Failures
from image_processor.publishing.model import Record, Source, StoredRendition
from image_processor.publishing.names import content_disposition
from image_processor.publishing.ports import Storage
from image_processor.publishing.records import RecordFactory
from image_processor.publishing.watermarks import Watermarks
from image_processor.transformations import Transformation
from image_processor.urls.paths import rendition_path

_CHUNK: Final = 64 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class PublishedRendition:
    """A rendition that was rendered and stored: its record, and what a viewer gets."""

    record: Record
    stored: StoredRendition

    @property
    def name(self) -> str:
        """The variant's, or the transformation's canonical text."""
        return self.record.variant or self.record.transformation or ""


class RenditionWriter:
    """Writes renditions and records; safe to call from several threads."""

    def __init__(
        self,
        storage: Storage,
        variants: Collection[str],
        limits: Limits,
        executor: Executor,
        cleanup: Cleanup,
        decode_slot: DecodeSlot,
        failures: Failures,
    ) -> None:
        self._renditions, self._records = storage.renditions, storage.records
        self._invalidations = storage.invalidations
        self._variants, self._limits, self._executor = variants, limits, executor
        self._cleanup, self._decode_slot, self._watermarks = cleanup, decode_slot, Watermarks(storage.sources)
        self._failures = failures
        self._record_factory = RecordFactory(storage.sources.bucket, storage.renditions.bucket, variants, limits)

    def write(
        self, source: Source, wanted: Mapping[str, Transformation], stored: "Future[Stored]", deadline: float
    ) -> tuple[list[PublishedRendition], ImageProcessorError | None]:
        """Render and store; returns what was published, and the first error of a rendition.

        Raises the error of a source of which no rendition can be rendered.
        """
        with closing(source.body):
            outcomes: dict[str, Rendition | ImageProcessorError] = dict(self._without_path(source.key, wanted))
            named = {name: transformation for name, transformation in wanted.items() if name not in outcomes}
            if named:
                outcomes.update(zip(named, self._render(source, named, deadline), strict=True))
        rendered = {name: one for name, one in outcomes.items() if isinstance(one, Rendition)}
        failures = {name: one for name, one in outcomes.items() if isinstance(one, ImageProcessorError)}
        for name, failure in failures.items():
            if not wanted[name].watermark:  # which may be uploaded or replaced, and the source stays the same
                self._failures.remember(source, failure, name)
        published = self._store(source, rendered, failures, stored.result())
        failed = [
            self._record_factory.failed(source, name, error, "rendition")
            for name, error in failures.items()
            if name in self._variants
        ]
        with telemetry.step("record"):  # after the renditions, so that each record's rendition exists
            self._records.put([*(one.record for one in published), *failed])
        return published, self._first(failures)

    def write_failure(
        self, source: Source, wanted: Collection[str], error: ImageProcessorError, stored: Stored
    ) -> None:
        """Delete the renditions of older versions, and record for each variant why this version has none.

        Renditions of this version stay, with their records: they were rendered before the source was archived.
        """
        self._failures.remember(source, error)
        self._cleanup.delete_stale(source, stored, keep=())
        missing = {name for name in wanted if name in self._variants}
        missing -= self._cleanup.current(source, stored, missing)
        self._records.put([self._record_factory.failed(source, name, error, "source") for name in sorted(missing)])

    def _render(
        self, source: Source, wanted: Mapping[str, Transformation], deadline: float
    ) -> list[Rendition | ImageProcessorError]:
        self._limits.check_bytes(source.size)
        watermarks = self._watermarks.of(wanted.values())
        failure = None
        try:
            with self._decode_slot.hold(source, deadline) as body, telemetry.step("render"):
                outcomes = render_each(body, list(wanted.values()), self._limits, watermarks)
        except CorruptImage as error:
            failure = error
        # The outcome is valid only if all bytes arrived: a download that failed raises its own error here.
        while source.body.read(_CHUNK):
            pass
        if failure:
            raise failure
        return outcomes

    def _store(
        self, source: Source, rendered: Mapping[str, Rendition], failures: Collection[str], stored: Stored
    ) -> list[PublishedRendition]:
        # The other variants are replaced when their own event is processed; until then, the old ones stay.
        keep = {*rendered, *self._variants} - set(failures)
        deletion = partial(self._cleanup.delete_stale, source, stored, keep=keep)
        puts = [
            partial(self._put, source, name, rendition, stored.renditions.get(name))
            for name, rendition in rendered.items()
        ]
        tasks: list[Callable[[], StoredRendition | None]] = [deletion, *puts]
        with telemetry.step("put"):
            written = [rendition for rendition in run_concurrently(self._executor, tasks) if rendition]
        telemetry.note(bytes_in=source.size, bytes_out=sum(len(rendition.body) for rendition in rendered.values()))
        return [
            PublishedRendition(self._record_factory.processed(source, name, rendered[name]), rendition)
            for name, rendition in zip(rendered, written, strict=True)
        ]

    def _put(self, source: Source, name: str, rendition: Rendition, former_etag: str | None) -> StoredRendition:
        label = name if name in self._variants else f"{rendition.width}x{rendition.height}"
        stored = self._renditions.put(
            rendition_path(source.key, name),
            rendition.body,
            rendition.content_type,
            content_disposition(source.key, label, rendition.content_type),
            source.etag,
        )
        if former_etag not in (None, stored.etag):
            self._invalidations.add(source.key)
        return stored

    @staticmethod
    def _without_path(key: str, names: Collection[str]) -> Iterator[tuple[str, InvalidRequest]]:
        """The renditions that have no path, because the key is too long for their names, and the error of each."""
        for name in names:
            try:
                rendition_path(key, name)
            except InvalidRequest as error:
                yield name, error

    def _first(self, failures: Mapping[str, ImageProcessorError]) -> ImageProcessorError | None:
        """The first failure, with the name of its variant, since the source's other variants were rendered."""
        for name, error in failures.items():
            return type(error)(f"variant {name}: {error}") if name in self._variants else error
        return None
