"""How much of what people ask the spoken request grammar covers: `python -m evals.voice_coverage` prints both shares.

Over the written phrasings (assistant/lm/corpus), each with the plan that an expert gave it. *Verbatim*: the sentence itself,
its names replaced by the plant's names of the same kind, without politeness and punctuation. *Canonical*: the request in
the grammar's own wording, made from the plan; a request with an argument that the wording cannot say is not covered.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assistant.voice.grammar import Network
from assistant.voice.pronunciation import digit_ways, number_way
from assistant.voice.vocabulary import Vocabulary

CORPUS = Path(__file__).resolve().parents[1] / "assistant" / "lm" / "corpus"
#: Argument -> slot whose names stand for what was said.
_SLOTS = {
    "equipment": "EQUIPMENT", "line": "LINE", "area": "AREA", "equipment_class": "EQUIPMENT_CLASS", "product": "PRODUCT", "variant": "PRODUCT",
    "signal": "SIGNAL", "shift": "SHIFT", "certification": "CERTIFICATION", "part": "PART", "code": "CODE", "alarm": "CODE", "task": "DO_TASK",
}  # fmt: skip
_NUMBERED = ("lot", "order", "serial")
_FILLERS = re.compile(
    r"^(?:hi|hey|hello|hallo|ok|okay|so|uh|um|well|please|yo|quick one|good morning)\b[ ,]*|[ ,]*(?:please|pls|thanks|thank you|thx)$"
)


def phrasings() -> Iterator[dict[str, Any]]:
    """Written requests with one call, without context."""
    for path in sorted(CORPUS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if len(row.get("calls") or ()) == 1 and not row.get("ctx"):
                yield row


def said_name(vocabulary: Vocabulary, key: str) -> str:
    """One of the plant's names of a kind, as spoken; "" when it has none."""
    if key in _NUMBERED:
        return "eight eight two one three"
    names = vocabulary.slots.get(_SLOTS.get(key, ""), ())
    return names[0].said[0] if names else ""


def verbatim(row: Mapping[str, Any], vocabulary: Vocabulary) -> str:
    """The sentence as words, with the plant's names."""
    text = row["q"].lower()
    for key, value in row["calls"][0]["args"].items():
        name = said_name(vocabulary, key)
        if name and isinstance(value, str):
            text = text.replace(value.lower(), f" {name} ", 1)
    return _plain(text)


def _plain(text: str) -> str:
    text = re.sub(r"\d+", lambda m: f" {_number(m.group())} ", text.lower().replace("’", "'"))
    text = " ".join(re.sub(r"[^a-z'. ]+", " ", re.sub(r"(?<![ .][a-z])\.(?= |$)", " ", text)).split())
    before = None
    while before != text:
        before, text = text, _FILLERS.sub("", text)
    return text.strip()


def _number(digits: str) -> str:
    return number_way(int(digits)) if len(digits) <= 2 and not digits.startswith("0") else digit_ways(digits)[0]


def canonical(row: Mapping[str, Any], vocabulary: Vocabulary) -> str:
    """The request in the grammar's own words; "" when it has an argument for which there are none."""
    call = row["calls"][0]
    args = dict(call["args"])
    period = _plain(str(args.pop("period", ""))) if isinstance(args.get("period", ""), str) else "?"
    place = [key for key in ("equipment", "line", "area", "equipment_class") if isinstance(args.get(key), str)]
    at = f"{said_name(vocabulary, place[0])}" if place else ""
    for key in place[:1]:
        args.pop(key)
    made = _WORDING[call["tool"]](args, at, vocabulary) if call["tool"] in _WORDING else None
    if made is None or args:
        return ""
    return " ".join(f"{made} {period}".split())


def _metric(args: dict[str, Any], at: str, vocabulary: Vocabulary) -> str | None:
    metrics = args.pop("metrics", [])
    labels = [_label(vocabulary, "METRIC", name) for name in metrics]
    if not 1 <= len(labels) <= 2 or not all(labels):
        return None
    by, sort, limit = args.pop("by", None), args.pop("sort", None), args.pop("limit", None)
    against = args.pop("compare_to", None)
    product, shift = args.pop("product", None), args.pop("shift", None)
    tail = f" of {at}" if at else f" for {said_name(vocabulary, 'product')}" if product else ""
    if product and at:
        tail += f" for {said_name(vocabulary, 'product')}"
    if shift:
        tail += f" on {said_name(vocabulary, 'shift')}"
    by_word = {"equipment": "machine"}.get(by[0], by[0]) if isinstance(by, list) and len(by) == 1 else ""
    if (by and not by_word) or (against and against not in ("target", "previous_period")):
        return None
    if sort and limit in (1, None) and by_word and len(labels) == 1:
        return f"which {by_word} had the {'lowest' if sort == 'asc' else 'highest'} {labels[0]}{tail}"
    if sort or limit:
        return None
    if against:
        tail += {"target": " against the target", "previous_period": " compared with the week before"}[str(against)]
    return f"show me the {' and '.join(labels)}{tail}{f' by {by_word}' if by else ''}"


