"""The values that pass between the pipeline and what it stores into; `names` has what both call them."""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Final

# Bytes; Lambda answers with 6 MB at most, and in Base64 a picture takes four thirds of its size.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_BODY: Final = 4_500_000


@dataclass(frozen=True, slots=True)
class Source:
    """An object of the upload bucket as it is now.

    `body` is read once, from its first byte to its last, while it is downloaded. A download that fails or ends early
    raises a retryable error at that read and at each later one; closing it gives up what is unread.
    """

    key: str
    etag: str
    version_id: str | None
    size: int  # bytes
    modified_at: datetime
    body: BinaryIO


@dataclass(frozen=True, slots=True)
class KeptRendition:
    """What S3 knows of a rendition: its own ETag, and that of the source it was made from; None if that isn't told."""

    etag: str
    source_etag: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A rendition as a viewer gets it; without its `body` where that is longer than was asked for."""

    body: bytes | None
    content_type: str
    content_disposition: str
    cache_control: str
    etag: str
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """What tells a record from a later one of the same id: the time it was written for."""

    id: str
    name: str
    processed_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What became of one rendition: made, or failed with `error_code`, and then without a file and its measures.

    Files are `s3://bucket/key`; sides in pixels, those of the whole source upright; times ISO 8601 in UTC. Of `variant`
    and `transformation` one is set.
    """

    id: str
    original_file: str
    source_etag: str
    source_version_id: str | None
    uploaded_at: str
    processed_at: str
    status: str
    variant: str | None = None
    transformation: str | None = None
    processed_file: str | None = None
    width: int | None = None
    height: int | None = None
    content_type: str | None = None
    bytes: int | None = None
    source_width: int | None = None
    source_height: int | None = None
    error_code: str | None = None
    error_message: str | None = None
