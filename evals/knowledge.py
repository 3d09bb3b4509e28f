"""Questions of people over documents that nobody here wrote: manuals, alarm lists and technicians' work orders are read
into an index of their own and every question is looked up in it, beside the dense and the lexical half alone.

A case says which texts answer it, as patterns that were written by reading the documents: a passage is right when its own
words match, whatever found it. Cases of odd number were looked at while the search was made, those of even number were
not: both figures stand on the scoreboard, and beside them a second set that no choice was made on. Without the data the
suite says so and passes.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from evals.cases import CaseError
from evals.real import folder
from evals.suites import Failure, Limit, Progress, Score
from retrieval.embed import OnnxEmbedder
from retrieval.index import Index, Passage

CASES = Path(__file__).parent / "cases" / "knowledge.jsonl"
#: Written later from the texts alone, before the search was asked any of them; nothing was settled on them.
SECOND = Path(__file__).parent / "cases" / "knowledge_2.jsonl"
ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "knowledge"
EMBEDDER = ROOT / ".cache" / "embedder"
SOURCES = ("dobot", "excavators", "maintie", "nist-ippdme", "opentrons", "pdf-samples", "xarm")
RECALL, MRR = 0.92, 0.80
K, DEPTH = 5, 10
HALVES = {"dense": "dense only", "bm25": "BM25 only", "lexical": "BM25 with other words only"}
# What a reader adds to an entry (annotations, parts, the text written out) is not what the technician wrote.
_ADDED = re.compile(r"\bparts:|\| (?:tokens|entities|relations):|\bin full:")


@dataclass(frozen=True)
class Question:
    """One question. `right`: alternatives, each a list of patterns that must all begin a word of the passage; `file`: the
    end of the path of the only document that counts; `same_words`: it is asked in the passage's own words."""

    id: str
    question: str
    right: tuple[tuple[re.Pattern[str], ...], ...]
    file: str
    same_words: bool

    def answered_by(self, passage: Passage, source: str) -> bool:
        if self.file and not source.endswith(self.file):
            return False
        text = _own_words(passage.text)
        return any(all(pattern.search(text) for pattern in patterns) for patterns in self.right)


@lru_cache(maxsize=20_000)
def _own_words(text: str) -> str:
    return _ADDED.split(" ".join(text.split()).lower())[0]


def questions(path: Path = CASES) -> list[Question]:
    """The cases. Raises CaseError for one that says nothing of what is right, or twice the same id."""
    found: list[Question] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        right = tuple(tuple(re.compile(rf"(?<!\w)(?:{part.strip()})") for part in one.split(" & ")) for one in row["right"])
        if not right or not all(right) or not row["question"].strip():
            raise CaseError(f"{row['id']} does not say which text answers it")
        found.append(Question(row["id"], row["question"], right, row.get("file", ""), row["words"] == "same"))
    if len({case.id for case in found}) != len(found):
        raise CaseError(f"{path.name} has an id twice")
    return found


def suite(embedder: Path = EMBEDDER, progress: Progress | None = None) -> Score:
    """Recall@5 and mean reciprocal rank of the search and of each half alone; an empty score without the data."""
    where = folder()
    paths = [where / name for name in SOURCES if (where / name).is_dir()]
    if len(paths) < len(SOURCES):
        return Score(
            "knowledge", 0, 0, note="The real documents are not on this machine (set ANDON_REAL to their folder); nothing was asked."
        )
    index, note = opened(paths, embedder)
    cases, second = questions(), questions(SECOND)
    sources = {(d.document, d.revision): d.source for d in index.documents()}

    def rank(case: Question, found: Sequence[Passage]) -> int:
        return next((n for n, p in enumerate(found[:DEPTH], 1) if case.answered_by(p, sources[p.anchor.document, p.anchor.revision])), 0)

    ranks: dict[str, list[int]] = {name: [] for name in ("search", *HALVES.values())}
    for number, case in enumerate([*cases, *second], 1):
        halves = index.halves(case.question, DEPTH)
        ranks["search"].append(rank(case, [hit.passage for hit in index.search(case.question, DEPTH)]))
        for name, way in HALVES.items():
            ranks[way].append(rank(case, halves[name]))
        if progress:
            progress(number, len(cases) + len(second))
    score = scored(cases, {way: found[: len(cases)] for way, found in ranks.items()}, note)
    later = {way: found[len(cases) :] for way, found in ranks.items()}
    figures = {f"recall@{K}, second set, {way}": (recalled(found), len(found)) for way, found in later.items()}
    numbers = {f"MRR, second set, {way}": mean_reciprocal(found) for way, found in later.items()}
    return replace(score, figures={**score.figures, **figures}, numbers={**score.numbers, **numbers})


