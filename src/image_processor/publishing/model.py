"""The values that pass between the use cases and storage."""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Final

# Bytes. Lambda's response has 6 MB at most, and Base64 makes a body a third longer.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_BODY: Final = 4_500_000


@dataclass(frozen=True, slots=True)
class Source:
    """An object of the upload bucket as it is now.

    `body` is read once, from its first byte to its last, while it is downloaded. A download that fails or ends early
    raises a retryable error at that read and at each later one. Closing the body aborts the download.
    """

    key: str
    etag: str
    version_id: str | None
    size: int  # bytes
    modified_at: datetime
    body: BinaryIO


@dataclass(frozen=True, slots=True)
class RenditionInfo:
    """A rendition's own ETag, and that of the source it was rendered from; None if its metadata does not have it."""

    etag: str
    source_etag: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRendition:
    """A rendition as a viewer gets it; `body` is None where it is longer than the caller asked for."""

    body: bytes | None
    content_type: str
    content_disposition: str
    cache_control: str
    etag: str
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record in the table; `processed_at` distinguishes it from a later record with the same id."""

    id: str
    name: str
    processed_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFailure:
    """A record in the table that says why there is no rendition; its attributes are those of `Record`."""

    source_etag: str
    code: str
    message: str
    scope: str
    limits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The outcome of one rendition: `processed`, or `failed` with `error_code` and without a file and its sizes.

    Files are `s3://bucket/key`. Sides are in pixels, `source_width` and `source_height` those of the upright source.
    Times are ISO 8601 in UTC. Either `variant` or `transformation` is set. `error_scope` is `source` if no rendition
    can be rendered from this version of the source, and `rendition` if only this one can't. `error_limits` are the
    function's release and its limits at that time.
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
    error_scope: str | None = None
    error_limits: str | None = None
