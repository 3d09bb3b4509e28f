"""A plant's own words for its records, columns, measures and values, linked to a question without any training.

The router knows the canonical names; a plant that was connected by its model file has others: records that only it
has, columns with figures of their own, a "work center" where we say line. `lexicon` holds every phrase of the model
with what it may mean; `linked` finds them in a question. tests/test_plant_words.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assistant.scribe import (
    BY_WORDS,
    WHERE_KEYS,
)
from assistant.understand import Placeholder, Understanding, names_of
from tools.model_file import RecordSpec, column_path, expression
from tools.schema_words import label_of, own_words, plain, singular, words_of

if TYPE_CHECKING:
    from tools.plant_model import Plant


_PLAIN_TEXT = """a an the of for in on at to from by per with and or is are was were be been has have had do does did we our us i me my you your it its this that these those
    there their them they what which who whose when where how many much show list give get tell find see display name please can could all any each every some than
    more less most least highest lowest best worst largest smallest biggest top bottom first last number count total sum average mean avg overall amount as not no
    most common frequent often used use uses using using recorded currently current now so far ever about between during over under above below greater fewer only
    maximum minimum max min value values per than equal least at up out into still yet just also same kind type-of level-of units unit pieces pcs many group grouped
    broken down split sorted order-by ranked rank compare versus vs happened occur occurred occurs did made make take took long longest shortest high low higher lower
    been being whole plant factory site database data records record entries entry rows different distinct exist exists available need needs want know within fewest kg g l bar mm cm eur euro euros percent minutes hours days min h s pct t expensive cheapest cheap oldest newest latest earliest recent slowest
fastest heaviest lightest old new late early big small large"""


PLAIN = frozenset(_PLAIN_TEXT.split())


_APART = {
    "downtime": ("down", "time"),
    "setup": ("set", "up"),
    "changeover": ("change", "over"),
    "reorder": ("re", "order"),
    "uptime": ("up", "time"),
}


@dataclass(frozen=True)
class Meaning:
    """What a phrase may mean. `kind`: record, metric, column, key, level, value or status; `record` the record whose
    column, key, value or status it is; `name` the thing itself."""

    kind: str
    name: str
    record: str = ""
    key: str = ""


@dataclass(frozen=True)
class Hit:
    """Words `start` to `end` of the question and what they may mean."""

    start: int
    end: int
    words: tuple[str, ...]
    meanings: tuple[Meaning, ...]
    at: int  # place of the first letter

    def of(self, *kinds: str) -> list[Meaning]:
        return [m for m in self.meanings if m.kind in kinds]


@dataclass
class Linked:
    """One question against one lexicon."""

    plant: Plant
    text: str
    words: list[str]
    raw: list[str]
    places: list[int]
    hits: list[Hit] = field(default_factory=list)
    names: list[Placeholder] = field(default_factory=list)
    covered: set[int] = field(default_factory=set)


def lexicon(plant: Plant) -> Mapping[tuple[str, ...], tuple[Meaning, ...]]:
    """Phrase (singular words without accents) -> meanings, for everything that the model names."""
    found: Mapping[tuple[str, ...], tuple[Meaning, ...]] = plant._cached("own words", 300.0, lambda: _lexicon(plant))
    return found


def _lexicon(plant: Plant) -> dict[tuple[str, ...], tuple[Meaning, ...]]:
    found: dict[tuple[str, ...], dict[Meaning, None]] = {}

    def say(meaning: Meaning, *phrases: str) -> None:
        for phrase in phrases:
            if words := phrase_of(phrase):
                found.setdefault(words, {})[meaning] = None
                for together, apart in _APART.items():
                    if together in words:
                        at = words.index(together)
                        found.setdefault((*words[:at], *apart, *words[at + 1 :]), {})[meaning] = None

    model = plant.model
    for name, record in model.records.items():
        if record.listed:
            say(Meaning("record", name), name.replace("_", " "), record.label, record.singular, *record.aliases)
        for column in record.show:
            last = column_path(expression(column.of))
            said = [own_words(last[-1]), " ".join(words_of(last[-1]))] if len(last) == 1 else []
            say(Meaning("column", column.name, name), column.label, column.name.replace("_", " ").removeprefix("the "), *said)
        for key, text in record.fields.items():
            path = column_path(expression(text)) if isinstance(text, str) else ()
            said = []
            if len(path) > 1 and key not in BY_WORDS.values():
                link = " ".join(word for word in label_of(path[-2]).lower().split() if word not in ("id", "number", "code"))
                said = [label_of(path[-1]), own_words(path[-1]), f"{link} {label_of(path[-1])}", f"{link} {own_words(path[-1])}"]
            say(Meaning("key", key, name), key.replace("_", " "), *said)
        for status, spec in record.statuses.items():
            say(Meaning("status", status, name), status.replace("_", " "), *spec.aliases)
    for name, metric in model.metrics.items():
        say(Meaning("metric", name), name.replace("_", " "), metric.label, *metric.aliases)
    for level, place in model.hierarchy.items():
        if level in ("site", "area", "line", "equipment"):
            named = [own_words(place.table)] if place.name or place.parent else []
            say(Meaning("level", level), level, own_words(place.key), *named, *(["machine"] if level == "equipment" else []))
    for kind in model.vocabulary:
        record_name, _, key = kind.partition(".")
        if key and record_name in model.records:
            for word, value in plant.vocabulary(kind).items():
                say(Meaning("value", value, record_name, key), word)
    _say_heads(model.records, found)
    return {phrase: tuple(meanings) for phrase, meanings in found.items()}


_BROAD = frozenset(
    tuple("""
        log list record event entry item data table row report result day time type center centre
    """.split())
)


def _say_heads(records: Mapping[str, RecordSpec], found: dict[tuple[str, ...], dict[Meaning, None]]) -> None:
    """The last word of a record's name where only one record has it: "samples" for lab samples."""
    heads: dict[str, set[str]] = {}
    for name, record in records.items():
        words = phrase_of(record.label)
        if record.listed and len(words) > 1:
            heads.setdefault(words[-1], set()).add(name)
    for head, names in heads.items():
        if len(names) == 1 and (head,) not in found and head not in _BROAD:
            found[(head,)] = {Meaning("record", next(iter(names))): None}


