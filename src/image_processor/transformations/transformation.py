"""The grammar of transformations, and one canonical text for each: `width=300,format=webp`.

Equal pictures have equal texts: options are in the order of their table, one of several ways to write the same value
is chosen, and an option is left out if it has its default or no effect beside the others.

src/edge/viewer_request.js has the same rules for the query of a URL. Both are tested with one table of cases,
tests/edge/cases.json.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from image_processor.errors import InvalidTransformation, shown
from image_processor.transformations.options import (
    ANIMATED_FORMATS,
    BY_NAME,
    DEFAULT_QUALITY,
    EXACT_FITS,
    FORMATS,
    LENGTHS,
    LETTERBOXED_FITS,
    LOSSLESS_FORMATS,
    MAX_PIXELS,
    MAX_SIDE,
    OPTIONS,
    POSITIONED_FITS,
    SAME_ORIENTATIONS,
    SMART_FITS,
    SMART_POSITIONS,
)

EXAMPLE: Final = "width=300,format=webp"
UNTOUCHED: Final = "format=auto"  # the whole source, upright and without private metadata: every picture needs a name


def _default(name: str) -> Any:
    return BY_NAME[name].default


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformation:
    """The options by which a source is rendered; `str()` of it is its canonical text.

    Always valid and in canonical form: the constructor raises `InvalidTransformation` for a value that is not allowed,
    and sets an option without effect to its default. Sides are in pixels, `background` is `rrggbb` or `rrggbbaa`, and
    `crop` is left, top, width and height. None means that the source or the format decides, or that nothing is done.
    `dpr` is always 1, because the sides are multiplied by it. Each attribute is a row of `OPTIONS`.
    """

    width: int | None = _default("width")
    height: int | None = _default("height")
    fit: str = _default("fit")
    position: str = _default("position")
    format: str | None = _default("format")
    quality: int | None = _default("quality")
    dpr: float = _default("dpr")
    background: str | None = _default("background")
    rotate: int | None = _default("rotate")
    flip: str | None = _default("flip")
    crop: tuple[int, int, int, int] | None = _default("crop")
    trim: int | None = _default("trim")
    blur: float | None = _default("blur")
    sharpen: float | None = _default("sharpen")
    grayscale: bool = _default("grayscale")
    brightness: float = _default("brightness")
    contrast: float = _default("contrast")
    saturation: float = _default("saturation")
    radius: int | None = _default("radius")
    lossless: bool = _default("lossless")
    max_bytes: int | None = _default("max_bytes")
    frames: int | None = _default("frames")
    watermark: str | None = _default("watermark")
    watermark_position: str = _default("watermark_position")
    watermark_opacity: int = _default("watermark_opacity")
    watermark_scale: int = _default("watermark_scale")
    enlarge: bool = _default("enlarge")

    @classmethod
    def parse(cls, text: str) -> "Transformation":
        """Read `name=value` joined by commas, in any order and case.

        Raises `InvalidTransformation`, naming the option, the given value and what is allowed.
        """
        if not text.strip():
            raise InvalidTransformation(f"the transformation is empty, allowed: {EXAMPLE}")
        if "&" in text or ";" in text:  # no name or value has one
            raise InvalidTransformation(f"got {shown(text)}; here, commas join the options: {EXAMPLE}")
        return cls.of(map(_split, text.split(",")))

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
            if value is None or value is option.default:
                continue
            if option.read(option.write(value)) != value:
                raise InvalidTransformation(f"option {option.name}: {shown(value)} is not in canonical form")
        self._fold_dpr()
        rotate, flip = SAME_ORIENTATIONS.get((self.rotate, self.flip), (self.rotate, self.flip))
        self._set(rotate=rotate, flip=flip)
        if self.saturation == 0:
            self._set(grayscale=True)
        for name in (*self._idle_in_layout(), *self._idle_in_encoding(), *self._idle_beside_others()):
            self._set(**{name: _default(name)})

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _fold_dpr(self) -> None:
        for name in LENGTHS:
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
        if sides < 2:  # one side alone scales the picture in the same way for every fit
            yield from ("fit", "position")
        if self.fit not in (SMART_FITS if self.position in SMART_POSITIONS else POSITIONED_FITS):
            yield "position"
        if sides == 0 or self.is_exact:
            yield "enlarge"

    def _idle_in_encoding(self) -> Iterator[str]:
        is_lossless = self.lossless and self.format in LOSSLESS_FORMATS
        if self.format == "auto":
            yield "format"
        if self.format in FORMATS:
            if is_lossless or self.quality == DEFAULT_QUALITY.get(self.format, self.quality):
                yield "quality"
            if self.format not in LOSSLESS_FORMATS:
                yield "lossless"
            if is_lossless or self.format not in DEFAULT_QUALITY:
                yield "max_bytes"
            if self.format not in ANIMATED_FORMATS:
                yield "frames"

    def _idle_beside_others(self) -> Iterator[str]:
        letterboxed = self.is_exact and self.fit in LETTERBOXED_FITS
        if self.format != "jpeg" and not letterboxed:  # every other format has alpha, and auto chooses one that has
            yield "background"
        if self.background and (self.background[6:] == "00" or (self.format == "jpeg" and self.background == "ffffff")):
            yield "background"
        if self.grayscale:
            yield "saturation"
        if self.watermark is None:
            yield from ("watermark_position", "watermark_opacity", "watermark_scale")

    def on_ladder(self, ladder: Sequence[int]) -> "Transformation":
        """Round the leading side up to the ladder's next side, and scale the other lengths by the same factor.

        The leading side is the width, or else the height. A side above the whole ladder becomes the ladder's largest.
        The other side and `radius` stay between 1 pixel and `MAX_SIDE`. Nothing changes if there is no side or the
        ladder is empty.
        """
        side = self.width or self.height
        if not side or not ladder:
            return self
        rung = min((rung for rung in ladder if rung >= side), default=max(ladder))

        def scaled(length: int | None) -> int | None:  # in integers, which are exact in both languages
            return length and min(max((2 * length * rung + side) // (2 * side), 1), MAX_SIDE)

        return replace(self, width=scaled(self.width), height=scaled(self.height), radius=scaled(self.radius))

    @property
    def is_exact(self) -> bool:
        """Whether the picture has exactly the requested sides, for every source."""
        return self.width is not None and self.height is not None and self.fit in EXACT_FITS

    @property
    def watermark_key(self) -> str | None:
        """The key of the source that is the watermark."""
        return self.watermark and self.watermark.replace("~", "/")

    def __str__(self) -> str:
        changed = ",".join(
            f"{option.name}={option.write(getattr(self, option.name))}"
            for option in OPTIONS
            if getattr(self, option.name) != option.default
        )
        return changed or UNTOUCHED


def _split(part: str) -> tuple[str, str]:
    name, equals, value = (piece.strip() for piece in part.partition("="))
    if not equals:
        given = f"{shown(part.strip())} is not an option" if part.strip() else "an option is empty"
        raise InvalidTransformation(f"{given}; write name=value, joined by commas: {EXAMPLE}")
    return name, value


def check_area(transformation: Transformation, frames: int = 1) -> None:
    """Raise `InvalidTransformation` if an exact size has more than `MAX_PIXELS` pixels in all frames."""
    width, height = transformation.width, transformation.height
    if width and height and transformation.is_exact and width * height * frames > MAX_PIXELS:
        picture, hint = f"a picture of {width}×{height} pixels", ""
        if frames > 1:
            picture, hint = (
                f"an animation of {frames} times {width}×{height} pixels",
                "; ask for fewer with the option frames",
            )
        raise InvalidTransformation(f"{picture} is too large, allowed: {MAX_PIXELS} in all{hint}")
