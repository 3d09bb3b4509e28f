"""Any stored byte of a document or signature that changes is found and named; what is kept comes back as it was."""

import sqlite3
import zlib
from contextlib import closing

import pytest

from tests.paper import PASSWORD, PROOF, QUINN, SAM, a_document, a_register, brought_to
from tools.documents.store import FILE
from tools.registry import Unavailable


@pytest.fixture
def register(tmp_path):
    return a_register(tmp_path)


def _sql(register, sql, values=()):
    with sqlite3.connect(register.store.folder / "documents.sqlite") as db:
        return db.execute(sql, values).fetchall()


def test_what_is_kept_comes_back(register):
    made = register.keep(a_document(), PROOF, SAM)
    kept = register.store.get(made.id)
    assert (kept.state, kept.version, kept.revision, kept.authors) == ("draft", 1, 1, ("sam",))
    assert register.store.tree(kept).sections == a_document().sections
    assert register.store.proof(kept) == PROOF
    assert register.keep(a_document(), PROOF, SAM).id == "DOC-2026-0002"
    assert register.store.audit() == []


@pytest.mark.parametrize("state", ["draft", "in_review", "approved", "effective", "superseded"])
def test_every_column_of_a_record_is_held(register, state):
    identity = brought_to(register, state)
    brought_to(register, "draft")
    columns = [row[1] for row in _sql(register, "PRAGMA table_info(revisions)")]
    assert len(columns) > 12
    for column in columns:
        before = _sql(register, f"SELECT {column} FROM revisions WHERE document = ? AND revision = 1", (identity,))[0][0]
        after = before + 1 if isinstance(before, int) else f"{before} "
        if column == "revision":
            after = 9
        where = (identity, after) if column == "revision" else (identity, 1)
        _sql(register, f"UPDATE revisions SET {column} = ? WHERE document = ? AND revision = 1", (after, identity))
        found = register.store.audit()
        assert found, column
        assert any(identity in text for _, text in found), (column, found)
        if column == "document":
            where = (after, 1)
        _sql(register, f"UPDATE revisions SET {column} = ? WHERE document = ? AND revision = ?", (before, *where))
        assert register.store.audit() == [], column


def test_every_column_of_a_signature_is_held(register):
    identity = brought_to(register, "approved")
    for column in [row[1] for row in _sql(register, "PRAGMA table_info(signatures)")]:
        before = _sql(register, f"SELECT {column} FROM signatures")[0][0]
        _sql(register, f"UPDATE signatures SET {column} = ?", (99 if isinstance(before, int) else f"{before}x",))
        assert any("ignature" in text for _, text in register.store.audit()), column
        _sql(register, f"UPDATE signatures SET {column} = ?", (before,))
    assert register.store.audit() == []
    _sql(register, "DELETE FROM signatures")
    assert any(about == identity and "signature" in text for about, text in register.store.audit())


