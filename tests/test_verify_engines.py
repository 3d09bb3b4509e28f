"""Verification over PostgreSQL and over files: what is drafted there can be asked again, whatever types
the database keeps its times in. The server
is a real one that the tests start themselves."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.engines import native_model, postgres_server, subset, to_files, to_postgres
from tools.access import Caller
from tools.documents import draft_document
from tools.documents.verify import verify
from tools.plant_model import Plant
from tools.registry import Call, Period

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 6, 17, 9, tzinfo=BERLIN)
DAYS = Period("ten days of June", datetime(2026, 6, 7, tzinfo=BERLIN), NOW)


class Nothing:
    """An index that holds no document, and a shelf that takes one."""

    def __init__(self):
        self.kept = []

    def documents(self):
        return []

    def passages(self, document, revision=None):
        return []

    def keep(self, document, proof, caller):
        self.kept.append((document, proof))
        return document


@pytest.fixture(scope="module")
def rows(demo_home, tmp_path_factory):
    return subset(demo_home / "demo" / "mes.sqlite", tmp_path_factory.mktemp("rows") / "mes.sqlite", NOW)


def _verified(plant):
    index = Nothing()
    call = Call(Caller("sam", "Sam", "supervisor", via="test"), NOW, plant, index, stores={"documents": index})
    for kind, arguments in (("oee_report", {"line": "LINE-1"}), ("ncr_summary", {}), ("maintenance_report", {})):
        draft_document(call, kind, period=DAYS, **arguments)
    assert len(index.kept) == 3
    return [verify(document, proof, plant, index) for document, proof in index.kept]


def test_over_postgres(rows, tmp_path):
    with postgres_server() as server:
        plant = Plant.open(native_model(tmp_path), to_postgres(rows, server, "natives", True))
        try:
            found = _verified(plant)
        finally:
            plant.close()
    assert [finding.sentence for one in found for finding in one.findings] == []
    assert sum(one.statements for one in found) > 20


def test_over_files(rows, tmp_path):
    folder = to_files(rows, tmp_path / "files", "csv")
    plant = Plant.open(native_model(tmp_path), folder)
    try:
        found = _verified(plant)
    finally:
        plant.close()
    assert [finding.sentence for one in found for finding in one.findings] == []
    assert sum(one.statements for one in found) > 20
