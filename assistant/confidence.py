"""How likely a plan is right: the router's probabilities of everything it decided, calibrated on written questions.

`raw` multiplies what the router gives to the status, the tool and every closed choice that this tool makes of a
question, and to the marked spans. A product of many numbers near one is not the share of right plans, so a
`Curve` maps it through a logistic curve whose numbers are fitted by `python -m evals.calibration` on the development
questions and shipped with the model; `andon evals planner` prints the error on questions that the fit never saw.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.lm.labels import INDEPENDENT
from assistant.router import MODELS, Reading, Span

if TYPE_CHECKING:
    from assistant.understand import Clause, Placeholder

#: The closed choices that each tool makes of a question.
DECIDES: Mapping[str, tuple[str, ...]] = {
    "query_metrics": ("metric", "by", "compare_to", "sort", "limit"),
    "list_records": ("record", "record_status", "by", "sort", "limit"),
    "draft_document": ("kind", "skill"), "get_procedure": ("skill",), "raise_request": ("request_kind",),
    "trace_material": ("direction",), "search_documents": ("search_kind",),
}  # fmt: skip
_NEGLIGIBLE = 0.02  # a label this unlikely is no doubt
_LEAST = 1e-6


@dataclass(frozen=True)
class Curve:
    """right = 1 / (1 + exp(-(slope * log(raw) + intercept + agreement))); `raw` in (0, 1]; `agreement` counts where the
    language model wrote the same plan."""

    slope: float = 1.0
    intercept: float = 3.0
    agreement: float = 0.2

    def __call__(self, raw: float, agreed: bool = False) -> float:
        lift = self.agreement if agreed else 0.0
        return 1 / (1 + math.exp(-(self.slope * math.log(max(raw, _LEAST)) + self.intercept + lift)))


def curve(folder: Path = MODELS) -> Curve:
    """The shipped curve; the default one where a models folder has none."""
    try:
        found = json.loads((folder / "confidence.json").read_text("utf-8"))
        return Curve(float(found["slope"]), float(found["intercept"]), float(found["agreement"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Curve()


def raw(reading: Reading, clauses: Sequence[Clause]) -> float:
    """The product of what the router gives to everything it decided, in 0..1."""
    total = dict(reading.heads["status"]).get("answer", 1.0)
    for clause in clauses:
        tool, p = clause.reading.tools[0]
        total *= p
        for head in DECIDES.get(tool, ()):
            total *= _settled(clause.reading, head)
        total *= spoken(clause.placeholders)
    return total


def spoken(placeholders: Sequence[Placeholder | Span]) -> float:
    """The mean certainty of the marked spans: many spans are no worse than one."""
    scores = [min(1.0, item.score) for item in placeholders]
    return sum(scores) / len(scores) if scores else 1.0


def _settled(reading: Reading, head: str) -> float:
    if head not in INDEPENDENT:
        return reading.heads[head][0][1]
    return math.prod(max(p, 1 - p) for _, p in reading.heads[head] if _NEGLIGIBLE < p < 1 - _NEGLIGIBLE)
