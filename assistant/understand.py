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
from assistant.hazards import detect
from assistant.marks import Marks, Placeholder, Question, names_of, speller_of
from assistant.router import Reader, Reading
from assistant.spelling import Spelled

if TYPE_CHECKING:
    from tools.plant_model import Plant

__all__ = ["Clause", "Placeholder", "Question", "Understanding", "mask", "names_of", "understand"]

SURE_STATUS = 0.97  # a status other than `answer` that is this sure is not doubted by reading the halves
SURE_ALONE = 0.9  # a question that is this clear by itself does not lean on earlier ones
SURELY_ONE = 0.7  # probability of a single call above which a question is not taken apart
SECOND_TOOL = 0.25  # probability of a second tool from which a question is tried as two requests


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
    hazards = tuple(dict.fromkeys((*detect(spelled.typed, words), *detect(text, words))))
    context = tuple(speller.read(turn).text for turn in question.previous_texts[-3:])
    reading = router.read(text, context)
    alone = router.read(text) if context and not _points_back(text) else None
    if alone is not None and alone.best("status") == "answer" and min(alone.tools[0][1], alone.heads["status"][0][1]) >= SURE_ALONE:
        reading, context = alone, ()  # a complete question of its own; what came before would only bend it
    reader = Marks(plant, names_of(plant), question)
    placeholders = reader.placeholders(text, reading.spans)
    carried = reader.carried(reading.context_spans, context)
    clauses = _clauses(text, context, reading, placeholders, carried, router, reader)
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
        problems=tuple(dict.fromkeys(p for p in map(_problem, placeholders) if p)),
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


_JOINTS = re.compile(
    r"(?:,? (?:and|then|plus|but|also)(?: then| also| please)? |[;.?!+] ?(?:and |then |also |plus )*|, (?:also |"
    r"plus |then |and )?| & | - )",
    re.IGNORECASE,
)
MOST_JOINTS = 5


def _clauses(
    text: str,
    context: Sequence[str],
    reading: Reading,
    placeholders: tuple[Placeholder, ...],
    carried: tuple[Placeholder, ...],
    router: Reader,
    marks: Marks,
) -> tuple[Clause, ...]:
    """One clause, or those that a compound question is best cut into."""
    whole = (Clause(text, reading, placeholders, carried),)
    if reading.starts:
        return _as_marked(text, context, reading, placeholders, router, marks) or whole
    several = reading.best("calls") != "1" or (reading.tools[1][1] >= SECOND_TOOL and dict(reading.heads["calls"])["1"] < SURELY_ONE)
    status, p = reading.heads["status"][0]
    if status != "answer":
        return (_two_requests(text, context, router, marks) or whole) if p < SURE_STATUS else whole
    if not several:
        return _two_requests(text, context, router, marks) or whole
    wanted = {tool for tool, p in reading.tools if p >= 0.2}
    best: tuple[float, tuple[Clause, ...]] | None = None
    joints = [
        m
        for m in _JOINTS.finditer(text)
        if len(text[: m.start()].split()) >= 3 and len(text[m.end() :].split()) >= 3 and not _in_list(m, placeholders)
    ]
    for joint in joints[:MOST_JOINTS]:
        first, second = text[: joint.start()], text[joint.end() :]
        left, right = router.read(first, context), router.read(second, (*context[-2:], first))
        if {left.tools[0][0], right.tools[0][0]} == wanted or (len(wanted) == 1 and left.tools[0][0] == right.tools[0][0]):
            agreement = 1.0
        else:
            agreement = 0.5 if {left.tools[0][0], right.tools[0][0]} <= {t for t, _ in reading.tools[:3]} else 0.2
        score = agreement * left.tools[0][1] * right.tools[0][1] * (left.best("status") == "answer") * (right.best("status") == "answer")
        if best is None or score > best[0]:
            cut = (
                Clause(first, left, marks.placeholders(first, left.spans), marks.carried(left.context_spans, context)),
                Clause(
                    second,
                    right,
                    marks.placeholders(second, right.spans),
                    marks.carried(right.context_spans, (*context[-2:], first)),
                ),
            )
            best = (score, cut)
    return best[1] if best and best[0] >= 0.25 and _asks_for_more(*best[1]) else whole


