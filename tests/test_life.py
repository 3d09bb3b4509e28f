"""Every role, step, state, password and authorship is tried: nothing becomes effective without review and signature."""

from itertools import product

import pytest

from tests.paper import ADA, EVE, PASSWORD, PEOPLE, PROOF, QUINN, SAM, a_document, a_register, brought_to
from tools.access import ROLES
from tools.documents.life import STATES, STEPS, Refusal, decide, step_to

#: The life as the requirement draws it, written here by hand: (step, from) -> to, for people of quality.
DRAWN = {
    ("submit", "draft"): "in_review", ("approve", "in_review"): "approved", ("reject", "in_review"): "draft",
    ("publish", "approved"): "effective", ("retire", "effective"): "retired",
}  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("author", [True, False])
def test_every_role_step_and_state(role, state, step, author):
    wanted = (step, state) in DRAWN and role != "administrator"
    if step == "submit":
        wanted = wanted and (author or role == "quality")
    else:
        wanted = wanted and role == "quality" and not (step == "approve" and author)
    authors = ("p",) if author else ("q",)
    if wanted:
        assert decide(step, state, "p", role, authors, "why").target == DRAWN[step, state]
    else:
        with pytest.raises(Refusal):
            decide(step, state, "p", role, authors, "why")


@pytest.mark.parametrize("step", ["reject", "retire"])
def test_sending_back_and_withdrawing_need_a_reason(step):
    source = STEPS[step].source
    with pytest.raises(Refusal, match="Say why"):
        decide(step, source, "p", "quality", ("q",), "  ")


def test_the_only_way_to_effective_is_over_a_signed_review():
    """Walk the whole graph of rules from draft: every path to effective holds approve, and approve is signed."""
    paths, ends = [("draft", ())], []
    while paths:
        state, taken = paths.pop()
        if state == "effective":
            ends.append(taken)
            continue
        paths += [(rule.target, (*taken, name)) for name, rule in STEPS.items() if rule.source == state and len(taken) < 8]
    assert ends
    assert all("approve" in taken and taken[-2:] == ("approve", "publish") for taken in ends)
    assert STEPS["approve"].signed
    assert not STEPS["approve"].by_author


def test_the_register_explored_as_a_whole(tmp_path):
    """Breadth first over what is really kept: whoever tries whatever with whichever password, from every state."""
    register = a_register(tmp_path)
    made: dict[str, str] = {}
    tried = reached = 0
    for state in STATES:
        for caller, step, password in product(PEOPLE, STEPS, (None, "wrong", PASSWORD)):
            identity = _in_state(register, state, made)
            before = register.store.revisions(identity)
            tried += 1
            try:
                after = register.take(step, identity, caller, password=password, reason="r")
            except Refusal:
                assert register.store.revisions(identity) == before
                continue
            reached += 1
            assert DRAWN[step, after.state and STEPS[step].source] == after.state
            assert caller.role == "quality" or (step == "submit" and caller == SAM)
            if step == "approve":
                assert password == PASSWORD
            if password is not None and step != "submit":
                assert password == PASSWORD
    assert tried == 6 * len(PEOPLE) * len(STEPS) * 3
    assert reached > 10
    for kept in register.store.every():
        if kept.state in ("approved", "effective", "superseded", "retired"):
            signed = [s for s in register.store.signatures(kept.document, kept.revision) if s.step == "approve"]
            assert signed
            assert signed[0].user not in kept.authors
            assert signed[0].manifest == kept.manifest.sha256
    assert register.store.audit() == []


def _in_state(register, state, made):
    """A document in this state, reused while nothing has moved it."""
    known = made.get(state)
    kept = register.store.get(known) if known else None
    if kept is None or (register.store.revisions(known)[0].state if state == "superseded" else kept.state) != state:
        made[state] = brought_to(register, state, kind="oee_report")
    return made[state]


def test_an_editor_becomes_an_author_and_may_not_approve(tmp_path):
    register = a_register(tmp_path)
    made = register.keep(a_document(), PROOF, SAM)
    register.edit(made.id, QUINN, "Purpose", "Better words.")
    register.take("submit", made.id, SAM)
    with pytest.raises(Refusal, match="author"):
        register.take("approve", made.id, QUINN, password=PASSWORD)


def test_only_drafts_are_edited_and_not_by_administrators(tmp_path):
    register = a_register(tmp_path)
    identity = brought_to(register, "in_review")
    with pytest.raises(Refusal, match=r"nly a draft"):
        register.edit(identity, SAM, "Purpose", "x")
    draft = register.keep(a_document(), PROOF, SAM)
    with pytest.raises(Refusal, match="administrator"):
        register.edit(draft.id, ADA, "Purpose", "x")
    assert register.edit(draft.id, EVE, "Purpose", "x").authors == ("sam", "eve")


@pytest.mark.parametrize(("state", "target", "step"), [
    ("in_review", "draft", "reject"), ("draft", "in_review", "submit"), ("in_review", "approved", "approve"),
    ("approved", "effective", "publish"), ("effective", "retired", "retire"), ("draft", "approved", "approve"),
])  # fmt: skip
def test_a_step_is_named_by_where_it_leads(state, target, step):
    assert step_to(state, target) == step


def test_an_unknown_target_is_one_sentence():
    with pytest.raises(Refusal, match="There is no step"):
        step_to("draft", "blessed")
