"""The actual sides of an AV1 stream: its decoder takes memory for these, and not for those that the file states.

An item or a sample is a row of units: a header of 1 or 2 bytes, a length, a body (AV1 specification, 5.3). A sequence
header has the largest sides of a frame, and the number of bits of a side that a frame states for itself (5.5, 5.9).
"""

from dataclasses import dataclass
from typing import Final

from image_processor.engine.geometry import Size
from image_processor.errors import CorruptImage, SourceTooLarge

MAX_UNITS: Final = 20_000  # of a file: 1,000 frames with alpha have 6,000; each takes 1 µs here, a header 20
_SEQUENCE, _REPEATED = 1, 7  # types of units (6.2.2)
_FRAME_HEADERS: Final = (3, 6, _REPEATED)  # a header alone, one with its tiles, a repeated one
_LONGEST: Final = 512  # bytes; a sequence header with 32 operating points, each with its times, has 400
_KEY, _SWITCH = 0, 3  # types of frames (6.8.2)
_SELECT: Final = 2  # each frame states the value (3)


@dataclass(frozen=True, slots=True)
class _Sequence:
    """The fields of a sequence header that are needed to read the headers of its frames."""

    sides: Size  # the most that a frame's are
    bits: Size  # of a side that a frame states for itself
    reduced: bool  # a still picture whose frame header has hardly any fields
    time_bits: int  # of when a frame is shown
    id_bits: int
    screen_content: int
    integer_vectors: int


class Av1Stream:
    """Reads items or samples in order; its sides are then the largest of any frame."""

    def __init__(self) -> None:
        self.declared: Size = (0, 0)  # by the sequence headers
        self.possible: Size = (0, 0)  # by those, and by the sides that a frame may state instead
        self.frames = 0  # decoded ones, shown or not
        self._sequence: _Sequence | None = None

    def feed(self, data: memoryview, most: int = MAX_UNITS) -> int:
        """Read the headers; returns the number of units. What follows damage is neither decoded nor read here.

        Raises `SourceTooLarge` for more units than `most`, `CorruptImage` for a frame before any sequence header.
        """
        offset = units = 0
        while offset < len(data):
            units += 1
            if units > most:
                raise SourceTooLarge(f"the source is in too many pieces, allowed: {MAX_UNITS} units of AV1")
            kind, extended, sized = data[offset] >> 3 & 15, data[offset] >> 2 & 1, data[offset] & 2
            offset += 1 + extended
            try:
                size, offset = _leb128(data, offset) if sized else (len(data) - offset, offset)
                if size > len(data) - offset:
                    break
                self._read(kind, data[offset : offset + min(size, _LONGEST)])
            except (EOFError, IndexError):
                break
            offset += size
        return units

    def _read(self, kind: int, body: memoryview) -> None:
        if kind == _SEQUENCE:
            self._sequence = sequence = _sequence_header(_Bits(body))
            self.declared = _most(self.declared, sequence.sides)
            self.possible = _most(self.possible, sequence.sides)
        elif kind in _FRAME_HEADERS:
            if self._sequence is None:
                raise CorruptImage("the source has a frame of AV1 without a sequence header")
            own_sides = _has_own_sides(_Bits(body), self._sequence)
            self.frames += own_sides is not None and kind != _REPEATED
            if own_sides:
                width, height = self._sequence.bits
                self.possible = _most(self.possible, (1 << width, 1 << height))


class _Bits:
    """Reads numbers of a given length in bits; raises `EOFError` after the last bit."""

    def __init__(self, data: memoryview) -> None:
        self._value, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def read(self, bits: int) -> int:
        self._left -= bits
        if self._left < 0:
            raise EOFError
        return self._value >> self._left & (1 << bits) - 1

    def read_uvlc(self) -> int:
        """A number as 4.10.3 has it. Raises `CorruptImage` for one of more than 32 bits, which decoders differ on."""
        zeros = 0
        while not self.read(1):
            zeros += 1
            if zeros == 32:
                raise CorruptImage("the source has a number of AV1 that is too long")
        return self.read(zeros) + (1 << zeros) - 1


def _leb128(data: memoryview, offset: int) -> tuple[int, int]:
    """A length in groups of 7 bits, the lowest first (4.10.5), and the offset after it."""
    value = 0
    for group in range(8):
        byte = data[offset + group]
        value |= (byte & 0x7F) << 7 * group
        if byte < 0x80:
            return value, offset + group + 1
    raise EOFError


def _most(one: Size, other: Size) -> Size:
    return max(one[0], other[0]), max(one[1], other[1])


def _sequence_header(bits: _Bits) -> _Sequence:
    """5.5.1, as far as frame headers need it."""
    bits.read(4)  # profile, whether it is a still picture
    reduced = bool(bits.read(1))
    time_bits = 0
    if reduced:
        bits.read(5)  # level
    else:
        time_bits = _times(bits)
    width_bits, height_bits = bits.read(4) + 1, bits.read(4) + 1
    sides = bits.read(width_bits) + 1, bits.read(height_bits) + 1
    id_bits, screen_content, integer_vectors = 0, _SELECT, _SELECT
    if not reduced and bits.read(1):  # frames have numbers
        id_bits = bits.read(4) + bits.read(3) + 3
    bits.read(3)  # large superblocks, two filters
    if not reduced:
        bits.read(4)  # kinds of prediction
        ordered = bits.read(1)
        bits.read(2 * ordered)
        screen_content = _SELECT if bits.read(1) else bits.read(1)
        if screen_content:
            integer_vectors = _SELECT if bits.read(1) else bits.read(1)
    return _Sequence(sides, (width_bits, height_bits), reduced, time_bits, id_bits, screen_content, integer_vectors)


def _times(bits: _Bits) -> int:
    """Skip timing and operating points; returns the bits of the time that a frame states."""
    model = even = delay_bits = time_bits = 0
    if bits.read(1):
        bits.read(64)  # a tick
        even = bits.read(1)
        if even:
            bits.read_uvlc()
        model = bits.read(1)
        if model:
            delay_bits = bits.read(5) + 1
            bits.read(32 + 5)
            time_bits = bits.read(5) + 1
    initial_delay = bits.read(1)
    for _ in range(bits.read(5) + 1):
        bits.read(12)
        if bits.read(5) > 7:  # a level that has tiers
            bits.read(1)
        if model and bits.read(1):
            bits.read(2 * delay_bits + 1)
        if initial_delay and bits.read(1):
            bits.read(4)
    return 0 if even else time_bits


def _has_own_sides(bits: _Bits, sequence: _Sequence) -> bool | None:
    """Whether a frame header states its own sides (5.9.2); None for a header that shows an earlier frame."""
    if sequence.reduced:
        return False
    if bits.read(1):
        return None
    kind, shown = bits.read(2), bits.read(1)
    if shown:
        bits.read(sequence.time_bits)
    else:
        bits.read(1)
    if kind != _SWITCH and not (kind == _KEY and shown):
        bits.read(1)  # resilient
    bits.read(1)  # its statistics
    screen_content = bits.read(1) if sequence.screen_content == _SELECT else sequence.screen_content
    if screen_content and sequence.integer_vectors == _SELECT:
        bits.read(1)
    bits.read(sequence.id_bits)
    return kind == _SWITCH or bool(bits.read(1))
