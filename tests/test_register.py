"""Signatures take two components, what was shown is what is kept, concurrent people do not overwrite each other, and
nothing half is left when renderer, disk or index fail."""

import hashlib
import sqlite3
import threading
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from tests.paper import (
    PASSWORD,
    PROOF,
    QUENTIN,
    QUINN,
    SAM,
    Clock,
    Passwords,
    RememberingIndex,
    a_document,
    a_register,
    brought_to,
    printed,
)  # fmt: skip
from tools.documents import open_document
from tools.documents.life import Refusal
from tools.documents.rendering import render
from tools.documents.signatures import REFUSED
from tools.registry import Unavailable


@pytest.fixture
def register(tmp_path):
    return a_register(tmp_path)


@pytest.mark.parametrize("via", ["session", "key", "command line", "test"])
def test_no_way_in_signs_without_a_password(register, via):
    identity = brought_to(register, "in_review")
    with pytest.raises(Refusal, match="your own password"):
        register.take("approve", identity, replace(QUINN, via=via))
    assert register.store.get(identity).state == "in_review"


@pytest.mark.parametrize("outcome", sorted(REFUSED))
def test_a_password_that_does_not_hold_signs_nothing_and_leaves_a_trail(tmp_path, outcome):
    register = a_register(tmp_path, passwords=Passwords({"quinn": outcome}))
    identity = register.keep(a_document(), PROOF, SAM).id
    register.take("submit", identity, SAM)
    with pytest.raises(Refusal) as refused:
        register.take("approve", identity, QUINN, password=PASSWORD)
    assert str(refused.value) == REFUSED[outcome]
    assert register.store.signatures(identity) == []
    last = register.store.trail(document=identity)[-1]
    assert (last.user, last.action, last.new) == ("quinn", "signature_refused", {"step": "approve", "outcome": outcome})
    assert PASSWORD not in str(last)


def test_a_signature_says_who_when_what_and_why_and_covers_what_is_stored(register):
    identity = brought_to(register, "in_review")
    register.take("approve", identity, QUINN, password=PASSWORD, meaning="fit for use", reason="checked on the machine")
    signed = register.store.signatures(identity)[0]
    assert (signed.name, signed.role, signed.meaning, signed.reason) == ("Quinn Adler", "quality", "fit for use", "checked on the machine")
    assert signed.at.endswith("+00:00")
    kept = register.store.get(identity)
    pdf = register.store.blob(kept.pdf)
    assert hashlib.sha256(pdf).hexdigest() == kept.manifest.pdf
    assert b"Quinn Adler (quality);" in pdf
    assert b"fit for use;checked on the machine" in pdf
    tree = register.store.blob(kept.tree)
    assert hashlib.sha256(tree).hexdigest() == kept.manifest.tree
    assert signed.manifest == hashlib.sha256(kept.manifest.text.encode()).hexdigest()


def test_later_views_serve_the_very_bytes_that_were_signed(tmp_path):
    calls = []

    def renderer(document, form, signatures=()):
        calls.append(form)
        return f"{len(calls)} {document.status}".encode()

    register = a_register(tmp_path, renderer)
    identity = brought_to(register, "effective")
    kept = register.store.get(identity)
    first = register.rendered(kept, "pdf")
    assert first == register.rendered(kept, "pdf") == register.store.blob(kept.pdf)
    assert calls == ["pdf"]
    register.take("retire", identity, QUINN, reason="old")
    assert register.rendered(register.store.get(identity), "pdf") == first


def test_what_was_shown_for_signing_is_what_is_kept(register):
    identity = brought_to(register, "in_review")
    shown = register.prepare(identity, QUINN, reason="read it")
    with pytest.raises(Refusal):
        register.prepared(shown.token, QUENTIN)
    with pytest.raises(Refusal, match="your own password"):
        register.take("approve", identity, QUINN, signing=shown.token)
    after = register.take("approve", identity, QUINN, password=PASSWORD, signing=shown.token)
    assert register.store.blob(after.pdf) == shown.pdf
    assert register.store.signatures(identity)[0].reason == "read it"
    with pytest.raises(Refusal):
        register.prepared(shown.token, QUINN)


