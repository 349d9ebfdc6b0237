"""Chooses the sources that backfill.py sends."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from aws_cli import WORKERS, batches
from bucket_listings import Object, is_source, list_objects, missing_variants, prefixes_of_paths, with_renditions
from records import READ_AT_ONCE, Failure, read_failures

from image_processor.publishing.names import record_id

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from aws_cli import AwsCli


@dataclass(frozen=True)
class Candidate:
    """A source that may be sent, the variants it lacks, and why it cannot be rendered, where its records say so."""

    source: Object
    has_renditions: bool  # which may be replaced, and then are invalidated in CloudFront
    missing: list[str]
    failure: Failure | None = None


def candidates(aws: AwsCli, options: argparse.Namespace, variants: list[str]) -> Iterator[Candidate]:
    """Yield the sources to send, in the order of their keys, and those that are left out because of their records."""
    sources = filter(is_source, list_objects(aws, options.upload_bucket, options.prefix, options.start_after))
    if not (options.only_missing or options.invalidates):
        yield from (Candidate(source, has_renditions=False, missing=variants) for source in sources)
        return
    # From the first one on, because they are not in the order of the sources' keys.
    renditions = chain.from_iterable(
        list_objects(aws, options.processed_bucket, prefix) for prefix in prefixes_of_paths(options.prefix)
    )
    found = (
        Candidate(source, bool(own), missing_variants(source, own, variants, options.made_before))
        for source, own in with_renditions(sources, renditions)
    )
    if not options.only_missing:
        yield from found
    elif options.retry_failed or not options.table:
        yield from (one for one in found if one.missing)
    else:
        yield from with_failures(aws, options, (one for one in found if one.missing), len(variants))


def with_failures(
    aws: AwsCli, options: argparse.Namespace, found: Iterable[Candidate], variants: int
) -> Iterator[Candidate]:
    """Yield the same sources with their failures, whose records are read several calls at a time."""
    running: deque[Future[list[Candidate]]] = deque()
    with ThreadPoolExecutor(WORKERS) as pool:
        for batch in batches(found, max(1, READ_AT_ONCE // variants)):
            running.append(pool.submit(look_up_failures, aws, options, batch))
            if len(running) > WORKERS:
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()


def look_up_failures(aws: AwsCli, options: argparse.Namespace, batch: list[Candidate]) -> list[Candidate]:
    """Return the same sources with their failures.

    A source cannot be rendered when each variant it lacks has a record that says so: of this version of the source, by
    its ETag, and no older than `made_before`, because until then a variant of that name was another transformation.
    """
    ids = {
        (one.source.key, name): record_id(options.upload_bucket, one.source.key, name)
        for one in batch
        for name in one.missing
    }
    failures = read_failures(aws, options.table, list(ids.values()))

    def failure_of(one: Candidate) -> Failure | None:
        records = [failures.get(ids[one.source.key, name]) for name in one.missing]
        current = [
            record
            for record in records
            if record and record.source_etag == one.source.etag and record.processed_at >= options.made_before
        ]
        return current[0] if len(current) == len(one.missing) else None

    return [replace(one, failure=failure_of(one)) for one in batch]
