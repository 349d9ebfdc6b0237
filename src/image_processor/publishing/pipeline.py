"""The use cases: publish and withdraw a source, render on demand, deliver.

Write, then look again. S3's events come at least once and in any order, so an event is a hint that a key changed, and
what it says of the content is never trusted:

    1. read the source as it is now; gone: withdraw
    2. render, write the renditions, then their records
    3. look at the source again, and at the ad-hoc renditions just made. As they were: done. Another: go to 1

Whoever writes last has looked last, so under any interleaving of workers the renditions end up those of the latest
source, without a lock. A worker that dies on the way has its event come back. A call on demand has none: if it dies
between 2 and 3, and its source was overwritten and published in between, what it wrote stays until the source's next
event or call.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

from image_processor import telemetry
from image_processor.engine.limits import Limits
from image_processor.engine.render import Rendition, render_each
from image_processor.errors import CorruptImage, ImageProcessorError, SourceNotFound, Unavailable
from image_processor.publishing.cleanup import Keeping, Kept
from image_processor.publishing.decode_slot import Turns, check_time
from image_processor.publishing.model import Picture, Record, Source
from image_processor.publishing.names import content_disposition, location, record_id, rendition_key
from image_processor.publishing.ports import Invalidations, NoInvalidations, Records, Renditions, Sources, at_once
from image_processor.publishing.watermarks import Watermarks
from image_processor.transformations.transformation import Transformation, check_area
from image_processor.transformations.variants import Variant

_LOOKS: Final = 5  # a source overwritten more often than this while it is processed comes back by the queue
_CHUNK: Final = 64 * 1024  # bytes
_SIDE_CALLS: Final = 20  # at a time, beside those of a batch's ten threads; `aws.CONFIG` has connections for both


@dataclass(frozen=True, slots=True)
class Made:
    """A rendition that was made and stored: what is known of it, and what a viewer gets."""

    record: Record
    picture: Picture

    @property
    def name(self) -> str:
        """The variant's, or the transformation's canonical text."""
        return self.record.variant or self.record.transformation or ""


class Pipeline:
    """Makes and removes renditions; safe to call from several threads."""

    def __init__(
        self,
        sources: Sources,
        renditions: Renditions,
        records: Records,
        variants: Sequence[Variant],
        limits: Limits,
        invalidations: Invalidations | None = None,
        side: Executor | None = None,
    ) -> None:
        self._sources, self._renditions, self._records, self._limits = sources, renditions, records, limits
        self._variants = {variant.name: variant.transformation for variant in variants}
        self._side = side or ThreadPoolExecutor(_SIDE_CALLS, "side")
        self._replaced = (invalidations or NoInvalidations()).add
        self._keeping = Keeping(sources, renditions, records, self._variants, self._side, self._replaced)
        self._turns, self._watermarks = Turns(), Watermarks(sources)

    @property
    def variants(self) -> Mapping[str, Transformation]:
        """The variants made of every source, by name."""
        return self._variants

    def publish(self, key: str, deadline: float = math.inf, *, redelivered: bool = False) -> list[Record]:
        """Make all variants of a source as it is now, and remove what an older one left; withdraw it when it is gone.

        Returns the records of what was made, none for a source that is gone. A source that can't be rendered raises
        its error after its old renditions were removed and the error was recorded; so does a variant that this source
        can't give, after the others were made. What can't be begun in time for the `deadline`, in seconds of
        `time.monotonic`, raises `Unavailable`. `redelivered`: an earlier attempt may have replaced renditions without
        invalidating CloudFront, so this one invalidates it at once.
        """
        if redelivered:
            self._replaced(key)
        return [made.record for made in self._settle(key, self._variants, deadline)]

    def render_on_demand(
        self, key: str, wanted: Mapping[str, Transformation], deadline: float = math.inf
    ) -> list[Record]:
        """Make the wanted renditions, by name, of a source as it is now.

        Raises `SourceNotFound`, or the error of a source that can't be rendered. Before anything is done, it raises
        `InvalidRequest` for a key too long to add a name to, `InvalidTransformation` for a picture too large to make.
        """
        return [made.record for made in self._make(key, wanted, deadline)]

    def find(self, key: str, name: str, most: int) -> Picture | None:
        """The rendition of this name as it is kept, without its body if that has more than `most` bytes.

        Raises `SourceNotFound` when there is neither it nor its source: to make it would end so too, after much ado.
        """
        rendition = rendition_key(key, name)
        with telemetry.step("find"):
            etag = self._side.submit(self._sources.etag, key)
            picture = self._renditions.get(rendition, most)
            if picture is None and etag.result() is None:
                raise SourceNotFound(f"there is no source {key!r}")
        return picture

    def deliver(self, key: str, name: str, transformation: Transformation, deadline: float = math.inf) -> Picture:
        """Make this one rendition as `render_on_demand` does; returns the picture itself."""
        [made] = self._make(key, {name: transformation}, deadline)
        return made.picture

    def _make(self, key: str, wanted: Mapping[str, Transformation], deadline: float) -> list[Made]:
        for name, transformation in wanted.items():
            rendition_key(key, name)
            check_area(transformation)
        made = self._settle(key, wanted, deadline)
        if not made:
            raise SourceNotFound(f"there is no source {key!r}")
        return made

    def _settle(self, key: str, asked: Mapping[str, Transformation], deadline: float) -> list[Made]:
        wanted = asked
        for lap in range(_LOOKS):
            check_time(deadline)
            if lap:  # the one before wrote what was no longer so, and it may have been looked at
                self._replaced(key)
            made: list[Made] = []
            failure: ImageProcessorError | None = None
            with self._turns.present():
                # What is kept is looked up while the source comes. What others write after it was, they look after.
                kept = self._side.submit(self._keeping.kept, key)
                with telemetry.step("read"):
                    source = self._sources.get(key)
                try:
                    if source is None or _is_folder(source):
                        self._keeping.withdraw(key, kept.result(), wanted)
                    else:
                        made, failure = self._write(source, wanted, kept, deadline)
                except ImageProcessorError as error:
                    if source is None or error.retryable:
                        raise
                    failure = error
                    self._record_failure(source, wanted, error, kept.result())
            if self._is_settled(key, source, made):
                if failure:
                    raise failure
                return [one for one in made if one.name in asked]
            # The newer source's variants may have been published by another worker, and removed by this one.
            wanted = {**self._variants, **asked}
        raise Unavailable(f"the source {key!r} keeps changing; try again later")

    def _is_settled(self, key: str, source: Source | None, made: Sequence[Made]) -> bool:
        """The second look: at the source, and at what was made of it without an event of its own that would mend it."""
        etag = source.etag if source else None
        telemetry.note(etag=etag, version=source.version_id if source else None)
        looks = [lambda: self._sources.etag(key) == etag]
        looks += [partial(self._is_kept, f"{key}/{one.name}", etag) for one in made if not one.record.variant]
        with telemetry.step("look"):
            return all(at_once(self._side, looks))

    def _is_kept(self, rendition: str, source_etag: str | None) -> bool:
        found = self._renditions.find(rendition)
        return found is not None and found.source_etag == source_etag

    def _write(
        self, source: Source, wanted: Mapping[str, Transformation], looking: "Future[Kept]", deadline: float
    ) -> tuple[list[Made], ImageProcessorError | None]:
        """Render and store; returns what was made, and the first error of what could not be."""
        with closing(source.body):
            for name in wanted:
                rendition_key(source.key, name)  # raises before anything is made for a key that S3 can't hold
            outcomes = dict(zip(wanted, self._render(source, wanted, deadline), strict=True))
        pictures = {name: one for name, one in outcomes.items() if isinstance(one, Rendition)}
        failures = {name: one for name, one in outcomes.items() if isinstance(one, ImageProcessorError)}
        kept = looking.result()
        # The other variants are left to the event of their own: they are made again, not missed in between.
        keep = {*pictures, *self._variants} - set(failures)
        removal = partial(self._keeping.remove_stale, source, kept, keep=keep)
        puts = [
            partial(self._put, source, name, picture, kept.renditions.get(name)) for name, picture in pictures.items()
        ]
        tasks: list[Callable[[], Picture | None]] = [removal, *puts]
        with telemetry.step("put"):
            stored = [picture for picture in at_once(self._side, tasks) if picture]
        telemetry.note(bytes_in=source.size, bytes_out=sum(len(picture.body) for picture in pictures.values()))
        made = [
            Made(self._processed(source, name, pictures[name]), picture)
            for name, picture in zip(pictures, stored, strict=True)
        ]
        failed = [self._failed(source, name, error) for name, error in failures.items() if name in self._variants]
        with telemetry.step("record"):  # after the renditions: a record tells of a picture that is there
            self._records.put([*(one.record for one in made), *failed])
        return made, self._first(failures)

    def _first(self, failures: Mapping[str, ImageProcessorError]) -> ImageProcessorError | None:
        """The first failure, naming its variant: the others of the source were made."""
        for name, error in failures.items():
            return type(error)(f"variant {name}: {error}") if name in self._variants else error
        return None

    def _put(self, source: Source, name: str, made: Rendition, former: str | None) -> Picture:
        label = name if name in self._variants else f"{made.width}x{made.height}"
        picture = self._renditions.put(
            f"{source.key}/{name}",
            made.body,
            made.content_type,
            content_disposition(source.key, label, made.content_type),
            source.etag,
        )
        if former not in (None, picture.etag):
            self._replaced(source.key)
        return picture

    def _render(
        self, source: Source, wanted: Mapping[str, Transformation], deadline: float
    ) -> list[Rendition | ImageProcessorError]:
        self._limits.check_bytes(source.size)
        watermarks = self._watermarks.of(wanted.values())
        failure = None
        try:
            with self._turns.turn(source, deadline) as body, telemetry.step("render"):
                outcomes = render_each(body, list(wanted.values()), self._limits, watermarks)
        except CorruptImage as error:
            failure = error
        # Good or bad, a picture is what it is only if all of it came: a download that failed raises its own error here.
        while source.body.read(_CHUNK):
            pass
        if failure:
            raise failure
        return outcomes

    def _record_failure(
        self, source: Source, wanted: Mapping[str, Transformation], error: ImageProcessorError, kept: Kept
    ) -> None:
        """No picture of an older source may stay, and the records of the variants say why there is none of this one.

        A picture of this one stays, with its record: it was made before the source went into an archive.
        """
        self._keeping.remove_stale(source, kept, keep=())
        missing = {name for name in wanted if name in self._variants}
        missing -= self._keeping.pictures_of(source, kept, missing)
        self._records.put([self._failed(source, name, error) for name in sorted(missing)])

    def _id(self, key: str, name: str) -> str:
        return record_id(self._sources.bucket, key, name)

    def _original_file(self, key: str) -> str:
        return location(self._sources.bucket, key)

    def _processed(self, source: Source, name: str, made: Rendition) -> Record:
        return replace(
            self._record(source, name),
            processed_file=location(self._renditions.bucket, f"{source.key}/{name}"),
            width=made.width,
            height=made.height,
            content_type=made.content_type,
            bytes=len(made.body),
            source_width=made.source_width,
            source_height=made.source_height,
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
            processed_at=_iso(datetime.now(UTC), "microseconds"),  # tells a record from any other of its id
        )


def _is_folder(source: Source) -> bool:
    """Whether this is what the S3 console makes for "Create folder", and no source; gives up its body if so."""
    folder = not source.size and source.key.endswith("/")
    if folder:
        source.body.close()
    return folder


def _iso(moment: datetime, to: str = "milliseconds") -> str:
    return moment.astimezone(UTC).isoformat(timespec=to).replace("+00:00", "Z")
