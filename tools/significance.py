"""Small exact and rank tests, and the correction for having tried many.

tests/test_correlations.py holds them to textbook values and counts their false alarms over series that remember.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


LINK_P = 0.05


SHIFTS_OF_SERIES = 999


@dataclass(frozen=True)
class Finding:
    """One candidate: `effect` is a rate ratio against the rest, or Spearman's rho for signals."""

    kind: str
    factor: str
    measure: str
    effect: float | None
    events: int
    size: int
    p: float
    adjusted: float = 1.0

    @property
    def linked(self) -> bool:
        return self.adjusted < LINK_P


def holm(findings: Sequence[Finding]) -> list[Finding]:
    """Adjusted p-values over everything that was tested, the strongest first."""
    ranked = sorted(findings, key=lambda f: (f.p, -abs(math.log(f.effect)) if f.effect and f.effect > 0 else 0.0))
    adjusted, highest = [], 0.0
    for index, finding in enumerate(ranked):
        highest = max(highest, min(1.0, finding.p * (len(ranked) - index)))
        adjusted.append(replace(finding, adjusted=highest))
    return adjusted


def ranks(values: Sequence[float] | Array) -> Array:
    """Ranks from 1, ties by their mean."""
    array = np.asarray(values, dtype=float)
    order = np.argsort(array, kind="stable")
    out = np.empty(len(array))
    out[order] = np.arange(1, len(array) + 1)
    _, inverse, counts = np.unique(array, return_inverse=True, return_counts=True)
    sums = np.zeros(len(counts))
    np.add.at(sums, inverse, out)
    mean: Array = sums[inverse] / counts[inverse]
    return mean


def spearman(x: Array, y: Array) -> tuple[float, float]:
    """Spearman's rho, and a two-sided p from circular shifts of one series against the other."""
    a, b = ranks(x), ranks(y)
    a, b = a - a.mean(), b - b.mean()
    scale = math.sqrt(float((a * a).sum() * (b * b).sum()))
    rho = float((a * b).sum()) / scale
    n = len(a)
    shifts = range(1, n) if n <= SHIFTS_OF_SERIES else np.linspace(1, n - 1, SHIFTS_OF_SERIES).astype(int)
    shifted = np.array([float((np.roll(a, int(k)) * b).sum()) / scale for k in shifts])
    by_shift = (1 + int(np.count_nonzero(np.abs(shifted) >= abs(rho) - 1e-12))) / (1 + len(shifted))
    # Shifts alone cannot say less than 1/n: they have a veto, and beyond it the normal approximation decides, with as
    # many independent steps as two series of this memory hold (first order).
    both = _memory(a) * _memory(b)
    effective = n * (1 - both) / (1 + both)
    t = abs(rho) * math.sqrt(max(effective - 2, 1.0) / max(1e-12, 1 - rho * rho))
    by_t = math.erfc(t / math.sqrt(2))
    return rho, by_t if by_shift < LINK_P else max(by_shift, by_t)


def _memory(a: Array) -> float:
    """Correlation of a centred series with itself one step later, from 0 to just below 1."""
    spread = float((a * a).sum())
    return min(0.99, max(0.0, float((a[1:] * a[:-1]).sum()) / spread)) if spread else 0.0


def rank_p(here: Sequence[float], there: Sequence[float]) -> float:
    """Mann and Whitney's test, two-sided, normal approximation with ties."""
    n, m = len(here), len(there)
    if n < 3 or m < 3:
        return 1.0
    every = np.array([*here, *there])
    ranked = ranks(every)
    u = float(ranked[:n].sum()) - n * (n + 1) / 2
    _, counts = np.unique(every, return_counts=True)
    total = n + m
    ties = float(((counts**3) - counts).sum()) / (total * (total - 1))
    sigma = math.sqrt(n * m / 12 * ((total + 1) - ties))
    return 1.0 if sigma == 0 else math.erfc(max(0.0, abs(u - n * m / 2) - 0.5) / sigma / math.sqrt(2))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def binomial_p(k: int, n: int, share: float) -> float:
    """Two-sided exact binomial test: chances no greater than that of k, summed."""
    if n == 0 or not 0 < share < 1:
        return 1.0
    chances = [math.exp(_log_choose(n, i) + i * math.log(share) + (n - i) * math.log1p(-share)) for i in range(n + 1)]
    return min(1.0, sum(c for c in chances if c <= chances[k] * (1 + 1e-7)))


def fisher_p(a: int, b: int, c: int, d: int) -> float:
    """Fisher's exact test of a 2x2 table, two-sided."""
    row, column, n = a + b, a + c, a + b + c + d
    low, high = max(0, column - (n - row)), min(row, column)
    base = _log_choose(n, column)
    chances = {i: math.exp(_log_choose(row, i) + _log_choose(n - row, column - i) - base) for i in range(low, high + 1)}
    return min(1.0, sum(p for p in chances.values() if p <= chances[a] * (1 + 1e-7)))
