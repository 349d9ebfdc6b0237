"""The grammar of transformations, written one way everywhere: `width=300,format=webp`.

`OPTIONS` is the one table that parsing, the canonical text, the messages and the README follow. Equal pictures have
equal texts: options stand in table order, and what is a default, or has no effect beside the others, is left out.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Final

from image_processor.errors import InvalidTransformation, shown

MAX_SIDE: Final = 8192  # pixels; no side of a picture is longer
MAX_PIXELS: Final = 8192 * 4096  # of a picture; encoded as AVIF or WebP they take 1 GB and 15 s
FITS: Final = ("cover", "contain", "inside", "outside", "fill")
EXACT_FITS: Final = ("cover", "contain", "fill")  # with both sides given, the size is exact
POSITIONS: Final = {  # where a crop or a letterboxed picture lies: the share of the room to its left and above it
    "center": (0.5, 0.5),
    "top": (0.5, 0.0),
    "right top": (1.0, 0.0),
    "right": (1.0, 0.5),
    "right bottom": (1.0, 1.0),
    "bottom": (0.5, 1.0),
    "left bottom": (0.0, 1.0),
    "left": (0.0, 0.5),
    "left top": (0.0, 0.0),
}
FORMATS: Final = ("jpeg", "png", "webp", "avif", "gif")
DEFAULT_QUALITY: Final = {"jpeg": 80, "webp": 80, "avif": 60}  # the formats that lose; the others have no quality
ALPHA_FORMATS: Final = ("png", "webp", "avif", "gif")
COLOURS: Final = {  # the sixteen names of HTML 4 and CSS 2.1, with `transparent`
    "aqua": "00ffff", "black": "000000", "blue": "0000ff", "fuchsia": "ff00ff", "gray": "808080", "green": "008000",
    "lime": "00ff00", "maroon": "800000", "navy": "000080", "olive": "808000", "purple": "800080", "red": "ff0000",
    "silver": "c0c0c0", "teal": "008080", "transparent": "00000000", "white": "ffffff", "yellow": "ffff00",
}  # fmt: skip
VARIANT_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Option:
    """One option of the grammar. `read` takes a lower-case text and raises `ValueError` for what is not `allowed`."""

    name: str
    allowed: str
    default: str
    meaning: str
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str


def _whole_number(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch("[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return read


def _one_of(*words: str, **aliases: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        text = aliases.get(text, text)
        if text not in words:
            raise ValueError(text)
        return text

    return read


def _colour(text: str) -> str:
    digits = COLOURS.get(text, text.removeprefix("#"))
    if not re.fullmatch("[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8}", digits):
        raise ValueError(text)
    if len(digits) < 6:  # the short form doubles each digit, as in CSS
        digits = "".join(2 * digit for digit in digits)
    return digits[:6] if digits[6:] == "ff" else digits


def _switch(text: str) -> bool:
    return {"true": True, "false": False}[_one_of("true", "false")(text)]


def _write_switch(value: bool) -> str:  # noqa: FBT001 - the value of an option
    return str(value).lower()


OPTIONS: Final = (
    Option("width", f"1 to {MAX_SIDE}", "the source's", "the picture's width in pixels", _whole_number(1, MAX_SIDE)),
    Option("height", f"1 to {MAX_SIDE}", "the source's", "the picture's height in pixels", _whole_number(1, MAX_SIDE)),
    Option(
        "fit",
        ", ".join(FITS),
        "cover",
        "with both sides given: fill and crop, letterbox, fit inside, fit around, or distort",
        _one_of(*FITS),
    ),
    Option(
        "position",
        ", ".join(POSITIONS),
        "center",
        "the part that `cover` keeps, or the place where `contain` puts the picture",
        _one_of(*POSITIONS),
    ),
    Option(
        "format",
        ", ".join((*FORMATS, "auto")),
        "auto",
        "`auto` is the source's own format if the web shows it, else jpeg, or png with alpha",
        _one_of(*FORMATS, "auto", jpg="jpeg"),
    ),
    Option(
        "quality",
        "1 to 100",
        ", ".join(f"{name} {quality}" for name, quality in DEFAULT_QUALITY.items()),
        "fewer bytes or a truer picture; png and gif have none",
        _whole_number(1, 100),
    ),
    Option(
        "background",
        f"3, 4, 6 or 8 hexadecimal digits, or {', '.join(COLOURS)}",
        "transparent, or white where the format has no alpha",
        "what `contain` letterboxes with, and what shows through where the format has no alpha",
        _colour,
    ),
    Option(
        "enlarge",
        "true, false",
        "false",
        "lets a picture be larger than its source; with both sides given, `cover`, `contain` and `fill` always may",
        _switch,
        _write_switch,
    ),
)
_BY_NAME: Final = {option.name: option for option in OPTIONS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformation:
    """The options that make one picture from a source; `str()` of it is its canonical text.

    Always valid and in canonical form: building one raises `InvalidTransformation` for a value that is not allowed, and
    sets to its default what has no effect. Sides are in pixels, `background` is `rrggbb` or `rrggbbaa`; None is what
    the source or the format decides.
    """

    width: int | None = None
    height: int | None = None
    fit: str = "cover"
    position: str = "center"
    format: str | None = None
    quality: int | None = None
    background: str | None = None
    enlarge: bool = False

    @classmethod
    def parse(cls, text: str) -> "Transformation":
        """Read `name=value` joined by commas, in any order and case.

        Raises `InvalidTransformation`, naming the option, what came and what is allowed; also for a text whose options
        change nothing, since it would have no name to be stored under.
        """
        values: dict[str, Any] = {}
        for part in text.split(","):
            name, equals, value = (piece.strip().lower() for piece in part.partition("="))
            if not equals:
                raise InvalidTransformation(
                    f"{shown(part.strip())} is not an option; write name=value, joined by commas"
                )
            if name not in _BY_NAME:
                raise InvalidTransformation(f"there is no option {shown(name)}; the options are {', '.join(_BY_NAME)}")
            if name in values:
                raise InvalidTransformation(f"option {name} is given twice")
            values[name] = _read(_BY_NAME[name], value)
        transformation = cls(**values)
        if not str(transformation):
            raise InvalidTransformation(f"{shown(text)} changes nothing; give a width, a height, a format or a quality")
        return transformation

    def __post_init__(self) -> None:
        for option in OPTIONS:
            value = getattr(self, option.name)
            if value is not None and _read(option, option.write(value).lower()) != value:
                raise InvalidTransformation(f"option {option.name}: {shown(value)} is not in canonical form")
        for name in self._without_effect():
            object.__setattr__(self, name, _DEFAULTS[name])

    def _without_effect(self) -> set[str]:
        sides = (self.width is not None) + (self.height is not None)
        exact = sides == 2 and self.fit in EXACT_FITS
        nothing: set[str] = set()
        if sides < 2:  # one side alone is met by scaling, whatever the fit
            nothing |= {"fit", "position"}
        if self.fit not in ("cover", "contain"):
            nothing.add("position")
        if exact or sides == 0:
            nothing.add("enlarge")
        if self.format == "auto":
            nothing.add("format")
        if self.format in FORMATS and self.quality == DEFAULT_QUALITY.get(self.format, self.quality):
            nothing.add("quality")
        letterboxed = exact and self.fit == "contain"
        if self.format != "jpeg" and not letterboxed:  # every other format keeps alpha, and auto takes one that can
            nothing.add("background")
        if self.background and (self.background[6:] == "00" or (self.format == "jpeg" and self.background == "ffffff")):
            nothing.add("background")
        return nothing

    def __str__(self) -> str:
        return ",".join(
            f"{option.name}={option.write(getattr(self, option.name))}"
            for option in OPTIONS
            if getattr(self, option.name) != _DEFAULTS[option.name]
        )


_DEFAULTS: Final = {field.name: field.default for field in fields(Transformation)}


def check_area(transformation: Transformation) -> None:
    """Raise `InvalidTransformation` for two sides, to be met exactly, that are more than `MAX_PIXELS`."""
    width, height = transformation.width, transformation.height
    if width and height and transformation.fit in EXACT_FITS and width * height > MAX_PIXELS:
        raise InvalidTransformation(f"a picture of {width}×{height} pixels is too large, allowed: {MAX_PIXELS} in all")


@dataclass(frozen=True, slots=True)
class Variant:
    """A named transformation, rendered for every source."""

    name: str
    transformation: Transformation


def parse_variants(text: str) -> tuple[Variant, ...]:
    """Read `name:transformation` joined by semicolons; raises `InvalidTransformation`, naming the variant."""
    variants: dict[str, Variant] = {}
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        name, colon, options = (piece.strip() for piece in part.partition(":"))
        if not colon or not VARIANT_NAME.fullmatch(name):
            raise InvalidTransformation(
                f"variant {shown(part)} is not name:transformation, with a name of 1 to 64 letters, digits, '-' and '_'"
            )
        if name in variants:
            raise InvalidTransformation(f"variant {name} is given twice")
        try:
            variants[name] = Variant(name, Transformation.parse(options))
            check_area(variants[name].transformation)
        except InvalidTransformation as error:
            raise InvalidTransformation(f"variant {name}: {error}") from error
    if not variants:
        raise InvalidTransformation("there must be at least one variant, such as thumbnail:width=128,height=128")
    return tuple(variants.values())


def _read(option: Option, text: str) -> Any:
    try:
        return option.read(text)
    except ValueError as error:
        raise InvalidTransformation(f"option {option.name}: got {shown(text)}, allowed: {option.allowed}") from error
