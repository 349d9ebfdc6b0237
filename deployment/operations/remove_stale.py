"""What `backfill.sh --remove-stale` runs: deletes the renditions and records of variants that are no longer configured.

A rendition that was requested by its transformation stays: its name has a "=" in it, which no variant's name has.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from aws_cli import AwsCli, AwsFailed, batches, run
from bucket_listings import Object, list_objects, variant_names
from records import delete_records
from terminal import count_of, file_size, say, show_progress

DELETED_AT_ONCE = 1_000  # objects in one call; S3 API reference, DeleteObjects


def remove_stale(aws: AwsCli, options: argparse.Namespace) -> int:
    """Print what is stale, and delete it if the user agrees.

    A record is deleted before its rendition, so that a repetition finds the renditions that are left.
    """
    variants = variant_names(options.variants)
    stale: dict[str, list[Object]] = {}
    for item in list_objects(aws, options.processed_bucket, options.prefix):
        name = item.key.rpartition("/")[2]
        if "=" not in name and name not in variants:
            stale.setdefault(name, []).append(item)
    for name, items in sorted(stale.items()):
        say(f"{name}: {count_of(len(items), 'rendition')}, {file_size(sum(item.size for item in items))}")
    if not stale:
        say(f"Nothing is stale: every rendition is of variant {', '.join(variants)}, or was requested by its options.")
    if options.dry_run or not stale:
        return 0
    if not options.yes and not confirmed():
        say("backfill.sh: nothing deleted", file=sys.stderr)
        return 1
    keys = [item.key for items in stale.values() for item in items]
    deleted = 0
    for part in batches(keys, DELETED_AT_ONCE):
        if options.table:
            delete_records(aws, options.table, options.upload_bucket, part)
        request = {"Quiet": True, "Objects": [{"Key": key} for key in part]}
        response = aws.call("s3api", "delete-objects", Bucket=options.processed_bucket, Delete=request)
        for error in response.get("Errors") or []:
            raise AwsFailed("s3api", "delete-objects", f"{error['Key']}: {error['Code']}")
        deleted += len(part)
        show_progress(deleted, len(keys))
    say(f"Deleted: {len(keys):,}. CloudFront may serve them until their Cache-Control ends.")
    return 0


def confirmed() -> bool:
    """Ask on a terminal whether to delete."""
    if not sys.stdin.isatty():
        say("backfill.sh: there is no terminal for the confirmation: give --yes to delete them", file=sys.stderr)
        return False
    return input("Type 'remove' to delete them: ") == "remove"


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
    aws = AwsCli(Path(options.work), options.aws, options.region)
    return run(aws, lambda: remove_stale(aws, options))


if __name__ == "__main__":
    sys.exit(main())
