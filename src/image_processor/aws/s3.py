"""Sources and renditions on S3."""

import io
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeVar, cast

from botocore.exceptions import ClientError, HTTPClientError
from urllib3.exceptions import HTTPError

from image_processor.aws.clients import error_code, translated_errors
from image_processor.errors import ImageProcessorError, SourceArchived, Unavailable
from image_processor.publishing.model import RenditionInfo, Source, StoredRendition
from image_processor.urls.paths import MAX_KEY_BYTES, escape_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, HeadObjectOutputTypeDef

SOURCE_ETAG: Final = "source-etag"  # object metadata of a rendition: the source's ETag, known without the table

Response = TypeVar("Response")
# With the codes by which S3 refuses a key: it can't have an object of that key. S3 API reference, "Error responses".
_GONE: Final = {"NoSuchKey", "404", "NotFound", "KeyTooLongError", "InvalidURI"}
# Another worker was faster: it has replaced or deleted the object, or is doing so. Amazon S3 user guide, "How to
# perform conditional deletes".
_CHANGED: Final = {*_GONE, "PreconditionFailed", "412", "ConditionalRequestConflict", "OperationAborted", "409"}
_CHUNK: Final = 64 * 1024  # bytes that are read at a time from a source that is decoded while it is downloaded


class SourceBucket:
    """The upload bucket, which is read and never written."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client, self.bucket = client, bucket

    def get(self, key: str) -> Source | None:
        """The source as it is now, its body still downloading; None when there is none.

        Reading the body of a source in an archive raises `SourceArchived`; its other attributes are known.
        """
        if not _is_possible(key):
            return None
        archived: SourceArchived | None = None
        response: GetObjectOutputTypeDef | HeadObjectOutputTypeDef | None
        try:
            response = _or_none(lambda: self._client.get_object(Bucket=self.bucket, Key=key))
        except Unavailable as error:
            if not _has_code(error, "InvalidObjectState"):
                raise
            archived = SourceArchived(f"{key!r} is in an archive of S3; restore it, then process it again")
            response = _or_none(lambda: self._client.head_object(Bucket=self.bucket, Key=key))
        if response is None:
            return None
        download = _Download(response.get("Body", io.BytesIO()), response["ContentLength"], archived)
        return Source(
            key=key,
            etag=_bare(response["ETag"]),
            version_id=response.get("VersionId"),
            size=response["ContentLength"],
            modified_at=response["LastModified"],
            body=cast("BinaryIO", io.BufferedReader(download, _CHUNK)),
        )

    def etag(self, key: str) -> str | None:
        """The source's ETag as it is now; None when there is no source."""
        if not _is_possible(key):
            return None
        try:
            response = _or_none(lambda: self._client.head_object(Bucket=self.bucket, Key=key))
        except Unavailable as error:
            if not _has_code(error, "400"):
                raise
            source = self.get(key)  # a response to HEAD has no code, which tells a refused key from other faults
            if source:
                source.body.close()
            return source.etag if source else None
        return _bare(response["ETag"]) if response else None


class _Download(io.RawIOBase):
    """A body during its download; a failed or incomplete download raises a retryable error, never a decode error."""

    def __init__(self, body: Any, size: int, failure: ImageProcessorError | None = None) -> None:
        self._body, self._left, self._failure = body, size, failure

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._receive(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def readall(self) -> bytes:  # the inherited method reads 8 KiB at a time
        return self._receive(None) if self._left else b""

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()

    def _receive(self, size: int | None) -> bytes:
        if self._failure:
            raise self._failure
        try:
            with translated_errors("S3"):
                try:
                    chunk: bytes = self._body.read(size)
                except (OSError, HTTPError) as error:  # botocore translates two of urllib3's errors, and not the others
                    raise HTTPClientError(error=error) from error
            self._left -= len(chunk)
            if self._left and (size is None or not chunk):
                raise Unavailable("S3 interrupted a download; try again later")
        except ImageProcessorError as failure:
            self._failure = failure
            raise
        return chunk


class RenditionBucket:
    """The processed bucket. A rendition's key is its path, as in `urls.paths`: `cats/rio.jpg/thumbnail`."""

    def __init__(self, client: "S3Client", bucket: str, cache_control: str) -> None:
        self._client, self.bucket, self._cache_control = client, bucket, cache_control

    def put(
        self, key: str, body: bytes, content_type: str, content_disposition: str, source_etag: str
    ) -> StoredRendition:
        """Store a rendition, over an older one of the same key; returns it as a viewer gets it."""
        with translated_errors("S3"):
            response = self._client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=body,
                ContentType=content_type,
                ContentDisposition=content_disposition,
                CacheControl=self._cache_control,
                Metadata={SOURCE_ETAG: source_etag},
            )
        return StoredRendition(
            body=body,
            content_type=content_type,
            content_disposition=content_disposition,
            cache_control=self._cache_control,
            etag=_bare(response["ETag"]),
            modified_at=datetime.now(UTC),
        )

    def get(self, key: str, max_body: int) -> StoredRendition | None:
        """A rendition, without its body if that is longer than `max_body` bytes; None when there is none."""
        response = _or_none(lambda: self._client.get_object(Bucket=self.bucket, Key=key))
        if response is None:
            return None
        size = response["ContentLength"]
        with closing(_Download(response["Body"], size)) as download:
            return StoredRendition(
                body=download.readall() if size <= max_body else None,
                content_type=response["ContentType"],
                content_disposition=response.get("ContentDisposition", "inline"),  # old renditions have none
                cache_control=response.get("CacheControl", self._cache_control),
                etag=_bare(response["ETag"]),
                modified_at=response["LastModified"],
            )

    def etags(self, source_key: str) -> dict[str, str]:
        """All renditions of a source, name → ETag; those of `cats/rio.jpg` are not among those of `cats`."""
        prefix = f"{escape_key(source_key)}/"
        if len(prefix) >= MAX_KEY_BYTES:  # S3 allows no such key, and no longer prefix
            return {}
        with translated_errors("S3"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=prefix, Delimiter="/"
            )
            found = [item for page in pages for item in page.get("Contents", ())]
        return {item["Key"].removeprefix(prefix): _bare(item["ETag"]) for item in found}

    def find(self, key: str) -> RenditionInfo | None:
        """The metadata of a rendition, without its body; None when there is none."""
        response = _or_none(lambda: self._client.head_object(Bucket=self.bucket, Key=key))
        return RenditionInfo(_bare(response["ETag"]), response["Metadata"].get(SOURCE_ETAG)) if response else None

    def delete(self, key: str, etag: str) -> None:
        """Delete a rendition if it still has this ETag; does nothing if it was replaced or is gone."""
        with translated_errors("S3"):
            try:
                self._client.delete_object(Bucket=self.bucket, Key=key, IfMatch=f'"{etag}"')
            except ClientError as error:
                if error_code(error) not in _CHANGED:
                    raise


def _is_possible(key: str) -> bool:
    """Whether S3 could have an object of this key; if not, it need not be asked."""
    return 0 < len(key.encode()) <= MAX_KEY_BYTES


def _or_none(call: Callable[[], Response]) -> Response | None:
    """S3's response; None when there is no such object."""
    with translated_errors("S3"):
        try:
            return call()
        except ClientError as error:
            if error_code(error) in _GONE:
                return None
            raise


def _has_code(error: Unavailable, code: str) -> bool:
    return isinstance(error.__cause__, ClientError) and error_code(error.__cause__) == code


def _bare(etag: str) -> str:
    return etag.strip('"')
