"""How well technicians' own words are read: component, failure mode and action of `retrieval.wording.recognise` against
logs that others wrote and marked. Every second marked entry is held out of development; the figures are of that half.

maintie marks each thing, state and activity in the text: a thing counts as found when its last word is the last word of
something recognised, an activity by its kind, a failure by being there at all. The excavators' orders carry a failure mode
and an action each (made by rules of their authors, so a ceiling below one), and a part of which only those are asked that
name a thing. Without the data the suite says so and passes.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.real import folder
from evals.suites import Failure, Progress, Score
from retrieval.shorthand import learned
from retrieval.wording import LogFacts, recognise, singular

#: Which labels of maintie's activities each of ours may stand for.
ACTIVITIES: Mapping[str, tuple[str, ...]] = {
    "replaced": ("Replace", "Assemble"), "repaired": ("Repair",), "cleaned": ("Service",), "lubricated": ("Service",), "refilled": ("Service",),
    "serviced": ("Service",), "inspected": ("Inspect", "Diagnose", "Measure"), "adjusted": ("Adjust", "Calibrate"), "tightened": ("Adjust",),
    "reset": ("Repair",), "modified": ("Modify",), "removed": ("Move", "Isolate"),
}  # fmt: skip
#: Which failure modes of the excavators' orders each condition may stand for.
MODES: Mapping[str, tuple[str, ...]] = {
    "leaking": ("Leak",), "broken": ("Structural Integrity", "Accidental Damage"), "worn": ("Structural Integrity",),
    "missing": ("Missing / Loose",), "loose": ("Missing / Loose",), "overheated": ("Over Temp", "Smoke / Burning"), "low": ("Fluid Levels",),
    "noisy": ("Noise",), "jammed": ("Seized",), "clogged": ("Contamination",),
    "failed": ("Unspecified", "Fail to Start", "Fail to Stop", "Warning Light"), "misaligned": (),
}  # fmt: skip
DEEDS: Mapping[str, tuple[str, ...]] = {
    "replaced": ("Replace", "Modify"), "repaired": ("Repair",), "cleaned": ("Minor Maint",), "lubricated": ("Minor Maint",), "refilled": ("Minor Maint",),
    "serviced": ("Minor Maint",), "adjusted": ("Minor Maint",), "tightened": ("Minor Maint",), "reset": ("Minor Maint",), "inspected": ("CM",), "modified": ("Modify",),
    "removed": (),
}  # fmt: skip
#: Parts of the orders that technicians name as such. The others are systems and classes ("Lift", "Mount" for pins, "Ladder"
#: for stairs) that no word of the text names.
PARTS = ("Filter", "Seal", "Pump", "Fan", "Tank", "Lights", "Radio", "Track", "Idler", "Adaptor")


@dataclass
class Tally:
    """Counts of one figure: found and right, found, to be found."""

    right: int = 0
    found: int = 0
    wanted: int = 0

    def add(self, found: set[str], wanted: set[str], fits: Callable[[str, str], bool] | None = None) -> list[str]:
        """Count one entry; returns what was found and is wrong."""
        same = fits or (lambda a, b: a == b)
        good = {one for one in found if any(same(one, other) for other in wanted)}
        self.right += len(good)
        self.found += len(found)
        self.wanted += max(len(wanted), len(good))
        return sorted(found - good)

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.wanted if self.wanted else 0.0


def suite(progress: Progress | None = None, half: int = 0) -> Score:
    """The held-out half (`half` 0: entries 0, 2, 4 ...); 1 is the half that may be looked at."""
    where = folder()
    figures: dict[str, Any] = {}
    failures: list[Failure] = []
    right = total = 0
    notes = []
    for name, run in (("maintie", _maintie), ("excavators", _excavators)):
        if not (where / name).exists():
            continue
        tallies, wrong = run(where / name, half)
        failures += wrong[:40]
        for figure, tally in tallies.items():
            figures[f"{name}, {figure}: precision"] = (tally.right, tally.found)
            figures[f"{name}, {figure}: recall"] = (tally.right, tally.wanted)
            right, total = right + tally.right, total + tally.wanted
            notes.append(f"{name} {figure}: precision {tally.precision:.3f}, recall {tally.recall:.3f}")
    if not notes:
        return Score("logs", 0, 0, note="The logs are not on this machine (set ANDON_REAL to their folder); nothing was read.")
    return Score("logs", right, total, figures, {}, failures, "; ".join(notes) + ".")


def _maintie(where: Path, half: int) -> tuple[dict[str, Tally], list[Failure]]:
    rows = json.loads((where / "gold_release.json").read_text(encoding="utf-8"))
    shorthand = learned([row["text"] for row in rows])
    tallies = {"component": Tally(), "failure": Tally(), "action": Tally()}
    failures = []
    for number, row in _half(rows, half):
        facts = recognise(row["text"], shorthand)
        things, activities, failed = _marked(row)
        wrong = tallies["component"].add({_head(name) for name in facts.components}, things)
        wrong += tallies["action"].add(set(facts.actions), activities, lambda ours, theirs: theirs in ACTIVITIES.get(ours, ()))
        tallies["failure"].add({"failure"} if facts.condition else set(), {"failure"} if failed else set())
        missed = things - {_head(name) for name in facts.components}
        if wrong or missed or bool(facts.condition) != failed:
            failures.append(
                Failure(
                    f"maintie-{number}", row["text"], f"wrong: {', '.join(wrong)}; missed: {', '.join(sorted(missed))}; {facts.condition}"
                )
            )
    return tallies, failures


def _marked(row: Mapping[str, Any]) -> tuple[set[str], set[str], bool]:
    """The heads of the things that are marked, the kinds of activities, and whether something is marked as wrong."""
    things, activities, failed = set(), set(), False
    for one in row["entities"]:
        top, *rest = one["type"].split("/")
        if top == "PhysicalObject":
            things.add(_head(" ".join(row["tokens"][one["start"] : one["end"]])))
        elif top == "Activity" and rest and rest[-1] not in ("Admin", "Operate", "Perform", "Teamwork"):
            activities.add(rest[-1])
        failed = failed or (top in ("State", "Process", "Property") and bool(rest) and rest[0].startswith("Undesirable"))
    return things, activities, failed


def _head(name: str) -> str:
    return singular(name.lower().split()[-1])


def _excavators(where: Path, half: int) -> tuple[dict[str, Tally], list[Failure]]:
    with (where / "work_orders.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    shorthand = learned([row["OriginalShorttext"] for row in rows])
    tallies = {"part": Tally(), "failure mode": Tally(), "action": Tally()}
    failures = []
    for number, row in _half(rows, half):
        facts = recognise(row["OriginalShorttext"], shorthand)
        wrong: list[str] = []
        for name, column, ours, table in (("failure mode", "FM", facts.conditions, MODES), ("action", "Action", facts.actions, DEEDS)):
            wanted = set(filter(None, row[column].split("_")))
            if wanted:
                wrong += tallies[name].add(set(ours), wanted, lambda a, b, table=table: b in table.get(a, ()))  # type: ignore[misc]
        parts = {part for part in row["Part"].split("_") if part in PARTS}
        if parts:
            _part(tallies["part"], facts, parts)
        if wrong:
            failures.append(
                Failure(f"excavators-{number}", row["OriginalShorttext"], f"{row['FM']}, {row['Action']}: wrong {', '.join(wrong)}")
            )
    return tallies, failures


def _part(tally: Tally, facts: LogFacts, parts: Iterable[str]) -> None:
    """A part is right when it is among the things recognised; the one thing said to be the matter counts as found."""
    heads = {_head(part) for part in parts}
    said = {_head(name) for name in facts.components}
    tally.right += len(heads & said)
    tally.wanted += len(heads)
    tally.found += len(heads & said) + bool(facts.component and not heads & said)


def _half(rows: Sequence[Any], half: int) -> Iterable[tuple[int, Any]]:
    return ((number, row) for number, row in enumerate(rows) if number % 2 == half)
