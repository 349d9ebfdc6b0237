"""The options of a transformation: the one table that parsing, the canonical text, the messages and the README follow.

Words and meanings are those of sharp, and so of AWS's own image solution, where these have one.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from image_processor.errors import InvalidTransformation, shown

MAX_SIDE: Final = 8192  # pixels; no side of a picture is longer
MAX_PIXELS: Final = 8192 * 4096  # of a picture, all its frames; encoded as AVIF or WebP they take 1 GB and 15 s
FITS: Final = ("cover", "contain", "inside", "outside", "fill")
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
SMART_POSITIONS: Final = ("entropy", "attention")  # a crop on what matters; contain takes them as center
FORMATS: Final = ("jpeg", "png", "webp", "avif", "gif")
DEFAULT_QUALITY: Final = {"jpeg": 80, "webp": 80, "avif": 60}  # the formats that lose; the others have no quality
ALPHA_FORMATS: Final = ("png", "webp", "avif", "gif")
ANIMATED_FORMATS: Final = ("webp", "avif", "gif")
LOSSLESS_FORMATS: Final = ("webp",)  # those with the choice: png and gif know nothing else, Pillow's avif always rounds
AUTO_FORMATS: Final = ("avif", "webp")  # what `auto` in a URL may become: the first that the browser asks for by name
FLIPS: Final = ("horizontal", "vertical", "both")
TURNS: Final = (90, 180, 270)
COLOURS: Final = {  # the sixteen names of HTML 4 and CSS 2.1, with `transparent`
    "aqua": "00ffff", "black": "000000", "blue": "0000ff", "fuchsia": "ff00ff", "gray": "808080", "green": "008000",
    "lime": "00ff00", "maroon": "800000", "navy": "000080", "olive": "808000", "purple": "800080", "red": "ff0000",
    "silver": "c0c0c0", "teal": "008080", "transparent": "00000000", "white": "ffffff", "yellow": "ffff00",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Option:
    """One option of the grammar. `parse` takes a lower-case text and raises `ValueError` for what is not `allowed`."""

    name: str
    allowed: str
    default: str
    meaning: str
    parse: Callable[[str], Any]
    write: Callable[[Any], str] = str
    keeps_case: bool = False

    def read(self, text: str) -> Any:
        """The option's value; raises `InvalidTransformation`, naming the option, what came and what is allowed."""
        try:
            return self.parse(text if self.keeps_case else text.lower())
        except ValueError as error:
            raise InvalidTransformation(f"option {self.name}: got {shown(text)}, allowed: {self.allowed}") from error


