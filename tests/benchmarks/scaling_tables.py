"""The tables in docs/scaling.md, as Markdown, from the simulations of this folder.

make bench-scale
"""

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from tests.benchmarks import quotas
from tests.benchmarks.cost_tables import duration, prices, storage, three_digits
from tests.benchmarks.invalidation_load import TAKES, invalidate
from tests.benchmarks.scaling import POLLERS, Simulation
from tests.benchmarks.scaling_case import Case, Outcome

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"
MILLION, ENDLESS = 10**6, 10**9
RETENTION = 345_600  # seconds: the queue's MessageRetentionPeriod
BURSTS = [  # of a million uploads, each as fast as S3 takes them
    Case(3_500, MILLION, 10),
    Case(3_500, MILLION, 100),
    Case(3_500, MILLION, 200),
    Case(3_500, MILLION, 1_000),
    Case(14_000, MILLION, 1_000, partitions=4, warm=3),
]
STEADY = [  # with the seconds to simulate; the queue's growth is measured in their last third
    (Case(1, ENDLESS, 10), 600),
    (Case(50, ENDLESS, 10), 600),
    (Case(100, ENDLESS, 10), 600),
    (Case(100, ENDLESS, 20), 600),
    (Case(100, ENDLESS, 100, executions=10), 600),
    (Case(10_000, ENDLESS, 1_000), 300),
    (Case(10_000, ENDLESS, 1_000, partitions=8), 300),
    (Case(10_000, ENDLESS, 1_000, partitions=8, warm=3), 300),
    (Case(5_000, ENDLESS, 1_000, partitions=4, warm=2), 450),
]
CHANGES = {"one in 10 minutes": 1 / 600, "one a minute": 1 / 60, "one in 10 seconds": 0.1, "one in 4 seconds": 0.25,
           "one a second": 1, "100 a second": 100}  # fmt: skip


@cache
def outcome(case: Case, until: float = float("inf")) -> Outcome:
    """The outcome of a run; each case is simulated once."""
    return Simulation(case).run(until)


def dollars(case: Case, outcome: Outcome, memory: int = prices.MEMORY) -> Mapping[str, float]:
    """What a run cost, by service, without the uploads' own PUT requests, storage and delivery."""
    return {
        "S3": outcome.done * (prices.S3_WRITE * (1 + case.variants) + prices.S3_READ * 2),
        "Lambda": outcome.invocations * prices.INVOCATION + outcome.billed * memory / 1024 * prices.GB_SECOND,
        "DynamoDB": outcome.done * (prices.WRITE_UNIT * 2 * case.variants + prices.READ_UNIT / 2),
        "SQS": (outcome.done + 2 * outcome.invocations) * prices.QUEUE_REQUEST,
        "CloudWatch": outcome.done * prices.LOG_GB * prices.LOG_BYTES / 1e9,
    }


