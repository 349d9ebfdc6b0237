"""What sources cost: list prices in us-east-1 of November 2026, and the seconds that `make bench-cost` has measured.

The tables of costs in the manual and the estimates of backfill.py follow from these numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

MILLION = 1e6
S3_WRITE, S3_READ = 5.00 / MILLION, 0.40 / MILLION  # dollars for a PUT or LIST, a GET or HEAD
INVOCATION, GB_SECOND = 0.20 / MILLION, 0.0000133334  # arm64
WRITE_UNIT, READ_UNIT = 0.625 / MILLION, 0.125 / MILLION  # on demand; a query of the index is half a unit
QUEUE_REQUEST = 0.40 / MILLION
LOG_GB = 0.50
PATH, FREE_PATHS = 0.005, 1_000  # of invalidations in CloudFront; an account has so many free paths each month
JOB, TASK, LISTED = 0.25, 1.00 / MILLION, 0.015 / MILLION  # S3 Batch Operations, and the manifest it generates
MEMORY = 1769  # MB, by default
LOG_BYTES = 1_200  # of a source: 880 measured for its line and metrics, the rest for Lambda's own lines


@dataclass(frozen=True)
class Seconds:
    """How long the function takes for a source, without a cold start, with its waits."""

    alone: float  # one message in a batch
    of_ten: float  # a tenth of a batch of ten messages, which wait for S3 together
    task: float  # a task of a job of S3 Batch Operations


# A photo of 4 MB and 12 megapixels, one variant, where S3 responds after 100 ms: `make bench-cost`.
MEASURED = Seconds(alone=0.39, of_ten=0.12, task=0.39)


def parts(seconds: float, batch: int, sent: float, variants: int = 1, memory: int = MEMORY) -> dict[str, float]:
    """Return the dollars for one source, by service.

    An invocation processes `batch` sources. `sent` is a source's share of the call that has sent its message to the
    queue: 1 for S3, a tenth for backfill.sh, 0 for a source that does not come through the queue.
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
    """Return the least and the most dollars for sources that backfill.sh sends: in batches of ten, and one by one."""
    full = parts(seconds.of_ten, 10, 0.1, variants, memory)
    single = parts(seconds.alone, 1, 0.1, variants, memory)
    return count * sum(full.values()), count * sum(single.values())


def job(count: int, seconds: Seconds = MEASURED) -> float:
    """Return the dollars for a job of S3 Batch Operations for which S3 lists the sources."""
    return JOB + count * (TASK + LISTED + sum(parts(seconds.task, 1, 0).values()))


def invalidations(count: int) -> float:
    """Return the dollars for so many invalidation paths, the account's only ones in a month."""
    return max(0, count - FREE_PATHS) * PATH
