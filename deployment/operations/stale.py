"""What `backfill.sh --remove-stale` does: deletes the renditions and records of variants that are no longer made.

A rendition asked for by a transformation stays; its name has a "=", which no variant's has.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

from aws_calls import TRIES, WORKERS, Aws, AwsFailed, batches, bytes_in_words, run, show_progress
from buckets import Object, listing, variant_names

DELETED_AT_ONCE = 1_000  # S3's limit
WRITTEN_AT_ONCE = 25  # DynamoDB's limit


def remove_stale(aws: Aws, options: argparse.Namespace) -> int:
    """Tell what is stale, ask, and delete it, record before rendition, so that what is left after a crash is found."""
    variants = variant_names(options.variants)
    stale: dict[str, list[Object]] = {}
    for item in listing(aws, options.processed_bucket, options.prefix):
        name = item.key.rpartition("/")[2]
        if "=" not in name and name not in variants:
            stale.setdefault(name, []).append(item)
    for name, items in sorted(stale.items()):
        print(f"{name}: {len(items):,} renditions, {bytes_in_words(sum(item.size for item in items))}")
    if not stale:
        print(f"Nothing is stale: every rendition is of {', '.join(variants)}, or was asked for.")
    if options.dry_run or not stale:
        return 0
    if not options.yes and not agreed():
        print("backfill.sh: nothing removed", file=sys.stderr)
        return 1
    doomed = [item.key for items in stale.values() for item in items]
    removed = 0
    for part in batches(doomed, DELETED_AT_ONCE):
        if options.table:
            forget(aws, options, part)
        request = {"Quiet": True, "Objects": [{"Key": key} for key in part]}
        answer = aws.call("s3api", "delete-objects", Bucket=options.processed_bucket, Delete=request)
        for error in answer.get("Errors") or []:
            raise AwsFailed("s3api", "delete-objects", f"{error['Key']}: {error['Code']}")
        removed += len(part)
        show_progress(removed, len(doomed), "")
    print(f"Removed: {len(doomed):,}. CloudFront may serve them until their Cache-Control ends.")
    return 0


def agreed() -> bool:
    """Ask on a terminal."""
    if not sys.stdin.isatty():
        print("backfill.sh: there is nobody to ask: give --yes to remove them", file=sys.stderr)
        return False
    return input("Type 'remove' to delete them: ") == "remove"


def forget(aws: Aws, options: argparse.Namespace, renditions: list[str]) -> None:
    """Delete the records of renditions; an `id` is made as in image_processor/model.py."""
    texts = (f"{options.upload_bucket}/{key}" for key in renditions)
    ids = [sha256(text.encode()).hexdigest()[:32] for text in texts]
    requests = [{"DeleteRequest": {"Key": {"id": {"S": one}}}} for one in ids]

    def write(part: list[dict[str, Any]]) -> None:
        left = {options.table: part}
        for tried in range(TRIES):
            time.sleep(tried**2)
            left = aws.call("dynamodb", "batch-write-item", RequestItems=left).get("UnprocessedItems") or {}
            if not left:
                return
        raise AwsFailed("dynamodb", "batch-write-item", "the table is too busy; try again later")

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(write, batches(requests, WRITTEN_AT_ONCE)))


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser()
    for name in ("work", "aws", "region", "upload-bucket", "processed-bucket", "variants"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("table", "prefix"):
        parser.add_argument(f"--{name}", default="")
    for name in ("dry-run", "yes"):
        parser.add_argument(f"--{name}", action="store_true")
    options = parser.parse_args()
    aws = Aws(Path(options.work), options.aws, options.region)
    return run(aws, lambda: remove_stale(aws, options))


if __name__ == "__main__":
    sys.exit(main())
