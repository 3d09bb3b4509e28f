"""What a document costs: every kind drafted and printed, a report over a hundred thousand source rows, one of two hundred
pages. Goals are of two cores: under three and under twenty seconds."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from evals.gallery import SUBJECTS, Shelf
from evals.plant import Demo
from tools.documents import draft_document, render
from tools.registry import Call, Period

GOALS = {"ten pages": 3000.0, "two hundred pages": 20_000.0}
#: Days of results that fill two hundred pages.
_MANY_DAYS = 75
_LONG_KIND = """
long_list:
  title: All results
  data:
    results:
      list: quality_results
      columns: [measured, lot, equipment, characteristic, value, unit, lower_limit, upper_limit, result]
      order: measured desc
      label: Results
"""


def documents(plant: Demo) -> list[dict[str, Any]]:
    """Rows of (what, value, unit, goal)."""
    rows = []
    for kind, (arguments, _) in SUBJECTS.items():
        plain = {key: value for key, value in arguments.items() if key != "period"}
        drafted, printed, pages = _timed(plant, kind, plain, None)
        rows.append(_row(f"{kind}: draft", drafted, "ms"))
        rows.append(_row(f"{kind}: PDF of {pages} pages", printed, "ms"))
    until = plant.assistant.now()
    since = (until - timedelta(days=330)).strftime("%Y-%m-%d")
    hours = plant.truth.query("SELECT COUNT(*) FROM production_hours WHERE hour_start >= :since", since=since)[0][0]
    year = Period("the last 330 days", until - timedelta(days=330), until)
    drafted, printed, pages = _timed(plant, "oee_report", {}, year)
    rows.append(_row(f"OEE report over {hours} production records: draft and PDF of {pages} pages", drafted + printed, "ms", GOALS["ten pages"]))
    with tempfile.TemporaryDirectory(prefix="andon-bench-") as name:
        (Path(name) / "long.yaml").write_text(_LONG_KIND, encoding="utf-8")
        (Path(name) / "long_list.j2").write_text("# Results\n{{ table(results) }}\n", encoding="utf-8")
        drafted, printed, pages = _timed(
            plant, "long_list", {}, Period("long", until - timedelta(days=_MANY_DAYS), until), Path(name)
        )  # fmt: skip
    rows.append(_row(f"list of {_MANY_DAYS} days of results: draft and PDF of {pages} pages", drafted + printed, "ms", GOALS["two hundred pages"]))
    return rows


def _timed(plant: Demo, kind: str, arguments: Mapping[str, Any], period: Period | None, folder: Path | None = None) -> tuple[float, float, int]:
    """Milliseconds to draft and to print, and the pages."""
    import pypdf

    assistant, shelf = plant.assistant, Shelf()
    call = Call(
        caller=assistant.caller("quinn"), now=assistant.now(), plant=assistant.plant, index=assistant.index, policy=assistant.policy,
        stores={"documents": shelf, "kinds": folder},
    )  # fmt: skip
    begun = time.perf_counter()
    result = draft_document(call, kind, **arguments, period=period)
    middle = time.perf_counter()
    if result.status != "answered":
        raise RuntimeError(f"{kind}: {result.message}")
    pdf = render(shelf.kept[-1], "pdf")
    end = time.perf_counter()
    return 1000 * (middle - begun), 1000 * (end - middle), len(pypdf.PdfReader(io.BytesIO(pdf)).pages)


def _row(what: str, value: float, unit: str, goal: float | None = None) -> dict[str, Any]:
    return {"what": what, "value": round(value, 1), "unit": unit, "goal": goal}
