"""The plant's own words as they are spoken: what fills the slots of the request grammar, and what correction knows.

`vocabulary_of` reads machines, lines, products, metrics, records, signals, parts, certifications from the plant model,
alarm codes and procedures from plant and index; nothing is written down here for any one plant. Each `Name` has the form
in which a question is typed and every usual way to say it. A kind with very many members keeps the most wanted: those
of the speaker's machine first, then in the plant's own order. tests/test_voice_grammar.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from assistant.voice.pronunciation import carried, run_together, sounds_of, ways
from tools.registry import ToolError

if TYPE_CHECKING:
    from retrieval.index import Index
    from tools.plant_model import Plant

#: Slot of the grammar -> kind of the plant's vocabulary whose names fill it as they are.
NAMED = {
    "EQUIPMENT": "equipment", "LINE": "line", "AREA": "area", "EQUIPMENT_CLASS": "equipment_class", "PRODUCT": "product",
    "METRIC": "metric", "SIGNAL": "signal", "SHIFT": "shift", "CERTIFICATION": "certification", "PART": "part",
}  # fmt: skip
#: Most names of one kind in the grammar; each costs time in every decoding.
MOST = 400
#: Most codes; beyond them only digits are heard and the code is asked back.
MOST_CODES = 1500
_MOST_WORDS = 6
_MOST_STATUS_WORDS = 3  # words for one status of a record
_MOST_RECORD_WORDS = 4  # names for one kind of record
#: What is asked of documents beside a part or machine.
SPECS = (
    "torque", "tightening torque", "pressure", "oil level", "lubrication interval", "maintenance interval", "speed limit",
    "maximum pressure", "maximum speed", "temperature limit", "maximum temperature", "part number", "filling quantity",
)  # fmt: skip


@dataclass(frozen=True)
class Name:
    """One thing and how it is said. `written` stands in the text; `said` are rows of spoken words ("c.n.c. two")."""

    kind: str
    value: str
    written: str
    said: tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """What a plant's people name, by slot."""

    slots: Mapping[str, tuple[Name, ...]]
    codes: frozenset[str] = field(default=frozenset())  # every known alarm code as it is written

    @cached_property
    def words(self) -> frozenset[str]:
        """Every spoken word of the slots."""
        return frozenset(word for names in self.slots.values() for name in names for said in name.said for word in said.split())

    def hints(self, most: int = 120) -> tuple[str, ...]:
        """Names for an engine that takes hints, one written form each: machines, lines, products, codes, metrics."""
        order = ("EQUIPMENT", "LINE", "PRODUCT", "METRIC", "SIGNAL", "CODE", "RECORDS")
        found = [dict.fromkeys(name.written for name in self.slots.get(slot, ())) for slot in order]
        mixed: dict[str, None] = {}
        for column in zip(*[[*f, *[""] * (most - len(f))][:most] for f in found], strict=True):
            mixed.update(dict.fromkeys(name for name in column if name))
        return tuple(mixed)[:most]


def vocabulary_of(plant: Plant, index: Index | None = None, equipment: str = "") -> Vocabulary:
    """The spoken vocabulary of a plant; `equipment` (an id) puts one machine's own codes and procedures first. A part
    that cannot be read (database down) is left out: what remains can still be heard."""
    slots: dict[str, tuple[Name, ...]] = {}
    for slot, kind in NAMED.items():
        slots[slot] = _names(kind, _words(plant, kind))
    numbered = [name for name in slots["LINE"] if re.search(r"\d", name.written)]
    slots["LINE"] = (
        *slots["LINE"],
        *(Name(n.kind, n.value, n.written, tuple(s.replace("line ", "line number ", 1) for s in n.said)) for n in numbered),
    )
    slots["PART"] = _parts(slots["PART"])
    slots.update(_records(plant))
    slots["SPEC"] = tuple(Name("spec", word, word, (word,)) for word in SPECS)
    slots["CODE"], codes = _codes(plant, index)
    slots["TASK"], slots["DO_TASK"] = _tasks(index, equipment)
    slots["TOPIC"] = slots["TASK"]
    slots["DOCUMENT_KIND"] = _document_kinds()
    return Vocabulary({slot: tuple(n for n in names if n.said) for slot, names in slots.items()}, codes)


