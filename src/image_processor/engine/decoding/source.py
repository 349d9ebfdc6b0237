"""Opens a source: recognises its format, reads its header within bounds, and decodes it no larger than needed.

sniff ─▶ open ─▶ bounds ─▶ decode
         header only       at 1/2, 1/4 or 1/8 where that leaves enough; the frames of an animation one by one
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

from PIL import Image

from image_processor.engine import memory_budget
from image_processor.engine.decoding.bounded_file import File
from image_processor.engine.decoding.decoder_errors import decoding
from image_processor.engine.decoding.format import Format
from image_processor.engine.decoding.registry import SNIFFED, format_named, sniff
from image_processor.engine.decoding.streaming_file import ByteStream, StreamingFile
from image_processor.engine.geometry import Box, Size
from image_processor.engine.limits import Limits
from image_processor.engine.resample import Pixels, averaged_share_of, least_share_of, share_of


@dataclass(frozen=True, slots=True)
class SourceHeader:
    """What is read of a source before a pixel is decoded; `size` is that of the picture as it is stored."""

    format: str
    size: Size
    orientation: int  # 1 to 8, as EXIF has it
    profile: bytes | None  # ICC
    loops: int  # how often an animation is shown; 0 is without end


class OpenSource:
    """A source whose header was read and is within the limits; none of its pixels is decoded yet."""

    def __init__(self, header: SourceHeader, limits: Limits, read_as: Format, image: Image.Image) -> None:
        self.header, self.limits = header, limits
        self._format, self._image = read_as, image

    @cached_property
    def frames(self) -> int:
        """The number of frames, or one more than allowed; counted at the first access, which reads all of a GIF.

        Raises `CorruptImage` or `SourceTooLarge` for frames that can't be counted.
        """
        with decoding(self.header.format, self.limits):
            return self._format.frames(self._image)

    @property
    def lead(self) -> int:
        """The number of pictures before the first frame: 1 in a PNG whose own picture is no part of its animation."""
        return self._format.lead(self._image)

    def decode(self, parts: Sequence[tuple[Box, Size]] = ()) -> Pixels:
        """Decode the first frame; works once.

        It is scaled down as far as its renditions allow, each of which shows a box of it at a size.
        """
        image, read_as = self._image, self._format
        del self._image  # which frees its decoder's memory, as much again as the pixels
        with decoding(self.header.format, self.limits):
            share = max((averaged_share_of(*part) for part in parts), default=1.0)
            least = (ceil(image.width * share), ceil(image.height * share))
            reduced = read_as.decode_reduced(image, least, self._resizable)
            if reduced is not None:
                return Pixels(*reduced)
            share = max((share_of(*part) for part in parts), default=1.0)
            least_share = max((least_share_of(*part) for part in parts), default=1.0)
            scale, shift = read_as.draft(image, share, least_share)
            image.load()
            return Pixels(self._resizable(image), scale, shift).at_least(least)

    def decode_frames(self, most: int) -> Iterator[tuple[Pixels, int]]:
        """The pictures of the lead and the first `most` frames: each whole, with the milliseconds that it is shown."""
        for index in range(self.lead + most):
            with decoding(self.header.format, self.limits):
                self._image.seek(index)
                self._image.load()
                pixels = Pixels(self._resizable(self._image))
            yield pixels, self._format.milliseconds(self._image)

    def _resizable(self, image: Image.Image) -> Image.Image:
        return self._format.resizable(image, self.header.profile)


def open_source(source: bytes | ByteStream, limits: Limits) -> OpenSource:
    """Read the header. Raises `UnsupportedFormat`, `SourceTooLarge`, or `CorruptImage` for one that can't be read.

    A stream of a format that can be decoded while it arrives is read as far as needed, any other to its end.
    """
    if isinstance(source, bytes):
        limits.check_bytes(len(source))
        return _open(io.BytesIO(source), source, format_named(sniff(source)), limits)
    file = StreamingFile(source, limits)
    read_as = format_named(sniff(file.read(SNIFFED)))
    file.seek(0)
    if read_as.streams:
        return _open(file, b"", read_as, limits)
    body = file.read()
    return _open(io.BytesIO(body), body, read_as, limits)


def _open(file: File, source: bytes, format_class: type[Format], limits: Limits) -> OpenSource:
    with decoding(format_class.name, limits):
        read_as = format_class(source, limits)
        read_as.refuse_kinds()
        read_as.check_structure()
        image = read_as.open(file)
        limits.check_sides(*image.size)
        read_as.check_opened(image)
        pixels = read_as.decoded_pixels(image)
        memory_budget.check_source(read_as.memory_kind, len(read_as.source) + read_as.overhead, pixels, limits)
        header = SourceHeader(
            format_class.name,
            image.size,
            read_as.orientation(image),
            read_as.profile(image),
            read_as.loops(image),
        )
    return OpenSource(header, limits, read_as, image)
