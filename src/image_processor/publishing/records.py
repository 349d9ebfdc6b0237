"""The records of renditions: what was rendered, or why not."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

from image_processor.engine import Rendition
from image_processor.errors import ImageProcessorError
from image_processor.publishing.model import Record, Source
from image_processor.publishing.names import location, record_id, rendition_key


class RecordFactory:
    """Creates records for the buckets and variants of a stack."""

    def __init__(self, upload_bucket: str, processed_bucket: str, variants: Collection[str]) -> None:
        self._upload_bucket, self._processed_bucket, self._variants = upload_bucket, processed_bucket, variants

    def processed(self, source: Source, name: str, rendition: Rendition) -> Record:
        """The record of a rendition that is stored."""
        return replace(
            self._record(source, name),
            processed_file=location(self._processed_bucket, rendition_key(source.key, name)),
            width=rendition.width,
            height=rendition.height,
            content_type=rendition.content_type,
            bytes=len(rendition.body),
            source_width=rendition.source_width,
            source_height=rendition.source_height,
        )

    def failed(self, source: Source, name: str, error: ImageProcessorError) -> Record:
        """The record of a rendition that can't be rendered from this source."""
        return replace(self._record(source, name), status="failed", error_code=error.code, error_message=str(error))

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


def _iso(moment: datetime, timespec: str = "milliseconds") -> str:
    return moment.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
