"""A document verifies clean while nothing has changed, and any single changed row, passage, file or stored byte is found
and named. Runs over a copy of the demo plant, so that it may be spoilt."""

import shutil
import sqlite3
from contextlib import contextmanager
from pathlib import Path

import pytest

from tools.documents import kinds
from tools.documents.proof import kept_rows, row_changes
from tools.documents.verify import again

ARGUMENTS = {
    "ncr_summary": {"product": "XYZ", "period": "last quarter"}, "oee_report": {"line": "line 1"}, "shift_handover": {"line": "line 2"},
    "maintenance_report": {}, "troubleshooting_guide": {"alarm": "502", "equipment": "CNC-02"},
    "sop": {"task": "clean the coolant tank"}, "work_instruction": {"task": "changing the coolant filter", "equipment": "CNC-02"},
    "batch_record": {"lot": "88213"}, "training_report": {}, "capa": {"product": "PMP-40"}, "deviation": {"product": "XYZ"},
}  # fmt: skip


@pytest.fixture(scope="module")
def home(demo_home, tmp_path_factory):
    folder = tmp_path_factory.mktemp("verify") / "home"
    shutil.copytree(demo_home, folder, ignore=shutil.ignore_patterns("documents", "documents.*"))
    with _open(folder / "index" / "catalogue.sqlite") as db:  # its documents are those of the copy
        db.execute("UPDATE documents SET source = replace(source, ?, ?)", (str(demo_home), str(folder)))
    return folder


@pytest.fixture(scope="module")
def product(home):
    from assistant import settings
    from assistant.app import build

    made = build(settings.load(home))
    yield made
    made.close()


@pytest.fixture(scope="module")
def quinn(product):
    return product.caller("quinn")


@contextmanager
def _open(path):
    db = sqlite3.connect(path, timeout=20)
    try:
        yield db
        db.commit()
    finally:
        db.close()


def _draft(product, caller, kind, **arguments):
    made = product.documents.draft(caller, kind, arguments or ARGUMENTS.get(kind, {}))
    assert made["document"], made
    return made["document"]


@pytest.mark.parametrize("kind", sorted(ARGUMENTS))
def test_every_kind_is_clean_right_after_it_was_drafted(product, quinn, kind):
    assert kind in kinds()
    found = product.documents.verify(quinn, _draft(product, quinn, kind))
    assert found["findings"] == []
    assert found["clean"]
    assert found["statements"] + found["passages"] > 0


def test_a_draft_of_somebody_with_one_line_is_clean_for_everybody(product, quinn):
    identity = _draft(product, product.caller("olivia"), "shift_handover", line="line 3")
    assert product.documents.verify(quinn, identity)["clean"]


#: One change each: the document that it concerns, the statement that changes one row, and the one that undoes it.
_NCR = "(SELECT ncr_id FROM nonconformances WHERE product_id = 'XYZ' AND opened_at BETWEEN '2026-01-10' AND '2026-03-20' ORDER BY ncr_id LIMIT 1)"
_RESULT = "(SELECT result_id FROM quality_results WHERE lot_id = '88213' ORDER BY result_id LIMIT 1)"
_HOUR = "(SELECT MAX(rowid) FROM production_hours WHERE equipment_id IN (SELECT equipment_id FROM equipment WHERE line_id = 'LINE-1'))"
CHANGES = [
    ("ncr_summary", f"UPDATE nonconformances SET quantity = quantity + 1 WHERE ncr_id = {_NCR}"),
    ("ncr_summary", f"UPDATE nonconformances SET description = description || '.' WHERE ncr_id = {_NCR}"),
    ("ncr_summary", f"DELETE FROM nonconformances WHERE ncr_id = {_NCR}"),
    ("batch_record", f"UPDATE quality_results SET value = value + 0.001 WHERE result_id = {_RESULT}"),
    ("batch_record", "UPDATE lots SET quantity = quantity - 1 WHERE lot_id = '88213'"),
    ("batch_record", f"DELETE FROM quality_results WHERE result_id = {_RESULT}"),
    ("oee_report", f"UPDATE production_hours SET good = good + 1 WHERE rowid = {_HOUR}"),
    ("training_report", "UPDATE certifications SET expires_on = '2020-01-01' WHERE certification_id = 'CERT-0001'"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "change"), CHANGES)
def test_any_single_changed_row_is_found_and_shown(product, quinn, home, kind, change):
    identity = _draft(product, quinn, kind)
    mes = home / "demo" / "mes.sqlite"
    with _open(mes) as db:
        table = change.split()[2] if change.startswith("DELETE") else change.split()[1]
        db.execute(f"CREATE TABLE kept_aside AS SELECT * FROM {table}")
    try:
        with _open(mes) as db:
            assert db.execute(change).rowcount == 1
        found = product.documents.verify(quinn, identity)
    finally:
        with _open(mes) as db:
            db.execute(f"DELETE FROM {table}")
            db.execute(f"INSERT INTO {table} SELECT * FROM kept_aside")
            db.execute("DROP TABLE kept_aside")
    assert not found["clean"]
    assert {item["about"] for item in found["findings"]} == {"rows"}
    assert any(item["before"] or item["now"] for item in found["findings"])
    assert all(item["marker"] in item["sentence"] for item in found["findings"])


