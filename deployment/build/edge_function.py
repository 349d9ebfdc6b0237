"""Renews the generated parts of the edge function: `make edge`.

    image_processor/transformations/options.py
        -> the parts of src/edge/viewer_request.js that edge_parts.py writes, between marker comments
        -> the code in templates/main.yaml, minified, between two marker comments

Both are committed, so that the template can be deployed without a build. With --check the program changes nothing and
fails if either is stale. The check needs neither node nor the network, because the template has a digest of the source,
of the minifier with its options, and of the code. Where the minifier is installed, the check compares its output too.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "src"))

from edge_parts import edge_parts  # noqa: E402 - by the path above

SOURCE: Final = PROJECT / "src" / "edge" / "viewer_request.js"
TEMPLATE: Final = PROJECT / "templates" / "main.yaml"
MINIFIER: Final = PROJECT / ".minifier" / "node_modules"
RECIPE: Final = tuple(Path(__file__).with_name(name) for name in ("package.json", "minify.js"))
MAX_BYTES: Final = 10_240  # CloudFront quotas, "Maximum function size"
LADDER_BYTES: Final = 200  # of them, for `const LADDER = [320, 640];`, which CloudFormation writes before the code
RENEW: Final = "renew it by: make edge"

_PART: Final = re.compile(
    r"(?P<start>^(?P<indent> *)// <(?P<name>[a-z]+)>\n).*?(?P<end>^(?P=indent)// </(?P=name)>\n)",
    re.DOTALL | re.MULTILINE,
)
_CODE: Final = re.compile(
    r"^(?P<indent> +)# <edge function> .*\n(?: +# .*\n)*"
    r"(?P=indent)- \|\n(?P<code>(?:(?P=indent)  .*\n)*)(?P=indent)# </edge function>\n",
    re.MULTILINE,
)


class StaleError(Exception):
    """A committed file differs from what its sources generate; the message names it, and the command that renews it."""


def with_parts(source: str) -> str:
    """The source with the parts that are generated from options.py."""
    parts = edge_parts()
    if sorted(found["name"] for found in _PART.finditer(source)) != sorted(parts):
        raise ValueError(f"{SOURCE.name} has to have one pair of markers for each of: {', '.join(parts)}")

    def generated(found: re.Match[str]) -> str:
        return found["start"] + textwrap.indent(parts[found["name"]], found["indent"]) + found["end"]

    return _PART.sub(generated, source)


def deployed_code(template: str) -> str:
    """The code in the template, as CloudFront gets it, except for the ladder before it."""
    return re.sub("^ +", "", _section(template)["code"], flags=re.MULTILINE)


def with_code(template: str, code: str, digest: str) -> str:
    """The template with this code and its digest. Raises `ValueError` for code that can't be deployed."""
    if not code.strip() or not code.isascii() or not code.replace("\n", "").isprintable() or not code.endswith("\n"):
        raise ValueError("the edge function's code has to be lines of printable ASCII characters")
    if any(not line or line.startswith(" ") for line in code.splitlines()):
        raise ValueError("no line of the edge function's code may be empty or start with a space")
    if len(code) > MAX_BYTES - LADDER_BYTES:
        raise ValueError(f"{SOURCE.name} has {len(code)} bytes when minified, allowed: {MAX_BYTES - LADDER_BYTES}")
    found = _section(template)
    indent = found["indent"]
    section = [
        f"{indent}# <edge function> Generated from src/edge/viewer_request.js by: make edge",
        f"{indent}# Digest of the source and of this code: {digest}",
        f"{indent}- |",
        *(f"{indent}  {line}" for line in code.splitlines()),
        f"{indent}# </edge function>",
    ]
    return template[: found.start()] + "\n".join(section) + "\n" + template[found.end() :]


def digest_of(source: str, code: str) -> str:
    """A digest that changes with the source, with the minifier or its options, and with the code."""
    digest = hashlib.sha256()
    for text in (source, *(path.read_text("utf-8") for path in RECIPE), code):
        digest.update(f"{len(text)}\n{text}".encode())
    return digest.hexdigest()[:32]


def is_minifier_installed() -> bool:
    """Whether `make edge` has installed the minifier."""
    return (MINIFIER / "terser").is_dir()


def minified(source: str) -> str:
    """The source, minified. Raises `ValueError` with the minifier's message for a source that it can't read."""
    node = shutil.which("node")
    if not node or not is_minifier_installed():
        raise ValueError("the minifier is missing: run 'make edge', which installs it")
    done = subprocess.run(  # noqa: S603 - the project's own program
        [node, str(RECIPE[1])],
        input=source,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "NODE_PATH": str(MINIFIER)},
        check=False,
    )
    if done.returncode:
        raise ValueError(f"{SOURCE.name}: {done.stderr.strip()}")
    return done.stdout


def renew() -> None:
    """Write the generated parts into the source, and the minified source into the template."""
    source = with_parts(SOURCE.read_text("utf-8"))
    code = minified(source)
    template = with_code(TEMPLATE.read_text("utf-8"), code, digest_of(source, code))
    for path, text in ((SOURCE, source), (TEMPLATE, template)):
        _write(path, text)
    print(f"{TEMPLATE.relative_to(PROJECT)} has {len(code)} bytes of edge code, allowed: {MAX_BYTES - LADDER_BYTES}")


def check() -> None:
    """Raise `StaleError` if the generated parts or the code are not what `renew` writes."""
    source, template = SOURCE.read_text("utf-8"), TEMPLATE.read_text("utf-8")
    if with_parts(source) != source:
        raise StaleError(f"the generated parts of src/edge/{SOURCE.name} are stale; {RENEW}")
    code = deployed_code(template)
    if with_code(template, code, digest_of(source, code)) != template:
        raise StaleError(f"the edge function in templates/{TEMPLATE.name} is stale; {RENEW}")
    if is_minifier_installed() and minified(source) != code:
        raise StaleError(f"the edge function in templates/{TEMPLATE.name} is not the minifier's output; {RENEW}")


def _section(template: str) -> re.Match[str]:
    found = list(_CODE.finditer(template))
    if len(found) != 1:
        raise ValueError(f"{TEMPLATE.name} has to have one pair of the markers <edge function> and </edge function>")
    return found[0]


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.write_text(text, "utf-8")
    unfinished.replace(path)


def main() -> None:
    """Renew or check, as the command line says."""
    parser = argparse.ArgumentParser(description="Renews the generated parts of the edge function, and its code.")
    parser.add_argument("--check", action="store_true", help="change nothing, and fail if either is stale")
    if parser.parse_args().check:
        check()
    else:
        renew()


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError, StaleError) as error:
        sys.exit(f"edge_function.py: {error}")