def phrase_of(text: str) -> tuple[str, ...]:
    return tuple(singular(plain(word)) for word in re.findall(r"[^\W_]+", text.replace("'s", "")))


def linked(understanding: Understanding, plant: Plant) -> Linked:
    text = understanding.text
    found = [(m.group(0), m.start()) for m in re.finditer(r"[^\W_]+", text.replace("'s", "  ").replace("’s", "  "))]
    raw = [word.lower() for word, _ in found]
    read = Linked(plant, text, [singular(plain(word)) for word in raw], raw, [at for _, at in found])
    known = lexicon(plant)
    longest = max((len(phrase) for phrase in known), default=0)
    taken: set[int] = set()
    names = [p for p in understanding.placeholders if p.turn == 0 and _is_name(p, known, plant)]
    named = {i for p in names if p.label not in ("number", "limit", "compare") for i, at in enumerate(read.places) if p.start <= at < p.end}
    for size in range(min(longest, len(raw)), 0, -1):
        for start in range(len(raw) - size + 1):
            span = set(range(start, start + size))
            meanings = known.get(tuple(read.words[start : start + size]))
            if (
                meanings
                and not span & (taken | named)
                and not (size == 1 and raw[start] in PLAIN and not _named_thing(meanings, raw[start]))
            ):
                read.hits.append(Hit(start, start + size, tuple(read.words[start : start + size]), meanings, read.places[start]))
                taken |= span
    for start, word in enumerate(read.words):
        if start in taken | named or raw[start] in PLAIN:
            continue
        near = known.get(tuple(words_of(word)), ()) or _verb_of(word, known)
        if near:
            read.hits.append(Hit(start, start + 1, (word,), near, read.places[start]))
            taken.add(start)
    for start, word in enumerate(read.words):
        if start not in taken | named and raw[start] in PLAIN and (values := _beside_its_key(start, known.get((word,), ()), read.hits)):
            read.hits.append(Hit(start, start + 1, (word,), values, read.places[start]))
            taken.add(start)
    read.hits.sort(key=lambda hit: hit.start)
    read.names = names
    read.covered = (
        taken
        | named
        | {
            i
            for p in understanding.placeholders
            if p.label in ("period", "number", "limit")
            for i, at in enumerate(read.places)
            if p.start <= at < p.end
        }
    )
    return read


def _named_thing(meanings: Sequence[Meaning], word: str) -> bool:
    """Whether a word that mostly says nothing ("unit") is the plant's own word for a record or a level."""
    kept = word in ("order", "level", "type", "value", "unit", "record")
    return kept or (word not in ("record", "records", "entry", "entries", "data") and any(m.kind in ("record", "level") for m in meanings))


def _beside_its_key(at: int, meanings: Sequence[Meaning], hits: Sequence[Hit]) -> tuple[Meaning, ...]:
    """ "High priority": a word that alone would say nothing is a value beside the name of its column."""
    around = [hit for hit in hits if hit.end == at or hit.start == at + 1]
    keys = {(m.record, m.name) for hit in around for m in hit.of("key", "column")}
    return tuple(m for m in meanings if m.kind == "value" and (m.record, m.key) in keys)


def _verb_of(word: str, known: Mapping[tuple[str, ...], tuple[Meaning, ...]]) -> tuple[Meaning, ...]:
    """ "Complained" for complaints: the record whose own single word shares a long beginning."""
    if len(word) < 6:
        return ()
    for phrase, meanings in known.items():
        alike = len(phrase) == 1 and len(phrase[0]) >= 6 and phrase[0][: max(5, len(phrase[0]) - 3)] == word[: max(5, len(phrase[0]) - 3)]
        if alike and (records := tuple(m for m in meanings if m.kind == "record")):
            return records
    return ()


def _is_name(item: Placeholder, known: Mapping[tuple[str, ...], Any], plant: Plant) -> bool:
    """Whether a marked span is a name of the plant, a time or a number, and no word for a record or column."""
    if item.label in ("period", "number", "limit"):
        return True
    if item.label not in WHERE_KEYS or not item.known or phrase_of(item.text) in known:
        return False
    if item.label in ("part", "supplier", "customer", "reason", "defect", "person", "certification"):
        return names_of(plant).exact(item.text, (item.label,)) is not None
    return True


def coverage(read: Linked) -> float:
    telling = [i for i, word in enumerate(read.raw) if word not in PLAIN and not word.isdigit()]
    return sum(i in read.covered for i in telling) / len(telling) if telling else 1.0
