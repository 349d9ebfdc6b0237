"""The tables in docs/costs.md, as Markdown, from the prices and seconds in deployment/operations/prices.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "deployment" / "operations"))
import prices
from terminal import duration

COSTS = Path(__file__).parents[2] / "docs" / "costs.md"
MILLIONS = (1, 100, 1000)
SOURCE_MB, THUMBNAIL_KB = 4, 5
RECORD_KB = 0.7  # 580 bytes, and 100 that DynamoDB adds to each item
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
        cost = f"{three_digits(low)} to {three_digits(high)}", three_digits(prices.job(count, seconds))
        lines.append(f"| {millions:,} million | {times[0]} | {cost[0]} | {times[1]} | {cost[1]} |")
    return "\n".join(lines)


def storage(sources: int) -> list[tuple[str, str, float]]:
    """Return what is stored for so many sources, in words, and its dollars a month."""
    gigabytes, record = sources * SOURCE_MB / 1e3, sources * RECORD_KB / 1e6
    return [
        ("sources", f"{SOURCE_MB} MB each, in S3 Standard", prices.stored(gigabytes)),
        ("thumbnails", f"{THUMBNAIL_KB} KB each", prices.stored(sources * THUMBNAIL_KB / 1e6)),
        ("records, with their index", f"{RECORD_KB} KB each, twice", 2 * record * prices.TABLE_GB),
        ("point-in-time recovery of the records", f"{RECORD_KB} KB each", record * prices.BACKUP_GB),
    ]


def storage_table() -> str:
    """Return the table of what is stored, as Markdown."""
    columns = [storage(10**6 * millions) for millions in MILLIONS]
    lines = [
        f"| a month | | {' | '.join(f'{millions:,} million' for millions in MILLIONS)} |",
        "| --- |" + " --- |" * 4,
    ]
    for row in zip(*columns, strict=True):
        amounts = " | ".join(f"${amount:,.2f}" if amount < 10 else three_digits(amount) for _, _, amount in row)
        lines.append(f"| {row[0][0]} | {row[0][1]} | {amounts} |")
    return "\n".join(lines)


def three_digits(amount: float) -> str:
    """Return dollars, rounded to three digits."""
    return f"${round(amount, 3 - len(str(int(amount)))):,.0f}"
