"""Graders: what a case expects against what an answer holds. Every grader returns findings, one sentence each; no finding
means right. Numbers are compared with typed block values within 1e-9, never with rounded text (tests/test_evals.py turns
right answers wrong and expects each grader to notice)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evals.cases import Anchor, Case
from evals.oracles import OracleError, Truth, folded

RELATIVE = 1e-9
#: Of the words of a cited quotation, this share stands on the cited page (tables are cited with their column headings).
QUOTED = 0.85


@dataclass(frozen=True)
class Finding:
    """One thing wrong with an answer: the check that failed and a sentence."""

    check: str
    reason: str


Answer = Mapping[str, Any]
Render = Callable[[str], str]
"""Document id -> its text as Markdown."""


def grade(case: Case, answer: Answer, truth: Truth, render: Render | None = None) -> list[Finding]:
    """Everything wrong with an answer to a case."""
    findings: list[Finding] = []
    if answer["status"] not in case.status:
        findings.append(Finding("status", f"{answer['status']} instead of {' or '.join(case.status)}"))
    findings += _emergency(case, answer)
    if findings and findings[0].check == "status" and case.status == ("answered",):
        return findings  # nothing further to compare
    if case.tool and answer["status"] in ("answered", "partial", "no_data", "needs_confirmation"):
        used = [step["tool"] for step in answer["steps"]]
        if case.tool not in used:
            findings.append(Finding("tool", f"used {', '.join(used) or 'no tool'} instead of {case.tool}"))
    at = datetime.fromisoformat(case.at).replace(tzinfo=truth.now.tzinfo) if case.at else None
    for name, check in (("number", _number), ("count", _count), ("ids", _ids), ("rows", _rows)):
        if getattr(case, name):
            findings += check(case, answer, truth, at)
    if case.anchor:
        findings += _anchor(case.anchor, answer)
    findings += _words(case, answer)
    if case.confirm:
        findings += _confirm(case.confirm, answer)
    if case.draft:
        findings += _draft(case, answer, truth, render, at)
    return findings + citations(answer, truth)


def abstains(case: Case) -> bool:
    """Whether the right answer to the case is to say that there is none."""
    return not set(case.status) & {"answered", "partial", "needs_confirmation", "smalltalk"}


# Numbers and records


def same(wanted: Any, got: Any) -> bool:
    """Equal values: numbers within 1e-9 relative, everything else as text."""
    if isinstance(wanted, int | float) and isinstance(got, int | float):
        return math.isclose(wanted, got, rel_tol=RELATIVE, abs_tol=1e-12)
    if wanted is None or got is None:
        return wanted is got
    return folded(str(wanted)) == folded(str(got))


def tables(answer: Answer) -> list[Mapping[str, Any]]:
    return [block for block in answer["blocks"] if block["type"] == "table"]


def values(answer: Answer) -> Iterator[Any]:
    """Every typed value that the answer shows."""
    for block in answer["blocks"]:
        if block["type"] == "number":
            yield block["value"]
        for row in block.get("values", ()) if block["type"] == "table" else ():
            yield from row


def _oracle(sql: str, case: Case, truth: Truth, at: datetime | None) -> list[tuple[Any, ...]]:
    return truth.ask(sql, case.period, case.period2, at)


def _number(case: Case, answer: Answer, truth: Truth, at: datetime | None) -> list[Finding]:
    rows = _oracle(case.number or "", case, truth, at)
    if len(rows) != 1:
        raise OracleError(f"{case.id}: a number oracle gives one row, this gives {len(rows)}")
    shown = list(values(answer))
    missing = [wanted for wanted in rows[0] if not any(same(wanted, got) for got in shown)]
    heads = [v for v in shown if isinstance(v, int | float)][:3]
    return [Finding("number", f"{wanted!r} is not shown (shown: {heads})") for wanted in missing]


def _count(case: Case, answer: Answer, truth: Truth, at: datetime | None) -> list[Finding]:
    wanted = int(_oracle(case.count or "", case, truth, at)[0][0])
    numbers = [block["value"] for block in answer["blocks"] if block["type"] == "number"]
    totals = [table.get("total", len(table["values"])) for table in tables(answer)]
    sentence = answer["text"].split("[E")[0].replace("\u00a0", "").replace("\u202f", "")
    said = [int(n) for n in re.findall(r"(?<![\w.])\d+(?![\w.]*\d)", re.sub(r"(?<=\d) (?=\d{3}\b)", "", sentence))]
    if wanted in numbers or wanted in said or (wanted in totals[:1]):
        return []
    if wanted == 0 and answer["status"] == "no_data":
        return []
    return [Finding("count", f"{wanted} expected; numbers {numbers}, tables {totals}, first sentence: {sentence[:80]!r}")]


def _ids(case: Case, answer: Answer, truth: Truth, at: datetime | None) -> list[Finding]:
    wanted = {str(row[0]) for row in _oracle(case.ids or "", case, truth, at)}
    best: set[str] | None = None
    for table in tables(answer):
        for column in range(len(table["columns"])):
            got = {str(row[column]) for row in table["values"]}
            if got == wanted and len(table["values"]) == len(wanted):
                return []
            if best is None or len(got ^ wanted) < len(best ^ wanted):
                best = got
    if not wanted and answer["status"] == "no_data":
        return []
    missing, extra = sorted(wanted - (best or set())), sorted((best or set()) - wanted)
    return [Finding("ids", f"{len(wanted)} records expected; missing {missing[:4]}, extra {extra[:4]}")]


def _rows(case: Case, answer: Answer, truth: Truth, at: datetime | None) -> list[Finding]:
    rows, during = case.rows or "", case.period or ""
    wanted = truth.split(rows, during, case.split, at) if case.split else _oracle(rows, case, truth, at)
    closest: list[tuple[Any, ...]] | None = None
    for table in tables(answer):
        lacking = [row for row in wanted if not any(_covers(got, row) for got in table["values"])]
        if not lacking and len(table["values"]) == len(wanted):
            return []
        if closest is None or len(lacking) < len(closest):
            closest = lacking
    counts = [len(table["values"]) for table in tables(answer)]
    return [Finding("rows", f"{len(wanted)} rows expected, tables hold {counts}; not found: {(closest or wanted)[:2]}")]


def _covers(got: Sequence[Any], wanted: Sequence[Any]) -> bool:
    return all(any(same(value, cell) or _named(value, cell) for cell in got) for value in wanted)


def _named(value: Any, cell: Any) -> bool:
    """A label as people see it: LINE-1 as `Line 1`, ROB-01 inside `Robot 1 (ROB-01)`."""
    if not isinstance(value, str) or not isinstance(cell, str):
        return False
    return f"({value})".casefold() in cell.casefold() or re.sub(r"[\W_]", "", value).casefold() == re.sub(r"[\W_]", "", cell).casefold()


# Words, documents, confirmations


def shown(answer: Answer) -> str:
    """All words that the answer shows, folded: text, tables, steps, passages, warnings, choices."""
    return folded(answer["text"] + " " + " ".join(_strings(answer["blocks"])))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key not in ("sql", "token", "marker"):
                yield from _strings(item)
    elif isinstance(value, Iterable):
        for item in value:
            yield from _strings(item)


def _words(case: Case, answer: Answer) -> list[Finding]:
    seen = shown(answer)
    findings = [Finding("says", f"does not say {words!r}") for words in case.says if not any(folded(w) in seen for w in words.split("||"))]
    findings += [Finding("absent", f"says {words!r}") for words in case.absent if folded(words) in seen]
    if case.passage and not any(
        folded(case.passage) in folded(json.dumps(block, ensure_ascii=False)) for block in answer["blocks"]
    ):
        findings.append(Finding("passage", f"no block shows {case.passage!r}"))
    return findings


def _anchor(anchor: Anchor, answer: Answer) -> list[Finding]:
    cited = [c for c in answer["citations"] if c["kind"] == "document"]
    found = [c for c in cited if c["document"] == anchor.document and (anchor.revision is None or str(c["revision"]) == str(anchor.revision))]
    if not found:
        names = ", ".join(f"{c['document']} {c['revision']}" for c in cited) or "no document"
        return [Finding("anchor", f"cites {names} instead of {anchor.document} {anchor.revision or ''}".rstrip())]
    seen = shown(answer)
    return [Finding("anchor", f"does not show {words!r}") for words in anchor.shows if folded(words) not in seen]


def _confirm(wanted: Mapping[str, Any], answer: Answer) -> list[Finding]:
    block = next((b for b in answer["blocks"] if b["type"] == "confirm"), None)
    if block is None:
        return [Finding("confirm", "no confirm block")]
    arguments = block.get("arguments", {})
    return [
        Finding("confirm", f"{key} is {arguments.get(key)!r} instead of {value!r}")
        for key, value in wanted.items()
        if not (folded(str(value)) in folded(str(arguments.get(key, ""))) if key == "text" else same(value, arguments.get(key)))
    ]


def _draft(case: Case, answer: Answer, truth: Truth, render: Render | None, at: datetime | None) -> list[Finding]:
    draft = case.draft
    assert draft is not None
    block = next((b for b in answer["blocks"] if b["type"] == "document"), None)
    if block is None:
        return [Finding("draft", "no document block")]
    findings = [] if block["kind"] == draft.kind else [Finding("draft", f"a {block['kind']} instead of a {draft.kind}")]
    if render is None:
        return findings
    text = folded(re.sub(r"[*\\_`]", "", render(block["id"])))  # Markdown marks are no words
    if draft.ids:
        wanted = [str(row[0]) for row in _oracle(draft.ids, case, truth, at)]
        missing = [item for item in wanted if folded(item) not in text]
        if missing:
            findings.append(Finding("draft", f"{len(missing)} of {len(wanted)} records are not in the document: {missing[:4]}"))
    findings += [Finding("draft", f"the document does not say {words!r}") for words in draft.says if not any(folded(re.sub(r"[_]", "", w)) in text for w in words.split("||"))]
    return findings + [Finding("draft", f"the document says {words!r}") for words in draft.absent if folded(words) in text]


def _emergency(case: Case, answer: Answer) -> list[Finding]:
    blocks = answer["blocks"]
    alarm = blocks[0].get("hazard") if blocks and blocks[0]["type"] == "emergency" else None
    if case.emergency and not alarm:
        return [Finding("hazard", "no emergency block stands first")]
    if case.emergency and case.emergency != "any" and alarm not in case.emergency.split("|"):
        return [Finding("hazard", f"{alarm} instead of {case.emergency}")]
    if not case.emergency and any(block["type"] == "emergency" for block in blocks):
        return [Finding("false alarm", f"an emergency block ({alarm}) without a hazard")]
    return []


# Citations


def citations(answer: Answer, truth: Truth) -> list[Finding]:
    """Every marker resolves, every cited page holds what is quoted from it, every cited query gives its rows again."""
    known = {citation["marker"] for citation in answer["citations"]}
    used = set(re.findall(r"\[(E\d+)\]", answer["text"])) | {b["marker"] for b in answer["blocks"] if b.get("marker")}
    findings = [Finding("citation", f"{marker} resolves to nothing") for marker in sorted(used - known)]
    for citation in answer["citations"]:
        problem = cited_wrong(citation, truth)
        if problem:
            findings.append(Finding("citation", f"{citation['marker']}: {problem}"))
    return findings


def cited_wrong(citation: Mapping[str, Any], truth: Truth) -> str | None:
    """What is wrong with one citation, or None."""
    if citation["kind"] == "document":
        return _document_wrong(citation, truth)
    if citation["kind"] == "query" and citation.get("sql"):
        return _query_wrong(citation, truth)
    return None


def _document_wrong(citation: Mapping[str, Any], truth: Truth) -> str | None:
    document, revision, page, quote = (citation.get(k) for k in ("document", "revision", "page", "quote"))
    if str(document).startswith("LOG-"):
        source = truth.log_texts.get(str(citation.get("section")))
        if source is None:
            return f"there is no entry {citation.get('section')}"
        said = folded(str(quote or ""))  # a whole entry is cited with its machine and date before it
        return None if said and (said in folded(source) or folded(source) in said) else f"the entry {citation.get('section')} does not say the quotation"
    if not page:
        return f"no page of {document} is named"
    here = truth.page(str(document), str(revision), int(page))
    if here is None:
        return f"{document} revision {revision} has no page {page}"
    around = here + " " + (truth.page(str(document), str(revision), int(page) + 1) or "")  # a step list may run over
    return None if quoted_from(str(quote or ""), around) else f"page {page} of {document} does not hold {str(quote)[:60]!r}"


def quoted_from(quote: str, page: str) -> bool:
    """Whether a quotation stands on a page: all of its numbers, and nearly all of its words."""
    words = re.findall(r"[\w]+(?:[.,]\w+)*", folded(quote))
    there = set(re.findall(r"[\w]+(?:[.,]\w+)*", folded(page)))
    joined = folded(page).replace("- ", "")
    found = [word in there or word in joined for word in words]
    numbers = [ok for word, ok in zip(words, found, strict=True) if word[0].isdigit()]
    return bool(words) and all(numbers) and sum(found) >= QUOTED * len(words)


def _query_wrong(citation: Mapping[str, Any], truth: Truth) -> str | None:
    try:
        rows = truth.query(citation["sql"], **citation.get("parameters", {}))
    except OracleError as error:
        return f"its query does not run again ({error})"[:200]
    said = citation.get("rows")
    if said is None or len(rows) == said:
        return None
    if len(rows) == 1 and isinstance(rows[0][-1], int) and rows[0][-1] == said:
        return None  # one row that carries the count of all
    return None if citation.get("truncated") else f"its query gives {len(rows)} rows, not {said}"
