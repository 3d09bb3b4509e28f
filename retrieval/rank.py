"""One order and one scale over what the dense, the lexical and the identifier search found.

Candidates are ordered by their cosine to the question, their BM25 score and how much of the question they say in its own
or in other words; the score a caller sees is a relevance between 0 and 1 made of the cosine and of how much of the
question's telling words the passage holds. Below `UNSURE` nothing relevant was
found: the caller says so instead of answering (`tests/test_rank.py` measures both sides of the line).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.lexical import plain_terms, query_terms, terms
from retrieval.passages import AlarmEntry, Hit, Passage
from retrieval.readings import sentences

UNSURE = 0.37
# Where cosines of all-MiniLM-L6-v2 lie: unrelated text of the same plant up to 0.20, a direct answer from 0.65 on.
_COSINE_NOTHING, _COSINE_ANSWER = 0.20, 0.65
_ASKS_VALUE = re.compile(
    r"\b(how (much|many|often|long|high|low|far|tight|hot|big|fast|deep|thick)|what (torque|pressure|temperature|value|"
    r"speed|interval|distance|gap|clearance|voltage|current|flow|size|level|limit|time|setting|grade|amount|quantity|"
    r"capacity|viscosity|weight|length|tolerance|force|frequency)|which (torque|pressure|grade|oil|grease|size|value))\b",
    re.IGNORECASE,
)
_ENTRY_HEAD = re.compile(r"\A\d{4}-\d{2}-\d{2}\S*(?: [^:\n]{1,40})?: ")


@dataclass(frozen=True)
class Candidate:
    """A passage with what is known about it before ranking. `lexical`: its BM25 score as a share 0..1 of the best;
    `coverage`, `meaning` and `close`: what of the question it says, as in `readings.Likeness`; `reread`: the share 0..1
    that a re-ranking model gives it, None without one. `exact`: the score of an entry of the very code asked for, 0 for
    none; such entries stand first. `mention`: it holds a code asked for."""

    passage: Passage
    cosine: float
    coverage: float
    lexical: float
    meaning: float
    how: tuple[str, ...]
    exact: float = 0.0
    mention: bool = False
    close: float = 0.0
    chosen: bool = False  # among the first, where its best sentence counts and BM25 has done its part
    reread: float | None = None

    @property
    def value(self) -> float:
        """What candidates are ordered by; the weights were settled on the odd cases of evals/cases/knowledge.jsonl."""
        said = 1.5 * self.close if self.chosen else 0.3 * self.lexical + 1.5 * self.meaning
        value = self.cosine / _COSINE_ANSWER + said + 0.5 * self.mention
        return value if self.reread is None else 0.4 * value + 2.0 * self.reread

    @property
    def said(self) -> float:
        """The share of the question that a caller is told it says."""
        return max(self.coverage, self.close if self.chosen else self.meaning)


def relevance(cosine: float, covered: float, unknown: float = 0.0) -> float:
    """0..1; see the module's paragraph. Both halves must agree for a high value. `unknown`: the share 0..1 of the
    question's telling words that no document holds at all; a question about other things is full of them."""
    near = min(1.0, max(0.0, (cosine - _COSINE_NOTHING) / (_COSINE_ANSWER - _COSINE_NOTHING)))
    return (0.6 * near + 0.4 * covered) * (1.0 - 0.45 * unknown)


def ranked(candidates: Sequence[Candidate], k: int, unknown: float = 0.0) -> list[Hit]:
    """The best `k`: entries of a code asked for first, texts that say the same thing only once."""
    hits: list[Hit] = []
    seen: set[str] = set()
    for candidate in sorted(candidates, key=lambda c: (-c.exact, -c.value)):
        same = _sameness(candidate.passage)
        if same in seen:
            continue
        seen.add(same)
        score = relevance(candidate.cosine, candidate.said, unknown)
        if candidate.mention:
            score = max(score, min(0.95, 0.5 + 0.5 * score))
        score = candidate.exact or min(score, 0.99)
        hits.append(Hit(candidate.passage, round(score, 4), candidate.how))
        if len(hits) == k:
            break
    return hits


def _sameness(passage: Passage) -> str:
    """Equal for texts that say the same thing of the same machines: case, order of punctuation, dates and the numbering
    of orders aside, so that "2003-09-07 B: No slew" stands once however often it was written."""
    text = _ENTRY_HEAD.sub("", passage.text) if passage.kind == "log" else passage.text
    return " ".join(plain_terms(text)) + "|" + "|".join(passage.equipment)


def best_sentence(query: str, passage: Passage) -> str:
    """The sentence, step or table row of the passage that answers best, verbatim; "" for an empty passage.

    A question for a value prefers what holds a figure. Words that stand in every sentence of the passage tell nothing.
    """
    pieces = list(passage.steps) or sentences(passage.text)
    if len(pieces) < 2:
        return pieces[0] if pieces else ""
    wanted = query_terms(query)
    bags = [set(terms(piece)) for piece in pieces]
    asks_value = bool(_ASKS_VALUE.search(query))
    best, best_value = pieces[0], -1.0
    for piece, bag in zip(pieces, bags, strict=True):
        value = sum(1.0 / (1 + sum(t in other for other in bags)) for t in wanted if t in bag)
        if asks_value and re.search(r"\d", piece):
            value += 0.25
        value -= 0.0005 * len(bag)
        if value > best_value:
            best, best_value = piece, value
    return best


# What people ask about a code with; such words say nothing about which code or list is meant.
_ASKING = frozenset(terms("alarm error fault code message number machine display screen stands shows showing problem help "
                          "happened appeared reset clear fix again came up on now today solution remedy cause reason"))  # fmt: skip


def is_asked_for(code_key: str, words: set[str], entry: AlarmEntry) -> bool:
    """Whether a bare number in a question is the code: it is all that is asked, or the other words speak of the entry.
    "8" in "what torque for 8 bolts" is an amount, "2014" in "who won the cup in 2014" a year."""
    others = {w for w in words if not w.isdigit()} - _ASKING
    if not others:
        return True
    spoken_of = set(terms(f"{entry.passage.text} {entry.list_name} {entry.passage.title}"))
    return len(code_key.lstrip("-")) >= 2 and len(others & spoken_of) >= 0.5 * len(others)


def overlap(words: set[str], entry: AlarmEntry) -> float:
    """The share of the question's words that name the entry's list, document or section."""
    if not words:
        return 0.0
    named = set(terms(f"{entry.list_name} {entry.passage.title} {entry.passage.anchor.section}"))
    return len(words & named) / len(words)
