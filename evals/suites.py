"""The suites: each asks the product, grades, and gives a Score with its denominators, its floor and what failed."""

from __future__ import annotations

import json
import random
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from assistant.app import Ask, Assistant
from assistant.problems import Problem
from evals.cases import Case, load
from evals.graders import Finding, abstains, grade, tables
from evals.oracles import folded
from evals.plant import Demo
from evals.reliability import Bin

Progress = Callable[[int, int], None]
#: The share below which a suite fails; a floor is what the product is held to, not what it reached.
FLOORS = {"answers": 0.90, "planner": 0.93, "refusals": 0.95, "hazards": 0.99, "grounding": 1.0, "retrieval": 0.85, "knowledge": 0.92, "real": 0.95, "foreign": 0.85, "metrics": 1.0, "logs": 0.85, "voice": 0.5, "red_team": 0.98}
STAGES = ("understand", "plan", "act", "compose", "check", "total")


@dataclass(frozen=True)
class Failure:
    """A case that failed and why; `question` for the reader of the scoreboard."""

    id: str
    question: str
    reason: str


@dataclass(frozen=True)
class Limit:
    """A figure that the product is held to beside a suite's share: at least `bound`, at most it, or below it."""

    name: str
    value: float
    sense: Literal[">=", "<=", "<"]
    bound: float

    @property
    def met(self) -> bool:
        return {">=": self.value >= self.bound, "<=": self.value <= self.bound, "<": self.value < self.bound}[self.sense]


@dataclass(frozen=True)
class Score:
    """A suite's result: right of total, named figures as (right, total) or plain numbers, what else it is held to, the
    confidence of its cases by bins, and the failures."""

    suite: str
    right: int
    total: int
    figures: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    failures: Sequence[Failure] = ()
    note: str = ""
    limits: Sequence[Limit] = ()
    bins: Sequence[Bin] = ()

    @property
    def share(self) -> float:
        return self.right / self.total if self.total else 1.0

    @property
    def passed(self) -> bool:
        return self.share >= FLOORS[self.suite] and all(limit.met for limit in self.limits)


# Answers


@dataclass(frozen=True)
class Graded:
    """One case with its answer and what was wrong with it."""

    case: Case
    answer: Mapping[str, Any]
    findings: Sequence[Finding]


def answers(demo: Demo, cases: Iterable[Case] | None = None, progress: Progress | None = None) -> Score:
    """Every question case through the whole assistant."""
    wanted = list(load() if cases is None else cases)
    graded = []
    for number, case in enumerate(wanted):
        graded.append(_asked(case, demo))
        if progress:
            progress(number + 1, len(wanted))
    return summed(graded)


def _asked(case: Case, demo: Demo) -> Graded:
    assistant = demo.assistant
    try:
        at = datetime.fromisoformat(case.at) if case.at else None
        answer = assistant.ask(Ask(case.question, case.user, case.equipment, None, at, case.id, case.context))
    except Problem as problem:
        answer = {"status": "unavailable", "text": problem.sentence, "blocks": [], "citations": [], "steps": [], "ms": {}}
        return Graded(case, answer, [Finding("status", f"it failed: {problem.sentence}")])
    caller = assistant.caller(case.user)
    answer = json.loads(json.dumps(answer, default=str))  # what a client sees
    findings = grade(case, answer, demo.truth, lambda identity: assistant.documents.rendered(caller, identity, "md").decode())
    return Graded(case, answer, findings)


#: Which checks count for which figure of the scoreboard.
_FIGURES = {
    "numeric exactness": ("number", "count", "rows"), "record sets": ("ids", "draft"), "document anchors": ("anchor",),
    "tool": ("tool",), "words": ("says", "absent", "passage", "confirm"),
}  # fmt: skip
_FIELDS = {
    "number": "number", "count": "count", "rows": "rows", "ids": "ids", "draft": "draft", "anchor": "anchor", "tool": "tool",
    "says": "says", "absent": "absent", "passage": "passage", "confirm": "confirm",
}  # fmt: skip


def summed(graded: Sequence[Graded]) -> Score:
    """The figures over graded cases."""
    figures: dict[str, tuple[int, int]] = {}

    def count(name: str, among: Iterable[Graded], wrong: Callable[[Graded], bool]) -> None:
        chosen = list(among)
        figures[name] = (sum(not wrong(g) for g in chosen), len(chosen))

    def failed(*checks: str) -> Callable[[Graded], bool]:
        return lambda g: any(f.check in checks for f in g.findings)

    count("status", graded, failed("status"))
    for name, checks in _FIGURES.items():
        asked = [g for g in graded if any(getattr(g.case, _FIELDS[check]) for check in checks)]
        count(name, asked, failed("status", *checks))
    count("citations", [g for g in graded if g.answer["citations"]], failed("citation"))
    count("abstention", [g for g in graded if abstains(g.case)], lambda g: g.answer["status"] in ("answered", "partial") or _shows_data(g))
    count("hazards heard", [g for g in graded if g.case.emergency], failed("hazard"))
    count("no false alarm", [g for g in graded if not g.case.emergency], failed("false alarm"))
    for story in sorted({g.case.story for g in graded if g.case.story}):
        count(f"story ({story})", [g for g in graded if g.case.story == story], lambda g: bool(g.findings))
    for kind in sorted({g.case.kind for g in graded}):
        count(f"kind {kind}", [g for g in graded if g.case.kind == kind], lambda g: bool(g.findings))
    failures = [Failure(g.case.id, g.case.question, "; ".join(f"{f.check}: {f.reason}" for f in g.findings)) for g in graded if g.findings]
    return Score("answers", sum(not g.findings for g in graded), len(graded), figures, latency(g.answer["ms"] for g in graded), failures)


