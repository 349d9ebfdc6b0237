#!/usr/bin/env python3
"""Prints the signed URL of a picture, as a page's author writes it: path and options, URL-encoded.

    deployment/sign.py '/cats/rio.jpg?width=300&format=auto'

The key comes from the stack's secret, by the AWS CLI. Who gives bad options learns it here, not from a broken picture.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import unquote

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "src"))
sys.dont_write_bytecode = True

from image_processor.errors import ImageProcessorError  # noqa: E402 - found on the path above
from image_processor.urls.links import signed_url  # noqa: E402
from image_processor.urls.signatures import EXPIRY, UNSIGNED, expiry  # noqa: E402

LONGEST = 100 * 365 * 86400  # seconds
OFF = "makes no pictures by their URL: see the parameters EnableCdn and EnableDelivery"
DEFAULT_STACK = "aws-serverless-image-processing"
# lib.sh finds the AWS CLI and the stack, and says what an error means, as for the scripts.
STACK = """
. "$1"; stack=$2 region=$3
check_stack_name; make_work; find_aws; need_stack
cat "$work/stack"
"""
KEY = """
. "$1"; region=$3
[ -z "$4" ] || { use_local_aws; export AWS_ENDPOINT_URL=$4; }
make_work; find_aws
call_aws secretsmanager get-secret-value --secret-id "$2" --query SecretString --output json
"""


class Refused(Exception):
    """What was asked for can't be signed; the message says why."""


def parse(asked: str) -> tuple[str, dict[str, str]]:
    """Return the path, without its first slash, and the parameters, both decoded; raises `Refused`."""
    written, _, query = asked.partition("?")
    if not written.startswith("/"):
        raise Refused(f"the path begins with a slash, without https://HOST before it, so not '{written}'")
    path = decoded(written[1:])
    steps = {".", ".."}.intersection(path.split("/"))
    if steps:
        raise Refused(f"browsers take '{steps.pop()}' in a path for a step, and never ask for '/{path}'")
    parameters: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        name, _, value = (decoded(piece) for piece in part.replace("+", " ").partition("="))
        if name in parameters:
            raise Refused(f"option {name} is given twice")
        if name in UNSIGNED:
            raise Refused(f"leave out parameter {name}: it is not signed")
        parameters[name] = value
    return path, parameters


def decoded(text: str) -> str:
    """Decode a part of a URL; raises `Refused`."""
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise Refused(f"'{text}' is not URL-encoded: a percent sign is %25")
    try:
        return unquote(os.fsencode(text).decode(), errors="strict")
    except UnicodeDecodeError as error:
        raise Refused(f"{text!a} is not UTF-8") from error


def check(path: str, parameters: dict[str, str]) -> None:
    """Refuse what the function would, in its words, where Python is new enough for them; raises `Refused` or those."""
    if sys.version_info < (3, 11):  # noqa: UP036 - more than this program needs
        return
    from image_processor.transformations.transformation import Transformation, check_area
    from image_processor.transformations.url_options import resolutions
    from image_processor.transformations.variants import VARIANT_NAME

    options = {name: value for name, value in parameters.items() if name != EXPIRY}
    variant = options.pop("variant", None)
    if variant is not None and options:
        raise Refused("a variant has options of its own: give the variant, or options")
    if options:
        for text in resolutions(options, ()):
            check_area(Transformation.parse(text))
        return
    name = path.rpartition("/")[2] if variant is None else variant
    if variant is None and "=" in name:
        text = str(Transformation.parse(name))
        if text != name:
            raise Refused(f"'{name}' is not in canonical form: write '{text}'")
    elif not VARIANT_NAME.fullmatch(name):
        raise Refused(f"'{name}' is no variant: give options, such as ?width=300, or the name of a variant")


def of_stack(stack: str, region: str) -> tuple[str, str]:
    """Return the base of a stack's URLs and its secret's ARN; raises `Refused`."""
    lines = [line.split("\t", 2) for line in ask(STACK, stack, region).splitlines()]
    found = {(kind, name): value for kind, name, value in lines}
    arn = found.get(("output", "SigningSecretArn"))
    if not arn:
        raise Refused(f"stack {stack} {OFF}")
    domain = found.get(("parameter", "CdnAlias")) or found.get(("output", "DistributionDomainName"))
    return found.get(("parameter", "CdnUrl")) or f"https://{domain}", arn


def of_outputs(outputs: dict[str, str]) -> tuple[str, str]:
    """Return the same from what `make run` has written; raises `Refused`."""
    if not (outputs.get("SigningSecretArn") and outputs.get("CdnUrl")):
        raise Refused(f"the stack of --outputs {OFF}")
    return outputs["CdnUrl"], outputs["SigningSecretArn"]


def read_outputs(file: str) -> dict[str, str]:
    """Read outputs.json; raises `Refused`."""
    try:
        outputs = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(f"--outputs {file}: {error.strerror}; 'make run' writes .local/outputs.json") from error
    except ValueError as error:
        raise Refused(f"--outputs {file} is not JSON") from error
    if not isinstance(outputs, dict):
        raise Refused(f"--outputs {file} holds no outputs")
    return outputs


def ask(script: str, *arguments: str) -> str:
    """Run a part of lib.sh; when it fails, it has said why, and the program ends."""
    command = ["bash", "-euo", "pipefail", "-c", script, Path(__file__).name, str(PROJECT / "deployment/lib.sh")]
    environment = {**os.environ, "PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(  # noqa: S603 - the lines above
        [*command, *arguments], env=environment, stdout=subprocess.PIPE, encoding="utf-8", check=False
    )
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


def lifetime(text: str) -> int:
    """Read --expires."""
    if not (text.isascii() and text.isdigit() and len(text) < 12 and 1 <= int(text) <= LONGEST):
        raise argparse.ArgumentTypeError(f"got '{text}', allowed: 1 to {LONGEST} seconds")
    return int(text)


def signed(options: argparse.Namespace) -> str:
    """Return the URL; raises `Refused`, or an error of the grammar."""
    path, parameters = parse(options.url)
    check(path, parameters)
    now = int(time.time())
    if options.expires:
        if EXPIRY in parameters:
            raise Refused(f"give --expires or parameter {EXPIRY}, not both")
        parameters[EXPIRY] = str(now + options.expires)
    until = expiry(parameters)
    if until is not None and until <= now:
        raise Refused(f"parameter {EXPIRY}: {until} has passed, it is {now}")
    outputs = read_outputs(options.outputs) if options.outputs else {}
    base, arn = of_outputs(outputs) if options.outputs else of_stack(options.stack_name, options.region)
    region = options.region or arn.split(":")[3]
    key = json.loads(ask(KEY, arn, region, outputs.get("Endpoint", "")))
    return signed_url(base.rstrip("/"), path, parameters, key)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Prints the signed URL of a picture.", allow_abbrev=False)
    parser.add_argument("url", metavar="'/KEY?OPTIONS'", help="path and options, URL-encoded; or a rendition's path")
    parser.add_argument("--expires", type=lifetime, metavar="SECONDS", help="from now; default: never")
    stack = parser.add_mutually_exclusive_group()
    stack.add_argument("--stack-name", default=DEFAULT_STACK, metavar="NAME", help=f"default: {DEFAULT_STACK}")
    stack.add_argument("--outputs", metavar="FILE", help="that of 'make run': .local/outputs.json")
    parser.add_argument("--region", default="", help="default: the region of your AWS configuration")
    try:
        print(signed(parser.parse_args()))
    except (Refused, ImageProcessorError, ValueError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
