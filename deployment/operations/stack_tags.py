"""Writes the tags of the stack to WORK/tags.json: the ones it has, those given by --tag, and none of --untag.

    stack_tags.py [--tag KEY=VALUE ...] [--untag KEY ...] …

A change set without tags leaves the stack's tags as they are, one with tags replaces them all:
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aws_cli import arguments
from deployed import Deployed
from deploying import Refused, main, say, write_json

if TYPE_CHECKING:
    import argparse

    from aws_cli import AwsCli

MOST = 50  # of a stack
OTHERS = set(" +-=._:/@")  # beside letters and digits: the characters that every service allows in a tag


def read_tag(text: str) -> tuple[str, str]:
    """Return the key and the value of KEY=VALUE; refuses what AWS would refuse."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise Refused(f"--tag is KEY=VALUE, not '{text}'")
    if key.lower().startswith("aws:"):
        raise Refused(f"--tag {text}: keys that begin with aws: are AWS's own")
    for part, most, what in ((key, 128, "key"), (value, 256, "value")):
        if len(part) > most:
            raise Refused(f"--tag {text}: the {what} may have {most} characters at most, and has {len(part)}")
        if wrong := [character for character in part if not (character.isalnum() or character in OTHERS)]:
            raise Refused(
                f"--tag {text}: the {what} may have letters, digits, spaces and + - = . _ : / @, not '{wrong[0]}'"
            )
    return key, value


def merge(before: dict[str, str], given: list[str], removed: list[str]) -> dict[str, str]:
    """Return the tags that the stack will have."""
    for key in removed:
        if key not in before:
            say(f"Note: --untag {key}: the stack has no such tag.")
    tags = {key: value for key, value in before.items() if key not in removed}
    tags.update(read_tag(text) for text in given)
    if len(tags) > MOST:
        raise Refused(f"a stack may have {MOST} tags at most, and would have {len(tags)}")
    return tags


def write_tags(_: AwsCli, options: argparse.Namespace) -> None:
    """Write the tags in the form of a change set's request."""
    tags = merge(Deployed.read(options.work).tags, options.tag, options.untag)
    write_json(options.work / "tags.json", [{"Key": key, "Value": value} for key, value in tags.items()])


if __name__ == "__main__":
    parser = arguments()
    for name in ("tag", "untag"):
        parser.add_argument(f"--{name}", action="append", default=[])
    sys.exit(main(parser.parse_args(), write_tags))
