"""Writes to WORK/rollback.json which of the stack's alarms make CloudFormation undo an update: deploy.sh --watch.

    rollback_triggers.py --stack-name NAME [--watch MINUTES] …

CloudFormation saves the triggers of an update, and uses them for all later ones that do not replace them; an update
fails when a trigger's alarm does not exist any more. So a deployment without --watch removes those of the last --watch,
and keeps others:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-rollback-triggers.html
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from alarms import ALARM, alarms_of
from aws_cli import arguments
from deployed import Deployed
from deploying import Refused, main, say, write_json

if TYPE_CHECKING:
    import argparse

    from aws_cli import AwsCli

# Five at most, which is CloudFormation's limit: those that soon show that a version fails, the surest first. Not the
# durations and the queue's age, which also depend on what is uploaded.
TELLING = ("FunctionErrorAlarm", "DeliveryErrorAlarm", "ApiErrorAlarm", "FunctionThrottleAlarm", "DeadLetterAlarm")


def watch(aws: AwsCli, deployed: Deployed, minutes: int) -> dict[str, object] | None:
    """Return the part of the request that watches the alarms; None for a stack without alarms."""
    alarms = alarms_of(aws, deployed.stack_id, TELLING) if deployed.exists else {}
    if not alarms:
        say("Note: --watch has no effect: the stack has no alarms yet. It works from the next deployment on.")
        return None
    if firing := [name for name, alarm in alarms.items() if alarm.get("StateValue") == "ALARM"]:
        raise Refused(
            f"--watch: in ALARM already: {', '.join(firing)}; CloudFormation would undo any update. Fix the cause,"
            " which the alarm's description explains, or deploy without --watch"
        )
    say(
        f"CloudFormation undoes this update if one of these alarms goes off until {minutes} minutes after it:"
        f" {', '.join(alarms)}."
    )
    triggers = [{"Arn": alarm["AlarmArn"], "Type": ALARM} for alarm in alarms.values()]
    return {"RollbackTriggers": triggers, "MonitoringTimeInMinutes": minutes}


def without_watch(deployed: Deployed, stack: str) -> dict[str, object] | None:
    """Return the part of the request that removes the triggers of an earlier --watch; None if there are none."""
    ours = re.compile(rf".*:alarm:{re.escape(stack)}-({'|'.join(TELLING)})-[A-Za-z0-9]+")
    others = [{"Arn": arn, "Type": kind} for arn, kind in deployed.triggers.items() if not ours.fullmatch(arn)]
    if len(others) == len(deployed.triggers):
        return None
    return {"RollbackTriggers": others, "MonitoringTimeInMinutes": deployed.monitoring if others else 0}


def write_triggers(aws: AwsCli, options: argparse.Namespace) -> None:
    """Write the request, unless it leaves the triggers as they are."""
    deployed = Deployed.read(options.work)
    if options.watch is None:
        request = without_watch(deployed, options.stack_name)
    else:
        request = watch(aws, deployed, options.watch)
    if request is not None:
        write_json(options.work / "rollback.json", request)


if __name__ == "__main__":
    parser = arguments("stack-name")
    parser.add_argument("--watch", type=int)
    sys.exit(main(parser.parse_args(), write_triggers))
