"""Quotas of AWS on which the page about scaling relies, as AWS documented them in November 2026, each with its page."""

from dataclasses import dataclass
from typing import Final

DOCS: Final = "https://docs.aws.amazon.com"
S3_WRITES, S3_READS = 3_500, 5_500  # a second and partitioned prefix
TABLE_WRITES, TABLE_READS, TABLE_MOST = 4_000, 12_000, 40_000  # units a second: of a new on-demand table, and of any
FIRST_POLLERS, POLLERS_A_MINUTE, MOST_POLLERS = 5, 300, 1_250  # invocations at a time, of one queue
EXECUTIONS = 1_000  # of an account and region at a time; of a new account fewer, often 10
REQUESTS_PER_EXECUTION = 10  # a second, of synchronous invocations
IN_FLIGHT = 120_000  # messages of a queue that are received and not deleted
SECRET_READS, PARAMETER_READS = 10_000, 40  # a second, of an account and region
WILDCARDS = 15  # invalidation paths with a wildcard in progress, of a distribution
CDN_REQUESTS, CDN_BITS = 250_000, 150e9  # a second and distribution


LAMBDA: Final = f"{DOCS}/lambda/latest/dg"
S3: Final = f"{DOCS}/AmazonS3/latest/userguide/optimizing-performance.html"
TABLE: Final = f"{DOCS}/amazondynamodb/latest/developerguide"
SQS: Final = f"{DOCS}/AWSSimpleQueueService/latest/SQSDeveloperGuide"


@dataclass(frozen=True, slots=True)
class Quota:
    """What bounds the processing of sources of one variant."""

    name: str
    page: str
    value: str  # in words
    number: float | None  # None: something else binds first in any case
    raise_it: str  # what to do
    a_source: float | None = None  # calls of a source; None: the number is one of executions, of ten sources each

    def binds_at(self, of_ten: float) -> float | None:
        """Sources a second, each of which takes so many seconds in a batch of ten."""
        return None if self.number is None else self.number / (self.a_source or of_ten)


QUOTAS: Final = (
    Quota("`MaximumConcurrency`", f"{LAMBDA}/services-sqs-scaling.html", "10 by default, 1,000 at most", 10,
          "the parameter"),
    Quota("S3, reads of the upload bucket", S3, "5,500 a second and prefix, 2 a source", S3_READS,
          "begin the keys with different prefixes, and raise the load gradually; S3 splits prefixes by itself", 2),
    Quota("S3, the uploads themselves", S3, "3,500 a second and prefix", S3_WRITES, "the same", 1),
    Quota("S3, writes of renditions", S3, "3,500 a second and prefix, 1 a variant", S3_WRITES, "the same", 1),
    Quota("DynamoDB, a new table and its index", f"{TABLE}/warm-throughput.html",
          "4,000 writes a second, 1 a variant; AWS doubles it within half an hour", TABLE_WRITES,
          "wait, or set a higher warm throughput of the table and of the index", 1),
    Quota("Lambda, concurrent executions", f"{LAMBDA}/gettingstarted-limits.html",
          "1,000 in an account and region; new accounts have fewer, often 10", EXECUTIONS, "Service Quotas"),
    Quota("Lambda, invocations of one queue", f"{LAMBDA}/services-sqs-scaling.html",
          "5 at once, then 300 more a minute, up to 1,250", MOST_POLLERS,
          "a second stack, which shares the uploads; the template does not use the provisioned mode of pollers"),
    Quota("DynamoDB, any table", f"{TABLE}/ServiceQuotas.html", "40,000 writes a second", TABLE_MOST,
          "Service Quotas", 1),
    Quota("SQS, messages in flight", f"{SQS}/quotas-queues.html", "120,000, 10 an invocation", IN_FLIGHT / 10,
          "not needed"),
    Quota("DynamoDB, a partition", f"{TABLE}/bp-partition-key-design.html",
          "1,000 writes and 3,000 reads a second", None,
          "not needed: the key is a hash, and the index's key is the source, so no partition is preferred"),
    Quota("Secrets Manager", f"{DOCS}/secretsmanager/latest/userguide/reference_limits.html",
          f"{SECRET_READS:,} reads a second", None,
          "not needed: an execution environment reads the two keys every five minutes"),
    Quota("Parameter Store", f"{DOCS}/general/latest/gr/ssm.html", f"{PARAMETER_READS} reads a second", None,
          "not needed: an execution environment reads the parameter once, and the queue starts 5 a second"),
)  # fmt: skip
