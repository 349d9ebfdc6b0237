"""The parts of the edge function that are generated from the table of options, as JavaScript.

Values are texts, as a URL has them. Each part is put between two marker comments of its name.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from image_processor.transformations.kinds import COLOURS, SWITCH
from image_processor.transformations.options import (
    ANIMATED_FORMATS,
    AUTO_FORMATS,
    DEFAULT_QUALITY,
    EXACT_FITS,
    LETTERBOXED_FITS,
    LOSSLESS_FORMATS,
    MAX_SIDE,
    OPTIONS,
    POSITIONED_FITS,
    SMART_FITS,
    SMART_POSITIONS,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from image_processor.transformations.kinds import Option

WIDTH: Final = 116  # of a line of generated JavaScript


def edge_parts() -> dict[str, str]:
    """The generated lines, by the name of their markers; each line ends with a newline, and none is indented."""
    return {name: "".join(f"{line}\n" for line in part()) for name, part in _PARTS.items()}


def _constants() -> Iterable[str]:
    """What messages list, what the rules need to know of single values, and what is looked up."""
    yield f"const NAMES = {_text(', '.join(option.name for option in OPTIONS))};"
    yield f"const COLOURS = {_text(', '.join(COLOURS))};"
    yield f"const MAX_SIDE = {MAX_SIDE};"
    for name, words in {
        "EXACT_FITS": EXACT_FITS,
        "POSITIONED_FITS": POSITIONED_FITS,
        "SMART_FITS": SMART_FITS,
        "LETTERBOXED_FITS": LETTERBOXED_FITS,
        "SMART_POSITIONS": SMART_POSITIONS,
        "LOSSLESS_FORMATS": LOSSLESS_FORMATS,
        "ANIMATED_FORMATS": ANIMATED_FORMATS,
    }.items():
        yield f"const {name} = {_text(' '.join(words))};"
    yield ""
    yield from _look_up("digitsOf", "colour", COLOURS, "colour[0] === '#' ? colour.slice(1) : colour")
    yield ""
    qualities = {name: str(quality) for name, quality in DEFAULT_QUALITY.items()}
    yield from _look_up("defaultQuality", "format", qualities, "''")
    yield ""
    chosen = "".join(f"accepts(accept, 'image/{name}') ? '{name}' : " for name in AUTO_FORMATS)
    yield from ("// The first of the formats that the browser names.", "function negotiated(accept) {")
    yield from (f"    return {chosen}'';", "}")


def _look_up(name: str, argument: str, values: Mapping[str, str], default: str) -> Iterable[str]:
    yield f"function {name}({argument}) {{"
    yield f"    switch ({argument}) {{"
    for key, value in values.items():
        yield f"    case {_text(key)}: return {_text(value)};"
    yield f"    default: return {default};"
    yield from ("    }", "}")


def _declarations() -> Iterable[str]:
    """A local variable for each option, with its default."""
    return _wrapped("let ", [f"{option.name} = {_text(_default(option))}" for option in OPTIONS], ";")


def _cases() -> Iterable[str]:
    """The case of each option in a switch, which reads the value."""
    for option in OPTIONS:
        line = f"case {_text(option.name)}: {option.name} = {_reader(option)}; break;"
        label, _, rest = line.partition(": ")
        yield from [line] if len(line) <= WIDTH else [f"{label}:", f"    {rest}"]


def _canonical() -> Iterable[str]:
    """What the canonical text has: the options that differ from their defaults, in the order of the table."""
    for option in OPTIONS:
        if option.name != "dpr":  # it has been multiplied with the lengths
            default = _default(option)
            condition = f"{option.name} !== {_text(default)}" if default else option.name
            yield f"if ({condition}) {{ text += ',{option.name}=' + {option.name}; }}"


_PARTS: Final[Mapping[str, Callable[[], Iterable[str]]]] = {
    "constants": _constants,
    "options": _declarations,
    "cases": _cases,
    "canonical": _canonical,
}
_READERS: Final = {"colour": "readColour", "rectangle": "readRectangle", "key": "readKey"}


def _reader(option: Option) -> str:
    """The call that reads the option."""
    if option.kind in ("whole number", "decimal"):
        function = "readWhole" if option.kind == "whole number" else "readDecimal"
        return f"{function}(name, text, {option.minimum:.12g}, {option.maximum:.12g})"
    if option.kind in _READERS:
        return f"{_READERS[option.kind]}(name, text)"
    aliases = ", ".join(f"{alias}: {_text(word)}" for alias, word in option.aliases)
    words = " ".join(SWITCH if option.kind == "switch" else option.choices)
    return f"readWord(name, text, ' {words} '{f', {{{aliases}}}' if aliases else ''})"


def _default(option: Option) -> str:
    return "" if option.default is None else option.write(option.default)


def _wrapped(start: str, items: Sequence[str], end: str) -> Iterable[str]:
    """The items joined by commas, in as few lines as fit."""
    line = start
    for item in items:
        part = f"{item}{'' if item is items[-1] else ', '}"
        if len(line) + len(part) > WIDTH:
            yield line.rstrip()
            line = "    "
        line += part
    yield line + end


def _text(value: Any) -> str:
    return json.dumps(value) if "'" in value else f"'{value}'"
