"""Builds minimal ICC profiles byte by byte (ICC.1:2010), and calculates what their colours are in sRGB."""

import struct
from collections.abc import Callable, Sequence

Matrix = tuple[tuple[float, float, float], ...]

# The columns are the red, green and blue primaries in XYZ under D50, the profile connection space.
SRGB: Matrix = ((0.436066, 0.385147, 0.143066), (0.222488, 0.716873, 0.060608), (0.013916, 0.097076, 0.714096))
DISPLAY_P3: Matrix = ((0.515102, 0.291965, 0.157153), (0.241182, 0.692236, 0.066582), (-0.001050, 0.041882, 0.784378))
ADOBE_RGB: Matrix = ((0.609741, 0.205276, 0.149185), (0.311111, 0.625671, 0.063217), (0.019470, 0.060867, 0.744568))
PROPHOTO: Matrix = ((0.797719, 0.135127, 0.031306), (0.288031, 0.711837, 0.000093), (0.0, 0.0, 0.824905))
D50 = (0.9642, 1.0, 0.8249)


def srgb_to_linear(share: float) -> float:
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def linear_to_srgb(share: float) -> int:
    share = min(1.0, max(0.0, share))
    return round(255 * (share * 12.92 if share <= 0.0031308 else 1.055 * share ** (1 / 2.4) - 0.055))


def in_srgb(colour: Sequence[int], primaries: Matrix, to_linear: Callable[[float], float]) -> tuple[int, ...]:
    """A colour of an RGB space in sRGB, by matrix arithmetic, with out-of-gamut samples clipped."""
    linear = [to_linear(sample / 255) for sample in colour]
    xyz = [sum(part * sample for part, sample in zip(row, linear, strict=True)) for row in primaries]
    return tuple(linear_to_srgb(sample) for sample in _solve(SRGB, xyz))


def lab_of(colour: Sequence[int]) -> tuple[float, float, float]:
    """A colour of sRGB in CIE L*a*b* under D50."""
    linear = [srgb_to_linear(sample / 255) for sample in colour]
    xyz = [sum(part * sample for part, sample in zip(row, linear, strict=True)) for row in SRGB]
    x, y, z = (
        t ** (1 / 3) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29
        for t in (value / white for value, white in zip(xyz, D50, strict=True))
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def rgb_profile(primaries: Matrix, gamma: float | None) -> bytes:
    """A matrix/TRC profile; without a gamma it has the curve of sRGB."""
    curve = _srgb_curve() if gamma is None else _gamma_curve(gamma)
    columns = zip(*primaries, strict=True)
    tags = [(name, _xyz(column)) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)]
    return _profile(b"mntr", b"RGB ", b"XYZ ", [*tags, *((name, curve) for name in (b"rTRC", b"gTRC", b"bTRC"))])


def parametric_rgb_profile(primaries: Matrix, gamma: float) -> bytes:
    """A profile of version 4, whose curve is a parametric function of type 4: a gamma above a straight line."""
    numbers = (gamma, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0.0, 0.0)
    curve = b"para" + bytes(4) + struct.pack(">Hxx7i", 4, *(round(65536 * number) for number in numbers))
    columns = zip(*primaries, strict=True)
    tags = [(name, _xyz(column)) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)]
    tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    profile = _profile(b"mntr", b"RGB ", b"XYZ ", tags)
    return profile[:8] + b"\x04\x20\0\0" + profile[12:]


def grey_profile(gamma: float) -> bytes:
    return _profile(b"mntr", b"GRAY", b"XYZ ", [(b"kTRC", _gamma_curve(gamma))])


def cmyk_profile(colours: Callable[[tuple[int, int, int, int]], Sequence[int]]) -> bytes:
    """A printer's profile: `colours` gives the sRGB colour of each of the 16 mixtures of full inks."""
    identity = struct.pack(">9i", *(65536 * (index % 4 == 0) for index in range(9)))
    ramp = bytes(range(256))
    grid = bytearray()
    for mixture in range(16):
        inks = (mixture >> 3 & 1, mixture >> 2 & 1, mixture >> 1 & 1, mixture & 1)
        lightness, a, b = lab_of(colours(inks))
        grid += bytes((round(lightness * 2.55), round(a + 128), round(b + 128)))
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + identity + ramp * 4 + bytes(grid) + ramp * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", [(b"A2B0", table), (b"A2B1", table)])


def unusual_inks(mixture: tuple[int, int, int, int]) -> tuple[int, int, int]:
    """A printer with unusual inks: cyan prints green, magenta orange, yellow blue, and every mixture black."""
    colours = {
        (0, 0, 0, 0): (255, 255, 255),
        (1, 0, 0, 0): (20, 120, 30),
        (0, 1, 0, 0): (220, 120, 20),
        (0, 0, 1, 0): (60, 60, 200),
    }
    return colours.get(mixture, (0, 0, 0))


def _profile(device_class: bytes, space: bytes, connection: bytes, tags: list[tuple[bytes, bytes]]) -> bytes:
    text = b"test\0"
    tags = [
        (b"desc", b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78)),
        (b"cprt", b"text" + bytes(4) + text),
        (b"wtpt", _xyz(D50)),
        *tags,
    ]
    offset = 128 + 4 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    for name, body in tags:
        table += name + struct.pack(">II", offset + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    header = (
        struct.pack(">I4sI", 128 + len(table) + len(data), bytes(4), 0x02400000) + device_class + space + connection
    )
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", *(round(65536 * value) for value in D50))
    return header.ljust(128, b"\0") + table + data


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * value) for value in values))


def _gamma_curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(256 * gamma))


def _srgb_curve() -> bytes:
    samples = [round(65535 * srgb_to_linear(index / 1023)) for index in range(1024)]
    return b"curv" + bytes(4) + struct.pack(">I1024H", 1024, *samples)


def _solve(matrix: Matrix, values: Sequence[float]) -> list[float]:
    """Cramer's rule for three unknowns."""

    def determinant(m: Sequence[Sequence[float]]) -> float:
        (a, b, c), (d, e, f), (g, h, i) = m
        return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)

    def replaced(column: int) -> list[list[float]]:
        return [[values[r] if c == column else matrix[r][c] for c in range(3)] for r in range(3)]

    return [determinant(replaced(column)) / determinant(matrix) for column in range(3)]
