"""The lexical half: BM25 over English stems in tantivy, and over the groups of words that mean one thing.

Derived from the catalogue and rebuilt from it at will. Shorthand is read as what it stands for on both sides; a word that
no document knows is searched with one or two typing errors allowed, so that "sprindle" still finds the spindle.
"""

from __future__ import annotations

import math
import shutil
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import tantivy

from retrieval.codes import kind_of
from retrieval.passages import IndexUnavailable, Passage
from retrieval.synonyms import concepts, plain, read

STOP_WORDS = frozenset(
    (
        "a an the of in on at to for by is are was were be been do does did how what which who whom whose when "
        "where why can could should would will shall may must i you we they he she it its this that these those my "
        "your our me us there here and or not no if then than as with from into about please tell show give have "
        "has had get got explain describe mean means meaning any some so just also"
    ).split()
)
_WRITER_BYTES = 30_000_000
#: What a field counts beside the passage's own words.
_HEADING, _CONCEPT = 0.6, 0.4


@lru_cache(maxsize=1)
def _analyzer() -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for step in (
        tantivy.Filter.remove_long(60), tantivy.Filter.lowercase(), tantivy.Filter.ascii_fold(),
        tantivy.Filter.stemmer("english"),
    ):  # fmt: skip
        builder = builder.filter(step)
    return builder.build()


@lru_cache(maxsize=16384)
def terms(text: str) -> tuple[str, ...]:
    """The stems of a text, in order and with repetitions: "cleaning the filters" -> ("clean", "the", "filter")."""
    return tuple(_analyzer().analyze(text))


def query_terms(text: str) -> list[str]:
    """The distinct stems of a question that carry meaning; all of them when none does."""
    words = [w for w in text.replace("'", " ").split() if w.strip('.,;:?!()"').lower() not in STOP_WORDS]
    return list(dict.fromkeys(terms(" ".join(words)) or terms(text)))


@dataclass(frozen=True)
class Unit:
    """A word or known phrase of a question: its stems, the groups of words that mean the same, and how much it tells."""

    stems: tuple[str, ...]
    groups: tuple[str, ...]
    weight: float


@lru_cache(maxsize=1)
def _stop_stems() -> frozenset[str]:
    return frozenset(stem for word in STOP_WORDS for stem in terms(word))


def plain_terms(text: str) -> tuple[str, ...]:
    """The stems of a text whose shorthand is written out."""
    return terms(plain(text))


