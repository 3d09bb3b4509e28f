"""Mending the spans that the router marks: whole words, lists taken apart, codes and shifts by the word beside them.

Pure functions over a text and its spans; what a span stands for is `assistant.marks`' work. tests/test_understand.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from assistant.entities import HIERARCHY
from assistant.lm.labels import PHRASES
from assistant.periods import SaidPeriod, shift_named
from assistant.router import Span
from tools.calendar import Calendar

CODES = frozenset(("lot", "order", "serial", "code", "id"))
_EXCEPT = re.compile(
    r"\b(?:apart from|except(?: for)?|excepting|excluding|exclude|without|other than|not counting|not including|"
    r"leav(?:e|ing) (?:out|aside)|"
    r"ignor(?:e|ing)|minus|forget(?: about)?|but not|anything but|(?:all|any|every\w*|each|"
    r"anything)\b[^.?!,]{0,30}\bbut)(?: on| at| in| for| during| from)?(?: the| our| all| any)?\s*$",
    re.IGNORECASE,
)
_LEFT_OUT = re.compile(
    r"(?:\s+\w+)?\s*(?:excluded|left out|aside|not included|does(?:n'?t| not) count|do(?:n'?t| not) count)\b", re.IGNORECASE
)


#: A sentence without any such word excludes nothing, whatever the router marked.
_TAKES_OUT = re.compile(
    r"n't\b|\b(?:not?|without|except\w*|exclud\w*|but|other|apart|minus|leav\w*|left|ignor\w*|forget|skip\w*|only|instead|rather|outside|"
    r"discount\w*|beside\w*|nothing|none|never|drop|remove|take out|taken out|aside|dont|doesnt|isnt|less|bar)\b",
    re.IGNORECASE,
)


def excluded(text: str, span: Span) -> bool:
    """Whether the words beside a name take it out: "without changeovers", "all lines but line 3", "line 9 excluded"."""
    if span.label in ("compare", "limit", "number", "status"):
        return False
    if span.negated and _TAKES_OUT.search(text):
        return True
    return bool(_EXCEPT.search(text[: span.start]) or _LEFT_OUT.match(text, span.end))


_PARTICLE = re.compile(r"\s+(?:up|down|off|on|out|over|in|apart|together)\b(?!\s+(?:the|this|that|a|an|our|\w*\d))", re.IGNORECASE)


def with_particle(span: Span, text: str) -> Span:
    """ "set up", "take apart": a verb keeps its particle."""
    m = _PARTICLE.match(text, span.end)
    return replace(span, text=text[span.start : m.end()], end=m.end()) if m and span.label == "task" else span


OWN_LINE = re.compile(r"(?:on |at |for |in )?(?:this|the|my|our|that) (?:production )?line", re.IGNORECASE)
_ONLY_SHIFT = re.compile(
    r"(?:during|on|in|for|over|only)? ?(?:the )?([\w ]+?) ?(?:shift|crew|team)|(?:on )?(nights|earlies|lates)",
    re.IGNORECASE,
)


def only_a_shift(text: str, calendar: Calendar) -> str | None:
    """The shift id when a time expression is no more than the name of a shift ("the night shift", "on nights")."""
    m = _ONLY_SHIFT.fullmatch(text.strip())
    word = (m.group(1) or m.group(2)) if m else ""
    if not word or re.search(r"\b(?:this|last|current|previous|next|past|today|yesterday|\d+)\b", word, re.IGNORECASE):
        return None
    return shift_named(word, calendar)


def plainly(said: SaidPeriod, read: Callable[[str], SaidPeriod | None]) -> SaidPeriod:
    """The same period, its words without a leading preposition that adds nothing ("from the last quarter")."""
    text = re.sub(r"[’']s$", "", said.period.text)
    for _ in range(2):
        shorter = re.sub(
            r"^(?:about|from|in|on|for|during|over|of|at|within|around|the(?= (?:last|past|previous|current|"
            r"whole|entire|next|coming)\b))\s+(?=\S)",
            "",
            text,
            flags=re.IGNORECASE,
        )
        again = read(shorter) if shorter != text else None
        if again is None or (again.period.start, again.period.end) != (said.period.start, said.period.end):
            break
        text = shorter
    return replace(said, period=replace(said.period, text=text))


def trimmed(span: Span, source: str) -> Span:
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


def taken_apart(span: Span) -> list[Span]:
    """ "lines 1 and 2", "extruder 7 vs extruder 8": one span, two names; a bare number borrows the noun before it."""
    if span.label not in (*HIERARCHY, "product", "shift", "lot", "order", "code") or not _BETWEEN.search(span.text):
        return [span]
    pieces, at = [], 0
    for m in [*_BETWEEN.finditer(span.text), None]:
        end = m.start() if m else len(span.text)
        pieces.append((at, span.text[at:end]))
        at = m.end() if m else end
    noun = re.sub(r"[\s-]*\d+\w*$", "", pieces[0][1])
    if (span.label != "shift" and not all(re.search(r"\d", piece) for _, piece in pieces)) or not noun:
        return [span]
    out = []
    for offset, piece in pieces:
        name = piece if re.search(r"[A-Za-z]{2}", piece) or span.label == "shift" else f"{noun.removesuffix('s')} {piece}"
        start = span.start + offset
        out.append(replace(span, text=name, start=start, end=start + len(piece)))
    return out


def run_together(text: str, spans: Sequence[Span]) -> list[Span]:
    """Neighbours of one label with only a space between are one span that was cut ("spindle" "vibration")."""
    out: list[Span] = []
    for span in sorted(spans, key=lambda s: s.start):
        last = out[-1] if out else None
        together = last and last.label == span.label and last.negated == span.negated
        if last and together and text[last.end : span.start] in (" ", "-", "'s ", "/"):
            numbered = span.label in (*CODES, "equipment", "line", "product") and re.search(r"\d$", last.text)
            if not numbered:
                score = max(last.score, span.score)
                out[-1] = replace(last, text=text[last.start : span.end], end=span.end, score=score)
                continue
        out.append(span)
    return out


def other_number(span: Span, start: int, end: int) -> bool:
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
    ("product", re.compile(r"\b(?:[Pp]roduct|[Aa]rticle|[Ii]tem|SKU)(?: no\.?| number)? #?((?=[\w/-]*[A-Z\d])[A-Z\d][\w/-]*)\b")),
    ("id", re.compile(r"\b((?:NCR|WO|MO|CAPA|NC|DT|QR)-\d[\w-]*)\b", re.IGNORECASE)),
)  # fmt: skip


def with_codes(text: str, spans: list[Span]) -> list[Span]:
    """Numbers that follow the word for what they are, where no span holds them."""
    out = list(spans)
    for label, pattern in _SAID_CODES:
        for m in pattern.finditer(text):
            start, end = m.start(1), m.start(1) + len(m.group(1).rstrip(".-"))
            over = [s for s in out if s.start < end and start < s.end]
            if over and not all(s.label in (*CODES, "number", "limit") and s.start >= m.start() and s.end <= end for s in over):
                continue
            if any(s.label == label and s.start <= start and s.end >= end for s in over) and label != "serial":
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


def with_shifts(text: str, spans: list[Span], calendar: Calendar) -> list[Span]:
    """Shifts by name where no span, least of all a time ("last night shift"), holds them."""
    out = list(spans)
    for m in _SAID_SHIFT.finditer(text):
        if not any(s.start < m.end() and m.start() < s.end for s in out) and shift_named(m.group(0).replace("-", " "), calendar):
            out.append(Span("shift", m.group(0).replace("-", " "), m.start(), m.end(), 0.9))
    return sorted(out, key=lambda s: s.start)
