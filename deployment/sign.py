#!/usr/bin/env python3
"""Prints the signed URL of a picture, from its path and options, written as in the URL.

    deployment/sign.py '/cats/rio.jpg?width=300&format=auto'

The AWS CLI reads the key from the stack's secret. Options that the function would refuse are refused here, with its
messages. Runs on Python 3.9 with the standard library.
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
sys.path[:0] = [str(PROJECT / "src"), str(PROJECT / "deployment" / "operations")]
sys.dont_write_bytecode = True

from bucket_listings import variant_names  # noqa: E402 - found on the path above
from terminal import say  # noqa: E402

from image_processor.errors import ImageProcessorError  # noqa: E402
from image_processor.urls.links import signed_url  # noqa: E402
from image_processor.urls.signatures import AGAIN, EXPIRY, SIGNATURE, VERSION, expiry  # noqa: E402

LOCAL_OUTPUTS = PROJECT / ".local" / "outputs.json"  # that `make run` writes
LONGEST = 100 * 365 * 86400  # seconds
VERSION_FORM = re.compile("[A-Za-z0-9_-]{1,32}")  # as in viewer_request.js
OFF = "renders no pictures by URL: see the parameters EnableCdn and EnableDelivery"
USAGE = """\
The argument is the path and options as in a URL, in quotes, because of the & between the options:

  deployment/sign.py '/cats/rio.jpg?width=300&format=auto'
  deployment/sign.py '/cats/rio.jpg?variant=thumbnail' --expires 3600

The path is a slash and the source's key. Percent-encode a % in the key as %25 and a ? as %3F; you may write a space as
%20 and ü as %C3%BC, or as they are. A + in the path is a plus sign.
"""
OPTION_AFTER = r"{}\s*[A-Za-z_]+\s*="  # an option's name behind a separator
DEFAULT_STACK = "aws-serverless-image-processing"
# lib.sh finds the AWS CLI and the stack, and explains errors, as for the scripts.
ENDPOINT = """
[ -z "$4" ] || { use_local_aws; export AWS_ENDPOINT_URL=$4; }
"""
STACK = f"""
. "$1"; stack=$2 region=$3 has_local=yes
{ENDPOINT}
check_stack_name; make_work; find_aws; need_stack
cat "$work/stack"
"""
KEY = f"""
. "$1"; region=$3
{ENDPOINT}
make_work; find_aws
call_aws secretsmanager get-secret-value --secret-id "$2" --query SecretString --output json
"""


Stack = dict[tuple[str, str], str]  # by kind, `output` or `parameter`, and name


class Refused(Exception):
    """The request can't be signed; the message says why."""


def parse(argument: str) -> tuple[str, dict[str, str]]:
    """Return the path, without its first slash, and the parameters, both decoded; raises `Refused`."""
    written, _, query = argument.partition("?")
    if not written.startswith("/"):
        bare = re.sub(r"^[a-z0-9]+://[^/]*/", "", argument)  # without https://HOST/ or s3://BUCKET/
        raise Refused(
            f"the path begins with a slash, without https://HOST before it, so not '{written}': write '/{bare}'"
        )
    path = decoded(written[1:])
    steps = {".", ".."}.intersection(path.split("/"))
    if steps:
        raise Refused(f"browsers resolve '{steps.pop()}' in a path, and never request '/{path}'")
    if not query and re.search(OPTION_AFTER.format("&"), written.rpartition("/")[2]):
        raise Refused(misplaced_ampersand(written))
    parameters: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        name, _, value = (decoded(piece) for piece in part.replace("+", " ").partition("="))
        if re.search(OPTION_AFTER.format(","), value):
            fixed = re.sub("(?i),|%2c", "&", query)
            raise Refused(f"option {name}: got '{value}'; in a URL, & joins the options: write '{written}?{fixed}'")
        if name in parameters:
            raise Refused(f"option {name} is given twice")
        if name in (SIGNATURE, AGAIN):
            raise Refused(f"leave out parameter {name}: it is not signed")
        if name == VERSION and not VERSION_FORM.fullmatch(value):
            raise Refused(f"parameter v: got '{value}', allowed: 1 to 32 letters, digits, '-' and '_'")
        parameters[name] = value
    return path, parameters


def decoded(text: str) -> str:
    """Decode a part of a URL; raises `Refused`."""
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise Refused(f"'{text}' is not percent-encoded: write %25 for a percent sign")
    try:
        return unquote(os.fsencode(text).decode(), errors="strict")
    except UnicodeDecodeError as error:
        raise Refused(f"{text!a} is not UTF-8") from error


def misplaced_ampersand(written: str) -> str:
    """Return the message for a path with `&` before an option: a `?` is missing, or the options should have commas."""
    if "=" in written.rpartition("/")[2].partition("&")[0]:
        return f"in the path of a rendition, commas join the options: write '{written.replace('&', ',')}'"
    return f"the options begin with a ?: write '{written.replace('&', '?', 1)}'"


def note_double_encoding(path: str) -> None:
    """Print a note when the key has percent-encoding in it after it was decoded: it may have been encoded twice."""
    if re.search("%[0-9A-Fa-f]{2}", path):
        note = f"the key is '{path}', with a % in it; if it is '{unquote(path)}', encode it once, not twice"
        say(f"{Path(__file__).name}: note: {note}", file=sys.stderr)


