"""An option as a row of data, and the kinds of values that options have: how each is read, written and described."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple

from image_processor.errors import InvalidTransformation, shown

COLOURS: Final = {  # the sixteen names of HTML 4 and CSS 2.1, with `transparent`
    "aqua": "00ffff", "black": "000000", "blue": "0000ff", "fuchsia": "ff00ff", "gray": "808080", "green": "008000",
    "lime": "00ff00", "maroon": "800000", "navy": "000080", "olive": "808000", "purple": "800080", "red": "ff0000",
    "silver": "c0c0c0", "teal": "008080", "transparent": "00000000", "white": "ffffff", "yellow": "ffff00",
}  # fmt: skip
SWITCH: Final = {"true": True, "false": False}
KindName = Literal["whole number", "decimal", "choice", "degrees", "switch", "colour", "rectangle", "key"]


class Option(NamedTuple):  # a dataclass would add 0.8 ms to a cold start
    """One option: a row of data. Its kind says how its values are read and written."""

    name: str
    kind: KindName
    minimum: float = 0  # of a number
    maximum: float = 0
    choices: tuple[str, ...] = ()  # in lower case, with hyphens for spaces
    aliases: tuple[tuple[str, str], ...] = ()  # other words for choices, each with its choice
    default: Any = None  # what the canonical text leaves out; None where the source or the format decides, or for "off"
    default_text: str = ""  # what the manual gives as the default where `default` is None
    meaning: str = ""  # for the manual, in Markdown

    @property
    def allowed(self) -> str:
        """The allowed values, as messages and the manual give them."""
        return KINDS[self.kind].describe(self)

    @property
    def keeps_case(self) -> bool:
        """Whether upper and lower case differ."""
        return self.kind == "key"

    def read(self, text: str) -> Any:
        """The option's value; raises `InvalidTransformation`, naming the option, the text and the allowed values."""
        value = KINDS[self.kind].read(self, text if self.keeps_case else text.lower())
        if value is None:
            # Only a value of a URL has a comma. Elsewhere, commas join the options.
            hint = "; in a URL, & joins the options" if re.search(", *[A-Za-z_]+=", text) else ""
            raise InvalidTransformation(f"option {self.name}: got {shown(text)}, allowed: {self.allowed}{hint}")
        return value

    def write(self, value: Any) -> str:
        """The value as the canonical text has it."""
        return KINDS[self.kind].write(value)


class Kind(NamedTuple):
    """What is done with the values of one kind of option."""

    read: Callable[[Option, str], Any]  # the value of a lower-case text; None for what is not allowed
    write: Callable[[Any], str]
    describe: Callable[[Option], str]  # the allowed values, in words


def _read_whole_number(option: Option, text: str) -> int | None:
    if re.fullmatch("[0-9]{1,9}", text) and option.minimum <= int(text) <= option.maximum:
        return int(text)
    return None


def _read_decimal(option: Option, text: str) -> float | None:
    if re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,2})?", text) and option.minimum <= float(text) <= option.maximum:
        return float(text)
    return None


def _read_choice(option: Option, text: str) -> str | None:
    word = text.replace(" ", "-")  # release 1.0 had `right top`, which a URL has to encode
    word = dict(option.aliases).get(word, word)
    return word if word in option.choices else None


def _read_degrees(option: Option, text: str) -> int | None:
    return int(text) if text in option.choices else None


def _read_switch(_: Option, text: str) -> bool | None:
    return SWITCH.get(text)


def _read_colour(_: Option, text: str) -> str | None:
    digits = COLOURS.get(text, text.removeprefix("#"))
    if not re.fullmatch("[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8}", digits):
        return None
    if len(digits) < 6:  # the short form doubles each digit, as in CSS
        digits = "".join(2 * digit for digit in digits)
    return digits[:6] if digits[6:] == "ff" else digits


def _read_rectangle(_: Option, text: str) -> tuple[int, ...] | None:
    if not re.fullmatch("[0-9]{1,5}(_[0-9]{1,5}){3}", text):
        return None
    numbers = tuple(map(int, text.split("_")))
    return None if 0 in numbers[2:] or max(numbers) > 65_535 else numbers


def _read_key(_: Option, text: str) -> str | None:
    """The key of a source; `~` replaces the slash, which would split the rendition's key."""
    return text if re.fullmatch("[A-Za-z0-9._~-]{1,200}", text) else None


def _write_decimal(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _write_switch(value: bool) -> str:  # noqa: FBT001 - the value of an option
    return str(value).lower()


def _write_rectangle(numbers: tuple[int, ...]) -> str:
    return "_".join(map(str, numbers))


def _describe_whole_number(option: Option) -> str:
    return f"{option.minimum} to {option.maximum}"


def _describe_decimal(option: Option) -> str:
    return f"{option.minimum:g} to {option.maximum:g}, with at most two decimals"


def _describe_choices(option: Option) -> str:
    return ", ".join(option.choices)


KINDS: Final[Mapping[str, Kind]] = {
    "whole number": Kind(_read_whole_number, str, _describe_whole_number),
    "decimal": Kind(_read_decimal, _write_decimal, _describe_decimal),
    "choice": Kind(_read_choice, str, _describe_choices),
    "degrees": Kind(_read_degrees, str, _describe_choices),
    "switch": Kind(_read_switch, _write_switch, lambda _: ", ".join(SWITCH)),
    "colour": Kind(_read_colour, str, lambda _: f"3, 4, 6 or 8 hexadecimal digits, or {', '.join(COLOURS)}"),
    "rectangle": Kind(_read_rectangle, _write_rectangle, lambda _: "left_top_width_height, of 0 to 65535"),
    "key": Kind(_read_key, str, lambda _: "1 to 200 letters, digits, '.', '_', '-' and '~'"),
}
