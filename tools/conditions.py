"""What a question is about: its filters as conditions, the part of the plant within the caller's lines, names to ids.

The hierarchy asked for is cut with the caller's scope before anything runs; a name that nothing has comes back with the
nearest real ones. tests/test_metrics.py and tests/test_records.py hold both to rights and words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from tools.plant_model import Plant
from tools.registry import Call, Choice, Result, Unanswerable

NEAR = 55.0
PLACES = ("site", "area", "line", "equipment", "equipment_class")


@dataclass(frozen=True)
class Condition:
    """One filter: any of `include`, none of `exclude`, within [low, high]. Empty and None mean no such part."""

    key: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


def conditions(where: Mapping[str, object] | None) -> tuple[Condition, ...]:
    """The contract's `where` as conditions. Raises Unanswerable for a shape that it does not know."""
    found = []
    for key, value in (where or {}).items():
        if value is None or value == [] or value == "":
            continue
        if isinstance(value, Mapping):
            excluded = value.get("not")
            low, high = number_of(key, value.get("min")), number_of(key, value.get("max"))
            exclude = _texts(excluded) if excluded is not None else ()
            if not exclude and low is None and high is None:
                raise Unanswerable(Result("needs_clarification", message=f"The filter on {plain_key(key)} is empty."))
            found.append(Condition(key, (), exclude, low, high))
        else:
            found.append(Condition(key, _texts(value)))
    return tuple(found)


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(str(item) for item in value)
    return (str(value),)


def number_of(key: str, value: object) -> float | None:
    if value is None or isinstance(value, bool):
        return None
    match = re.match(r"\s*-?\d+(?:[.,]\d+)?", str(value))
    if not match:
        raise Unanswerable(Result("needs_clarification", message=f"{value} is no number for {plain_key(key)}."))
    return float(match.group().replace(",", "."))


def plain_key(key: str) -> str:
    return key.replace("_", " ")


@dataclass(frozen=True)
class Extent:
    """The part of the plant that is asked for, within the caller's lines. None: no restriction. `equipment` is set
    when machines or classes are named, `lines` when lines, areas or sites are (or the caller's scope is narrower)."""

    equipment: frozenset[str] | None = None
    lines: frozenset[str] | None = None
    limited_to: str = ""
    partial: bool = False


def extent(call: Call, wanted: Sequence[Condition], by: Sequence[str] = ()) -> Extent:
    """Intersect the hierarchy asked for with the caller's scope.

    Raises Unanswerable: `needs_clarification` for names that no place has, `not_allowed` when nothing is left."""
    plant = call.plant
    machines, lines = set(plant.equipment), set(plant.lines)
    named_machines = named_lines = False
    for condition in wanted:
        if condition.key in ("equipment", "equipment_class"):
            named_machines = True
            machines &= _machines(plant, condition)
        elif condition.key in PLACES:
            named_lines = True
            lines &= _lines(plant, condition)
    if named_machines:
        lines &= {plant.equipment[m].line for m in machines} | ({""} if not plant.lines else set())
    asked = set(lines)
    allowed = call.caller.scope.lines
    if allowed is None or not plant.lines:
        if named_lines:
            machines = {m for m in machines if plant.equipment[m].line in lines} if plant.lines else machines
        return Extent(frozenset(machines) if named_machines else None, frozenset(lines) if named_lines else None)
    lines &= allowed
    if not lines:
        raise Unanswerable(_outside(plant, asked, allowed))
    machines = {m for m in machines if plant.equipment[m].line in lines}
    cut = lines != asked
    limited = ", ".join(sorted(plant.name("line", line) for line in lines)) if cut else ""
    across = named_lines or named_machines or bool({"site", "area", "line", "equipment", "equipment_class"} & set(by))
    return Extent(frozenset(machines) if named_machines else None, frozenset(lines), limited, cut and across)


def _outside(plant: Plant, asked: Iterable[str], allowed: Iterable[str]) -> Result:
    names = ", ".join(sorted(plant.name("line", line) for line in asked)) or "This part of the plant"
    own = ", ".join(sorted(plant.name("line", line) for line in allowed)) or "no line"
    who = "a supervisor, technician or quality engineer may see them"
    return Result("not_allowed", message=f"Records of {names} are outside your lines ({own}); {who}.")


def _machines(plant: Plant, condition: Condition) -> set[str]:
    def of(value: str) -> set[str]:
        if condition.key == "equipment":
            return {resolve(plant, "equipment", value)}
        return set(plant.classes[resolve(plant, "equipment_class", value)])

    return _chosen(condition, set(plant.equipment), of)


def _lines(plant: Plant, condition: Condition) -> set[str]:
    def of(value: str) -> set[str]:
        place = resolve(plant, condition.key, value)
        if condition.key == "line":
            return {place}
        areas = {place} if condition.key == "area" else {a.id for a in plant.areas.values() if a.parent == place}
        return {line.id for line in plant.lines.values() if line.parent in areas}

    return _chosen(condition, set(plant.lines), of)


def _chosen(condition: Condition, everything: set[str], of: Callable[[str], set[str]]) -> set[str]:
    if condition.exclude:
        return everything - set().union(*(of(value) for value in condition.exclude))
    return set().union(*(of(value) for value in condition.include))


def resolve(plant: Plant, kind: str, value: str) -> str:
    """The id behind a name or id. Raises Unanswerable with the nearest real names as choices."""
    words = plant.vocabulary(kind)
    known = words.get(" ".join(value.lower().split())) or words.get(value.lower().replace("_", " "))
    if known is not None:
        return known
    raise Unanswerable(unknown_name(plant, kind, value))


def unknown_name(plant: Plant, kind: str, value: str, alike: float = NEAR) -> Result:
    """No such name, with the nearest ones that are at least so much alike (0 to 100)."""
    words = plant.vocabulary(kind)
    near: dict[str, None] = {}
    for word, _, _ in process.extract(value.lower(), list(words), scorer=fuzz.WRatio, limit=12, score_cutoff=alike):
        near.setdefault(plant.name(kind, words[word]))
    choices = tuple(Choice(name, name) for name in list(near)[:3])
    ask = " Did you mean one of these?" if choices else ""
    if kind in ("metric", "record"):
        said = plain_key(value)
        return Result("needs_clarification", message=f"This plant's model has no {said.upper() if len(said) < 5 else said}.{ask}", choices=choices)
    article = {"equipment": "machine", "equipment_class": "class of machines"}.get(kind, plain_key(kind))
    return Result("needs_clarification", message=f"No {article} is called {value}.{ask}", choices=choices)


def values_of(plant: Plant, key: str, said: Sequence[str]) -> tuple[str, ...]:
    """Ids behind the values of a filter that is no place. Words that name no id are taken as part of one
    (`jam` -> conveyor_jam); record ids stay as they are."""
    words = plant.vocabulary(key)
    if not words:
        return tuple(dict.fromkeys(v for text in said for v in (text, text.upper(), text.lower())))
    found: list[str] = []
    for text in said:
        plain = " ".join(text.lower().replace("_", " ").split())
        known = words.get(" ".join(text.lower().split())) or words.get(plain)
        if known is not None:
            found.append(known)
            continue
        parts = [id for word, id in words.items() if len(plain) > 2 and plain in word]
        if not parts:
            unknown = unknown_name(plant, key, text, 80 if plant.shows_part_of(key) else NEAR)
            if plant.shows_part_of(key) and not unknown.choices:
                parts = [text]  # it may stand in rows of other lines: it meets no row, and nothing more is said of it
            else:
                raise Unanswerable(unknown)
        found += parts
    return tuple(dict.fromkeys(found))