def check(path: str, parameters: dict[str, str]) -> None:
    """Refuse what the function would; raises `Refused` or the function's errors.

    The function's own code checks the options. It needs Python 3.11, so an older Python checks nothing here.
    """
    if sys.version_info < (3, 11):  # noqa: UP036 - this program itself runs on 3.9
        return
    from image_processor.transformations.transformation import Transformation, check_area
    from image_processor.transformations.url_options import resolutions
    from image_processor.transformations.variants import VARIANT_NAME

    options = {name: value for name, value in parameters.items() if name not in (EXPIRY, VERSION)}
    variant = options.pop("variant", None)
    if variant is not None and options:
        raise Refused("a variant has its own options: give the variant, or options")
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
        raise Refused(f"'{name}' is not a variant: give options, such as ?width=300, or the name of a variant")


def check_variant(path: str, parameters: dict[str, str], stack: Stack) -> None:
    """Refuse a variant that the stack does not have; raises `Refused`."""
    name = asked_variant(path, parameters)
    names = variant_names(stack.get(("parameter", "Variants"), ""))
    if name and names and name not in names:
        raise Refused(f"there is no variant '{name}'; the variants are {', '.join(names)}")


def asked_variant(path: str, parameters: dict[str, str]) -> str:
    """Return the name of the variant that a request names, or nothing."""
    if "variant" in parameters:
        return parameters["variant"]
    name = path.rpartition("/")[2]
    return "" if "=" in name or parameters.keys() - {EXPIRY, VERSION} else name


def read_stack(stack: str, region: str, endpoint: str = "") -> Stack:
    """Return the parameters and outputs of a stack."""
    lines = [line.split("\t", 2) for line in run_with_lib(STACK, stack, region, endpoint).splitlines()]
    return {(kind, name): value for kind, name, value in lines}


def of_stack(stack: str, found: Stack) -> tuple[str, str]:
    """Return the beginning of a stack's URLs, and its secret's ARN; raises `Refused`."""
    arn = found.get(("output", "SigningSecretArn"))
    if not arn:
        raise Refused(f"stack {stack} {OFF}")
    domain = found.get(("parameter", "CdnAlias")) or found.get(("output", "DistributionDomainName"))
    return found.get(("parameter", "CdnUrl")) or f"https://{domain}", arn


def of_outputs(outputs: dict[str, str]) -> tuple[str, str]:
    """Return the same from the file that `make run` writes; raises `Refused`."""
    if not (outputs.get("SigningSecretArn") and outputs.get("CdnUrl")):
        raise Refused(f"the stack of 'make run' {OFF}")
    return outputs["CdnUrl"], outputs["SigningSecretArn"]


def read_outputs(file: str) -> dict[str, str]:
    """Read outputs.json; raises `Refused`."""
    try:
        outputs = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        tried = Path(file).absolute()
        raise Refused(
            f"can't read {tried}: {error.strerror}; 'make run' writes it, in .local/ of the project"
        ) from error
    except ValueError as error:
        raise Refused(f"{Path(file).absolute()} is not JSON") from error
    if not isinstance(outputs, dict):
        raise Refused(f"{Path(file).absolute()} has no outputs in it")
    return outputs


def run_with_lib(script: str, *arguments: str) -> str:
    """Run a part of lib.sh; when it fails, it has printed why, and the program exits."""
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
    """Return the URL; raises `Refused`, or an error of the function."""
    path, parameters = parse(options.url)
    check(path, parameters)
    note_double_encoding(path)
    now = int(time.time())
    if options.expires:
        if EXPIRY in parameters:
            raise Refused(f"give --expires or parameter {EXPIRY}, not both")
        parameters[EXPIRY] = str(now + options.expires)
    until = expiry(parameters)
    if until is not None and until <= now:
        raise Refused(f"parameter {EXPIRY}: {until} has passed, it is {now}")
    outputs = read_outputs(options.outputs) if options.outputs else {}
    if options.outputs:
        base, arn = of_outputs(outputs)
        named = asked_variant(path, parameters)  # only then, the stack itself has to be read
        stack = read_stack(DEFAULT_STACK, arn.split(":")[3], outputs.get("Endpoint", "")) if named else {}
    else:
        stack = read_stack(options.stack_name, options.region)
        base, arn = of_stack(options.stack_name, stack)
    check_variant(path, parameters, stack)
    region = options.region or arn.split(":")[3]
    key = json.loads(run_with_lib(KEY, arn, region, outputs.get("Endpoint", "")))
    return signed_url(base.rstrip("/"), path, parameters, key)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description="Prints the signed URL of a picture.",
        epilog=USAGE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("url", metavar="'/KEY?OPTIONS'", help="path and options as in a URL; or a rendition's path")
    parser.add_argument("--expires", type=lifetime, metavar="SECONDS", help="from now; default: never")
    stack = parser.add_mutually_exclusive_group()
    stack.add_argument(
        "--stack-name", default=DEFAULT_STACK, metavar="NAME", help=f"the stack; default {DEFAULT_STACK}"
    )
    stack.add_argument(
        "--local",
        dest="outputs",
        action="store_const",
        const=str(LOCAL_OUTPUTS),
        help="instead, the stack of 'make run'",
    )
    stack.add_argument(
        "--outputs", metavar="FILE", help="the same, by the outputs.json that it wrote elsewhere (STATE)"
    )
    parser.add_argument(
        "--region",
        default="",
        help="its region; default AWS_REGION, else AWS_DEFAULT_REGION, else that of your AWS profile",
    )
    try:
        say(signed(parser.parse_args()))
    except (Refused, ImageProcessorError, ValueError) as error:
        say(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
