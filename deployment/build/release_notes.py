"""Prints the notes of a release: the section of CHANGELOG.md for a tag such as v1.0.0.

    release_notes.py TAG

Fails when the tag does not name the version of the code, or when CHANGELOG.md has no dated section for that version.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "src"))
sys.dont_write_bytecode = True

from image_processor import __version__  # noqa: E402 - found on the path above


def notes(changelog: str, version: str) -> str:
    """Return the text under `## VERSION - YYYY-MM-DD`; ValueError when there is none."""
    _, *parts = re.split(r"^## +(.*)$", changelog, flags=re.MULTILINE)
    headings, texts = parts[::2], parts[1::2]
    dated = re.compile(re.escape(version) + r" - \d{4}-\d\d-\d\d")
    found = [text.strip() for heading, text in zip(headings, texts, strict=True) if dated.fullmatch(heading)]
    if len(found) != 1 or not found[0]:
        raise ValueError(f"CHANGELOG.md needs one section '## {version} - YYYY-MM-DD' with a text; it has {headings}")
    return found[0]


def check(tag: str) -> None:
    """Raise ValueError unless the tag names the version of the code."""
    if tag != f"v{__version__}":
        raise ValueError(f"the tag is '{tag}', and __version__ of src/image_processor/__init__.py is '{__version__}'")


def main(arguments: list[str]) -> int:
    """Run the command line; 2 when it is wrong."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        check(arguments[0])
        text = notes((PROJECT / "CHANGELOG.md").read_text(encoding="utf-8"), __version__)
    except ValueError as error:
        print(f"release_notes.py: {error}", file=sys.stderr)
        return 1
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
