"""Removes what a run has uploaded, and what the stack has made of it, also after a failure or Ctrl-C."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aws_cli import AwsFailed, batches
from bucket_listings import list_objects
from records import READ_AT_ONCE, delete_by_ids

from image_processor.publishing.names import record_id
from image_processor.urls.paths import split_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from target import Target

AT_ONCE = 1000  # keys in one DeleteObjects; S3 API reference


@dataclass
class Removal:
    """The outcome: `left` is what the stack had not withdrawn after `seconds`, `problems` what is still there."""

    versions: int = 0
    left: list[str] = field(default_factory=list)
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


def remove(target: Target) -> Removal:
    """Delete every version of this run's sources, wait until the stack has withdrawn them, and delete what is left."""
    removal = Removal()
    if not target.keys:
        return removal
    names = _attempt(removal, "list the renditions", lambda: _renditions(target)) or []
    records = _record_ids(target, names)
    bucket = target.upload_bucket
    removal.versions = _attempt(removal, f"delete s3://{bucket}/{target.prefix}", lambda: _delete_versions(target)) or 0
    _attempt(removal, "see what is left", lambda: _wait(target, removal, records))
    bucket = target.processed_bucket
    _attempt(removal, f"delete s3://{bucket}/{target.prefix}", lambda: _delete_renditions(target))
    if not target.lacks("metadata"):
        _attempt(removal, "delete the records", lambda: _delete_records(target, records))
    return removal


def _attempt(removal: Removal, what: str, step: Callable[[], Any]) -> Any:
    """Return what a step returns; its failure is a problem, and the next steps follow all the same."""
    try:
        return step()
    except AwsFailed as error:
        removal.problems.append(f"could not {what}: {error}")


def _delete_versions(target: Target) -> int:
    request = {"Bucket": target.upload_bucket, "Prefix": target.prefix}
    listed = target.aws.call("s3api", "list-object-versions", **request)
    found = [*(listed.get("Versions") or ()), *(listed.get("DeleteMarkers") or ())]
    versions = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
    _delete_objects(target, target.upload_bucket, versions)
    return len(versions)


def _delete_objects(target: Target, bucket: str, objects: list[dict[str, str]]) -> None:
    for batch in batches(objects, AT_ONCE):
        response = target.aws.call("s3api", "delete-objects", Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
        errors = response.get("Errors") or []
        if errors:
            raise AwsFailed("s3api", "delete-objects", f"{len(errors)} objects: {errors[0].get('Message')}")


def _wait(target: Target, removal: Removal, records: list[str]) -> None:
    started = time.monotonic()
    while True:
        removal.left = _renditions(target) + [f"record {one}" for one in _existing(target, records)]
        removal.seconds = time.monotonic() - started
        if not removal.left or removal.seconds > target.within:
            return
        time.sleep(0.2)


def _renditions(target: Target) -> list[str]:
    return [item.key for item in list_objects(target.aws, target.processed_bucket, target.prefix)]


def _delete_renditions(target: Target) -> None:
    _delete_objects(target, target.processed_bucket, [{"Key": key} for key in _renditions(target)])


def _record_ids(target: Target, renditions: Iterable[str]) -> list[str]:
    """The ids of the records of all variants, and of the other renditions that are stored."""
    stored = {found for found in map(split_path, renditions) if found}
    variants = {(key, variant) for key in target.keys for variant in target.variants}
    return sorted({record_id(target.upload_bucket, key, name) for key, name in stored | variants})


def _existing(target: Target, records: list[str]) -> list[str]:
    """Which of these records are in the table."""
    if target.lacks("metadata"):
        return []
    table, found = target.outputs["MetadataTableName"], []
    for batch in batches(records, READ_AT_ONCE):
        request = {table: {"Keys": [{"id": {"S": one}} for one in batch], "ProjectionExpression": "id"}}
        response = target.aws.call("dynamodb", "batch-get-item", RequestItems=request)
        found += [item["id"]["S"] for item in response.get("Responses", {}).get(table, ())]
        found += [key["id"]["S"] for key in response.get("UnprocessedKeys", {}).get(table, {}).get("Keys", ())]
    return found


def _delete_records(target: Target, records: list[str]) -> None:
    delete_by_ids(target.aws, target.outputs["MetadataTableName"], _existing(target, records))
