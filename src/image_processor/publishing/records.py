"""The records of renditions: what was rendered, or why not."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

from image_processor import __version__
from image_processor.engine import Limits, Rendition
from image_processor.errors import ImageProcessorError
from image_processor.publishing.model import Record, Source
from image_processor.publishing.names import location, record_id
from image_processor.urls.paths import rendition_path


class RecordFactory:
    """Creates records for the buckets and variants of a stack."""

    def __init__(self, upload_bucket: str, processed_bucket: str, variants: Collection[str], limits: Limits) -> None:
        self._upload_bucket, self._processed_bucket = upload_bucket, processed_bucket
        self._variants, self._limits = variants, limits_text(limits)

    def processed(self, source: Source, name: str, rendition: Rendition) -> Record:
        """The record of a rendition that is stored."""
        return replace(
            self._record(source, name),
            processed_file=location(self._processed_bucket, rendition_path(source.key, name)),
            width=rendition.width,
            height=rendition.height,
            content_type=rendition.content_type,
            bytes=len(rendition.body),
            source_width=rendition.source_width,
            source_height=rendition.source_height,
        )

    def failed(self, source: Source, name: str, error: ImageProcessorError, scope: str) -> Record:
        """The record of a rendition that can't be rendered from this source; `scope` is as in `Record`."""
        return replace(
            self._record(source, name),
            status="failed",
            error_code=error.code,
            error_message=str(error),
            error_scope=scope,
            error_limits=self._limits,
        )

    def _record(self, source: Source, name: str) -> Record:
        return Record(
            id=record_id(self._upload_bucket, source.key, name),
            original_file=location(self._upload_bucket, source.key),
            variant=name if name in self._variants else None,
            transformation=None if name in self._variants else name,
            status="processed",
            source_etag=source.etag,
            source_version_id=source.version_id,
            uploaded_at=_iso(source.modified_at),
            processed_at=_iso(datetime.now(UTC), "microseconds"),  # distinguishes records of one id
        )


def limits_text(limits: Limits) -> str:
    """The function's release and limits: a source that fails under them may not fail under others."""
    memory = limits.memory // 1024**2
    return f"{__version__}: {limits.max_bytes} bytes, {limits.max_pixels} pixels, {memory} MB of memory"


def _iso(moment: datetime, timespec: str = "milliseconds") -> str:
    return moment.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
