"""Checks the parameters and tags of a command line against the template, before credentials are needed.

    given.py --me SCRIPT --template FILE [--parameter=NAME=VALUE ...] [--tag=KEY=VALUE ...]

CloudFormation checks the values too, but only after the zip has been built and uploaded. The template's `Rules`, which
combine parameters, are left to it.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import variants
from deploying import CODE_BUCKET, CODE_KEY, Refused, say
from stack_tags import read_tag

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
SET_BY_DEPLOY = {
    CODE_BUCKET: "give --code-bucket instead",
    CODE_KEY: "the key is the zip's SHA-256, set by this script",
}


def read_constraints(template: str) -> dict[str, dict[str, str]]:
    """Return the properties of each parameter as they are written, without comments.

    The standard library has no YAML parser. The template has one property a line, which lines with more indentation
    continue.
    """
    section = re.search(r"^Parameters:\n(.*?)^(?=\S)", template, re.DOTALL | re.MULTILINE)
    found: dict[str, dict[str, str]] = {}
    parameter: dict[str, str] = {}
    name = ""
    for line in section[1].splitlines() if section else ():
        if begins := re.fullmatch(r"  (\w+):", line):
            parameter = found.setdefault(begins[1], {})
        elif written := re.fullmatch(r"    (\w+): ?('(?:[^']|'')*'|.*?)(\s+#.*)?", line):
            name = written[1]
            parameter[name] = written[2]
        elif text := re.sub(r"(^|\s)#.*", "", line.strip()):
            parameter[name] = f"{parameter[name]} {text}".strip()
    return found


def unquoted(text: str) -> str:
    """Return the value of a YAML scalar on one line."""
    return text[1:-1].replace("''", "'") if text.startswith("'") else text


def check_value(name: str, value: str, constraints: dict[str, str]) -> None:
    """Refuse a value that CloudFormation would refuse.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
    """
    kind = constraints["Type"]
    # "When applied to a parameter of type CommaDelimitedList, the pattern must match each value in the list."
    values = [item.strip() for item in value.split(",")] if kind == "CommaDelimitedList" else [value]
    least, most = (int(constraints.get(name, limit)) for name, limit in (("MinLength", 0), ("MaxLength", sys.maxsize)))
    if len(value) > most:
        raise Refused(f"--parameter {name}: it may have {most} characters at most, and has {len(value)}")
    pattern = constraints.get("AllowedPattern")
    allowed = constraints.get("AllowedValues")
    if (
        len(value) < least
        or (kind == "Number" and not is_number(value, constraints))
        or (pattern and not all(re.fullmatch(unquoted(pattern), item) for item in values))
        or (allowed and value not in [unquoted(item.strip()) for item in allowed.strip("[] ").split(",")])
    ):
        raise Refused(f"--parameter {name}={value}: it {unquoted(constraints['ConstraintDescription'])}")


def is_number(value: str, constraints: dict[str, str]) -> bool:
    """Whether this is a number, not less than MinValue and not more than MaxValue."""
    low, high = (float(constraints.get(name, limit)) for name, limit in (("MinValue", "-inf"), ("MaxValue", "inf")))
    return bool(NUMBER.fullmatch(value)) and low <= float(value) <= high


def check_parameter(text: str, template: dict[str, dict[str, str]]) -> None:
    """Refuse a wrong NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not (equals and re.match("[A-Za-z]", name)):
        raise Refused(f"--parameter is Name=value, not '{text}'")
    if name in SET_BY_DEPLOY:
        raise Refused(f"--parameter {name}: {SET_BY_DEPLOY[name]}")
    if name not in template:
        others = " ".join(known for known in template if known not in SET_BY_DEPLOY)
        raise Refused(f"no parameter '{name}'; there are: {others}")
    if name == "Variants":  # the function's own message says more
        try:
            variants.canonical(value)
        except ValueError as error:
            raise Refused(f"--parameter Variants: {error}") from error
    check_value(name, value, template[name])


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser()
    for required in ("me", "template"):
        parser.add_argument(f"--{required}", required=True)
    for name in ("parameter", "tag", "untag"):
        parser.add_argument(f"--{name}", action="append", default=[])
    options = parser.parse_args()
    template = read_constraints(Path(options.template).read_text(encoding="utf-8"))
    try:
        for text in options.parameter:
            check_parameter(text, template)
        for text in options.tag:
            read_tag(text)
    except Refused as refused:
        say(f"{options.me}: {refused}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
