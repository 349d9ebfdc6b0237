"""Compares the stack's parameters for concurrency with the account's limit, which is 10 for many new accounts.

    concurrency.py [--default NAME=VALUE ...] …

A reservation that Lambda would refuse is refused here, before the deployment fails. What works but throttles is a note.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cli import AwsCli, AwsFailed, arguments
from deployed import Deployed
from deploying import Refused, main, read_json, say

if TYPE_CHECKING:
    import argparse

# 100 executions stay unreserved: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
# An account whose limit is lower can't reserve any: its whole limit is the minimum that Lambda's error message names.
UNRESERVED = 100
MAXIMUM, RESERVED = "MaximumConcurrency", "ReservedConcurrency"
ALLOWED = (2, 3, 4, 5, 10, 15, 20, 30, 50, 100, 200, 500, 1000)  # values of MaximumConcurrency; Lambda's minimum is 2
HOW_TO_RAISE = "request an increase of 'Concurrent executions' in Service Quotas, AWS Lambda"


@dataclass(frozen=True)
class Limit:
    """Executions at a time of all functions of an account, in one region."""

    total: int
    unreserved: int

    def reservable(self, own: int) -> int:
        """Return how many a function with a reservation of `own` may reserve."""
        return max(self.unreserved + own - min(UNRESERVED, self.total), 0)


def number(text: str) -> int:
    """Return a parameter's value; 0 for what is no number, which CloudFormation refuses."""
    return int(text) if text.isdigit() else 0


def check(limit: Limit, maximum: int, reserved: int, own: int) -> list[str]:
    """Return notes about values that work but throttle; raises `Refused` for those that do not."""
    most, unreserved = limit.reservable(own), min(UNRESERVED, limit.total)
    account = f"this account has {limit.total:,} concurrent executions in this region, {limit.unreserved:,} unreserved"
    if reserved > most:
        raise Refused(
            f"ReservedConcurrency={reserved}: {account}, and Lambda keeps {unreserved} unreserved, so that it may be"
            f" {f'{most:,} at most' if most else '0 only'}; {HOW_TO_RAISE}"
        )
    notes = []
    if 0 < reserved < maximum:
        notes.append(
            f"Note: ReservedConcurrency={reserved} is less than MaximumConcurrency={maximum}: Lambda throttles the"
            " queue's messages, which may then reach the dead-letter queue."
        )
    available = limit.unreserved + own
    if not reserved and maximum >= available:
        fitting = max((value for value in ALLOWED if value <= max(available // 2, 2)), default=2)
        notes.append(
            f"Note: {account}. With MaximumConcurrency={maximum}, a burst of uploads can use them all, and the API,"
            f" delivery and other functions are throttled. Set --parameter MaximumConcurrency={fitting}, or"
            f" {HOW_TO_RAISE}."
        )
    return notes


def check_account(aws: AwsCli, options: argparse.Namespace) -> None:
    """Read the account's limit, and check the parameters against it, unless they stay as they are."""
    deployed = Deployed.read(options.work)
    requested = {entry["ParameterKey"]: entry for entry in read_json(options.work / "parameters.json", [])}
    given = {name: requested.get(name, {}).get("ParameterValue") for name in (MAXIMUM, RESERVED)}
    if deployed.exists and all(value in (None, deployed.parameters.get(name)) for name, value in given.items()):
        return
    try:
        found = aws.call("lambda", "get-account-settings").get("AccountLimit", {})
    except AwsFailed as error:
        say(f"Note: the account's limit of concurrent executions can't be read, and is not checked. {error}")
        return
    if "ConcurrentExecutions" not in found:
        return
    limit = Limit(found["ConcurrentExecutions"], found["UnreservedConcurrentExecutions"])
    own = deployed.parameters.get(RESERVED, "0")
    defaults = dict(default.split("=", 1) for default in options.default)
    maximum, reserved = (
        number(value or deployed.parameters.get(name) or defaults.get(name, "0")) for name, value in given.items()
    )
    say(*check(limit, maximum, reserved, number(own)))


if __name__ == "__main__":
    parser = arguments()
    parser.add_argument("--default", action="append", default=[])
    sys.exit(main(parser.parse_args(), check_account))
