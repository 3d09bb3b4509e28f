"""The bench of growing tables: both engines are made, measured and gone afterwards; at ten million rows in the long run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from evals import bench_data
from evals.postgres_server import installed


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short-named temporary folder of the test's own, which the server's user can enter."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    folder.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_small_tables_are_measured_and_deleted(temporary: Path) -> None:
    rows = {row["what"]: row for row in bench_data.rows((3_000, 12_000))}
    assert list(temporary.iterdir()) == []
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