def _records(args: dict[str, Any], at: str, vocabulary: Vocabulary) -> str | None:
    record, status = args.pop("records", ""), args.pop("status", "")
    names = [n for n in vocabulary.slots.get("RECORDS", ()) if n.value == record]
    if status:
        names = [n for n in names if n.written.startswith(str(status).replace("_", " "))]
    product = args.pop("product", None)
    if not names:
        return None
    tail = f" of {at}" if at else f" for product {said_name(vocabulary, 'product')}" if product else ""
    return f"show me all {names[0].said[0]}{tail}"


def _label(vocabulary: Vocabulary, slot: str, value: str) -> str:
    return next((name.said[0] for name in vocabulary.slots.get(slot, ()) if name.value == value), "")


def _alarm(args: dict[str, Any], at: str, vocabulary: Vocabulary) -> str | None:
    args.pop("code", None)
    return f"what is alarm {said_name(vocabulary, 'code')}{f' on {at}' if at else ''}"


def _trace(args: dict[str, Any], at: str, vocabulary: Vocabulary) -> str | None:
    kind = next((key for key in _NUMBERED if args.pop(key, None)), "")
    direction = args.pop("direction", "both")
    number = said_name(vocabulary, "lot")
    if kind == "lot":
        return (
            f"where did lot {number} go"
            if direction == "forward"
            else f"what went into lot {number}"
            if direction == "backward"
            else f"trace lot {number}"
        )
    return f"trace {kind} number {number}" if kind else None


def _signal(args: dict[str, Any], at: str, vocabulary: Vocabulary) -> str | None:
    args.pop("signal", None)
    return f"show me the {said_name(vocabulary, 'signal')}{f' of {at}' if at else ''}"


def _procedure(args: dict[str, Any], at: str, vocabulary: Vocabulary) -> str | None:
    args.pop("task", None)
    args.pop("skill", None)
    return f"how do i {said_name(vocabulary, 'task')}{f' on {at}' if at else ''}"


def _draft(args: dict[str, Any], at: str, vocabulary: Vocabulary) -> str | None:
    kind = _label(vocabulary, "DOCUMENT_KIND", args.pop("kind", ""))
    lot, product = args.pop("lot", None), args.pop("product", None)
    tail = (
        f" for lot {said_name(vocabulary, 'lot')}"
        if lot
        else f" for {at}"
        if at
        else f" for product {said_name(vocabulary, 'product')}"
        if product
        else ""
    )
    return f"write a {kind}{tail}" if kind else None


def _request(args: dict[str, Any], at: str, vocabulary: Vocabulary) -> str | None:
    kind = args.pop("kind", "")
    args.pop("text", None)
    wording = {"maintenance": "call maintenance", "help": "i need help", "quality": "call quality"}.get(kind)
    if kind == "material":
        return f"we need more material at {at}" if at else None
    return f"{wording} for {at}" if wording and at else wording


_WORDING = {
    "query_metrics": _metric, "list_records": _records, "explain_alarm": _alarm, "trace_material": _trace, "signal_trend": _signal,
    "get_procedure": _procedure, "draft_document": _draft, "raise_request": _request,
}  # fmt: skip


def coverage(network: Network, vocabulary: Vocabulary) -> dict[str, tuple[int, int]]:
    """Sentences covered verbatim and in canonical wording, of all."""
    covered, total, by_tool = Counter[str](), 0, Counter[str]()
    for row in phrasings():
        total += 1
        tool = row["calls"][0]["tool"]
        by_tool[tool] += 1
        word_for_word = network.read(verbatim(row, vocabulary).split()) is not None
        wording = canonical(row, vocabulary)
        sayable = word_for_word or (bool(wording) and network.read(wording.split()) is not None)
        covered["verbatim"] += word_for_word
        covered["canonical"] += sayable
        covered[tool] += sayable
    figures = {"verbatim": (covered["verbatim"], total), "canonical": (covered["canonical"], total)}
    return {**figures, **{f"canonical, {tool}": (covered[tool], count) for tool, count in by_tool.items()}}


def main() -> None:
    from assistant.voice.grammar import request_network
    from assistant.voice.vocabulary import vocabulary_of
    from evals.plant import demo

    with demo() as plant:
        vocabulary = vocabulary_of(plant.assistant.plant, plant.assistant.index)
        for name, (right, of) in coverage(request_network(vocabulary), vocabulary).items():
            sys.stdout.write(f"{name}: {right} of {of} ({right / max(1, of):.1%})\n")


if __name__ == "__main__":
    main()
