"""The written corpus, read into examples with closed labels and character spans.

Each row of `assistant/lm/corpus/*.jsonl` is a question as somebody would put it (`q`), earlier questions of the same
conversation (`ctx`), and either the `calls` that a careful expert would make, with arguments as said, or a `status`;
`hazard` marks a report of danger to people. `examples` turns rows into what the models learn: canonical labels for
every head, and for each argument the place in the question (or in an earlier one) where it was said. About a tenth
of the rows is held out for good, chosen by a hash of the question; `tests/test_lm_corpus.py` holds rows to the labels
and the alignment to its rate.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz

from assistant.lm.labels import (
    BY,
    DOCUMENT_KINDS,
    ENTITIES,
    METRICS,
    PHRASES,
    RECORD_STATUSES,
    RECORDS,
    REQUEST_KINDS,
    SEARCH_KINDS,
    STATUSES,
    TOOLS,
)
from assistant.router import CONTEXT_JOINT, CONTEXT_TURNS

CORPUS = Path(__file__).parent / "corpus"
HELD_OUT_IN = 10  # one row in ten is never trained on

NUMBER_WORDS: Mapping[str, int] = {
    word: value
    for value, words in {
        1: "one single", 2: "two couple pair both", 3: "three trio", 4: "four", 5: "five handful", 6: "six",
        7: "seven", 8: "eight", 9: "nine", 10: "ten", 12: "twelve dozen", 15: "fifteen", 20: "twenty", 25: "twentyfive",
        30: "thirty", 50: "fifty",
    }.items()
    for word in words.split()
}  # fmt: skip

# People's words for a status -> the canonical one. A key may be followed by a record for words that depend on it.
STATUS_WORDS: Mapping[str, str] = {
    "not started": "planned", "not yet started": "planned", "released but not started": "released",
    "waiting for material": "on_hold", "deferred": "on_hold", "late": "overdue", "past their due date": "overdue",
    "closed out": "closed", "shut": "closed", "not closed": "open", "opened": "open", "dispo pending": "awaiting_disposition",
    "waiting for effectiveness check": "effectiveness_check", "not acknowledged": "unacknowledged", "on hold": "on_hold",
    "blocked": "on_hold", "waiting on micro": "quarantined", "finished": "completed", "below minimum stock": "below_minimum",
    "out of stock": "out_of_stock", "lapsed": "expired", "run out": "expired", "out of spec": "failed",
    "in_repair": "down", "out of qualification": "expired", "out_of_calibration": "expired",
    "in_qualification": "in_progress", "due for review": "due_for_review", "not yet approved": "in_review",
    "decommissioned": "retired", "published": "effective", "approved": "effective", "in review": "in_review",
    "up for periodic review": "due_for_review", "not valid": "expired", "not closed out": "open", "not released": "quarantined",
}  # fmt: skip
SKILL_WORDS: Mapping[str, str] = {
    "beginner": "novice", "beginners": "novice", "newbie": "novice", "pros": "expert", "new": "novice",
    "apprentice": "novice", "trainee": "novice", "trainees": "novice", "apprentices": "novice", "skilled": "experienced",
}  # fmt: skip


class CorpusError(Exception):
    """A row that the labels do not cover; the message names the row, for whoever writes the corpus."""


@dataclass(frozen=True)
class Mark:
    """A gold span in `Example.question` (turn 0) or in `Example.context` (turn -1: the joined earlier questions)."""

    label: str
    start: int
    end: int
    turn: int = 0
    negated: bool = False
    call: int = 0


@dataclass(frozen=True)
class Example:
    """One row with its labels. `labels[head]` is absent where the head has nothing to say about this row."""

    question: str
    context: str
    status: str
    hazard: bool
    calls: tuple[tuple[str, Mapping[str, Any]], ...]
    labels: Mapping[str, tuple[str, ...]]
    marks: tuple[Mark, ...]
    missed: int  # arguments that should be a span and were not found
    held_out: bool
    starts: tuple[int, ...] | None = ()  # where the second and later requests begin; None where that is not known

    @property
    def tools(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(tool for tool, _ in self.calls))

    def text(self, turn: int) -> str:
        return self.question if turn == 0 else self.context


def rows(folder: Path = CORPUS) -> Iterator[dict[str, Any]]:
    """Every row of every corpus file, in file order; a question that occurs twice is given once."""
    seen: set[str] = set()
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise CorpusError(f"{path.name}:{number} is not JSON: {error}") from None
            key = json.dumps([row["q"].lower(), row.get("ctx", [])])
            if key not in seen:
                seen.add(key)
                yield {**row, "where": f"{path.name}:{number}"}


def examples(folder: Path = CORPUS) -> list[Example]:
    """All rows as examples. Raises CorpusError for the first row outside the labels."""
    return [example(row) for row in rows(folder)]


def held_out(question: str) -> bool:
    """Whether a question is in the fixed development split."""
    return int.from_bytes(hashlib.sha256(question.encode()).digest()[:4], "big") % HELD_OUT_IN == 0


def example(row: Mapping[str, Any]) -> Example:
    """One row as an example: its labels checked, its arguments located."""
    question: str = row["q"]
    earlier: Sequence[str] = row.get("ctx", [])[-CONTEXT_TURNS:]
    context = CONTEXT_JOINT.join(earlier)
    status = row.get("status", "answer")
    calls = tuple((c["tool"], c["args"]) for c in row.get("calls", []))
    _check(row, status, calls)
    finder = _Finder(question, context)
    for number, (tool, arguments) in enumerate(calls):
        finder.locate(tool, arguments, number)
    hazard = bool(row.get("hazard", False))
    labels = head_labels(status, calls, hazard, finder.limit_said)
    return Example(
        question, context, status, hazard, calls, labels, tuple(finder.marks), finder.missed, held_out(question),
        _starts(question, finder.marks, len(calls)),
    )  # fmt: skip


_JOINT = re.compile(r"(?:[,;.?!–-]|\b(?:and|then|also|plus|but|while|after that|as well as|&))(?:[\s,]+(?:and|then|also|plus|please))*\s+", re.IGNORECASE)


def _starts(question: str, marks: Sequence[Mark], calls: int) -> tuple[int, ...] | None:
    """Where the later requests of a compound begin: after the only joint between the marks of one call and the next."""
    found: list[int] = []
    for number in range(1, calls):
        before = [m.end for m in marks if m.turn == 0 and m.call < number]
        after = [m.start for m in marks if m.turn == 0 and m.call >= number]
        low, high = max(before, default=0), min(after, default=len(question))
        joints = [m.end() for m in _JOINT.finditer(question) if low <= m.start() and m.end() <= high]
        if low > high or len(joints) != 1 or len(question[: joints[0]].split()) < 2 or len(question[joints[0] :].split()) < 2:
            return None
        found.append(joints[0])
    return tuple(found)


def _check(row: Mapping[str, Any], status: str, calls: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    where = row.get("where", row["q"])
    if status not in STATUSES or (status == "answer") != bool(calls):
        raise CorpusError(f"{where}: needs calls or one of {STATUSES[1:]}")
    for tool, arguments in calls:
        if tool not in TOOLS:
            raise CorpusError(f"{where}: no tool {tool!r}")
        closed = {
            "metrics": METRICS, "records": RECORDS, "by": BY, "kinds": SEARCH_KINDS,
            "kind": REQUEST_KINDS if tool == "raise_request" else DOCUMENT_KINDS,
        }  # fmt: skip
        for name, allowed in closed.items():
            for value in as_list(arguments.get(name, [])):
                if value not in allowed:
                    raise CorpusError(f"{where}: {name} has no {value!r}")
        for value in as_list(arguments.get("status", [])):
            canonical_status(value)


def as_list(value: Any) -> list[Any]:
    """A value, a list of values or {"not": ...} as a flat list of values."""
    if isinstance(value, Mapping):
        value = value["not"] if "not" in value else [v for k, v in value.items() if k in ("min", "max")]
    return list(value) if isinstance(value, list | tuple) else [value]


def canonical_status(said: str) -> str:
    """The canonical record status of a word in the corpus. Raises CorpusError for an unknown word."""
    key = said.lower().strip()
    found = STATUS_WORDS.get(key, key.replace(" ", "_"))
    if found not in RECORD_STATUSES:
        raise CorpusError(f"no canonical status for {said!r}")
    return found


def compare_kind(value: Any) -> str:
    """Which of `labels.COMPARISONS` a `compare_to` value is."""
    if isinstance(value, Mapping):
        return "where"
    text = str(value).lower()
    if text in ("target", "standard", "budget", "plan"):
        return "target"
    if text == "previous_period" or re.match(r"(the )?(previous|preceding|prior|before|one before)\b|the \w+ before\b", text):
        return "previous_period"
    if re.fullmatch(r"[\d ., k]+([%a-z/° -]{0,12})?|[\d.,-]+.?(percent|hours?|minutes?|min|hrs?|s|kwh|pieces)", text):
        return "number"
    return "period"


def head_labels(
    status: str, calls: Sequence[tuple[str, Mapping[str, Any]]], hazard: bool, limit_said: bool
) -> dict[str, tuple[str, ...]]:
    """The gold label(s) of each head that applies to these calls."""
    labels: dict[str, tuple[str, ...]] = {"status": (status,), "hazard": ("hazard" if hazard else "none",)}
    if not calls:
        return labels
    labels["tool"] = tuple(dict.fromkeys(tool for tool, _ in calls))
    labels["calls"] = (str(min(3, len(calls))),)

    def every(name: str, tools: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(v for t, a in calls if t in tools for v in as_list(a.get(name, []))))

    tools = set(labels["tool"])
    if "query_metrics" in tools:
        labels["metric"] = every("metrics", {"query_metrics"})
        compared = [a["compare_to"] for t, a in calls if t == "query_metrics" and "compare_to" in a]
        labels["compare_to"] = (compare_kind(compared[0]) if compared else "none",)
    data = tools & {"query_metrics", "list_records"}
    if data:
        labels["by"] = every("by", data)
        sorts = [str(a["sort"]).split()[-1] for t, a in calls if t in data and "sort" in a]
        labels["sort"] = (sorts[0] if sorts else "none",)
        limits = [a["limit"] for t, a in calls if t in data and "limit" in a]
        labels["limit"] = ("span" if limit_said else "one" if limits else "none",)
        labels["record_status"] = _statuses(calls)
    if "list_records" in tools:
        labels["record"] = every("records", {"list_records"})
    if "search_documents" in tools:
        labels["search_kind"] = every("kinds", {"search_documents"})
    if "draft_document" in tools:
        labels["kind"] = every("kind", {"draft_document"})
    if "raise_request" in tools:
        labels["request_kind"] = every("kind", {"raise_request"})
    if "trace_material" in tools:
        said = every("direction", {"trace_material"})
        labels["direction"] = ({"back": "backward"}.get(said[0], said[0]),) if said else ("backward",)
    if tools & {"get_procedure", "draft_document"}:
        skill = every("skill", {"get_procedure", "draft_document"})
        labels["skill"] = (SKILL_WORDS.get(skill[0], skill[0]),) if skill else ("none",)
    return labels


def _statuses(calls: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[str, ...]:
    """Canonical statuses that are wanted; an excluded `closed` is an `open`, other exclusions say nothing here."""
    found: dict[str, None] = {}
    for _, arguments in calls:
        value = arguments.get("status")
        if value is None:
            continue
        said = [canonical_status(v) for v in as_list(value)]
        if isinstance(value, Mapping):
            said = [{"closed": "open", "valid": "expired", "released": "quarantined"}[s] for s in said
                    if s in ("closed", "valid", "released")]  # fmt: skip
        found.update(dict.fromkeys(said))
    return tuple(found)


LABEL_OF_ARGUMENT: Mapping[str, str] = {
    "alarm": "code", "operator": "person", "compare_to": "compare", "role": "person", "type": "status",
    "duration_min": "number", "age_days": "number", "quantity": "number",
}  # fmt: skip
UNSPOKEN = frozenset({"metrics", "records", "by", "kind", "kinds", "sort", "direction"})


class _Finder:
    """Places arguments in the question first, then in the earlier questions; longer values first, no overlaps."""

    def __init__(self, question: str, context: str) -> None:
        self.texts = {0: question, -1: context}
        self.marks: list[Mark] = []
        self.missed = 0
        self.limit_said = False

    def locate(self, tool: str, arguments: Mapping[str, Any], call: int) -> None:
        wanted: list[tuple[str, str, bool, bool]] = []  # label, text, negated, must be found
        for name, value in arguments.items():
            label = LABEL_OF_ARGUMENT.get(name, name)
            if name in UNSPOKEN or label not in (*ENTITIES, *PHRASES):
                continue
            negated = isinstance(value, Mapping) and "not" in value
            if label == "limit":
                self._limit(int(value), call)
                continue
            if name == "compare_to" and isinstance(value, Mapping):
                wanted += [
                    (LABEL_OF_ARGUMENT.get(k, k), str(v), False, True) for k, vs in value.items() for v in as_list(vs)
                ]
                continue
            optional = name in ("status", "skill", "type") or (
                name == "compare_to" and compare_kind(value) in ("target", "previous_period")
            )
            wanted += [(label, str(v), negated, not optional) for v in as_list(value)]
        wanted.sort(key=lambda w: -len(w[1]))
        for label, text, negated, required in wanted:
            mark = self._find(label, text, required)
            if mark:
                self.marks.append(replace(mark, negated=negated, call=call))
            elif required and not self._shared(label, text):
                self.missed += 1

    def _shared(self, label: str, text: str) -> bool:
        """Whether an earlier call of a compound question has already marked the same words."""
        said = (self.texts[m.turn][m.start : m.end].lower() for m in self.marks if m.label == label)
        return text.lower() in said

    def _find(self, label: str, text: str, required: bool) -> Mark | None:
        phrase = label in PHRASES
        for turn in (0, -1):
            for start, end in _verbatim(self.texts[turn], text):
                if self._free(start, end, turn, phrase):
                    return Mark(label, start, end, turn)
        if not required:
            return None
        for turn in (0, -1):
            found = None if phrase else _spoken(self.texts[turn], text)
            found = found or _loose(self.texts[turn], text, 0.6 if phrase else 0.82)
            if found and self._free(*found, turn, phrase):
                return Mark(label, *found, turn)
        return None

    def _free(self, start: int, end: int, turn: int, phrase: bool) -> bool:
        return all(not (m.turn == turn and (m.label in PHRASES) == phrase and start < m.end and m.start < end) for m in self.marks)

    def _limit(self, value: int, call: int) -> None:
        if value == 1:  # "which line is worst": the head says it, no word does
            return
        for turn in (0, -1):
            for match in re.finditer(r"half a dozen|half dozen|\d+|[a-z]+", self.texts[turn].lower()):
                word = match.group()
                said = 6 if word.startswith("half") else int(word) if word.isdigit() else NUMBER_WORDS.get(word)
                if said == value and self._free(match.start(), match.end(), turn, False):
                    self.marks.append(Mark("limit", match.start(), match.end(), turn, call=call))
                    self.limit_said = True
                    return


def _verbatim(source: str, text: str) -> list[tuple[int, int]]:
    """Where a text stands in a source, ignoring case; whole words before parts of words."""
    if not text or not source:
        return []
    hits = [(m.start(), m.end()) for m in re.finditer(re.escape(text), source, re.IGNORECASE)]

    def inside_word(hit: tuple[int, int]) -> bool:
        before, after = source[: hit[0]][-1:], source[hit[1] :][:1]
        return (before.isalnum() and text[:1].isalnum()) or (after.isalnum() and text[-1:].isalnum() and after != "s")

    return [h for h in hits if not inside_word(h)]


SPOKEN: Mapping[str, str] = {
    "zero": "0", "oh": "0", "one": "1", "two": "2", "too": "2", "to": "2", "three": "3", "four": "4", "for": "4",
    "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12",
    "dash": "", "point": "", "bee": "b", "see": "c", "dee": "d", "ee": "e", "eff": "f", "em": "m", "en": "n",
    "pee": "p", "are": "r", "ess": "s", "tee": "t", "you": "u", "ex": "x", "why": "y", "nite": "night",
}  # fmt: skip


def _spoken(source: str, text: str) -> tuple[int, int] | None:
    """The run of words that spells a code or number aloud ("bee one two four nine" for B1249)."""

    def compact(words: Iterable[str]) -> str:
        return "".join(SPOKEN.get(w, w) for w in words)

    goal = compact(re.findall(r"[a-z0-9]+", text.lower()))
    words = [(m.start(), m.end(), m.group()) for m in re.finditer(r"[a-z0-9]+", source.lower())]
    for i in range(len(words)):
        for j in range(i, min(len(words), i + 10)):
            if compact(w for _, _, w in words[i : j + 1]) == goal:
                return words[i][0], words[j][1]
    return None


def _loose(source: str, text: str, least: float) -> tuple[int, int] | None:
    """The run of words that is closest to a text said in other words or another spelling, if close enough."""
    words = [(m.start(), m.end()) for m in re.finditer(r"\S+", source)]
    if not words:
        return None
    goal = len(text.split())
    best, place = 0.0, None
    for size in range(max(1, goal - 2), goal + 6):
        for i in range(len(words) - size + 1):
            start, end = words[i][0], words[i + size - 1][1]
            piece = source[start:end].strip(".,;:!?\"'()")
            score = fuzz.ratio(piece.lower(), text.lower()) / 100
            if goal > 1:
                score = max(score, 0.97 * fuzz.token_sort_ratio(piece.lower(), text.lower()) / 100)
            if score > best:
                lead = len(source[start:end]) - len(source[start:end].lstrip("\"'(.,"))
                best, place = score, (start + lead, start + lead + len(piece))
    return place if best >= least else None