def burst_table() -> str:
    """A million uploads at once."""
    lines = [
        "| `MaximumConcurrency` | S3 and DynamoDB | done after | half done within | received again | waiting for "
        "| cost |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for case in BURSTS:
        result = outcome(case)
        cells = [
            f"{case.concurrency:,}",
            _storage(case),
            duration(result.done_at),
            duration(result.lag(0.5)),
            _share((result.received - result.done) / result.done),
            _reasons(result.bound),
            f"${sum(dollars(case, result).values()):.0f}",
        ]
        lines.append(_row(cells))
    return "\n".join(lines)


def steady_table() -> str:
    """Uploads at a constant rate."""
    lines = [
        "| uploads a second | `MaximumConcurrency` | S3 and DynamoDB | done a second | the queue | half done within | "
        "waiting for | cost of a million |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for case, seconds in STEADY:
        result = outcome(case, seconds)
        grows = result.growth > case.rate / 100
        few = f", but {case.executions} executions" if case.executions < case.concurrency else ""
        cells = [
            f"{case.rate:,.0f}",
            f"{case.concurrency:,}{few}",
            _storage(case),
            f"{_rounded(result.rate)}" if grows else "all",
            f"grows by {_rounded(result.growth)} a second" if grows else "does not grow",
            "–" if grows else f"{result.lag(0.5):.1f} s",
            _reasons(result.bound) if grows else "–",
            f"${sum(dollars(case, result).values()) / result.done * MILLION:.0f}",
        ]
        lines.append(_row(cells))
    return "\n".join(lines)


def billion_table() -> str:
    """What a thousand million sources take."""
    few, many, most = (concurrency / prices.MEASURED.of_ten for concurrency in (10, 200, 1_000))
    pages, answer = ENDLESS / 1_000, 0.1  # of ListObjectsV2, and the seconds until S3 responds
    stored = {name: amount for name, _, amount in storage(ENDLESS)}
    rows = [
        ["render one variant of each", f"{duration(ENDLESS / few)} with `MaximumConcurrency` 10, "
         f"{duration(ENDLESS / many)} with 200, {duration(ENDLESS / most)} with 1,000",
         three_digits(ENDLESS * sum(prices.parts(prices.MEASURED.of_ten, 10, 1).values()))],
        ["wait in the queue", f"messages are deleted after 4 days, in which {few * RETENTION / MILLION:.0f} million "
         f"sources are done with `MaximumConcurrency` 10, {most * RETENTION / MILLION:,.0f} million with 1,000", "–"],
        ["list one bucket", f"{pages / MILLION:.0f} million requests, {duration(pages * answer)} one after another",
         f"${pages * prices.S3_WRITE:.0f}"],
        ["keep the sources", "4 MB each; S3 has no limit", f"{three_digits(stored['sources'])} a month"],
        ["keep a thumbnail of each", "5 KB each", f"{three_digits(stored['thumbnails'])} a month"],
        ["keep their records", "1.4 TB with the index; DynamoDB has no limit",
         f"{three_digits(sum(amount for name, amount in stored.items() if 'records' in name))} a month"],
    ]  # fmt: skip
    return "\n".join(["| to | takes | costs |", "| --- | --- | --- |", *map(_row, rows)])


def quota_table() -> str:
    """Which quota binds at how many sources a second, in that order."""
    lines = ["| quota | value | binds at, a second | what to do |", "| --- | --- | --- | --- |"]
    found = [(quota, quota.binds_at(prices.MEASURED.of_ten)) for quota in quotas.QUOTAS]
    for quota, sources in sorted(found, key=lambda pair: pair[1] or float("inf")):
        binds = "does not" if sources is None else f"{int(sources):,} sources"
        lines.append(_row([f"[{quota.name}]({quota.page})", quota.value, binds, quota.raise_it]))
    return "\n".join(lines)


def viewer_table() -> str:
    """Which quota binds for viewers' requests."""
    cdn = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html"
    concurrency = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html"
    heavy = quotas.CDN_BITS / 8 / quotas.CDN_REQUESTS
    firsts = quotas.EXECUTIONS / prices.FIRST.seconds
    rows = [
        ["a picture in CloudFront's cache", f"[CloudFront]({cdn})",
         f"{quotas.CDN_REQUESTS:,}; for pictures of more than {heavy / 1000:.0f} KB, {quotas.CDN_BITS / 1e9:.0f} Gbit"],
        ["a stored picture that is not in the cache", "S3, reads of a prefix", f"{quotas.S3_READS:,} a prefix"],
        ["the first request for a picture", "Lambda, concurrent executions",
         f"{firsts:,.0f} with {quotas.EXECUTIONS:,} executions, {firsts / 100:.0f} with 10"],
        ["a request that is refused", f"[Lambda, 10 requests a second and execution]({concurrency})",
         f"{quotas.REQUESTS_PER_EXECUTION * quotas.EXECUTIONS:,} with {quotas.EXECUTIONS:,} executions"],
    ]  # fmt: skip
    return "\n".join(["| request | binds first | at, a second |", "| --- | --- | --- |", *map(_row, rows)])


def invalidation_table() -> str:
    """What happens to CloudFront's cache while sources change."""
    lines = [
        "| sources that change | paths a day | the whole cache is emptied | a month costs |",
        "| --- | --- | --- | --- |",
    ]
    for text, rate in CHANGES.items():
        found = invalidate(rate)
        often = f"every {duration(found.seconds / found.whole)}" if found.whole else "never"
        paths = found.paths / found.seconds * 86_400
        lines.append(_row([text, _rounded(paths), often, f"${_rounded(found.dollars_a_month())}"]))
    return "\n".join(lines)


TABLES: dict[str, Callable[[], str]] = {
    "bursts": burst_table,
    "steady": steady_table,
    "thousand million": billion_table,
    "quotas": quota_table,
    "viewers": viewer_table,
    "invalidations": invalidation_table,
}


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _storage(case: Case) -> str:
    prefixes = "one prefix" if case.partitions == 1 else f"{case.partitions} prefixes"
    return f"{prefixes}, {'new table' if case.warm == 1 else f'table for {case.warm * quotas.TABLE_WRITES:,} writes'}"


def _share(share: float) -> str:
    return "none" if share < 0.0005 else f"{share:.1%}"


def _reasons(bound: Counter[str]) -> str:
    """What uploads waited for in a tenth of the time or more, most first; of pollers only if nothing else."""
    total = bound.total()
    found = [name for name, count in bound.most_common() if count >= total / 10 and name != POLLERS]
    return ", ".join(found) or POLLERS


def _rounded(number: float) -> str:
    digits = max(0, len(str(int(number))) - 2)
    return f"{round(number, -digits):,.0f}"


def main() -> int:
    """Print all tables."""
    print(f"Invalidations take {TAKES} s.\n" + "\n\n".join(f"{name}\n\n{table()}" for name, table in TABLES.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
