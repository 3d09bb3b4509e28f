"""What finding and reading documents costs: search over a thousand, a hundred thousand and a million passages with and
without filters, memory and disk for each passage, and ingest beside bare pypdf and bare embedding in the same run.

The large corpora are made up (texts from a vocabulary of Zipf's shape, random vectors, the question's vector given), so
that what is timed is the index and not the embedding; they are made once and kept in `.cache/bench-knowledge`.
"""

from __future__ import annotations

import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.dense import MOST
from retrieval.embed import Embedder, HashEmbedder, OnnxEmbedder
from retrieval.index import Anchor, DocumentInfo, Entry, Index, Passage
from retrieval.synonyms import GROUPS

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bench-knowledge"
EMBEDDER = ROOT / ".cache" / "embedder"
SIZES = (1_000, 100_000)
QUICK = (1_000, 10_000)
LARGE = 1_000_000
GOALS_MS = {1_000: 15.0, 10_000: 30.0, 100_000: 30.0, 1_000_000: 100.0}
DIMENSION, MACHINES, PASSAGES_A_DOCUMENT, WORDS = 384, 50, 200, 60
QUESTIONS = 40
UNCHANGED_DOCUMENTS, UNCHANGED_GOAL_S, INGEST_GOAL = 1_000, 5.0, 1.3
_BATCH = 5_000
# A stamp of how the corpora are made; another one makes them anew.
_MADE = "3"
Row = dict[str, Any]


class GivenVectors:
    """An embedder that knows the vectors of the texts it is given beforehand: embedding costs nothing."""

    name = "given-vectors"
    dimension = DIMENSION

    def __init__(self) -> None:
        self.known: dict[str, np.ndarray] = {}

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """(n, 384); texts that are not known get the direction of their length."""
        return np.stack([self.known.get(t, np.full(DIMENSION, DIMENSION**-0.5, np.float32)) for t in texts]).astype(np.float32)


def rows(manuals: Path, sizes: Sequence[int] = SIZES, tell: Callable[[str], None] = lambda _: None) -> list[Row]:
    """The bench's rows: (what, value, unit, goal). `manuals` holds the PDFs that are read for the ingest figures."""
    found: list[Row] = []
    for size in sizes:
        tell(f"knowledge: {size:,} passages")
        found += searched(corpus(size), size)
    tell("knowledge: ingest")
    found += ingested(manuals, OnnxEmbedder(EMBEDDER))
    tell("knowledge: an unchanged folder")
    return found + unchanged()


def _row(what: str, value: float, unit: str, goal: float | None = None) -> Row:
    return {"what": what, "value": round(value, 3), "unit": unit, "goal": goal}


# -- search


def searched(folder: Path, size: int) -> list[Row]:
    """Medians over questions asked once each, after one that opens what is opened late."""
    given = GivenVectors()
    before = _resident_bytes()
    index = Index.open(folder, given)
    chance = np.random.default_rng(size)
    vocabulary = _vocabulary()
    questions = [" ".join(_words(vocabulary, chance, 6)) for _ in range(QUESTIONS)]
    for question in [*questions, "warm up"]:
        given.known[question] = _directions(chance, 1)[0]
    ways: dict[str, dict[str, Any]] = {
        "": {},
        ", one machine of 50": {"equipment": "M-07"},
        ", step lists' kinds of one class": {"equipment_class": "class-3", "kinds": ("sop", "manual")},
    }
    found = []
    for name, filters in ways.items():
        index.search("warm up", 8, **filters)
        walls, cpus = [], []
        for question in questions:
            wall, cpu = time.perf_counter(), time.thread_time()
            index.search(question, 8, **filters)
            walls.append(1000 * (time.perf_counter() - wall))
            cpus.append(1000 * (time.thread_time() - cpu))
        found.append(_row(f"search, {size:,} passages{name}, median of {len(walls)}", statistics.median(walls), "ms", GOALS_MS.get(size)))
        found.append(_row(f"search, {size:,} passages{name}, processor time, median", statistics.median(cpus), "ms"))
    found.append(_row(f"{size:,} passages: memory for each", max(0, _resident_bytes() - before) / size, "bytes"))
    found.append(_row(f"{size:,} passages: disk for each", sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / size, "bytes"))
    return found


