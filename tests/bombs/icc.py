"""Small pictures whose ICC profile is costly to read or to apply."""

import struct
import zlib

from .bomb import Bomb
from .jpeg import jpeg, segment
from .png import chunk, png

Tags = list[tuple[bytes, bytes]]


def profile(tags: Tags, space: bytes = b"RGB ", connection: bytes = b"XYZ ", shared: Tags = ()) -> bytes:
    """An ICC profile (ICC.1:2022, 7); the `shared` tags have their data in the last of `tags`."""
    rows, data, start = b"", b"", 132 + 12 * (len(tags) + len(shared))
    for name, body in tags:
        rows += name + struct.pack(">II", start + len(data), len(body))
        last = struct.pack(">II", start + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    rows += b"".join(name + last for name, _ in shared)
    size = start + len(data)
    head = struct.pack(">I4sI", size, bytes(4), 0x04300000) + b"mntr" + space + connection + bytes(12) + b"acsp"
    white = struct.pack(">3i", 63190, 65536, 54061)
    return (head + bytes(28) + white).ljust(128, b"\0") + struct.pack(">I", len(tags) + len(shared)) + rows + data


def multi_process(elements: int, kind: bytes = b"matf") -> bytes:
    """A tag of this number of elements (10.16), which are all the same matrix, or the same curves."""
    start = 16 + 8 * elements
    if kind == b"matf":
        element = b"matf" + bytes(4) + struct.pack(">HH12f", 3, 3, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0)
    else:
        curve = (
            b"curf" + bytes(4) + struct.pack(">HH", 1, 0) + b"parf" + bytes(4) + struct.pack(">HH4f", 0, 0, 1, 1, 0, 0)
        )
        element = b"cvst" + bytes(4) + struct.pack(">HH", 3, 3) + struct.pack(">II", 36, len(curve)) * 3 + curve
    head = b"mpet" + bytes(4) + struct.pack(">HHI", 3, 3, elements)
    return head + struct.pack(">II", start, len(element)) * elements + element


def curve(samples: int, said: int | None = None) -> bytes:
    rising = struct.pack(f">{samples}H", *(65535 * index // max(1, samples - 1) for index in range(samples)))
    return b"curv" + bytes(4) + struct.pack(">I", samples if said is None else said) + rising


def table_of_bytes(inputs: int, grid: int, outputs: int = 3, *, complete: bool = True) -> bytes:
    """A table of type `mft1` (10.11)."""
    identity = struct.pack(">9i", *(65536 * (index % 4 == 0) for index in range(9)))
    head = b"mft1" + bytes(4) + bytes((inputs, outputs, grid, 0)) + identity
    ramp = bytes(range(256))
    return head + ramp * inputs + (bytes(grid**inputs * outputs) if complete else b"") + ramp * outputs


def table_of_words(inputs: int, samples: int, grid: int = 2) -> bytes:
    """A table of type `mft2` (10.10) whose curves have this number of samples."""
    identity = struct.pack(">9i", *(65536 * (index % 4 == 0) for index in range(9)))
    head = b"mft2" + bytes(4) + bytes((inputs, 3, grid, 0)) + identity + struct.pack(">HH", samples, samples)
    ramp = curve(samples)[12:]
    return head + ramp * inputs + bytes(2 * 3 * grid**inputs) + ramp * 3


def elements(inputs: int, grid: bytes, data: bytes = b"", samples: int = 2) -> bytes:
    """A table of type `mAB` (10.12), all of whose curves are the same ones."""
    curves = curve(samples) * 4
    at = 32 + len(curves)
    head = b"mAB " + bytes(4) + bytes((inputs, 3, 0, 0)) + struct.pack(">5I", 32, 0, 0, at, 32)
    return head + curves + grid.ljust(16, b"\0") + b"\1\0\0\0" + data


def within_png(body: bytes, colour: int = 2) -> bytes:
    return png(64, 64, colour=colour, before=chunk(b"iCCP", b"icc\0\0" + zlib.compress(body, 9)))


def within_jpeg(body: bytes) -> bytes:
    pieces = [body[start : start + 65_000] for start in range(0, len(body), 65_000)]
    heads = [b"ICC_PROFILE\0" + bytes((number, len(pieces))) for number in range(1, len(pieces) + 1)]
    return jpeg(64, 64, "RGB", before=b"".join(segment(0xE2, h + p) for h, p in zip(heads, pieces, strict=True)))


def lab(tag: bytes, *, inputs: int = 3, name: bytes = b"A2B0", shared: tuple[bytes, ...] = ()) -> bytes:
    space = {1: b"GRAY", 3: b"RGB ", 4: b"CMYK"}[inputs]
    return profile([(name, tag)], space, b"Lab ", [(other, b"") for other in shared])


FLOAT_TAGS = (b"D2B0", b"D2B1", b"D2B2", b"D2B3", b"B2D0", b"B2D1", b"B2D2", b"B2D3")
BOMBS = {
    **{
        f"icc, {name.decode()} of 80,000 matrices": Bomb(
            lambda name=name: within_png(profile([(name, multi_process(80_000))])), "rendered", 30
        )
        for name in FLOAT_TAGS
    },
    "icc, A2B0 of 80,000 matrices": Bomb(lambda: within_png(lab(multi_process(80_000))), "rendered", 30),
    "icc, D2B1 of 60,000 curves": Bomb(
        lambda: within_png(profile([(b"D2B1", multi_process(60_000, b"cvst"))])), "rendered", 30
    ),
    "icc, a table that says it has 512 MB": Bomb(
        lambda: within_png(lab(table_of_bytes(3, 255, complete=False))), "rendered", 20
    ),
    "icc, a table of 15 inputs": Bomb(lambda: within_png(lab(table_of_bytes(15, 3, complete=False))), "rendered", 20),
    "icc, elements whose grid says it has 500 MB": Bomb(
        lambda: within_png(lab(elements(3, b"\xff\xff\xff", bytes(9)))), "rendered", 20
    ),
    "icc, a table of 3.6 MB": Bomb(
        lambda: within_jpeg(lab(table_of_bytes(3, 106), shared=(b"A2B1", b"B2A0"))), "rendered", 60
    ),
    "icc, curves of 32,767 samples": Bomb(
        lambda: within_jpeg(lab(table_of_words(3, 32_767, 60), shared=(b"A2B1", b"B2A0"))), "rendered", 30
    ),
    "icc, elements of 32,767 samples": Bomb(
        lambda: within_jpeg(lab(elements(3, b"\x50\x50\x50", bytes(3 * 80**3), 32_767), shared=(b"A2B1",))),
        "rendered",
        40,
    ),
    "icc, a curve that says it has 4 billion samples": Bomb(
        lambda: within_png(profile([(b"rTRC", curve(9, 2**32 - 1)), (b"gTRC", curve(9)), (b"bTRC", curve(9))])),
        "rendered",
        20,
    ),
    "icc, 1,000 tags": Bomb(
        lambda: within_jpeg(profile([(b"%04d" % index, b"text") for index in range(1000)])), "rendered", 20
    ),
}