def test_what_was_shown_is_signed_in_time_or_not_at_all(tmp_path):
    clock = Clock()
    register = a_register(tmp_path, clock=clock)
    identity = brought_to(register, "in_review")
    shown = register.prepare(identity, QUINN)
    clock.now += timedelta(minutes=16)
    with pytest.raises(Refusal, match="has passed"):
        register.take("approve", identity, QUINN, password=PASSWORD, signing=shown.token)


def test_what_changed_since_it_was_shown_is_not_signed(register):
    identity = brought_to(register, "in_review")
    shown = register.prepare(identity, QUINN)
    register.take("reject", identity, QUENTIN, reason="typo")
    register.edit(identity, SAM, "Purpose", "other words")
    register.take("submit", identity, SAM)
    with pytest.raises(Refusal):
        register.take("approve", identity, QUINN, password=PASSWORD, signing=shown.token)
    assert register.store.get(identity).state == "in_review"


def test_a_version_that_was_not_looked_at_is_refused(register):
    identity = brought_to(register, "in_review")
    with pytest.raises(Refusal, match="changed meanwhile"):
        register.take("approve", identity, QUINN, password=PASSWORD, version=1)
    assert register.take("approve", identity, QUINN, password=PASSWORD, version=2).version == 3


def test_of_people_who_decide_at_once_exactly_one_does(tmp_path):
    register = a_register(tmp_path)
    identity = brought_to(register, "in_review")
    others = [a_register(tmp_path) for _ in range(3)]
    gate, done, refused = threading.Barrier(4), [], []

    def decide(mine, who, step):
        gate.wait()
        try:
            done.append(mine.take(step, identity, who, password=PASSWORD, reason="mine").state)
        except Refusal as refusal:
            refused.append(str(refusal))

    work = [(register, QUINN, "approve"), (others[0], QUENTIN, "approve"), (others[1], QUINN, "reject"), (others[2], QUENTIN, "reject")]
    threads = [threading.Thread(target=decide, args=item) for item in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1
    assert len(refused) == 3
    assert register.store.get(identity).version == 3
    assert len(register.store.signatures(identity)) == 1
    assert register.store.audit() == []


def test_two_editors_with_the_same_version(register):
    made = register.keep(a_document(), PROOF, SAM)
    register.edit(made.id, SAM, "Purpose", "one", version=1)
    with pytest.raises(Refusal, match="changed meanwhile"):
        register.edit(made.id, QUINN, "Purpose", "two", version=1)


def test_a_new_revision_supersedes_the_one_in_force_and_leaves_its_bytes(register):
    identity = brought_to(register, "effective")
    first = register.store.get(identity, 1)
    register.revise(identity, SAM, "new filter")
    assert [(k.revision, k.state) for k in register.store.revisions(identity)] == [(1, "effective"), (2, "draft")]
    with pytest.raises(Refusal, match="finish it"):
        register.revise(identity, SAM)
    register.take("submit", identity, SAM)
    register.take("approve", identity, QUINN, password=PASSWORD)
    assert register.store.get(identity, 1).state == "effective"
    register.take("publish", identity, QUINN)
    assert [(k.revision, k.state) for k in register.store.revisions(identity)] == [(1, "superseded"), (2, "effective")]
    assert register.store.get(identity, 1).pdf == first.pdf
    assert register.store.audit() == []


def test_the_one_in_force_is_retired_although_a_draft_is_newer(register):
    identity = brought_to(register, "effective")
    register.revise(identity, SAM)
    assert register.take("retire", identity, QUINN, reason="unsafe").revision == 1
    assert register.store.get(identity).state == "draft"


# What fails leaves nothing half


def test_a_failing_renderer_is_one_sentence_and_changes_nothing(tmp_path):
    def broken(document, form, signatures=()):
        raise Unavailable("The PDF could not be made.")

    register = a_register(tmp_path, broken)
    identity = register.keep(a_document(), PROOF, SAM).id
    register.take("submit", identity, SAM)
    before = register.store.trail()
    with pytest.raises(Unavailable, match="could not be made"):
        register.take("approve", identity, QUINN, password=PASSWORD)
    assert register.store.get(identity).state == "in_review"
    assert register.store.signatures(identity) == []
    assert register.store.trail() == before


def test_a_full_disk_is_one_sentence_and_leaves_no_half_document(tmp_path):
    def large(document, form, signatures=()):
        return printed(document, form, signatures) + b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(20_000))

    register = a_register(tmp_path, large)
    identity = brought_to(register, "draft")
    register.take("submit", identity, SAM)
    connect = sqlite3.connect
    pages = register.store.rows("PRAGMA page_count")[0][0]

    def nearly_full(*arguments, **named):
        made = connect(*arguments, **named)
        made.execute(f"PRAGMA max_page_count = {pages + 3}")
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tools.documents.store.sqlite3.connect", nearly_full)
        with pytest.raises(Unavailable, match="disk is full"):
            register.take("approve", identity, QUINN, password=PASSWORD)
    assert register.store.get(identity).state == "in_review"
    assert register.store.audit() == []
    assert register.take("approve", identity, QUINN, password=PASSWORD).state == "approved"


