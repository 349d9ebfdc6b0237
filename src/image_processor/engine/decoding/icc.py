"""Builds ICC profiles for pictures that describe their colours by code points (CICP), or by a PNG's gamma."""

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

Chromaticities = tuple[float, ...]  # x and y of white, red, green and blue, in the order of a PNG's cHRM

D65: Final = (0.3127, 0.3290)
# ITU-T H.273, table 2. Code points of old film and of XYZ are left out; they are taken as sRGB.
_PRIMARIES: Final[dict[int, Chromaticities]] = {
    1: (*D65, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060),  # BT.709 and sRGB
    5: (*D65, 0.640, 0.330, 0.290, 0.600, 0.150, 0.060),  # BT.601, PAL
    6: (*D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),  # BT.601, NTSC
    7: (*D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    9: (*D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),  # BT.2020
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),  # DCI-P3
    12: (*D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),  # Display P3
    22: (*D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
_GAMMAS: Final = {4: 2.2, 5: 2.8, 8: 1.0}
_PQ, _HLG = 16, 18
_SDR_WHITE: Final = 203.0  # cd/m² of paper white in HDR, ITU-R BT.2408
_PEAK: Final = 1000.0  # cd/m² that HDR pictures are mastered for, and HLG's nominal peak
_SAMPLES: Final = 4096  # of a curve without a formula; the samples of a byte are 256
_D50: Final = (0.9642, 1.0, 0.8249)  # of ICC's profile connection space
_BRADFORD: Final = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))

Matrix = Sequence[Sequence[float]]


@lru_cache(maxsize=32)
def of_cicp(primaries: int, transfer: int, *, grey: bool) -> bytes | None:
    """The profile of code points; None for sRGB, and for what is treated as sRGB.

    The transfer functions of video are taken as sRGB's: they describe the camera, and screens show it by that curve.
    """
    colours = _PRIMARIES.get(primaries, _PRIMARIES[1])
    if transfer in (_PQ, _HLG):
        curve = _sampled(_pq if transfer == _PQ else _hlg)
    elif transfer in _GAMMAS:
        curve = _parametric(_GAMMAS[transfer])
    elif grey or colours == _PRIMARIES[1]:
        return None
    else:
        curve = _SRGB_CURVE
    return _profile(None if grey else colours, curve)


@lru_cache(maxsize=32)
def of_gamma(gamma: float, colours: Chromaticities | None, *, grey: bool) -> bytes | None:
    """The profile of a PNG's gAMA (as in the file: 0.45455) and cHRM; None where that is sRGB, or impossible.

    A gamma within 5 % of sRGB's counts as sRGB's, as in libpng and therefore in browsers.
    """
    usual = abs(gamma * 2.2 - 1) < 0.05
    srgb = colours is None or grey or max(abs(a - b) for a, b in zip(colours, _PRIMARIES[1], strict=True)) < 0.002
    if (usual and srgb) or not 0.1 <= gamma <= 10:
        return None
    try:
        return _profile(None if grey else colours or _PRIMARIES[1], _parametric(1 / gamma))
    except (ZeroDivisionError, struct.error):  # colours on one line, or too far out for the numbers of a profile
        return None


def _profile(colours: Chromaticities | None, curve: bytes) -> bytes:
    """A matrix profile, or without colours a grey one (ICC.1:2022, 8.3 and 8.4)."""
    names = (b"k",) if colours is None else (b"r", b"g", b"b")
    tags = [(name + b"TRC", curve) for name in names]
    if colours is not None:
        columns = zip(*_to_d50(colours), strict=True)
        tags += [(name + b"XYZ", _xyz(column)) for name, column in zip(names, columns, strict=True)]
    tags.append((b"wtpt", _xyz(_D50)))
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags:
        table += struct.pack(">4sII", name, start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    space = b"GRAY" if colours is None else b"RGB "
    header = struct.pack(">I4xI4s4s4s12x4s", start + len(body), 0x04300000, b"mntr", space, b"XYZ ", b"acsp")
    return header.ljust(68, b"\0") + _xyz(_D50)[8:] + bytes(48) + table + body


def _to_d50(colours: Chromaticities) -> Matrix:
    """The columns are the XYZ of red, green and blue, adapted from their white to D50 (SMPTE RP 177; Bradford)."""
    white, *primaries = [(x / y, 1.0, (1 - x - y) / y) for x, y in zip(colours[::2], colours[1::2], strict=True)]
    columns = list(zip(*primaries, strict=True))
    amounts = _times(_inverse(columns), [[value] for value in white])
    scaled = [[value * amount[0] for value, amount in zip(row, amounts, strict=True)] for row in columns]
    cones = [_times(_BRADFORD, [[value] for value in light]) for light in (white, _D50)]
    gains = [[new[0] / old[0] if row == column else 0.0 for column in range(3)]
             for row, (old, new) in enumerate(zip(*cones, strict=True))]  # fmt: skip
    return _times(_inverse(_BRADFORD), _times(gains, _times(_BRADFORD, scaled)))


def _times(left: Matrix, right: Matrix) -> Matrix:
    return [[sum(a * b for a, b in zip(row, column, strict=True)) for column in zip(*right, strict=True)]
            for row in left]  # fmt: skip


def _inverse(matrix: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    by = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    return [
        [(e * i - f * h) / by, (c * h - b * i) / by, (b * f - c * e) / by],
        [(f * g - d * i) / by, (a * i - c * g) / by, (c * d - a * f) / by],
        [(d * h - e * g) / by, (b * g - a * h) / by, (a * e - b * d) / by],
    ]


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * value) for value in values))


def _parametric(gamma: float) -> bytes:
    return b"para" + bytes(4) + struct.pack(">HxxI", 0, round(65536 * gamma))


_SRGB_CURVE: Final = (
    b"para" + bytes(4) + struct.pack(">Hxx5I", 3, *(round(65536 * value) for value in (
        2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)))
)  # fmt: skip


def _sampled(light: Callable[[float], float]) -> bytes:
    """A curve from the share of a sample to cd/m², tone-mapped to what a screen without HDR shows."""
    samples = [round(65535 * min(1.0, _toned(light(index / (_SAMPLES - 1))))) for index in range(_SAMPLES)]
    return b"curv" + bytes(4) + struct.pack(f">I{_SAMPLES}H", _SAMPLES, *samples)


def _toned(light: float) -> float:
    """Reinhard's curve with white at the peak, as in Chromium: nothing is clipped, paper white is 0.52."""
    times = light / _SDR_WHITE
    return times * (1 + times * (_SDR_WHITE / _PEAK) ** 2) / (1 + times)


def _pq(share: float) -> float:
    """SMPTE ST 2084, as in ITU-R BT.2100, table 4."""
    power: float = share ** (32 / 2523)
    light: float = (max(0.0, power - 107 / 128) / (2413 / 128 - 2392 / 128 * power)) ** (8192 / 1305)
    return 10_000 * light


def _hlg(share: float) -> float:
    """ITU-R BT.2100, table 5, with the system gamma of a peak of 1000 cd/m²."""
    from math import exp

    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene: float = share**2 / 3 if share <= 0.5 else (exp((share - c) / a) + b) / 12
    light: float = scene**1.2
    return _PEAK * light
