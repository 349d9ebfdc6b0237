"""The use cases: publish and withdraw a source, render on demand, deliver.

Write, then look again. S3's events arrive at least once and in any order. An event is therefore only a hint that a key
has changed, and what it says about the content is not used:

    1. read the source as it is now; if it is gone, withdraw it
    2. render, write the renditions, then their records
    3. look again at the source, and at the ad-hoc renditions that were just written; if one of them has changed,
       go to 1

The worker that writes last has also looked last. So under any interleaving of workers, and without a lock, the
renditions end up as those of the latest source. The event of a worker that dies on the way is redelivered. A call on
demand has no event: if it dies between 2 and 3, and its source was overwritten and published in between, what it wrote
stays until the next event or call for this source.
"""

import math
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Final
from urllib.parse import unquote

from image_processor import telemetry
from image_processor.engine import Limits
from image_processor.errors import ImageProcessorError, SourceNotFound, Unavailable
from image_processor.publishing.cleanup import Cleanup
from image_processor.publishing.concurrency import run_concurrently
from image_processor.publishing.decode_slot import DecodeSlot, check_time
from image_processor.publishing.failures import Failures
from image_processor.publishing.model import Record, Source, StoredRendition
from image_processor.publishing.ports import Storage
from image_processor.publishing.rendition_writer import PublishedRendition, RenditionWriter
from image_processor.transformations.transformation import Transformation, check_area
from image_processor.transformations.variants import Variant
from image_processor.urls.paths import rendition_path

_MAX_ROUNDS: Final = 5  # a source that is overwritten more often while it is processed returns to the queue
_AS_A_URL: Final = re.compile("^(?:[a-z0-9]+://[^/]*)?/+")  # s3://BUCKET/, https://HOST/, or a slash alone
_SIDE_CALLS: Final = 20  # at a time, beside those of a batch's ten threads; `aws.clients` has connections for both


