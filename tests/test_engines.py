"""The data tools over PostgreSQL and over files: each answer equals SQLite's over the same rows, whatever types the
database keeps its times and numbers in. The server is a real one that the tests start themselves."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.answers_alike import different, told
from tests.engines import REQUIRE_ALL, Server, native_model, postgres_server, subset, to_files, to_postgres
from tools.access import Caller, Scope
from tools.correlations import find_correlations
from tools.free_sql import run_sql
from tools.metrics import query_metrics
from tools.plant_model import Plant
from tools.records import list_records
from tools.registry import Call, Period, Result, Tool, run
from tools.signals import signal_trend
from tools.tracing import trace_material

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 6, 17, 9, tzinfo=BERLIN)
ENGINES = ("postgres", "postgres native", "postgres zoned", "duckdb parquet", "duckdb csv")
CALLERS = {
    "sam": Caller("sam", "Sam", "supervisor", via="test"),
    "olivia": Caller("olivia", "Olivia", "operator", Scope(frozenset({"LINE-3"})), via="test"),
    "eve": Caller("eve", "Eve", "expert", via="test"),
}
DATA_TOOLS = (query_metrics, list_records, trace_material, signal_trend, find_correlations, run_sql)
TOOLS = {function.__name__: Tool(function.__name__, function) for function in DATA_TOOLS}
Question = tuple[str, str, dict[str, Any]]


def ago(first: int, last: int = 0) -> Period:
    midnight = datetime(2026, 6, 17, tzinfo=BERLIN)
    return Period(f"{first} to {last} days ago", midnight - timedelta(days=first), midnight - timedelta(days=last))


MONTH = Period("May to now", datetime(2026, 5, 18, tzinfo=BERLIN), NOW)
HOURS = Period("yesterday, 5 to 11", datetime(2026, 6, 16, 5, tzinfo=BERLIN), datetime(2026, 6, 16, 11, 30, tzinfo=BERLIN))


def metric_questions(plant: Plant) -> Iterator[Question]:
    for name in plant.model.metrics:
        yield "sam", "query_metrics", {"metrics": [name], "period": ago(7)}
        yield "sam", "query_metrics", {"metrics": [name], "by": ["line"], "period": ago(7), "sort": "desc"}
        yield "sam", "query_metrics", {"metrics": [name], "by": ["day"], "period": ago(3)}
    for by in (
        ["equipment"],
        ["product"],
        ["shift"],
        ["week", "line"],
        ["hour"],
        ["reason"],
        ["day", "shift"],
        ["equipment_class"],
        ["order"],
    ):
        for name in ("oee", "scrap_rate", "downtime", "mttr", "alarm_count"):
            yield "sam", "query_metrics", {"metrics": [name], "by": by, "period": HOURS if by == ["hour"] else ago(4)}
    for where in (
        {"line": "Line 3"}, {"equipment": ["CNC-01", "CNC-02"]}, {"product": "XYZ"}, {"shift": "night"}, {"product": {"not": "XYZ"}},
        {"equipment_class": "cnc", "shift": ["day", "evening"]}, {"oee": {"min": 60}}, {"line": {"not": "Line 1"}},
    ):  # fmt: skip
        yield "sam", "query_metrics", {"metrics": ["oee", "downtime"], "where": where, "by": ["equipment"], "period": ago(6)}
    for other in ("previous_period", "target", {"line": "Line 2"}, "70", ago(14, 7)):
        yield "sam", "query_metrics", {"metrics": ["oee"], "where": {"line": "Line 3"}, "period": ago(7), "compare_to": other}
    yield "olivia", "query_metrics", {"metrics": ["oee"], "by": ["line"], "period": ago(7)}
    yield "olivia", "query_metrics", {"metrics": ["oee"], "where": {"line": "Line 1"}, "period": ago(7)}
    yield "sam", "query_metrics", {"metrics": ["downtime"], "by": ["equipment"], "sort": "desc", "limit": 3, "period": ago(7)}
    yield "sam", "query_metrics", {"metrics": ["oee"]}
    yield "sam", "query_metrics", {"metrics": ["oee"], "where": {"shift": "night"}}


def record_questions(plant: Plant) -> Iterator[Question]:
    for name, record in plant.model.records.items():
        yield "sam", "list_records", {"records": name}
        yield "olivia", "list_records", {"records": name, "limit": 7}
        if record.time:
            yield "sam", "list_records", {"records": name, "period": ago(5)}
            yield "sam", "list_records", {"records": name, "period": ago(5), "by": ["day"]}
            yield "sam", "list_records", {"records": name, "where": {"shift": "night"}, "period": ago(5)}
            yield "sam", "list_records", {"records": name, "where": {"age_days": {"max": 20}}}
        for status in record.statuses:
            yield "sam", "list_records", {"records": name, "where": {"status": status}}
            yield "sam", "list_records", {"records": name, "where": {"status": status}, "period": MONTH}
        for key in record.fields:
            if key in ("duration_min", "quantity"):
                yield "sam", "list_records", {"records": name, "where": {key: {"min": 3, "max": 90}}, "period": ago(9)}
            else:
                yield "sam", "list_records", {"records": name, "by": [key]}
    yield "sam", "list_records", {"records": "maintenance_orders", "where": {"priority": "high", "equipment": "CNC-02"}, "sort": "priority"}
    yield "sam", "list_records", {"records": "maintenance_orders", "where": {"part": "seal"}}
    yield "sam", "list_records", {"records": "nonconformances", "where": {"product": "XYZ", "status": {"not": "closed"}}}
    yield "sam", "list_records", {"records": "production_orders", "where": {"lot": "88213"}}
    yield "olivia", "list_records", {"records": "lots", "where": {"lot": "88213"}}


def other_questions() -> Iterator[Question]:
    for direction in ("backward", "forward", "both"):
        yield "sam", "trace_material", {"lot": "88213", "direction": direction}
        yield "olivia", "trace_material", {"lot": "88213", "direction": direction}
    yield "sam", "trace_material", {"lot": "no such"}
    for signal in ("spindle vibration", "coolant temperature"):
        yield "sam", "signal_trend", {"signal": signal, "equipment": "CNC-02"}
        yield "sam", "signal_trend", {"signal": signal, "equipment": "CNC-02", "period": HOURS}
    yield "sam", "find_correlations", {"outcome": "alarm 502", "period": ago(14)}
    yield "sam", "find_correlations", {"outcome": "scrap", "equipment": "CNC-02", "period": ago(14)}
    yield "sam", "find_correlations", {"outcome": "surface finish", "product": "XYZ", "period": MONTH}
    yield "sam", "find_correlations", {"outcome": "oee", "period": ago(10)}
    for sql in (
        "SELECT line_id, name FROM lines ORDER BY line_id",
        "SELECT equipment_id, SUM(good) AS good, SUM(scrap) AS scrap FROM production_hours GROUP BY equipment_id ORDER BY good DESC LIMIT 5",
        "SELECT e.equipment_class, COUNT(*) AS stops FROM downtime_events d JOIN equipment e ON e.equipment_id = d.equipment_id GROUP BY 1 ORDER BY 2 DESC, 1",
        "WITH d AS (SELECT reason, SUM(duration_s) AS s FROM downtime_events GROUP BY reason) SELECT reason FROM d ORDER BY s DESC, reason LIMIT 3",
        "SELECT name, hourly_rate FROM people ORDER BY person_id LIMIT 4",
    ):
        yield "eve", "run_sql", {"sql": sql}


# -- the same rows in every engine


@pytest.fixture(scope="module")
def rows_of_the_demo(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = demo_home / "demo" / "mes.sqlite"
    return subset(source, tmp_path_factory.mktemp("subset") / "mes.sqlite", NOW.astimezone(ZoneInfo("UTC")))


@pytest.fixture(scope="module")
def sqlite_plant(rows_of_the_demo: Path) -> Iterator[Plant]:
    plant = Plant.open(None, str(rows_of_the_demo))
    yield plant
    plant.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres_server() as started:
        yield started


@pytest.fixture(scope="module", params=ENGINES)
def plant(request: pytest.FixtureRequest, rows_of_the_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    engine, _, kind = request.param.partition(" ")
    folder = tmp_path_factory.mktemp("copy")
    if engine == "postgres":
        server = request.getfixturevalue("server")
        url = to_postgres(rows_of_the_demo, server, f"demo_{kind or 'plain'}", bool(kind), kind == "zoned")
    else:
        if importlib.util.find_spec("duckdb") is None:
            if REQUIRE_ALL:
                pytest.fail("DuckDB is missing")
            pytest.skip("DuckDB is not installed")
        url = to_files(rows_of_the_demo, folder / "files", kind)
    opened = Plant.open(native_model(folder) if kind else None, url)
    yield opened
    opened.close()


def outcome(plant: Plant, question: Question) -> Result:
    who, tool, arguments = question
    call = Call(CALLERS[who], NOW, plant, index=None, deadline_s=60.0)  # type: ignore[arg-type]
    return run(TOOLS[tool], call, arguments).result


@pytest.fixture(scope="module")
def expected(sqlite_plant: Plant) -> Answers:
    return Answers(sqlite_plant)


class Answers(dict[int, Mapping[str, Any]]):
    """SQLite's answers by the number of the question, each asked for once."""

    def __init__(self, plant: Plant) -> None:
        super().__init__()
        self.plant = plant
        self.questions = [*metric_questions(plant), *record_questions(plant), *other_questions()]

    def __missing__(self, number: int) -> Mapping[str, Any]:
        self[number] = told(outcome(self.plant, self.questions[number]))
        return self[number]


def compared(plant: Plant, expected: Answers, chosen: Sequence[int]) -> list[str]:
    found = ((number, different(expected[number], told(outcome(plant, expected.questions[number])))) for number in chosen)
    return [f"{expected.questions[number]}: {text}" for number, text in found if text]


def test_answers_are_those_of_sqlite(plant: Plant, expected: Answers, request: pytest.FixtureRequest) -> None:
    """A twelfth of the questions in each engine, another twelfth in the next; all of them in the long run."""
    place = ENGINES.index(request.node.callspec.params["plant"])
    wrong = compared(plant, expected, range(2 * place, len(expected.questions), 12))
    assert not wrong, f"{len(wrong)} answers differ:\n" + "\n".join(wrong[:25])


@pytest.mark.long
def test_every_answer_is_that_of_sqlite(plant: Plant, expected: Answers) -> None:
    wrong = compared(plant, expected, range(len(expected.questions)))
    assert not wrong, f"{len(wrong)} answers differ:\n" + "\n".join(wrong[:25])
    statuses = [expected[number]["status"] for number in range(len(expected.questions))]
    assert len(statuses) > 500
    assert statuses.count("answered") > 400
