"""A plant's own words for its records, columns, measures and values, read without any training.

The router knows the canonical names; a plant that was connected by its model file has others: records that only it
has, columns with figures of their own, a "work center" where we say line. `own_draft` links the words of a question to
that model and drafts the call when they explain the question; otherwise it returns None and the router's reading
stands. It looks at no plant that runs on the shipped model. tests/test_plant_words.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from assistant.entities import HIERARCHY
from assistant.scribe import (
    BEST,
    BY_WORDS,
    LEAST,
    LESS,
    MORE,
    MOST,
    WHERE_KEYS,
    WORST,
    Draft,
    Scribe,
    as_number,
    period_notes,
    together,
    with_shift,
)
from assistant.understand import Placeholder, Question, Understanding, names_of
from tools.formula import elements_of
from tools.model_file import ColumnSpec, Many, RecordSpec, column_path, expression
from tools.query import supports
from tools.schema_words import own_words, plain, singular

if TYPE_CHECKING:
    from tools.plant_model import Plant

#: Tools whose questions may be meant for the data although the router read them as something else.
_MAY_MEAN_DATA = (
    "query_metrics",
    "list_records",
    "find_correlations",
    "search_documents",
    "diagnose",
    "run_sql",
    "trace_material",
    "signal_trend",
    "get_procedure",
)
COVERED = 0.74  # share of the telling words that must be explained
_PLAIN_TEXT = """a an the of for in on at to from by per with and or is are was were be been has have had do does did we our us i me my you your it its this that these those
    there their them they what which who whose when where how many much show list give get tell find see display name please can could all any each every some than
    more less most least highest lowest best worst largest smallest biggest top bottom first last number count total sum average mean avg overall amount as not no
    most common frequent often used use uses using using recorded currently current now so far ever about between during over under above below greater fewer only
    maximum minimum max min value values per than equal least at up out into still yet just also same kind type-of level-of units unit pieces pcs many group grouped
    broken down split sorted order-by ranked rank compare versus vs happened occur occurred occurs did made make take took long longest shortest high low higher lower
    been being whole plant factory site database data records record entries entry rows different distinct exist exists available need needs want know within expensive cheapest cheap oldest newest latest earliest recent slowest
fastest heaviest lightest old new late early big small large"""
_PLAIN = frozenset(_PLAIN_TEXT.split())
_COUNT = re.compile(r"\b(?:how many|number of|count of|count the|how often)\b", re.IGNORECASE)
_MEAN = re.compile(r"\b(?:average|mean|avg|on average)\b", re.IGNORECASE)
_SUM = re.compile(r"\b(?:total|sum|overall|altogether|in all|combined|how much)\b", re.IGNORECASE)
_COMMON = re.compile(
    r"\b(?:most (?:common|frequent|often)|commonest|top|least (?:common|frequent)|distribution|breakdown)\b", re.IGNORECASE
)
_LOW_IS_BEST = frozenset(
    ("cost", "price", "time", "duration", "scrap", "defect", "reject", "downtime", "rework", "severity", "age", "stop", "delay")
)
_STRICT = re.compile(
    r"(?:less|fewer|lower|smaller|shorter|under|below|more|greater|higher|larger|longer|over|above|exceed\w*|<|>)(?: than)?(?: of)?\s*$",
    re.IGNORECASE,
)
_BOUND = re.compile(r"(?<![\w.-])(\d+(?:[.,]\d+)?)(?:\s*(%|percent|k\b|min\w*|h\b|hours?|days?))?", re.IGNORECASE)


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


@dataclass(frozen=True)
class OwnPlan:
    """A drafted call and the understanding that goes with it: sure of its tool, without the names it explained."""

    draft: Draft
    understanding: Understanding


@dataclass
class _Read:
    """One question against one lexicon."""

    plant: Plant
    text: str
    words: list[str]
    raw: list[str]
    places: list[int]
    hits: list[Hit] = field(default_factory=list)
    names: list[Placeholder] = field(default_factory=list)
    covered: set[int] = field(default_factory=set)


def own_draft(understanding: Understanding, question: Question, plant: Plant) -> OwnPlan | None:
    """The call that the plant's own words ask for; None when they do not explain the question."""
    reading = understanding.reading
    if not plant.foreign or understanding.followup or len(understanding.clauses) > 1 or reading.tools[0][0] not in _MAY_MEAN_DATA:
        return None
    if reading.best("status") == "refused_unsafe":
        return None
    read = _read(understanding, plant)
    scribe = Scribe(replace(understanding.clauses[0], placeholders=tuple(read.names)), question, plant) if understanding.clauses else None
    if scribe is None or not read.hits:
        return None
    draft = _metric_call(read, scribe) or _record_call(read, scribe)
    if draft is None or _coverage(read) < COVERED:
        return None
    sure = {
        **reading.heads,
        "tool": ((draft.tool, 0.97), *((t, 0.001) for t, _ in reading.heads["tool"] if t != draft.tool)),
        "status": (("answer", 0.97), *((s, 0.005) for s, _ in reading.heads["status"] if s != "answer")),
    }
    told = replace(reading, tools=sure["tool"], heads=sure)
    kept = tuple(read.names)
    clause = replace(understanding.clauses[0], reading=told, placeholders=kept)
    return OwnPlan(draft, replace(understanding, reading=told, placeholders=kept, clauses=(clause,), problems=()))


