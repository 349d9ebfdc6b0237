"""Runs checks, several at a time, and judges each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cli import AwsFailed
from claims import PARTS, Broken, NotChecked, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from claims import Claim, Group
    from target import Target

HOLDS, FAILED = "holds", "FAILED"
NOT_IN_STACK, NOT_CHECKED, NOT_SHOWN = "not in this stack", "not checked", "not shown by this emulator"
IN_WORDS = {HOLDS: "hold", FAILED: "failed", NOT_IN_STACK: NOT_IN_STACK, NOT_CHECKED: NOT_CHECKED, NOT_SHOWN: NOT_SHOWN}
AT_A_TIME = 4
NOT_ENFORCED = "it was started without ENFORCE_IAM=true"


@dataclass(frozen=True)
class Outcome:
    """What a check has shown."""

    claim: Claim
    result: str
    seen: str


def judge(target: Target, claim: Claim) -> Outcome:
    """Run a check; raises `Stopped` only."""
    missing = [PARTS[part] for part in claim.needs if target.lacks(part)]
    if missing:
        return Outcome(claim, NOT_IN_STACK, missing[0])
    if target.local and (claim.not_local or (claim.enforced and not target.enforces_iam)):
        return Outcome(claim, NOT_SHOWN, claim.not_local or NOT_ENFORCED)
    try:
        return Outcome(claim, HOLDS, claim.check(target))
    except Stopped:
        raise
    except Broken as error:
        return Outcome(claim, FAILED, str(error))
    except NotChecked as error:
        return Outcome(claim, NOT_CHECKED, str(error))
    except AwsFailed as error:
        return Outcome(claim, FAILED, str(error))
    except Exception as error:  # noqa: BLE001 - an unforeseen response must not end the other checks
        return Outcome(claim, FAILED, f"{type(error).__name__}: {error}")


def run_groups(target: Target, groups: Sequence[Group], show: Callable[[Group, Outcome], None]) -> list[Outcome]:
    """Judge all claims, and show each in order as soon as it is judged. Ctrl-C stops the checks that are running."""
    outcomes = []
    pool = ThreadPoolExecutor(AT_A_TIME)
    try:
        running = [(group, pool.submit(judge, target, claim)) for group in groups for claim in group.claims]
        for group, future in running:
            outcomes.append(future.result())
            show(group, outcomes[-1])
    finally:
        target.stopping.set()  # no effect when all are done
        pool.shutdown(cancel_futures=True)
        target.stopping.clear()
    return outcomes
