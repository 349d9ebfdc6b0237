"""Sources and renditions on S3."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from botocore.exceptions import ClientError

from image_processor.aws import error_code, speaking_to
from image_processor.model import MAX_KEY_BYTES, Source

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SOURCE_ETAG: Final = "source-etag"  # object metadata of a rendition: what it was made from, told without the table
Answer = TypeVar("Answer")
_GONE: Final = {"NoSuchKey", "404", "NotFound"}


class SourceBucket:
    """The upload bucket: read, never written."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client, self.bucket = client, bucket

    def get(self, key: str) -> Source | None:
        """The source as it is now, its body still on its way; None when there is none."""
        answer = _unless_gone(lambda: self._client.get_object(Bucket=self.bucket, Key=key))
        if answer is None:
            return None
        body = answer["Body"]

        def read() -> bytes:
            with speaking_to("S3"):
                return body.read()

        return Source(
            key=key,
            etag=_bare(answer["ETag"]),
            version_id=answer.get("VersionId"),
            size=answer["ContentLength"],
            modified_at=answer["LastModified"],
            read=read,
            close=body.close,
        )

    def etag(self, key: str) -> str | None:
        """The source's ETag as it is now; None when there is no source."""
        answer = _unless_gone(lambda: self._client.head_object(Bucket=self.bucket, Key=key))
        return _bare(answer["ETag"]) if answer else None


class RenditionBucket:
    """The processed bucket. A rendition lies under its source's key: `cats/rio.jpg/thumbnail`."""

    def __init__(self, client: "S3Client", bucket: str, cache_control: str) -> None:
        self._client, self.bucket, self._cache_control = client, bucket, cache_control

    def put(self, key: str, body: bytes, content_type: str, source_etag: str) -> None:
        """Store a rendition, over an older one of the same key."""
        with speaking_to("S3"):
            self._client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=body,
                ContentType=content_type,
                CacheControl=self._cache_control,
                Metadata={SOURCE_ETAG: source_etag},
            )

    def names(self, source_key: str) -> list[str]:
        """The names of all renditions of a source; those of `cats/rio.jpg` are not among those of `cats`."""
        prefix = f"{source_key}/"
        if len(prefix.encode()) >= MAX_KEY_BYTES:  # nothing can lie there, and S3 takes no longer prefix
            return []
        with speaking_to("S3"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=prefix, Delimiter="/"
            )
            return [item["Key"].removeprefix(prefix) for page in pages for item in page.get("Contents", ())]

    def source_etag(self, key: str) -> str | None:
        """The ETag of the source that a rendition was made from; None when that can't be told."""
        answer = _unless_gone(lambda: self._client.head_object(Bucket=self.bucket, Key=key))
        return answer["Metadata"].get(SOURCE_ETAG) if answer else None

    def delete(self, keys: Sequence[str]) -> None:
        """Remove renditions; one that is gone already is no fault."""
        with speaking_to("S3"):
            for key in keys:
                self._client.delete_object(Bucket=self.bucket, Key=key)


def _unless_gone(ask: Callable[[], Answer]) -> Answer | None:
    """S3's answer; None when there is no such object."""
    with speaking_to("S3"):
        try:
            return ask()
        except ClientError as error:
            if error_code(error) in _GONE:
                return None
            raise


def _bare(etag: str) -> str:
    return etag.strip('"')