class Pipeline:
    """Renders, stores and deletes renditions; safe to call from several threads."""

    def __init__(
        self,
        storage: Storage,
        variants: Sequence[Variant],
        limits: Limits,
        executor: Executor | None = None,
    ) -> None:
        self._sources, self._renditions = storage.sources, storage.renditions
        self._invalidations = storage.invalidations
        self._variants = {variant.name: variant.transformation for variant in variants}
        self._executor = executor or ThreadPoolExecutor(_SIDE_CALLS, "side")
        self._cleanup = Cleanup(storage, self._variants, self._executor)
        self._decode_slot = DecodeSlot()
        self._failures = Failures(storage.records, self._sources.bucket, self._variants, limits)
        self._writer = RenditionWriter(
            storage, self._variants, limits, self._executor, self._cleanup, self._decode_slot, self._failures
        )

    @property
    def variants(self) -> Mapping[str, Transformation]:
        """The variants that are rendered for every source, by name."""
        return self._variants

    def publish(self, key: str, deadline: float = math.inf, *, redelivered: bool = False) -> list[Record]:
        """Render all variants of a source as it is now and delete those of older versions; withdraw it if it is gone.

        Returns the records of the renditions, none for a source that is gone. A source that can't be rendered raises
        its error after its old renditions were deleted and the error was recorded. A variant that can't be rendered
        from this source raises its error after the others were rendered. Raises `Unavailable` if too little time is
        left until the `deadline`, in seconds of `time.monotonic`. `redelivered`: an earlier attempt may have replaced
        renditions without invalidating CloudFront, so this one invalidates them at once.
        """
        if redelivered:
            self._invalidations.add(key)
        return [one.record for one in self._settle(key, self._variants, deadline)]

    def render_on_demand(
        self, key: str, wanted: Mapping[str, Transformation], deadline: float = math.inf
    ) -> list[Record]:
        """Render the wanted renditions, by name, of a source as it is now.

        Raises `SourceNotFound`, or the error of a source that can't be rendered. Before anything is rendered, it raises
        `InvalidRequest` for a key too long to append a name to, and `InvalidTransformation` for a rendition that would
        be too large.
        """
        return [one.record for one in self._render(key, wanted, deadline)]

    def find(self, key: str, name: str, max_body: int) -> StoredRendition | None:
        """The stored rendition of this name, without its body if that has more than `max_body` bytes.

        None if it is not stored and may be rendered. Raises `SourceNotFound` if its source does not exist, and the
        error of a source that is known to fail, because rendering it would fail likewise, after more work.
        """
        rendition = rendition_path(key, name)
        with telemetry.step("find"):
            etag = self._executor.submit(self._sources.etag, key)
            stored = self._renditions.get(rendition, max_body)
            if stored is not None:
                return stored
            version = etag.result()
            if version is None:
                raise _not_found(key)
            failure = self._failures.find(key, version, name)
        if failure:
            raise failure
        return None

    def deliver(
        self, key: str, name: str, transformation: Transformation, deadline: float = math.inf
    ) -> StoredRendition:
        """Render this one rendition as `render_on_demand` does; returns the rendition itself."""
        [one] = self._render(key, {name: transformation}, deadline)
        return one.stored

    def _render(self, key: str, wanted: Mapping[str, Transformation], deadline: float) -> list[PublishedRendition]:
        for name, transformation in wanted.items():
            rendition_path(key, name)
            check_area(transformation)
        published = self._settle(key, wanted, deadline)
        if not published:
            raise _not_found(key)
        return published

    def _settle(self, key: str, requested: Mapping[str, Transformation], deadline: float) -> list[PublishedRendition]:
        wanted = requested
        for finished_rounds in range(_MAX_ROUNDS):
            check_time(deadline)
            if finished_rounds:  # the previous round wrote what is no longer current, and a viewer may have seen it
                self._invalidations.add(key)
            with self._decode_slot.in_progress():
                source, published, failure = self._publish_once(key, wanted, deadline)
            if self._is_settled(key, source, published):
                if failure:
                    raise failure
                return [one for one in published if one.name in requested]
            # Another worker may have published the newer version's variants, and this one may have deleted them.
            wanted = {**self._variants, **requested}
        raise Unavailable(f"the source {key!r} keeps changing; try again later")

    def _publish_once(
        self, key: str, wanted: Mapping[str, Transformation], deadline: float
    ) -> tuple[Source | None, list[PublishedRendition], ImageProcessorError | None]:
        """Steps 1 and 2; returns the source as it was read, what was published, and an error to raise once settled."""
        # What is stored is listed during the download. Workers that write later check their own renditions.
        stored = self._executor.submit(self._cleanup.find_stored, key)
        with telemetry.step("read"):
            source = self._sources.get(key)
        try:
            if source is None or _is_folder(source):
                self._cleanup.withdraw(key, stored.result(), wanted)
                return source, [], None
            return source, *self._writer.write(source, wanted, stored, deadline)
        except ImageProcessorError as error:
            if source is None or error.retryable:
                raise
            self._writer.write_failure(source, wanted, error, stored.result())
            return source, [], error

    def _is_settled(self, key: str, source: Source | None, published: Sequence[PublishedRendition]) -> bool:
        """Step 3: the source, and those renditions that no event would correct."""
        etag = source.etag if source else None
        telemetry.note(etag=etag, version=source.version_id if source else None)
        checks = [lambda: self._sources.etag(key) == etag]
        ad_hoc = [rendition_path(key, one.name) for one in published if not one.record.variant]
        checks += [partial(self._is_current, rendition, etag) for rendition in ad_hoc]
        with telemetry.step("look"):
            return all(run_concurrently(self._executor, checks))

    def _is_current(self, rendition: str, source_etag: str | None) -> bool:
        found = self._renditions.find(rendition)
        return found is not None and found.source_etag == source_etag


def _not_found(key: str) -> SourceNotFound:
    meant = _AS_A_URL.sub("", key)
    with suppress(UnicodeDecodeError):
        meant = unquote(meant, errors="strict")
    hint = f"; did you mean {meant!r}?" if meant not in ("", key) else ""
    return SourceNotFound(f"there is no source {key!r}{hint}")


def _is_folder(source: Source) -> bool:
    """Whether this is the empty object that the S3 console creates for "Create folder"; closes its body if so."""
    is_folder = not source.size and source.key.endswith("/")
    if is_folder:
        source.body.close()
    return is_folder
