"""The metrics of a drafted model: the canonical ones whose elements the tables hold, and totals and means of measures.

Nothing drafted is certified: `certified_by` says so and the answers carry it. Shares that a table already holds
(availability 0.85) are weighted by planned time where there is one, never averaged blindly. tests/test_model_draft.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from tools.draft_records import Drafted
from tools.draft_text import own_name, q
from tools.draft_values import duration_like, seconds_of
from tools.model_file import UNCERTIFIED
from tools.schema_profile import ColumnProfile, Reader
from tools.schema_words import distinct, label_of, own_words, unit_of, words_of

MOST_MEASURES = 60
_RATIO_WORDS = frozenset(("rate", "percent", "factor", "score", "price", "temperature", "pressure", "speed", "level", "limit", "minimum", "maximum", "reorder", "lead",
                          "availability", "performance", "quality", "oee", "yield", "severity", "priority", "capacity", "ph", "density", "humidity", "age", "value", "setpoint", "sequence", "variance"))  # fmt: skip

Specs = dict[str, dict[str, Any]]


def metrics_of(records: Mapping[str, Drafted], reader: Reader) -> tuple[Specs, Specs]:
    """Elements and metrics of the file."""
    book = _Book({}, {})
    _counts(book, records)
    _times(book, records, reader)
    _events(book, records, reader)
    _measures(book, records, reader)
    return book.elements, book.metrics


class _Book:
    """Elements and metrics in the making."""

    def __init__(self, elements: Specs, metrics: Specs) -> None:
        self.elements = elements
        self.metrics = metrics

    def element(self, name: str, label: str, sums: Mapping[str, str], kind: str = "count", unit: str = "") -> bool:
        if sums and name not in self.elements:
            self.elements[name] = {
                "label": label,
                "sum": dict(sums),
                **({"kind": kind} if kind != "count" else {}),
                **({"unit": unit} if unit else {}),
            }
        return name in self.elements

    def metric(
        self, name: str, label: str, aliases: list[str], formula: str, expression: str, kind: str, direction: str, **more: Any
    ) -> None:
        if name in self.metrics:
            return
        self.metrics[name] = {
            "label": label, "aliases": aliases, "formula": formula, "expression": expression, "kind": kind, "direction": direction, "default_days": None,
            **{k: v for k, v in more.items() if v not in (None, "")}, "certified_by": UNCERTIFIED, "certified_on": date.today(),
        }  # fmt: skip


def _has(record: Drafted, *parts: str) -> bool:
    return all(part in record.role.parts for part in parts)


def _part(record: Drafted, part: str) -> str:
    return q(record.role.parts[part])


def _sources(records: Mapping[str, Drafted], *parts: str) -> dict[str, Drafted]:
    """Records with these parts, the one made for counting first."""
    order = ("production_records", "scrap_records", "production_orders", "lots")
    fitting = {
        name: r
        for name, r in records.items()
        if _has(r, *parts)
        and r.role.kind == "record"
        and r.role.name not in ("nonconformances", "quality_results", "changeovers", "spare_parts", "maintenance_orders")
    }
    return dict(sorted(fitting.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order)))


def _counts(book: _Book, records: Mapping[str, Drafted]) -> None:
    good, scrap, total, rework = {}, {}, {}, {}
    for name, r in _sources(records).items():
        parts = set(r.role.parts)
        if "total" in parts and not {"good", "scrap"} & parts and name not in ("production_records", "production_orders"):
            continue
        if "total" in parts:
            total[name] = _part(r, "total")
        elif {"good", "scrap"} <= parts:
            total[name] = f"{_part(r, 'good')} + {_part(r, 'scrap')}"
        elif "good" in parts:
            total[name] = _part(r, "good")
        if "good" in parts:
            good[name] = _part(r, "good")
        elif {"total", "scrap"} <= parts:
            good[name] = f"{_part(r, 'total')} - {_part(r, 'scrap')}"
        if "scrap" in parts:
            scrap[name] = _part(r, "scrap")
        elif {"total", "good"} <= parts:
            scrap[name] = f"{_part(r, 'total')} - {_part(r, 'good')}"
        elif r.role.name == "scrap_records" and "quantity" in parts:
            scrap[name] = _part(r, "quantity")
        if "rework" in parts:
            rework[name] = _part(r, "rework")
    shared = set(total) & set(good)
    made = book.element("produced", "Parts produced", total)
    fine = book.element("good", "Good parts", {k: v for k, v in good.items() if not shared or k in shared} if good else {})
    lost = book.element("scrap", "Parts scrapped", scrap)
    again = book.element("rework", "Parts reworked", rework)
    if made:
        book.metric(
            "total_count",
            "Parts produced",
            [
                "production volume",
                "total output",
                "production",
                "output",
                "produced quantity",
                "throughput",
                "parts made",
                "total production",
                "units produced",
            ],
            "parts produced",
            "produced",
            "count",
            "up",
        )
    if fine:
        book.metric("good_count", "Good parts", ["good quantity", "good output", "good units"], "good parts", "good", "count", "up")
    if lost:
        book.metric(
            "scrap_count", "Scrap", ["scrap quantity", "scrapped parts", "rejects", "waste"], "parts scrapped", "scrap", "count", "down"
        )
    if made and lost:
        book.metric(
            "scrap_rate",
            "Scrap rate",
            ["scrap ratio", "reject rate", "scrap percentage"],
            "parts scrapped / parts produced",
            "scrap / produced",
            "percent",
            "down",
            decimals=2,
            undefined="nothing was produced",
        )
    if made and fine:
        book.metric(
            "quality_ratio",
            "Quality ratio",
            ["quality rate", "quality", "yield"],
            "good parts / parts produced",
            "good / produced",
            "percent",
            "up",
            undefined="nothing was produced",
        )
    if made and fine and again:
        book.metric(
            "first_pass_yield",
            "First-pass yield",
            ["fpy", "first pass yield"],
            "(good parts − reworked parts) / parts produced",
            "(good - rework) / produced",
            "percent",
            "up",
            undefined="nothing was produced",
        )
    if made and again:
        book.metric(
            "rework_rate",
            "Rework rate",
            ["rework ratio", "rework"],
            "parts reworked / parts produced",
            "rework / produced",
            "percent",
            "down",
            decimals=2,
            undefined="nothing was produced",
        )
    _orders(book, records)


def _orders(book: _Book, records: Mapping[str, Drafted]) -> None:
    orders = records.get("production_orders")
    if orders is None:
        return
    ordered = orders.role.parts.get("ordered") or (
        orders.role.parts.get("quantity") if {"good", "total"} & set(orders.role.parts) else None
    )
    got = orders.role.parts.get("good") or orders.role.parts.get("total")
    if ordered and got and ordered != got:
        book.element("ordered", "Quantity ordered", {"production_orders": q(ordered)})
        book.element(
            "attained", "Quantity attained", {"production_orders": f"CASE WHEN {q(got)} < {q(ordered)} THEN {q(got)} ELSE {q(ordered)} END"}
        )
        book.metric(
            "schedule_attainment",
            "Schedule attainment",
            ["plan attainment", "plan fulfilment"],
            "quantity attained / quantity ordered; overproduction does not count",
            "attained / ordered",
            "percent",
            "up",
            undefined="nothing was ordered",
        )


def _times(book: _Book, records: Mapping[str, Drafted], reader: Reader) -> None:
    for name, r in _sources(records).items():
        role = r.role
        for part, element, label in (("planned_time", "planned_s", "Planned time"), ("running_time", "running_s", "Production time"), ("ideal_time", "ideal_s", "Ideal time"),
                                     ("down_time", "down_hours_s", "Downtime")):  # fmt: skip
            column = role.column(part)
            if column is not None and (element not in book.elements) and (name == "production_records" or part != "down_time"):
                book.element(element, label, {name: _seconds(role.parts[part], seconds_of(role, column, reader))}, "duration_s")
        if "energy" in role.parts and "energy_kwh" not in book.elements:
            book.element("energy_kwh", "Energy", {name: _part(r, "energy")}, "number", "kWh")
    for name, r in _sources(records, "availability").items():
        _held_shares(book, name, r)
        break
    have = book.elements
    if {"planned_s", "running_s"} <= set(have) and _same(have, "planned_s", "running_s"):
        book.metric(
            "availability",
            "Availability",
            ["uptime"],
            "production time / planned time",
            "running_s / planned_s",
            "percent",
            "up",
            undefined="nothing was planned",
        )
    if {"ideal_s", "running_s"} <= set(have):
        book.metric(
            "performance",
            "Performance",
            ["effectiveness"],
            "ideal time / production time",
            "ideal_s / running_s",
            "percent",
            "up",
            undefined="there was no production time",
        )
    if {"ideal_s", "running_s", "planned_s", "good", "produced"} <= set(have):
        book.metric(
            "oee",
            "OEE",
            ["overall equipment effectiveness"],
            "availability × performance × quality ratio",
            "(running_s / planned_s) * (ideal_s / running_s) * (good / produced)",
            "percent",
            "up",
            undefined="nothing was planned",
        )
    if "energy_kwh" in have:
        book.metric(
            "energy", "Energy", ["energy consumption", "electricity"], "energy", "energy_kwh", "number", "down", unit="kWh", decimals=1
        )
        if "good" in have and _same(have, "energy_kwh", "good"):
            book.metric(
                "energy_per_good_part",
                "Energy per good part",
                ["specific energy"],
                "energy / good parts",
                "energy_kwh / good",
                "number",
                "down",
                unit="kWh",
                decimals=3,
                undefined="there was no good part",
            )
    if {"running_s", "produced"} <= set(have) and _same(have, "running_s", "produced"):
        book.metric(
            "cycle_time",
            "Cycle time",
            ["time per part"],
            "production time / parts produced",
            "running_s / produced",
            "number",
            "down",
            unit="s",
            decimals=1,
            undefined="nothing was produced",
        )


def _same(elements: Specs, one: str, other: str) -> bool:
    return bool(set(elements[one]["sum"]) & set(elements[other]["sum"]))


def _seconds(column: str, seconds: float) -> str:
    return q(column) if seconds == 1 else f"{q(column)} * {seconds:g}"


def _held_shares(book: _Book, name: str, record: Drafted) -> None:
    """Availability, performance, quality and OEE that a table holds ready: weighted by time where it holds that too."""
    parts = record.role.parts
    weighted = "planned_time" in parts and "running_time" in parts
    weight = q(parts["planned_time"]) if weighted else "1"
    note = "weighted by planned time" if weighted else "CHECK: the mean over rows, since no planned time stands beside them"
    scale = {
        p: (100.0 if max((float(v) for v in record.role.table.column(parts[p]).samples), default=0.0) > 1.5 else 1.0)
        for p in ("availability", "performance", "quality", "oee")
        if p in parts
    }

    def share(part: str) -> str:
        return q(parts[part]) if scale[part] == 1.0 else f"{q(parts[part])} / 100.0"

    book.element("share_weight", "Weight", {name: weight if weighted else "1"}, "number")
    for part, metric, label, aliases in (
        ("availability", "availability", "Availability", ["uptime"]), ("performance", "performance", "Performance", ["effectiveness"]),
        ("quality", "quality_ratio", "Quality ratio", ["quality rate", "quality"]), ("oee", "oee", "OEE", ["overall equipment effectiveness"]),
    ):  # fmt: skip
        if part in parts:
            book.element(
                f"{part}_share",
                f"{label}, {note.removeprefix('CHECK: ')}",
                {name: f"{weight} * ({share(part)})" if weighted else share(part)},
                "number",
            )
            if metric not in book.metrics or part != "quality":
                book.metric(
                    metric,
                    label,
                    aliases,
                    f"{label.lower()} as recorded, {note.removeprefix('CHECK: ')}",
                    f"{part}_share / share_weight",
                    "percent",
                    "up",
                    undefined="nothing was recorded",
                    _note=note,
                )


def _events(book: _Book, records: Mapping[str, Drafted], reader: Reader) -> None:
    stops = records.get("downtime_events")
    sums: dict[str, str] = {}
    if stops is not None:
        column = stops.role.column("duration")
        if column is not None:
            sums["downtime_events"] = _seconds(column.name, seconds_of(stops.role, column, reader))
        elif stops.until:
            sums["downtime_events"] = "overlap"
        if sums:
            book.element("stops", "Stops", {"downtime_events": "1"})
    held = book.elements.pop("down_hours_s", None)
    if held and not sums:
        sums |= held["sum"]
    if sums:
        book.element("down_s", "Downtime", sums, "duration_s")
        book.metric(
            "downtime",
            "Downtime",
            ["down time", "stoppage time", "standstill"],
            "time in which a machine was down",
            "down_s",
            "duration_s",
            "down",
            loss="downtime",
        )
        if "stops" in book.elements and "downtime_events" in sums:
            book.metric("mttr", "Mean length of a stop", ["mttr", "mean time to repair", "average downtime", "mean downtime", "average stop duration", "average duration of stops", f"average duration of {stops.label if stops else 'stops'}", f"average {stops.singular if stops else 'stop'} duration"], "downtime / stops", "down_s / stops", "duration_s", "down",
                        undefined="there was no stop", _note="CHECK: every stop counts; restrict the element to failures where the plant tells them apart")  # fmt: skip
            if "running_s" in book.elements:
                book.metric(
                    "mtbf",
                    "Mean time between stops",
                    ["mtbf", "mean time between failures"],
                    "production time / stops",
                    "running_s / stops",
                    "duration_s",
                    "up",
                    undefined="there was no stop",
                    _note="CHECK: every stop counts as a failure",
                )
    for record, metric, label, aliases in (
        ("alarm_events", "alarm_count", "Alarms", ["number of alarms", "alarm count"]),
        (
            "nonconformances",
            "ncr_count",
            "Nonconformances",
            ["number of defects", "defect count", "number of nonconformances", "ncr count"],
        ),
    ):
        if record in records and book.element(f"{metric}_rows", label, {record: "1"}):
            book.metric(
                metric,
                records[record].label.capitalize(),
                [*aliases, f"number of {records[record].label}"],
                f"{label.lower()} recorded",
                f"{metric}_rows",
                "count",
                "down",
            )
    for name, r in records.items():
        if r.role.kind == "record" and r.listed and name not in ("alarm_events", "nonconformances", "equipment", "products"):
            stem = own_name(f"{name}_rows", book.elements)
            book.element(stem, r.label.capitalize(), {name: "1"})
            book.metric(
                own_name(f"count_{name}"),
                r.label.capitalize(),
                [f"number of {r.label}", f"{r.singular} count"],
                f"{r.label} recorded",
                stem,
                "count",
                "none",
            )
    changes = records.get("changeovers")
    if changes is not None and (column := changes.role.column("duration")):
        book.element(
            "changeover_s",
            "Changeover time",
            {"changeovers": _seconds(column.name, seconds_of(changes.role, column, reader))},
            "duration_s",
        )
        book.element("changeovers_done", "Changeovers", {"changeovers": "1"})
        book.metric(
            "changeover_time",
            "Changeover time",
            ["setup time"],
            "changeover time / changeovers",
            "changeover_s / changeovers_done",
            "duration_s",
            "down",
            undefined="there was no changeover",
        )


def _measures(book: _Book, records: Mapping[str, Drafted], reader: Reader) -> None:
    """Totals and means of every measured column, under the words of its name."""
    used = {alias for metric in book.metrics.values() for alias in (*metric["aliases"], metric["label"].lower())}
    measures = [(name, key, column, r) for name, r in records.items() for key, column in r.measures.items()]
    for name, key, column, r in measures[:MOST_MEASURES]:
        words = label_of(column.name).lower()
        of = r.singular.removesuffix(" entry").removesuffix(" log").removesuffix(" history").removesuffix(" record")
        own = own_words(column.name)
        full = " ".join(words_of(column.name))
        stem = own_name(f"{name} {key}", book.elements)
        lasting = duration_like(column)
        seconds = seconds_of(r.role, column, reader) if lasting else 1.0
        expression = _seconds(column.name, seconds) if lasting else q(column.name)
        kind = "duration_s" if lasting else "number"
        book.element(stem, label_of(column.name), {name: expression}, kind)
        book.element(f"{stem}_rows", f"{r.label.capitalize()} with it", {name: f"CASE WHEN {q(column.name)} IS NULL THEN 0 ELSE 1 END"})
        means = [
            a
            for w in distinct([words, own, full])
            for a in (f"average {w}", f"mean {w}", f"avg {w}", f"average {of} {w}", f"average {w} per {of}")
        ]
        totals = [
            a for w in distinct([words, own, full]) for a in (f"total {w}", f"sum of {w}", f"overall {w}", f"{of} {w}", f"total {of} {w}")
        ]
        mean_free, total_free = [a for a in means if a not in used], [a for a in totals if a not in used]
        used |= {*mean_free, *total_free}
        book.metric(
            f"average_{stem}",
            f"Average {words} of {r.label}",
            mean_free,
            f"sum of {words} / {r.label}",
            f"{stem} / {stem}_rows",
            kind,
            "none",
            decimals=_decimals(column, lasting),
            unit="" if lasting else unit_of(column.name),
            undefined=f"there are no {r.label}",
        )
        if not set(column.words) & _RATIO_WORDS or ("yield" in column.words and unit_of(column.name) in ("kg", "l", "g")):
            book.metric(
                f"total_{stem}",
                f"Total {words} of {r.label}",
                total_free,
                f"sum of {words}",
                stem,
                kind,
                "none",
                decimals=None if lasting else _decimals(column, lasting) if column.kind == "number" else 0,
                unit="" if lasting else unit_of(column.name),
            )


def _decimals(column: ColumnProfile, lasting: bool) -> int | None:
    return None if lasting else 2
