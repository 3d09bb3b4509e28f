"""What a question says, before anything is planned: dangers, marked names and times, and what they stand for here.

`understand` promises an `Understanding` in which every marked span is a numbered placeholder with its value (an id, a
period, a number) or kept as said when the plant has no such thing; the masked text is what a language model sees. The
router proposes the spans; the plant's own names and the period parser add what it missed and mend what it cut. A
question of several parts is taken apart into clauses, each read on its own. tests/test_understand.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from assistant.entities import HIERARCHY, Names, bare_code, bare_name, is_here
from assistant.hazards import detect
from assistant.lm.labels import PHRASES
from assistant.periods import SaidPeriod, find_periods, read_period, shift_named
from assistant.router import Reader, Reading, Span
from tools.access import Caller
from tools.calendar import Calendar
from tools.registry import ToolError

if TYPE_CHECKING:
    from assistant.planning import Plan
    from tools.plant_model import Plant

#: Below this mean tag probability a span is doubted; it stays only if it resolves to a known name.
DOUBTFUL = 0.35
SURE_STATUS = 0.97  # a status other than `answer` that is this sure is not doubted by reading the halves
SURE_ALONE = 0.9  # a question that is this clear by itself does not lean on earlier ones
SURELY_ONE = 0.7  # probability of a single call above which a question is not taken apart
SECOND_TOOL = 0.25  # probability of a second tool from which a question is tried as two requests
_NAMES = frozenset(
    (
        *HIERARCHY,
        "product",
        "variant",
        "part",
        "supplier",
        "customer",
        "certification",
        "reason",
        "defect",
        "signal",
        "person",
    )
)
_CODES = frozenset(("lot", "order", "serial", "code", "id"))


@dataclass(frozen=True)
class Question:
    """One question: `equipment` is the machine in front of the person (an id), `at` the moment (aware, plant zone),
    `previous` the plans of the earlier turns and `previous_texts` their questions, oldest first."""

    text: str
    at: datetime
    caller: Caller
    equipment: str | None = None
    previous: tuple[Plan, ...] = ()
    previous_texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Placeholder:
    """A marked span. `value` is an id (str), a SaidPeriod, an int (limit) or the words as said; `label` is what the
    span turned out to be (a name marked as equipment that is a line is a line). `turn` is 0 for the question, -1 for
    the one before, and so on; offsets count in that turn's text."""

    name: str
    label: str
    text: str
    value: Any
    known: bool
    alternatives: tuple[str, ...] = ()
    start: int = 0
    end: int = 0
    negated: bool = False
    turn: int = 0
    score: float = 1.0
    ambiguous: bool = False

    @property
    def phrase(self) -> bool:
        return self.label in PHRASES


@dataclass(frozen=True)
class Clause:
    """A part of the question that is one request: its text, its reading and its own placeholders."""

    text: str
    reading: Reading
    placeholders: tuple[Placeholder, ...]
    carried: tuple[Placeholder, ...] = ()


@dataclass(frozen=True)
class Understanding:
    """What was understood. `masked` holds placeholders for the spans; `followup` says that the question leans on
    earlier ones; `problems` are names that the plant does not know, each one sentence."""

    text: str
    masked: str
    placeholders: tuple[Placeholder, ...]
    hazards: tuple[str, ...]
    reading: Reading
    followup: bool
    clauses: tuple[Clause, ...] = ()
    carried: tuple[Placeholder, ...] = ()
    problems: tuple[str, ...] = field(default=())


def names_of(plant: Plant) -> Names:
    """The plant's names for resolution; kept until the plant's own vocabulary changes. With the database down there are
    none, and what is said stays as it was said: documents can still be asked."""

    def words(kind: str) -> Mapping[str, str]:
        try:
            return plant.vocabulary(kind)
        except ToolError:
            return {}

    def shown(kind: str, id: str) -> str:
        try:
            return plant.name(kind, id)
        except ToolError:
            return id

    sizes = tuple(id(found) if (found := words(kind)) else 0 for kind in ("equipment", "line", "product", "person"))
    held = _HELD.get(id(plant))
    if held is None or held[0] != sizes or held[2] is not plant:
        held = (sizes, Names(words, shown, plant.classes), plant)
        _HELD.clear()
        _HELD[id(plant)] = held
    return held[1]


_HELD: dict[int, tuple[tuple[int, ...], Names, Any]] = {}


