"""The planner on the held-out part of the written corpus: right tools, whole plans, and which arguments go wrong.

Plans are compared as said: the corpus is about many plants, so names stay words, periods their text, filters are
flattened. `score` takes rows and a planner function; `python -m evals.planner_dev` prints the table over the shipped
router and the demo plant's model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rapidfuzz.distance import OSA

from assistant.entities import spoken_code
from assistant.lm.phrasings import canonical_status
from tools.registry import Period

Planner = Callable[[str, Sequence[str]], tuple[str, Sequence[tuple[str, Mapping[str, Any]]]]]
"""(question, earlier questions) -> (status, calls as (tool, arguments))."""

_EMPTY = frozenset(
    ["the", "a", "an", "our", "my", "your", "on", "in", "at", "for", "of", "from", "to", "this", "that", "no", "number", "nr", "and"]
)
#: Free wordings are right when most of their words are there; everything else must be equal.
_FREE = frozenset(("task", "symptom", "query", "outcome", "text"))
FREE_OVERLAP = 0.6
#: Words of the question around a free wording that say nothing of their own.
_LITTLE = frozenset(("is", "are", "was", "do", "does", "did", "i", "we", "you", "it", "its", "need", "needs", "please"))


@dataclass
class Score:
    """Counts over rows; `errors` are (question, argument, wanted, got) for the first failing argument of each."""

    rows: int = 0
    status: int = 0
    tool: int = 0
    exact: int = 0
    answerable: int = 0
    arguments: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    errors: list[tuple[str, str, Any, Any]] = field(default_factory=list)

    def table(self) -> dict[str, float]:
        share = {
            "status": self.status / max(1, self.rows),
            "tool": self.tool / max(1, self.answerable),
            "exact": self.exact / max(1, self.answerable),
        }
        wrong = {f"wrong {name}": count for name, count in self.arguments.most_common()}
        return {**{k: round(v, 4) for k, v in share.items()}, "rows": self.rows, **wrong}


def score(rows: Iterable[Mapping[str, Any]], planner: Planner) -> Score:
    """Run a planner over corpus rows (`q`, optional `ctx`, `calls` or `status`)."""
    out = Score()
    for row in rows:
        out.rows += 1
        wanted_status = row.get("status", "answer")
        status, calls = planner(row["q"], row.get("ctx", ()))
        answered = status in ("planned", "needs_confirmation", "not_allowed")
        got_status = "answer" if answered else status
        if got_status == wanted_status or (wanted_status == "refused_unsafe" and status == "not_allowed"):
            out.status += 1
        elif wanted_status != "answer" or not calls:
            out.errors.append((row["q"], "status", wanted_status, status))
        if wanted_status != "answer":
            continue
        out.answerable += 1
        wanted = [(c["tool"], flat(c["tool"], c["args"])) for c in row["calls"]]
        got = [(tool, flat(tool, arguments)) for tool, arguments in calls]
        if sorted(t for t, _ in wanted) == sorted(t for t, _ in got):
            out.tool += 1
        else:
            if got_status == "answer" or calls:
                out.errors.append((row["q"], "tool", [t for t, _ in wanted], [t for t, _ in got]))
            out.arguments["tool"] += 1
            continue
        wrong = _first_wrong(wanted, got, out)
        if wrong is None:
            out.exact += 1
        else:
            out.arguments[wrong[0]] += 1
            out.errors.append((row["q"], *wrong))
    return out


def flat(tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as the corpus writes them: filters beside the rest, values as said, in plain lower case."""
    out: dict[str, Any] = {}
    for key, value in {
        **{k: v for k, v in arguments.items() if k != "where"},
        **dict(arguments.get("where") or {}),
    }.items():
        plain = _plain(value)
        if key == "status":
            plain = _statuses(value)
        if key == "sort":
            plain = str(value).split()[-1]
        if key in ("metrics", "by", "kinds"):
            plain = tuple(sorted(value if isinstance(value, list | tuple) else [value]))
        out["place" if key in ("equipment", "line", "area", "site", "equipment_class") else key] = plain
    return out