# -- the lexicon


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

    model = plant.model
    for name, record in model.records.items():
        if record.listed:
            say(Meaning("record", name), name.replace("_", " "), record.label, record.singular, *record.aliases)
        for column in record.show:
            last = column_path(expression(column.of))
            say(
                Meaning("column", column.name, name),
                column.label,
                column.name.replace("_", " ").removeprefix("the "),
                *([own_words(last[-1])] if len(last) == 1 else []),
            )
        for key in record.fields:
            say(Meaning("key", key, name), key.replace("_", " "))
        for status, spec in record.statuses.items():
            say(Meaning("status", status, name), status.replace("_", " "), *spec.aliases)
    for name, metric in model.metrics.items():
        say(Meaning("metric", name), name.replace("_", " "), metric.label, *metric.aliases)
    for level, place in model.hierarchy.items():
        if level in ("site", "area", "line", "equipment"):
            say(Meaning("level", level), level, own_words(place.table), *(["machine"] if level == "equipment" else []))
    for kind in model.vocabulary:
        record_name, _, key = kind.partition(".")
        if key and record_name in model.records:
            for word, value in plant.vocabulary(kind).items():
                say(Meaning("value", value, record_name, key), word)
    return {phrase: tuple(meanings) for phrase, meanings in found.items()}


def phrase_of(text: str) -> tuple[str, ...]:
    return tuple(singular(plain(word)) for word in re.findall(r"[^\W_]+", text.replace("'s", "")))


# -- reading


def _read(understanding: Understanding, plant: Plant) -> _Read:
    text = understanding.text
    found = [(m.group(0), m.start()) for m in re.finditer(r"[^\W_]+", text.replace("'s", "  ").replace("’s", "  "))]
    raw = [word.lower() for word, _ in found]
    read = _Read(plant, text, [singular(plain(word)) for word in raw], raw, [at for _, at in found])
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
                and not (size == 1 and raw[start] in _PLAIN - {"order", "level", "type", "value", "unit", "record"})
            ):
                read.hits.append(Hit(start, start + size, tuple(read.words[start : start + size]), meanings, read.places[start]))
                taken |= span
    for start, word in enumerate(read.words):
        if start not in taken | named and raw[start] not in _PLAIN and (near := _verb_of(word, known)):
            read.hits.append(Hit(start, start + 1, (word,), near, read.places[start]))
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


def _coverage(read: _Read) -> float:
    telling = [i for i, word in enumerate(read.raw) if word not in _PLAIN and not word.isdigit()]
    return sum(i in read.covered for i in telling) / len(telling) if telling else 1.0


# -- metrics


