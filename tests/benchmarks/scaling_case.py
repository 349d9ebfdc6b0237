"""What the simulation in scaling.py is given, and what it returns."""

import math
from collections import Counter
from dataclasses import dataclass, field

from tests.benchmarks import quotas


@dataclass(frozen=True, slots=True)
class Case:
    """A load, and the stack that it meets."""

    rate: float  # uploads a second, of `uploads` in all
    uploads: int
    concurrency: int = 10  # MaximumConcurrency
    executions: int = 1_000  # of the account, or ReservedConcurrency, less what others use
    variants: int = 1
    partitions: int = 1  # into which S3 has split each bucket
    warm: int = 1  # how many times a new table's writes a second the table takes

    def calls(self) -> dict[str, tuple[float, float]]:
        """Calls of a source, and calls a second that AWS takes, by quota."""
        return {
            "S3 reads of sources": (2, quotas.S3_READS * self.partitions),  # GetObject, and HeadObject at the end
            "S3 reads of renditions": (1, quotas.S3_READS * self.partitions),  # ListObjectsV2
            "S3 writes of renditions": (self.variants, quotas.S3_WRITES * self.partitions),
            "DynamoDB writes": (self.variants, quotas.TABLE_WRITES * self.warm),  # and as many to the index
            "DynamoDB reads": (0.5, quotas.TABLE_READS),  # one Query, eventually consistent
        }


@dataclass(slots=True)
class Outcome:
    """What happened in a run; times in seconds since its start."""

    uploaded_at: float = 0.0  # the last upload, which S3 may have delayed
    done_at: float = 0.0  # the last source
    done: int = 0
    dead: int = 0  # messages in the dead-letter queue
    left: int = 0  # messages that still wait or are processed at the end of the run
    rate: float = 0.0  # sources a second that were done in the last third of a run of limited time
    growth: float = 0.0  # messages a second that were added to those `left` in that time
    most_waiting: int = 0
    most_running: int = 0
    environments: int = 0  # cold starts
    invocations: int = 0
    received: int = 0  # messages, each as often as it was received
    billed: float = 0.0  # seconds of all invocations
    bound: Counter[str] = field(default_factory=Counter)  # steps in which uploads waited, by what they waited for
    lags: list[tuple[float, int]] = field(default_factory=list)  # seconds from upload to rendition, and of how many

    def lag(self, share: float) -> float:
        """The seconds within which this share of the sources had their renditions."""
        left = share * self.done
        for lag, count in sorted(self.lags):
            left -= count
            if left <= 0:
                return lag
        return math.nan
