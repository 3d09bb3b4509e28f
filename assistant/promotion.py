"""Learning from use: thumbs, comments and chosen clarifications become examples, once a person has looked at each.

`candidates` lists what the turn log and the feedback suggest; `promote` makes one of them an example of the home, with the
plan that it had, that of a chosen clarification, that of the same question in other words, or one written as a plan line.
Nothing is learned without this step, and nothing at all in a frozen plant. tests/test_memory.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from assistant.lm import dsl
from assistant.lm.labels import STATUSES
from assistant.memory import accepted, keep
from assistant.problems import BadQuestion, Conflict, NotFound
from assistant.understand import Question, Understanding, understand

if TYPE_CHECKING:
    from assistant.app import Assistant


@dataclass(frozen=True)
class Candidate:
    """A turn that may teach something. `why` is `helped`, `did not help` or `chosen`; `calls` is the plan that would be
    kept, none where a person must say which was right."""

    turn: str
    at: str
    user: str
    why: str
    question: str
    calls: tuple[Mapping[str, Any], ...]
    comment: str = ""


def candidates(assistant: Assistant) -> list[Candidate]:
    """Turns with feedback, and questions whose clarification was chosen, newest first; those accepted already left out."""
    known = {one.question.lower() for one in accepted(assistant.settings.learned)}
    found: dict[str, Candidate] = {}
    recorded = assistant.store.recorded()
    for turn, following in zip(recorded, [*recorded[1:], None], strict=True):
        chosen = _chosen(turn, following)
        if chosen is not None:
            found[turn["turn"]] = _candidate(turn, "chosen", chosen)
    by_turn = {turn["turn"]: turn for turn in recorded}
    for given in assistant.store.feedback_given():
        if given["turn"] in by_turn:
            turn = by_turn[given["turn"]]
            calls = _planned(turn) if given["helped"] else ()
            found[turn["turn"]] = _candidate(turn, "helped" if given["helped"] else "did not help", calls, given["comment"] or "")
    return sorted((one for one in found.values() if one.question.lower() not in known), key=lambda one: one.at, reverse=True)


def _candidate(turn: Mapping[str, Any], why: str, calls: Sequence[Mapping[str, Any]], comment: str = "") -> Candidate:
    return Candidate(turn["turn"], turn["at"], turn["user"], why, turn["record"]["question"], tuple(calls), comment)


def _planned(turn: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    return tuple((turn["record"].get("plan") or {}).get("calls") or ())


def _chosen(turn: Mapping[str, Any], following: Mapping[str, Any] | None) -> tuple[Mapping[str, Any], ...] | None:
    """The plan of the choice that was tapped after a question back, or None."""
    if following is None or (turn["user"], turn["conversation"]) != (following["user"], following["conversation"]):
        return None
    offered = [
        choice["question"] for block in turn["record"].get("blocks", ()) if block.get("type") == "choices" for choice in block["choices"]
    ]
    return _planned(following) or None if following["record"]["question"] in offered else None


def promote(assistant: Assistant, turn: str, by: str, line: str = "", like: str = "", status: str = "") -> dict[str, Any]:
    """Make the question of a turn an example of this plant. `line` is a plan in the planner's language with the
    question's placeholders, `like` the same question in words that are understood, `status` one that needs no tool; with
    none of them the candidate's own plan counts. Returns the row. Raises Problem."""
    if assistant.settings.frozen:
        raise Conflict("This plant is frozen (`frozen` in andon.toml); it learns nothing from use.")
    found = next((one for one in assistant.store.recorded() if one["turn"] == turn), None)
    if found is None:
        raise NotFound(f"There is no turn {turn}; `andon models promote` lists what there is.")
    question, context, understood = _understood(assistant, found)
    row: dict[str, Any] = {"q": question}
    if understood.followup and context:
        row["ctx"] = list(context)
    masked = dsl.mask(understood.text, understood.placeholders)
    if status:
        if status not in STATUSES[1:]:
            raise BadQuestion(f"A status is one of {', '.join(STATUSES[1:])}.")
        row["status"] = status
    else:
        row["calls"] = _calls(line or _line(_right(assistant, turn, like, found), masked), masked)
    row |= {"turn": turn, "by": by, "at": datetime.now(UTC).isoformat(timespec="seconds")}
    keep(assistant.settings.learned, row)
    return row


