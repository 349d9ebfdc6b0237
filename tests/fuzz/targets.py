"""For any input, `render` and `Transformation.parse` return a value or raise one of the project's errors."""

import warnings
from collections.abc import Callable
from typing import Final
from zlib import crc32

from image_processor.engine.limits import Limits
from image_processor.engine.render import render
from image_processor.errors import CorruptImage, InvalidTransformation, SourceTooLarge, UnsupportedFormat
from image_processor.transformations.transformation import Transformation

LIMITS: Final = Limits(max_bytes=1_000_000, max_pixels=300_000, max_frames=20)
MARK: Final = "mark"
STILL: Final = Transformation.parse("width=8,height=8,format=png")
# One of these is also rendered, by the source's checksum. So the source alone determines the run and reproduces it.
OTHERS: Final = tuple(
    map(
        Transformation.parse,
        (
            "width=20,format=jpeg",
            "width=9,height=7,fit=contain,background=abc,format=webp",
            "width=9,format=gif",
            "height=5,fit=outside,width=4,format=png",
            "quality=30,format=jpeg",
            "width=7,enlarge=true",
            "width=9,max_bytes=1000,format=jpeg",
            "max_bytes=1000,format=webp,quality=90",
            "width=9,height=9,format=avif,max_bytes=1000",
            "width=7,height=5,position=attention",
            "width=5,height=7,position=entropy,rotate=90,format=png",
            "trim=10,width=9",
            "trim=254,format=webp,lossless=true",
            "radius=3,format=png,width=9",
            "radius=8192,format=jpeg,background=1234",
            "crop=1_1_5_4",
            "crop=0_0_300_300,trim=1,position=attention,width=3,height=9",
            "frames=2,format=gif,width=9",
            "frames=1,format=webp",
            "frames=3,format=avif,width=5,height=5,position=entropy",
            "width=9,blur=250,grayscale=true,format=png",
            "width=9,blur=0.3,sharpen=10,brightness=4,contrast=4,saturation=4",
            "width=9,brightness=0,contrast=0,saturation=0,flip=both,rotate=270,format=webp",
            "width=9,dpr=4,sharpen=0.3,flip=horizontal,rotate=180",
            f"width=9,watermark={MARK},watermark_scale=100,watermark_opacity=50,format=png",
            f"watermark={MARK},watermark_position=left-top,watermark_scale=1,radius=2,format=webp",
        ),
    )
)


def render_source(source: bytes) -> str:
    """The outcome, in a word; raises what a source must never raise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # in the function, a warning is at most a line of the log
        try:
            other = OTHERS[crc32(source) % len(OTHERS)]
            renditions = render(source, [STILL, other], LIMITS, {MARK: source})
        except (CorruptImage, SourceTooLarge, UnsupportedFormat, *_refusals(other)) as error:
            if not 0 < len(str(error)) < 500:
                raise AssertionError(f"a message of {len(str(error))} characters") from error
            return type(error).__name__
    if (renditions[0].width, renditions[0].height) != (8, 8):
        raise AssertionError(f"{renditions[0].width}×{renditions[0].height} instead of 8×8")
    return "rendered"


def _refusals(transformation: Transformation) -> tuple[type[InvalidTransformation], ...]:
    """What may be refused besides the source: a crop outside of it, or too few bytes for its rendition."""
    return (InvalidTransformation,) if transformation.crop or transformation.max_bytes else ()


def parse_text(data: bytes) -> str:
    """As `render_source`, for a transformation's text: its canonical text is read as the same value."""
    try:
        transformation = Transformation.parse(data.decode("utf-8", "surrogateescape"))
    except InvalidTransformation as error:
        if len(str(error)) > 1500:
            raise AssertionError(f"a message of {len(str(error))} characters") from error
        return "InvalidTransformation"
    if Transformation.parse(str(transformation)) != transformation:
        raise AssertionError(f"{transformation} is read as another")
    return "read"


TARGETS: Final[dict[str, Callable[[bytes], str]]] = {"source": render_source, "text": parse_text}
