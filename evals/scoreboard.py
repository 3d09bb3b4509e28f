"""The scoreboard: what the suites found, as JSON for programs and Markdown for people."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evals.reliability import Bin, plot
from evals.suites import FLOORS, Score


def machine() -> dict[str, Any]:
    """Where the figures come from; a busy machine makes times mean little."""
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    return {
        "cores": cores,
        "load": round(load, 2),
        "busy": load > 0.7 * cores,
        "python": platform.python_version(),
        "system": platform.machine(),
    }


def as_json(scores: Sequence[Score], where: dict[str, Any]) -> dict[str, Any]:
    """The scoreboard as one value."""
    made = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "made": made, "machine": where,
        "suites": [
            {
                "suite": s.suite, "made": made, "right": s.right, "total": s.total, "share": round(s.share, 4), "floor": FLOORS[s.suite],
                "passed": s.passed, "note": s.note, "figures": {k: list(v) for k, v in s.figures.items()}, "numbers": dict(s.numbers),
                "limits": [{"name": x.name, "value": round(x.value, 4), "sense": x.sense, "bound": x.bound, "met": x.met} for x in s.limits],
                "bins": [asdict(b) for b in s.bins],
                "failures": [{"id": f.id, "question": f.question, "reason": f.reason} for f in s.failures],
            }
            for s in scores
        ],
    }  # fmt: skip


def markdown(board: dict[str, Any]) -> str:
    """The same for people: one table a suite, then the failures."""
    where = board["machine"]
    busy = "; the machine was busy, so times say little" if where["busy"] else ""
    lines = [
        "# Scoreboard", "",
        f"Made by `andon evals --write evals` on {board['made'][:10]} ({where['cores']} cores, load {where['load']}{busy}). The demo plant is"
        " the one of `andon demo --until 2026-06-17T09:00 --seed 7`; expected values come from SQL and pages read without the product.", "",
        "| suite | right | of | share | floor |", "|---|---:|---:|---:|---:|",
    ]  # fmt: skip
    lines += [
        f"| {s['suite']} | {s['right']} | {s['total']} | {s['share']:.1%} | {s['floor']:.0%}{'' if s['passed'] else ' (below)'} |"
        for s in board["suites"]
    ]
    for suite in board["suites"]:
        lines += ["", f"## {suite['suite']}", ""]
        if suite["note"]:
            lines += [suite["note"], ""]
        if suite["figures"]:
            lines += ["| figure | right | of | share |", "|---|---:|---:|---:|"]
            lines += [f"| {name} | {right} | {of} | {right / of if of else 1:.1%} |" for name, (right, of) in suite["figures"].items()]
        if suite["numbers"]:
            lines += ["", "| number | value |", "|---|---:|", *(f"| {name} | {value} |" for name, value in suite["numbers"].items())]
        if suite.get("limits"):
            lines += ["", "| held to | value | limit | |", "|---|---:|---:|---|"]
            lines += [
                f"| {x['name']} | {x['value']} | {x['sense']} {x['bound']} | {'met' if x['met'] else 'missed'} |" for x in suite["limits"]
            ]
        if suite.get("bins"):
            lines += ["", "| confidence | cases | mean confidence | right |", "|---|---:|---:|---:|"]
            lines += [
                f"| {b['low']:.1f} to {b['high']:.1f} | {b['cases']} | {b['confidence']:.3f} | {b['right'] / b['cases']:.3f} |"
                for b in suite["bins"]
                if b["cases"]
            ]
        if suite["failures"]:
            lines += ["", f"Failures ({len(suite['failures'])}):", ""]
            lines += [f"- `{f['id']}` {_cell(f['question'], 110)}: {_cell(f['reason'], 260)}" for f in suite["failures"]]
    return "\n".join(lines) + "\n"


def _cell(text: str, longest: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"


def write(board: dict[str, Any], folder: Path) -> None:
    """`scoreboard.json` and `scoreboard.md` in the folder. Suites that were not run this time keep their last result."""
    path = folder / "scoreboard.json"
    before = json.loads(path.read_text(encoding="utf-8"))["suites"] if path.exists() else []
    run = {suite["suite"]: suite for suite in board["suites"]}
    known = {**{suite["suite"]: suite for suite in before}, **run}
    whole = {**board, "suites": [known[name] for name in FLOORS if name in known]}
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "scoreboard.md").write_text(markdown(whole), encoding="utf-8")
    for suite in run.values():
        if suite["bins"]:
            (folder / f"confidence-{suite['suite']}.svg").write_text(plot([Bin(**b) for b in suite["bins"]]), encoding="utf-8")
