"""Computes from two peers' times, measured in pairs, how much faster one is.

Both halves of a pair are run one after the other, so that other load on the machine affects both. So the ratio of a
pair is stable where times are not. The results are the median of the ratios, and an interval for the true median that
assumes no distribution of the ratios: the order statistics around it, by the binomial distribution of signs.
Conover, Practical Nonparametric Statistics, 3rd edition, section 3.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import median
from typing import Final

CONFIDENCE: Final = 0.95
LEAST_PAIRS: Final = 6  # of five, even the smallest and the largest enclose the median with 94 % only


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median of paired ratios, and the interval that holds the true one with `CONFIDENCE`."""

    median: float
    low: float
    high: float


def paired_ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """Ours to theirs, run by run; raises ValueError for unpaired or too few runs."""
    ratios = sorted(mine / other for mine, other in zip(ours, theirs, strict=True))
    if len(ratios) < LEAST_PAIRS:
        raise ValueError(f"got {len(ratios)} pairs, an interval needs {LEAST_PAIRS}")
    outside = cut(len(ratios))
    return Ratio(median(ratios), ratios[outside], ratios[-1 - outside])


def cut(pairs: int) -> int:
    """How many of the sorted ratios may be left out at each end.

    The median is below the k-th smallest of n with the probability that fewer than k of n fair coins show heads.
    """
    below, outside = 0.0, 0
    while True:
        below += comb(pairs, outside) / 2**pairs
        if below > (1 - CONFIDENCE) / 2:
            return max(0, outside - 1)
        outside += 1
