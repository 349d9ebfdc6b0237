"""The grammar of transformations, written one way everywhere: `width=300,format=webp`.

Equal pictures have equal texts: options stand in the order of their table, of two ways to say the same one is chosen,
and what is a default, or has no effect beside the others, is left out.

The same rules stand once more in src/edge/viewer_request.js, for what comes as the query of a URL. One table of cases,
tests/edge/cases.json, holds the two to one another.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from image_processor.errors import InvalidTransformation, shown
from image_processor.transformations.options import (
    ANIMATED_FORMATS,
    BY_NAME,
    DEFAULT_QUALITY,
    FORMATS,
    LOSSLESS_FORMATS,
    MAX_PIXELS,
    MAX_SIDE,
    OPTIONS,
    SMART_POSITIONS,
)

EXACT_FITS: Final = ("cover", "contain", "fill")  # with both sides given, the size is exact
UNTOUCHED: Final = "format=auto"  # the name of the whole source, upright and private, since each picture has one
# Of the 24 ways to turn and mirror, eight differ; these are the others, and which of the eight they are.
_SAME_TURNS: Final[dict[tuple[int | None, str | None], tuple[int | None, str | None]]] = {
    (None, "both"): (180, None),
    (90, "both"): (270, None),
    (180, "both"): (None, None),
    (270, "both"): (90, None),
    (180, "horizontal"): (None, "vertical"),
    (180, "vertical"): (None, "horizontal"),
    (270, "horizontal"): (90, "vertical"),
    (270, "vertical"): (90, "horizontal"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformation:
    """The options that make one picture from a source; `str()` of it is its canonical text.

    Always valid and in canonical form: building one raises `InvalidTransformation` for a value that is not allowed, and
    sets to its default what has no effect. Sides are in pixels, `background` is `rrggbb` or `rrggbbaa`, `crop` is left,
    top, width and height; None is what the source or the format decides, or that nothing is done. `dpr` is always 1: it
    is worked into the sides.
    """

    width: int | None = None
    height: int | None = None
    fit: str = "cover"
    position: str = "center"
    format: str | None = None
    quality: int | None = None
    dpr: float = 1.0
    background: str | None = None
    rotate: int | None = None
    flip: str | None = None
    crop: tuple[int, int, int, int] | None = None
    trim: int | None = None
    blur: float | None = None
    sharpen: float | None = None
    grayscale: bool = False
    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    radius: int | None = None
    lossless: bool = False
    max_bytes: int | None = None
    frames: int | None = None
    watermark: str | None = None
    watermark_position: str = "right bottom"
    watermark_opacity: int = 100
    watermark_scale: int = 25
    enlarge: bool = False

    @classmethod
    def parse(cls, text: str) -> "Transformation":
        """Read `name=value` joined by commas, in any order and case.

        Raises `InvalidTransformation`, naming the option, what came and what is allowed.
        """
        return cls.of(map(_parted, text.split(",")))

    @classmethod
    def of(cls, options: Iterable[tuple[str, str]]) -> "Transformation":
        """Read names and values, in any order and case; raises `InvalidTransformation` as `parse` does."""
        values: dict[str, Any] = {}
        for given_name, value in options:
            name = given_name.lower()
            if name not in BY_NAME:
                raise InvalidTransformation(f"there is no option {shown(name)}; the options are {', '.join(BY_NAME)}")
            if name in values:
                raise InvalidTransformation(f"option {name} is given twice")
            values[name] = BY_NAME[name].read(value)
        return cls(**values)

    def __post_init__(self) -> None:
        for option in OPTIONS:
            value = getattr(self, option.name)
            if value is not None and option.read(option.write(value)) != value:
                raise InvalidTransformation(f"option {option.name}: {shown(value)} is not in canonical form")
        self._fold_dpr()
        rotate, flip = _SAME_TURNS.get((self.rotate, self.flip), (self.rotate, self.flip))
        self._set(rotate=rotate, flip=flip)
        if self.saturation == 0:
            self._set(grayscale=True)
        for name in (*self._idle_in_layout(), *self._idle_in_encoding(), *self._idle_beside_others()):
            self._set(**{name: _DEFAULTS[name]})

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _fold_dpr(self) -> None:
        for name in ("width", "height", "radius"):
            length = getattr(self, name)
            if length is None or self.dpr == 1:
                continue
            pixels = int(length * self.dpr + 0.5)
            if pixels > MAX_SIDE:
                factor = BY_NAME["dpr"].write(self.dpr)
                raise InvalidTransformation(f"option {name}: {length} × dpr {factor} is {pixels}, allowed: {MAX_SIDE}")
            self._set(**{name: pixels})
        self._set(dpr=1.0)

    def _idle_in_layout(self) -> Iterator[str]:
        sides = (self.width is not None) + (self.height is not None)
        if sides < 2:  # one side alone is met by scaling, whatever the fit
            yield from ("fit", "position")
        if self.fit not in ("cover", "contain") or (self.fit == "contain" and self.position in SMART_POSITIONS):
            yield "position"
        if sides == 0 or self.is_exact:
            yield "enlarge"

    def _idle_in_encoding(self) -> Iterator[str]:
        keeps_all = self.lossless and self.format in LOSSLESS_FORMATS
        if self.format == "auto":
            yield "format"
        if self.format in FORMATS:
            if keeps_all or self.quality == DEFAULT_QUALITY.get(self.format, self.quality):
                yield "quality"
            if self.format not in LOSSLESS_FORMATS:
                yield "lossless"
            if keeps_all or self.format not in DEFAULT_QUALITY:
                yield "max_bytes"
            if self.format not in ANIMATED_FORMATS:
                yield "frames"

    def _idle_beside_others(self) -> Iterator[str]:
        letterboxed = self.is_exact and self.fit == "contain"
        if self.format != "jpeg" and not letterboxed:  # every other format keeps alpha, and auto takes one that can
            yield "background"
        if self.background and (self.background[6:] == "00" or (self.format == "jpeg" and self.background == "ffffff")):
            yield "background"
        if self.grayscale:
            yield "saturation"
        if self.watermark is None:
            yield from ("watermark_position", "watermark_opacity", "watermark_scale")

    def on_ladder(self, ladder: Sequence[int]) -> "Transformation":
        """The same with its leading side, the width or else the height, rounded up to the next of the ladder's sides.

        What is larger than all of them becomes the largest; the other side and `radius` are scaled along, and are never
        less than 1 pixel or more than `MAX_SIDE`. Without a side, or with an empty ladder, nothing is rounded.
        """
        side = self.width or self.height
        if not side or not ladder:
            return self
        rung = min((rung for rung in ladder if rung >= side), default=max(ladder))

        def scaled(length: int | None) -> int | None:  # in whole numbers, as exact in both languages
            return length and min(max((2 * length * rung + side) // (2 * side), 1), MAX_SIDE)

        return replace(self, width=scaled(self.width), height=scaled(self.height), radius=scaled(self.radius))

    @property
    def is_exact(self) -> bool:
        """Whether the picture's sides are those asked for, whatever the source's."""
        return self.width is not None and self.height is not None and self.fit in EXACT_FITS

    @property
    def watermark_key(self) -> str | None:
        """The key of the source that is laid over the picture."""
        return self.watermark and self.watermark.replace("~", "/")

    def __str__(self) -> str:
        changed = ",".join(
            f"{option.name}={option.write(getattr(self, option.name))}"
            for option in OPTIONS
            if getattr(self, option.name) != _DEFAULTS[option.name]
        )
        return changed or UNTOUCHED


_DEFAULTS: Final = {field.name: field.default for field in fields(Transformation)}


def _parted(part: str) -> tuple[str, str]:
    name, equals, value = (piece.strip() for piece in part.partition("="))
    if not equals:
        raise InvalidTransformation(f"{shown(part.strip())} is not an option; write name=value, joined by commas")
    return name, value


def check_area(transformation: Transformation, frames: int = 1) -> None:
    """Raise `InvalidTransformation` for two sides, to be met exactly, that are more than `MAX_PIXELS` in all frames."""
    width, height = transformation.width, transformation.height
    if width and height and transformation.is_exact and width * height * frames > MAX_PIXELS:
        picture, hint = f"a picture of {width}×{height} pixels", ""
        if frames > 1:
            picture, hint = (
                f"an animation of {frames} times {width}×{height} pixels",
                "; ask for fewer by option frames",
            )
        raise InvalidTransformation(f"{picture} is too large, allowed: {MAX_PIXELS} in all{hint}")
