"""What a question says, before anything is planned: dangers, marked names and times, and what they stand for here.

`understand` promises an `Understanding` in which every marked span is a numbered placeholder with its value (an id, a
period, a number) or kept as said when the plant has no such thing; the masked text is what a language model sees. The
router proposes the spans; the plant's own names and the period parser add what it missed and mend what it cut. A
question of several parts is taken apart into clauses, each read on its own. tests/test_understand.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from assistant.entities import HIERARCHY
from assistant.hazards import detect, voted
from assistant.marks import Marks, Placeholder, Question, names_of, speller_of
from assistant.router import Reader, Reading
from assistant.spelling import Spelled

if TYPE_CHECKING:
    from tools.plant_model import Plant

__all__ = ["Clause", "Placeholder", "Question", "Understanding", "mask", "names_of", "understand"]

NOT_TAKEN = "I cannot answer this part:"
SURE_ALONE = 0.9  # a question that is this clear by itself does not lean on earlier ones


@dataclass(frozen=True)
class Clause:
    """A part of the question that is one request: its text, its reading and its own placeholders."""

    text: str
    reading: Reading
    placeholders: tuple[Placeholder, ...]
    carried: tuple[Placeholder, ...] = ()


@dataclass(frozen=True)
class Understanding:
    """What was understood. `text` is the question with typing slips put right, `spelled` leads back to what was typed;
    `masked` holds placeholders for the spans; `followup` says that the question leans on
    earlier ones; `problems` are names that the plant does not know, each one sentence."""

    text: str
    masked: str
    placeholders: tuple[Placeholder, ...]
    hazards: tuple[str, ...]
    reading: Reading
    followup: bool
    clauses: tuple[Clause, ...] = ()
    carried: tuple[Placeholder, ...] = ()
    spelled: Spelled = field(default=Spelled("", ""))
    problems: tuple[str, ...] = field(default=())


def understand(question: Question, plant: Plant, router: Reader) -> Understanding:
    """Read a question against a plant. Raises nothing a person could cause."""
    speller = speller_of(plant)
    spelled = speller.read(" ".join(question.text.split()))
    text = spelled.text
    emergency = plant.model.emergency
    words = {name: spec.words for name, spec in emergency.hazards.items()} if emergency else {}
    hazards = tuple(dict.fromkeys(danger for said in {spelled.typed: 0, text: 0} for danger in detect(said, words)))
    context = tuple(speller.read(turn).text for turn in question.previous_texts[-3:])
    reading = router.read(text, context)
    hazards = voted(hazards, dict(reading.heads.get("hazard", ())).get("hazard", 0.0), words)
    alone = router.read(text) if context and not _points_back(text) else None
    if alone is not None and alone.best("status") == "answer" and min(alone.tools[0][1], alone.heads["status"][0][1]) >= SURE_ALONE:
        reading, context = alone, ()  # a complete question of its own; what came before would only bend it
    reader = Marks(plant, names_of(plant), question)
    placeholders = reader.placeholders(text, reading.spans)
    carried = reader.carried(reading.context_spans, context)
    clauses: tuple[Clause, ...] = (Clause(text, reading, placeholders, carried),)
    left: tuple[str, ...] = ()
    if reading.starts:
        clauses, left = _cut(text, context, reading, placeholders, router, reader) or (clauses, ())
    if len(clauses) > 1 and reading.best("status") != "answer":
        reading = clauses[0].reading
    return Understanding(
        text=text,
        masked=mask(text, placeholders),
        placeholders=placeholders,
        hazards=hazards,
        reading=reading,
        followup=bool(context) and leans_back(text, reading, placeholders),
        clauses=clauses,
        carried=carried,
        spelled=spelled,
        problems=tuple(dict.fromkeys([*(f"{NOT_TAKEN} “{part}”." for part in left), *(p for p in map(_problem, placeholders) if p)])),
    )


def mask(text: str, placeholders: Sequence[Placeholder]) -> str:
    """The text with spans replaced by their placeholders; a phrase around other spans keeps its words and theirs."""
    out, at = [], 0
    outer = [p for p in placeholders if not any(q is not p and q.start <= p.start and p.end <= q.end and q.phrase for q in placeholders)]
    for item in sorted(outer, key=lambda p: p.start):
        if item.turn == 0 and item.start >= at:
            out += [text[at : item.start], f"<{item.name}>"]
            at = item.end
    return "".join([*out, text[at:]])


def _problem(item: Placeholder) -> str:
    if item.known or item.label not in HIERARCHY or item.ambiguous:
        return ""
    near = f"; the nearest are {', '.join(item.alternatives)}" if item.alternatives else ""
    return f"The plant has no {item.label.replace('_', ' ')} called {item.value}{near}."


_BACK = re.compile(
    r"^(?:and|or|but|also|then|ok(?:ay)?|so|no|now|same|only|just|what about|how about|what if|versus|vs\.?|"
    r"compared?|why|by |per |split|break|instead|again|more|less|next|the other|other|without|except|excluding|"
    r"with|plus|for|in|on|at|from|since|make (?:it|that)|i mean\w*|sorry|not|sort|show (?:me )?(?:it|them|that|"
    r"those|these)|as a|which (?:of|one)|of (?:them|those|these)|do (?:it|that|the same)|top|longest|worst|best|"
    r"first|last|this|that|those|these|them|it)\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"\b(?:it|its|that|those|these|them|they|one|ones|same|there|then|instead|too|again|other|previous|this one|"
    r"he|she|his|her)\b",
    re.IGNORECASE,
)


def _points_back(text: str) -> bool:
    return bool(_BACK.match(text)) or bool(_PRONOUN.search(text)) or len(text.split()) <= 4


def leans_back(text: str, reading: Reading, placeholders: Sequence[Placeholder]) -> bool:
    """Whether a question needs the earlier ones: the router carries spans over, or the words themselves point back."""
    words = text.split()
    if any(span.score >= 0.5 for span in reading.context_spans):
        return True
    return bool(_BACK.match(text)) or (len(words) <= 7 and bool(_PRONOUN.search(text))) or len(words) <= 3


_TRAILING = re.compile(r"(?:[\s,;.?!&+–-]|\b(?:and|then|also|plus|but|as well as|while you(?:'re| are) at it))+$", re.IGNORECASE)
_LEADING = re.compile(r"^(?:[\s,;.&+–-]|(?:and|then|also|plus|but)\b)+", re.IGNORECASE)
MOST_PARTS = 3
_COMPLETE = re.compile(r"(?:how (?:many|much|often|long)|what|which|who|when|where|list|show|give|tell|draft|explain|plot|count)\b", re.IGNORECASE)


def _cut(
    text: str, context: Sequence[str], reading: Reading, placeholders: tuple[Placeholder, ...], router: Reader, marks: Marks
) -> tuple[tuple[Clause, ...], tuple[str, ...]] | None:
    """The clauses that begin where the router says, and the parts among them that ask for nothing the plant's data or
    documents hold; None when a cut would go through a name, leave too little, or a part is to be refused."""
    cuts = [at for at, _ in reading.starts if not any(p.start < at < p.end for p in placeholders if not p.phrase)][: MOST_PARTS - 1]
    parts, begin = [], 0
    for end in (*cuts, len(text)):
        part = _LEADING.sub("", text[begin:end]) if begin else text[begin:end]
        part = _TRAILING.sub("", part) if end < len(text) else part.strip()
        parts.append(part)
        begin = end
    if len(parts) < 2 or any(len(part.split()) < 2 for part in parts):
        return None
    clauses: list[Clause] = []
    left: list[str] = []
    said = tuple(context)
    for part in parts:
        read = router.read(part, said[-3:])
        if read.best("status") == "refused_unsafe":
            return None
        if read.best("status") != "answer":
            left += [part] if read.best("status") != "smalltalk" else []
            continue
        own, kept = marks.placeholders(part, read.spans), marks.carried(read.context_spans, said[-3:])
        data = read.tools[0][0] in ("query_metrics", "list_records")
        if clauses and data and _COMPLETE.match(part) and not _PRONOUN.search(part) and any(p.label == "period" for p in own):
            kept = tuple(p for p in kept if p.label not in HIERARCHY)  # a whole question with a time of its own
        clause = Clause(part, read, own, kept)
        said = (*said, part)
        if clauses and not _asks_for_more(clauses[-1], clause):
            if len(parts) == 2:
                return None  # an afterthought to the one request
            left.append(part)
            continue
        clauses.append(clause)
    if not clauses:
        return None
    return ((*_shared(clauses[0], clauses[1]), *clauses[2:]) if len(clauses) > 1 else tuple(clauses)), tuple(left)


def _shared(first: Clause, second: Clause) -> tuple[Clause, Clause]:
    """ "Uptime and open orders of CNC-02": the machine said at the end belongs to both."""
    has = {p.label in HIERARCHY for p in first.placeholders}
    lent = tuple(p for p in second.placeholders if p.label in HIERARCHY) if True not in has else ()
    return replace(first, carried=(*first.carried, *(replace(p, turn=-1) for p in lent))), second


def _asks_for_more(first: Clause, second: Clause) -> bool:
    """Whether the second part is a request of its own, not an afterthought to the first ("..., open ones")."""
    tool = first.reading.tools[0][0]
    if tool != second.reading.tools[0][0]:
        return True
    head = {"list_records": "record", "query_metrics": "metric", "draft_document": "kind"}.get(tool)
    if head and first.reading.best(head) != second.reading.best(head):
        return True
    return any(p.label not in ("status", "limit", "skill", "severity", "priority") for p in second.placeholders)