@pytest.mark.parametrize("what", ["tree", "proof", "pdf"])
def test_every_byte_of_content_is_held(register, what):
    identity = brought_to(register, "effective")
    name = getattr(register.store.get(identity), what)
    content = _sql(register, "SELECT content FROM blobs WHERE sha256 = ?", (name,))[0][0]
    step = max(1, len(content) // 40)
    for place in range(0, len(content), step):
        changed = bytearray(content)
        changed[place] ^= 0x04
        _sql(register, "UPDATE blobs SET content = ? WHERE sha256 = ?", (bytes(changed), name))
        assert any(
            about == identity and text.split(" of ")[0].split()[-1] in ("content", "proof", "PDF") for about, text in register.store.audit()
        ), place
    forged = zlib.compress(zlib.decompress(content).replace(b"coolant", b"cuolant").replace(b"sop", b"sap"))
    _sql(register, "UPDATE blobs SET content = ? WHERE sha256 = ?", (forged, name))
    assert any("was changed" in text for _, text in register.store.audit())
    with pytest.raises(Unavailable, match="damaged"):
        register.store.blob(name)
    _sql(register, "DELETE FROM blobs WHERE sha256 = ?", (name,))
    assert any("is gone" in text for _, text in register.store.audit())


@pytest.mark.parametrize("what", ["tree", "proof", "pdf"])
def test_a_byte_that_is_appended_is_found_in_its_document(register, what):
    identity, other = brought_to(register, "effective"), brought_to(register, "effective")
    name = getattr(register.store.get(identity), what)
    _sql(register, "UPDATE blobs SET content = content || x'ff' WHERE sha256 = ?", (name,))  # for SQLite this is text now
    about = {about for about, _ in register.store.audit()}
    assert identity in about
    assert register.store.audit(other) == [] or getattr(register.store.get(other), what) == name
    with pytest.raises(Unavailable, match="damaged"):
        register.store.blob(name)


def test_letters_that_do_not_read_are_a_changed_record_and_no_closed_store(register):
    identity, other = brought_to(register, "in_review"), brought_to(register, "in_review")
    _sql(register, "UPDATE revisions SET title = CAST(x'ff' AS TEXT) WHERE document = ?", (identity,))
    found = register.store.audit()
    assert any(about == identity and "was changed" in text for about, text in found)
    assert other not in {about for about, _ in found}


def test_an_older_but_validly_sealed_record_put_back_is_found(register):
    identity = brought_to(register, "in_review")
    old = _sql(register, "SELECT * FROM revisions")[0]
    register.take("reject", identity, QUINN, reason="no")
    _sql(register, f"INSERT OR REPLACE INTO revisions VALUES ({', '.join('?' * len(old))})", old)
    assert [text for _, text in register.store.audit()] == [f"{identity} revision 1 is not as the trail says."]


def test_a_removed_document_is_found(register):
    identity = brought_to(register, "effective")
    _sql(register, "DELETE FROM revisions")
    assert [text for _, text in register.store.audit()] == [f"{identity} revision 1 was removed."]


def test_a_record_moved_to_another_store_does_not_hold(register, tmp_path):
    other = a_register(tmp_path / "other")
    identity = brought_to(other, "effective")
    brought_to(register, "effective")
    for table in ("revisions", "signatures", "trail"):
        rows = _sql(other, f"SELECT * FROM {table}")
        _sql(register, f"DELETE FROM {table}")
        for row in rows:
            _sql(register, f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    assert register.store.audit()
    assert register.store.get(identity)


def test_a_store_that_cannot_be_opened_is_one_sentence(tmp_path):
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "documents.sqlite").write_bytes(b"no database at all, but long enough to be read as one " * 20)
    with pytest.raises(Unavailable, match="cannot be used"):
        a_register(tmp_path)


def test_earlier_contents_are_held_too(register):
    made = register.keep(a_document(), PROOF, SAM)
    first = register.store.get(made.id).tree
    register.edit(made.id, SAM, "Purpose", "Other words.")
    assert register.store.audit() == []
    _sql(register, "DELETE FROM blobs WHERE sha256 = ?", (first,))
    assert register.store.audit(made.id) == [(made.id, f"The content of {made.id} at version 1 of revision 1 was changed or is gone.")]


def test_a_pdf_that_was_prepared_and_not_signed_is_not_kept(register):
    identity = brought_to(register, "in_review")
    before = _sql(register, "SELECT COUNT(*) FROM blobs")
    register.prepare(identity, QUINN, reason="one look")
    register.take("reject", identity, QUINN, reason="no")
    assert _sql(register, "SELECT COUNT(*) FROM blobs") == before
    assert _sql(register, "SELECT COUNT(*) FROM prepared") == [(0,)]


def _passed_on(register, step, caller, **more):
    with pytest.raises(Unavailable, match="changed by something else"):
        register.take(step, "DOC-2026-0001", caller, **more)


def test_an_author_who_was_taken_out_of_the_record_still_cannot_approve(register):
    identity = brought_to(register, "in_review")
    _sql(register, "UPDATE revisions SET authors = '[\"max\"]' WHERE document = ?", (identity,))
    _passed_on(register, "approve", QUINN, password=PASSWORD)
    assert register.store.audit(identity)


def test_a_state_that_was_written_into_the_record_leads_nowhere(register):
    identity = brought_to(register, "in_review")
    _sql(register, "UPDATE revisions SET state = 'approved' WHERE document = ?", (identity,))
    _passed_on(register, "publish", QUINN)
    assert register.store.audit(identity)


def test_an_older_store_put_back_is_not_written_on(register, tmp_path):
    first = brought_to(register, "draft")
    path, older = register.store.folder / FILE, tmp_path / "older.sqlite"
    with closing(sqlite3.connect(path)) as now, closing(sqlite3.connect(older)) as copy:
        now.backup(copy)
    register.take("submit", first, SAM)
    with closing(sqlite3.connect(older)) as copy, closing(sqlite3.connect(path)) as now:
        copy.backup(now)
    with pytest.raises(Unavailable, match="changed by something else"):
        register.keep(a_document(), PROOF, SAM)
    assert any("anchor" in text for _, text in register.store.audit())