def _metric_call(read: _Read, scribe: Scribe) -> Draft | None:
    plant = read.plant
    found: list[tuple[int, str, Hit]] = []
    for one in read.hits:
        found += [(one.end - one.start, meaning.name, one) for meaning in one.of("metric")]
    name = max(found, key=lambda item: item[0])[1] if found else _by_measure(read)
    if name is None:
        return None
    hit: Hit | None = next((h for _, n, h in found if n == name), None)
    events = _COUNT.search(read.text) or _COMMON.search(read.text) or _listing(read) or _counts_rows(plant, name)
    if hit is not None and hit.of("record", "status") and events:
        return None  # "how many defects": the records themselves
    records = _behind(plant, name)
    ranked = _direction(read, plant.model.metrics[name].direction == "down")
    by = list(_groups(read, records, hit))
    where, _ = _filters(read, scribe, records)
    if ranked and not by and (key := _subject_key(read, records, hit)):
        by = [key]
    where = {k: v for k, v in where.items() if k not in by or isinstance(v, str | list)}
    period, unresolved, shift = scribe.period()
    arguments: dict[str, Any] = {"metrics": [name]}
    if where := with_shift(where, shift):
        arguments["where"] = where
    if period:
        arguments["period"] = period
    if by:
        arguments["by"] = by
        if ranked:
            arguments["sort"] = ranked
            if limit := _limit(read, scribe, by):
                arguments["limit"] = limit
    return Draft("query_metrics", arguments, unresolved, period_notes(unresolved, period, scribe))


def _counts_rows(plant: Plant, metric: str) -> bool:
    used = elements_of(plant.model.metrics[metric])
    return len(used) == 1 and set(plant.model.elements[used[0]].sum.values()) == {"1"}


def _by_measure(read: _Read) -> str | None:
    """ "The average cost of products": the drafted mean or total of a column that the words name apart."""
    how = "average_" if _MEAN.search(read.text) else "total_" if _SUM.search(read.text) else ""
    if not how:
        return None
    mentioned = {m.name for hit in read.hits for m in hit.of("record")}
    best: tuple[int, str] | None = None
    for hit in read.hits:
        for meaning in hit.of("column", "key"):
            name = measure_of(read.plant, meaning.record, meaning.name, how == "average_")
            score = (hit.end - hit.start) + 3 * (meaning.record in mentioned)
            if name is not None and (best is None or score > best[0]):
                best = (score, name)
    return best[1] if best else None


def measure_of(plant: Plant, record_name: str, column: str, mean: bool) -> str | None:
    """The metric that is the mean (or the total) of one column of a record; with column "1" the count of its rows."""
    record = plant.model.records[record_name]
    texts = (
        {c.of for c in record.show if c.name == column} | {str(record.fields[column])}
        if column in record.fields
        else {c.of for c in record.show if c.name == column}
    )
    if column == "1":
        texts = {"1"}
    for name, metric in plant.model.metrics.items():
        used = elements_of(metric)
        if not used or ("/" in metric.expression) != mean or len(used) != (2 if mean else 1):
            continue
        text = plant.model.elements[used[0]].sum.get(record_name, "")
        if text in texts or any(text.startswith(f"{known} * ") for known in texts if column != "1"):
            return name
    return None


def _behind(plant: Plant, metric: str) -> list[str]:
    elements = elements_of(plant.model.metrics[metric])
    return list(dict.fromkeys(record for e in elements for record in plant.model.elements[e].sum))


def _listing(read: _Read) -> bool:
    return bool(re.match(r"\s*(?:show|list|display|give|find)\b", read.text, re.IGNORECASE)) and not _groups(read, [], None)


# -- records


