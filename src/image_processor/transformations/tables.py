"""The tables of options in other forms: JSON, and the manual's table.

Not needed to process a picture; the build, the tests and the manual use it.
"""

from typing import Any

from image_processor.transformations.kinds import COLOURS, Option
from image_processor.transformations.options import (
    FIT_MODES,
    MAX_PIXELS,
    MAX_SIDE,
    OPTIONS,
    OUTPUT_FORMATS,
)


def as_data() -> dict[str, Any]:
    """All tables as values that JSON can represent, for a program that offers the options to its user."""
    return {
        "options": [_row(option) for option in OPTIONS],
        "fits": {name: mode._asdict() for name, mode in FIT_MODES.items()},
        "formats": {name: capabilities._asdict() for name, capabilities in OUTPUT_FORMATS.items()},
        "colours": dict(COLOURS),
        "max_side": MAX_SIDE,
        "max_pixels": MAX_PIXELS,
    }


def manual_table() -> list[str]:
    """The lines of the manual's table of options, in Markdown."""
    rows = [f"| `{option.name}` | {option.allowed} | {_default(option)} | {option.meaning} |" for option in OPTIONS]
    return ["| option | values | default | |", "| --- | --- | --- | --- |", *rows]


def _row(option: Option) -> dict[str, Any]:
    row = {
        "name": option.name,
        "kind": option.kind,
        "allowed": option.allowed,
        "default": _default(option),
        "meaning": option.meaning,
    }
    if option.kind in ("whole number", "decimal"):
        return {**row, "minimum": option.minimum, "maximum": option.maximum}
    if option.choices:
        return {**row, "choices": list(option.choices), "aliases": dict(option.aliases)}
    return row


def _default(option: Option) -> str:
    return option.default_text if option.default is None else option.write(option.default)
