"""The bench of growing tables: both engines are made, measured and gone afterwards; at ten million rows in the long run."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from evals import bench_data
from evals.postgres_server import installed


def leftovers() -> set[str]:
    return {path.name for path in Path(tempfile.gettempdir()).glob("andon-bench-*")}


def test_small_tables_are_measured_and_deleted() -> None:
    before = leftovers()
    rows = {row["what"]: row for row in bench_data.rows((3_000, 12_000))}
    assert leftovers() == before
    engines = ("SQLite", "PostgreSQL") if installed() is not None else ("SQLite",)
    for engine in engines:
        for size in ("3,000", "12,000"):
            for way in ("by the rows", "with a rollup"):
                row = rows[f"{engine}, {size} rows: OEE of a line in a week, {way}, median of {bench_data.ROUNDS}"]
                assert row["value"] > 0
                assert row["goal"] == 100.0
        assert f"{engine}: time grows with the rows to the power of" in rows


@pytest.mark.long
def test_ten_million_rows_with_a_rollup_stay_under_the_goal() -> None:
    rows = bench_data.rows((*bench_data.SIZES, bench_data.LARGE))
    slow = [row for row in rows if row["goal"] is not None and row["value"] >= row["goal"]]
    assert not slow