def _shows_data(graded: Graded) -> bool:
    return graded.answer["status"] != "refused_unsafe" and bool(tables(graded.answer))


def latency(stages: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Median and 95th percentile of each stage, ms."""
    seen: dict[str, list[float]] = defaultdict(list)
    for ms in stages:
        for stage in STAGES:
            if stage in ms:
                seen[stage].append(ms[stage])
    found = {}
    for stage, times in seen.items():
        found[f"{stage} median ms"] = round(statistics.median(times), 1)
        found[f"{stage} p95 ms"] = round(sorted(times)[min(len(times) - 1, int(0.95 * len(times)))], 1)
    return found


# Metrics


def metrics(demo: Demo, progress: Progress | None = None) -> Score:
    """Generated metric questions against a second implementation in plain Python (evals/metric_questions.py)."""
    from evals.metric_questions import suite

    assistant = demo.assistant
    found: Score = suite(assistant.plant, demo.truth.mes, assistant.caller("sam"), demo.truth.now, progress)
    return found


# Retrieval

#: How people would look each kind of fact up; the words are not those of the manual's headings.
_WORDINGS = {
    "torque": "how tight {key}", "lubrication": "what grease or oil goes on the {key}", "alarm": "{key}", "procedure": "{key}",
    "data": "value of {key}", "adjust": "setting of {key}", "interval": "how often: {key}", "table": "{key}",
}  # fmt: skip
SAMPLE = 240
K = 5


def retrieval(demo: Demo, progress: Progress | None = None) -> Score:
    """Recall@5 and MRR of `search` over a fixed sample of the manuals' facts; a hit is a passage of the right document and
    revision that holds the fact."""
    from ingest.demo.manuals import facts

    chosen = sample(facts(), SAMPLE)
    classes = dict(_classes(demo.assistant))
    ranks: list[int] = []
    by_kind: dict[str, list[bool]] = defaultdict(list)
    failures = []
    for number, fact in enumerate(chosen):
        query = _WORDINGS[fact["kind"]].format(key=fact["key"])
        hits = demo.assistant.index.search(query, K, equipment_class=classes.get(fact["document"]))
        rank = next((n for n, hit in enumerate(hits, 1) if _holds(hit.passage, fact)), 0)
        ranks.append(rank)
        by_kind[fact["kind"]].append(bool(rank))
        if not rank:
            first = hits[0].passage.anchor if hits else None
            reason = f"{fact['document']} {fact['section']} {fact['section_title']} is not among {K}; first {first}"
            failures.append(Failure(f"search-{number:03d}", query, reason))
        if progress:
            progress(number + 1, len(chosen))
    right = sum(bool(rank) for rank in ranks)
    figures = {"recall@5": (right, len(ranks)), "recall@1": (sum(rank == 1 for rank in ranks), len(ranks))}
    figures.update({f"kind {kind}": (sum(found), len(found)) for kind, found in sorted(by_kind.items())})
    mrr = round(statistics.fmean(1 / rank if rank else 0.0 for rank in ranks), 4)
    return Score("retrieval", right, len(ranks), figures, {"MRR": mrr}, failures)


def sample(facts: Sequence[Mapping[str, Any]], size: int) -> list[Mapping[str, Any]]:
    """A fixed sample, the same share of every kind, of facts whose key says something on its own within its document."""
    repeated = Counter((f["document"], f["key"]) for f in facts)
    by_kind: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for fact in facts:
        if repeated[fact["document"], fact["key"]] == 1 and (fact["kind"] == "alarm" or len(fact["key"].split()) > 1):
            by_kind[fact["kind"]].append(fact)
    chance = random.Random(17)
    return [fact for kind in sorted(by_kind) for fact in chance.sample(by_kind[kind], min(len(by_kind[kind]), size // len(by_kind)))]


def _classes(assistant: Assistant) -> list[tuple[str, str]]:
    return [(document.document, document.equipment_class) for document in assistant.index.documents() if document.equipment_class]


def _holds(passage: Any, fact: Mapping[str, Any]) -> bool:
    if passage.anchor.document != fact["document"] or str(passage.anchor.revision) != str(fact["revision"]):
        return False
    text = folded(f"{passage.anchor.section} {passage.text}")
    needed: tuple[Any, ...] = (fact["steps"][0],) if fact["kind"] == "procedure" else (fact["key"],)
    if fact["kind"] not in ("procedure", "interval"):
        needed = (*needed, str(fact["value"]))
    return all(folded(str(words)) in text for words in needed)


SUITES: dict[str, Callable[..., Score]] = {"answers": answers, "retrieval": retrieval}