class Lexical:
    """One tantivy index in one folder. Searching is safe from any thread; writing is serialised here."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        schema = (
            tantivy.SchemaBuilder()
            .add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
            .add_text_field("body", tokenizer_name="stems")
            .add_text_field("heading", tokenizer_name="stems")
            .add_text_field("concept", tokenizer_name="whitespace")
            .add_text_field("kind", tokenizer_name="raw", index_option="basic")
            .build()
        )
        try:
            self._index = tantivy.Index(schema, path=str(folder))
        except (ValueError, OSError):  # of another version, or torn by a crash: it is derived, so it is made again
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            self._index = tantivy.Index(schema, path=str(folder))
        self._index.register_tokenizer("stems", _analyzer())
        self._index.config_reader("manual", 1)
        self._index.reload()
        self._schema = schema

    def count(self) -> int:
        return int(self._index.searcher().num_docs)

    def ids(self) -> set[str]:
        searcher = self._index.searcher()
        if not searcher.num_docs:
            return set()
        hits = searcher.search(tantivy.Query.all_query(), limit=searcher.num_docs, count=False).hits
        return {str(searcher.doc(address).get_first("id")) for _, address in hits}

    def reload(self) -> None:
        """Sees what another process has written."""
        self._index.reload()

    def clear(self) -> None:
        """Takes everything out."""
        with self._lock:
            writer = self._index.writer(_WRITER_BYTES, 1)
            writer.delete_all_documents()
            writer.commit()
            writer.wait_merging_threads()
            self._index.reload()

    def change(self, add: Iterable[Passage], remove: Iterable[str] = ()) -> None:
        """Adds and removes in one commit; adding an id that exists replaces it."""
        with self._lock:
            try:
                writer = self._index.writer(_WRITER_BYTES, 1)
                for gone in remove:
                    writer.delete_documents_by_term("id", gone)
                for passage in add:
                    writer.delete_documents_by_term("id", passage.id)
                    document = tantivy.Document()
                    document.add_text("id", passage.id)
                    document.add_text("body", plain(passage.text))
                    document.add_text("heading", f"{passage.title} {passage.anchor.section}")
                    document.add_text("concept", " ".join(concepts(passage.text)))
                    document.add_text("kind", kind_of(passage))
                    writer.add_document(document)
                writer.commit()
                writer.wait_merging_threads()
            except (ValueError, OSError) as error:
                raise IndexUnavailable(f"The word index cannot be written now: {error}.") from error
            self._index.reload()

    def search(self, query: str, limit: int, other_words: bool = True, among: Sequence[str] | None = None) -> list[tuple[str, float]]:
        """(passage id, BM25 score), best first; without `other_words` only the question's own words count. `among`: the
        only kinds of passages (`codes.kind_of`) to be found."""
        wanted = query_terms(plain(query))
        searcher = self._index.searcher()
        if not wanted or not searcher.num_docs:
            return []
        clauses: list[tuple[tantivy.Occur, tantivy.Query]] = []
        for term in wanted:
            for field, boost in (("body", 1.0), ("heading", _HEADING)):
                clauses.append((tantivy.Occur.Should, self._clause(searcher, field, term, boost)))
        for group in dict.fromkeys(group for unit in self.units(query) for group in unit.groups) if other_words else ():
            known = tantivy.Query.term_query(self._schema, "concept", group)
            clauses.append((tantivy.Occur.Should, tantivy.Query.boost_query(known, _CONCEPT)))
        found = tantivy.Query.boolean_query(clauses)
        if among is not None:
            kinds = tantivy.Query.const_score_query(tantivy.Query.term_set_query(self._schema, "kind", list(among)), 0.0)
            found = tantivy.Query.boolean_query([(tantivy.Occur.Must, found), (tantivy.Occur.Must, kinds)])
        hits = searcher.search(found, limit=limit, count=False).hits
        return [(str(searcher.doc(address).get_first("id")), float(score)) for score, address in hits]

    def units(self, query: str) -> list[Unit]:
        """The telling words and phrases of a question with their weights, rare ones first among equals of the corpus."""
        searcher = self._index.searcher()
        total = max(searcher.num_docs, 1)
        most = 0.75 * math.log(1 + 2 * total)  # a word that nobody wrote must not outweigh all that somebody did
        found = []
        for stems, groups in dict.fromkeys(read(query)):
            if len(stems) == 1 and stems[0] in _stop_stems():
                continue
            known = [max(searcher.doc_freq("body", t), searcher.doc_freq("heading", t)) for t in stems]
            weight = sum(_telling(total, n) for n in known) / len(stems)
            found.append(Unit(stems, groups, min(weight, most)))
        return found

    def _clause(self, searcher: tantivy.Searcher, field: str, term: str, boost: float) -> tantivy.Query:
        known = searcher.doc_freq(field, term)
        if known or len(term) < 5 or any(c.isdigit() for c in term):  # a code is never matched approximately
            query = tantivy.Query.term_query(self._schema, field, term)
        else:
            query = tantivy.Query.fuzzy_term_query(self._schema, field, term, distance=1 if len(term) < 8 else 2)
        return tantivy.Query.boost_query(query, boost)

    def weights(self, wanted: Sequence[str]) -> tuple[dict[str, float], float]:
        """How much each stem tells (its inverse document frequency in BM25's form, at least 0.1), and the share 0..1
        of all that weight which lies on stems that no document holds."""
        searcher = self._index.searcher()
        total = max(searcher.num_docs, 1)
        found, unknown = {}, 0.0
        for term in wanted:
            known = max(searcher.doc_freq("body", term), searcher.doc_freq("heading", term))
            found[term] = _telling(total, known)
            unknown += found[term] if not known else 0.0
        return found, unknown / sum(found.values()) if found else 0.0


def _telling(total: int, known: int) -> float:
    """Inverse document frequency in BM25's form, at least 0.1."""
    return max(0.1, math.log(1 + (total - known + 0.5) / (known + 0.5)))
