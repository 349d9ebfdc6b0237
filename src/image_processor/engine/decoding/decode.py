"""A source's bytes → pixels that can be resampled: told by its first bytes, bounded by its header, decoded scaled.

    sniff ─▶ open ─▶ bounds ─▶ decode
             header only       at 1/2, 1/4 or 1/8 where that leaves enough; the frames of an animation one by one

With `render` and its other rooms the only ones to know Pillow.
"""

import io
from collections.abc import Iterator, Sequence
from functools import cached_property
from math import ceil
from typing import IO, Final

from PIL import Image

from image_processor.engine.decoding.animation import first_frame, frames_of
from image_processor.engine.decoding.formats import SNIFFED, sniff
from image_processor.engine.decoding.header import Header, decoding, read
from image_processor.engine.decoding.jpeg2000 import Codestream
from image_processor.engine.decoding.modes import resizable
from image_processor.engine.decoding.streaming_file import Arriving, Stream
from image_processor.engine.layout import Box, Size
from image_processor.engine.limits import Limits
from image_processor.engine.resample import WAVELET_GAP, Pixels, averaged_share_of, least_share_of, share_of

SHORT_FRAME: Final = 100  # milliseconds of a GIF's frame that asks for 10 or less


class OpenSource:
    """A source whose header was read and is within the limits; no pixel of it is decoded yet."""

    def __init__(self, header: Header, image: Image.Image, source: bytes, limits: Limits) -> None:
        self.header, self.limits, self._image, self._source = header, limits, image, source

    @cached_property
    def frames(self) -> int:
        """How many frames there are, or one more than allowed; counted by need, since a GIF is read through for it."""
        with decoding(self.header.format, self.limits):
            return frames_of(self._image, self._source, self.limits.max_frames)

    @property
    def lead(self) -> int:
        """How many pictures stand before the first frame: 1 in a PNG with one for who can't show the rest."""
        return first_frame(self._image)

    def decode(self, parts: Sequence[tuple[Box, Size]] = ()) -> Pixels:
        """The first frame, once; scaled down as far as pictures of these sizes, from these boxes of it, allow."""
        image, header = self._image, self.header
        del self._image  # with its decoder's memory, as much again as the pixels
        with decoding(header.format, self.limits):
            share = max((averaged_share_of(*part) for part in parts), default=1.0)
            least = (ceil(image.width * share), ceil(image.height * share))
            reduced = self._reduced(image, least)
            if reduced is not None:
                return Pixels(*reduced)
            share = max((share_of(*part) for part in parts), default=1.0)
            if header.codestream:
                least_share = max((least_share_of(*part) for part in parts), default=1.0)
                scale, shift = _halved(image, header.codestream, share, least_share)
            else:
                scale, shift = _draft(image, share), (0.0, 0.0)
            image.load()
            return Pixels(resizable(image, header.profile), scale, shift).at_least(least)

    def _reduced(self, image: Image.Image, least: Size) -> tuple[Image.Image, tuple[float, float]] | None:
        """The picture by a decoder that averages while it decodes, if there is one for it."""
        if self.header.format == "webp":
            from image_processor.engine.decoding import webp  # ctypes takes a cold start 2 to 14 ms

            return webp.decode_scaled(self._source, least)
        if self.header.format == "png":
            from image_processor.engine.decoding import png

            return png.decode_reduced(self._source, image, least, lambda band: resizable(band, self.header.profile))
        return None

    def decode_frames(self, most: int) -> Iterator[tuple[Pixels, int]]:
        """The first `most` frames, each whole, with the milliseconds that it is shown, after `lead` that are none."""
        for number in range(self.lead + most):
            with decoding(self.header.format, self.limits):
                self._image.seek(number)
                self._image.load()
                pixels = Pixels(resizable(self._image, self.header.profile))
            yield pixels, self._milliseconds()

    def _milliseconds(self) -> int:
        shown = round(self._image.info.get("duration", 0))
        # So browsers do, since old GIFs ask for the impossible: Chromium, Firefox and WebKit alike.
        return SHORT_FRAME if self.header.format == "gif" and shown <= 10 else shown


def open_source(source: bytes | Stream, limits: Limits) -> OpenSource:
    """Read the header. Raises `UnsupportedFormat`, `SourceTooLarge`, or `CorruptImage` for one that can't be read.

    A JPEG is decoded while it arrives; anything else is waited for as a whole.
    """
    if isinstance(source, bytes):
        limits.check_bytes(len(source))
        source_format = sniff(source)
        return _open(io.BytesIO(source), source, source_format, limits)
    file = Arriving(source, limits)
    source_format = sniff(file.read(SNIFFED))
    file.seek(0)
    if source_format == "jpeg":
        return _open(file, b"", source_format, limits)
    body = file.read()
    return _open(io.BytesIO(body), body, source_format, limits)


def _open(file: IO[bytes] | Arriving, source: bytes, source_format: str, limits: Limits) -> OpenSource:
    header, image = read(file, source, source_format, limits)
    return OpenSource(header, image, source, limits)


def _draft(image: Image.Image, share: float) -> tuple[float, float]:
    """Ask a JPEG's decoder for 1/2, 1/4 or 1/8 of its size, where that leaves as great a share of it.

    Returns the decoded sides as shares of the full ones.
    """
    width, height = image.size
    drafted = image.draft(None, (max(1, round(width * share)), max(1, round(height * share)))) if share < 1 else None
    if drafted is None:
        return 1.0, 1.0
    _, (_, _, drafted_width, drafted_height) = drafted
    return drafted_width / width, drafted_height / height


def _halved(
    image: Image.Image, codestream: Codestream, share: float, least: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ask a JPEG 2000's decoder for 1/2, 1/4 and so on of its size, where that leaves as great a share of it.

    Returns the decoded sides as shares of the full ones, and the shift of the decoded picture.
    """
    number = codestream.reductions(min(1.0, WAVELET_GAP * share), least)
    # As image.reduce = number does, but for the size of an odd one, which it rounds down, and then can't decode.
    [tile] = image.tile  # type: ignore[attr-defined]  # a file's
    codec, _, layers, *file = tile.args
    image._size = codestream.halved(number)
    image.tile = [tile._replace(extents=(0, 0, *image.size), args=(codec, number, layers, *file))]  # type: ignore[attr-defined]
    # Of each two samples a wavelet keeps the place of the first, where a mean would lie between them.
    shift = 0.5 - 0.5 ** (number + 1)
    return (0.5**number, 0.5**number), (shift, shift)
