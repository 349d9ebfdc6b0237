"""The code bucket's objects: zips and templates that are named after their SHA-256, which is compared with the content.

A name alone proves nothing: whoever may write to the bucket, but may not update the function, could store code of their
own under the name that the next deployment uses. So an object counts only if S3 reports the SHA-256 of its content.

Each call names the account, because another account may have created a bucket with a name that was free.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aws_cli import AwsCli, AwsFailed
from deploying import say

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# The bucket's lifecycle deletes an object a year after it was written, so what is deployed is written again in time.
EXPIRES_AFTER = timedelta(days=365)
RENEW_AFTER = timedelta(days=30)
MOST_OBJECT_TAGS = 10  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
NAMED_BY_CONTENT = re.compile(r"[0-9a-f]{64}\.(zip|yaml)")  # keys of deploy.sh; a user's own zip may have any name
# Without s3:ListBucket, S3 responds to a request for a missing object with 403.
MISSING = re.compile(r"\((40[0-9]|NoSuchKey|NoSuchBucket|AccessDenied)\)")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def base64_of(sha256: str) -> str:
    """Return a SHA-256 in hexadecimal as S3 and Lambda write it."""
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def read_date(text: str) -> datetime:
    """Read a date as AWS CLI 2 writes it, by ISO 8601, or as AWS CLI 1 does, which leaves it as in S3's header."""
    if re.match(r"[A-Za-z]", text):
        return parsedate_to_datetime(text)
    return datetime.fromisoformat(text.replace("Z", "+00:00") or "1970-01-01T00:00:00+00:00")


@dataclass(frozen=True)
class Stored:
    """An object in the bucket."""

    checksum: str  # SHA-256 in Base64; empty if it was stored without one
    written: datetime

    def is_content_of(self, key: str) -> bool:
        """Whether the content is the one that the key names."""
        return self.checksum == base64_of(key.partition(".")[0])

    @property
    def is_old(self) -> bool:
        """Whether it is to be written again, so that the lifecycle does not delete it."""
        return datetime.now(timezone.utc) - self.written > RENEW_AFTER  # noqa: UP017 - Python 3.9


class CodeBucket:
    """The objects of a bucket of this account."""

    def __init__(self, aws: AwsCli, name: str, account: str, tags: Mapping[str, str] = {}) -> None:
        self.name = name
        self._aws, self._owner = aws, account
        self._tags = urlencode(dict(list(tags.items())[:MOST_OBJECT_TAGS]))

    def find(self, key: str) -> Stored | None:
        """Return an object without its content; None if there is none."""
        try:
            head = self._call("head-object", Key=key, ChecksumMode="ENABLED")
        except AwsFailed as error:
            if MISSING.search(error.error):
                return None
            raise
        return Stored(head.get("ChecksumSHA256", ""), read_date(head.get("LastModified", "")))

    def store(self, file: Path, extension: str, what: str) -> str:
        """Store a file under its SHA-256, unless it is there, and return the key."""
        key = f"{sha256_of(file)}.{extension}"
        found = self.find(key)
        if found and found.is_content_of(key) and not found.is_old:
            say(f"The {what} is in {self.name} already.")
            return key
        if found and found.checksum and not found.is_content_of(key):
            say(
                f"Warning: s3://{self.name}/{key} had another content than its name says, and is replaced. Somebody who"
                " may write to this bucket has stored it; find out who, in CloudTrail, before you trust the bucket."
            )
        say(f"Uploading the {what}, {file.stat().st_size // 1000} kB, to {self.name} …")
        self.put(key, file)
        return key

    def put(self, key: str, file: Path) -> None:
        """Store a file, with its SHA-256, which S3 computes too and compares."""
        self._call("put-object", "--body", str(file), Key=key, ChecksumAlgorithm="SHA256", **self._tagging())

    def renew(self, key: str) -> None:
        """Write an object again, with the same content and a new date."""
        self._call(
            "copy-object",
            Key=key,
            CopySource=f"{self.name}/{key}",
            ExpectedSourceBucketOwner=self._owner,
            MetadataDirective="REPLACE",  # S3 refuses to copy an object to itself without a change
            ChecksumAlgorithm="SHA256",
            **(self._tagging() and {"TaggingDirective": "REPLACE", **self._tagging()}),
        )

    def get(self, key: str, file: Path) -> bool:
        """Write an object's content into a file; returns whether there is such an object."""
        try:
            # As options, because the AWS CLI takes no --cli-input-json for an operation that writes a file.
            where = ("--bucket", self.name, "--key", key, "--expected-bucket-owner", self._owner)
            self._aws.call("s3api", "get-object", *where, str(file))
        except AwsFailed as error:
            if MISSING.search(error.error):
                return False
            raise
        return True

    def _tagging(self) -> dict[str, str]:
        return {"Tagging": self._tags} if self._tags else {}

    def _call(self, operation: str, *options: str, **request: str) -> dict[str, str]:
        return self._aws.call(
            "s3api", operation, *options, Bucket=self.name, ExpectedBucketOwner=self._owner, **request
        )
