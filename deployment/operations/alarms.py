"""The alarms of a stack, which status.py shows and rollback_triggers.py watches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cli import AwsCli

ALARM = "AWS::CloudWatch::Alarm"


def alarms_of(aws: AwsCli, stack: str, wanted: Iterable[str] = ()) -> dict[str, dict[str, Any]]:
    """Return the alarms of a stack as CloudWatch describes them, by their names in the template; raises `AwsFailed`.

    With `wanted` names, only those, in that order. An alarm that was deleted by hand is left out.
    """
    listed = aws.call("cloudformation", "list-stack-resources", StackName=stack).get("StackResourceSummaries") or []
    ids = {
        one["LogicalResourceId"]: one["PhysicalResourceId"]
        for one in listed
        if one["ResourceType"] == ALARM and one.get("PhysicalResourceId")
    }
    names = [name for name in wanted or ids if name in ids]
    if not names:
        return {}
    request = {"AlarmNames": [ids[name] for name in names]}
    found = aws.call("cloudwatch", "describe-alarms", **request).get("MetricAlarms") or []
    by_id = {alarm["AlarmName"]: alarm for alarm in found}
    return {name: by_id[ids[name]] for name in names if ids[name] in by_id}