def understand(question: Question, plant: Plant, router: Reader) -> Understanding:
    """Read a question against a plant. Raises nothing a person could cause."""
    text = " ".join(question.text.split())
    emergency = plant.model.emergency
    words = {name: spec.words for name, spec in emergency.hazards.items()} if emergency else {}
    hazards = detect(text, words)
    context = question.previous_texts[-3:]
    reading = router.read(text, context)
    alone = router.read(text) if context and not _points_back(text) else None
    if alone is not None and alone.best("status") == "answer" and min(alone.tools[0][1], alone.heads["status"][0][1]) >= SURE_ALONE:
        reading, context = alone, ()  # a complete question of its own; what came before would only bend it
    reader = _Marks(plant, names_of(plant), question)
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


@dataclass(frozen=True)
class _Marks:
    """Turns spans into placeholders for one question."""

    plant: Plant
    names: Names
    question: Question

    def placeholders(self, text: str, spans: Sequence[Span]) -> tuple[Placeholder, ...]:
        entities = self._tidied(text, [s for s in spans if s.label not in PHRASES])
        phrases = [_with_particle(_trimmed(s, text), text) for s in spans if s.label in PHRASES and s.score >= DOUBTFUL]
        entities = self._with_names(text, entities)
        entities = self._with_periods(text, entities)
        entities = _with_shifts(text, _with_codes(text, entities), self.plant.calendar)
        entities = [replace(s, negated=s.negated or _excluded(text, s)) for s in entities]
        merged = sorted([*entities, *phrases], key=lambda s: (s.start, -s.end))
        return self._numbered(merged)

    def carried(self, spans: Sequence[Span], context: Sequence[str]) -> tuple[Placeholder, ...]:
        kept = [s for s in spans if s.score >= DOUBTFUL]
        found: list[Span] = []
        for span in kept:
            source = context[span.turn] if context and -len(context) <= span.turn < 0 else span.text
            found.append(_trimmed(span, source) if source != span.text else span)
        return self._numbered(found)

    def _numbered(self, spans: Sequence[Span]) -> tuple[Placeholder, ...]:
        counts: dict[str, int] = {}
        out = []
        for span in spans:
            item = self.value(span)
            if item is None:
                continue
            counts[item.label] = counts.get(item.label, 0) + 1
            out.append(replace(item, name=f"{item.label}{counts[item.label]}"))
        return tuple(out)

    def _tidied(self, text: str, spans: Sequence[Span]) -> list[Span]:
        """Best first, nothing overlapping; doubtful ones only when the plant knows them."""
        kept: list[Span] = []
        spans = [part for span in _run_together(text, spans) for part in _taken_apart(span)]
        for span in sorted(spans, key=lambda s: -s.score * (1 + 0.02 * len(s.text))):
            span = _trimmed(span, text)
            if not span.text or any(s.start < span.end and span.start < s.end for s in kept):
                continue
            if span.score < DOUBTFUL and not (span.label in _NAMES and self.names.resolve(span.text, span.label).known):
                continue
            kept.append(span)
        return sorted(kept, key=lambda s: s.start)

    def _with_names(self, text: str, spans: list[Span]) -> list[Span]:
        """Known names that the router missed, or that it cut wrongly or ran together."""
        out = list(spans)
        for named in self.names.find(text):
            over = [s for s in out if s.start < named.end and named.start < s.end]
            mine = Span(named.kind, named.text, named.start, named.end, 1.0, negated=any(s.negated for s in over))
            if any(self._knows(s) and (s.end - s.start) >= (named.end - named.start) for s in over):
                continue
            if any(s.label in ("period", "compare", "shift") for s in over):
                continue
            codes = [s for s in over if s.label in ("limit", "number", "code", "lot", "order", "serial", "id")]
            if codes and (not re.search("[A-Za-z]", named.text) or any(s.start < named.start or s.end > named.end for s in codes)):
                continue  # a code that says more than the name; the name of a known thing beats a bare guess
            if any(s.start <= named.start and named.end <= s.end and _other_number(s, named.start, named.end) for s in over):
                continue  # "CNC-02 north" or "press 1 feeder" is another thing than what it contains
            for s in over:
                out.remove(s)
            out.append(mine)
        return sorted(out, key=lambda s: s.start)

    def _knows(self, span: Span) -> bool:
        return span.label in _NAMES and self.names.resolve(span.text, span.label).known

    def _with_periods(self, text: str, spans: list[Span]) -> list[Span]:
        """Times that the router missed, and whole expressions where it marked a part."""
        out = list(spans)
        other = [(s.start, s.end) for s in spans if s.label not in ("period", "compare", "limit", "number", "shift")]
        for found in find_periods(text, self.question.at, self.plant.calendar, other):
            over = [s for s in out if s.start < found.end and found.start < s.end]
            times = [s for s in over if s.label in ("period", "compare")]
            if any(s.label not in ("period", "compare", "limit", "number", "shift") for s in over):
                continue
            if any(s.start <= found.start and found.end <= s.end and self._time(s.text) for s in times):
                continue
            if any(s.label == "shift" for s in over) and not times:
                continue  # "night shift" said as a shift stays one
            label = times[0].label if times else "period"
            for s in over:
                out.remove(s)
            start, end = min([found.start, *(s.start for s in times)]), max([found.end, *(s.end for s in times)])
            if self._time(text[start:end]) is None:
                start, end = found.start, found.end
            out.append(_trimmed(Span(label, text[start:end], start, end, 1.0 if not times else times[0].score), text))
        return sorted(out, key=lambda s: s.start)

    def _own_line(self) -> str | None:
        """The line of the machine in front, else the only line that the caller may see."""
        machine = self.plant.equipment.get(self.question.equipment or "")
        if machine and machine.line:
            return machine.line
        own = self.question.caller.scope.lines
        return next(iter(own)) if own and len(own) == 1 else None

    def _time(self, text: str) -> SaidPeriod | None:
        return read_period(text, self.question.at, self.plant.calendar)

    def value(self, span: Span) -> Placeholder | None:
        """One span with what it stands for; None for a word that means "here" when nobody stands anywhere."""
        label, text = span.label, span.text

        def made(label: str, value: Any, known: bool, alternatives: tuple[str, ...] = (), ambiguous: bool = False) -> Placeholder:
            return Placeholder(
                "",
                label,
                text,
                value,
                known,
                alternatives,
                span.start,
                span.end,
                span.negated,
                span.turn,
                span.score,
                ambiguous,
            )

        if label in HIERARCHY and is_here(text):
            here = self.question.equipment
            return made("equipment", here, True) if here else None
        if label in HIERARCHY and _OWN_LINE.fullmatch(text):
            line = self._own_line()
            return made("line", line, True) if line else None
        if label in _NAMES and set(re.findall(r"[a-z]+", text.lower())) <= _NO_NAME and not re.search(r"\d", text):
            return None
        if label in _NAMES:
            found = self.names.resolve(text, label)
            front = self.question.equipment
            if found.ambiguous and front and self.plant.name("equipment", front) in found.alternatives:
                return made("equipment", front, True)  # "the robot", said at one of them
            value = (
                found.value
                if found.known
                else bare_code(text, label)
                if label in ("product", "variant", "part", "supplier", "customer")
                else found.value
            )
            return made(found.kind, value, found.known, found.alternatives, found.ambiguous)
        if label in _CODES:
            return made(label, bare_code(text, label), True)
        if label == "period" and (shift := _only_a_shift(text, self.plant.calendar)):
            return made("shift", shift, True)
        if label == "shift":
            name = shift_named(text, self.plant.calendar)
            return made("shift", name or bare_name(text), name is not None)
        if label in ("period", "compare"):
            said = self._time(text)
            return made(label, _plainly(said, self._time) if said else None, said is not None)
        return made(label, text.strip() if label in PHRASES else bare_code(text, label), True)


