"""Makes the template that is deployed, build/template.yaml: templates/main.yaml with the edge function's code in it.

Prints its path. The same sources give the same bytes. Needs Python 3.9 and nothing else.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from edge_code import edge_code

PROJECT = Path(__file__).resolve().parents[2]
# What the template holds in the place of the code: it tells who deploys it as it is.
PLACE = (
    "function handler(){return{statusCode:503,"
    "body:'Not built. Deploy build/template.yaml, see deployment/build_template.py'}}"
)


def build(template: str, code: str) -> str:
    """Return the template with the code in the one line that names its place.

    Raises `ValueError` when there is not one such line, or when the code would not come out of YAML as it is.
    """
    lines = template.splitlines(keepends=True)
    places = [number for number, line in enumerate(lines) if line.lstrip().startswith(f"- {PLACE}")]
    if len(places) != 1:
        raise ValueError(f"the template has {len(places)} lines for the edge function's code, not one: - {PLACE}")
    if not code.strip() or code[0].isspace() or not code.endswith("\n") or code.endswith("\n\n"):
        raise ValueError("the edge function's code has to begin with code and end with one end of line")
    if not code.isascii() or not code.replace("\n", "").isprintable():
        raise ValueError("the edge function's code has to be of printable ASCII characters")
    [number] = places
    indent = lines[number][: lines[number].index("-")]
    block = [f"{indent}- |\n", *(f"{indent}  {line}\n" if line else "\n" for line in code.splitlines())]
    return "".join([*lines[:number], *block, *lines[number + 1 :]])


def main() -> None:
    """Write the template, whole or not at all, and print its path."""
    target = PROJECT / "build" / "template.yaml"
    built = build((PROJECT / "templates" / "main.yaml").read_text("utf-8"), edge_code())
    target.parent.mkdir(exist_ok=True)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    unfinished.write_bytes(built.encode("utf-8"))
    unfinished.replace(target)
    print(target)


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(f"build_template.py: {error}")
