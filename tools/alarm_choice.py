"""Which alarm list is meant, where several know one number: the one that the question names, else the person is asked.

Lists of different machines are different alarms unless they say the very same; lists of one document whose numbers
collide (a controller's, its gripper's, its servo's) are, unless their titles speak of one thing. Nobody is asked where
there is one meaning. tests/test_alarm_choice.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from retrieval.applicability import classes
from retrieval.index import AlarmEntry
from retrieval.lexical import terms
from tools.plant_model import EquipmentInfo
from tools.registry import Call, Choice, Result

#: Choices shown at once; more are a list nobody reads on a tablet.
_SHOWN = 8
_NAMED_MACHINES = 3
#: What a number is asked for with, whichever list it stands in ("error" and "warning" do tell lists apart).
_ASKING = frozenset(
    "alarm alarms fault code codes number message machine display screen shows what does mean means meaning the and for".split()
)


def meant(
    call: Call, code: str, entries: Sequence[AlarmEntry], near: Sequence[AlarmEntry], *, of_one_machine: bool
) -> AlarmEntry | Result | None:
    """The entry that is meant, a question back with the lists to choose from, or None when there is no entry.

    `entries` are those of the very code, likeliest first; `near` also those that know it with a prefix of their own, shown
    among the choices only. `of_one_machine`: the machine is known, so other documents only add to the first."""
    lists = distinct(entries)
    if not lists:
        return None
    one_class = of_one_machine or of_one_class(lists)
    if one_class:
        first = lists[0].passage.anchor.document
        lists = [e for e in lists if e.passage.anchor.document == first]
    different = _meanings(lists, strictly=not one_class)
    if len(different) == 1:
        return different[0]
    chosen = named(different, call.question, _folders(call))
    if chosen is not None:
        return chosen
    others = [] if of_one_machine else [e for e in distinct(near) if not any(e is known for known in different)]
    return which(code, _meanings([*different, *others], strictly=True), call)


def distinct(entries: Sequence[AlarmEntry]) -> list[AlarmEntry]:
    """One entry per list: a code that one document holds twice is still one alarm list."""
    seen: dict[tuple[str, str], AlarmEntry] = {}
    for entry in entries:
        seen.setdefault((entry.passage.anchor.document, entry.list_name), entry)
    return list(seen.values())


def _meanings(entries: Sequence[AlarmEntry], *, strictly: bool) -> list[AlarmEntry]:
    """The first entry of every meaning."""
    found: list[AlarmEntry] = []
    for entry in entries:
        if not any(_same_text(entry, other) or (not strictly and _same_thing(entry, other)) for other in found):
            found.append(entry)
    return found


def _same_text(a: AlarmEntry, b: AlarmEntry) -> bool:
    """The very same words; where both name a machine or class, of the same one."""
    told = [[_squeezed(text) for text in (e.title, e.cause, e.remedy, e.description)] for e in (a, b)]
    valid = [(e.passage.equipment_class.casefold(), tuple(e.passage.equipment)) for e in (a, b)]
    return told[0] == told[1] and (valid[0] == valid[1] or ("", ()) in valid)


def _same_thing(a: AlarmEntry, b: AlarmEntry) -> bool:
    """Whether two titles of one document speak of one thing, as those of a summary and of the section it points to: one
    says no more than the other, but for what the name of its list says too ("motor overload" of the servo is not
    "linear motor: motor overload")."""
    x, y = set(terms(a.title)), set(terms(b.title))
    more, entry = (x - y, a) if y <= x else (y - x, b)
    return (x <= y or y <= x) and not more & set(terms(entry.list_name))


def of_one_class(entries: Sequence[AlarmEntry]) -> bool:
    """Whether all lists are valid for the same machines, so that there is no machine to ask for."""
    valid = {(e.passage.equipment_class.casefold(), e.passage.equipment) for e in entries}
    return len(valid) == 1 and valid != {("", ())}


def _folders(call: Call) -> dict[str, str]:
    """Document -> the folder that it lies in: lists are often sorted by maker."""
    return {d.document: Path(d.source).parent.name for d in call.index.documents() if d.source}


def named(entries: Sequence[AlarmEntry], words: str, folders: Mapping[str, str] = MappingProxyType({})) -> AlarmEntry | None:
    """The one list that the words name better than all others, by its title, heading, machine class or its document's
    folder; None when no list or several are named. Words that all lists share ("error", the maker's name) name none of them; of lists named
    alike the one of whose own name nothing is left unsaid ("gripper" is not the "bio gripper")."""
    about = [_about(e, folders.get(e.passage.anchor.document, "")) for e in entries]
    told = {word for word in re.findall(r"[a-z0-9]{3,}", words.lower()) if not word.isdigit() and word not in _ASKING}
    telling = [word for word in told if 0 < sum(word in text for text in about) < len(about)]
    scores = [sum(len(word) for word in telling if word in text) for text in about]
    best = [n for n, score in enumerate(scores) if score == max(scores) > 0]
    if len(best) > 1:
        said = _squeezed(words)
        unsaid = {n: sum(_squeezed(word) not in said for word in entries[n].list_name.split()) for n in best}
        best = [n for n in best if unsaid[n] == min(unsaid.values())]
    return entries[best[0]] if len(best) == 1 else None


def _about(entry: AlarmEntry, folder: str) -> str:
    passage = entry.passage
    return _squeezed(f"{passage.title} {entry.list_name} {passage.anchor.section} {passage.equipment_class} {folder}")


def which(code: str, entries: Sequence[AlarmEntry], call: Call) -> Result:
    """The question back, with the machines of this plant first."""
    several = len({e.passage.anchor.document for e in entries}) > 1
    choices = []
    for entry in entries:
        machines = _machines(entry, call)
        name = entry.list_name or entry.passage.title
        if machines and several:
            name = _listed(machines)
            question = f"alarm {entry.code} on {machines[0].id}"
        else:
            question = f"{name}: what is alarm {entry.code}?"
        choices.append((bool(machines), Choice(f"{name}: {entry.title}", question)))
    ordered = [choice for _, choice in sorted(choices, key=lambda item: not item[0])]
    what = "machines have" if several and any(known for known, _ in choices) else "lists have"
    return Result("needs_clarification", message=f"Several {what} an alarm {code}.", choices=tuple(ordered[:_SHOWN]))


def _machines(entry: AlarmEntry, call: Call) -> list[EquipmentInfo]:
    named_ids = {name.casefold() for name in entry.passage.equipment}
    if named_ids:
        return [info for info in call.plant.equipment.values() if info.id.casefold() in named_ids]
    of_class = classes(entry.passage.equipment_class)
    return [info for info in call.plant.equipment.values() if info.cls and info.cls.casefold() in of_class]


def _listed(machines: Sequence[EquipmentInfo]) -> str:
    names = [machine.name for machine in machines]
    return ", ".join(names) if len(names) <= _NAMED_MACHINES else f"{names[0]} to {names[-1]}"


def _squeezed(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.lower())