_TRAILING = re.compile(r"(?:[\s,;.?!&+–-]|\b(?:and|then|also|plus|but|as well as|while you(?:'re| are) at it))+$", re.IGNORECASE)
_LEADING = re.compile(r"^(?:[\s,;.&+–-]|(?:and|then|also|plus|but)\b)+", re.IGNORECASE)
MOST_PARTS = 3


def _as_marked(
    text: str, context: Sequence[str], reading: Reading, placeholders: tuple[Placeholder, ...], router: Reader, marks: Marks
) -> tuple[Clause, ...] | None:
    """The clauses that begin where the router says; None when a part is no request, or cuts a name in two."""
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
    said = tuple(context)
    for part in parts:
        read = router.read(part, said[-3:])
        if read.best("status") != "answer":
            return None
        clause = Clause(part, read, marks.placeholders(part, read.spans), marks.carried(read.context_spans, said[-3:]))
        said = (*said, part)
        if clauses and not _asks_for_more(clauses[-1], clause):
            return None
        clauses.append(clause)
    return (*_shared(clauses[0], clauses[1]), *clauses[2:])


_STRONG_JOINT = re.compile(
    r"(?:,? and(?: also| then| please)?|;|,? plus|, (?:then|also|please)|\. (?:then|also|please|and)|, (?=(?:get|"
    r"call|send|tell|draft|show|list|explain|give|what|how|who|when|where|which)\b)) ",
    re.IGNORECASE,
)
SURE_PART = 0.8  # each half, read by itself, must be this sure of its tool to count as a request of its own


def _two_requests(text: str, context: Sequence[str], router: Reader, marks: Marks) -> tuple[Clause, ...] | None:
    """Two complete requests for different tools, joined by a word, although the whole reads like one."""
    for joint in list(_STRONG_JOINT.finditer(text))[:2]:
        first, second = text[: joint.start()], text[joint.end() :]
        if len(first.split()) < 3 or len(second.split()) < 3:
            continue
        left, right = router.read(first, context), router.read(second, (*context[-2:], first))
        sure = all(
            r.tools[0][1] >= SURE_PART and r.heads["status"][0] >= ("answer", SURE_PART) and r.best("status") == "answer"
            for r in (left, right)
        )
        if sure and left.tools[0][0] != right.tools[0][0] and router.read(second).tools[0][0] == right.tools[0][0]:
            return _shared(
                Clause(first, left, marks.placeholders(first, left.spans), marks.carried(left.context_spans, context)),
                Clause(
                    second,
                    right,
                    marks.placeholders(second, right.spans),
                    marks.carried(right.context_spans, (*context[-2:], first)),
                ),
            )
    return None


def _shared(first: Clause, second: Clause) -> tuple[Clause, Clause]:
    """ "Uptime and open orders of CNC-02": the machine said at the end belongs to both."""
    has = {p.label in HIERARCHY for p in first.placeholders}
    lent = tuple(p for p in second.placeholders if p.label in HIERARCHY) if True not in has else ()
    return replace(first, carried=(*first.carried, *(replace(p, turn=-1) for p in lent))), second


def _in_list(joint: re.Match[str], placeholders: Sequence[Placeholder]) -> bool:
    """Whether a joint only stands between two names of a list ("CNC-01, CNC-02 and CNC-03")."""
    before = {p.label for p in placeholders if p.end == joint.start() and not p.phrase}
    return any(p.label in before for p in placeholders if p.start == joint.end() and not p.phrase)


def _asks_for_more(first: Clause, second: Clause) -> bool:
    """Whether the second part is a request of its own, not an afterthought to the first ("..., open ones")."""
    tool = first.reading.tools[0][0]
    if tool != second.reading.tools[0][0]:
        return True
    head = {"list_records": "record", "query_metrics": "metric", "draft_document": "kind"}.get(tool)
    if head and first.reading.best(head) != second.reading.best(head):
        return True
    return any(p.label not in ("status", "limit", "skill", "severity", "priority") for p in second.placeholders)
