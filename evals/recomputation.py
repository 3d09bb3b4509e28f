"""Certified metrics a second time, in plain Python over the raw rows.

This is written from the definitions of ISO 22400-2 and the plant model's own words, not from the compiler: rows are read
once with `SELECT *`, every sum is a loop, every shift and day is counted on the wall clock. evals/metric_questions.py asks
both and compares; tests/test_recomputation.py proves that a single changed row is noticed.
"""

from __future__ import annotations

import math
import sqlite3
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tools.registry import Period

Row = dict[str, Any]
Amounts = dict[str, float]
Group = tuple[Any, ...]
#: Table, whether a row is cut at the period's edges, the keys that leave it whole, and the amounts of a row.
Source = tuple[str, bool, set[str], Callable[[Row, bool], Amounts]]
SHIFTS = {"day": (6, 14), "evening": (14, 22), "night": (22, 6)}
TABLES = ("production_hours", "scrap_records", "downtime_events", "changeovers", "alarm_events", "nonconformances",
          "production_orders", "downtime_reasons", "equipment", "lines", "counting_points", "lots", "production_targets")  # fmt: skip
INSTANTS = ("hour_start", "started_at", "ended_at", "raised_at", "opened_at", "planned_end")
TIMES = {"production_hours": "hour_start", "scrap_records": "hour_start", "downtime_events": "started_at",
         "changeovers": "started_at", "alarm_events": "raised_at", "nonconformances": "opened_at", "production_orders": "planned_end"}  # fmt: skip
TIME_WORDS = ("hour", "day", "week", "month")


