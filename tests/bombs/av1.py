"""AV1 streams whose frames are larger than their sequence header says: each frame may state its own sides."""

import struct

from . import bmff
from .bomb import Bomb

SEQUENCE, FRAME = 1, 6  # types of units
ORDER_BITS = 7  # what libaom takes for a frame's number


def units(data: bytes) -> list[tuple[int, bytes]]:
    found, offset = [], 0
    while offset < len(data):
        kind, size, shift = data[offset] >> 3 & 15, 0, 0
        while True:
            offset += 1
            size |= (data[offset] & 0x7F) << shift
            shift += 7
            if data[offset] < 0x80:
                break
        found.append((kind, data[offset + 1 : offset + 1 + size]))
        offset += 1 + size
    return found


def unit(kind: int, body: bytes) -> bytes:
    return bytes((kind << 3 | 2, len(body) & 0x7F | 0x80, len(body) >> 7)) + body


def bits_of(data: bytes) -> str:
    return "".join(f"{byte:08b}" for byte in data)


def bytes_of(bits: str) -> bytes:
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[offset : offset + 8], 2) for offset in range(0, len(bits), 8))


def overriding(width: int, height: int) -> bytes:
    """An AVIF of 16 pixels a side, as its header says, and as its sequence header does; its frame has these sides.

    The sides of a frame have 16 bits each, so that whole bytes are inserted and the tiles after them do not change.
    """
    made = bmff.sequence(width, height)
    (size,) = struct.unpack_from(">I", made, made.index(b"stsz") + 16)
    (offset,) = struct.unpack_from(">I", made, made.index(b"stco") + 12)
    out = b""
    for kind, body in units(made[offset : offset + size]):
        bits = bits_of(body)
        if kind == SEQUENCE:
            least = [(side - 1).bit_length() for side in (width, height)]
            true = f"{least[0] - 1:04b}{least[1] - 1:04b}{width - 1:0{least[0]}b}{height - 1:0{least[1]}b}"
            assert bits.count(true) == 1
            bits = bits.replace(true, f"{15:04b}{15:04b}{15:016b}{15:016b}")
        elif kind == FRAME:  # its seventh bit says whether it has its own sides
            number = 7 + ORDER_BITS
            bits = bits[:6] + "1" + bits[7:number] + f"{width - 1:016b}{height - 1:016b}" + bits[number:]
        out += unit(kind, bytes_of(bits))
    picture = bmff.coded(made, 16, 16)
    return bmff.put_together(b"avif", [bmff.Coded(picture.kind, picture.properties, out)])


BOMBS = {
    "avif, a frame of 64 megapixels in a stream of 256 pixels": Bomb(
        lambda: overriding(8000, 8000), "SourceTooLarge", 20
    ),
}
