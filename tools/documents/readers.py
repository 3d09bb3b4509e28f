"""Who reads a procedure: the skill that a person's certifications on record say, for the class of machine at hand.

Only the person's own records are looked at, under the person's own rights; the level that decides is named with its
certificate, and a plant without such records has readers that are simply experienced. tests/test_kinds.py.
"""

from __future__ import annotations

import re

from tools.records import select
from tools.registry import Call, Unanswerable

_LEVELS = {
    "expert": ("expert", "trainer", "master", "instructor", "level 3", "3"),
    "experienced": ("qualified", "advanced", "experienced", "certified", "level 2", "2"),
    "novice": ("basic", "trainee", "novice", "beginner", "learner", "level 1", "1"),
}
_ORDER = ("novice", "experienced", "expert")


def skill_of(call: Call, equipment_class: str = "") -> tuple[str, str]:
    """The reader's skill for a class of machine and why, in words. A certificate that names the class decides; with none
    for it the reader is a novice there; without any record, or any class, experienced."""
    if "certifications" not in call.plant.model.records or not equipment_class:
        return "experienced", ""
    try:
        rows = select(call, "certifications", {"operator": call.caller.user, "status": "valid"}, None, ["certification", "level"]).rows
    except (Unanswerable, KeyError):
        return "experienced", ""
    if not rows:
        return "experienced", ""
    words = {word for name in (equipment_class, *call.plant.model.class_aliases.get(equipment_class, ())) for word in _stems(name)}
    found = [(_level(str(row["level"])), str(row["certification"])) for row in rows if words & _stems(str(row["certification"]))]
    if not found:
        return "novice", f"{call.caller.name} holds no valid certificate for this class of machine"
    level, certificate = max(found, key=lambda item: _ORDER.index(item[0]))
    return level, f"{call.caller.name} holds “{certificate}” as {level}"


def _stems(text: str) -> set[str]:
    return {re.sub(r"(?:ing|ers?|s)$", "", word) for word in re.findall(r"[a-z]{3,}", text.lower())} - {"machin", "operat", "test"}


def _level(text: str) -> str:
    plain = text.lower().strip()
    return next((name for name, words in _LEVELS.items() if plain in words), "experienced")