def scored(cases: Sequence[Question], ranks: Mapping[str, Sequence[int]], note: str = "") -> Score:
    """The score from the rank of the first right passage of every case (0: none among ten), for each way of searching."""
    figures: dict[str, tuple[int, int]] = {}
    numbers: dict[str, float] = {}
    for name, found in ranks.items():
        figures[f"recall@{K}, {name}"] = (recalled(found), len(found))
        numbers[f"MRR, {name}"] = mean_reciprocal(found)
    mine = ranks["search"]
    groups: dict[str, Callable[[int, Question], bool]] = {
        "odd half (developed on)": lambda n, _: n % 2 == 0,
        "even half (only measured)": lambda n, _: n % 2 == 1,
        "in other words": lambda _, case: not case.same_words,
        "in the same words": lambda _, case: case.same_words,
    }
    for name, belongs in groups.items():
        part = [rank for n, (rank, case) in enumerate(zip(mine, cases, strict=True)) if belongs(n, case)]
        figures[f"recall@{K}, {name}"] = (recalled(part), len(part))
        numbers[f"MRR, {name}"] = mean_reciprocal(part)
    share = recalled(mine) / len(mine) if mine else 1.0
    limits = [Limit(f"recall@{K}", share, ">=", RECALL), Limit("MRR", mean_reciprocal(mine), ">=", MRR)]
    for other in (name for name in ranks if name != "search"):
        limits.append(Limit(f"recall@{K} of {other}", recalled(ranks[other]) / max(1, len(mine)), "<", share))
        limits.append(Limit(f"MRR of {other}", mean_reciprocal(ranks[other]), "<", mean_reciprocal(mine)))
    failures = [
        Failure(case.id, case.question, f"no right passage among {K}" + (f" (first at {rank})" if rank else ""))
        for case, rank in zip(cases, mine, strict=True) if not 0 < rank <= K
    ]  # fmt: skip
    return Score("knowledge", recalled(mine), len(mine), figures, numbers, failures, note, limits)


def recalled(ranks: Sequence[int]) -> int:
    return sum(0 < rank <= K for rank in ranks)


def mean_reciprocal(ranks: Sequence[int]) -> float:
    return round(statistics.fmean(1 / rank if rank else 0.0 for rank in ranks), 4) if ranks else 0.0


def opened(paths: Sequence[Path], embedder: Path, cache: Path = CACHE) -> tuple[Index, str]:
    """The index of these documents, kept in `cache` for as long as the code that makes it stays; and what it holds."""
    from ingest.pipeline import ingest

    stamp, mark = _code_stamp(), cache / "code.sha256"
    if not mark.is_file() or mark.read_text(encoding="utf-8") != stamp:
        shutil.rmtree(cache, ignore_errors=True)
    index = Index.open(cache / "index", OnnxEmbedder(embedder))
    report = ingest(list(paths), index)
    mark.write_text(stamp, encoding="utf-8")
    held = sum(1 for d in index.documents() if d.status == "effective")
    refused = f"{len(report.quarantined)} files quarantined"
    return index, f"{held} documents, {len(index.catalogue.ids())} passages; {refused}."


def _code_stamp() -> str:
    digest = hashlib.sha256()
    for package in ("ingest", "retrieval"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if "demo" not in path.relative_to(ROOT).parts:
                digest.update(path.read_bytes())
    return digest.hexdigest()