_NO_NAME = frozenset(
    [
        "too",
        "also",
        "it",
        "that",
        "this",
        "same",
        "one",
        "ones",
        "other",
        "others",
        "them",
        "those",
        "these",
        "all",
        "both",
        "any",
        "each",
        "every",
        "which",
        "what",
        "who",
        "and",
        "or",
        "the",
        "a",
        "an",
        "there",
        "here",
        "only",
        "just",
        "so",
        "then",
    ]
)
_EXCEPT = re.compile(
    r"\b(?:apart from|except(?: for)?|excepting|excluding|exclude|without|other than|not counting|not including|"
    r"leav(?:e|ing) (?:out|aside)|"
    r"ignor(?:e|ing)|minus|forget(?: about)?|but not|anything but|(?:all|any|every\w*|each|"
    r"anything)\b[^.?!,]{0,30}\bbut)(?: the| our| all| any)?\s*$",
    re.IGNORECASE,
)
_LEFT_OUT = re.compile(
    r"(?:\s+\w+)?\s*(?:excluded|left out|aside|not included|does(?:n'?t| not) count|do(?:n'?t| not) count)\b", re.IGNORECASE
)


def _excluded(text: str, span: Span) -> bool:
    """Whether the words beside a name take it out: "without changeovers", "all lines but line 3", "line 9 excluded"."""
    if span.label in ("period", "compare", "limit", "number", "status"):
        return False
    return bool(_EXCEPT.search(text[: span.start]) or _LEFT_OUT.match(text, span.end))


