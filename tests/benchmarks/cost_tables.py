"""The tables in docs/costs.md, as Markdown, from the prices and seconds in deployment/operations/prices.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "deployment" / "operations"))
import prices
from terminal import duration

COSTS = Path(__file__).parents[2] / "docs" / "costs.md"
MILLIONS = (1, 100, 1000)
RATE, EXECUTIONS = 50, 100  # sources per second of backfill.sh; concurrent executions of a job


def cost_table(seconds: prices.Seconds) -> str:
    """Return the table of a million uploads, as Markdown."""
    one, ten = prices.parts(seconds.alone, 1, 1), prices.parts(seconds.of_ten, 10, 1)
    links = {
        "S3": ("s3/pricing", "2 million PUT or LIST, 2 million GET or HEAD", "$0.005 and $0.0004 per thousand"),
        "Lambda": (
            "lambda/pricing",
            f"{seconds.alone:.2f} s with 1,769 MB on arm64 and one request per source; in batches of ten, "
            f"{seconds.of_ten:.2f} s and a tenth of a request",
            "$0.20 per million requests, $0.0000133334 per GB-second",
        ),
        "DynamoDB": (
            "dynamodb/pricing/on-demand",
            "2 million writes, to the table and its index; 1 million queries",
            "$0.625 and $0.0625 per million",
        ),
        "SQS": ("sqs/pricing", "3 million requests; in batches of ten, 1.2 million", "$0.40 per million"),
        "CloudWatch": ("cloudwatch/pricing", f"{prices.LOG_BYTES / 1000:.1f} GB of logs", "$0.50 per GB"),
    }
    lines = ["| service | usage | price | one at a time | in batches of ten |", "| --- | --- | --- | --- | --- |"]
    for name, (page, amount, price) in links.items():
        sums = " | ".join(f"${part[name] * 1e6:.2f}" for part in (one, ten))
        lines.append(f"| [{name}](https://aws.amazon.com/{page}/) | {amount} | {price} | {sums} |")
    totals = " | ".join(f"**${sum(part.values()) * 1e6:.2f}**" for part in (one, ten))
    return "\n".join([*lines, f"| **total** | | | {totals} |"])


def backfill_table(seconds: prices.Seconds) -> str:
    """Return the table of backfills, as Markdown."""
    lines = [
        f"| sources | `backfill.sh` at {RATE} per second | | job with {EXECUTIONS} concurrent executions | |",
        "| --- | --- | --- | --- | --- |",
    ]
    for millions in MILLIONS:
        count = millions * 10**6
        low, high = prices.backfill(count, seconds)
        times = duration(count / RATE), duration(count * seconds.task / EXECUTIONS)
        cost = f"{_dollars(low)} to {_dollars(high)}", _dollars(prices.job(count, seconds))
        lines.append(f"| {millions:,} million | {times[0]} | {cost[0]} | {times[1]} | {cost[1]} |")
    return "\n".join(lines)


def _dollars(amount: float) -> str:
    return f"${round(amount, 3 - len(str(int(amount)))):,.0f}"  # three digits
