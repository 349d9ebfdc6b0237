"""Writes the parameters of the change set to WORK/parameters.json, and names those that a template does not know.

    plan_parameters.py --names "NAME NAME ..." [--parameter NAME=VALUE ...] …

A parameter has the value that is given, else the deployed one, else the one that the stack had before it was deployed
with a template that did not know the parameter, else the template's default.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aws_cli import arguments
from deployed import Deployed
from deploying import main, say, write_json
from history import History

if TYPE_CHECKING:
    import argparse

    from aws_cli import AwsCli


def plan(
    names: list[str], given: dict[str, str], deployed: dict[str, str], known: dict[str, str]
) -> tuple[list[dict[str, object]], dict[str, str], dict[str, str]]:
    """Return the parameters of the request, those that get a former value again, and those that are lost."""
    again = {name: known[name] for name in names if name in known and name not in deployed and name not in given}
    values = {**again, **given}
    request: list[dict[str, object]] = [
        {"ParameterKey": name, "ParameterValue": values[name]}
        if name in values
        else {"ParameterKey": name, "UsePreviousValue": True}
        for name in names
        if name in values or name in deployed
    ]
    return request, again, {name: value for name, value in deployed.items() if name not in names}


def say_lost(lost: dict[str, str], where: str) -> None:
    """Name the parameters that the next template does not know."""
    for name, value in lost.items():
        say(f"The template to deploy has no parameter {name}: its value, '{value}', has no effect any more.")
    if lost:
        say(f"  The values are kept in {where}, and used again by a template that has the parameters.")


def write_parameters(_: AwsCli, options: argparse.Namespace) -> None:
    """Write the request, and say what the user did not ask for."""
    deployed = Deployed.read(options.work)
    history = History.read(options.work).of(deployed)
    given = dict(parameter.split("=", 1) for parameter in options.parameter)
    request, again, lost = plan(options.names.split(), given, deployed.parameters, history.parameters)
    write_json(options.work / "parameters.json", request)
    for name, value in again.items():
        say(f"{name} is '{value}' again, as it was before a template without it (--parameter {name}=… changes it).")
    say_lost(lost, options.stored_in)


if __name__ == "__main__":
    parser = arguments("names", "stored-in")
    parser.add_argument("--parameter", action="append", default=[])
    sys.exit(main(parser.parse_args(), write_parameters))
