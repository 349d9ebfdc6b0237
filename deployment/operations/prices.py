"""What sources cost: list prices in us-east-1 of November 2026, and the seconds that `make bench-cost` has measured.

The README's tables and the forecasts of backfill.py follow from these numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

MILLION = 1e6
S3_WRITE, S3_READ = 5.00 / MILLION, 0.40 / MILLION  # dollars for a PUT or LIST, a GET or HEAD
INVOCATION, GB_SECOND = 0.20 / MILLION, 0.0000133334  # arm64
WRITE_UNIT, READ_UNIT = 0.625 / MILLION, 0.125 / MILLION  # on demand; a query of the index is half a unit
QUEUE_REQUEST = 0.40 / MILLION
LOG_GB = 0.50
PATH, FREE_PATHS = 0.005, 1_000  # that CloudFront is told of; the free ones are the account's, each month
JOB, TASK, LISTED = 0.25, 1.00 / MILLION, 0.015 / MILLION  # S3 Batch Operations, and the manifest it makes
MEMORY = 1769  # MB, by default
LOG_BYTES = 1_200  # a source: 880 measured, its line and metrics; the rest Lambda's own lines of an invocation


@dataclass(frozen=True)
class Seconds:
    """How long the function works on a source, warm, waiting included."""

    alone: float  # one message in a batch
    of_ten: float  # a tenth of a batch of ten, which wait for S3 together
    task: float  # of a job of S3 Batch Operations


# A photo of 4 MB and 12 megapixels, one variant, where S3 answers after 100 ms: `make bench-cost`.
MEASURED = Seconds(alone=0.39, of_ten=0.12, task=0.39)


def parts(seconds: float, batch: int, sent: float, variants: int = 1, memory: int = MEMORY) -> dict[str, float]:
    """Return dollars a source, by service.

    An invocation takes `batch` of them. `sent` is a source's share of the call that put its message into the queue: 1
    by S3, a tenth by backfill.sh, 0 for what comes past the queue.
    """
    received = 2 / batch if sent else 0.0  # received and deleted
    return {
        "S3": S3_WRITE * (1 + variants) + S3_READ * 2,
        "Lambda": INVOCATION / batch + seconds * memory / 1024 * GB_SECOND,
        "DynamoDB": WRITE_UNIT * 2 * variants + READ_UNIT / 2,  # table and index
        "SQS": QUEUE_REQUEST * (sent + received),
        "CloudWatch": LOG_GB * LOG_BYTES / 1e9,
    }


def backfill(count: int, seconds: Seconds = MEASURED, variants: int = 1, memory: int = MEMORY) -> tuple[float, float]:
    """Return the fewest and the most dollars for sources sent by backfill.sh: in batches of ten, and one by one."""
    full = parts(seconds.of_ten, 10, 0.1, variants, memory)
    single = parts(seconds.alone, 1, 0.1, variants, memory)
    return count * sum(full.values()), count * sum(single.values())


def job(count: int, seconds: Seconds = MEASURED) -> float:
    """Return dollars for a job of S3 Batch Operations that lists the sources by itself."""
    return JOB + count * (TASK + LISTED + sum(parts(seconds.task, 1, 0).values()))


def paths(key: str) -> int:
    """Return how many paths CloudFront is told for a source whose pictures were replaced; as edge.py spells them."""
    return 4 if set("!$&'()*,;=:@") & set(key) else 2


def invalidations(count: int) -> float:
    """Return dollars for so many paths in a month in which CloudFront was told of no other."""
    return max(0, count - FREE_PATHS) * PATH
