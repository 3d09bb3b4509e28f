"""How far a confidence can be believed: right answers by confidence in ten bins, the expected calibration error, a picture.

A planner that says 0.8 should be right on four of five such questions. `binned` sorts (confidence, right) pairs into bins of
equal width, `calibration_error` is the mean gap between said and found, weighted by cases (Guo et al., 2017), and `plot`
draws the reliability diagram. tests/test_language_evals.py.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

BINS = 10


@dataclass(frozen=True)
class Bin:
    """The cases whose confidence lies in [low, high) (the last bin holds 1.0 too): how many, how many right, and their mean
    confidence."""

    low: float
    high: float
    cases: int
    right: int
    confidence: float


def binned(pairs: Iterable[tuple[float, bool]]) -> list[Bin]:
    """Ten bins of equal width over [0, 1]; an empty one has the confidence of its middle."""
    inside: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for confidence, right in pairs:
        inside[min(BINS - 1, max(0, int(confidence * BINS)))].append((confidence, right))
    found = []
    for number, cases in enumerate(inside):
        low, high = number / BINS, (number + 1) / BINS
        mean = sum(confidence for confidence, _ in cases) / len(cases) if cases else (low + high) / 2
        found.append(Bin(low, high, len(cases), sum(right for _, right in cases), round(mean, 4)))
    return found


def calibration_error(bins: Sequence[Bin]) -> float:
    """The expected calibration error: 0 is perfect; 0 without cases."""
    cases = sum(b.cases for b in bins)
    return sum(abs(b.right - b.confidence * b.cases) for b in bins) / cases if cases else 0.0


def plot(bins: Sequence[Bin]) -> str:
    """The reliability diagram as SVG: the share of right plans over confidence, beside the diagonal, with the number of
    cases above each bar. The same bins give the same text."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": "andon", "svg.fonttype": "none"}):
        figure = Figure(figsize=(5.2, 4.2))
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle="--")
        for b in bins:
            if b.cases:
                axes.bar((b.low + b.high) / 2, b.right / b.cases, width=0.9 / BINS, color="#4477aa", alpha=0.8)
                axes.plot(b.confidence, b.right / b.cases, marker="o", color="#223344", markersize=4)
                axes.annotate(str(b.cases), ((b.low + b.high) / 2, b.right / b.cases), ha="center", va="bottom", fontsize=8)
        axes.set(xlim=(0, 1), ylim=(0, 1.08), xlabel="confidence said", ylabel="share of whole plans right")
        axes.set_title(f"Calibration error {calibration_error(bins):.3f}, {sum(b.cases for b in bins)} plans", fontsize=10)
        figure.tight_layout()
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()