# Sources for answers


def test_procedures_answer_exactly_while_they_are_in_force(tmp_path):
    index = RememberingIndex()
    register = a_register(tmp_path, _pdf, index)
    identity = brought_to(register, "approved")
    assert index.answering() == set()
    register.take("publish", identity, QUINN)
    assert index.answering() == {(identity, "1")}
    register.revise(identity, SAM)
    for step, who in (("submit", SAM), ("approve", QUINN), ("publish", QUINN)):
        assert index.answering() == {(identity, "1")}
        register.take(step, identity, who, password=PASSWORD if step == "approve" else None)
    assert index.answering() == {(identity, "2")}
    register.take("retire", identity, QUINN, reason="old")
    assert index.answering() == set()


def test_a_report_is_no_source_for_answers(tmp_path):
    index = RememberingIndex()
    brought_to(a_register(tmp_path, _pdf, index), "effective", kind="oee_report")
    assert index.known == {}


def test_a_process_that_dies_while_publishing_is_completed_by_the_next(tmp_path):
    index = RememberingIndex()
    register = a_register(tmp_path, _pdf, index)
    identity = brought_to(register, "approved")
    index.fails = True
    with pytest.raises(KeyboardInterrupt):
        register.take("publish", identity, QUINN)
    assert register.store.get(identity).state == "effective"
    assert index.answering() == set()
    index.fails = False
    assert a_register(tmp_path, _pdf, index).reconcile() == [f"{identity} revision 1"]
    assert index.answering() == {(identity, "1")}


def test_a_withdrawal_that_is_not_committed_is_undone_in_the_index(tmp_path, monkeypatch):
    index = RememberingIndex()
    register = a_register(tmp_path, _pdf, index)
    identity = brought_to(register, "effective")

    def dies(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("tools.documents.trail.append", dies)
    with pytest.raises(KeyboardInterrupt):
        register.take("retire", identity, QUINN, reason="old")
    assert register.store.get(identity).state == "effective"
    assert index.answering() == {(identity, "1")}


def test_a_drafting_tool_reads_what_is_kept(tmp_path):
    register = a_register(tmp_path)
    identity = brought_to(register, "in_review")
    found = open_document(tmp_path / "documents", identity)
    assert (found.id, found.status, found.revision) == (identity, "in_review", "1")
    with pytest.raises(KeyError):
        open_document(tmp_path / "documents", "DOC-1999-0001")


@cache
def _pages() -> bytes:
    """A real PDF of the small document; made once."""
    return render(a_document(), "pdf", ())


def _pdf(document, form, signatures=()):
    return _pages()