def _record_call(read: _Read, scribe: Scribe) -> Draft | None:
    counted = _counted_by(read)
    if counted is not None:
        record, by, ranked = counted
    else:
        record, by, ranked = _record(read) or "", [], ""
    if not record:
        return None
    spec = read.plant.model.records[record]
    where, column = _filters(read, scribe, [record])
    by = by or [key for key in _groups(read, [record], None) if isinstance(spec.fields.get(key, ""), str)]
    if not by and _COMMON.search(read.text) and (key := _common_key(read, record)):
        by, ranked = [key], "asc" if re.search(r"least", read.text, re.IGNORECASE) else "desc"
    period, unresolved, shift = scribe.period(events=True)
    if by and (beside := _beside(read, record, by)):
        figures: dict[str, Any] = {
            "metrics": beside,
            **({"where": where} if where else {}),
            **({"period": period} if period else {}),
            "by": by,
            "sort": ranked or "desc",
        }
        if limit := _limit(read, scribe, by):
            figures["limit"] = limit
        return Draft("query_metrics", figures, unresolved, period_notes(unresolved, period, scribe))
    arguments: dict[str, Any] = {"records": record}
    if where := with_shift(where, shift):
        arguments["where"] = where
    if period:
        arguments["period"] = period
    if by:
        arguments["by"] = by
        ranked = ranked or _direction(read, False)
        if ranked:
            arguments["sort"] = ranked
            if limit := _limit(read, scribe, by):
                arguments["limit"] = limit
    elif ranked := _direction(read, False):
        sorting = _sorted_by(read, spec, column)
        if sorting is None and not where:
            return None
        if sorting is not None:
            words = set(phrase_of(sorting.label))
            if (BEST.search(read.text) or WORST.search(read.text)) and words & _LOW_IS_BEST:
                ranked = "asc" if ranked == "desc" else "desc"
            arguments["sort"] = f"{sorting.name} {ranked}"
            if limit := _limit(read, scribe, []):
                arguments["limit"] = limit
    return Draft("list_records", arguments, unresolved, period_notes(unresolved, period, scribe))


def _record(read: _Read) -> str | None:
    """The record that is asked for: named first by a word of its own, else the one whose columns are named."""
    named: list[tuple[float, str]] = []
    for number, hit in enumerate(read.hits):
        for meaning in hit.of("record"):
            before = read.text[: hit.at].lower()
            asked = (
                bool(re.search(r"\b(?:which|what|how many|show(?: me)?|list|all|the|of|number of)\s+(?:all |the |our )?$", before))
                or hit.start == 0
            )
            named.append(
                (
                    3.0 * asked
                    + (hit.end - hit.start)
                    - 0.3 * number
                    - 2.0 * bool(re.search(r"\b(?:by|per|each|for|of)\s+(?:the |each )?$", before) and number),
                    meaning.name,
                )
            )
    mentioned: dict[str, float] = {}
    for hit in read.hits:
        for meaning in {m.record: m for m in hit.of("column", "value", "status", "key")}.values():
            mentioned[meaning.record] = mentioned.get(meaning.record, 0.0) + (hit.end - hit.start)
    if named:
        return max(named, key=lambda item: item[0] + 0.8 * mentioned.get(item[1], 0.0))[1]
    listed = {r: s for r, s in mentioned.items() if read.plant.model.records[r].listed}
    return max(listed, key=lambda r: listed[r]) if listed and max(listed.values()) >= 2 else None


_MOST_OF = re.compile(
    r"\b(?:the )?(?:most|highest number of|greatest number of|largest number of|fewest|least|lowest number of|more than \d+|at least \d+)\s+$",
    re.IGNORECASE,
)


def _counted_by(read: _Read) -> tuple[str, list[str], str] | None:
    """ "Which X has the most Y": Y counted by X, over Y itself or over the table that joins the two."""
    often = re.search(r"\b(?:most|least) (?:often|frequently)\b", read.text, re.IGNORECASE)
    for hit in read.hits:
        counted = hit.of("record")
        if not counted or not (_MOST_OF.search(read.text[: hit.at]) or (often and hit.start)):
            continue
        before = [h for h in read.hits if h.start < hit.start and h.of("record", "level", "column", "key")]
        for subject in reversed(before):
            for meaning in counted:
                if found := _joined(read, subject, meaning.name):
                    low = re.search(r"\b(?:fewest|least|lowest)\b", read.text, re.IGNORECASE)
                    return (*found, "asc" if low else "desc")
    return None


def _joined(read: _Read, subject: Hit, counted: str) -> tuple[str, list[str]] | None:
    plant = read.plant
    key = _key_in(plant, counted, subject)
    if key is not None and len(_path(plant.model.records[counted], key)) <= 2:
        return counted, [key]
    table = plant.model.records[counted].table
    for name, record in plant.model.records.items():
        reached = {k: _target(plant, record, k) for k in record.fields}
        if table in reached.values() and name != counted:
            own = _key_in(plant, name, subject)
            if own is not None and len(_path(record, own)) == 1:
                return name, [own]
    return None


def _path(record: RecordSpec, key: str) -> tuple[str, ...]:
    text = record.fields.get(key)
    return column_path(expression(text)) if isinstance(text, str) else ()


