"""What `backfill.sh --remove-stale` runs: deletes the renditions and records of variants that are no longer configured.

A rendition that was requested by its transformation stays: its name has a "=" in it, which no variant's name has. What
release 1.0 stored under another path is deleted too, because no URL leads to it; its record stays, because
the rendition under the new path has the same one.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aws_cli import AwsCli, AwsFailed, arguments, batches, run
from bucket_listings import Object, list_objects, prefixes_of_paths, variant_names
from records import delete_records
from terminal import count_of, file_size, say, show_progress

from image_processor.urls.paths import split_path

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

FORMER_PATH = "under the path of a former release"
NAME = "[A-Za-z0-9._~=,-]+"  # of a rendition
DELETED_AT_ONCE = 1_000  # objects in one call; S3 API reference, DeleteObjects


def remove_stale(aws: AwsCli, options: argparse.Namespace) -> int:
    """Print what is stale, and delete it if the user agrees.

    A record is deleted before its rendition, so that a repetition finds the renditions that are left.
    """
    variants = variant_names(options.variants)
    stale = find_stale(rendition_objects(aws, options), variants)
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


def find_stale(items: Iterable[Object], variants: list[str]) -> dict[str, list[Object]]:
    """Return the stale renditions, by the names of their variants."""
    stale: dict[str, list[Object]] = {}
    for item in items:
        _, name = split_path(item.key) or ("", "")
        if not re.fullmatch(NAME, name):
            stale.setdefault(FORMER_PATH, []).append(item)
        elif "=" not in name and name not in variants:
            stale.setdefault(name, []).append(item)
    return stale


def rendition_objects(aws: AwsCli, options: argparse.Namespace) -> Iterator[Object]:
    """Yield the objects of the processed bucket; with a prefix of keys, those of paths with and without escapes."""
    prefixes = dict.fromkeys([*prefixes_of_paths(options.prefix), options.prefix])
    for prefix in prefixes:
        yield from list_objects(aws, options.processed_bucket, prefix)


def confirmed() -> bool:
    """Ask on a terminal whether to delete."""
    if not sys.stdin.isatty():
        say("backfill.sh: there is no terminal for the confirmation: give --yes to delete them", file=sys.stderr)
        return False
    return input("Type 'remove' to delete them: ") == "remove"


def main() -> int:
    """Run the command line."""
    parser = arguments(
        "upload-bucket",
        "processed-bucket",
        "variants",
        optional=("table", "prefix"),
        switches=("dry-run", "yes"),
    )
    options = parser.parse_args()
    aws = AwsCli(Path(options.work), options.aws, options.region)
    return run(aws, lambda: remove_stale(aws, options))


if __name__ == "__main__":
    sys.exit(main())
