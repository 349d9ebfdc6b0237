"""What backfill.sh does: tells the queue of sources that are there already, as S3 does of new ones."""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import sys
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote_plus

import prices
from aws_calls import (
    TRIES,
    WORKERS,
    Aws,
    AwsFailed,
    batches,
    bytes_in_words,
    duration,
    refused,
    run,
    show_progress,
    waiting,
)
from buckets import LONG_AGO, Object, is_source, lacks, listing, moment, variant_names, with_renditions

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKLOG = 2_000  # messages in the queue above which no more are sent, so that an upload waits seconds, not hours
LOOK_EVERY = 5.0  # seconds


def message(bucket: str, key: str) -> str:
    """Return a message as S3 sends it; the key is encoded as a form."""
    told = {"bucket": {"name": bucket}, "object": {"key": quote_plus(key, safe="/")}}
    return json.dumps({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Backfill", "s3": told}]})


class Sender:
    """Sends messages at a rate, several calls at a time, and knows up to which key all were taken."""

    def __init__(self, aws: Aws, options: argparse.Namespace, total: int) -> None:
        self._aws, self._options, self._total = aws, options, total
        self._begun = self._looked = time.monotonic()
        self._waited = 0.0
        self._at_work: deque[tuple[list[str], Future[None]]] = deque()
        self.sent = 0
        self.last = options.start_after

    def send_all(self, keys: Iterator[str]) -> None:
        """Send a message for each key; raises `AwsFailed`, or KeyboardInterrupt, once what was begun has ended."""
        with ThreadPoolExecutor(WORKERS) as pool:
            try:
                for number, batch in enumerate(batches(keys)):
                    self._pace(number)
                    while len(self._at_work) >= WORKERS:
                        self._settle()
                    self._at_work.append((batch, pool.submit(self._send, batch)))
            finally:
                while self._at_work:
                    self._settle()

    def _settle(self) -> None:
        batch, future = self._at_work.popleft()
        try:
            future.result()
        except AwsFailed:
            for _, later in self._at_work:
                later.cancel()
            self._at_work.clear()  # what comes behind may be sent twice when the user goes on, which is harmless
            raise
        self.sent, self.last = self.sent + len(batch), batch[-1]
        left = (self._total - self.sent) / (self.sent / (time.monotonic() - self._begun))
        show_progress(self.sent, self._total, f", {duration(left)} left" if self.sent < self._total else "")

    def _pace(self, number: int) -> None:
        time.sleep(max(0.0, self._begun + self._waited + 10 * number / self._options.rate - time.monotonic()))
        if time.monotonic() - self._looked < LOOK_EVERY:
            return
        started = time.monotonic()
        while (there := waiting(self._aws, self._options.queue_url)) > BACKLOG:
            show_progress(self.sent, self._total, f", waits: {there:,} are in the queue")
            time.sleep(LOOK_EVERY)
        self._looked = time.monotonic()
        self._waited += self._looked - started  # the rate is not made up for

    def _send(self, keys: list[str]) -> None:
        left = keys
        for tried in range(TRIES):
            time.sleep(tried**2)
            entries = [
                {"Id": str(place), "MessageBody": message(self._options.upload_bucket, key)}
                for place, key in enumerate(left)
            ]
            answer = self._aws.call("sqs", "send-message-batch", QueueUrl=self._options.queue_url, Entries=entries)
            left = [left[place] for place in refused(answer)]
            if not left:
                return
        raise AwsFailed("sqs", "send-message-batch", f"the queue has refused a message {TRIES} times; try again later")


def chosen(aws: Aws, options: argparse.Namespace, variants: list[str]) -> Iterator[tuple[Object, bool]]:
    """Yield the sources to send, each with whether there are pictures of it, which may be replaced."""
    sources = filter(is_source, listing(aws, options.upload_bucket, options.prefix, options.start_after))
    if not (options.only_missing or options.told):
        yield from ((source, False) for source in sources)
        return
    renditions = listing(aws, options.processed_bucket, options.prefix, options.start_after)
    for source, own in with_renditions(sources, renditions):
        if not options.only_missing or lacks(source, own, variants, options.made_before):
            yield source, bool(own)


def dollars_of_paths(count: int) -> str:
    """Return in words what CloudFront takes for so many, at most."""
    dollars = prices.invalidations(count)
    free = f"{prices.FREE_PATHS:,} a month are free"
    return f"up to ${dollars:,.2f}, as {free} (InvalidateCdn=false saves it)" if dollars else free


def send(aws: Aws, options: argparse.Namespace) -> int:
    """List, tell what it takes, and send."""
    variants = variant_names(options.variants)
    todo = Path(options.work) / "todo"
    count = size = told = 0
    with todo.open("w", encoding="utf-8") as file:
        for source, has_pictures in chosen(aws, options, variants):
            print(json.dumps(source.key), file=file)  # a key may hold a line's end
            count, size = count + 1, size + source.size
            told += prices.paths(source.key) if has_pictures else 0
    low, high = prices.backfill(count, variants=len(variants), memory=options.memory)
    print(
        f"{count:,} sources, {bytes_in_words(size)}, for variants {', '.join(variants)}:"
        f" {f'${low:,.2f} to ${high:,.2f}' if high >= 0.01 else 'less than a cent'},"
        f" and {duration(count / options.rate)} or more at {options.rate:g} a second"
    )
    if options.told and told:
        cost = dollars_of_paths(told)
        print(f"CloudFront is told of the sources whose pictures change, at most {told:,} paths: {cost}")
    if options.dry_run or not count:
        return 0
    sender = Sender(aws, options, count)
    try:
        with todo.open(encoding="utf-8") as file:
            sender.send_all(json.loads(line) for line in file)
    except (AwsFailed, KeyboardInterrupt):
        again = [*options.again, *(["--start-after", sender.last] if sender.last else [])]
        print(f"\nStopped after {sender.sent:,}. To go on: deployment/backfill.sh {shlex.join(again)}", file=sys.stderr)
        raise
    print(f"Sent: {sender.sent:,}. The function works on them; what fails is in the dead-letter queue (redrive.sh).")
    return 0


def stop(*_: object) -> NoReturn:
    """End as Ctrl-C does."""
    raise KeyboardInterrupt


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser()
    for name in ("work", "aws", "region", "upload-bucket", "processed-bucket", "queue-url", "variants"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("prefix", "start-after"):
        parser.add_argument(f"--{name}", default="")
    for name in ("dry-run", "only-missing", "told"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--memory", type=int, default=1769)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--made-before", type=moment, default=LONG_AGO)
    parser.add_argument("--again", action="append", default=[])
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    aws = Aws(Path(options.work), options.aws, options.region)
    return run(aws, lambda: send(aws, options))


if __name__ == "__main__":
    sys.exit(main())
