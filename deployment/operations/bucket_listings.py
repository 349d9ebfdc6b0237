"""Lists sources and renditions, and finds the sources that lack renditions.

Listings come in the order of keys, ten pages of S3's in one call, so memory stays small for buckets of any size.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from image_processor.urls.paths import escape_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aws_cli import AwsCli

PAGE = 10_000  # keys in one call of the CLI, which requests a thousand at a time from S3
LONG_AGO = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 - Python 3.9


@dataclass(frozen=True)
class Object:
    """An object as a listing describes it; `size` in bytes."""

    key: str
    size: int
    modified: datetime
    etag: str = ""


def read_time(text: str) -> datetime:
    """Read a time as AWS CLI 1 or 2, DynamoDB's records or a user write it; in UTC where it has no time zone."""
    read = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return read if read.tzinfo else read.replace(tzinfo=timezone.utc)  # noqa: UP017 - Python 3.9


def list_objects(aws: AwsCli, bucket: str, prefix: str, start_after: str = "") -> Iterator[Object]:
    """Yield the objects of a bucket in the order of their keys."""
    more = True
    while more:
        request = {"Bucket": bucket, "Prefix": prefix, **({"StartAfter": start_after} if start_after else {})}
        response = aws.call("s3api", "list-objects-v2", "--max-items", str(PAGE), **request)
        found = response.get("Contents") or []
        for item in found:
            yield Object(item["Key"], item["Size"], read_time(item["LastModified"]), item.get("ETag", "").strip('"'))
        more = bool(found and response.get("NextToken"))
        start_after = found[-1]["Key"] if found else ""


def is_source(item: Object) -> bool:
    """Whether this is a source, and not the object that the S3 console creates for "Create folder"."""
    return bool(item.size) or not item.key.endswith("/")


def missing_variants(
    source: Object, renditions: dict[str, datetime], variants: list[str], made_before: datetime
) -> list[str]:
    """Return the variants that a source lacks, or that were rendered before the source changed or before a time."""
    since = max(source.modified, made_before)
    return [variant for variant in variants if renditions.get(variant, LONG_AGO) < since]


def prefixes_of_paths(prefix: str) -> list[str]:
    """Return the prefixes of the paths of all sources whose keys have this prefix, in the order of a listing.

    There are two where the prefix ends with what is escaped in some keys and not in others: `cats/` is the beginning
    of `cats/rio.jpg`, and the key `cats/` itself is `cats=2F`.
    """
    if not prefix:
        return [""]
    inside, whole = escape_key(f"{prefix}x")[:-1], escape_key(prefix)
    return [inside] if whole == inside else [inside, whole]


def with_renditions(
    sources: Iterable[Object], renditions: Iterator[Object]
) -> Iterator[tuple[Object, dict[str, datetime]]]:
    """Yield each source with its renditions, name → when it was rendered.

    Both come in the order of a listing, which is not the same for both: `a-b/thumbnail` comes before `a/thumbnail`,
    and `ü` after `z`, but `=C3=BC/thumbnail` before `z/thumbnail`. All renditions of a source come before its path
    followed by "0", the character after "/". Renditions that are read before their source wait in a temporary
    database, which SQLite writes to a file when it gets large.
    """
    waiting = sqlite3.connect("")
    waiting.execute(
        "CREATE TABLE waiting (path TEXT, name TEXT, modified TEXT, PRIMARY KEY (path, name)) WITHOUT ROWID"
    )
    ahead = next(renditions, None)
    for source in sources:
        path = escape_key(source.key)
        while ahead and ahead.key < f"{path}0":
            owner, _, name = ahead.key.rpartition("/")
            waiting.execute(
                "INSERT OR REPLACE INTO waiting VALUES (?, ?, ?)", (owner, name, ahead.modified.isoformat())
            )
            ahead = next(renditions, None)
        found = waiting.execute("SELECT name, modified FROM waiting WHERE path = ?", (path,))
        yield source, {name: datetime.fromisoformat(modified) for name, modified in found}
        waiting.execute("DELETE FROM waiting WHERE path = ?", (path,))
    waiting.close()


def variant_names(text: str) -> list[str]:
    """Return the names in the parameter `Variants`, which `parse_variants` of the function has accepted."""
    return [part.partition(":")[0].strip() for part in text.split(";") if part.strip()]
