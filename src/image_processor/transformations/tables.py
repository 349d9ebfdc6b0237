"""The tables of options in other forms: JSON, the manual's table, and the constants of the edge function.

Not needed to process a picture; the build, the tests and the manual use it.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import starmap
from typing import Any, Final

from image_processor.transformations.kinds import COLOURS, SWITCH, Option
from image_processor.transformations.options import (
    ANIMATED_FORMATS,
    AUTO_FORMATS,
    DEFAULT_QUALITY,
    EXACT_FITS,
    FIT_MODES,
    LENGTHS,
    LETTERBOXED_FITS,
    LOSSLESS_FORMATS,
    MAX_PIXELS,
    MAX_SIDE,
    OPTIONS,
    OUTPUT_FORMATS,
    POSITIONED_FITS,
    SAME_ORIENTATIONS,
    SMART_FITS,
    SMART_POSITIONS,
)

WIDTH: Final = 118  # of a line of generated JavaScript


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


def edge_constants() -> str:
    """The constants that the edge function's rules read, in JavaScript.

    Values are texts, as a URL has them. What has an order is a list, because CloudFront's runtime does not preserve
    the order of an object's names.
    """
    return "".join(
        f"// {comment}\n" + "".join(starmap(_constant, constants.items()))
        for comment, constants in (
            ("Every option, in the order of the canonical text.", {"NAMES": [option.name for option in OPTIONS]}),
            ("The options that are numbers: the least and the greatest value.", _number_constants()),
            ("The options that are words: the words, and other ways to write one.", _word_constants()),
            ("The other options: how they are read, and what a message says is allowed.", _text_constants()),
            ("What the canonical text leaves out.", {"DEFAULTS": _canonical_defaults()}),
            ("What the rules below need to know of single options and values.", _rule_constants()),
        )
    )


def _number_constants() -> dict[str, Any]:
    kinds = {"WHOLE_NUMBERS": "whole number", "DECIMALS": "decimal"}
    return {
        name: {option.name: [option.minimum, option.maximum] for option in OPTIONS if option.kind == kind}
        for name, kind in kinds.items()
    }


def _word_constants() -> dict[str, Any]:
    words = {option.name: tuple(SWITCH) if option.kind == "switch" else option.choices for option in OPTIONS}
    return {
        "WORDS": {name: choices for name, choices in words.items() if choices},
        "ALIASES": {f"{option.name}={alias}": word for option in OPTIONS for alias, word in option.aliases},
    }


def _text_constants() -> dict[str, Any]:
    texts = [option for option in OPTIONS if option.kind in ("colour", "rectangle", "key")]
    return {
        "KINDS": {option.name: option.kind for option in texts},
        "ALLOWED": {option.name: option.allowed for option in texts},
        "COLOUR_NAMES": list(COLOURS),
        "COLOUR_DIGITS": list(COLOURS.values()),
    }


def _canonical_defaults() -> dict[str, str]:
    return {option.name: option.write(option.default) for option in OPTIONS if option.default is not None}


def _rule_constants() -> dict[str, Any]:
    return {
        "MAX_SIDE": MAX_SIDE,
        "LENGTHS": LENGTHS,
        "EXACT_FITS": EXACT_FITS,
        "POSITIONED_FITS": POSITIONED_FITS,
        "SMART_FITS": SMART_FITS,
        "LETTERBOXED_FITS": LETTERBOXED_FITS,
        "SMART_POSITIONS": SMART_POSITIONS,
        "DEFAULT_QUALITY": {name: str(quality) for name, quality in DEFAULT_QUALITY.items()},
        "LOSSLESS_FORMATS": LOSSLESS_FORMATS,
        "ANIMATED_FORMATS": ANIMATED_FORMATS,
        "AUTO_FORMATS": AUTO_FORMATS,
        "SAME_ORIENTATIONS": {
            " ".join(map(_text, pair)): list(map(_text, same)) for pair, same in SAME_ORIENTATIONS.items()
        },
    }


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


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _constant(name: str, value: object) -> str:
    if isinstance(value, Mapping):
        properties = [f"{_property(key)}: {_javascript(item)}" for key, item in value.items()]
        return f"const {name} = {{\n{_wrapped(properties)}\n}};\n"
    line = f"const {name} = {_javascript(value)};\n"
    if len(line) > WIDTH and isinstance(value, Sequence):
        return f"const {name} = [\n{_wrapped([_javascript(item) for item in value])}\n];\n"
    return line


def _wrapped(items: Sequence[str]) -> str:
    """The items joined by commas, in as few lines as fit."""
    lines = [""]
    for item in items:
        if len(lines[-1]) + len(item) > WIDTH and lines[-1]:
            lines.append("")
        lines[-1] += f" {item}," if lines[-1] else f"    {item},"
    return "\n".join(lines).removesuffix(",")


def _javascript(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value) if "'" in value else f"'{value}'"
    if isinstance(value, Sequence):
        return f"[{', '.join(map(_javascript, value))}]"
    return json.dumps(value)


def _property(name: str) -> str:
    return name if name.isidentifier() else _javascript(name)
