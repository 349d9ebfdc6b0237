"""What a stack has cost this month, by the tag that CloudFormation gives its resources."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from aws_cli import AwsCli

# Cost Explorer knows it once it is activated as a cost allocation tag:
# https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/cost-alloc-tags.html
TAG = "aws:cloudformation:stack-name"


def costs_of_month(aws: AwsCli, stack: str, today: date) -> dict[str, float]:
    """Return the dollars of this month by service, the most first; raises `AwsFailed`.

    It is one request to Cost Explorer, which costs $0.01. Empty if no cost has the tag.
    """
    response = aws.call(
        "ce",
        "get-cost-and-usage",
        TimePeriod={"Start": today.replace(day=1).isoformat(), "End": (today + timedelta(days=1)).isoformat()},
        Granularity="MONTHLY",
        Metrics=["UnblendedCost"],
        Filter={"Tags": {"Key": TAG, "Values": [stack]}},
        GroupBy=[{"Type": "DIMENSION", "Key": "SERVICE"}],
    )
    found: dict[str, float] = {}
    for period in response.get("ResultsByTime") or []:
        for group in period.get("Groups") or []:
            service, amount = group["Keys"][0], float(group["Metrics"]["UnblendedCost"]["Amount"])
            found[service] = found.get(service, 0.0) + amount
    return dict(sorted(found.items(), key=lambda one: -one[1]))