def _whole_number(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch("[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return parse


def _decimal(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,2})?", text) or not low <= float(text) <= high:
            raise ValueError(text)
        return float(text)

    return parse


def _write_decimal(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _one_of(*words: str, **aliases: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        text = aliases.get(text, text)
        if text not in words:
            raise ValueError(text)
        return text

    return parse


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


def _turn(text: str) -> int:
    return int(_one_of(*map(str, TURNS))(text))


def _rectangle(text: str) -> tuple[int, ...]:
    if not re.fullmatch("[0-9]{1,5}(_[0-9]{1,5}){3}", text):
        raise ValueError(text)
    numbers = tuple(map(int, text.split("_")))
    if 0 in numbers[2:] or max(numbers) > 65_535:
        raise ValueError(text)
    return numbers


def _write_rectangle(numbers: tuple[int, ...]) -> str:
    return "_".join(map(str, numbers))


def _key(text: str) -> str:
    """The key of a source; `~` stands for the slash, which would part the rendition's own key."""
    if not re.fullmatch("[A-Za-z0-9._~-]{1,200}", text):
        raise ValueError(text)
    return text


def _number(name: str, low: int, high: int, default: str, meaning: str) -> Option:
    return Option(name, f"{low} to {high}", default, meaning, _whole_number(low, high))


def _share(name: str, low: float, high: float, default: str, meaning: str) -> Option:
    allowed = f"{low:g} to {high:g}, with at most two decimals"
    return Option(name, allowed, default, meaning, _decimal(low, high), _write_decimal)


def _choice(name: str, words: tuple[str, ...], default: str, meaning: str, **aliases: str) -> Option:
    return Option(name, ", ".join(words), default, meaning, _one_of(*words, **aliases))


def _yes_or_no(name: str, meaning: str) -> Option:
    return Option(name, "true, false", "false", meaning, _switch, _write_switch)


OPTIONS: Final = (
    _number("width", 1, MAX_SIDE, "the source's", "the picture's width in pixels"),
    _number("height", 1, MAX_SIDE, "the source's", "the picture's height in pixels"),
    _choice(
        "fit", FITS, "cover", "with both sides given: fill and crop, letterbox, fit inside, fit around, or distort"
    ),
    _choice(
        "position",
        (*POSITIONS, *SMART_POSITIONS),
        "center",
        "the part that `cover` keeps, or the place where `contain` puts the picture; `entropy` keeps the part with "
        "most detail, `attention` the one that draws the eye",
    ),
    _choice(
        "format",
        (*FORMATS, "auto"),
        "auto",
        "`auto` is the source's own format if the web shows it, else jpeg, or png with alpha",
        jpg="jpeg",
    ),
    _number(
        "quality",
        1,
        100,
        ", ".join(f"{name} {quality}" for name, quality in DEFAULT_QUALITY.items()),
        "fewer bytes or a truer picture; png and gif have none",
    ),
    _share("dpr", 1, 4, "1", "the screen's pixels for each of the page's: multiplies `width`, `height` and `radius`"),
    Option(
        "background",
        f"3, 4, 6 or 8 hexadecimal digits, or {', '.join(COLOURS)}",
        "transparent, or white where the format has no alpha",
        "what `contain` letterboxes with, and what shows through where the format has no alpha",
        _colour,
    ),
    Option("rotate", ", ".join(map(str, TURNS)), "off", "turns the upright source clockwise, in degrees", _turn),
    _choice("flip", FLIPS, "off", "mirrors left and right, top and bottom, or both, after `rotate`"),
    Option(
        "crop",
        "left_top_width_height, of 0 to 65535",
        "off",
        "the part of the upright source that all is made from, in its pixels, before `rotate`",
        _rectangle,
        _write_rectangle,
    ),
    _number("trim", 1, 254, "off", "cuts edges whose colour is no further than this from that of the left top corner"),
    _share("blur", 0.3, 250, "off", "the sigma of a Gaussian blur, in pixels of the picture"),
    _share("sharpen", 0.3, 10, "off", "the sigma of an unsharp mask, in pixels of the picture"),
    _yes_or_no("grayscale", "leaves the lightness alone"),
    _share("brightness", 0, 4, "1", "times as bright"),
    _share("contrast", 0, 4, "1", "times as far from middle grey"),
    _share("saturation", 0, 4, "1", "times as colourful"),
    _number("radius", 1, MAX_SIDE, "off", "rounds the corners, in pixels; half a side or more makes an ellipse of it"),
    _yes_or_no("lossless", "a webp without loss, whatever the bytes"),
    _number(
        "max_bytes",
        1000,
        100_000_000,
        "off",
        "the best quality, up to `quality`, that takes no more bytes; for jpeg, avif, and webp with loss",
    ),
    _number("frames", 1, 10_000, "all", "the most frames of an animation; `1` asks for a still picture"),
    Option(
        "watermark",
        "1 to 200 letters, digits, '.', '_', '-' and '~'",
        "off",
        "the key of a source to lay over the picture, with `~` for each slash: `brand~logo.png`",
        _key,
        keeps_case=True,
    ),
    _choice("watermark_position", tuple(POSITIONS), "right bottom", "where the watermark lies"),
    _number("watermark_opacity", 1, 100, "100", "how much the watermark covers, in per cent"),
    _number("watermark_scale", 1, 100, "25", "how much of the picture's width and height it may take, in per cent"),
    _yes_or_no(
        "enlarge",
        "lets a picture be larger than its source; with both sides given, `cover`, `contain` and `fill` always may",
    ),
)
BY_NAME: Final[Mapping[str, Option]] = {option.name: option for option in OPTIONS}