def test_a_row_that_the_document_does_not_draw_on_changes_nothing(product, quinn, home):
    identity = _draft(product, quinn, "batch_record")
    with _open(home / "demo" / "mes.sqlite") as db:
        name = "UPDATE nonconformances SET cause = COALESCE(cause, '') {} WHERE ncr_id = (SELECT MIN(ncr_id) FROM nonconformances WHERE lot_id <> '88213')"
        assert db.execute(name.format("|| ' '")).rowcount == 1
    assert product.documents.verify(quinn, identity)["clean"]


def _place(product, quinn, identity):
    kept = product.register.store.get(identity)
    return product.register.store.proof(kept)["passages"][0]


@pytest.mark.parametrize("change", ["text = text || '.'", "page = page + 1", "section = section || ' '"])
def test_any_changed_passage_is_found(product, quinn, home, change):
    identity = _draft(product, quinn, "sop")
    place = _place(product, quinn, identity)
    where = "document = ? AND revision = ? AND section = ?"
    values = (place["document"], place["revision"], place["section"])
    catalogue = home / "index" / "catalogue.sqlite"
    with _open(catalogue) as db:
        before = db.execute(f"SELECT id, text, page, section FROM passages WHERE {where}", values).fetchall()
        db.execute(f"UPDATE passages SET {change} WHERE {where}", values)
    try:
        found = product.documents.verify(quinn, identity)
    finally:
        with _open(catalogue) as db:
            db.executemany("UPDATE passages SET text = ?, page = ?, section = ? WHERE id = ?", [(t, p, s, i) for i, t, p, s in before])
    assert any(item["about"] == "passage" and place["document"] in item["sentence"] for item in found["findings"])
    assert product.documents.verify(quinn, identity)["clean"]


def test_a_changed_byte_and_a_lost_file_of_a_source_are_found(product, quinn):
    identity = _draft(product, quinn, "sop")
    place = _place(product, quinn, identity)
    path = Path(product.index.document(place["document"], place["revision"]).source)
    content = path.read_bytes()
    try:
        path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
        assert [(f["about"], f["sentence"].endswith("was changed.")) for f in product.documents.verify(quinn, identity)["findings"]] == [
            ("file", True)
        ]
        path.unlink()
        assert [(f["about"], f["sentence"].endswith("is gone.")) for f in product.documents.verify(quinn, identity)["findings"]] == [
            ("file", True)
        ]
    finally:
        path.write_bytes(content)
    assert product.documents.verify(quinn, identity)["clean"]


def test_a_source_that_is_no_longer_in_force_is_told(product, quinn):
    identity = _draft(product, quinn, "sop")
    place = _place(product, quinn, identity)
    catalogue = product.settings.index / "catalogue.sqlite"
    product.index.retire(place["document"], place["revision"])
    try:
        found = product.documents.verify(quinn, identity)["findings"]
    finally:
        with _open(catalogue) as db:
            db.execute("UPDATE documents SET retired = 0 WHERE document = ?", (place["document"],))
            db.execute("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE name = 'generation'")
    assert [f["about"] for f in found] == ["status"]
    assert found[0]["sentence"].endswith("was effective and is retired now.")


def test_a_changed_stored_byte_is_found_by_the_same_command(product, quinn):
    identity = _draft(product, quinn, "training_report")
    kept = product.register.store.get(identity)
    store = product.register.store.folder / "documents.sqlite"
    with _open(store) as db:
        content = db.execute("SELECT content FROM blobs WHERE sha256 = ?", (kept.tree,)).fetchone()[0]
        db.execute("UPDATE blobs SET content = ? WHERE sha256 = ?", (content[:50] + bytes([content[50] ^ 8]) + content[51:], kept.tree))
    try:
        found = product.documents.verify(quinn, identity)
    finally:
        with _open(store) as db:
            db.execute("UPDATE blobs SET content = ? WHERE sha256 = ?", (content, kept.tree))
    assert [item["about"] for item in found["findings"]] == ["stored"]
    assert identity in found["findings"][0]["sentence"]


def test_row_changes_are_told_row_by_row():
    before, now = kept_rows([("a", 1), ("b", 2), ("b", 2)]), kept_rows([("b", 2), ("c", 3), ("a", 1)])
    assert row_changes(before, now) == (['["b", 2]'], ['["c", 3]'])
    many, more = kept_rows([(n,) for n in range(6000)]), kept_rows([(n,) for n in range(1, 6000)])
    assert (len(row_changes(many, more)[0]), row_changes(many, more)[1]) == (1, [])
    assert (len(row_changes(many, kept_rows([(1,)]))[0]), row_changes(many, kept_rows([(1,)]))[1]) == (5999, [])


@pytest.mark.parametrize(("sql", "order", "wanted"), [
    ("SELECT a FROM t WHERE b = $1 AND c = $2 AND d = $1", ["x", "y"], "SELECT a FROM t WHERE b = :x AND c = :y AND d = :x"),
    ("SELECT a FROM t WHERE b = $x", ["x"], "SELECT a FROM t WHERE b = :x"),
    ("SELECT a FROM t WHERE l IN (:scope__lines__0)", [], "SELECT a FROM t WHERE l IN (:was__lines__0)"),
    ('WITH "s" AS (SELECT "_values"."column1" AS "day", "_values"."column2" AS "until" FROM (VALUES (\'a)\', 1), (\'b\', 2)) AS "_values") SELECT 1', [],
     'WITH "s"("day", "until") AS (VALUES (\'a)\', 1), (\'b\', 2)) SELECT 1'),
])  # fmt: skip
def test_a_statement_as_it_ran_can_be_asked_again(sql, order, wanted):
    assert again(sql, {}, order)[0] == wanted
