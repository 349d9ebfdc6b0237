"""A stack's size ladder: the sides to which the sides in a URL are rounded up."""

import re
from typing import Final

from image_processor.errors import InvalidTransformation, shown
from image_processor.transformations.options import MAX_SIDE

MAX_RUNGS: Final = 32  # the ladder is part of the edge function's code, in which 200 bytes are reserved for it


def parse_ladder(text: str) -> tuple[int, ...]:
    """Read sides in pixels, joined by commas in any order, and return them ascending and without duplicates.

    An empty text is an empty ladder. Raises `InvalidTransformation` for a value that is not a side, and for more sides
    than `MAX_RUNGS`.
    """
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    for part in parts:  # no leading zeros, which JavaScript reads as octal
        if not re.fullmatch("[1-9][0-9]{0,3}", part) or int(part) > MAX_SIDE:
            raise InvalidTransformation(f"size ladder: got {shown(part)}, allowed: 1 to {MAX_SIDE}, joined by commas")
    if len(parts) > MAX_RUNGS:
        raise InvalidTransformation(f"size ladder: got {len(parts)} sides, allowed: {MAX_RUNGS}")
    return tuple(sorted(set(map(int, parts))))
