"""Reads the parameter Variants, and says how it has changed.

    variants.py BEFORE AFTER    prints `same`, `added`, or `changed` if a variant has another transformation now

Texts that mean the same are the same, such as one with and one without a default value. The function's own code reads
them, which needs Python 3.11; an older Python does not check them, and compares the texts.
"""

from __future__ import annotations

import sys

from terminal import say


def canonical(variants: str) -> dict[str, str]:
    """Return the canonical text of each variant's transformation; raises `ValueError` with the function's message."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the commands support 3.9
        return as_written(variants)
    from image_processor.errors import InvalidTransformation
    from image_processor.transformations.variants import parse_variants

    try:
        return {variant.name: str(variant.transformation) for variant in parse_variants(variants)}
    except InvalidTransformation as error:
        raise ValueError(str(error)) from error


def as_written(variants: str) -> dict[str, str]:
    """Return the text of each variant's transformation."""
    pairs = (variant.partition(":") for variant in variants.split(";") if variant.strip())
    return {name.strip(): text.strip() for name, _, text in pairs}


def compare(before: str, after: str) -> str:
    """Return the word for a change."""
    try:
        former, new = canonical(before), canonical(after)
    except ValueError:  # the former one is of a version that allowed more
        former, new = as_written(before), as_written(after)
    if former == new:
        return "same"
    return "changed" if any(former[name] != new[name] for name in former.keys() & new.keys()) else "added"


def main(before: str, after: str) -> None:
    """Run the command line."""
    found = compare(before, after)
    if found == "changed" and sys.version_info < (3, 11):
        say("Note: Variants are compared as texts, because this Python is older than 3.11.", sys.stderr)
    print(found)


if __name__ == "__main__":
    main(*sys.argv[1:])