def corpus(size: int, cache: Path = CACHE) -> Path:
    """The folder of an index of so many made-up passages, made when it is not there."""
    folder = cache / f"{size}-{_MADE}"
    if not (folder / "made").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        given = GivenVectors()
        index = Index.open(folder, given)
        at_once = _BATCH if size <= MOST else MOST + _BATCH  # what outgrows Chroma is never put there
        for entries in _batched(_documents(size, given), at_once // PASSAGES_A_DOCUMENT):
            index.add_many(entries)
            given.known.clear()
        index.catalogue.close()
        (folder / "made").write_text(_MADE, encoding="utf-8")
    return folder


def _documents(size: int, given: GivenVectors) -> Iterator[Entry]:
    chance = np.random.default_rng(17)
    vocabulary = _vocabulary()
    for number in range(-(-size // PASSAGES_A_DOCUMENT)):
        count = min(PASSAGES_A_DOCUMENT, size - number * PASSAGES_A_DOCUMENT)
        kind, of_class = ("manual", "sop", "log")[number % 3], f"class-{number % 10}"
        machines = (f"M-{number % MACHINES:02d}",)
        info = DocumentInfo(f"D-{number}", f"Document {number}", "A", kind=kind, equipment=machines, equipment_class=of_class)
        passages = []
        for ordinal, vector in enumerate(_directions(chance, count)):
            text = f"{number}.{ordinal} " + " ".join(_words(vocabulary, chance, WORDS))
            given.known[text] = vector
            anchor = Anchor(info.document, "A", ordinal // 4 + 1, "")
            passages.append(Passage(f"{info.document}#{ordinal}", text, kind, "paragraph", anchor, info.title, machines, of_class))
        yield Entry(info, passages)


def _batched(entries: Iterator[Entry], size: int) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch


def _vocabulary() -> list[str]:
    """Twenty thousand words: those of the trade first, as the most frequent ones, then made-up ones."""
    chance = random.Random(17)
    trade = list(dict.fromkeys(word for group in GROUPS for word in group if word.isalpha()))
    made = ["".join(chance.choice("bdfgklmnprst") + chance.choice("aeiou") for _ in range(chance.randint(2, 4))) for _ in range(20_000)]
    return [*trade, *made]


def _words(vocabulary: Sequence[str], chance: np.random.Generator, count: int) -> list[str]:
    """Words by Zipf's law over their place in the vocabulary."""
    places = np.exp(chance.random(count) * np.log(len(vocabulary))).astype(int) - 1
    return [vocabulary[place] for place in places]


def _directions(chance: np.random.Generator, count: int) -> np.ndarray:
    made = chance.standard_normal((count, DIMENSION)).astype(np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32)


def _resident_bytes() -> int:
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024
    return 0


# -- ingest


def ingested(manuals: Path, embedder: Embedder) -> list[Row]:
    """Ingest of PDFs into an empty index beside bare pypdf over the same pages and bare embedding of the same texts."""
    from pypdf import PdfReader

    from ingest.pipeline import ingest
    from retrieval.searching import embedded_text

    papers = sorted(manuals.rglob("*.pdf"))
    begun = time.perf_counter()
    pages = 0
    for paper in papers:
        for page in PdfReader(paper).pages:
            page.extract_text()
            pages += 1
    bare_reading = time.perf_counter() - begun
    with tempfile.TemporaryDirectory(prefix="andon-bench-") as folder:
        index = Index.open(Path(folder), embedder)
        begun = time.perf_counter()
        ingest(papers, index)
        ours = time.perf_counter() - begun
        texts = [embedded_text(p) for d in index.documents() for p in index.passages(d.document, d.revision, every=True)]
    begun = time.perf_counter()
    for start in range(0, len(texts), 32):
        embedder.embed(texts[start : start + 32])
    bare_embedding = time.perf_counter() - begun
    return [
        _row(f"ingest of {len(papers)} PDFs of {pages} pages", pages / ours, "pages/s"),
        _row("bare pypdf over the same pages", pages / bare_reading, "pages/s"),
        _row(f"ingest, {len(texts)} passages", len(texts) / ours, "chunks/s"),
        _row("bare embedding of the same texts, batches of 32 as they come", len(texts) / bare_embedding, "chunks/s"),
        _row("ingest, in units of bare pypdf and bare embedding together", ours / (bare_reading + bare_embedding), "", INGEST_GOAL),
    ]


def unchanged(documents: int = UNCHANGED_DOCUMENTS) -> list[Row]:
    """A folder that is ingested again as it was."""
    from ingest.pipeline import ingest

    with tempfile.TemporaryDirectory(prefix="andon-bench-") as folder:
        papers = Path(folder) / "papers"
        papers.mkdir()
        for number in range(documents):
            (papers / f"note-{number}.md").write_text(
                f"# Note {number}\n\nThe pump of cell {number} is checked every {number + 2} hours.\n", encoding="utf-8"
            )
        index = Index.open(Path(folder) / "index", HashEmbedder())
        first = ingest([papers], index)
        again = ingest([papers], index)
    if len(again.unchanged) != documents:
        raise RuntimeError(f"{len(again.unchanged)} of {documents} documents were seen as unchanged")
    return [
        _row(f"{documents:,} documents, first ingest without a model", first.seconds, "s"),
        _row(f"{documents:,} documents, ingested again unchanged", again.seconds, "s", UNCHANGED_GOAL_S),
    ]
