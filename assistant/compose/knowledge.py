"""What is said of documents, alarms, symptoms and procedures: the source's own words first, then what the plant's
records add. Sentences hold slots only; passages and steps are shown verbatim with their anchor."""

from __future__ import annotations

from typing import Any

from assistant.compose.said import Block, Context, Said, chart, passage, steps, table, warning
from tools.evidence import Evidence, slot
from tools.registry import Step
from tools.sources import FIELDS


def compose_search_documents(step: Step, context: Context) -> Said:
    """The sentence that answers, quoted, with its document, revision and page; further passages below."""
    first = step.result.evidence[0]
    sentences = [f"{_source(first)}: “{slot(first, 'quote0')}”"]
    sentences += [f"Also {_source(item, start=False)}: “{slot(item, 'quote0')}”" for item in step.result.evidence[1:]]
    blocks = [passage(item, item.quotes[1], _kind(item)) for item in step.result.evidence]
    place = step.result.data.get("disagree")
    if place is not None:
        other = step.result.evidence[place]
        said, block = _disagreement("the value", first, other, "quote0")
        sentences.insert(0, said)
        blocks.insert(0, block)
    spoken = [f"{slot(first, 'quote0')}"]
    if place is not None:
        spoken.append("Another source in force says something else. Look at the screen.")
    _say_out_of_force(step, sentences, first)
    return Said(tuple(sentences), tuple(blocks), tuple(spoken), ("show me the procedure",))


def _disagreement(what: str, first: Evidence, other: Evidence, name: str) -> tuple[str, Block]:
    """That two sources in force contradict each other: a sentence that cites both, and a warning that shows both."""
    sentence = (
        f"Two sources in force disagree about {what}: {_source(first)} says “{slot(first, name)}”, "
        f"{_source(other, start=False)} says “{slot(other, name)}”. Ask who is responsible before you act."
    )
    texts = [item.quotes[0].text if name == "quote0" else str(item.facts[name][1]) for item in (first, other)]
    shown = "; ".join(f"{item.facts['document'][1]}: “{text}”" for item, text in zip((first, other), texts, strict=True))
    return sentence, warning(f"Two sources in force disagree about {what}. {shown}", first) | {"markers": [first.marker, other.marker]}


def _say_out_of_force(step: Step, sentences: list[str], item: Evidence) -> None:
    """An older or a coming revision is shown when it is asked for by name, and never without saying so."""
    status = step.result.data.get("out_of_force")
    if status:
        word = "is not in force yet" if status == "pending" else "is superseded and no longer in force"
        sentences.insert(0, f"{slot(item, 'document')} revision {slot(item, 'revision')} {word}.")


def _kind(item: Evidence) -> str:
    return "field_note" if item.kind == "field_note" else (item.record or "manual")


def _source(item: Evidence, start: bool = True) -> str:
    """Where a quotation stands, as slots: a document with revision and page, or a log entry with author and date."""
    if item.record == "log" or item.kind == "field_note":
        what = "field note" if item.kind == "field_note" else "log entry"
        head = f"A {what}" if start else f"a {what}"
        if item.facts["author"][1]:
            head += f" by {slot(item, 'author')}"
        return head + (f" of {slot(item, 'date')}" if item.facts["date"][1] else "")
    page = f", page {slot(item, 'page')}" if "page" in item.facts else ""
    revision = f" revision {slot(item, 'revision')}" if item.facts["revision"][1] else ""
    return f"{slot(item, 'document')}{revision}{page}"


def compose_get_procedure(step: Step, context: Context) -> Said:
    """The whole approved step list, verbatim."""
    item = step.result.evidence[0]
    lines = step.result.data["lines"]
    sentence = f"{slot(item, 'section')}, {slot(item, 'steps')} steps, from {_source(item)}."
    blocks: list[Block] = []
    if step.result.data.get("skill") == "expert":
        warnings = [line["warning"] for line in lines if line.get("warning")]
        blocks += [warning(str(text), item) for text in warnings]
    blocks.append(steps(item, item.quotes[0], lines))
    said = [sentence]
    _say_out_of_force(step, said, item)
    spoken = [f"{slot(item, 'section')}: {slot(item, 'steps')} steps, on the screen."]
    if item.quotes[1:]:
        spoken.append(f"First: {slot(item, 'quote1')}")
    others = step.result.data.get("others", ())
    return Said(tuple(said), tuple(blocks), tuple(spoken), tuple(f"show me the procedure {name}" for name in others))