class Raw:
    """The plant's rows and the rules, written a second time. `until` is the present moment."""

    def __init__(self, path: Path, zone: ZoneInfo, until: datetime) -> None:
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        db.row_factory = sqlite3.Row
        self.zone, self.until = zone, until.astimezone(UTC)
        self.tables: dict[str, list[Row]] = {}
        for name in TABLES:
            rows = [dict(row) for row in db.execute(f"SELECT * FROM {name}")]
            for row in rows:
                for column in INSTANTS:
                    if row.get(column):
                        row[column] = datetime.strptime(row[column], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
            self.tables[name] = sorted(rows, key=lambda row: row[TIMES[name]]) if name in TIMES else rows
        db.close()
        self.starts = {name: [row[column] for row in self.tables[name]] for name, column in TIMES.items()}
        self.machines = {row["equipment_id"]: row for row in self.tables["equipment"]}
        self.lines = {row["line_id"]: row for row in self.tables["lines"]}
        self.orders = {row["order_id"]: row for row in self.tables["production_orders"]}
        self.leaving = {row["equipment_id"] for row in self.tables["counting_points"]}
        self.failing = {row["reason"] for row in self.tables["downtime_reasons"] if row["failure"]}
        self.lots: dict[Any, set[str]] = defaultdict(set)
        for row in self.tables["lots"]:
            self.lots[row["order_id"]].add(row["lot_id"])

    # -- what a row belongs to

    def values(self, table: str, row: Row, key: str) -> set[Any]:
        """All values of a key that a row has; nearly always one."""
        if key == "lot" and table == "production_hours":
            return self.lots.get(row["order_id"], set())
        return {self.value_of(table, row, key)}

    def value_of(self, table: str, row: Row, key: str) -> Any:
        machine = row.get("equipment_id")
        if key == "equipment":
            return machine
        if key == "equipment_class":
            return self.machines[machine]["equipment_class"]
        if key in ("line", "area"):
            line = row["line_id"] if "line_id" in row else self.machines[machine]["line_id"]
            return line if key == "line" else self.lines[line]["area_id"]
        if key in ("variant", "customer") and table != "production_orders":
            return self.orders.get(row["order_id"], {}).get(f"{key}_id")
        columns = {
            "product": "to_product" if table == "changeovers" else "product_id", "order": "order_id", "variant": "variant_id",
            "customer": "customer_id", "lot": "lot_id", "supplier": "supplier_id", "severity": "severity",
            "reason": {"nonconformances": "defect"}.get(table, "reason"), "defect": {"scrap_records": "reason", "downtime_events": "reason"}.get(table, "defect"),
            "alarm": "code" if table == "alarm_events" else "alarm_code",
        }  # fmt: skip
        return row[columns[key]]

    @staticmethod
    def meets(values: set[Any], wanted: Any) -> bool:
        if isinstance(wanted, Mapping):
            return wanted["not"] not in values
        return bool(values & set(wanted)) if isinstance(wanted, list) else wanted in values

    # -- time

    def pieces(self, span: Period, shift: Any, by: Sequence[str]) -> list[tuple[dict[str, str], datetime, datetime]]:
        """The period cut at every edge that matters, with the labels of each piece; hours are counted on the time line."""
        start, end = span.start.astimezone(UTC), span.end.astimezone(UTC)
        begun: list[tuple[dict[str, str], datetime, datetime, date | None]] = [({}, start, end, None)]
        if shift is not None or "shift" in by:
            begun = self._shifts(start, end, shift)
        if not set(TIME_WORDS) & set(by):
            return [(labels, since, until) for labels, since, until, _ in begun]
        out = []
        for labels, since, until, shift_day in begun:
            moment = since
            while moment < until:
                stop = min(moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1), until)
                local = moment.astimezone(self.zone)
                day = shift_day or local.date()
                year, week, _ = day.isocalendar()
                named = {"day": day.isoformat(), "week": f"{year}-W{week:02d}", "month": f"{day:%Y-%m}",
                         "hour": f"{local:%Y-%m-%d %H}:00" + (" (2)" if local.fold else "")}  # fmt: skip
                out.append(({**labels, **{key: named[key] for key in by if key in named}}, moment, stop))
                moment = stop
        return out

    def _shifts(self, start: datetime, end: datetime, shift: Any) -> list[tuple[dict[str, str], datetime, datetime, date | None]]:
        whole = all((m.astimezone(self.zone).hour, m.astimezone(self.zone).minute) == (0, 0) for m in (start, end))
        day, last = start.astimezone(self.zone).date() - timedelta(days=2), end.astimezone(self.zone).date()
        found: list[tuple[dict[str, str], datetime, datetime, date | None]] = []
        while day <= last:
            for name, (opens, closes) in SHIFTS.items():
                if shift is None or self.meets({name}, shift):
                    next_day = day + timedelta(days=closes <= opens)
                    since = datetime(day.year, day.month, day.day, opens, tzinfo=self.zone).astimezone(UTC)
                    until = datetime(next_day.year, next_day.month, next_day.day, closes, tzinfo=self.zone).astimezone(UTC)
                    if whole and start <= since < end:
                        found.append(({"shift": name}, since, until, day))
                    elif not whole and since < end and until > start:
                        found.append(({"shift": name}, max(since, start), min(until, end), day))
            day += timedelta(days=1)
        return found

    # -- sums

    def sums(self, metric: str, where: Mapping[str, Any], span: Period, by: Sequence[str]) -> dict[Group, Amounts]:
        """The elements of a metric in every group that a row of its own belongs to."""
        pieces = sorted(self.pieces(span, where.get("shift"), by), key=lambda piece: piece[1])
        edges = [piece[1] for piece in pieces]
        named = {key for key, value in where.items() if not isinstance(value, Mapping)}
        alone = bool({"equipment", "equipment_class"} & ({*by} | named))
        groups: dict[Group, Amounts] = defaultdict(lambda: defaultdict(float))
        shared: dict[Group, Amounts] = defaultdict(lambda: defaultdict(float))
        if not pieces:
            return {}
        for table, clipped, dropped, amounts in self.sources(metric, {*where, *by}):
            for row in self._near(table, pieces, clipped):
                if not all(self.meets(self.values(table, row, k), v) for k, v in where.items() if k != "shift" and k not in dropped):
                    continue
                if clipped:
                    hit = [(p, {"down_s": s}) for p in pieces if (s := self._lasted(row, p)) is not None]
                else:
                    at = row[TIMES[table]]
                    place = bisect_right(edges, at) - 1
                    hit = [(pieces[place], amounts(row, alone))] if place >= 0 and at < pieces[place][2] else []
                for (labels, _, _), found in hit:
                    group = tuple(None if k in dropped else labels[k] if k in labels else self.value_of(table, row, k) for k in by)
                    target = shared if dropped & set(by) else groups
                    for name, amount in found.items():
                        target[group][name] += amount
        for group, own in groups.items():
            for other, found in shared.items():
                if all(a is None or a == b for a, b in zip(other, group, strict=True)):
                    for name, amount in found.items():
                        own[name] += amount
        return groups

    def _near(self, table: str, pieces: Sequence[Any], clipped: bool) -> Iterable[Row]:
        """Rows that can lie in the period at all; of rows that last, any may."""
        if clipped:
            return self.tables[table]
        first, last = pieces[0][1], max(piece[2] for piece in pieces)
        return self.tables[table][bisect_left(self.starts[table], first) : bisect_left(self.starts[table], last)]

    def _lasted(self, row: Row, piece: Any) -> float | None:
        """Seconds of a stop within a piece of time, None where they do not meet; what has not ended lasts until now."""
        begun, ended = row["started_at"], row["ended_at"]
        if begun >= piece[2] or (ended is not None and ended <= piece[1]):
            return None
        return float(max((min(ended or self.until, piece[2]) - max(begun, piece[1])).total_seconds(), 0.0))

    def sources(self, metric: str, keys: set[str]) -> list[Source]:
        """Which rows a metric sums: (table, cut at the period's edges, keys that leave it whole, amounts of a row)."""
        events = "downtime_events"
        if metric in ("scrap_rate", "scrap_count"):
            if not keys & {"reason", "defect"}:
                return [("production_hours", False, set(), self._hour)]
            scrap: Source = ("scrap_records", False, set(), lambda row, _: {"scrap": float(row["quantity"])})
            made: Source = (
                "production_hours",
                False,
                {"reason", "defect"} & keys,
                lambda row, alone: {"started": self._hour(row, alone)["started"]},
            )
            return [scrap, made] if metric == "scrap_rate" else [scrap]
        if metric == "downtime":
            if keys & {"reason", "alarm", "defect"}:
                return [(events, True, set(), lambda row, _: {})]
            return [("production_hours", False, set(), lambda row, _: {"down_s": float(row["down_s"])})]
        if metric in ("mtbf", "mttr"):
            stops: Source = (events, False, set(), self._failure)
            run: Source = (
                "production_hours",
                False,
                {"reason", "alarm"} & keys,
                lambda row, _: {"production_s": float(row["production_s"])},
            )
            return [stops, run] if metric == "mtbf" else [stops]
        counted = {"alarm_count": "alarm_events", "ncr_count": "nonconformances"}
        if metric in counted:
            return [(counted[metric], False, set(), lambda row, _: {"n": 1.0})]
        if metric in ("changeover_time", "changeover_overrun"):
            return [
                ("changeovers", False, set(), lambda row, _: {"s": float(row["duration_s"]), "n": 1.0, "allowed": float(row["target_s"])})
            ]
        if metric == "schedule_attainment":
            return [("production_orders", False, set(), self._attained)]
        return [("production_hours", False, set(), self._hour)]

    def _hour(self, row: Row, alone: bool) -> Amounts:
        """Parts of a line are counted where they leave it, scrap wherever it falls; of machines told apart, their own."""
        leaves = row["equipment_id"] in self.leaving
        good = row["good"] if alone or leaves else 0
        started = row["produced"] if alone else row["scrap"] + (row["good"] if leaves else 0)
        plain = {
            name: float(row[name]) for name in ("planned_busy_s", "production_s", "ideal_s", "produced", "rework", "scrap", "energy_kwh")
        }
        return {**plain, "good": float(good), "started": float(started)}

    def _failure(self, row: Row, _: bool) -> Amounts:
        counts = row["reason"] in self.failing
        return {"failures": float(counts), "repairs": float(counts and row["ended_at"] is not None),
                "repair_s": float(row["duration_s"] or 0) if counts else 0.0}  # fmt: skip

    @staticmethod
    def _attained(row: Row, _: bool) -> Amounts:
        if row["status"] == "cancelled":
            return {"done": 0.0, "ordered": 0.0}
        return {"done": float(min(row["quantity_good"], row["quantity_ordered"])), "ordered": float(row["quantity_ordered"])}

    # -- figures

    def figures(self, metric: str, where: Mapping[str, Any], span: Period, by: Sequence[str]) -> dict[Group, float | None]:
        found = {group: figure(metric, sums) for group, sums in self.sums(metric, where, span, by).items()}
        return found or ({} if by else {(): figure(metric, defaultdict(float))})

    def target(self, metric: str, line: str | None, product: str | None, day: date) -> float | None:
        """The most particular target valid on that day, the newest of equals."""
        fit = [t for t in self.tables["production_targets"] if t["metric"] == metric and t["valid_from"] <= day.isoformat()
               and t["line_id"] in (None, line) and t["product_id"] in (None, product)]  # fmt: skip
        best = max(fit, key=lambda t: ((t["line_id"] is not None) + (t["product_id"] is not None), t["valid_from"]), default=None)
        return None if best is None else float(best["target"])

    def before(self, span: Period) -> tuple[datetime, datetime]:
        """The month before a whole month, as many days before whole days, else as many hours before on the time line."""
        start, end = (moment.astimezone(self.zone) for moment in (span.start, span.end))
        midnight = (start.hour, start.minute, end.hour, end.minute) == (0, 0, 0, 0)
        days = (end.date() - start.date()).days
        if midnight and start.day == 1 and end.day == 1 and (end.date() - timedelta(days=1)).month == start.month:
            return self.midnight((start.date() - timedelta(days=1)).replace(day=1)), start
        if midnight:
            return self.midnight(start.date() - timedelta(days=days)), start
        return (start.astimezone(UTC) - (end.astimezone(UTC) - start.astimezone(UTC))), start

    def midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self.zone)


