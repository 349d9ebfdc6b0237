"""What holds for any input: `render` and `Transformation.parse` answer with a value or an error of their own."""

import warnings
from collections.abc import Callable
from typing import Final
from zlib import crc32

from image_processor.config import Limits
from image_processor.errors import CorruptImage, InvalidTransformation, SourceTooLarge, UnsupportedFormat
from image_processor.render import render
from image_processor.transformation import Transformation

LIMITS: Final = Limits(max_bytes=1_000_000, max_pixels=300_000, max_frames=20)
STILL: Final = Transformation.parse("width=8,height=8,format=png")
# One of these too, as the source's checksum has it: the source alone says all, and a file of it is its own reproducer.
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
        ),
    )
)


def render_source(source: bytes) -> str:
    """The outcome, in a word; raises what a source must never raise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # in the function, a warning is a line of the log at most
        try:
            renditions = render(source, [STILL, OTHERS[crc32(source) % len(OTHERS)]], LIMITS)
        except (CorruptImage, SourceTooLarge, UnsupportedFormat) as error:
            if not 0 < len(str(error)) < 500:
                raise AssertionError(f"a message of {len(str(error))} characters") from error
            return type(error).__name__
    if (renditions[0].width, renditions[0].height) != (8, 8):
        raise AssertionError(f"{renditions[0].width}×{renditions[0].height} instead of 8×8")
    return "rendered"


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
