"""What backfill.sh runs: sends a message for each existing source to the queue, as S3 does for each new one."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote_plus

import prices
from aws_cli import TRIES, WORKERS, AwsCli, AwsFailed, arguments, batches, run
from bucket_listings import LONG_AGO, read_time, variant_names
from candidates import Candidate, candidates
from queues import BATCH, rejected_entries, visible_messages
from terminal import count_of, duration, file_size, say, shell_word, show_progress

from image_processor.urls.paths import invalidation_paths

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

BACKLOG = 2_000  # messages in the queue above which no more are sent, so that an upload waits seconds, not hours
CHECK_EVERY = 5.0  # seconds between two checks of the length of the queue
NAMED = 20  # sources that cannot be rendered which a dry run names


def message(bucket: str, key: str) -> str:
    """Return a message as S3 sends it, with the key encoded as a form."""
    source = {"bucket": {"name": bucket}, "object": {"key": quote_plus(key, safe="/")}}
    return json.dumps({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Backfill", "s3": source}]})


class Sender:
    """Sends messages at a rate, several calls at a time, and records up to which key SQS has accepted all."""

    def __init__(self, aws: AwsCli, options: argparse.Namespace, total: int) -> None:
        self._aws, self._options, self._total = aws, options, total
        self._begun = self._checked = time.monotonic()
        self._waited = 0.0
        self._running: deque[tuple[list[str], Future[None]]] = deque()
        self.sent = 0
        self.last = options.start_after

    def send_all(self, keys: Iterator[str]) -> None:
        """Send a message for each key; raises `AwsFailed` or KeyboardInterrupt after the calls that have begun."""
        with ThreadPoolExecutor(WORKERS) as pool:
            try:
                for number, batch in enumerate(batches(keys, BATCH)):
                    self._pace(number)
                    while len(self._running) >= WORKERS:
                        self._settle()
                    self._running.append((batch, pool.submit(self._send, batch)))
            finally:
                while self._running:
                    self._settle()

    def _settle(self) -> None:
        batch, future = self._running.popleft()
        try:
            future.result()
        except AwsFailed:
            for _, later in self._running:
                later.cancel()
            self._running.clear()  # later batches may be sent twice when the user continues, which is harmless
            raise
        self.sent, self.last = self.sent + len(batch), batch[-1]
        left = (self._total - self.sent) / (self.sent / (time.monotonic() - self._begun))
        show_progress(self.sent, self._total, f", {duration(left)} left" if self.sent < self._total else "")

    def _pace(self, number: int) -> None:
        time.sleep(max(0.0, self._begun + self._waited + BATCH * number / self._options.rate - time.monotonic()))
        if time.monotonic() - self._checked < CHECK_EVERY:
            return
        started = time.monotonic()
        while (length := visible_messages(self._aws, self._options.queue_url)) > BACKLOG:
            show_progress(self.sent, self._total, f", waiting: {length:,} messages are in the queue")
            time.sleep(CHECK_EVERY)
        self._checked = time.monotonic()
        self._waited += self._checked - started  # no burst makes up for the wait

    def _send(self, keys: list[str]) -> None:
        left = keys
        for tried in range(TRIES):
            time.sleep(tried**2)
            entries = [
                {"Id": str(index), "MessageBody": message(self._options.upload_bucket, key)}
                for index, key in enumerate(left)
            ]
            response = self._aws.call("sqs", "send-message-batch", QueueUrl=self._options.queue_url, Entries=entries)
            left = [left[index] for index in rejected_entries(response)]
            if not left:
                return
        raise AwsFailed("sqs", "send-message-batch", f"the queue has rejected a message {TRIES} times; try again later")


def cost_of_paths(count: int) -> str:
    """Return in words what CloudFront charges for so many invalidation paths, at most."""
    dollars = prices.invalidations(count)
    free = f"{prices.FREE_PATHS:,} a month are free"
    return f"up to ${dollars:,.2f}, as {free} (InvalidateCdn=false saves it)" if dollars else free


def explain_failures(options: argparse.Namespace, failures: list[Candidate], count: int) -> None:
    """Print how many sources are left out because they cannot be rendered, and in a dry run which and why."""
    left_out = f"{count_of(count, 'source')} cannot be rendered and {'is' if count == 1 else 'are'} left out"
    if not options.dry_run:
        say(f"{left_out}; --dry-run names them")
        return
    say(f"{left_out}; --retry-failed sends them too:")
    for one in failures:
        say(f"  {one.source.key}: {one.failure.reason if one.failure else ''}")
    if count > len(failures):
        say(f"  … and {count - len(failures):,} more, whose records have the status 'failed'")


def show_plan(options: argparse.Namespace, variants: list[str], count: int, size: int) -> None:
    """Print how many sources will be sent, and what that costs and takes."""
    if not count:
        say("0 sources: there is nothing to send")
        return
    low, high = prices.backfill(count, variants=len(variants), memory=options.memory)
    say(
        f"{count_of(count, 'source')}, {file_size(size)}, for variants {', '.join(variants)}:"
        f" {f'${low:,.2f} to ${high:,.2f}' if high >= 0.01 else 'less than a cent'},"
        f" and {duration(count / options.rate)} or more at {options.rate:g} a second"
    )


def backfill(aws: AwsCli, options: argparse.Namespace) -> int:
    """List the sources, print what it takes to process them, and send the messages."""
    variants = variant_names(options.variants)
    todo = Path(options.work) / "todo"
    count = size = paths = failed = 0
    named: list[Candidate] = []
    with todo.open("w", encoding="utf-8") as file:
        for one in candidates(aws, options, variants):
            if one.failure:
                failed += 1
                named += [one] if failed <= NAMED else []
                continue
            print(json.dumps(one.source.key), file=file)  # a key may have line feeds in it
            count, size = count + 1, size + one.source.size
            paths += len(invalidation_paths([one.source.key])) if one.has_renditions else 0
    show_plan(options, variants, count, size)
    if options.invalidates and paths:
        most = count_of(paths, "path")
        say(f"CloudFront invalidates the renditions that change, at most {most}: {cost_of_paths(paths)}")
    if failed:
        explain_failures(options, named, failed)
    elif count and options.only_missing and not options.table:
        say("A source that cannot be rendered counts as missing each time: the stack has no table (EnableMetadata)")
    if options.dry_run or not count:
        return 0
    send(aws, options, todo, count)
    return 0


def send(aws: AwsCli, options: argparse.Namespace, todo: Path, count: int) -> None:
    """Send a message for each key in a file; when it is stopped, print the command that continues."""
    sender = Sender(aws, options, count)
    try:
        with todo.open(encoding="utf-8") as file:
            sender.send_all(json.loads(line) for line in file)
    except (AwsFailed, KeyboardInterrupt):
        words = [*options.resume_with, *(["--start-after", sender.last] if sender.last else [])]
        command = " ".join(map(shell_word, ["deployment/backfill.sh", *words]))
        say(file=sys.stderr)
        say(f"Stopped after {sender.sent:,}. To continue: {command}", file=sys.stderr)
        raise
    say(
        f"Sent: {sender.sent:,}. The function processes them now; a message that fails five times moves to the"
        " dead-letter queue (redrive.sh)."
    )


def stop(*_: object) -> NoReturn:
    """End as Ctrl-C does."""
    raise KeyboardInterrupt


def main() -> int:
    """Run the command line."""
    parser = arguments(
        "upload-bucket",
        "processed-bucket",
        "queue-url",
        "variants",
        optional=("prefix", "start-after", "table"),
        switches=("dry-run", "only-missing", "retry-failed", "invalidates"),
    )
    parser.add_argument("--memory", type=int, default=1769)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--made-before", type=read_time, default=LONG_AGO)
    parser.add_argument("--resume-with", action="append", default=[])
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    aws = AwsCli(Path(options.work), options.aws, options.region)
    return run(aws, lambda: backfill(aws, options))


if __name__ == "__main__":
    sys.exit(main())
