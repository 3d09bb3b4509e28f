"""A plant's database in trouble: each failure is one sentence with status `unavailable`, nothing of the engine's text
gets out, and the service goes on and connects again. PostgreSQL is a real server that is cut, stopped and started."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.engines import Server, postgres_server, run_sql, to_postgres
from tests.small_plant import NOW, SUPERVISOR, build
from tools.metrics import query_metrics
from tools.plant_model import Plant
from tools.records import list_records
from tools.registry import Call, Period, Result, Tool, run
from tools.sql import Database, Grants, SqlTimeout, SqlUnavailable, Statement, TableGrant
from tools.sql.database import AT_ONCE

METRICS = Tool("query_metrics", query_metrics)
RECORDS = Tool("list_records", list_records)
WEEK = Period("the week", NOW - timedelta(days=7), NOW)
HOURS = Grants({"production_hours": TableGrant("production_hours", ("equipment_id", "hour_start", "good"))})
#: Cheap by its plan, and never done.
ENDLESS = "WITH RECURSIVE d(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM d) SELECT COUNT(*) FROM d"


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("small") / "mes.sqlite")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres_server() as started:
        yield started


@pytest.fixture(scope="module")
def database_name(rows: Path, server: Server) -> str:
    to_postgres(rows, server, "small", False)
    return "small"


@pytest.fixture
def plant(server: Server, database_name: str) -> Iterator[Plant]:
    opened = Plant.open(None, server.url("reader", database_name))
    yield opened
    opened.close()


def ask(plant: Plant, tool: Tool = METRICS, deadline_s: float = 10.0, **arguments: Any) -> Result:
    call = Call(SUPERVISOR, NOW, plant, index=None, deadline_s=deadline_s)  # type: ignore[arg-type]
    return run(tool, call, arguments or {"metrics": ["oee"], "by": ["line"], "period": WEEK}).result


def is_one_sentence(result: Result) -> None:
    assert result.status == "unavailable"
    assert result.message.endswith(".")
    assert result.message.count(". ") == 0
    for word in ("psycopg", "sqlite", "relation", "production_hours", "SELECT", "Traceback", "FATAL", "socket", "host"):
        assert word not in result.message


def test_a_server_that_stops_and_starts(plant: Plant, server: Server) -> None:
    before = ask(plant)
    assert before.status == "answered"
    # Two connections idle in the pool, as after a busy hour; the restart kills both.
    both = [threading.Thread(target=ask, args=(plant,)) for _ in range(AT_ONCE)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    server.stop()
    server.start()
    assert ask(plant).evidence[0].rows == before.evidence[0].rows
    server.stop()
    for _ in range(2):
        is_one_sentence(ask(plant))
    server.start()
    plant.database.closed_until = 0.0  # the circuit's ten seconds
    assert ask(plant).evidence[0].rows == before.evidence[0].rows


def test_a_connection_that_is_cut_in_mid_query(plant: Plant, server: Server) -> None:
    fresh = Database.open(server.url("reader", "small"))
    kinds: list[str] = []

    def endless() -> None:
        try:
            fresh.run(Statement(ENDLESS), HOURS, deadline_s=8.0)
        except SqlUnavailable as failure:
            kinds.append(failure.kind)

    thread = threading.Thread(target=endless)
    thread.start()
    until = time.monotonic() + 6
    while thread.is_alive() and time.monotonic() < until:
        time.sleep(0.1)
        run_sql(server.url("owner"), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader' AND state = 'active'")
    thread.join()
    assert kinds == ["connection"]
    assert fresh.run(Statement("SELECT COUNT(*) FROM production_hours"), HOURS).rows[0][0] > 0
    fresh.close()


def test_a_server_that_stands_still_is_not_waited_for(plant: Plant, server: Server) -> None:
    """Frozen, it neither answers nor hangs up, and its own timeout does not run."""
    assert ask(plant).status == "answered"
    backends = subprocess.run(
        ["psql", "-At", server.url("owner"), "-c", "SELECT pid FROM pg_stat_activity WHERE usename = 'reader'"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    postmaster = (server.folder / "data" / "postmaster.pid").read_text().split()[0]
    frozen = [int(pid) for pid in (*backends, postmaster)]
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        is_one_sentence(ask(plant, deadline_s=1.0))
        assert time.monotonic() - started < 8
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    plant.database.closed_until = 0.0
    assert ask(plant).status == "answered"


def test_a_slow_statement_is_stopped(plant: Plant) -> None:
    with pytest.raises(SqlTimeout):
        plant.database.run(Statement(ENDLESS), HOURS, deadline_s=0.3)
    assert ask(plant).status == "answered"


def test_a_locked_and_a_vanished_table(plant: Plant, server: Server) -> None:
    import psycopg

    owner = server.url("owner", "small")
    with psycopg.connect(owner) as holder:
        holder.execute("LOCK TABLE production_hours IN ACCESS EXCLUSIVE MODE")
        locked = ask(plant, deadline_s=3.0)
        is_one_sentence(locked)
        assert "locked" in locked.message
        stopped = ask(plant, deadline_s=0.3)
        is_one_sentence(stopped)
        assert "too long" in stopped.message
        holder.rollback()
    run_sql(owner, "ALTER TABLE production_hours RENAME TO gone")
    try:
        plant._cache.clear()
        vanished = ask(plant)
        is_one_sentence(vanished)
        assert "no longer has" in vanished.message
        assert ask(plant, RECORDS, records="nonconformances").status == "answered"  # the rest lives on
    finally:
        run_sql(owner, "ALTER TABLE gone RENAME TO production_hours")
    assert ask(plant).status == "answered"
    run_sql(owner, "REVOKE SELECT ON alarm_events FROM reader")
    try:
        is_one_sentence(ask(plant, RECORDS, records="alarm_events"))
        assert ask(plant).status == "answered"
    finally:
        run_sql(owner, "GRANT SELECT ON alarm_events TO reader")
    assert ask(plant, RECORDS, records="alarm_events").status in ("answered", "no_data")


def test_the_circuit_opens_and_closes(plant: Plant, server: Server) -> None:
    server.stop()
    try:
        kinds = []
        for _ in range(5):
            with pytest.raises(SqlUnavailable) as caught:
                plant.database.run(Statement("SELECT COUNT(*) FROM production_hours"), HOURS, deadline_s=2.0)
            kinds.append(caught.value.kind)
        assert kinds[-1] == "open_circuit"
        started = time.monotonic()
        is_one_sentence(ask(plant))
        assert time.monotonic() - started < 0.2  # not even asked
    finally:
        server.start()
    plant.database.closed_until = 0.0
    assert ask(plant).status == "answered"


def test_never_more_than_two_statements_at_once(plant: Plant, server: Server) -> None:
    def slow() -> None:
        with pytest.raises(SqlTimeout):
            plant.database.run(Statement(ENDLESS), HOURS, deadline_s=1.5)

    threads = [threading.Thread(target=slow) for _ in range(5)]
    for thread in threads:
        thread.start()
    most = 0
    while any(thread.is_alive() for thread in threads):
        seen = subprocess.run(
            ["psql", "-At", server.url("owner"), "-c", "SELECT COUNT(*) FROM pg_stat_activity WHERE usename = 'reader' AND state = 'active'"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        most = max(most, int(seen))
        time.sleep(0.1)
    assert most == AT_ONCE


def test_a_replica_is_preferred(server: Server, database_name: str, tmp_path: Path) -> None:
    """Two hosts in the URL: a standby that only replays is asked, and the primary where there is none."""
    standby = server.standby()
    try:
        url = f"postgresql:///small?host={server.folder},{standby.folder}&port={server.port},{standby.port}&user=reader"
        database = Database.open(url)
        session: Any = database.idle[0]
        assert session.connection.info.port == standby.port
        assert database.run(Statement("SELECT COUNT(*) FROM production_hours"), HOURS).rows[0][0] > 0
        standby.stop()
        assert database.run(Statement("SELECT COUNT(*) FROM production_hours"), HOURS).rows[0][0] > 0
        session = database.idle[0]
        assert session.connection.info.port == server.port
        database.close()
    finally:
        standby.stop()


# -- a document's rows


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_document_streams_its_rows_of_one_moment(engine: str, rows: Path, request: pytest.FixtureRequest) -> None:
    plant: Plant | None = None
    if engine == "sqlite":
        database = Database.open(str(rows))
    else:
        plant = request.getfixturevalue("plant")
        database = plant.database
    count = database.run(Statement("SELECT COUNT(*) FROM production_hours"), HOURS).rows[0][0]
    listed = Statement("SELECT equipment_id, hour_start FROM production_hours ORDER BY hour_start, equipment_id", {}, "document")
    with database.snapshot() as snapshot:
        batches = list(snapshot.stream(listed, HOURS, batch=500))
        assert [len(b.rows) for b in batches[:-1]] == [500] * (len(batches) - 1)
        assert sum(len(b.rows) for b in batches) == count
        assert not any(b.truncated for b in batches)
        everything = [row for b in batches for row in b.rows]
        assert everything == sorted(everything, key=lambda row: (row[1], row[0]))
        none = list(snapshot.stream(Statement("SELECT good FROM production_hours WHERE good < 0", {}, "document"), HOURS))
        assert [(b.columns, b.rows, b.truncated) for b in none] == [(("good",), (), False)]
        many = Statement("SELECT a.good FROM production_hours a, production_hours b", {}, "document")
        sizes = [(len(b.rows), b.truncated) for b in snapshot.stream(many, HOURS, batch=50_000)]
        assert sum(size for size, _ in sizes) == 250_000
        assert [cut for _, cut in sizes][-1] is True
        first = next(snapshot.stream(many, HOURS))  # left in the middle
        assert len(first.rows) == 5_000
        assert snapshot.run(listed, HOURS).rows[0] == everything[0]
        with pytest.raises(SqlTimeout):
            list(snapshot.stream(Statement(ENDLESS, {}, "document"), HOURS, deadline_s=0.3))
    if engine == "sqlite":
        database.close()


# -- SQLite


def test_sqlite_locked_vanished_and_replaced(tmp_path: Path) -> None:
    path = build(tmp_path / "mes.sqlite")
    plant = Plant.open(None, str(path))
    assert ask(plant).status == "answered"
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    is_one_sentence(ask(plant, deadline_s=2.0))
    writer.execute("ROLLBACK")
    writer.execute("ALTER TABLE production_hours RENAME TO gone")
    is_one_sentence(ask(plant))
    writer.execute("ALTER TABLE gone RENAME TO production_hours")
    writer.close()
    assert ask(plant).status == "answered"
    away = path.rename(tmp_path / "away.sqlite")
    is_one_sentence(ask(plant))
    away.rename(path)
    assert ask(plant).status == "answered"
    plant.close()
