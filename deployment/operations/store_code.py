"""Stores the function's zip and the template in the code bucket; makes sure that CloudFormation can go back.

    store_code.py --code-bucket NAME --account ID [--is-default] --zip FILE --template FILE [--untag KEY ...] …

When an update fails, CloudFormation sets the function's former code again, from the zip in the bucket. Without that zip
the rollback fails, too. So the zip of the deployed function gets a new date in time, and a missing one is restored.
"""

from __future__ import annotations

import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from aws_cli import AwsCli, AwsFailed, arguments
from code_bucket import NAMED_BY_CONTENT, CodeBucket, sha256_of
from code_bucket_setup import CodeBucketSetup
from deployed import Deployed
from deploying import CODE_BUCKET, CODE_KEY, main, planned_tags, say

if TYPE_CHECKING:
    import argparse


def store(aws: AwsCli, options: argparse.Namespace) -> None:
    """Prepare the bucket, and store both files under the keys that the change set names."""
    tags = planned_tags(options.work)
    setup = CodeBucketSetup(aws, options.code_bucket, options.account, options.region)
    deployed = Deployed.read(options.work)
    is_known = (options.work / "history.json").exists() and deployed.parameters.get(CODE_BUCKET) == options.code_bucket
    setup.prepare(tags, set(options.untag), is_default=options.is_default, is_known=is_known)
    bucket = CodeBucket(aws, options.code_bucket, options.account, tags)
    new = bucket.store(Path(options.zip), "zip", "function's code")
    # A template of up to 51,200 bytes can be in the request itself, one of up to 1 MB in S3.
    bucket.store(Path(options.template), "yaml", "template")
    key = deployed.parameters.get(CODE_KEY, "")
    if key != new and NAMED_BY_CONTENT.fullmatch(key) and deployed.parameters.get(CODE_BUCKET) == options.code_bucket:
        keep_deployed(aws, bucket, key, deployed.outputs.get("FunctionName", ""), options.work)


def keep_deployed(aws: AwsCli, bucket: CodeBucket, key: str, function: str, work: Path) -> None:
    """Make sure that the zip of the deployed function is in the bucket for as long as this deployment may fail."""
    found = bucket.find(key)
    try:
        if not found or (found.checksum and not found.is_content_of(key)):
            restore(aws, bucket, key, function, work)
        elif found.is_old:
            bucket.renew(key)
    except (AwsFailed, OSError, ValueError) as error:
        say(
            f"Note: the zip of the deployed function, {key}, can't be stored in {bucket.name}: if this deployment"
            f" fails, CloudFormation can't go back. {error}"
        )


def restore(aws: AwsCli, bucket: CodeBucket, key: str, function: str, work: Path) -> None:
    """Store the deployed function's code again, which Lambda has too."""
    url = aws.call("lambda", "get-function", FunctionName=function).get("Code", {}).get("Location", "")
    if not url.startswith(("https://", "http://")):
        raise ValueError(f"Lambda gives {url!r} as its place")
    with urllib.request.urlopen(url, timeout=60) as response:  # noqa: S310 - checked above
        file = work / "deployed.zip"
        file.write_bytes(response.read())
    if f"{sha256_of(file)}.zip" != key:
        raise ValueError("Lambda has other code than that")
    bucket.put(key, file)
    say(f"The zip of the deployed function, {key}, was missing in {bucket.name}, and is stored again.")


if __name__ == "__main__":
    parser = arguments("code-bucket", "account", "zip", "template")
    parser.add_argument("--is-default", action="store_true")
    parser.add_argument("--untag", action="append", default=[])
    sys.exit(main(parser.parse_args(), store))