def _target(plant: Plant, record: RecordSpec, key: str) -> str:
    """The table whose key a field holds, reached by one link; ""."""
    path = _path(record, key)
    return plant.model.tables[record.table].links.get(path[0], "") if len(path) == 1 else ""


def _key_in(plant: Plant, record_name: str, hit: Hit) -> str | None:
    """The key of a record's rows that a phrase means: a level, a linked list of names, a column or a key of its own."""
    record = plant.model.records[record_name]
    for meaning in hit.meanings:
        if meaning.kind in ("key", "column") and meaning.record == record_name:
            if meaning.kind == "key" and isinstance(record.fields.get(meaning.name), str):
                return meaning.name
            if key := _key_of_column(record, meaning.name):
                return key
    for meaning in hit.of("level"):
        if supports(plant, record, meaning.name):
            return meaning.name
    for meaning in hit.of("record"):
        table = plant.model.records[meaning.name].table
        for key in record.fields:
            if key != "id" and _target(plant, record, key) == table:
                return key
        for key in record.fields:
            path = _path(record, key)
            if key != "id" and len(path) > 1 and _ends_at(plant, record.table, path) == table:
                return key
        if table in {spec.table for spec in plant.model.hierarchy.values()}:
            level = next(lv for lv, spec in plant.model.hierarchy.items() if spec.table == table)
            if supports(plant, record, level):
                return level
    for meaning in hit.of("key"):
        if isinstance(record.fields.get(meaning.name), str):
            return meaning.name
    canonical = BY_WORDS.get(hit.words[-1]) if len(hit.words) == 1 else None
    return canonical if canonical and supports(plant, record, canonical) else None


def _ends_at(plant: Plant, table: str, path: Sequence[str]) -> str:
    for step in path:
        table = plant.model.tables[table].links.get(step, "")
        if not table:
            return ""
    return table


def _key_of_column(record: RecordSpec, column: str) -> str | None:
    """The key under which a shown column can be filtered and grouped."""
    spec = next((c for c in record.show if c.name == column), None)
    if spec is None:
        return None
    path = column_path(expression(spec.of))
    for key, text in record.fields.items():
        if isinstance(text, Many) or key == "id":
            continue
        own = column_path(expression(text))
        if own and (own == path or own == path[:-1]):
            return key
    return None


_BY = re.compile(
    r"\b(?:by|per|for each|for every|each|grouped by|across(?: all)?|in each|of each|on each)\s+(?:the |each |every )?$", re.IGNORECASE
)


def _beside(read: _Read, record: str, by: Sequence[str]) -> list[str]:
    """ "Defect types and their severity": the count of the records and the means of the figures named beside it."""
    count = measure_of(read.plant, record, "1", False)
    spec = read.plant.model.records[record]
    means = []
    for hit in read.hits:
        for meaning in hit.of("column", "key"):
            column = next((c for c in spec.show if c.name == meaning.name), None)
            if (
                meaning.record == record
                and meaning.name not in by
                and column is not None
                and column.kind in ("count", "number", "percent", "duration_s")
            ):
                means.append(measure_of(read.plant, record, meaning.name, True))
    found = [name for name in dict.fromkeys(means) if name is not None]
    return [count, *found] if count is not None and found else []


def _groups(read: _Read, records: Sequence[str], subject: Hit | None) -> Iterator[str]:
    """Keys named after "by", "per", "each"; times too."""
    given: dict[str, None] = {}
    for hit in read.hits:
        if hit is not subject and _BY.search(read.text[: hit.at]):
            for record in records or [""]:
                key = _key_in(read.plant, record, hit) if record else (hit.meanings[0].name)
                if key:
                    given[key] = None
                    break
    for m in re.finditer(r"\b(?:by|per|each|every)\s+(?:the )?([a-z]+)\b|\b(daily|weekly|monthly|hourly)\b", read.text, re.IGNORECASE):
        word = (m.group(1) or m.group(2)).lower()
        unit = BY_WORDS.get(word)
        if unit in ("hour", "day", "week", "month", "shift") and all(
            supports(read.plant, read.plant.model.records[r], unit) for r in records
        ):
            given[unit] = None
            read.covered |= {i for i, at in enumerate(read.places) if m.start() <= at < m.end()}
    yield from given