_PARTICLE = re.compile(r"\s+(?:up|down|off|on|out|over|in|apart|together)\b(?!\s+(?:the|this|that|a|an|our|\w*\d))", re.IGNORECASE)


def _with_particle(span: Span, text: str) -> Span:
    """ "set up", "take apart": a verb keeps its particle."""
    m = _PARTICLE.match(text, span.end)
    return replace(span, text=text[span.start : m.end()], end=m.end()) if m and span.label == "task" else span


_OWN_LINE = re.compile(r"(?:on |at |for |in )?(?:this|the|my|our|that) (?:production )?line", re.IGNORECASE)
_ONLY_SHIFT = re.compile(
    r"(?:during|on|in|for|over|only)? ?(?:the )?([\w ]+?) ?(?:shift|crew|team)|(?:on )?(nights|earlies|lates)",
    re.IGNORECASE,
)


def _only_a_shift(text: str, calendar: Calendar) -> str | None:
    """The shift id when a time expression is no more than the name of a shift ("the night shift", "on nights")."""
    m = _ONLY_SHIFT.fullmatch(text.strip())
    word = (m.group(1) or m.group(2)) if m else ""
    if not word or re.search(r"\b(?:this|last|current|previous|next|past|today|yesterday|\d+)\b", word, re.IGNORECASE):
        return None
    return shift_named(word, calendar)


def _plainly(said: SaidPeriod, read: Callable[[str], SaidPeriod | None]) -> SaidPeriod:
    """The same period, its words without a leading preposition that adds nothing ("from the last quarter")."""
    text = said.period.text
    for _ in range(2):
        shorter = re.sub(r"^(?:about|from|in|on|for|during|over|of|at|the|within|around)\s+(?=\S)", "", text, flags=re.IGNORECASE)
        again = read(shorter) if shorter != text else None
        if again is None or (again.period.start, again.period.end) != (said.period.start, said.period.end):
            break
        text = shorter
    return replace(said, period=replace(said.period, text=text))


def _trimmed(span: Span, source: str) -> Span:
    """Without punctuation and articles at its edges, and with the whole words that it cuts."""
    if span.end - span.start != len(span.text):
        return span  # a name completed from its neighbour
    start, end = span.start, span.end
    while start < end and source[start] in " .,;:!?\"'(“":
        start += 1
    while end > start and (source[end - 1] in " ,;:!?\"'”" or (source[end - 1] == "." and span.label not in PHRASES)):
        end -= 1
    if end > start and source[end - 1] == ")" and "(" not in source[start:end]:
        end -= 1
    return replace(span, text=source[start:end], start=start, end=end)


_BETWEEN = re.compile(r"\s*(?:,|&|/|\+|\band\b|\bvs\.?|\bversus\b|\bor\b)\s*", re.IGNORECASE)


def _taken_apart(span: Span) -> list[Span]:
    """ "lines 1 and 2", "extruder 7 vs extruder 8": one span, two names; a bare number borrows the noun before it."""
    if span.label not in (*HIERARCHY, "product", "shift", "lot", "order", "code") or not _BETWEEN.search(span.text):
        return [span]
    pieces, at = [], 0
    for m in [*_BETWEEN.finditer(span.text), None]:
        end = m.start() if m else len(span.text)
        pieces.append((at, span.text[at:end]))
        at = m.end() if m else end
    noun = re.sub(r"[\s-]*\d+\w*$", "", pieces[0][1])
    if not all(re.search(r"\d", piece) for _, piece in pieces) or not noun:
        return [span]
    out = []
    for offset, piece in pieces:
        name = piece if re.search(r"[A-Za-z]{2}", piece) else f"{noun.removesuffix('s')} {piece}"
        start = span.start + offset
        out.append(replace(span, text=name, start=start, end=start + len(piece)))
    return out


def _run_together(text: str, spans: Sequence[Span]) -> list[Span]:
    """Neighbours of one label with only a space between are one span that was cut ("spindle" "vibration")."""
    out: list[Span] = []
    for span in sorted(spans, key=lambda s: s.start):
        last = out[-1] if out else None
        together = last and last.label == span.label and last.negated == span.negated
        if last and together and text[last.end : span.start] in (" ", "-", "'s ", "/"):
            numbered = span.label in (*_CODES, "equipment", "line", "product") and re.search(r"\d$", last.text)
            if not numbered:
                score = max(last.score, span.score)
                out[-1] = replace(last, text=text[last.start : span.end], end=span.end, score=score)
                continue
        out.append(span)
    return out


