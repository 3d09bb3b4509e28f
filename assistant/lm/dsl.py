"""The line language in which the planner model writes plans, its grammar, and the masking of questions.

A plan is calls joined by ` ;`, each a tool name and ` name=value` words in a fixed order:
`query_metrics metrics=first_pass_yield line=<line1> shift=<shift1> period=<period1> by=day sort=desc`. A value is a
closed word or a placeholder of this very question, `!` before it excludes it; a status stands alone
(`out_of_scope`). `plan_grammar` offers exactly the words of the registry and the plant model and exactly the given
placeholders, so nothing else can be written; `parse_plan` reads a line back and refuses everything else.
`tests/test_llm.py` proves that every line of the grammar parses and that plan and line are each other's inverse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import prompts
from assistant.lm.labels import (
    BY,
    DIRECTIONS,
    DOCUMENT_KINDS,
    ENTITIES,
    INDEPENDENT,
    METRICS,
    PHRASES,
    RECORD_STATUSES,
    RECORDS,
    REQUEST_KINDS,
    SEARCH_KINDS,
    STATUSES,
    TOOLS,
)
from assistant.router import Reading

MOST_OF_A_LABEL = 4  # placeholders of one label in one question; more are left as plain words
MOST_CALLS = 3

# Per tool: its arguments in the order of writing. A tuple of words is a closed choice; "spans" takes placeholders
# of the labels named after it. `where` keys of the two data tools are written like the other arguments.
_WHERE: tuple[tuple[str, tuple[str, ...]], ...] = tuple(
    (name, (label,))
    for name, label in (
        ("site", "site"), ("area", "area"), ("line", "line"), ("equipment", "equipment"),
        ("equipment_class", "equipment_class"), ("product", "product"), ("variant", "variant"), ("order", "order"),
        ("lot", "lot"), ("serial", "serial"), ("shift", "shift"), ("operator", "person"), ("reason", "reason"),
        ("defect", "defect"), ("alarm", "code"), ("part", "part"), ("supplier", "supplier"),
        ("customer", "customer"), ("certification", "certification"), ("id", "id"), ("type", "status"),
        ("priority", "priority"), ("severity", "severity"), ("age_days", "number"), ("duration_min", "number"),
        ("quantity", "number"),
    )
)  # fmt: skip
WHERE_KEYS: tuple[str, ...] = tuple(name for name, _ in _WHERE)

CLOSED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "query_metrics": {
        "metrics": METRICS, "by": BY, "sort": ("asc", "desc"), "limit": ("1",), "status": RECORD_STATUSES,
        "compare_to": ("previous_period", "target"),
    },
    "list_records": {
        "records": RECORDS, "by": BY, "sort": ("asc", "desc"), "limit": ("1",), "status": RECORD_STATUSES,
    },
    "search_documents": {"kinds": SEARCH_KINDS},
    "get_procedure": {"skill": ("novice", "experienced", "expert")},
    "trace_material": {"direction": DIRECTIONS},
    "draft_document": {"kind": DOCUMENT_KINDS, "skill": ("novice", "experienced", "expert")},
    "raise_request": {"kind": REQUEST_KINDS},
}  # fmt: skip

_PLACE: tuple[tuple[str, tuple[str, ...]], ...] = tuple(
    (name, (name,)) for name in ("site", "area", "line", "equipment", "equipment_class")
)
ORDER: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    # (argument, labels of the placeholders it takes; empty for closed words only)
    "query_metrics": (
        ("metrics", ()), *_WHERE, ("status", ()), ("period", ("period",)), ("by", ()), ("sort", ()),
        ("limit", ("limit",)), ("compare_to", ("compare",)),
    ),
    "list_records": (
        ("records", ()), *_WHERE, ("status", ()), ("period", ("period",)), ("by", ()), ("sort", ()),
        ("limit", ("limit",)),
    ),
    "explain_alarm": (("code", ("code",)), *_PLACE),
    "diagnose": (("symptom", ("symptom",)), *_PLACE, ("product", ("product",))),
    "search_documents": (("query", ("query",)), *_PLACE, ("product", ("product",)), ("kinds", ())),
    "get_procedure": (("task", ("task",)), *_PLACE, ("product", ("product",)), ("skill", ())),
    "trace_material": (("lot", ("lot",)), ("serial", ("serial",)), ("order", ("order",)), ("direction", ())),
    "signal_trend": (("signal", ("signal",)), *_PLACE, ("period", ("period",))),
    "find_correlations": (("outcome", ("outcome",)), *_PLACE, ("product", ("product",)), ("period", ("period",))),
    "draft_document": (
        ("kind", ()), ("task", ("task",)), *_PLACE, ("product", ("product",)), ("variant", ("variant",)),
        ("lot", ("lot",)), ("alarm", ("code",)), ("shift", ("shift",)), ("period", ("period",)), ("skill", ()),
    ),
    "raise_request": (("kind", ()), ("text", ("text",)), *_PLACE, ("lot", ("lot",)), ("part", ("part",))),
    "run_sql": (("sql", ("sql",)),),
}  # fmt: skip
LISTS = frozenset({"metrics", "by", "kinds"})
NEGATABLE = frozenset({*WHERE_KEYS, "status"})
_PLACEHOLDER = re.compile(r"<([a-z_]+?)([1-9])>")


class PlanSyntax(ValueError):
    """A line that is not a plan; never shown to a person."""


class Marked(Protocol):
    """A marked name: a router's `Span`, or whatever understanding has made of it."""

    @property
    def label(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def turn(self) -> int: ...


@dataclass(frozen=True)
class Masked:
    """A question with its names replaced: `text` is what the model reads, `values` what each placeholder stands for."""

    text: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def placeholders(self) -> tuple[str, ...]:
        return tuple(self.values)


def mask(question: str, spans: Sequence[Marked], context: Sequence[str] = (), context_spans: Sequence[Marked] = ()) -> Masked:
    """Replaces spans by numbered placeholders, question first, so that `<line1>` is the one said last.

    Earlier questions stand before the question, oldest first, each ended by ` |`; of their names only those that
    still hold are masked. A name inside a phrase is listed after it: `<text1> (<equipment1>)`.
    """
    values: dict[str, Any] = {}
    numbers: dict[str, int] = {}
    asked = _masked_turn(question, [s for s in spans if s.turn == 0], values, numbers)
    earlier = []
    for position, turn in enumerate(context):
        mine = [s for s in context_spans if s.turn == position - len(context)]
        earlier.append(_masked_turn(turn, mine, values, numbers) + " | ")
    return Masked("".join(earlier) + asked, values)


def _masked_turn(text: str, spans: Sequence[Marked], values: dict[str, Any], numbers: dict[str, int]) -> str:
    named: dict[tuple[int, int, str], str] = {}
    for span in sorted(spans, key=lambda s: (s.start, s.end)):
        number = numbers.get(span.label, 0) + 1
        if number > MOST_OF_A_LABEL or span.label not in (*ENTITIES, *PHRASES):
            continue
        numbers[span.label] = number
        name = f"<{span.label}{number}>"
        values[name] = span
        named[span.start, span.end, name] = name
    out: list[str] = []
    at = 0
    places = sorted(named, key=lambda p: (p[0], -p[1]))
    for start, end, name in places:
        if start < at:  # inside a phrase that is masked already
            out.append(f"({name})" if out and out[-1].endswith((">", ")")) else f" ({name})")
            continue
        out += [_plain(text[at:start]), name]
        at = end
    return " ".join("".join([*out, _plain(text[at:])]).split())


def _plain(text: str) -> str:
    """Words of a person, in lower case, without the marks that the line language owns."""
    return re.sub(r"[<>=|;!]+", " ", text).lower()


def hints(reading: Reading, most: int = 10) -> tuple[str, ...]:
    """The router's best few, as words of the line language: three tools, then closed choices it believes in."""
    found = [label for label, p in reading.tools[:3] if p >= 0.02] or [reading.tools[0][0]]
    status = reading.best("status")
    if status != "answer" or reading.heads["status"][0][1] < 0.7:
        others = [label for label, p in reading.heads["status"][:2] if label != "answer" and p >= 0.1]
        found = [*others, *found] if status != "answer" else [*found, *others]
    tools = {label for label, p in reading.tools[:2] if p >= 0.2} or {reading.tools[0][0]}
    for head, word, needs in (
        ("metric", "metrics", {"query_metrics"}), ("record", "records", {"list_records"}),
        ("by", "by", {"query_metrics", "list_records"}), ("kind", "kind", {"draft_document"}),
        ("request_kind", "kind", {"raise_request"}), ("search_kind", "kinds", {"search_documents"}),
        ("record_status", "status", {"list_records"}), ("direction", "direction", {"trace_material"}),
        ("sort", "sort", {"query_metrics", "list_records"}), ("skill", "skill", {"get_procedure", "draft_document"}),
    ):  # fmt: skip
        if tools & needs:
            found += [f"{word}={label}" for label, p in reading.heads[head][:3] if p >= 0.25 and label != "none"]
    if reading.best("limit") == "one" and tools & {"query_metrics", "list_records"}:
        found.append("limit=1")
    if reading.best("compare_to") in ("previous_period", "target") and "query_metrics" in tools:
        found.append(f"compare_to={reading.best('compare_to')}")
    return tuple(found[:most])


def router_line(reading: Reading, masked: Masked) -> str:
    """The plan that the router alone would write: its best labels, and every placeholder where the tool takes it."""
    if reading.best("status") != "answer":
        return reading.best("status")
    count = int(reading.best("calls"))
    tools = [reading.tools[0][0], *(label for label, p in reading.tools[1:count] if p >= 0.2)]
    calls = []
    for tool in tools:
        arguments: dict[str, list[str]] = {}
        takes = {label: name for name, labels in reversed(ORDER[tool]) for label in labels}
        takes.pop("status", None)
        for name, span in masked.values.items():
            argument = takes.get(span.label)
            if argument:
                excluded = argument in NEGATABLE and getattr(span, "negated", False)
                arguments.setdefault(argument, []).append(("!" if excluded else "") + name)
        for name, head in _HEAD_OF.get(tool, {}).items():
            ranked = reading.heads[head]
            found = [label for label, p in ranked if p >= 0.5] if head in INDEPENDENT else [ranked[0][0]]
            if name == "metrics":
                found = found or [ranked[0][0]]
            found = [{"one": "1"}.get(label, label) for label in found]
            found = [label for label in found if label in CLOSED[tool][name]]
            if found and not (name == "limit" and "limit" in arguments):
                arguments[name] = found
        calls.append((tool, arguments))
    return write_plan(calls)


# Which head answers for a closed argument of a tool.
_DATA = {"by": "by", "sort": "sort", "limit": "limit", "status": "record_status"}
_HEAD_OF: Mapping[str, Mapping[str, str]] = {
    "query_metrics": {**_DATA, "metrics": "metric", "compare_to": "compare_to"}, "list_records": {**_DATA, "records": "record"},
    "search_documents": {"kinds": "search_kind"}, "get_procedure": {"skill": "skill"},
    "trace_material": {"direction": "direction"}, "draft_document": {"kind": "kind", "skill": "skill"},
    "raise_request": {"kind": "request_kind"},
}  # fmt: skip


def prompt(masked_question: str, candidates: Sequence[str]) -> str:
    """What the model reads before it writes the plan."""
    return prompts.load("planner_line").fill(candidates=" ".join(candidates), question=masked_question)


def closed_words() -> tuple[str, ...]:
    """Every closed word of the language (with its leading space inside a plan), each one token of the model."""
    words: dict[str, None] = dict.fromkeys([*TOOLS, *STATUSES[1:]])
    for tool, order in ORDER.items():
        for name, labels in order:
            words.update(dict.fromkeys(f" {name}={value}" for value in CLOSED.get(tool, {}).get(name, ())))
            if labels:
                words[f" {name}="] = None
    return (*words, " ;", "!")


def placeholder_words() -> tuple[str, ...]:
    return tuple(f"<{label}{n}>" for label in (*ENTITIES, *PHRASES) for n in range(1, MOST_OF_A_LABEL + 1))


def write_plan(calls: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    """Calls as a line. Argument values are lists of words or placeholders, `!` before an excluded one."""
    lines = []
    for tool, arguments in calls:
        words = [tool]
        for name, _ in ORDER[tool]:
            words += [f"{name}={value}" for value in arguments.get(name, ())]
        unknown = set(arguments) - {name for name, _ in ORDER[tool]}
        if unknown:
            raise PlanSyntax(f"{tool} has no {sorted(unknown)[0]}")
        lines.append(" ".join(words))
    return " ; ".join(lines)


def parse_plan(text: str) -> list[dict[str, Any]]:
    """The calls of a line, as `{"tool", "arguments"}` in the contract's shape (`where` nested, lists, `{"not": ...}`).

    A lone status gives `[{"status": ...}]`. Placeholders stay as written. Raises PlanSyntax.
    """
    line = text.strip()
    if line in STATUSES[1:]:
        return [{"status": line}]
    calls = []
    for part in line.split(" ; "):
        tool, *words = part.split() or [""]
        if tool not in ORDER:
            raise PlanSyntax(f"no tool {tool!r}")
        calls.append({"tool": tool, "arguments": _arguments(tool, words)})
    if not calls or len(calls) > MOST_CALLS:
        raise PlanSyntax("a plan has one to three calls")
    return calls


def _arguments(tool: str, words: Sequence[str]) -> dict[str, Any]:
    allowed = dict(ORDER[tool])
    flat: dict[str, list[str]] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name not in allowed or not value:
            raise PlanSyntax(f"{tool} has no {word!r}")
        flat.setdefault(name, []).append(value)
        label = _PLACEHOLDER.fullmatch(value.lstrip("!"))
        closed = CLOSED.get(tool, {}).get(name, ())
        if not (label and label.group(1) in allowed[name]) and value not in closed:
            raise PlanSyntax(f"{name} cannot be {value!r}")
    arguments: dict[str, Any] = {}
    where: dict[str, Any] = {}
    filtered = tool in ("query_metrics", "list_records")
    for name, values in flat.items():
        excluded = [v[1:] for v in values if v.startswith("!")]
        wanted = [v for v in values if not v.startswith("!")]
        given: Any = values if name in LISTS else values[0] if len(values) == 1 else values
        if excluded and not wanted:
            given = {"not": excluded[0] if len(excluded) == 1 else excluded}
        elif name == "limit" and given == "1":
            given = 1
        if filtered and name in NEGATABLE:
            where[name] = given
        else:
            arguments[name] = given
    if where:
        arguments["where"] = where
    return arguments


def plan_grammar(
    tools: Iterable[str], vocabulary: Mapping[str, Sequence[str]] | None = None, placeholders: Sequence[str] = ()
) -> str:
    """GBNF of every plan over these tools, with exactly these placeholders.

    `vocabulary` narrows closed words to what the plant model knows, by argument: `{"metrics": [...], "records":
    [...], "by": [...], "status": [...]}`; an argument that it does not name keeps all its words.
    """
    vocabulary = vocabulary or {}
    offered: dict[str, list[str]] = {}
    for name in placeholders:
        found = _PLACEHOLDER.fullmatch(name)
        if found:
            offered.setdefault(found.group(1), []).append(name)
    rules: list[str] = []
    heads: list[str] = []
    for tool in tools:
        if tool not in ORDER:
            continue
        body = [f'"{tool}"']
        writable = True
        for position, (name, labels) in enumerate(ORDER[tool]):
            closed = CLOSED.get(tool, {}).get(name, ())
            if name in vocabulary:
                closed = tuple(w for w in closed if w in vocabulary[name])
            values = [f'"{w}"' for w in closed]
            spoken = [f'"{p}"' for label in labels for p in offered.get(label, ())]
            no = '"!"? ' if tool in ("query_metrics", "list_records") and name in NEGATABLE else ""
            if spoken:
                values.append(f"{no}({' | '.join(spoken)})")
            needed = position == 0 and tool != "trace_material"
            if not values:
                writable = writable and not needed
                continue
            rule = f"{tool.replace('_', '-')}-{name.replace('_', '-')}"
            rules.append(f'{rule} ::= " {name}=" ({" | ".join(values)})')
            many = name in LISTS or name in NEGATABLE or bool(spoken)
            body.append(f"{rule}{'+' if needed and many else '' if needed else '*' if many else '?'}")
        if writable:
            heads.append(tool.replace("_", "-"))
            rules.append(f"{heads[-1]} ::= {' '.join(body)}")
    statuses = " | ".join(f'"{s}"' for s in STATUSES[1:])
    calls = " | ".join(heads)
    root = f'root ::= status | call (" ; " call)?\nstatus ::= {statuses}\ncall ::= {calls}' if heads else f"root ::= {statuses}"
    return "\n".join([root, *rules]) + "\n"
