"""What verify.sh runs: checks what the project promises of a deployed stack, and prints a table, claim by claim.

    verify.py --work FOLDER --aws PROGRAM --region REGION [--only WORD ...]

The exit status is 0 if no claim failed, 1 if one failed, 2 if the checks can't run, and 130 after Ctrl-C. FOLDER/stack
has the stack's outputs and parameters, as lib.sh writes them.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import access_claims
import api_claims
import change_claims
import delivery_claims
import edge_claims
import key_claims
import operation_claims
import signature_claims
import upload_claims
from aws_cli import AwsCli, arguments, run
from claims import Broken, Group, NotChecked
from deployed import Deployed
from operation_claims import messages
from pictures import BLUE, plain
from removal import remove
from report import Report
from runner import FAILED, run_groups
from target import Target
from terminal import say
from web import Web

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from runner import Outcome

GROUPS = (
    upload_claims.GROUP,
    change_claims.GROUP,
    delivery_claims.GROUP,
    signature_claims.GROUP,
    key_claims.GROUP,
    edge_claims.GROUP,
    access_claims.GROUP,
    api_claims.GROUP,
)
AT_THE_END = (operation_claims.GROUP,)
CANNOT_RUN = 2
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WITHIN, WITHIN_LOCALLY = 120.0, 20.0  # seconds; CloudFront takes up to a minute for an invalidation


def read_target(options: argparse.Namespace) -> Target:
    """Read the stack that lib.sh has found."""
    work = Path(options.work)
    deployed = Deployed.read(work)
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    return Target(
        aws=AwsCli(work, options.aws, options.region),
        web=Web(endpoint),
        work=work,
        region=options.region,
        stack_id=deployed.stack_id,
        outputs=deployed.outputs,
        parameters=deployed.parameters,
        local=bool(endpoint),
        within=WITHIN_LOCALLY if endpoint else WITHIN,
    )


def chosen(groups: Sequence[Group], words: Sequence[str]) -> list[Group]:
    """The groups with the claims whose names have one of the words; all without words."""
    found = [
        Group(
            group.title,
            tuple(claim for claim in group.claims if not words or any(word in claim.name for word in words)),
        )
        for group in groups
    ]
    return [group for group in found if group.claims]


def verify(target: Target, words: Sequence[str]) -> int:
    """Check the claims, remove what the checks have uploaded, and print what was seen."""
    groups, last = chosen(GROUPS, words), chosen(AT_THE_END, words)
    if not groups and not last:
        return cannot_run(f"no claim's name has {' or '.join(words)}")
    started = time.monotonic()
    report = Report(target.stack_id.split(":")[4], target.known_secrets, [*groups, *last])
    outcomes: list[Outcome] = []
    where = f"below {target.prefix} in the upload bucket"
    say(f"The sources of this run are {where}, until they are removed before the last rows.", sys.stderr)
    complete = False
    try:
        target.dead_letters = messages(target, "DeadLetterQueueUrl")
        target.ready = target.upload("ready.png", plain(300, 200, BLUE))
        if not target.lacks("cdn"):
            target.get("/")
        report.heading(title(target))
        outcomes += run_groups(target, groups, report.show)
        complete = True
    except (Broken, NotChecked) as error:
        return cannot_run(str(error))
    finally:
        clean_up(target, is_ended=not complete)
    outcomes += run_groups(target, last, report.show)
    report.summary(outcomes, time.monotonic() - started)
    show_problems(target)
    return int(any(outcome.result == FAILED for outcome in outcomes))


def title(target: Target) -> str:
    """What was checked, where and when."""
    now = datetime.now(timezone.utc)  # noqa: UP017 - Python 3.9
    stack = target.stack_id.split("/")[1]
    where = "the local AWS" if target.local else target.region
    return f"Stack `{stack}` in {where}, {now:%Y-%m-%d %H:%M} UTC, by `deployment/verify.sh`:"


def clean_up(target: Target, *, is_ended: bool) -> None:
    """Remove what was uploaded, which a second Ctrl-C does not interrupt.

    Unless the report has ended early, more rows follow: a line between them would end the table in Markdown.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if is_ended:
        say("Removing the sources of this run …", sys.stderr)
    target.removal = remove(target)
    if is_ended:
        show_problems(target)


def show_problems(target: Target) -> None:
    """Print what could not be removed, and how to remove it."""
    for problem in target.removal.problems:
        say(f"verify.sh: {problem}", sys.stderr)
    if target.removal.problems:
        for bucket in (target.upload_bucket, target.processed_bucket):
            say(f"verify.sh: remove it yourself: aws s3 rm --recursive s3://{bucket}/{target.prefix}", sys.stderr)


def cannot_run(reason: str) -> int:
    """Print why the checks can't run; returns the exit status."""
    say(f"verify.sh: {reason}", sys.stderr)
    return CANNOT_RUN


def interrupt(*_: object) -> None:
    """End as after Ctrl-C."""
    raise KeyboardInterrupt


def main() -> int:
    """Run the command line."""
    parser = arguments()
    parser.add_argument("--only", action="append", default=[])
    options = parser.parse_args()
    for number in SIGNALS:
        signal.signal(number, interrupt)
    target = read_target(options)
    return run(target.aws, lambda: verify(target, options.only))


if __name__ == "__main__":
    sys.exit(main())
