"""A stack's size ladder: the sides that pictures are rounded up to."""

import re
from typing import Final

from image_processor.errors import InvalidTransformation, shown
from image_processor.transformations.options import MAX_SIDE

MAX_RUNGS: Final = 32  # of a ladder; CloudFront takes 10,240 bytes of code, of which 200 are kept for it


def parse_ladder(text: str) -> tuple[int, ...]:
    """Read sides in pixels, joined by commas, in any order: ascending, each once; none of an empty text.

    Raises `InvalidTransformation` for what is not a side, and for more than `MAX_RUNGS`.
    """
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    for part in parts:  # no leading zeros: JavaScript would take them for octal
        if not re.fullmatch("[1-9][0-9]{0,3}", part) or int(part) > MAX_SIDE:
            raise InvalidTransformation(f"size ladder: got {shown(part)}, allowed: 1 to {MAX_SIDE}, joined by commas")
    if len(parts) > MAX_RUNGS:
        raise InvalidTransformation(f"size ladder: got {len(parts)} sides, allowed: {MAX_RUNGS}")
    return tuple(sorted(set(map(int, parts))))
