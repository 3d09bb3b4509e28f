"""Two or three ways to go on, in the person's own words, when a question cannot be answered as it stands.

`tool_choices` turns the router's best guesses into questions that name what was said; `name_choices` asks which of
several machines a name means. Each choice is a full question that plans without doubt. tests/test_planning.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.entities import HIERARCHY
from assistant.understand import Question, Understanding
from tools.registry import Choice

if TYPE_CHECKING:
    from assistant.planning import PlannedCall
    from tools.plant_model import Plant

MOST_CHOICES = 3
_DATA = frozenset(("query_metrics", "list_records", "signal_trend", "find_correlations"))


def name_choices(understanding: Understanding, calls: Sequence[PlannedCall], plant: Plant) -> tuple[str, tuple[Choice, ...]] | None:
    """The question and choices for a name that several machines have, where the answer depends on which."""
    if not any(call.tool in _DATA for call in calls):
        return None
    for item in understanding.placeholders:
        if item.ambiguous and item.alternatives and not item.phrase:
            text = understanding.text
            choices = tuple(
                Choice(name, " ".join(f"{text[: item.start]}{name}{text[item.end :]}".split())) for name in item.alternatives[:MOST_CHOICES]
            )
            return f"Which {item.value} do you mean?", choices
    return None


#: Words that point at a machine or line which nobody named.
_POINTS_AT = re.compile(
    r"(?<=how did )it|(?<=how does )it|(?<=how is )it(?= (?:run|do|perform|go|look))|(?<=what did )it|(?<=has )it(?= (?:run|stop|made|produced))|"
    r"(?<=did )it(?= (?:run|stop|make|produce))|\bthe other (?:one|machine|line)\b|\bthat one\b|\bthe (?:two|three|both) (?:machines?|lines?|ones)\b|\bboth of them\b",
    re.IGNORECASE,
)


def pointing_choices(understanding: Understanding, question: Question, calls: Sequence[PlannedCall], plant: Plant) -> tuple[str, tuple[Choice, ...]] | None:
    """The question and choices for "how did it run yesterday", where nothing was named before and nobody stands anywhere."""
    if question.previous or question.equipment or not any(call.tool in _DATA for call in calls):
        return None
    if any(item.label in HIERARCHY or item.label in ("product", "order", "lot") for item in understanding.placeholders):
        return None
    text = understanding.text
    m = _POINTS_AT.search(text)
    if m is None:
        return None
    own = question.caller.scope.lines
    lines = [id for id in sorted(set(plant.vocabulary("line").values())) if own is None or id in own]
    names = [plant.name("line", id) for id in lines][:MOST_CHOICES]
    return "Which machine or line do you mean?", tuple(Choice(name, f"{text[: m.start()]}{name}{text[m.end() :]}") for name in names)


def tool_choices(understanding: Understanding, question: Question, plant: Plant) -> tuple[Choice, ...]:
    """What the question could have meant, likeliest first."""
    place = _place(understanding, question, plant)
    found: list[Choice] = []
    for tool, _ in understanding.reading.tools[:6]:
        choice = _choice(tool, understanding, place, plant)
        if choice and choice.label not in (c.label for c in found):
            found.append(choice)
        if len(found) == MOST_CHOICES:
            break
    return tuple(found)


def _place(understanding: Understanding, question: Question, plant: Plant) -> str:
    for item in understanding.placeholders:
        if item.label in ("equipment", "line", "area"):
            return plant.name(item.label, item.value) if item.known else str(item.value)
    return plant.name("equipment", question.equipment) if question.equipment else ""


def _choice(tool: str, understanding: Understanding, place: str, plant: Plant) -> Choice | None:
    reading = understanding.reading
    on = f" on {place}" if place else ""
    of = f" of {place}" if place else ""
    code = next((str(p.value) for p in understanding.placeholders if p.label == "code"), "")
    words = understanding.text.strip(" ?.!")
    made: dict[str, Any] = {}
    if tool == "query_metrics":
        spec = plant.model.metrics.get(reading.best("metric"))
        label = spec.label if spec else reading.best("metric").replace("_", " ")
        made = {
            "label": f"{label}{of}",
            "question": f"Show {label if label.isupper() else label[:1].lower() + label[1:]}{of} yesterday",
        }
    elif tool == "list_records":
        record = plant.model.records.get(reading.best("record"))
        label = record.label if record else reading.best("record").replace("_", " ")
        made = {"label": f"{label.capitalize()}{on}", "question": f"Show the {label}{on}"}
    elif tool == "explain_alarm" and code:
        made = {"label": f"Alarm {code} explained", "question": f"What does alarm {code} mean{on}?"}
    elif tool == "diagnose" and len(words.split()) > 1:
        made = {"label": f"Likely causes{of}", "question": f"What are likely causes when {words}?"}
    elif tool == "get_procedure" and len(words.split()) > 1:
        made = {"label": "The steps for it", "question": f"What are the steps for: {words}?"}
    elif tool == "search_documents":
        made = {"label": "Search the manuals", "question": f"What do the manuals say about {words}?"}
    elif tool == "draft_document":
        kind = reading.best("kind").replace("_", " ")
        made = {"label": f"Draft: {kind}", "question": f"Draft a {kind}{' for ' + place if place else ''}"}
    elif tool == "raise_request":
        made = {
            "label": "Send a request",
            "question": f"Raise a {reading.best('request_kind').replace('_', ' ')} request{' for ' + place if place else ''}: {words}",
        }
    return Choice(**made) if made else None