def compose_explain_alarm(step: Step, context: Context) -> Said:
    """Meaning, the approved steps, causes published and counted, then what is going on now."""
    evidence, data = step.result.evidence, step.result.data
    sentences: list[str] = []
    blocks: list[Block] = []
    spoken: list[str] = []
    if data.get("entry"):
        entry = evidence[0]
        if data.get("disagree"):
            place, names = data["disagree"]
            for name in names:
                said, block = _disagreement(FIELDS["title" if name == "alarm" else name], entry, evidence[place], name)
                sentences.append(said)
                blocks.append(block)
            spoken.append("Two sources in force disagree about it. Look at the screen.")
        sentences += _meaning(entry)
        _say_out_of_force(step, sentences, entry)
        spoken += [f"Alarm {slot(entry, 'code')}: {slot(entry, 'alarm')}."]
        blocks.append(passage(entry, entry.quotes[0]))
    if "causes" in data:
        counted = evidence[data["causes"]]
        words = _causes(counted)
        sentences += words
        spoken += words[:1]
        blocks.append(_cause_chart(counted))
        blocks.append(table(counted, context.zone, derived=True))
    if "steps" in data:
        item = evidence[data["steps"]]
        sentences.append(f"The approved steps are in {_source(item)}, section {slot(item, 'section')}.")
        blocks.insert(len(data["disagree"][1]) if data.get("disagree") else 0, steps(item, item.quotes[0], data["lines"]))
        spoken.append("The approved steps are on the screen.")
    elif data.get("entry") and "remedy" in evidence[0].facts:
        spoken.append(f"{slot(evidence[0], 'remedy')}")
    sentences += _now(evidence, data)
    for name in ("events", "orders", "spares"):
        if name in data:
            blocks.append(table(evidence[data[name]], context.zone, limit=10, derived=name == "spares"))
    place, count = data.get("notes", (0, 0))
    for item in evidence[place : place + count]:
        sentences.append(f"What fixed it before, {_source(item, start=False)}: “{slot(item, 'quote0')}”")
        blocks.append(passage(item, item.quotes[1], _kind(item)))
    if data.get("not_of"):
        said = "No list for the machine in front has this alarm; what follows is of another machine."
        sentences.insert(0, said)
        spoken.insert(0, said)
    if data.get("unknown_machine"):
        sentences.append("The machine named is not in this plant’s list, so only the document is quoted."
                         + (f" [{evidence[0].marker}]" if evidence else ""))  # fmt: skip
    return Said(tuple(sentences), tuple(blocks), tuple(spoken),
                ("show me the open maintenance orders", "how often this month", "draft a troubleshooting guide"))  # fmt: skip


def _meaning(entry: Evidence) -> list[str]:
    facts = entry.facts
    said = f"Alarm {slot(entry, 'code')}: {slot(entry, 'alarm')}."
    if "description" in facts:
        said += f" {slot(entry, 'description')}"
    out = [said]
    for name, lead in (("consequence", "If nothing is done: "), ("cause", "Published causes: "), ("remedy", "What to do: ")):
        if name in facts:
            out.append(f"{lead}{slot(entry, name)}")
    if "severity" in facts:
        time = f", time to respond {slot(entry, 'response_time')}" if "response_time" in facts else ""
        out.append(f"Severity {slot(entry, 'severity')}{time}.")
    return out


def _causes(counted: Evidence) -> list[str]:
    """The three most frequent causes with counts; entries that do not say are named as such."""
    named = [place for place, row in enumerate(counted.rows) if row["cause"] != "not stated"]
    if not named:
        return [f"The log has {slot(counted, 'cases')} cases of it, and none says the cause."]
    parts = [f"{slot(counted, 'cause', place)} ({slot(counted, 'count', place)})" for place in named[:3]]
    return [f"In {slot(counted, 'cases')} logged cases the cause was most often {', then '.join(parts)}."]


def _cause_chart(counted: Evidence) -> dict[str, Any]:
    rows = counted.rows[:8]
    return chart(counted, "bar", counted.title, ("cause", [str(row["cause"]) for row in rows]),
                 [{"name": "cases", "unit": "", "values": [row["count"] for row in rows]}])  # fmt: skip


def _now(evidence: tuple[Evidence, ...], data: Any) -> list[str]:
    """Recent occurrences, open orders, stock."""
    out = []
    if "events" in data:
        item = evidence[data["events"]]
        out.append(f"It was raised {_count(item)} in {slot(item, 'period')}, last {slot(item, 'raised', 0)}.")
    if "orders" in data:
        item = evidence[data["orders"]]
        out.append(f"Open maintenance orders on this machine: {_count(item)}.")
    if "spares" in data:
        item = evidence[data["spares"]]
        parts = [f"{slot(item, 'name', place)} {slot(item, 'stock', place)}" for place in range(min(3, len(item.rows)))]
        out.append(f"In stock: {', '.join(parts)}.")
    return out


def _count(item: Evidence) -> str:
    return f"{slot(item, 'count')} times" if "raised" in item.rows[0] else slot(item, "count")


def _similar(counted: Evidence) -> str:
    """The three most frequent causes of similar log entries with counts."""
    named = [place for place, row in enumerate(counted.rows) if row["cause"] != "not stated"]
    if not named:
        return f"The log has {slot(counted, 'cases')} similar entries, and none says the cause."
    parts = [f"{slot(counted, 'cause', place)} ({slot(counted, 'count', place)})" for place in named[:3]]
    return f"In {slot(counted, 'cases')} similar log entries of {slot(counted, 'period')} the cause was most often {', then '.join(parts)}."


def compose_diagnose(step: Step, context: Context) -> Said:
    """What the manuals say first, then similar cases of the plant's own logs, then open orders."""
    evidence, data = step.result.evidence, step.result.data
    books = evidence[: data.get("manual", 0)]
    cases = evidence[len(books) : len(books) + data.get("cases", 0)]
    sentences = [f"{_source(item)}: “{slot(item, 'quote0')}”" for item in books[:2]]
    blocks: list[Block] = [passage(item, item.quotes[1], _kind(item)) for item in books]
    for item in cases:
        sentences.append(f"A similar case, {_source(item, start=False)}: “{slot(item, 'quote0')}”")
        blocks.append(passage(item, item.quotes[1], _kind(item)))
    if "causes" in data:
        counted = evidence[data["causes"]]
        sentences.insert(len(books[:2]), _similar(counted))
        blocks.append(table(counted, context.zone, derived=True))
    if data.get("orders"):
        item = evidence[-1]
        sentences.append(f"Open maintenance orders on this machine: {slot(item, 'count')}.")
        blocks.append(table(item, context.zone, limit=10))
    first = (books or cases or evidence)[0]
    spoken = (f"{slot(first, 'quote0')}",) if first.quotes else ()
    return Said(tuple(sentences), tuple(blocks), spoken, ("show me the procedure", "show me the open maintenance orders"))
