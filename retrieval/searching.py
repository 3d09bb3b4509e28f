"""One question to ranked passages: both halves and the codes it names, filtered exactly, fused, folded.

Nearest vectors come from Chroma where nothing but the class of access is asked for, and from the codes of
`retrieval/codes.py`, which filter exactly, where a machine, a kind or a revision is, where a class is too large for
Chroma's graph, or where too few of Chroma's answers are in force. A re-ranking model, when one is set, reads the first
candidates. tests/test_index.py.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

import numpy as np

from retrieval import identifiers
from retrieval.applicability import applies, classes
from retrieval.catalogue import Catalogue
from retrieval.codes import Codes, Kinds
from retrieval.dense import Dense
from retrieval.embed import Embedder
from retrieval.lexical import Lexical, query_terms, terms
from retrieval.passages import AlarmEntry, Hit, Passage
from retrieval.rank import Candidate, is_asked_for, overlap, ranked
from retrieval.readings import likeness
from retrieval.synonyms import plain

# An identifier that stands in more passages than this (a machine's own name, a thread size) points at none of them.
_TELLING_MENTIONS = 8
_QUERY_CHARACTERS = 2000
#: A filter that admits a larger share of all passages than this is not asked of the word index: it would only cost.
_MOST_OF_ALL = 0.5
#: Candidates of each half: with fewer, what another word of the trade would have found is cut off too early.
_DEPTH, _DEPTH_FOR_EACH = 80, 6
#: Candidates of which the best sentence counts too, and those that a re-ranking model reads.
_COMPARED_CLOSELY, _REREAD = 32, 24


class Reranker(Protocol):
    """Reads a question and texts together: a share 0..1 for each text. Safe to call from any thread."""

    name: str

    def scores(self, query: str, texts: Sequence[str]) -> Sequence[float]: ...


@dataclass(frozen=True)
class Wanted:
    """What a search may return."""

    equipment: str | None
    equipment_class: str | None
    kinds: frozenset[str]
    access: frozenset[str]
    steps_only: bool = False
    variant: str | None = None
    software: str | None = None
    on: date | None = None  # what was in force on that day
    within: tuple[str, str] | None = None  # only this revision, whatever its status

    @property
    def narrows(self) -> bool:
        """Whether more is asked of a passage than its class of access and that it is in force today."""
        asked = (self.equipment, self.equipment_class, self.kinds, self.steps_only, self.variant, self.software, self.on, self.within)
        return any(asked)

    def closeness(self, passage: Passage) -> int:
        """2 for what names the machine asked about, 1 for what names its class, 0 for what is valid for all."""
        if self.equipment and self.equipment.casefold() in (e.casefold() for e in passage.equipment):
            return 2
        return int(bool(self.equipment_class) and (self.equipment_class or "").casefold() in classes(passage.equipment_class))

    def admits(self, passage: Passage, statuses: dict[tuple[str, str], str]) -> bool:
        """Whether it is in force, may be read, and is valid for what is asked about."""
        pair = (passage.anchor.document, passage.anchor.revision)
        if (self.within and pair != self.within) or (not self.within and statuses.get(pair) != "effective"):
            return False
        if passage.access not in self.access or (self.kinds and passage.kind not in self.kinds):
            return False
        valid = applies(passage, self.equipment, self.equipment_class, self.variant, self.software)
        return valid and (not self.steps_only or bool(passage.steps))


class Searching:
    """The reading side of an index. Safe from any thread, beside a writer."""

    def __init__(self, catalogue: Catalogue, dense: Dense, lexical: Lexical, embedder: Embedder, reranker: Reranker | None = None) -> None:
        self._catalogue, self._dense, self._lexical, self._embedder = catalogue, dense, lexical, embedder
        self._reranker = reranker
        self.codes = Codes(catalogue)

    def search(self, query: str, k: int, wanted: Wanted, vector: np.ndarray | None = None) -> list[Hit]:
        """The best `k`; `vector` spares embedding the question again."""
        query = " ".join(query.split())[:_QUERY_CHARACTERS]
        if not query or k < 1:
            return []
        vector = self._embedder.embed([query])[0] if vector is None else vector
        depth = max(_DEPTH, _DEPTH_FOR_EACH * k)
        exact = self._exact(query, wanted)
        dense, lexical, known = self._halves(query, vector, wanted, depth, k, set(exact))
        chosen = [known[i] for i in known if i in dense or i in lexical or i in exact]
        vectors = self._catalogue.vectors([p.id for p in chosen if p.id not in dense])
        weights, unknown = self._lexical.weights(query_terms(plain(query)))
        like = likeness(self._lexical.units(query), weights, self._catalogue.readings(chosen))
        best = max(lexical.values(), default=0.0) or 1.0
        first = [
            Candidate(
                passage=p, cosine=dense[p.id] if p.id in dense else float(vectors[p.id] @ vector) if p.id in vectors else 0.0,
                coverage=covered, lexical=lexical.get(p.id, 0.0) / best, meaning=whole, close=close,
                how=tuple(name for name, ids in (("identifier", exact), ("dense", dense), ("lexical", lexical)) if p.id in ids),
                exact=exact.get(p.id, 0.0), mention=p.id in exact and not exact[p.id],
            )
            for p, covered, whole, close in zip(chosen, like.coverage.tolist(), like.whole.tolist(), like.close.tolist(), strict=True)
        ]  # fmt: skip
        close = [replace(c, chosen=True) for c in _best(first, max(_COMPARED_CLOSELY, 3 * k))]
        return ranked(self._reread(query, close), k, unknown)

    def _halves(
        self, query: str, vector: np.ndarray, wanted: Wanted, depth: int, k: int, named: Collection[str]
    ) -> tuple[dict[str, float], dict[str, float], dict[str, Passage]]:
        """What each half found (id -> cosine, id -> BM25 score) and the passages of all that are admitted."""
        if wanted.narrows or not all(map(self._dense.holds, wanted.access)):
            dense = self._nearest(vector, wanted, depth)
        else:
            dense = self._dense.search(vector, wanted.access, depth)
        kinds = self._kinds(wanted) if wanted.narrows else None
        if kinds is None or kinds.share > _MOST_OF_ALL:
            lexical = self._lexical.search(query, depth if kinds is None else round(depth / kinds.share))
        else:
            lexical = self._lexical.search(query, depth, among=kinds.names)
        known = self._admitted({i for i, _ in dense} | {i for i, _ in lexical} | set(named), wanted)
        if not wanted.narrows and sum(i in known for i, _ in dense) < k:
            dense = self._nearest(vector, wanted, depth)
            known |= self._admitted({i for i, _ in dense} - known.keys(), wanted)
        if sum(i in known for i, _ in lexical) < k and (kinds is None or kinds.share > _MOST_OF_ALL):
            lexical = self._lexical.search(query, depth, among=self._kinds(wanted).names)
            known |= self._admitted({i for i, _ in lexical} - known.keys(), wanted)
        return dict([d for d in dense if d[0] in known][:depth]), dict([x for x in lexical if x[0] in known][:depth]), known

    def _reread(self, query: str, candidates: Sequence[Candidate]) -> list[Candidate]:
        """With the shares of the re-ranking model for the first of them; the others keep their order behind."""
        if self._reranker is None:
            return list(candidates)
        order = _best(candidates, len(candidates))
        head = order[:_REREAD]
        shares = self._reranker.scores(query, [c.passage.text for c in head])
        return [replace(c, reread=float(s)) for c, s in zip(head, shares, strict=True)] + [replace(c, reread=0.0) for c in order[_REREAD:]]

    def halves(self, query: str, k: int, wanted: Wanted) -> dict[str, list[Passage]]:
        """What the nearest vectors alone ("dense"), plain BM25 alone ("bm25") and BM25 with the trade's other words
        ("lexical") put first: what the search is measured against."""
        vector = self._embedder.embed([query])[0]
        found = {
            "dense": self._nearest(vector, wanted, 10 * k), "bm25": self._lexical.search(query, 10 * k, other_words=False),
            "lexical": self._lexical.search(query, 10 * k),
        }  # fmt: skip
        known = self._admitted({i for pairs in found.values() for i, _ in pairs}, wanted)
        return {name: [known[i] for i, _ in pairs if i in known][:k] for name, pairs in found.items()}

    def alarms(self, code_key: str, wanted: Wanted, *, nearest: bool = True) -> list[tuple[int, float, AlarmEntry]]:
        """(nearness, score, entry); only the nearest kind of match that exists, so `E-104` never answers for `A-104`;
        without `nearest` all of them."""
        statuses = self._catalogue.statuses(wanted.on)
        found = [(n, e) for n, e in self._catalogue.alarms(code_key) if wanted.admits(e.passage, statuses)]
        best = max((n for n, _ in found), default=0)
        return [(n, {3: 1.0, 2: 0.98, 1: 0.95}[n], e) for n, e in found if n == best or not nearest]

    def _exact(self, query: str, wanted: Wanted) -> dict[str, float]:
        """Passages of the codes that the question names: id -> score of an alarm entry, 0 for a mere mention. Among
        several lists that know the number, the one whose name stands in the question first."""
        found: dict[str, float] = {}
        spoken = identifiers.find(query)
        words = set(query_terms(query))
        words -= set().union(*(terms(i.text) for i in spoken)) if spoken else set()
        for identifier in spoken:
            for _, score, entry in self.alarms(identifier.key, wanted):
                if not identifier.strong and not is_asked_for(identifier.key, words, entry):
                    continue
                value = score - 0.03 + 0.005 * wanted.closeness(entry.passage) + 0.02 * min(1.0, overlap(words, entry))
                found[entry.passage.id] = max(found.get(entry.passage.id, 0.0), value)
            if identifier.strong:
                mentions = self._admitted(set(self._catalogue.mentions(identifier.key)), wanted)
                if len(mentions) <= _TELLING_MENTIONS:
                    for name in mentions:
                        found.setdefault(name, 0.0)
        return found

    def _admitted(self, ids: Collection[str], wanted: Wanted) -> dict[str, Passage]:
        statuses = self._catalogue.statuses(wanted.on)
        return {i: p for i, p in self._catalogue.passages(sorted(ids)).items() if wanted.admits(p, statuses)}

    def _kinds(self, wanted: Wanted) -> Kinds:
        statuses = self._catalogue.statuses(wanted.on)
        return self.codes.kinds(lambda passage: wanted.admits(passage, statuses), self._key(wanted))

    def _nearest(self, vector: np.ndarray, wanted: Wanted, depth: int) -> list[tuple[str, float]]:
        statuses = self._catalogue.statuses(wanted.on)
        return self.codes.search(vector, lambda passage: wanted.admits(passage, statuses), depth, self._key(wanted))

    def _key(self, wanted: Wanted) -> tuple[Wanted, date | None]:
        return wanted, self._catalogue.day(wanted.on)


def _best(candidates: Sequence[Candidate], most: int) -> list[Candidate]:
    return sorted(candidates, key=lambda c: (-c.exact, -c.value))[:most]


def embedded_text(passage: Passage) -> str:
    """What of a passage is embedded: its section and text; of a log entry not the date and machine at its head."""
    text = passage.text
    if passage.kind == "log" and passage.date and text.startswith(passage.date[:10]):
        text = text.partition(": ")[2] or text
    section = passage.anchor.section
    return f"{section}. {text}" if section and section not in text else text