def masked_question(assistant: Assistant, turn: Mapping[str, Any]) -> str:
    """The question with its placeholders, as a plan line names them."""
    _, _, understood = _understood(assistant, turn)
    return dsl.mask(understood.text, understood.placeholders).text


def _understood(assistant: Assistant, turn: Mapping[str, Any]) -> tuple[str, tuple[str, ...], Understanding]:
    question, conversation = turn["record"]["question"], turn["conversation"]
    earlier: list[str] = []
    for one in assistant.store.conversation(conversation, turn["user"]) if conversation else ():
        if one["turn"] == turn["turn"]:
            break
        earlier.append(one["record"]["question"])
    context = tuple(earlier[-3:])
    asked = Question(
        text=question, equipment=turn["record"].get("equipment"), at=assistant.now(), caller=assistant.caller(turn["user"]),
        previous_texts=context,
    )  # fmt: skip
    return question, context, understand(asked, assistant.plant, assistant.router)


def _right(assistant: Assistant, turn: str, like: str, found: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The calls that a person has called right: of other words, of the choice tapped, or of the turn itself."""
    if like:
        from assistant.turn import Ask

        calls: Sequence[Mapping[str, Any]] = assistant.plan(Ask(like, found["user"], found["record"].get("equipment")))["calls"]
        if not calls:
            raise BadQuestion(f"“{like}” leads to no look-up either; try other words, or give the plan.")
        return calls
    candidate = next((one for one in candidates(assistant) if one.turn == turn), None)
    calls = candidate.calls if candidate is not None else ()
    if not calls:
        raise BadQuestion("Say which plan was right: --like with a question that is understood, or --plan with a plan line.")
    return calls


def _line(calls: Sequence[Mapping[str, Any]], masked: dsl.Masked) -> str:
    """The closed choices of these calls, with the placeholders of the question that each tool takes."""
    written = []
    for call in calls:
        tool, arguments = call["tool"], {**call["arguments"], **(call["arguments"].get("where") or {})}
        words: dict[str, list[str]] = {}
        for name, closed in dsl.CLOSED.get(tool, {}).items():
            given = arguments.get(name)
            values = given if isinstance(given, list) else [] if given is None or isinstance(given, Mapping) else [given]
            fit = [str(value).split()[-1] if name == "sort" else str(value) for value in values]
            words[name] = [value for value in fit if value in closed]
        for placeholder, span in masked.values.items():
            takes = next((argument for argument, labels in dsl.ORDER[tool] if span.label in labels), None)
            if takes and not (words.get(takes) and takes in dsl.CLOSED.get(tool, {})):
                excluded = takes in dsl.NEGATABLE and getattr(span, "negated", False)
                words[takes] = [*words.get(takes, []), ("!" if excluded else "") + placeholder]
        written.append((tool, {name: values for name, values in words.items() if values}))
    return dsl.write_plan(written)


def _calls(line: str, masked: dsl.Masked) -> list[dict[str, Any]]:
    """A plan line as the corpus holds calls: arguments as they were said, `where` laid flat. Raises BadQuestion."""
    try:
        parsed = dsl.parse_plan(line)
    except dsl.PlanSyntax as error:
        raise BadQuestion(f"This is no plan line: {error}.") from error
    if "status" in parsed[0]:
        raise BadQuestion("A plan line names a tool; give a status with --status.")
    return [{"tool": call["tool"], "args": _said({**call["arguments"], **call["arguments"].pop("where", {})}, masked)} for call in parsed]


def _said(arguments: Mapping[str, Any], masked: dsl.Masked) -> dict[str, Any]:
    def words(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: words(item) for key, item in value.items()}
        if isinstance(value, list):
            return [words(item) for item in value]
        if isinstance(value, str) and value.startswith("<"):
            if value not in masked.values:
                raise BadQuestion(f"The question has no {value}; it reads: {masked.text}")
            return masked.values[value].text
        return value

    return {name: words(value) for name, value in arguments.items() if name != "where"}
