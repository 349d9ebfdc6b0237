"""Turns what Pillow and its decoders raise on a damaged source into the project's errors."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from PIL import Image, UnidentifiedImageError

from image_processor.engine.decoding.registry import corrupt
from image_processor.engine.limits import Limits
from image_processor.errors import SourceTooLarge

# Pillow's decoders raise these on a damaged file. MemoryError is not among them: it is the machine's fault.
DECODER_FAULTS: Final = (
    OSError,  # includes Pillow's error for a truncated file
    SyntaxError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    AssertionError,
    EOFError,
    struct.error,
    zlib.error,
)


@contextmanager
def decoding(source_format: str, limits: Limits) -> Iterator[None]:
    """Raise `CorruptImage` or `SourceTooLarge` in place of what Pillow raises on a damaged file."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:  # Pillow's own limit was met first
        raise SourceTooLarge(f"the source has more pixels than allowed: {limits.max_pixels} in all") from error
    except UnidentifiedImageError as error:  # Pillow's message contains a memory address
        raise corrupt(source_format, "its header can't be read") from error
    except DECODER_FAULTS as error:
        reason = str(error).partition(" (")[0].strip()  # Pillow adds details of its implementation in brackets
        reason = reason or "it is damaged"
        raise corrupt(source_format, f"can't be decoded: {reason}") from error
