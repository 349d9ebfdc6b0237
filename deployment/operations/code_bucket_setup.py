"""The settings of the code bucket that deploy.sh creates: private, encrypted, with a lifecycle and the stack's tags.

A bucket that the user has chosen keeps its own settings.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aws_cli import AwsCli, AwsFailed
from code_bucket import EXPIRES_AFTER
from deploying import Refused, say

if TYPE_CHECKING:
    from collections.abc import Mapping

# By size, because the keys of zips and templates are hashes at the bucket's root. Zips have megabytes, templates more
# than 51,200 bytes. The histories of the stacks are smaller, and stay.
LARGER_THAN = 51_200
LIFECYCLE = {
    "Rules": [
        {
            "ID": "ExpireOldDeployments",
            "Status": "Enabled",
            "Filter": {"ObjectSizeGreaterThan": LARGER_THAN},
            "Expiration": {"Days": EXPIRES_AFTER.days},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},  # if somebody switches versioning on
        }
    ]
}
PRIVATE = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}
ENCRYPTED = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}


class CodeBucketSetup:
    """Creates the bucket, and keeps the settings of the default one."""

    def __init__(self, aws: AwsCli, name: str, account: str, region: str) -> None:
        self._aws, self._name, self._region = aws, name, region
        self._bucket = {"Bucket": name, "ExpectedBucketOwner": account}

    def prepare(self, tags: Mapping[str, str], removed: set[str], *, is_default: bool, is_known: bool) -> None:
        """Create the default bucket if it does not exist, and give it its settings; refuse another that is missing.

        One that has a history of the stack, which is known, has got its lifecycle with it.
        """
        is_new = not is_known and not self._exists()
        if is_new and not is_default:
            raise Refused(f"there is no bucket {self._name}: create it, or give another with --code-bucket")
        if is_new:
            self._create()
        if is_default:
            if not is_known:
                self._set_lifecycle()
            if tags or removed:
                self._tag(tags, removed)

    def _exists(self) -> bool:
        try:
            self._aws.call("s3api", "head-bucket", **self._bucket)
        except AwsFailed as error:
            if re.search(r"\(40[03]\)", error.error):
                raise Refused(
                    f"the code bucket {self._name} belongs to another account, or you have no access: give one of yours"
                    " with --code-bucket"
                ) from error
            if "(404)" in error.error:
                return False
            raise
        return True

    def _create(self) -> None:
        """Create it private and encrypted, independent of the account's defaults."""
        say(f"Creating the code bucket {self._name} …")
        # us-east-1 has no LocationConstraint.
        location = {"CreateBucketConfiguration": {"LocationConstraint": self._region}}
        self._aws.call("s3api", "create-bucket", Bucket=self._name, **({} if self._region == "us-east-1" else location))
        self._put("put-public-access-block", PublicAccessBlockConfiguration=PRIVATE)
        self._put("put-bucket-encryption", ServerSideEncryptionConfiguration=ENCRYPTED)

    def _set_lifecycle(self) -> None:
        """Give it the lifecycle, unless it has one, which may be the user's own."""
        try:
            if not self._has_lifecycle():
                say(f"Setting the lifecycle of {self._name}: files expire after {EXPIRES_AFTER.days} days …")
                self._put("put-bucket-lifecycle-configuration", LifecycleConfiguration=LIFECYCLE)
        except AwsFailed as error:
            if "(AccessDenied)" not in error.error:
                raise
            say(f"Note: the lifecycle of {self._name} stays as it is, so that old files do not expire. {error}")

    def _has_lifecycle(self) -> bool:
        try:
            return bool(self._aws.call("s3api", "get-bucket-lifecycle-configuration", **self._bucket).get("Rules"))
        except AwsFailed as error:
            if "(NoSuchLifecycleConfiguration)" in error.error:
                return False
            raise

    def _tag(self, tags: Mapping[str, str], removed: set[str]) -> None:
        """Add the stack's tags to the bucket's own, which a request replaces all at once."""
        try:
            found = self._aws.call("s3api", "get-bucket-tagging", **self._bucket).get("TagSet", [])
        except AwsFailed as error:
            if "(NoSuchTagSet)" not in error.error:
                raise
            found = []
        before = {tag["Key"]: tag["Value"] for tag in found}
        after = {name: value for name, value in {**before, **tags}.items() if name not in removed}
        if after != before:
            tag_set = [{"Key": name, "Value": value} for name, value in after.items()]
            self._put("put-bucket-tagging", Tagging={"TagSet": tag_set}) if tag_set else self._put(
                "delete-bucket-tagging"
            )

    def _put(self, operation: str, **settings: object) -> None:
        self._aws.call("s3api", operation, **self._bucket, **settings)