def _statuses(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {"closed": "open"}.get(str(value.get("not")), f"not {value.get('not')}")
    found = []
    for item in value if isinstance(value, list | tuple) else [value]:
        try:
            found.append(canonical_status(str(item)))
        except Exception:
            found.append(str(item))
    return tuple(sorted(found)) if len(found) > 1 else found[0]


def _plain(value: Any) -> Any:
    if isinstance(value, Period):
        return _plain(value.text)
    if isinstance(value, Mapping):
        if "text" in value:
            return _plain(value["text"])
        return tuple(sorted((k, _plain(v)) for k, v in value.items()))
    if isinstance(value, list | tuple):
        return tuple(sorted(str(_plain(v)) for v in value))
    words = [w for w in re.findall(r"[^\W_]+", str(value).lower()) if w not in _EMPTY]
    return " ".join(words) or str(value).lower()


def _first_wrong(
    wanted: list[tuple[str, dict[str, Any]]], got: list[tuple[str, dict[str, Any]]], out: Score
) -> tuple[str, Any, Any] | None:
    left = list(got)
    for tool, arguments in wanted:
        candidates = [g for g in left if g[0] == tool]
        best = min(candidates, key=lambda g: len(_differences(arguments, g[1])))
        left.remove(best)
        for key in arguments:
            out.seen[key] += 1
        wrong = _differences(arguments, best[1])
        if wrong:
            key = wrong[0]
            return key, arguments.get(key), best[1].get(key)
    return None


def _differences(wanted: Mapping[str, Any], got: Mapping[str, Any]) -> list[str]:
    return [key for key in dict.fromkeys((*wanted, *got)) if not _same(key, wanted.get(key), got.get(key))]


def _same(key: str, wanted: Any, got: Any) -> bool:
    if wanted == got:
        return True
    if key in _FREE and wanted and got:
        a, b = set(str(wanted).split()), set(str(got).split())
        b = {next((word for word in a if _slip(word, said)), said) for said in b}  # a slip of the fingers put right is right
        return _overlap(a, b) or _overlap(a - _LITTLE, b - _LITTLE)
    if key == "period" and wanted and got:
        a, b = str(wanted).split(), str(got).split()
        return len(a) == len(b) and all(x == y or _slip(x, y) for x, y in zip(a, b, strict=True))
    if key == "place" and wanted and got:
        return _same_place(_singular(wanted), _singular(got))
    if key == "shift" and wanted and got:
        return _singular(wanted).removesuffix(" shift") == _singular(got).removesuffix(" shift")
    if key in ("code", "alarm", "lot") and wanted and got:
        return _bare(spoken_code(str(wanted))) == _bare(spoken_code(str(got)))
    if key == "compare_to" and wanted and got:
        try:
            number = float(".".join(str(got).split()[:2]))
            return float(str(wanted).split()[0]) in (number, round(number * 100, 4))
        except ValueError:
            return False
    if key == "skill" and wanted and got:
        return bool({"beginners": "novice", "beginner": "novice", "new": "novice"}.get(str(wanted)) == got)
    return key in ("direction",) and wanted is None


_KIND_OF_PLACE = re.compile(r"\b(?:area|hall|shop|section|department|plant|site)\b")


def _same_place(wanted: str, got: str) -> bool:
    """Equal but for the word for what it is ("powder packing area") or the noun before a code ("compressor K-201")."""
    plain = [" ".join(_KIND_OF_PLACE.sub(" ", name).split()) or name for name in (wanted, got)]
    short, long = sorted(plain, key=len)
    return plain[0] == plain[1] or (bool(re.search(r"[a-z].*\d|\d.*[a-z]", short)) and long.endswith(" " + short))


def _slip(one: str, other: str) -> bool:
    """Whether two words differ by one letter left out, doubled, changed or swapped; digits must be equal."""
    return min(len(one), len(other)) >= 3 and one.isalpha() and other.isalpha() and OSA.distance(one, other) <= 1


def _overlap(wanted: set[str], got: set[str]) -> bool:
    return len(wanted & got) >= FREE_OVERLAP * max(len(wanted), min(len(got), len(wanted) + 4))


def _bare(code: str) -> str:
    """A code without the signs in it: LT-201 is LT201 and LT 201."""
    return re.sub(r"[^a-z0-9]", "", code.lower())


def _singular(value: Any) -> str:
    return " ".join(word.removesuffix("s") for word in str(value).split())


@dataclass(frozen=True)
class Judged:
    """One written case (evals/cases/planner*.jsonl) against the plan that came: right tools, whole plan, and what differs
    first. A case without calls (a refusal, small talk) is right when its status is."""

    status: bool
    tool: bool
    exact: bool
    reason: str = ""


#: The key by which a record is called: "production order 4711" is as right in `order` as in `id`.
_OWN_KEY = {"maintenance_orders": "order", "production_orders": "order", "lots": "lot", "spare_parts": "part", "equipment": "place"}


def judged(case: Mapping[str, Any], got: Mapping[str, Any], resolve: Callable[[str], tuple[str, str] | None]) -> Judged:
    """Compare a plan as `andon plan` prints it with a case's `calls`, or with the best of those in its `or` that would look
    up the same. `resolve` gives the range (ISO, from and to) that a period's words mean: other words for the same range
    are the same period."""
    ways = [_compared(case["status"], calls, got, resolve) for calls in (case["calls"], *case.get("or", ()))]
    return max(ways, key=lambda way: (way.exact, way.tool))


def _compared(
    status: str, wished: Sequence[Mapping[str, Any]], got: Mapping[str, Any], resolve: Callable[[str], tuple[str, str] | None]
) -> Judged:
    same = got["status"] == status
    said = [] if same else [f"status: {got['status']} instead of {status}"]
    if not wished:
        return Judged(same, same, same, "; ".join(said))
    texts = [str(c["arguments"][key]) for c in wished for key in ("period", "compare_to") if key in c["arguments"]]
    meant = {resolve(text): text for text in texts}
    wanted = [(c["tool"], _keyed(flat(c["tool"], c["arguments"]))) for c in wished]
    found = [(c["tool"], _keyed(flat(c["tool"], _reworded(c["arguments"], meant)))) for c in got["calls"]]
    tools = sorted(t for t, _ in wanted), sorted(t for t, _ in found)
    if tools[0] != tools[1]:
        return Judged(same, False, False, "; ".join([*said, f"tool: {', '.join(tools[1]) or 'none'} instead of {', '.join(tools[0])}"]))
    wrong = _first_wrong(wanted, found, Score())
    if wrong is not None:
        said.append(f"{wrong[0]}: {wrong[2]!r} instead of {wrong[1]!r}")
    return Judged(same, True, same and wrong is None, "; ".join(said))


def _reworded(arguments: Mapping[str, Any], meant: Mapping[tuple[str, str] | None, str]) -> dict[str, Any]:
    """The arguments with a period in the case's own words where both mean the same range."""

    def reworded(value: Any) -> Any:
        if isinstance(value, Mapping) and "from" in value and "to" in value:
            return meant.get((str(value["from"]), str(value["to"])), value)
        return value

    return {key: reworded(value) for key, value in arguments.items()}


def _keyed(arguments: dict[str, Any]) -> dict[str, Any]:
    own = _OWN_KEY.get(str(arguments.get("records", "")).replace(" ", "_"))
    return {"id" if key == own else key: value for key, value in arguments.items()}


def main() -> int:
    """Print the table for the shipped router, with `--vote` also the planner model, over the demo plant's model."""
    import json
    import sys
    from datetime import datetime

    from assistant.llm import open_writer
    from assistant.lm.phrasings import CORPUS, held_out, rows
    from assistant.planning import plan
    from assistant.router import MODELS, Router
    from assistant.understand import Question, understand
    from tools.access import POLICY, Caller
    from tools.plant_model import Plant

    url = next((word for word in sys.argv[1:] if ":" in word), "sqlite:///.andon/mes.sqlite")
    writer = open_writer(MODELS / "planner.gguf") if "--vote" in sys.argv else None
    plant, router = Plant.open(None, url), Router.load()
    caller = Caller("sam", "Sam", "supervisor", via="test")
    now = datetime(2026, 6, 17, 9, tzinfo=plant.zone)

    def planner(text: str, context: Sequence[str]) -> tuple[str, Sequence[tuple[str, Mapping[str, Any]]]]:
        previous: list[Any] = []
        said: list[str] = []
        for turn in (*context, text):
            question = Question(turn, now, caller, None, tuple(previous), tuple(said))
            found = plan(understand(question, plant, router), question, plant, {}, writer, POLICY)
            previous.append(found)
            said.append(turn)
        return found.status, [(c.tool, {**c.arguments, **c.unresolved}) for c in found.calls]

    split = [row for row in rows(CORPUS) if held_out(row["q"])]
    result = score(split, planner)
    sys.stdout.write(json.dumps(result.table(), indent=1) + "\n")
    for error in result.errors:
        sys.stdout.write(" | ".join(str(part) for part in error) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
