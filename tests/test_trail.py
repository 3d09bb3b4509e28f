"""The trail has no gap whenever the process dies, tells old and new, and shows every byte that was changed in it."""

import csv
import io
import multiprocessing
import os
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.paper import PASSWORD, PROOF, QUINN, SAM, a_document, a_register, brought_to
from tools.chain import Chain
from tools.documents.trail import COLUMNS, as_csv


def _approves_until_killed(folder: Path, moments: int) -> None:
    """In a process of its own: approve, and die by SIGKILL at the n-th write, commit or anchor."""
    left = moments

    def moment() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    class Counted(sqlite3.Connection):
        def execute(self, sql, *values):
            counts = not sql.startswith(("PRAGMA", "SELECT"))
            if counts:
                moment()
            done = super().execute(sql, *values)
            if counts:
                moment()
            return done

    def counted(self, held, pending):
        moment()
        write(self, held, pending)
        moment()

    connect, write = sqlite3.connect, Chain.write
    sqlite3.connect = lambda *arguments, **named: connect(*arguments, factory=Counted, **named)
    Chain.write = counted
    a_register(folder).take("approve", "DOC-2026-0001", QUINN, password=PASSWORD)


def test_killed_at_every_step_nothing_is_half_and_no_entry_is_missing(tmp_path):
    """Approve in a child that is killed at its 1st, 2nd, 3rd ... write, commit or anchor; each time the store is whole,
    state, signature and trail agree, and the next person goes on."""
    seen = set()
    for moment in range(1, 60):
        folder = tmp_path / str(moment)
        register = a_register(folder)
        brought_to(register, "in_review")
        child = multiprocessing.get_context("fork").Process(target=_approves_until_killed, args=(folder, moment))
        child.start()
        child.join()
        assert register.store.audit() == [], moment
        kept = register.store.get("DOC-2026-0001")
        entries = register.store.trail(document="DOC-2026-0001")
        assert entries[-1].new["state"] == kept.state
        assert bool(register.store.signatures(kept.document)) == (kept.state == "approved") == (entries[-1].action == "approve")
        seen.add(kept.state)
        if kept.state == "in_review":
            register.take("approve", kept.document, QUINN, password=PASSWORD)
        register.take("publish", kept.document, QUINN)
        assert register.store.audit() == [], moment
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
    else:
        pytest.fail("the child never finished")
    assert seen == {"in_review", "approved"}
    assert moment > 12


@pytest.mark.parametrize("column", [*COLUMNS, "mac"])
def test_every_column_of_an_entry_is_held(tmp_path, column):
    register = a_register(tmp_path)
    brought_to(register, "effective")
    _tamper(register, f"UPDATE trail SET {column} = {'77' if column == 'number' else repr('{}')} WHERE number = 2")
    (about, sentence), *_ = register.store.audit()
    assert about == ""
    assert "2 of the trail" in sentence or "before number" in sentence


@pytest.mark.parametrize("sql", [
    "DELETE FROM trail WHERE number = (SELECT MAX(number) FROM trail)", "DELETE FROM trail WHERE number > 1", "DELETE FROM trail",
    "INSERT INTO trail SELECT number + 1, at, user, name, role, via, action, document, revision, old, new, reason, mac FROM trail ORDER BY number DESC LIMIT 1",
])  # fmt: skip
def test_a_cut_or_lengthened_tail_is_found(tmp_path, sql):
    register = a_register(tmp_path)
    brought_to(register, "effective")
    _tamper(register, sql)
    assert any("removed or added" in text or "was changed" in text for _, text in register.store.audit())


def test_entries_tell_old_and_new_and_why(tmp_path):
    register = a_register(tmp_path)
    made = register.keep(a_document(), PROOF, SAM)
    register.edit(made.id, QUINN, "Purpose", "Other words.", reason="clearer")
    entry = register.store.trail(document=made.id)[-1]
    assert (entry.user, entry.action, entry.reason) == ("quinn", "edited", "clearer")
    assert (entry.old["text"], entry.new["text"]) == ("Keeps the coolant clean.", "Other words.")
    assert (entry.old["authors"], entry.new["authors"]) == (["sam"], ["sam", "quinn"])
    assert (entry.old["version"], entry.new["version"]) == (1, 2)


def test_the_trail_is_filtered_and_exported(tmp_path):
    register = a_register(tmp_path)
    one, two = brought_to(register, "effective"), brought_to(register, "draft")
    assert {e.document for e in register.store.trail(document=two)} == {two}
    assert [e.action for e in register.store.trail(user="quinn")] == ["approve", "publish"]
    assert [e.document for e in register.store.trail(action="approve")] == [one]
    middle = register.store.trail()[2].at
    assert [e.number for e in register.store.trail(since=middle)] == [3, 4, 5]
    assert [e.number for e in register.store.trail(until=middle)] == [1, 2]
    rows = list(csv.DictReader(io.StringIO(as_csv(register.store.trail()))))
    assert [row["action"] for row in rows] == ["drafted", "submit", "approve", "publish", "drafted"]


def test_a_spreadsheet_computes_nothing_out_of_an_export(tmp_path):
    register = a_register(tmp_path)
    made = register.keep(a_document(), PROOF, SAM)
    register.edit(made.id, SAM, "Purpose", "x", reason="=HYPERLINK(1)")
    assert list(csv.DictReader(io.StringIO(as_csv(register.store.trail()))))[-1]["reason"] == "'=HYPERLINK(1)"


def _tamper(register, sql):
    with sqlite3.connect(register.store.folder / "documents.sqlite") as db:
        db.execute(sql)