def figure(metric: str, s: Mapping[str, float]) -> float | None:
    """A metric from its sums; None where it divides by zero."""
    rules: dict[str, tuple[Any, ...]] = {
        "availability": ("production_s", "planned_busy_s"), "performance": ("ideal_s", "production_s"), "quality_ratio": ("good", "started"),
        "scrap_rate": ("scrap", "started"), "rework_rate": ("rework", "started"), "mtbf": ("production_s", "failures"),
        "mttr": ("repair_s", "repairs"), "cycle_time": ("production_s", "produced"), "changeover_time": ("s", "n"),
        "changeover_overrun": ("s", "allowed"), "schedule_attainment": ("done", "ordered"), "energy_per_good_part": ("energy_kwh", "good"),
        "scrap_count": ("scrap",), "good_count": ("good",), "total_count": ("started",), "downtime": ("down_s",), "energy": ("energy_kwh",),
        "alarm_count": ("n",), "ncr_count": ("n",),
    }  # fmt: skip
    if metric == "oee":
        parts = [figure(name, s) for name in ("availability", "performance", "quality_ratio")]
        return None if None in parts else math.prod(part for part in parts if part is not None)
    if metric == "first_pass_yield":
        return (s["good"] - s["rework"]) / s["started"] if s["started"] else None
    rule = rules[metric]
    if len(rule) == 1:
        return s[rule[0]]
    return s[rule[0]] / s[rule[1]] if s[rule[1]] else None
