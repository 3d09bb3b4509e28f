"""Charts as pictures: parsed and measured, read aloud, printed by the engine that sets the documents."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.chart_data import cumulative, read, said, summary, ticks
from tools.charts import COLOURS, QUIET, RULE, svg

NS = "{http://www.w3.org/2000/svg}"
DAYS = [f"2026-06-{day:02d}" for day in range(1, 11)]


def block(
    kind: str, labels: list[str], *series: tuple[str, str, list[float | None]], limits: tuple[tuple[str, float], ...] = ()
) -> dict[str, Any]:
    return {
        "type": "chart", "kind": kind, "title": f"A {kind} chart", "x": {"label": "Day", "values": labels},
        "series": [{"name": name, "unit": unit, "values": values} for name, unit, values in series],
        "limits": [{"label": label, "value": value} for label, value in limits],
    }  # fmt: skip


LINE = block("line", DAYS, ("OEE", "%", [70.0, 72.0, None, None, 80.0, 60.0, None, 75.0, 76.0, 77.5]), limits=(("Target", 78.0),))
COLUMNS = block("bar", ["day", "evening", "night"], ("Scrap", "", [100.0, None, 250.0]), limits=(("Target", 200.0),))
ROWS = block("bar", ["CNC machining centre CNC-01", "Washer WASH-01"], ("OEE", "%", [40.0, 80.0]))
PARETO = block("pareto", ["Jam", "Tool breakage", "Cleaning"], ("Downtime", "h", [2.0, 7.0, 1.0]))


def drawn(chart: dict[str, Any], **size: int) -> ElementTree.Element:
    return ElementTree.fromstring(svg(chart, **size))


def of(root: ElementTree.Element, tag: str, name: str) -> list[ElementTree.Element]:
    return [item for item in root.iter(NS + tag) if item.get("class") == name]


def texts(root: ElementTree.Element) -> list[str]:
    return [item.text or "" for item in root.iter(NS + "text")]


@pytest.mark.parametrize("chart", [LINE, COLUMNS, ROWS, PARETO], ids=lambda chart: chart["kind"])
def test_a_picture_stands_alone_and_is_read_aloud(chart: dict[str, Any]) -> None:
    root = drawn(chart)
    assert root.get("role") == "img"
    ids = {item.get("id"): item for item in root.iter() if item.get("id")}
    title, description = (ids[name] for name in str(root.get("aria-labelledby")).split())
    assert title.text == chart["title"]
    assert chart["series"][0]["name"] in str(description.text)
    assert chart["title"] in texts(root)
    used = {item.tag.removeprefix(NS) for item in root.iter()}
    assert not used & {"style", "script", "image", "foreignObject", "use", "a"}
    assert svg(chart) == svg(chart)
    assert "sans-serif" in str(root.get("font-family"))


def test_lines_stop_at_gaps_which_are_shaded() -> None:
    root = drawn(LINE)
    (path,) = of(root, "path", "line")
    assert path.get("d", "").count("M") == 3  # the values fall into three runs
    assert path.get("d", "").count("L") == 7 - 3
    gaps = of(root, "rect", "gap")
    assert [str(gap.find(NS + "title").text) for gap in gaps] == ["no data, 3 Jun to 4 Jun", "no data, 7 Jun"]  # type: ignore[union-attr]
    assert "Without data: 3." in summary(read(LINE))
    assert "lowest 60 % (6 Jun), highest 80 % (5 Jun), latest 77.5 % (10 Jun)" in summary(read(LINE))


def test_the_target_stands_where_the_axis_says() -> None:
    root = drawn(LINE)
    scale = {
        float(item.text or "x"): float(item.get("y", "")) - 4 for item in root.iter(NS + "text") if re.fullmatch(r"\d+", item.text or "")
    }
    (low, at_low), (high, at_high) = min(scale.items()), max(scale.items())
    expected = at_low + (78.0 - low) / (high - low) * (at_high - at_low)
    (limit,) = of(root, "line", "limit")
    assert float(limit.get("y1", "")) == pytest.approx(expected, abs=0.3)
    assert limit.get("stroke-dasharray")
    assert "Target 78 %" in texts(root)
    assert "%" in texts(root)  # the unit of the axis


def test_bars_are_as_long_as_their_values() -> None:
    columns = [float(bar.get("height", "")) for bar in of(drawn(COLUMNS), "rect", "bar")]
    assert columns[1] / columns[0] == pytest.approx(2.5, rel=0.01)
    assert "–" in texts(drawn(COLUMNS))  # a missing value is no zero
    rows = [float(bar.get("width", "")) for bar in of(drawn(ROWS), "rect", "bar")]
    assert rows[1] / rows[0] == pytest.approx(2.0, rel=0.01)


def test_pareto_is_sorted_with_the_running_share() -> None:
    root = drawn(PARETO)
    names = [text for text in texts(root) if text in ("Jam", "Tool breakage", "Cleaning")]
    assert names == ["Tool breakage", "Jam", "Cleaning"]
    assert [text for text in texts(root) if text.startswith("Σ")] == ["Σ 70 %", "Σ 90 %", "Σ 100 %"]  # 7, 9 and 10 of 10
    assert "The first 2 of 3 make 90 % of the total." in summary(read(PARETO))
    assert cumulative([3.0, None, 1.0]) == [75.0, 75.0, 100.0]
    assert cumulative([0.0, None]) == [0.0, 0.0]


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_colours_are_readable_on_paper_and_series_differ_without_them() -> None:
    for colour in COLOURS:
        assert 1.05 / (luminance(colour) + 0.05) >= 3, colour  # WCAG 2 for graphics
    for colour in (QUIET, RULE):
        assert 1.05 / (luminance(colour) + 0.05) >= 4.5, colour  # for text
    three = block("line", DAYS[:3], ("A", "%", [1, 2, 3]), ("B", "%", [2, 3, 4]), ("C", "%", [3, 4, 5]))
    lines = of(drawn(three), "path", "line")
    assert len({line.get("stroke-dasharray") for line in lines}) == 3
    assert {"A", "B", "C"} <= set(texts(drawn(three)))


def test_a_mean_with_least_and_greatest_is_a_band() -> None:
    values: list[float | None] = [5.0, None, 6.0, 7.0]
    chart = block(
        "line", DAYS[:4], ("Mean", "°C", values), ("Minimum", "°C", [4.0, None, 5.0, 6.0]), ("Maximum", "°C", [8.0, None, 9.0, 9.5])
    )
    root = drawn(chart)
    assert len(of(root, "path", "line")) == 1
    assert len(of(root, "path", "band")) == 2
    assert "Minimum to maximum" in texts(root)


def test_dates_and_times_are_written_short() -> None:
    hours = [f"17 Jun 2026 {hour:02d}:00" for hour in range(3)]
    found = read(block("line", hours, ("T", "°C", [1, 2, 3])))
    assert (found.labels, found.axis) == (("00:00", "01:00", "02:00"), "Day, 17 Jun 2026")
    assert read(block("line", ["2025-12-31", "2026-01-01"], ("T", "", [1, 2]))).labels == ("31 Dec 2025", "1 Jan 2026")
    assert read(block("bar", ["2026-13-77", "CNC-01"], ("T", "", [1, 2]))).labels == ("2026-13-77", "CNC-01")


@pytest.mark.parametrize(
    ("value", "shown"), [(1234567.0, "1 234 567"), (0.123, "0.12"), (71.25, "71.2"), (3.0, "3"), (-2.5, "−2.5"), (None, "–")]
)
def test_values_as_written(value: float | None, shown: str) -> None:
    assert said(value) == shown


def test_text_of_a_plant_stays_text() -> None:
    hostile = block("bar", ["<script>alert(1)</script>", 'a"b\x00&c'], ("<b>", "<i>", [1.0, 2.0]))
    hostile["title"] = "</svg><script>x</script>"
    root = drawn(hostile)
    assert not [item for item in root.iter() if item.tag.endswith("script")]
    assert "</svg><script>x</script>" in texts(root)


def test_what_is_no_chart_is_refused() -> None:
    with pytest.raises(ValueError, match="'pie'"):
        svg({**LINE, "kind": "pie"})
    with pytest.raises(ValueError, match="no number"):
        svg(block("bar", ["a"], ("x", "", ["7"])))  # type: ignore[list-item]
    assert "No data in this period." in texts(drawn(block("line", DAYS[:2], ("x", "", [None, None]))))


@given(
    kind=st.sampled_from(["line", "bar", "pareto"]),
    values=st.lists(st.lists(st.one_of(st.none(), st.just(float('nan')), st.floats(-1e7, 1e7), st.integers(0, 10**6)), min_size=1, max_size=60), min_size=1, max_size=4),
    name=st.text(max_size=60), limit=st.one_of(st.none(), st.floats(-1e6, 1e6)), width=st.integers(240, 1200),
)  # fmt: skip
@settings(max_examples=120, deadline=None)
def test_any_chart_is_well_formed_and_stays_on_its_paper(
    kind: str, values: list[list[Any]], name: str, limit: float | None, width: int
) -> None:
    labels = [f"{name} {i}" for i in range(max(map(len, values)))]
    chart = block(
        kind, labels, *((f"s{i}", "kWh", one) for i, one in enumerate(values)), limits=((name, limit),) if limit is not None else ()
    )
    root = drawn(chart, width=width)
    paper = tuple(float(root.get(side, "")) for side in ("width", "height"))
    for item in root.iter():
        for attribute, edge in (("x", 0), ("x1", 0), ("x2", 0), ("cx", 0), ("y", 1), ("y1", 1), ("y2", 1), ("cy", 1)):
            if item.get(attribute) is not None:
                assert -1 <= float(item.get(attribute, "")) <= paper[edge] + 1, (item.tag, item.attrib)
        assert float(item.get("height", "0")) >= 0
    assert "nan" not in ElementTree.tostring(root, encoding="unicode").replace(name, "")


@given(low=st.floats(-1e6, 1e6), span=st.floats(1e-6, 1e6))
def test_ticks_are_round_even_and_few(low: float, span: float) -> None:
    high = low + span
    found = ticks(low, high)
    assert 1 <= len(found) <= 9
    assert all(low - span * 1e-3 <= tick <= high + span * 1e-3 for tick in found)


def test_a_document_prints_it_with_searchable_text(tmp_path: Path) -> None:
    import pypdfium2
    import typst

    (tmp_path / "chart.svg").write_text(svg(PARETO), encoding="utf-8")
    (tmp_path / "page.typ").write_text('#image("chart.svg", width: 16cm)', encoding="utf-8")
    typst.compile(str(tmp_path / "page.typ"), output=str(tmp_path / "page.pdf"), root=str(tmp_path))
    page = "".join(pypdfium2.PdfDocument(tmp_path / "page.pdf")[0].get_textpage().get_text_range().split())
    assert "Toolbreakage" in page
    assert "70%" in page
