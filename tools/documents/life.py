"""The life of a controlled document, as rules without any store: which step leads from which state to which, who may
take it, and whether it is signed.

draft -submit-> in_review -approve-> approved -publish-> effective -> superseded (by the next revision) or retired;
reject leads back to draft with a reason. Authors are the requester and every editor, and no author approves. Nobody
but the quality role decides, and an administrator takes no step at all. tests/test_life.py walks every role, step and
state and proves that no path leads to effective without a review.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from tools.registry import ToolError

State = Literal["draft", "in_review", "approved", "effective", "superseded", "retired"]
STATES: tuple[State, ...] = get_args(State)

#: Kinds that become sources for answers while they are effective.
PROCEDURES = ("sop", "work_instruction", "troubleshooting_guide")

Why = Literal["not_allowed", "conflict", "wrong", "missing"]


class Refusal(ToolError):
    """A step that the life of a document does not allow; `why` says of which kind: not the person's to take, at odds
    with the state, wrongly asked, or about nothing that exists."""

    def __init__(self, why: Why, sentence: str) -> None:
        super().__init__(sentence)
        self.why: Why = why


@dataclass(frozen=True)
class Step:
    """One step of the life. `roles` None: every author; `signed`: it needs a signature; `reasoned`: it needs a reason;
    `meaning` is what a signature at this step means when the person does not say it."""

    source: State
    target: State
    roles: frozenset[str] | None
    signed: bool = False
    reasoned: bool = False
    by_author: bool = True
    meaning: str = ""


_QUALITY = frozenset(("quality",))

STEPS: Mapping[str, Step] = {
    "submit": Step("draft", "in_review", None),
    "approve": Step("in_review", "approved", _QUALITY, signed=True, by_author=False, meaning="reviewed and approved"),
    "reject": Step("in_review", "draft", _QUALITY, reasoned=True, meaning="reviewed and rejected"),
    "publish": Step("approved", "effective", _QUALITY, meaning="released for use"),
    "retire": Step("effective", "retired", _QUALITY, reasoned=True, meaning="withdrawn from use"),
}


def step_to(state: str, target: str) -> str:
    """The step that leads from a state to a target (a state, or the step's own name). Raises Refusal."""
    for name, step in STEPS.items():
        if name == target or (step.target == target and step.source == state):
            return name
    known = [name for name, step in STEPS.items() if step.target == target]
    if known:
        return known[0]
    raise Refusal(
        "wrong", f"There is no step to “{target}”; a document can become {', '.join(sorted({s.target for s in STEPS.values()}))}."
    )


def decide(name: str, state: str, user: str, role: str, authors: Collection[str], reason: str = "") -> Step:
    """The step, when this person may take it now. Raises Refusal with the sentence for the person."""
    step = STEPS[name]
    if role == "administrator":
        raise Refusal("not_allowed", "An administrator manages users and settings; documents are reviewed and signed by others.")
    if step.roles is None:
        if user not in authors and role not in _QUALITY:
            raise Refusal("not_allowed", "Only an author of this document or quality can submit it.")
    elif role not in step.roles:
        raise Refusal("not_allowed", f"Only the role {' or '.join(sorted(step.roles))} may {name} a document.")
    if state != step.source:
        raise Refusal("conflict", f"This document is {said(state)}; only one that is {said(step.source)} can be {_DONE[name]}.")
    if not step.by_author and user in authors:
        raise Refusal("not_allowed", "You are an author of this document; somebody else has to review it.")
    if step.reasoned and not reason.strip():
        raise Refusal("wrong", f"Say why: to {name} a document needs a reason.")
    return step


def may_edit(state: str, role: str) -> None:
    """Raises Refusal unless a person of this role may edit a document in this state."""
    if role == "administrator":
        raise Refusal("not_allowed", "An administrator manages users and settings and sees no plant data.")
    if state != "draft":
        raise Refusal("conflict", f"This document is {said(state)}; only a draft can be edited. Reject it, or make a new revision.")


def said(state: str) -> str:
    return state.replace("_", " ")


_DONE = {"submit": "submitted", "approve": "approved", "reject": "rejected", "publish": "published", "retire": "retired"}