def _subject_key(read: _Read, records: Sequence[str], metric: Hit | None) -> str | None:
    """What is ranked: the thing after "which" or "what", in a question for the most or least of a measure."""
    for hit in read.hits:
        if hit is metric:
            continue
        if (
            re.search(
                r"\b(?:which|what|whose|what's|top \d+|rank|ranking of|compare|the \d+|list|show(?: me)?)\s+(?:the |all |our )?$",
                read.text[: hit.at],
                re.IGNORECASE,
            )
            or hit.start <= 1
        ):
            for record in records:
                if key := _key_in(read.plant, record, hit):
                    return key
    return None


def _common_key(read: _Read, record: str) -> str | None:
    """ "Most common defect types": the first column or key named that holds few words."""
    plant = read.plant
    for hit in read.hits:
        own = [m for m in hit.meanings if m.record == record and m.kind in ("column", "key")]
        for meaning in own:
            key = meaning.name if meaning.kind == "key" else _key_of_column(plant.model.records[record], meaning.name)
            spec = plant.model.records[record]
            if key and isinstance(spec.fields.get(key), str) and not _measured(spec, key):
                return key
    return None


# -- filters, order, limit


def _filters(read: _Read, scribe: Scribe, records: Sequence[str]) -> tuple[dict[str, Any], str]:
    """Where: names, values that stand in the words, statuses, bounds on a number. Also the column that was bounded."""
    plant, where = read.plant, dict[str, Any]()
    specs = [plant.model.records[r] for r in records]
    by_label: dict[str, list[Placeholder]] = {}
    for item in read.names:
        if item.label in WHERE_KEYS:
            by_label.setdefault(item.label, []).append(item)
    for label, items in by_label.items():
        key = WHERE_KEYS[label]
        if label in HIERARCHY or any(supports(plant, spec, key) for spec in specs):
            where[key] = together(items)
    for hit in read.hits:
        values = [m for m in hit.of("value") if m.record in records]
        if values and not [m for m in hit.of("status") if m.record in records]:
            before = read.text[: hit.at]
            value: Any = values[0].name
            if re.search(r"\b(?:not|except|without|excluding|other than)\s+(?:the )?$", before, re.IGNORECASE):
                value = {"not": value}
            where.setdefault(values[0].key, value)
        for meaning in hit.of("status"):
            if (
                meaning.record in records
                and "status" not in where
                and not (hit.of("record") and len(hit.words) == 1)
                and not hit.of("metric")
            ):
                where["status"] = meaning.name
    bounded = _bounds(read, records)
    for key, value in bounded.items():
        where[key] = value
    return where, next(iter(bounded), "")


def _bounds(read: _Read, records: Sequence[str]) -> dict[str, Any]:
    """ "With a cost above 50": the number bounds the column that is named nearest before it (else after it)."""
    plant, out = read.plant, dict[str, Any]()
    names = [(p.start, p.end) for p in read.names if p.label not in ("number", "limit")]
    for m in _BOUND.finditer(read.text):
        before = read.text[: m.start()]
        more, less = MORE.search(before), LESS.search(before)
        number = as_number(m.group(1) + ("k" if (m.group(2) or "").lower() == "k" else ""))
        if not (more or less) or number is None or any(start < m.end() and m.start() < end for start, end in names):
            continue
        for record in records:
            key = _bounded_key(read, record, m.start())
            if key is None:
                continue
            spec = plant.model.records[record]
            if _STRICT.search(before) and not re.search(r"at (?:least|most)\s*$", before, re.IGNORECASE):
                path = _path(spec, key)
                whole = len(path) == 1 and plant.holds_integers(spec.table, path[0])
                step = 1.0 if whole and number == int(number) else max(abs(number), 1.0) * 1e-9
                number += step if more else -step
            out[key] = {"min" if more else "max": int(number) if number == int(number) else number}
            break
    return out


