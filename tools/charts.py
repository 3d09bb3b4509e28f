"""A chart block as one SVG picture: for documents, downloads and print, from the same data that the tablet draws.

The picture stands alone: vector, text as text (searchable, read aloud, no font shipped), a title and a description that
says the figures, units on the axis, targets and limits named at their line, and stretches without data shaded instead of
bridged. Series differ by dash and marker as well as by colour, so that a grey print still tells them apart. Built as an
element tree, so that no text of a plant can become markup. tests/test_charts.py parses every kind and measures.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from tools.chart_data import KINDS, VITAL_SHARE, Chart, Series, cumulative, read, said, summary, ticks

__all__ = ["KINDS", "svg"]

WIDTH, HEIGHT = 720, 340
FONT = "'DejaVu Sans', 'Liberation Sans', 'Noto Sans', Arial, sans-serif"
TEXT, SMALL = 13, 12
#: A generous mean width of a character in ems: pictures are laid out without the font at hand.
EM = 0.6
INK, QUIET, GRID, PALE, RULE = "#1a1f22", "#4a5358", "#d5dadc", "#eceff0", "#a3121b"
COLOURS = ("#1f4e79", "#c06f00", "#0a7a5a", "#7a4a94", "#5c656a")
_EDGE = {"stroke": "#ffffff", "stroke_width": 3, "paint_order": "stroke", "stroke_linejoin": "round"}
DASHES = ("", "7 4", "2 4", "10 3 2 3", "4 2")


def svg(chart: Mapping[str, Any], width: int = WIDTH, height: int = HEIGHT) -> str:
    """The picture of a chart block as SVG text (no XML declaration), `width` by `height` pixels; charts of rows take the
    height that their rows need. A block is `{kind: line | bar | pareto, title, x: {label, values: [text]}, series: [{name,
    unit, values: [number or None]}], limits: [{label, value}]}`, as answers carry it.

    Raises ValueError for a kind that is not one of `KINDS` and for values that are no numbers."""
    found = read(chart)
    draw = _Drawing(found, max(width, 240))
    if not found.known:
        return draw.empty()
    if found.rows:
        return draw.as_rows()
    return draw.upright(max(height, 180))


@dataclass
class _Drawing:
    """One picture while it is drawn; y grows downwards."""

    chart: Chart
    width: int
    root: ElementTree.Element = field(default_factory=lambda: ElementTree.Element("svg"))
    top: float = 0.0

    def __post_init__(self) -> None:
        chart = self.chart
        whole = json.dumps([chart.kind, chart.title, chart.labels, [series.values for series in chart.series]])
        mark = f"chart-{hashlib.sha256(whole.encode()).hexdigest()[:10]}"  # several pictures may stand in one page
        self.root.attrib = {
            "xmlns": "http://www.w3.org/2000/svg", "role": "img", "aria-labelledby": f"{mark}-title {mark}-desc",
            "font-family": FONT, "font-size": str(TEXT), "fill": INK,
        }  # fmt: skip
        title = chart.title or ", ".join(s.name for s in chart.series)
        self.add("title", id=f"{mark}-title").text = title
        self.add("desc", id=f"{mark}-desc").text = summary(chart)
        self.paper = self.add("rect", x=0, y=0, width=self.width, height=0, fill="#ffffff")
        self.top = 8.0
        for line in wrapped(title, self.width - 16, 15):
            self.top += 19
            self.text(8, self.top, line, size=15, weight="bold")
        self._legend()

    # -- pieces

    def add(
        self, tag: str, more: Mapping[str, object] | None = None, parent: ElementTree.Element | None = None, cls: str = "",
        **attributes: Any,
    ) -> ElementTree.Element:  # fmt: skip
        attributes |= more or {}
        named = {"class": cls} if cls else {}
        named |= {name.replace("_", "-"): _plain(value) for name, value in attributes.items()}
        return ElementTree.SubElement(self.root if parent is None else parent, tag, named)

    def text(self, x: float, y: float, text: str, anchor: str = "start", size: int = TEXT, colour: str = INK, weight: str = "",
             over: bool = False) -> None:  # fmt: skip
        """Text `over` lines of the plot gets a white edge, so that it stays readable."""
        usual = {"font_size": TEXT, "font_weight": "", "text_anchor": "start", "fill": INK}
        asked = {"font_size": size, "font_weight": weight, "text_anchor": anchor, "fill": colour}
        self.add(
            "text", {name: value for name, value in asked.items() if value != usual[name]} | (_EDGE if over else {}), x=x, y=y
        ).text = text

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str = GRID, width: float = 1, dash: str = "", cls: str = "") -> None:
        more = {"stroke_dasharray": dash} if dash else {}
        self.add("line", more, cls=cls, x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, stroke_width=width)

    def tip(self, element: ElementTree.Element, index: int, series: Series) -> None:
        """The value of a mark for a pointer and for readers of the tree."""
        self.add("title", parent=element).text = f"{self.chart.labels[index]}: {series.name} {said(series.values[index], series.unit)}"

    def finished(self, height: float) -> str:
        full = math.ceil(height)
        self.root.attrib |= {"width": str(self.width), "height": str(full), "viewBox": f"0 0 {self.width} {full}"}
        self.paper.set("height", str(full))
        return ElementTree.tostring(self.root, encoding="unicode")

    def _legend(self) -> None:
        chart = self.chart
        if len(chart.series) < 2:
            self.top += 8
            return
        x, self.top = 8.0, self.top + 22
        for index, series in enumerate(chart.series):
            banded = chart.band is not None and index in chart.band
            if banded and index == max(chart.band or ()):
                continue
            name = " to ".join([chart.series[i].name for i in sorted(chart.band or ())]).capitalize() if banded else series.name
            length = 34 + len(name) * SMALL * EM + 18
            if x + length > self.width and x > 8:
                x, self.top = 8.0, self.top + 18
            if banded:
                self.add("rect", x=x, y=self.top - 9, width=24, height=9, fill=COLOURS[0], fill_opacity=0.2)
            elif chart.kind == "line":
                self.line(x, self.top - 4, x + 24, self.top - 4, self.colour(index), 2.5, DASHES[index % len(DASHES)])
            else:
                self.add("rect", x=x + 12, y=self.top - 10, width=12, height=11, fill=self.colour(index))
            self.text(x + 30, self.top, name, size=SMALL)
            x += length
        self.top += 6

    def colour(self, index: int) -> str:
        return COLOURS[index % len(COLOURS)]

    # -- whole pictures

    def empty(self) -> str:
        self.text(8, self.top + 30, "No data in this period.", colour=QUIET)
        return self.finished(self.top + 52)

    def upright(self, height: int) -> str:
        """Columns or lines over a horizontal axis."""
        chart = self.chart
        low, high = _range(chart)
        marks = ticks(low, high)
        left = 16 + max(len(said(value)) for value in marks) * SMALL * EM
        names = [len(f"{label} {said(value, chart.unit)}") for label, value in chart.limits]
        right = self.width - (max(names) * SMALL * EM + 14 if names else 14)
        right = max(right, left + 0.55 * (self.width - left))
        top = self.top + (20 if chart.unit else 10)
        bottom = max(height - 46.0, top + 90)

        def y(value: float) -> float:
            return top + (bottom - top) * (1 - (value - low) / (high - low))

        if chart.unit:
            self.text(8, top - 8, chart.unit, size=SMALL, colour=QUIET)
        for value in marks:
            self.line(left, y(value), right, y(value))
            self.text(left - 6, y(value) + 4, said(value), "end", SMALL, QUIET)
        if chart.kind == "bar":
            self._limits(left, right, top, bottom, y)  # the figures of the columns stay readable over it
        x = self._marks(left, right, top, bottom, y)
        self._below(left, right, bottom, x)
        if chart.kind == "line":
            self._limits(left, right, top, bottom, y)
        return self.finished(bottom + 46)

    def _marks(self, left: float, right: float, top: float, bottom: float, y: Callable[[float], float]) -> Callable[[int], float]:
        count = len(self.chart.labels)
        slot = (right - left) / max(count, 1)
        if self.chart.kind == "line":
            step = (right - left - 20) / (count - 1) if count > 1 else 0.0

            def place(index: int) -> float:
                return left + 10 + step * index if count > 1 else (left + right) / 2

            self._gaps(place, step, top, bottom)
            self._lines(place, y)
            return place
        self._columns(left, slot, bottom, y)
        return lambda index: left + slot * (index + 0.5)

    def _gaps(self, x: Callable[[int], float], step: float, top: float, bottom: float) -> None:
        """Stretches in which no series has a value, shaded and said so."""
        chart = self.chart
        empty = [all(s.values[i] is None for s in chart.series) for i in range(len(chart.labels))]
        for begin, end in _runs(empty):
            since, until = max(x(begin) - step, x(0)), min(x(end) + step, x(len(empty) - 1))
            box = self.add("rect", x=since, y=top, width=max(until - since, 3), height=bottom - top, fill=PALE, cls="gap")
            self.add("title", parent=box).text = f"no data, {chart.labels[begin]}" + (f" to {chart.labels[end]}" if end > begin else "")
            if until - since > 8 * SMALL * EM:
                self.text((since + until) / 2, top + 14, "no data", "middle", SMALL, QUIET)

    def _lines(self, x: Callable[[int], float], y: Callable[[float], float]) -> None:
        chart = self.chart
        if chart.band is not None:
            low, high = (chart.series[i].values for i in chart.band)
            both = [a is not None and b is not None for a, b in zip(low, high, strict=True)]
            for begin, end in _runs(both):
                edge = [(x(i), y(high[i] or 0.0)) for i in range(begin, end + 1)]
                edge += [(x(i), y(low[i] or 0.0)) for i in range(end, begin - 1, -1)]
                self.add("path", d=_path(edge) + "Z", fill=COLOURS[0], fill_opacity=0.2, cls="band")
        for index, series in enumerate(chart.series):
            if chart.band is not None and index in chart.band:
                continue
            dash = {"stroke_dasharray": DASHES[index % len(DASHES)]} if DASHES[index % len(DASHES)] else {}
            runs = [[(x(i), y(series.values[i] or 0.0)) for i in range(a, b + 1)] for a, b in _runs([v is not None for v in series.values])]
            self.add("path", dash, d=" ".join(_path(run) for run in runs), fill="none", stroke=self.colour(index), stroke_width=2.2,
                     stroke_linejoin="round", cls="line")  # fmt: skip
            if len(chart.labels) <= 40 or any(len(run) == 1 for run in runs):
                lonely = {run[0] for run in runs if len(run) == 1}
                for i, value in enumerate(series.values):
                    if value is not None and (len(chart.labels) <= 40 or (x(i), y(value)) in lonely):
                        self.tip(self._dot(index, x(i), y(value)), i, series)

    def _dot(self, index: int, x: float, y: float) -> ElementTree.Element:
        colour = self.colour(index)
        if index % 3 == 0:
            return self.add("circle", cx=x, cy=y, r=3.2, fill=colour)
        if index % 3 == 1:
            return self.add("rect", x=x - 3, y=y - 3, width=6, height=6, fill=colour)
        return self.add("path", d=_path([(x, y - 4), (x + 4, y + 3), (x - 4, y + 3)]) + "Z", fill=colour)

    def _columns(self, left: float, slot: float, bottom: float, y: Callable[[float], float]) -> None:
        series = self.chart.series
        thick = min(64.0, slot * 0.74 / len(series))
        for index in range(len(self.chart.labels)):
            begin = left + slot * (index + 0.5) - thick * len(series) / 2
            for number, one in enumerate(series):
                value, x = one.values[index], begin + thick * number
                if value is None:
                    self.text(x + thick / 2, bottom - 5, "–", "middle", SMALL, QUIET)
                    continue
                edge = min(y(value), y(0.0))
                bar = self.add("rect", x=x + 0.5, y=edge, width=max(thick - 1, 1.5), height=max(abs(y(value) - y(0.0)), 0.8),
                               fill=self.colour(number), cls="bar")  # fmt: skip
                self.tip(bar, index, one)
                if len(said(value)) * SMALL * EM < slot / len(series):
                    self.text(x + thick / 2, (edge if value >= 0 else y(value) + 16) - 5, said(value), "middle", SMALL, over=True)
        self.line(left, y(0.0), left + slot * len(self.chart.labels), y(0.0), INK, 1)

    def _below(self, left: float, right: float, bottom: float, x: Callable[[int], float]) -> None:
        """Labels of the axis, as many as fit without touching each other, and what they are."""
        labels = self.chart.labels
        widest = max(len(text) for text in labels) * SMALL * EM + 12
        every = max(1, math.ceil(len(labels) * widest / (right - left)))
        for index, text in enumerate(labels):
            if index % every == 0:
                half = len(text) * SMALL * EM / 2
                at = min(max(x(index), half + 2), self.width - half - 2)
                self.text(at, bottom + 18, text, "middle", SMALL)
        if self.chart.axis:
            self.text((left + right) / 2, bottom + 38, self.chart.axis, "middle", SMALL, QUIET)

    def _limits(self, left: float, right: float, top: float, bottom: float, y: Callable[[float], float]) -> None:
        taken: list[float] = []
        for label, value in sorted(self.chart.limits, key=lambda item: -item[1]):
            self.line(left, y(value), right, y(value), RULE, 1.8, "6 4", "limit")
            at = max(y(value) + 4, (taken[-1] + 15) if taken else top)
            taken.append(at)
            self.text(right + 6, min(at, bottom), f"{label} {said(value, self.chart.unit)}", size=SMALL, colour=RULE)

    def as_rows(self) -> str:
        """One row a label: name, bar, value; a Pareto chart adds the running share as a line and in figures."""
        chart = self.chart
        pareto = chart.kind == "pareto"
        series = chart.series
        thick = 20.0 if len(series) == 1 else 14.0
        step = thick * len(series) + 10
        left = min(16 + max(len(text) for text in chart.labels) * SMALL * EM, self.width * 0.42)
        values = [v for one in series for v in one.values if v is not None] + [value for _, value in chart.limits]
        low, high = min([0.0, *values]), max([0.0, *values]) or 1.0
        figures = max(len(said(v, chart.unit)) for v in values) * SMALL * EM + 12
        right = self.width - figures - (68 if pareto else 0)
        begin = self.top + (24 if pareto or chart.limits else 8)

        def x(value: float) -> float:
            return left + (right - left) * (value - low) / ((high - low) or 1.0)

        end = begin + step * len(chart.labels)
        for label, limit in chart.limits:
            self.line(x(limit), begin - 6, x(limit), end, RULE, 1.8, "6 4", "limit")
            anchor = "end" if x(limit) > (left + right) / 2 else "start"
            self.text(x(limit), begin - 10, f"{label} {said(limit, chart.unit)}", anchor, SMALL, RULE)
        room = int((left - 16) / (SMALL * EM))
        for index, label in enumerate(chart.labels):
            top = begin + step * index
            shown = label if len(label) <= room else label[: max(room - 1, 1)] + "…"
            self.text(left - 8, top + step / 2, shown, "end", SMALL)
            for number, one in enumerate(series):
                value, edge = one.values[index], top + thick * number + 2
                if value is not None:
                    ends = sorted((x(value), x(0.0)))
                    bar = self.add("rect", x=ends[0], y=edge, width=max(ends[1] - ends[0], 0.8), height=thick - 2,
                                   fill=self.colour(number), cls="bar")  # fmt: skip
                    self.tip(bar, index, one)
                at = right if pareto else max(x(value or 0.0), x(0.0))
                self.text(at + 6, edge + thick / 2 + 4, said(value, one.unit), size=SMALL, over=True)
        self.line(x(0.0), begin - 4, x(0.0), end, INK)
        if pareto:
            self._share(begin, end, step, left, right)
        return self.finished(end + 10)

    def _share(self, begin: float, end: float, step: float, left: float, right: float) -> None:
        """The running share of the total, on its own scale from 0 to 100 % across the bars."""
        shares = cumulative(self.chart.series[0].values)
        points = [(left + (right - left) * share / 100, begin + step * (i + 0.5) - 1) for i, share in enumerate(shares)]
        vital = left + (right - left) * VITAL_SHARE / 100
        self.line(vital, begin - 4, vital, end, QUIET, 1, "2 3", "vital")
        self.text(vital, begin - 9, f"{said(VITAL_SHARE)} % of the total", "middle", SMALL, QUIET)
        self.add("path", d=_path(points), fill="none", stroke=COLOURS[1], stroke_width=2, cls="share")
        for (x, y), share in zip(points, shares, strict=True):
            self.add("circle", cx=x, cy=y, r=3, fill="#ffffff", stroke=COLOURS[1], stroke_width=2)
            self.text(self.width - 8, y + 5, f"Σ {said(round(share))} %", "end", SMALL, COLOURS[1])


def _plain(value: Any) -> str:
    return f"{round(value, 1):g}" if isinstance(value, float) else str(value)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _runs(flags: Sequence[bool]) -> list[tuple[int, int]]:
    """First and last index of each run of True."""
    found: list[tuple[int, int]] = []
    for index, flag in enumerate(flags):
        if flag and found and found[-1][1] == index - 1:
            found[-1] = (found[-1][0], index)
        elif flag:
            found.append((index, index))
    return found


def _range(chart: Chart) -> tuple[float, float]:
    """The value axis: from zero for columns, around the values (and limits) for lines."""
    values = chart.known + [value for _, value in chart.limits]
    low, high = min(values), max(values)
    if chart.kind == "bar":
        low, high = min(low, 0.0), max(high, 0.0)
    room = (high - low or abs(high) or 1.0) * 0.1
    bottom = low if chart.kind == "bar" and low == 0 else low - room
    if chart.kind == "line" and low >= 0:
        bottom = max(bottom, 0.0)
    return bottom, high + room


def wrapped(text: str, width: float, size: int, most: int = 3) -> list[str]:
    """Lines of at most `width` pixels; what does not fit in `most` lines ends with an ellipsis."""
    room = max(int(width / (size * EM)), 8)
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if len(joined) <= room or not lines[-1]:
            lines[-1] = joined[:room]
        else:
            lines.append(word[:room])
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][: room - 1] + "…"]
    return lines if lines[0] else []