def _words(plant: Plant, kind: str) -> Mapping[str, str]:
    try:
        return plant.vocabulary(kind)
    except ToolError:
        return {}


def _names(kind: str, words: Mapping[str, str]) -> tuple[Name, ...]:
    found = []
    for word, value in words.items():
        if len(word.split()) > _MOST_WORDS or not re.search(r"[a-z0-9]", word) or "_" in word:
            if "_" not in word:
                continue
            word = word.replace("_", " ")
        if kind == "shift" and not re.search(r"shift|nights?$|days$", word):
            continue
        text = _written(word, value, kind)
        said = sayings(word if not word.isascii() or word != value.lower() else value)
        found.append(Name(kind, value, text, said))
    seen: dict[tuple[str, tuple[str, ...]], Name] = {(n.written, n.said): n for n in found}
    return tuple(seen.values())[:MOST]


def _written(word: str, value: str, kind: str) -> str:
    if word == value.lower():
        return value if kind in ("equipment", "product", "line", "certification") else word
    return word


def sayings(written: str) -> tuple[str, ...]:
    """Every way to say a name; a short word that no dictionary knows ("oee", "cnc") is spelled out too, its plural as well."""
    forms = [written]
    tokens = written.split()
    for at, token in enumerate(tokens):
        low = token.lower()
        stem = low.removesuffix("s") if low not in carried() else low
        if (
            token.islower()
            and token.isalpha()
            and (low in _INITIALS or (low not in carried() and stem not in carried() and len(stem) <= 4))
        ):
            capital = stem.upper() + ("s" if stem != low else "")
            forms.append(" ".join([*tokens[:at], capital, *tokens[at + 1 :]]))
    said: list[str] = []
    for form in forms:
        plural = re.search(r"\b([A-Z]{2,4})([A-Z])s\b", form)
        if plural:
            spelled = [f"{c.lower()}." for c in plural.group(1)] + [f"{plural.group(2).lower()}.s"]
            before, after = form[: plural.start()].strip(), form[plural.end() :].strip()
            said += [" ".join(p for p in (b, *spelled, a) if p) for b in (ways(before) or ("",)) for a in (ways(after) or ("",))]
        else:
            said += ways(form)
    return tuple(s for s in dict.fromkeys(map(run_together, said)) if all(sounds_of(word) for word in s.split()))


#: Words of the dictionary that are initials on a shop floor.
_INITIALS = frozenset(("ncr", "oee", "cnc", "mtbf", "mttr", "fpy", "wo", "sop", "plc", "hmi", "agv"))


def _parts(names: Sequence[Name]) -> tuple[Name, ...]:
    """Parts by their words, without numbers, sizes and what stands in brackets: "coolant filter element 25 µm"."""
    found: dict[str, Name] = {}
    for name in names:
        if re.fullmatch(r"[a-z]{2,4}-\d+", name.written.lower()):
            continue
        plain = re.split(r"\s+(?=\S*\d)|\s*\(", name.written)[0].strip(" ,")
        if 1 <= len(plain.split()) <= 4 and len(plain) > 3:
            for form in (plain, plain + "s"):
                found.setdefault(form, Name("part", name.value, form, sayings(form)))
    return tuple(found.values())[:MOST]


def _records(plant: Plant) -> dict[str, tuple[Name, ...]]:
    """RECORDS: plurals, with and without a status before them; OPEN_RECORDS: with one; STATED_RECORDS: "orders are late"."""
    plain, before, after = [], [], []
    for name, record in plant.model.records.items():
        if not record.listed:
            continue
        labels = [
            label
            for label in dict.fromkeys((record.label, *record.aliases))
            if len(label.split()) <= 3 and (label.endswith("s") or label in ("stock",))
        ][:_MOST_RECORD_WORDS]
        for label in labels:
            said = sayings(label.replace("-", " "))
            plain.append(Name("record", name, label, said))
            for status, spec in record.statuses.items():
                for form in list(dict.fromkeys((status.replace("_", " "), *spec.aliases)))[:_MOST_STATUS_WORDS]:
                    if len(form.split()) > 3 or form in ("no disposition",):
                        continue
                    front = f"{form} {label}"
                    if len(form.split()) <= 2:
                        before.append(Name("record", name, front, tuple(f"{form.replace('-', ' ')} {s}" for s in said)))
                    back = f"{label} are {form}"
                    after.append(Name("record", name, back, tuple(f"{s} are {form.replace('-', ' ')}" for s in said)))
    return {"RECORDS": (*plain, *before), "OPEN_RECORDS": tuple(before), "STATED_RECORDS": tuple(after)}


