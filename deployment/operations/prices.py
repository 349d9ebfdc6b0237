"""What sources and requests cost: list prices in us-east-1 of November 2026, and what `make bench-cost` has measured.

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
VIEWER_REQUEST = 1.00 / MILLION  # by HTTPS in North America; by HTTP 0.75, in Europe 1.20 and 0.90
EDGE_FUNCTION = 0.10 / MILLION  # an invocation of the CloudFront function
EGRESS_GB = 0.085  # the first 10 TB a month that CloudFront sends
API_CALL = 3.50 / MILLION  # of a REST API
SECRET_CALL = 0.05 / 10_000
FIREWALL_MONTH, FIREWALL_REQUEST = 6.00, 0.60 / MILLION  # AWS WAF: a web ACL with one rule; a request that it inspects
TABLE_GB, BACKUP_GB = 0.25, 0.20  # a month: DynamoDB, and its point-in-time recovery
STORED_GB = ((50_000, 0.023), (450_000, 0.022), (float("inf"), 0.021))  # a month in S3 Standard, by steps of GB
MEMORY = 1769  # MB, by default
START = 0.35  # seconds of a cold start, billed since August 2025: `make bench-cold`, without the first source
LAMBDA_LOG_BYTES = 320  # of an invocation: Lambda's own lines
LOG_BYTES = 880 + LAMBDA_LOG_BYTES  # of a source: measured for its line and metrics, and Lambda's own lines


@dataclass(frozen=True)
class Seconds:
    """How long the function takes for a source, without a cold start, with its waits."""

    alone: float  # one message in a batch
    of_ten: float  # a tenth of a batch of ten messages, which wait for S3 together
    task: float  # a task of a job of S3 Batch Operations


# A photo of 4 MB and 12 megapixels, one variant, where S3 responds after 100 ms: `make bench-cost`.
MEASURED = Seconds(alone=0.39, of_ten=0.12, task=0.39)


@dataclass(frozen=True)
class Request:
    """A request by URL that reaches the function: the seconds of its invocation, and the bytes that it logs."""

    seconds: float
    log_bytes: int


# Likewise: one that is refused, one for a source that does not exist, and the first one for a rendition.
REFUSED, MISSING, FIRST = Request(0.002, 257), Request(0.11, 301), Request(0.55, 849)


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


def stored(gigabytes: float) -> float:
    """Return the dollars for a month in S3 Standard."""
    total = 0.0
    for step, price in STORED_GB:
        total += min(step, gigabytes) * price
        gigabytes = max(0.0, gigabytes - step)
    return total


def invocation(request: Request, memory: int = MEMORY) -> float:
    """Return the dollars for one invocation by URL: the request, its duration and its log."""
    duration = request.seconds * memory / 1024 * GB_SECOND
    return INVOCATION + duration + LOG_GB * (request.log_bytes + LAMBDA_LOG_BYTES) / 1e9


def execution_day(memory: int = MEMORY) -> float:
    """Return the dollars for one concurrent execution that is busy for a day, without its requests and log."""
    return 86_400 * memory / 1024 * GB_SECOND
