"""The tables of options in other forms: JSON, the manual's table, and the constants of the edge function.

Not needed to process a picture; the build, the tests and the manual use it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from image_processor.transformations.kinds import COLOURS, Option
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

SWITCH: Final = ("true", "false")
WIDTH: Final = 118  # of a line of generated JavaScript


def as_data() -> dict[str, Any]:
    """All tables as values that JSON knows, for a program that offers the options to its user."""
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

    Values are texts, as a URL has them. What has an order is a list or a text, because CloudFront's runtime does not
    keep the order of an object's names.
    """
    texts = [option for option in OPTIONS if option.kind in ("colour", "rectangle", "key")]
    orientations = {" ".join(map(_text, pair)): list(map(_text, same)) for pair, same in SAME_ORIENTATIONS.items()}
    constants: dict[str, Any] = {
        "// Every option, in the order of the canonical text.": None,
        "NAMES": [option.name for option in OPTIONS],
        "// The options that are numbers: the least and the greatest value.": None,
        "WHOLE_NUMBERS": _ranges("whole number"),
        "DECIMALS": _ranges("decimal"),
        "// The options that are words: the words, and other ways to write one.": None,
        "WORDS": {option.name: _words(option) for option in OPTIONS if _words(option)},
        "ALIASES": {f"{option.name}={alias}": word for option in OPTIONS for alias, word in option.aliases},
        "// The other options: which function reads them, and what a message says is allowed.": None,
        "KINDS": {option.name: option.kind for option in texts},
        "ALLOWED": {option.name: option.allowed for option in texts},
        "// What the canonical text leaves out.": None,
        "DEFAULTS": {option.name: option.write(option.default) for option in OPTIONS if option.default is not None},
        "// What the rules below need to know of single options and values.": None,
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
        "SAME_ORIENTATIONS": orientations,
        "COLOUR_NAMES": list(COLOURS),
        "COLOUR_DIGITS": list(COLOURS.values()),
    }
    return "".join(f"{name}\n" if value is None else _constant(name, value) for name, value in constants.items())


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


def _ranges(kind: str) -> dict[str, list[float]]:
    return {option.name: [option.minimum, option.maximum] for option in OPTIONS if option.kind == kind}


def _words(option: Option) -> Sequence[str]:
    return SWITCH if option.kind == "switch" else option.choices


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
