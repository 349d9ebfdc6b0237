"""The options of a transformation, as tables of data.

Parsing, the canonical text and the messages follow from the tables here; image_processor.transformations.tables
generates the manual's table, the constants of the edge function, and JSON from them. To add an option, add a row to
`OPTIONS` and an attribute to `Transformation`, then run `make edge tables`. Fit modes and output formats have their own
tables.

Names and meanings are those of sharp, and so of AWS's own image solution, where these have one.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from image_processor.transformations.kinds import Option

MAX_SIDE: Final = 8192  # pixels; no side of a picture is longer
MAX_PIXELS: Final = 8192 * 4096  # of a picture, all its frames; encoded as AVIF or WebP they take 1 GB and 15 s


class FitMode(NamedTuple):
    """How a picture fits into its box when both sides are given."""

    exact: bool  # the picture has the requested sides, for every source
    positioned: bool  # `position` has an effect
    smart: bool  # `position` may be one of SMART_POSITIONS; they mean center otherwise
    letterboxed: bool  # `background` shows beside the source


FIT_MODES: Final[Mapping[str, FitMode]] = {
    "cover": FitMode(exact=True, positioned=True, smart=True, letterboxed=False),
    "contain": FitMode(exact=True, positioned=True, smart=False, letterboxed=True),
    "inside": FitMode(exact=False, positioned=False, smart=False, letterboxed=False),
    "outside": FitMode(exact=False, positioned=False, smart=False, letterboxed=False),
    "fill": FitMode(exact=True, positioned=False, smart=False, letterboxed=False),
}
FITS: Final = tuple(FIT_MODES)
EXACT_FITS: Final = tuple(name for name, mode in FIT_MODES.items() if mode.exact)
POSITIONED_FITS: Final = tuple(name for name, mode in FIT_MODES.items() if mode.positioned)
SMART_FITS: Final = tuple(name for name, mode in FIT_MODES.items() if mode.smart)
LETTERBOXED_FITS: Final = tuple(name for name, mode in FIT_MODES.items() if mode.letterboxed)


class OutputFormat(NamedTuple):
    """What an output format can do."""

    quality: int | None  # the default of `quality`; None for a format that has no quality
    alpha: bool
    animated: bool
    lossless: bool  # offers `lossless` as a choice: png and gif are always lossless, and Pillow's avif never is


OUTPUT_FORMATS: Final[Mapping[str, OutputFormat]] = {
    "jpeg": OutputFormat(quality=80, alpha=False, animated=False, lossless=False),
    "png": OutputFormat(quality=None, alpha=True, animated=False, lossless=False),
    "webp": OutputFormat(quality=80, alpha=True, animated=True, lossless=True),
    "avif": OutputFormat(quality=60, alpha=True, animated=True, lossless=False),
    "gif": OutputFormat(quality=None, alpha=True, animated=True, lossless=False),
}
FORMATS: Final = tuple(OUTPUT_FORMATS)
DEFAULT_QUALITY: Final = {name: kind.quality for name, kind in OUTPUT_FORMATS.items() if kind.quality is not None}
ALPHA_FORMATS: Final = tuple(name for name, kind in OUTPUT_FORMATS.items() if kind.alpha)
ANIMATED_FORMATS: Final = tuple(name for name, kind in OUTPUT_FORMATS.items() if kind.animated)
LOSSLESS_FORMATS: Final = tuple(name for name, kind in OUTPUT_FORMATS.items() if kind.lossless)
AUTO_FORMATS: Final = ("avif", "webp")  # what `auto` in a URL may become: the first that the browser names

POSITIONS: Final = {  # of a crop or a letterboxed picture: the share of the free space to its left and above it
    "center": (0.5, 0.5),
    "top": (0.5, 0.0),
    "right-top": (1.0, 0.0),
    "right": (1.0, 0.5),
    "right-bottom": (1.0, 1.0),
    "bottom": (0.5, 1.0),
    "left-bottom": (0.0, 1.0),
    "left": (0.0, 0.5),
    "left-top": (0.0, 0.0),
}
SMART_POSITIONS: Final = ("entropy", "attention")  # the crop depends on the source's content
FLIPS: Final = ("horizontal", "vertical", "both")
ROTATIONS: Final = (90, 180, 270)  # degrees, clockwise
# Eight of the 24 combinations of `rotate` and `flip` differ. The other combinations, each with the one that it equals:
SAME_ORIENTATIONS: Final[Mapping[tuple[int | None, str | None], tuple[int | None, str | None]]] = {
    (None, "both"): (180, None),
    (90, "both"): (270, None),
    (180, "both"): (None, None),
    (270, "both"): (90, None),
    (180, "horizontal"): (None, "vertical"),
    (180, "vertical"): (None, "horizontal"),
    (270, "horizontal"): (90, "vertical"),
    (270, "vertical"): (90, "horizontal"),
}
LENGTHS: Final = ("width", "height", "radius")  # the options that `dpr` multiplies and a size ladder scales

OPTIONS: Final = (  # in the order of the canonical text
    Option("width", "whole number", minimum=1, maximum=MAX_SIDE, default_text="the source's",
           meaning="the picture's width in pixels"),
    Option("height", "whole number", minimum=1, maximum=MAX_SIDE, default_text="the source's",
           meaning="the picture's height in pixels"),
    Option("fit", "choice", choices=FITS, default="cover",
           meaning="with both sides given: fill and crop, letterbox, fit inside, fit around, or distort"),
    Option("position", "choice", choices=(*POSITIONS, *SMART_POSITIONS), default="center",
           meaning="the part that `cover` crops to, or the picture's position in the box of `contain`; `entropy` crops "
                   "to the part with the most detail, `attention` to the part that attracts the eye"),
    Option("format", "choice", choices=(*FORMATS, "auto"), aliases=(("jpg", "jpeg"),), default_text="auto",
           meaning="`auto` is the source's own format if browsers show it, else jpeg, or png with alpha; in a URL, "
                   "`format=auto` chooses AVIF or WebP by the browser's `Accept` header instead"),
    Option("quality", "whole number", minimum=1, maximum=100,
           default_text=", ".join(f"{name} {quality}" for name, quality in DEFAULT_QUALITY.items()),
           meaning="a lower value takes fewer bytes, a higher one is closer to the source; png and gif have none"),
    Option("dpr", "decimal", minimum=1, maximum=4, default=1.0,
           meaning="the pixels of the screen for each pixel of the page: multiplies `width`, `height` and `radius`"),
    Option("background", "colour", default_text="transparent, or white where the format has no alpha",
           meaning="what `contain` letterboxes with, and what shows through where the format has no alpha"),
    Option("rotate", "degrees", choices=tuple(map(str, ROTATIONS)), default_text="off",
           meaning="turns the upright source clockwise, in degrees"),
    Option("flip", "choice", choices=FLIPS, default_text="off",
           meaning="mirrors left and right, top and bottom, or both, after `rotate`"),
    Option("crop", "rectangle", default_text="off",
           meaning="the part of the upright source that is rendered, in its pixels, before `rotate`"),
    Option("trim", "whole number", minimum=1, maximum=254, default_text="off",
           meaning="cuts off edges whose colour differs from that of the top left corner by at most this much, of 255"),
    Option("blur", "decimal", minimum=0.3, maximum=250, default_text="off",
           meaning="the sigma of a Gaussian blur, in pixels of the picture"),
    Option("sharpen", "decimal", minimum=0.3, maximum=10, default_text="off",
           meaning="the sigma of an unsharp mask, in pixels of the picture"),
    Option("grayscale", "switch", default=False,
           meaning="removes the colours"),
    Option("brightness", "decimal", minimum=0, maximum=4, default=1.0,
           meaning="a factor: 2 is twice as bright"),
    Option("contrast", "decimal", minimum=0, maximum=4, default=1.0,
           meaning="a factor: 2 is twice the distance from middle grey"),
    Option("saturation", "decimal", minimum=0, maximum=4, default=1.0,
           meaning="a factor: 2 is twice as colourful, 0 is grey"),
    Option("radius", "whole number", minimum=1, maximum=MAX_SIDE, default_text="off",
           meaning="rounds the corners, in pixels; half a side or more gives an ellipse"),
    Option("lossless", "switch", default=False,
           meaning="encodes a webp without loss, which takes more bytes"),
    Option("max_bytes", "whole number", minimum=1000, maximum=100_000_000, default_text="off",
           meaning="the best quality, up to `quality`, that takes no more bytes; for jpeg, avif, and webp with loss"),
    Option("frames", "whole number", minimum=1, maximum=10_000, default_text="all",
           meaning="the maximum number of frames of an animation; `1` renders a still picture"),
    Option("watermark", "key", default_text="off",
           meaning="the key of a source to lay over the picture, with `~` for each slash: `brand~logo.png`"),
    Option("watermark_position", "choice", choices=tuple(POSITIONS), default="right-bottom",
           meaning="the watermark's position in the picture"),
    Option("watermark_opacity", "whole number", minimum=1, maximum=100, default=100,
           meaning="how much the watermark covers, in per cent"),
    Option("watermark_scale", "whole number", minimum=1, maximum=100, default=25,
           meaning="how much of the picture's width and height it may take, in per cent"),
    Option("enlarge", "switch", default=False,
           meaning="allows a picture that is larger than its source; with both sides given, `cover`, `contain` and "
                   "`fill` always allow it"),
)  # fmt: skip
BY_NAME: Final[Mapping[str, Option]] = {option.name: option for option in OPTIONS}