def _other_number(span: Span, start: int, end: int) -> bool:
    """Whether a span around a known name says more than the name: another number or letter code in it."""
    rest = (span.text[: start - span.start] + " " + span.text[end - span.start :]).strip(" .,;:'s")
    return bool(re.search(r"\d", rest)) and not re.search(r"\b(?:and|or|&|vs|versus|,)\b|,|&", rest)


_SAID_CODES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("lot", re.compile(r"\b(?:lots?|batch(?:es)?)(?: no\.?| number| nr\.?)? #?((?=[\w/-]*\d)[\w][\w/-]*)", re.IGNORECASE)),
    ("serial", re.compile(r"\b(?:serials?|s/n|sn)(?: no\.?| number| nr\.?)? #?((?=[\w/-]*\d)[\w][\w/-]*)", re.IGNORECASE)),
    ("order", re.compile(r"\b(?:production order|order|job)(?: no\.?| number| nr\.?)? #?((?=[\w/-]*\d)[\w][\w/-]*)", re.IGNORECASE)),
    ("code", re.compile(
        r"\b(?:alarms?|fault|error|code|alarm code|error code|fault code|message)(?: no\.?| number| nr\.?| code)? "
        r"#?((?=[\w.-]*\d)[A-Za-z]{0,6}[-.]?\d[\w.-]*)", re.IGNORECASE)),
    ("id", re.compile(r"\b((?:NCR|WO|MO|CAPA|NC|DT|QR)-\d[\w-]*)\b", re.IGNORECASE)),
)  # fmt: skip


def _with_codes(text: str, spans: list[Span]) -> list[Span]:
    """Numbers that follow the word for what they are, where no span holds them."""
    out = list(spans)
    for label, pattern in _SAID_CODES:
        for m in pattern.finditer(text):
            start, end = m.start(1), m.start(1) + len(m.group(1).rstrip(".-"))
            over = [s for s in out if s.start < end and start < s.end]
            if over and not all(s.label in (*_CODES, "number", "limit") and s.start >= m.start() and s.end <= end for s in over):
                continue
            if any(s.label == label for s in over) and label != "serial":
                continue
            for s in over:
                out.remove(s)
            out.append(Span(label, text[start:end], start, end, 0.9, any(s.negated for s in over)))
    return sorted(out, key=lambda s: s.start)


_SAID_SHIFT = re.compile(
    r"\b(?:day|night|early|late|morning|evening|afternoon|first|second|third|1st|2nd|3rd|graveyard|back)s?[- "
    r"]shifts?\b|(?<=on )(?:nights|earlies|lates|days)\b|\b(?:nights|earlies|lates)\b",
    re.IGNORECASE,
)


def _with_shifts(text: str, spans: list[Span], calendar: Calendar) -> list[Span]:
    """Shifts by name where no span, least of all a time ("last night shift"), holds them."""
    out = list(spans)
    for m in _SAID_SHIFT.finditer(text):
        if not any(s.start < m.end() and m.start() < s.end for s in out) and shift_named(m.group(0).replace("-", " "), calendar):
            out.append(Span("shift", m.group(0).replace("-", " "), m.start(), m.end(), 0.9))
    return sorted(out, key=lambda s: s.start)


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
    marks: _Marks,
) -> tuple[Clause, ...]:
    """One clause, or the two that a compound question is best cut into."""
    whole = (Clause(text, reading, placeholders, carried),)
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


_STRONG_JOINT = re.compile(
    r"(?:,? and(?: also| then| please)?|;|,? plus|, (?:then|also|please)|\. (?:then|also|please|and)|, (?=(?:get|"
    r"call|send|tell|draft|show|list|explain|give|what|how|who|when|where|which)\b)) ",
    re.IGNORECASE,
)
SURE_PART = 0.8  # each half, read by itself, must be this sure of its tool to count as a request of its own


def _two_requests(text: str, context: Sequence[str], router: Reader, marks: _Marks) -> tuple[Clause, ...] | None:
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
    if first.reading.tools[0][0] != second.reading.tools[0][0]:
        return True
    return any(p.label not in ("status", "limit", "skill", "severity", "priority") for p in second.placeholders)


def values(placeholders: Sequence[Placeholder], *labels: str) -> list[Placeholder]:
    """The placeholders of some labels, in the order of the text."""
    return [p for p in placeholders if p.label in labels]


def canonical(words: Mapping[str, Sequence[str]], said: str) -> str | None:
    """The key of a table of aliases that words stand for."""
    plain = said.lower().replace("_", " ").strip()
    for key, aliases in words.items():
        if plain in (key.replace("_", " "), *(alias.lower() for alias in aliases)):
            return key
    return None