def _bounded_key(read: _Read, record: str, at: int) -> str | None:
    spec = read.plant.model.records[record]
    near = sorted(read.hits, key=lambda h: (h.at > at, abs(at - h.at)))
    for hit in near:
        for meaning in hit.of("key", "column"):
            key = None
            if meaning.record == record:
                key = meaning.name if meaning.kind == "key" else _key_of_column(spec, meaning.name)
            if key and isinstance(spec.fields.get(key), str) and _numeric(spec, key):
                return key
    return next((key for key in ("quantity",) if key in spec.fields), None)


def _measured(spec: RecordSpec, key: str) -> bool:
    """Whether a key holds figures: no list of groups."""
    column = next((c for c in spec.show if c.of == spec.fields[key]), None)
    return key in ("quantity", "duration_min") or (column is not None and column.kind in ("count", "number", "percent", "duration_s"))


def _numeric(spec: RecordSpec, key: str) -> bool:
    text = str(spec.fields[key])
    column = next((c for c in spec.show if c.of == text), None)
    return key in ("quantity", "duration_min") or column is None or column.kind in ("count", "number", "percent", "duration_s")


def _direction(read: _Read, low_is_good: bool) -> str:
    """desc or asc by the superlative of the question; "" without one."""
    text = read.text
    if MOST.search(text) or re.search(r"\btop\b|\bhigher\b|\bmore often\b", text, re.IGNORECASE):
        return "desc"
    if LEAST.search(text):
        return "asc"
    if BEST.search(text):
        return "asc" if low_is_good else "desc"
    if WORST.search(text):
        return "desc" if low_is_good else "asc"
    if m := re.search(
        r"\b(?:oldest|earliest|cheapest|newest|latest|most recent|slowest|fastest|heaviest|lightest|most expensive)\b", text, re.IGNORECASE
    ):
        return "asc" if m.group(0).lower() in ("oldest", "earliest", "cheapest", "fastest", "lightest") else "desc"
    return ""


def _sorted_by(read: _Read, spec: RecordSpec, bounded: str) -> ColumnSpec | None:
    """The column that a superlative is about: named in the question, else the one that its word implies."""
    columns = {c.name: c for c in spec.show}
    sortable = ("count", "number", "percent", "duration_s", "time", "date")
    for hit in read.hits:
        for meaning in [] if hit.of("record") else hit.of("column", "key"):
            if read.plant.model.records[meaning.record] is not spec:
                continue
            column = columns.get(meaning.name) or next((c for c in spec.show if c.of == spec.fields.get(meaning.name)), None)
            if column is not None and column.kind in sortable:
                return column
    for words, kinds, marks in (
        (r"longest|shortest", ("duration_s", "number", "count"), ("duration", "time", "minute")),
        (r"newest|latest|oldest|earliest|most recent|last", ("time", "date"), ()),
        (r"cheapest|most expensive", ("number", "count"), ("cost", "price")),
        (r"largest|biggest|smallest|heaviest|lightest", ("count", "number"), ("quantity", "weight", "amount", "volume")),
    ):
        if re.search(rf"\b(?:{words})\b", read.text, re.IGNORECASE):
            for column in spec.show:
                if column.kind in kinds and (not marks or set(phrase_of(column.label)) & set(marks)):
                    return column
    return None


def _limit(read: _Read, scribe: Scribe, by: Sequence[str]) -> int | None:
    said = re.search(
        r"\b(?:top|first|best|worst|bottom|last)\s+(\d+|two|three|four|five|ten)\b|\b(\d+|two|three|four|five|ten)\s+(?:most|highest|largest|best|worst|longest|lowest)\b",
        read.text,
        re.IGNORECASE,
    )
    if said:
        number = as_number(said.group(1) or said.group(2))
        return int(number) if number else None
    asked = re.search(
        r"\b(?:which|what|whose)\s+((?:\w+\s+){0,3}?\w+)\s+(?:has|have|had|is|are|was|were|with|did|does|do|makes?|made|produces?|produced|used|uses|causes?|caused)\b",
        read.text,
        re.IGNORECASE,
    )
    if asked:
        last = asked.group(1).split()[-1].lower()
        return None if singular(plain(last)) != plain(last) else 1
    if re.match(r"\s*(?:who|what is the|what was the|what's the|which)\b", read.text, re.IGNORECASE) and not re.search(
        r"\b(?:are|were)\b", read.text
    ):
        return 1
    return None
