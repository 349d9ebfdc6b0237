"""JPEGs that are small and costly to decode: an empty scan of a progressive one is a pass over all pixels."""

import io
import struct

from PIL import Image

from .bomb import Bomb


def segment(marker: int, body: bytes = b"") -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def jpeg(width=8, height=8, mode="L", before=b"", **options) -> bytes:
    body = io.BytesIO()
    Image.new(mode, (width, height)).save(body, "jpeg", **options)
    return body.getvalue()[:2] + before + body.getvalue()[2:]


def packed(bits: str) -> bytes:
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")


def empty_blocks(number: int) -> bytes:
    """The codes for this number of blocks without a coefficient (T.81, G.1.2.2), by the table `RUNS`."""
    runs = [32_767] * (number // 32_767) + [number % 32_767] * (number % 32_767 > 0)
    sizes = [run.bit_length() - 1 for run in runs]
    return packed("".join(f"{s:04b}" + f"{run - (1 << s):0{s}b}" * (s > 0) for run, s in zip(runs, sizes, strict=True)))


RUNS = segment(0xC4, b"\x10" + bytes((0, 0, 0, 15)) + bytes(12) + bytes(size << 4 for size in range(15)))
DIRECT = segment(0xC4, b"\x00\x01" + bytes(15) + b"\0")  # one code of one bit: no difference
TABLE = segment(0xDB, b"\0" + b"\1" * 64)


def progressive(width: int, height: int, components: int, scans: int, *, refine: bool = True) -> bytes:
    blocks = -(-width // 8) * -(-height // 8)
    names = range(1, components + 1)
    frame = struct.pack(">BHHB", 8, height, width, components) + b"".join(bytes((name, 0x11, 0)) for name in names)
    first = bytes((components,)) + b"".join(bytes((name, 0)) for name in names) + bytes(3)
    data = [b"\xff\xd8", TABLE, segment(0xC2, frame), DIRECT, RUNS, segment(0xDA, first)]
    data.append(bytes(blocks * components // 8 + 1))
    empty = empty_blocks(blocks)
    for number in range(scans):
        part = bytes((1, 1 + number % components, 0, 1, 63, 0x10 * refine))
        data += [segment(0xDA, part), empty]
    return b"".join([*data, b"\xff\xd9"])


def arithmetic(width: int, height: int, marker: int = 0xC9, scans: int = 1) -> bytes:
    """A grey picture of arithmetic coding (T.81, annex D), whose data soon ends; of several scans if progressive."""
    frame = struct.pack(">BHHBBBB", 8, height, width, 1, 1, 0x11, 0)
    data = [b"\xff\xd8", TABLE, segment(marker, frame)]
    if marker == 0xC9:
        data += [segment(0xDA, bytes((1, 1, 0, 0, 63, 0))), b"\x55" * 200]
    for _ in range(scans if marker == 0xCA else 0):
        data += [segment(0xDA, bytes((1, 1, 0, 1, 63, 13))), b"\x55" * 16]
    return b"".join([*data, b"\xff\xd9"])


def sequential(width: int, height: int, scans: int) -> bytes:
    """A picture of three components that is not progressive: all scans but two are of the first component."""
    frame = struct.pack(">BHHB", 8, height, width, 3) + b"\1\x11\0\2\x11\0\3\x11\0"
    ends = segment(0xC4, b"\x10\x01" + bytes(15) + b"\0")  # one code of one bit: the end of the block
    blocks = -(-width // 8) * -(-height // 8)
    data = [b"\xff\xd8", TABLE, segment(0xC0, frame), DIRECT, ends]
    for number in range(scans):
        component = max(1, number + 4 - scans)
        data += [segment(0xDA, bytes((1, component, 0, 0, 63, 0))), bytes(blocks // 4 + 1)]
    return b"".join([*data, b"\xff\xd9"])


def of_frame(marker: int, depth: int = 8) -> bytes:
    """A picture whose header states another process (T.81, table B.1): arithmetic, lossless, 12 bits."""
    return jpeg(64, 64).replace(b"\xff\xc0\0\x0b\x08", bytes((0xFF, marker, 0, 0x0B, depth)))


def claiming(width: int, height: int, **options) -> bytes:
    mode = options.get("mode", "L")
    layers = bytes((3 if mode == "RGB" else 1,))
    sides = struct.pack(">HH", height, width)
    return jpeg(**options).replace(b"\0\x08\0\x08" + layers, sides + layers, 1)


def photoshop(number: int) -> bytes:
    return segment(0xED, b"Photoshop 3.0\0" + b"8BIM\0\0\0\0\0\0\0\0" * 5400) * number


TOO_MANY, UNREAD = "SourceTooLarge", "UnsupportedFormat"
BOMBS = {
    "jpeg, 4295 megapixels in 300 bytes": Bomb(lambda: claiming(65_535, 65_535), "SourceTooLarge", 20),
    "jpeg, 79 megapixels in 300 bytes": Bomb(lambda: claiming(65_000, 1230), "rendered", 100),
    "jpeg, 79 megapixels of colour": Bomb(
        lambda: claiming(65_000, 1230, mode="RGB", subsampling=0), "rendered", 500, "quality=50,format=jpeg"
    ),
    "jpeg, 79 megapixels progressive": Bomb(lambda: claiming(65_000, 1230, progressive=True), "rendered", 300),
    "jpeg, 79 megapixels progressive and cut": Bomb(lambda: progressive(8900, 8900, 3, 0)[:600], "CorruptImage", 600),
    "jpeg, 2000 scans of 79 megapixels": Bomb(lambda: progressive(8900, 8900, 3, 2000), TOO_MANY, 600),
    "jpeg, 15 scans of 79 megapixels": Bomb(lambda: progressive(8900, 8900, 3, 15), "rendered", 600),
    "jpeg, 105 scans of 12 megapixels": Bomb(lambda: progressive(4000, 3000, 3, 105), "rendered", 150),
    "jpeg, 999 scans of 1 megapixel": Bomb(lambda: progressive(1000, 1000, 3, 999), "rendered", 50),
    "jpeg, 100,000 scans of 64 pixels": Bomb(lambda: progressive(8, 8, 1, 100_000, refine=False), TOO_MANY, 20),
    "jpeg, a restart at every block": Bomb(lambda: jpeg(4000, 3000, restart_marker_blocks=1), "rendered", 50),
    "jpeg, 12 million segments": Bomb(lambda: jpeg(before=segment(0xE5) * 12_000_000), TOO_MANY, 20),
    "jpeg, 780 segments of 64 kB": Bomb(lambda: jpeg(before=segment(0xE5, bytes(64_000)) * 780), "rendered", 150),
    "jpeg, a profile of 50 MB": Bomb(
        lambda: jpeg(before=segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(64_000)) * 780), "rendered", 150
    ),
    "jpeg, 780 segments of small resources": Bomb(lambda: jpeg(before=photoshop(760)), "rendered", 150),
    "jpeg, 4 million pieces of Exif": Bomb(lambda: jpeg(before=segment(0xE1, b"Exif\0\0ab") * 4_000_000), TOO_MANY, 20),
    "jpeg, 50 MB of Exif": Bomb(lambda: jpeg(before=segment(0xE1, b"Exif\0\0" + bytes(65_000)) * 760), TOO_MANY, 20),
    "jpeg, 50 MB of fill bytes": Bomb(lambda: jpeg(before=b"\xff" * 50_000_000), TOO_MANY, 20),
    "jpeg, 50 MB of no segment": Bomb(lambda: jpeg(before=segment(0xE5) + bytes(50_000_000)), TOO_MANY, 20),
    "jpeg, 50 MB of stuffed zeros": Bomb(lambda: jpeg(before=b"\xff\0" * 25_000_000), TOO_MANY, 20),
    "jpeg, 79 megapixels of arithmetic coding": Bomb(lambda: arithmetic(8900, 8900), UNREAD, 20),
    "jpeg, 79 megapixels of arithmetic coding, progressive": Bomb(lambda: arithmetic(8900, 8900, 0xCA, 16), UNREAD, 20),
    **{
        f"jpeg, frame {marker:02X} of arithmetic coding": Bomb(lambda marker=marker: of_frame(marker), UNREAD, 20)
        for marker in (0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF)
    },
    "jpeg, 15 scans of 79 megapixels, not progressive": Bomb(lambda: sequential(8900, 8900, 15), "rendered", 900),
    "jpeg, 30 scans of 79 megapixels, not progressive": Bomb(lambda: sequential(8900, 8900, 30), TOO_MANY, 900),
    "jpeg, lossless": Bomb(lambda: of_frame(0xC3), "CorruptImage", 20),
    "jpeg, of 12 bits": Bomb(lambda: of_frame(0xC1, 12), "CorruptImage", 20),
}