def _codes(plant: Plant, index: Index | None) -> tuple[tuple[Name, ...], frozenset[str]]:
    codes: dict[str, None] = dict.fromkeys(_words(plant, "alarm").values())
    if index is not None:
        codes.update(dict.fromkeys(code for code, _ in index.catalogue.alarm_codes()))
    known = [code for code in codes if re.search(r"\d", code) and len(code) <= 10][:MOST_CODES]
    names = []
    for code in known:
        said = sayings(code)
        names.append(Name("code", code, code, said))
    return tuple(names), frozenset(codes)


_GERUND = re.compile(r"^([A-Z][a-z]+ing)\b(.*)$")


def _tasks(index: Index | None, equipment: str) -> tuple[tuple[Name, ...], tuple[Name, ...]]:
    """Procedures by the headings of the plant's own step lists: "changing the coolant filter element", and as an order."""
    if index is None:
        return (), ()
    found: dict[str, None] = {}
    passages = sorted(index.catalogue.steps(), key=lambda p: equipment not in p.equipment) if equipment else index.catalogue.steps()
    for passage in passages:
        title = re.sub(r"^[\d.]+\s+", "", passage.anchor.section).strip()
        found[re.split(r"\s[–(]|\s-\s", title)[0].strip()] = None
    tasks, orders = [], []
    for title in list(found)[:MOST]:
        m = _GERUND.match(title)
        if m is None or len(title.split()) > _MOST_WORDS + 1 or re.search(r"\d", title):
            continue
        verb, rest = imperative(m.group(1).lower()), m.group(2).lower()
        if not verb:
            continue
        for end in dict.fromkeys((rest, _shorter(rest))):
            tasks.append(Name("task", title, m.group(1).lower() + end, sayings((m.group(1).lower() + end).replace("-", " "))))
            orders.append(Name("task", title, verb + end, sayings((verb + end).replace("-", " "))))
            if verb == "replace":
                orders.append(Name("task", title, "change" + end, sayings(("change" + end).replace("-", " "))))
    return tuple(tasks), tuple(orders)


def _shorter(rest: str) -> str:
    """The thing without its last noun where three name it: "the coolant filter element" is "the coolant filter"."""
    words = rest.split()
    return " " + " ".join(words[:-1]) if len(words) == 4 and words[0] in ("the", "a", "an") else rest


def imperative(gerund: str) -> str:
    """ "changing" -> "change", "topping" -> "top", "cleaning" -> "clean"; "" when no word of the dictionary comes out."""
    stem = gerund.removesuffix("ing")
    known = carried()
    if len(stem) > 2 and stem[-1] == stem[-2] and stem[:-1] in known and stem[-1] not in "ls":
        return stem[:-1]
    vowels = len(re.findall(r"[aeiouy]+", stem))
    final_e = stem + "e" in known and (
        stem[-1] in "cgsvuz" or (vowels == 1 and not re.search(r"[aeiou]{2}.$|[^aeiou]{2}$", stem)) or stem not in known
    )
    if final_e and stem not in ("clear", "clean", "check", "press"):
        return stem + "e"
    return stem if stem in known else ""


def _document_kinds() -> tuple[Name, ...]:
    from tools.documents.kinds import kinds

    found: dict[str, Name] = {}
    for id, kind in kinds().items():
        for form in (id.replace("_", " "), kind.spec.title.lower().replace("-", " ")):
            found.setdefault(form, Name("document_kind", id, form, sayings(form)))
    for form, id in _KIND_WORDS.items():
        if id in kinds():
            found.setdefault(form, Name("document_kind", id, form, sayings(form)))
    return tuple(found.values())


_KIND_WORDS = {
    "summary of all non conformance reports": "ncr_summary", "summary of the n.c.r.s": "ncr_summary", "handover": "shift_handover",
    "shift report": "shift_handover", "handover report": "shift_handover", "s.o.p.": "sop", "standard operating procedure": "sop", "deviation report": "deviation",
    "corrective action": "capa", "troubleshooting guide": "troubleshooting_guide", "batch report": "batch_record", "audit report": "audit_report",
}  # fmt: skip
