"""What a chart says, before it is drawn: a chart block checked, its labels and values as written, the same in words.

tests/test_charts.py holds the words to the values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

KINDS = ("line", "bar", "pareto")
LONG_LABEL, MOST_ROWS = 9, 40
VITAL_SHARE = 80.0  # Pareto: the few causes that make four fifths of the loss
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


#: No plant measures more; sums and ticks of larger values would leave what a float holds.
MOST_DRAWN = 1e100
#: Nor less: a value this near to nothing is drawn as nothing.
LEAST_DRAWN = 1e-9


@dataclass(frozen=True)
class Series:
    """Values as drawn; None is a gap."""

    name: str
    unit: str
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Chart:
    """A chart block after its shape was checked: every series has one value (or None) for each label."""

    kind: str
    title: str
    axis: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    limits: tuple[tuple[str, float], ...] = ()

    @property
    def unit(self) -> str:
        return self.series[0].unit if self.series else ""

    @property
    def known(self) -> list[float]:
        return [v for s in self.series for v in s.values if v is not None]

    @property
    def band(self) -> tuple[int, int] | None:
        """The series of least and greatest values around a mean, which are drawn as one band."""
        if self.kind != "line" or len(self.series) != 3:
            return None
        ends = [next((i for i, s in enumerate(self.series) if s.name.lower().startswith(word)), -1) for word in ("min", "max")]
        return (ends[0], ends[1]) if min(ends) >= 0 else None

    @property
    def rows(self) -> bool:
        """Names that do not fit below a column stand beside a row."""
        if self.kind == "pareto":
            return True
        long = max((len(text) for text in self.labels), default=0) > LONG_LABEL
        return self.kind == "bar" and long and len(self.labels) * len(self.series) <= MOST_ROWS


def read(chart: Mapping[str, Any]) -> Chart:
    """A chart block, checked. Raises ValueError in one sentence."""
    kind = str(chart.get("kind", ""))
    if kind not in KINDS:
        raise ValueError(f"a chart is one of {', '.join(KINDS)}, not {kind!r}")
    x = chart.get("x") or {}
    labels = tuple(_clean(text) for text in x.get("values") or ())
    series = []
    for item in chart.get("series") or ():
        values = [_number(value) for value in item.get("values") or ()][: len(labels)]
        values += [None] * (len(labels) - len(values))
        series.append(Series(_clean(item.get("name", "")), _clean(item.get("unit", "")), tuple(values)))
    limits = tuple(
        (_clean(item.get("label", "")), value) for item in chart.get("limits") or () if (value := _number(item.get("value"))) is not None
    )
    if kind == "pareto" and series:
        order = sorted(range(len(labels)), key=lambda i: -(series[0].values[i] or 0.0))
        series = [Series(s.name, s.unit, tuple(s.values[i] for i in order)) for s in series[:1]]
        labels = tuple(labels[i] for i in order)
    labels, axis = short_dates(labels, _clean(x.get("label", "")))
    return Chart(kind, _clean(chart.get("title", "")), axis, labels, tuple(series), limits)


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no number")
    if abs(value) < LEAST_DRAWN:
        return 0.0
    return float(value) if abs(value) < MOST_DRAWN else None


def _clean(text: Any) -> str:
    return _NO_XML.sub("", " ".join(str(text).split()))


_DAY = re.compile(r"(?:(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})|(?P<day>\d{1,2} [A-Z][a-z]{2}) (?P<year>\d{4}))\b,? ?(?P<rest>.*)")


def short_dates(labels: Sequence[str], axis: str = "") -> tuple[tuple[str, ...], str]:
    """Dates as people write them (`2026-06-17 14:00` as `17 Jun 14:00`), without what all labels share: the year, and
    where they hold times of one day, the day, which the name of the axis then carries."""
    days, rests = [], []
    for text in labels:
        match = _DAY.match(text)
        try:
            day = match and (match["day"] or f"{int(match['d'])} {date(int(match['y']), int(match['m']), int(match['d'])):%b}")
        except ValueError:
            day = None
        if match is None or not day:
            return tuple(labels), axis
        days.append((day, match["year"] or match["y"]))
        rests.append(match["rest"])
    if len(set(days)) == 1 and len(labels) > 1 and all(rests):
        return tuple(rests), f"{axis}, {' '.join(days[0])}" if axis else " ".join(days[0])
    one_year = len({year for _, year in days}) == 1
    shown = [f"{day} {rest}" if one_year else f"{day} {year} {rest}" for (day, year), rest in zip(days, rests, strict=True)]
    return tuple(text.strip() for text in shown), axis


def cumulative(values: Sequence[float | None]) -> list[float]:
    """The running share of the total, in per cent, of values in the order given."""
    total = sum(v for v in values if v is not None and v > 0)
    running, shares = 0.0, []
    for value in values:
        running += max(value or 0.0, 0.0)
        shares.append(100 * running / total if total else 0.0)
    return shares


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round values within [low, high], about `count` of them, in steps of 1, 2, 2.5 or 5 times a power of ten."""
    if not high > low:
        return [low]
    rough = (high - low) / count
    power = 10 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.85)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 12) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def said(value: float | None, unit: str = "") -> str:
    """A value as charts write it: three digits that matter, blanks between thousands, a dash for none."""
    if value is None:
        return "–"
    size = abs(value)
    digits = 0 if float(value).is_integer() or size >= 1000 else 1 if size >= 10 else 2 if size >= 0.1 or size == 0 else 4
    text = f"{value:,.{digits}f}".replace(",", " ").replace("-", "−")
    if "." in text and digits > 1:
        text = text.rstrip("0").rstrip(".")
    return f"{text} {unit}" if unit else text


def summary(chart: Chart) -> str:
    """The picture in words, for those who do not see it: what, over what, ends and extremes, limits, gaps."""
    kind = {"line": "Line chart", "bar": "Bar chart", "pareto": "Pareto chart"}[chart.kind]
    parts = [f"{kind}, {chart.axis.lower() or 'values'}: {len(chart.labels)}."]
    for series in chart.series:
        known = [(v, chart.labels[i]) for i, v in enumerate(series.values) if v is not None]
        if not known:
            parts.append(f"{series.name}: no data.")
            continue
        low, high = min(known), max(known)
        text = f"{series.name}: lowest {said(low[0], series.unit)} ({low[1]}), highest {said(high[0], series.unit)} ({high[1]})"
        if chart.kind == "line":
            text += f", latest {said(known[-1][0], series.unit)} ({known[-1][1]})"
        parts.append(text + ".")
    if chart.kind == "pareto" and chart.series:
        shares = cumulative(chart.series[0].values)
        few = next((i + 1 for i, share in enumerate(shares) if share >= VITAL_SHARE), len(shares))
        parts.append(f"The first {few} of {len(shares)} make {said(round(shares[few - 1]))} % of the total.")
    parts += [f"{label}: {said(value, chart.unit)}." for label, value in chart.limits]
    missing = sum(all(s.values[i] is None for s in chart.series) for i in range(len(chart.labels)))
    if missing and chart.known:
        parts.append(f"Without data: {missing}.")
    return " ".join(parts)
