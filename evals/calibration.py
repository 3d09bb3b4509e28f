"""The confidence curve fitted on written questions, so that a plan that says 0.8 is right four times in five.

`python -m evals.calibration` plans every second planner case, fits `assistant.confidence.Curve` to whether the whole plan
was right, writes it beside the models, and prints the calibration error on the other half, which the fit never saw.
tests/test_language_evals.py fits known curves back.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import numpy as np

from assistant.confidence import Curve, curve
from assistant.lm.export_router import place
from assistant.router import MODELS
from evals.reliability import binned, calibration_error

STEPS = 400
_PRIOR = 0.02  # pulls slope and agreement towards the given curve where cases are few


def logits(confidences: Sequence[float]) -> np.ndarray:
    """log(p / (1 - p)) of each confidence, shape (n,), clipped away from 0 and 1."""
    p = np.clip(np.asarray(confidences, dtype=float), 1e-6, 1 - 1e-6)
    return np.asarray(np.log(p / (1 - p)))


def fitted(raws: Sequence[float], agreed: Sequence[bool], right: Sequence[bool], start: Curve | None = None) -> Curve:
    """The curve of least log loss over (raw, agreed, right), by Newton steps with a small pull towards `start`."""
    x = np.column_stack([np.log(np.clip(raws, 1e-6, 1.0)), np.ones(len(raws)), np.asarray(agreed, dtype=float)])
    y = np.asarray(right, dtype=float)
    start = start or Curve()
    first = np.array([start.slope, start.intercept, start.agreement])
    weights, pull = first.copy(), _PRIOR * len(raws) * np.diag([1.0, 0.0, 1.0]) + 1e-9 * np.eye(3)
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-x @ weights))
        gradient = x.T @ (p - y) + pull @ (weights - first)
        step = np.linalg.solve((x.T * (p * (1 - p))) @ x + pull, gradient)
        weights = weights - step
        if float(np.abs(step).max()) < 1e-9:
            break
    return Curve(*(round(float(w), 4) for w in weights))


def main() -> int:
    from evals.language import AWAY, planned_by, planner_cases, runs
    from evals.plant import demo

    old = curve()
    with demo() as held, planned_by(held.assistant, "both"):
        done = [r for r in runs(held.assistant, planner_cases(), lambda: None) if r.plan["calls"] and r.plan["status"] not in AWAY]
    agreed = [r.plan["planner"] == "router+llm" for r in done]
    lift = np.array([old.agreement if a else 0.0 for a in agreed])
    raws = np.exp((logits([float(r.plan["confidence"]) for r in done]) - old.intercept - lift) / old.slope)
    right = [r.judged.exact for r in done]
    taught = list(range(0, len(done), 2))
    new = fitted([raws[i] for i in taught], [agreed[i] for i in taught], [right[i] for i in taught])
    unseen = [(new(float(raws[i]), agreed[i]), right[i]) for i in range(1, len(done), 2)]
    found = {"slope": new.slope, "intercept": new.intercept, "agreement": new.agreement}
    place({"confidence.json": (json.dumps(found) + "\n").encode()}, MODELS, {"confidence.json": {"cases": len(taught)}})
    error = calibration_error(binned(unseen))
    sys.stdout.write(json.dumps({**found, "cases": len(taught), "unseen": len(unseen), "calibration error": round(error, 4)}) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
