"""What goes together with a defect, a scrap reason, an alarm, downtime or a poor figure, and what does not.

Each candidate (signal, shift, machine, product, supplier, supplied lot) gets an effect, a sample size and an exact or
permutation p-value; Holm's correction over all that were tested decides what is called a link, and finding none is an
answer. Signals are compared by circular shifts, which keep their own slow drift from looking like a link.
tests/test_correlations.py plants links and noise and counts both kinds of error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from tools.calendar import ShiftRun, Span
from tools.conditions import Condition, extent
from tools.evidence import Column, Evidence, Value, fact
from tools.formula import elements_of, value_of
from tools.labels import query_of
from tools.model_file import RecordSpec
from tools.outcomes import Outcome, outcome_of
from tools.plant_model import Plant, quoted
from tools.query import Parameters, Rowset
from tools.registry import Call, Period, Result, Unanswerable
from tools.signals import signals_of
from tools.significance import Finding, binomial_p, fisher_p, holm, rank_p, spearman
from tools.spans import Bucket, Times, literal, spans_sql
from tools.sql import Rows, Statement

DEFAULT_DAYS = (42, 120, 400)
ENOUGH_EVENTS = 5
MAX_RUNS = 500
MIN_EVENTS = 4
MIN_UNITS = 20
SHOWN = 12

@dataclass(frozen=True)
class Unit:
    """One machine during one run of a shift, with what happened and how much was made."""

    equipment: str
    product: str
    run: int
    shift: str
    outcome: float
    exposure: float


def find_correlations(
    call: Call, outcome: str, equipment: str | None = None, product: str | None = None, period: Period | None = None
) -> Result:
    """Which signals, shifts, machines, products, suppliers and supplied lots go with a defect, scrap reason, alarm,
    downtime or metric: effect, sample size and significance of each, or that no link was found."""
    try:
        return _answer(call, outcome, equipment, product, period)
    except Unanswerable as stop:
        return stop.result


def _answer(call: Call, said: str, equipment: str | None, product: str | None, period: Period | None) -> Result:
    plant = call.plant
    wanted = [Condition(key, (value,)) for key, value in (("equipment", equipment), ("product", product)) if value]
    where = extent(call, wanted)
    target = outcome_of(plant, said)
    assumed: tuple[str, ...] = ()
    if period is None:
        # Rare outcomes need a longer look: the first window that holds enough cases is taken.
        for days in DEFAULT_DAYS:
            start = plant.calendar.day(plant.calendar.local(call.now).date() - timedelta(days=days))[0]
            period = Period(f"the last {days} days", start, call.now, True)
            study, units, events = _studied(call, target, tuple(wanted), period)
            if target.metric or events >= ENOUGH_EVENTS:
                break
        assert period is not None
        assumed = (f"period: {period.text}",)
    else:
        if period.end <= period.start:
            raise Unanswerable(Result("needs_clarification", message=f"The period {period.text} ends before it begins."))
        if period.start >= call.now:
            raise Unanswerable(Result("no_data", message=f"The period {period.text} lies in the future."))
        study, units, events = _studied(call, target, tuple(wanted), period)
    if not units or (not target.metric and events < MIN_EVENTS):
        found = f"only {events:.0f} found" if units and events else "none found"
        message = f"There are too few cases of {target.label} in {period.text} to look for links ({found})."
        return Result("no_data", message=message, assumed=assumed, limited_to=where.limited_to)
    findings = study.categories(units) + study.signal_links(units) + study.supply()
    ranked = holm(findings)
    if not ranked:
        message = f"There is nothing to compare {target.label} with in {period.text}."
        return Result("no_data", message=message, assumed=assumed, limited_to=where.limited_to)
    evidence = _evidence(study, ranked, units, events)
    assumed = (*assumed, f"outcome: {target.label}") if target.label.lower() != said.lower() else assumed
    links = [finding for finding in ranked if finding.linked]
    data = {"outcome": target, "findings": ranked, "links": len(links), "period": period, "units": len(units)}
    return Result("answered", (evidence,), assumed=assumed, limited_to=where.limited_to, data=data)


def _studied(
    call: Call, target: Outcome, wanted: tuple[Condition, ...], period: Period
) -> tuple[_Study, list[Unit], float]:
    runs = _runs(call.plant, replace(period, end=min(period.end, call.now)))
    study = _Study(call, target, wanted, runs, period)
    units = study.units()
    return study, units, sum(unit.outcome for unit in units)


def _runs(plant: Plant, period: Period) -> list[ShiftRun | Span]:
    """The pieces of time that are compared: shift runs, or days where the plant has no shifts or they are too many."""
    runs: Sequence[ShiftRun | Span] = plant.calendar.runs(period.start, period.end) if plant.calendar.shifts else ()
    if not runs or len(runs) > MAX_RUNS:
        runs = plant.calendar.split(period.start, period.end, "day")
    return list(runs)[-MAX_RUNS:]


# -- the study


@dataclass
class _Study:
    """One outcome over one period; every statement runs under the caller's rights. `answer` is the statement that
    counted the outcome, for the citation."""

    call: Call
    outcome: Outcome
    wanted: tuple[Condition, ...]
    runs: Sequence[ShiftRun | Span]
    period: Period
    answer: Rows | None = None

    @property
    def spans(self) -> Times:
        buckets = tuple(
            Bucket((str(i),), Span(str(i), run.start, run.end)) for i, run in enumerate(self.runs)
        )  # fmt: skip
        return Times(self.runs[0].start, self.runs[-1].end, ("run",), buckets)

    def shift_of(self, run: int) -> str:
        item = self.runs[run]
        return item.shift.id if isinstance(item, ShiftRun) else ""

    def grouped(self, record: str, keys: Sequence[str], sums: Mapping[str, str], filters: Sequence[Condition]) -> Rows:
        """Sums of a record by run and keys; keys that the record lacks are empty."""
        plant = self.call.plant
        spec = plant.model.records[record]
        rows = Rowset(plant, spec, Parameters(), self.call.now)
        kept = [c for c in filters if c.key != "product" or isinstance(spec.fields.get("product"), str)]
        rows.restrict(kept, extent(self.call, kept))
        at = rows.sql_of(spec.time or "")
        rows.wheres += [f"{at} >= spans.since", f"{at} < spans.until"]
        texts = [rows.key(k) if isinstance(spec.fields.get(k), str) else "NULL" for k in keys]
        columns = [f"{text} AS {quoted(key)}" for text, key in zip(texts, keys, strict=True)]
        columns += [f"SUM({rows.sql_of(text)}) AS {name}" for name, text in sums.items()]
        groups = ["spans.run_label", *(text for text in texts if text != "NULL")]
        sql = (
            f"WITH {spans_sql(plant, spec.table, self.spans)} SELECT spans.run_label AS run, {', '.join(columns)}"
            f" FROM spans CROSS JOIN {rows.from_sql()}{rows.where_sql()} GROUP BY {', '.join(groups)}"
        )
        return self.run(sql, rows.parameters.values)

    def run(self, sql: str, parameters: Mapping[str, object]) -> Rows:
        call = self.call
        found = call.plant.database.run(
            Statement(sql, parameters, "document"), call.plant.grants(call.caller, call.policy), deadline_s=call.deadline_s
        )
        if found.truncated:  # no figure is computed over a part of the rows
            message = f"There are too many rows in {self.period.text} to compare; ask for a shorter period or one machine."
            raise Unanswerable(Result("needs_clarification", message=message))
        return found

    def units(self) -> list[Unit]:
        """One unit a machine, product and shift run with production; outcomes without production count too."""
        if self.outcome.metric:
            return self._metric_units()
        places = [c for c in self.wanted if c.key in ("equipment", "product")]
        by_product = isinstance(self.call.plant.model.records[self.outcome.record].fields.get("product"), str)
        keys = ("equipment", "product") if by_product else ("equipment",)
        events: dict[tuple[str, ...], float] = {}
        answer = self.grouped(self.outcome.record, keys, {"happened": self.outcome.weight}, (*places, *self.outcome.filters))
        self.answer = answer
        for row in answer.rows:
            key = (str(row[0]), *(str(value) for value in row[1 : 1 + len(keys)]))
            events[key] = events.get(key, 0.0) + float(row[-1] or 0)
        exposed: dict[tuple[str, ...], float] = {}
        made, amount = self._exposure()
        for row in self.grouped(made, keys, {"made": amount}, places).rows:
            key = (str(row[0]), *(str(value) for value in row[1 : 1 + len(keys)]))
            exposed[key] = exposed.get(key, 0.0) + float(row[-1] or 0)
        machines = {key[1] for key in events}
        found = []
        for key in dict.fromkeys((*exposed, *events)):
            if key[1] in machines:
                product = key[2] if len(key) > 2 else ""
                run = int(key[0])
                found.append(Unit(key[1], product, run, self.shift_of(run), events.get(key, 0.0), exposed.get(key, 0.0)))
        return found

    def _exposure(self) -> tuple[str, str]:
        """What a rate is per: planned busy time for stops and alarms, parts produced for defects."""
        model = self.call.plant.model
        element = "planned_busy_s" if self.outcome.record in ("downtime_events", "alarm_events") else "produced"
        if element not in model.elements:
            raise Unanswerable(Result("no_data", message="The plant model does not say how much was produced."))
        record, text = next(iter(model.elements[element].sum.items()))
        return record, text

    def _metric_units(self) -> list[Unit]:
        """A metric a machine and run: only units in which it is defined; weighted by one."""
        plant = self.call.plant
        metric = plant.model.metrics[self.outcome.metric]
        names = elements_of(metric)
        first = {name: next(iter(plant.model.elements[name].sum.items())) for name in names}
        if len({record for record, _ in first.values()}) != 1 or any(text == "overlap" for _, text in first.values()):
            raise Unanswerable(Result("no_data", message=f"{metric.label} is not kept by machine and shift."))
        record = next(iter(first.values()))[0]
        places = [c for c in self.wanted if c.key in ("equipment", "product")]
        sums = {name: text for name, (_, text) in first.items()}
        found = []
        self.answer = self.grouped(record, ("equipment", "product"), sums, places)
        for row in self.answer.rows:
            value = value_of(metric, {name: float(v or 0) for name, v in zip(names, row[3:], strict=True)})
            if value is not None:
                run = int(row[0])
                # Rounded, so that equal figures stay equal ranks however an engine sums them.
                found.append(Unit(str(row[1]), str(row[2]), run, self.shift_of(run), round(value, 12), 1.0))
        return found

    # -- categories: shift, machine, product

    def categories(self, units: Sequence[Unit]) -> list[Finding]:
        found: list[Finding] = []
        plant = self.call.plant

        def line_and_shift(unit: Unit) -> str:
            machine = plant.equipment.get(unit.equipment)
            return f"{plant.name('line', machine.line)}, {plant.name('shift', unit.shift)}" if machine and unit.shift else ""

        kinds: tuple[tuple[str, Callable[[Unit], str]], ...] = (
            ("shift", lambda u: u.shift), ("equipment", lambda u: u.equipment), ("product", lambda u: u.product),
            ("line and shift", line_and_shift),
        )  # fmt: skip
        for kind, of in kinds:
            groups: dict[str, list[Unit]] = {}
            for unit in units:
                if of(unit) not in ("", "None"):
                    groups.setdefault(of(unit), []).append(unit)
            if len(groups) < 2 or (kind == "line and shift" and len({v.split(",")[0] for v in groups}) < 2):
                continue
            for value, inside in groups.items():
                outside = [u for u in units if of(u) not in (value, "", "None")]
                name = plant.name(kind, value)
                label = {"equipment": "machine"}.get(kind, kind)
                found.append(self._category(label, name, inside, outside))
        return found

    def _category(self, kind: str, name: str, inside: Sequence[Unit], outside: Sequence[Unit]) -> Finding:
        if self.outcome.metric:
            return self._difference(kind, name, inside, outside)
        events_in, events_out = sum(u.outcome for u in inside), sum(u.outcome for u in outside)
        size_in, size_out = sum(u.exposure for u in inside), sum(u.exposure for u in outside)
        ratio = None
        if not math.isfinite(events_in + events_out):  # absurd quantities: nothing is to be told from them
            return Finding(kind, name, "rate ratio", None, 0, len(inside), 1.0)
        if size_in and size_out and events_out:
            ratio = (events_in / size_in) / (events_out / size_out)
        if self.outcome.weight != "1":  # pieces of one batch are no independent events: compare shift by shift
            p = rank_p([_rate(u) for u in inside], [_rate(u) for u in outside])
        else:
            share = size_in / (size_in + size_out) if size_in + size_out else 0.0
            p = binomial_p(round(events_in), round(events_in + events_out), share)
        return Finding(kind, name, "rate ratio", ratio, round(events_in), len(inside), p)

    def _difference(self, kind: str, name: str, inside: Sequence[Unit], outside: Sequence[Unit]) -> Finding:
        here, there = [u.outcome for u in inside], [u.outcome for u in outside]
        ratio = float(np.mean(here) / np.mean(there)) if here and there and np.mean(there) else None
        return Finding(kind, name, "ratio of means", ratio, len(here), len(here), rank_p(here, there))

    # -- signals

    def signal_links(self, units: Sequence[Unit]) -> list[Finding]:
        """Spearman's rho between each signal's mean in a shift run and the rate of the outcome in it."""
        call, spec = self.call, self.call.plant.model.signals
        if spec is None:
            return []
        machines = {unit.equipment for unit in units if unit.outcome}
        series = {s.id: s for s in signals_of(call, spec) if s.equipment in machines}
        if not series:
            return []
        by_run: dict[str, dict[int, list[float]]] = {}
        for unit in units:
            totals = by_run.setdefault(unit.equipment, {}).setdefault(unit.run, [0.0, 0.0, 0.0])
            totals[0] += unit.outcome
            totals[1] += unit.exposure
            totals[2] += 1
        found = []
        for id, means in self._means(sorted(series)).items():
            signal = series[id]
            pairs = [(run, totals) for run, totals in sorted(by_run[signal.equipment].items()) if run in means]
            if len(pairs) < MIN_UNITS:
                continue
            x = np.array([means[run] for run, _ in pairs])
            y = np.array([t[0] / t[2] if self.outcome.metric else t[0] / t[1] if t[1] else float(t[0] > 0) for _, t in pairs])
            happened = int(np.count_nonzero(y))
            if happened < MIN_EVENTS or np.ptp(y) == 0 or np.ptp(x) == 0:
                continue
            rho, p = spearman(x, y)
            factor = f"{signal.label} of {call.plant.name('equipment', signal.equipment)}"
            found.append(Finding("signal", factor, "Spearman rho", rho, happened, len(pairs), p))
        return found

    def _means(self, ids: Sequence[str]) -> dict[str, dict[int, float]]:
        plant, spec = self.call.plant, self.call.plant.model.signals
        assert spec is not None
        wanted: list[object] = [int(i) for i in ids] if plant.holds_integers(spec.samples, spec.sample_signal) else list(ids)
        at, signal, value = (f"t.{quoted(c)}" for c in (spec.sample_time, spec.sample_signal, spec.sample_value))
        start, end = (plant.write_time(moment, spec.samples) for moment in (self.spans.start, self.spans.end))
        levels = self.run(
            f"SELECT {signal} AS signal, AVG({value}) AS mean FROM {quoted(spec.samples)} AS t WHERE {signal} IN (:signals)"
            f" AND {at} >= :since AND {at} < :until GROUP BY {signal}",
            {"signals": wanted, "since": start, "until": end},
        )
        # A machine that stands shows a low current, flow or vibration: samples below half the mean are left out, so
        # that a stop does not look like its own cause.
        floors = [
            f"WHEN {signal} = {literal(id)} THEN {float(mean) / 2!r}" for id, mean in levels.rows if mean is not None
        ]  # fmt: skip
        if not floors:
            return {}
        sql = (
            f"WITH {spans_sql(plant, spec.samples, self.spans)} SELECT {signal} AS signal, spans.run_label AS run,"
            f" AVG(CASE WHEN {value} >= CASE {' '.join(floors)} ELSE {value} END THEN {value} END) AS mean"
            f" FROM spans CROSS JOIN {quoted(spec.samples)} AS t"
            f" WHERE {signal} IN (:signals) AND {at} >= spans.since AND {at} < spans.until"
            f" GROUP BY {signal}, spans.run_label"
        )
        found: dict[str, dict[int, float]] = {}
        for id, run, mean in self.run(sql, {"signals": wanted}).rows:
            if mean is not None:
                found.setdefault(str(id), {})[int(run)] = float(mean)
        return found

    # -- supplied lots

    def supply(self) -> list[Finding]:
        """Fisher's exact test for each supplied lot and supplier: lots made from it with the outcome, and without."""
        plant, tree = self.call.plant, self.call.plant.model.genealogy
        record = plant.model.records.get(self.outcome.record)
        if tree is None or record is None or not isinstance(record.fields.get("lot"), str):
            return []
        bad = self._bad_lots(record)
        if len(bad) < MIN_EVENTS or self.outcome.weight != "1":
            return []
        made = self._made_lots(bad)
        if len(bad) > len(made) / 2:
            return []
        children: dict[str, set[str]] = {}
        names: dict[str, str] = {}
        suppliers: dict[str, set[str]] = {}
        for child, parent, supplier, material in self._parents(sorted(made)):
            children.setdefault(parent, set()).add(child)
            names[parent] = f"lot {parent}{f' ({material}, {supplier})' if material and supplier else ''}"
            if supplier:
                suppliers.setdefault(supplier, set()).add(child)
        found = [self._supplied("supplied lot", names[lot], used, bad, made) for lot, used in children.items()]
        found += [self._supplied("supplier", name, used, bad, made) for name, used in suppliers.items()]
        return [finding for finding in found if finding is not None]

    def _supplied(self, kind: str, name: str, used: set[str], bad: set[str], made: Mapping[str, str]) -> Finding | None:
        """Compared with lots made while it was used and as long before and after: what a lot of a whole month goes with
        would else be that month. None where nothing without it was made meanwhile or after."""
        times = sorted(made[lot] for lot in used)
        if len(used) < 3 or len(used) == len(made):
            return None
        order = sorted(made, key=lambda lot: made[lot])
        first, last = (order.index(pick(used, key=made.__getitem__)) for pick in (min, max))
        length = last - first + 1
        near = set(order[max(0, first - length) : last + 1 + length])
        outside = near - used
        meanwhile = {lot for lot in outside if times[0] <= made[lot] <= times[-1]}
        after = {lot for lot in outside if made[lot] > times[-1]}
        if len(meanwhile) < max(2, len(used) // 5) and len(after) < max(2, len(used) // 4):
            return None
        hit, rest = len(used & bad), len(outside & bad)
        ratio = (hit / len(used)) / (rest / len(outside)) if rest else None
        p = fisher_p(hit, len(used) - hit, rest, len(outside) - rest)
        return Finding(kind, name, "rate ratio", ratio, hit, len(used), p)

    def _bad_lots(self, record: RecordSpec) -> set[str]:
        rows = Rowset(self.call.plant, record, Parameters(), self.call.now)
        filters = (*self.wanted, *self.outcome.filters)
        rows.restrict(filters, extent(self.call, filters))
        rows.within(self.period.start, self.period.end)
        lot = rows.sql_of(str(record.fields["lot"]))
        sql = f"SELECT DISTINCT {lot} AS lot FROM {rows.from_sql()}{rows.where_sql()}"
        return {str(row[0]) for row in self.run(sql, rows.parameters.values).rows if row[0] is not None}

    def _made_lots(self, bad: set[str]) -> dict[str, str]:
        """All lots of the same products made in the period (and two weeks before), with the time of each."""
        plant, tree = self.call.plant, self.call.plant.model.genealogy
        assert tree is not None
        record = plant.model.records["lots"]
        rows = Rowset(plant, record, Parameters(), self.call.now)
        product = rows.sql_of(str(record.fields["product"]))
        listed = rows.parameters.add(sorted(bad), "bad")
        key = rows.sql_of(tree.lot_key)
        found = self.run(
            f"SELECT DISTINCT {product} AS product FROM {rows.from_sql()} WHERE {key} IN ({listed})", rows.parameters.values
        )
        products = [row[0] for row in found.rows if row[0] is not None]
        if not products:
            return {}
        rows = Rowset(plant, record, Parameters(), self.call.now)
        rows.wheres.append(f"{rows.sql_of(str(record.fields['product']))} IN ({rows.parameters.add(products, 'products')})")
        rows.within(self.period.start - timedelta(days=14), self.period.end)
        made = rows.sql_of(record.time or tree.lot_key)
        sql = f"SELECT {rows.sql_of(tree.lot_key)} AS lot, {made} AS made FROM {rows.from_sql()}{rows.where_sql()}"
        return {str(row[0]): str(row[1]) for row in self.run(sql, rows.parameters.values).rows}

    def _parents(self, lots: Sequence[str]) -> list[tuple[str, str, str, str]]:
        """(child, parent, supplier, material) of each link into these lots."""
        plant, tree = self.call.plant, self.call.plant.model.genealogy
        assert tree is not None
        spec = RecordSpec(table=tree.table, label="links", singular="link")
        found: list[tuple[str, str, str, str]] = []
        for begin in range(0, len(lots), 400):
            rows = Rowset(plant, spec, Parameters(), self.call.now)
            columns = [rows.sql_of(tree.child), rows.sql_of(tree.parent)]
            for name in ("supplier", "material"):
                shown = next((c for c in tree.lot_show if c.name == name), None)
                columns.append(rows.sql_of(f"{tree.parent}.{shown.of}") if shown else "NULL")
            rows.wheres.append(f"{columns[0]} IN ({rows.parameters.add(list(lots[begin : begin + 400]), 'lots')})")
            names = ", ".join(f"{text} AS c{i}" for i, text in enumerate(columns))
            sql = f"SELECT {names} FROM {rows.from_sql()}{rows.where_sql()}"
            found += [(str(r[0]), str(r[1]), str(r[2] or ""), str(r[3] or "")) for r in self.run(sql, rows.parameters.values).rows]
        return found


def _rate(unit: Unit) -> float:
    return unit.outcome / unit.exposure if unit.exposure else 0.0


# -- evidence


def _evidence(study: _Study, ranked: Sequence[Finding], units: Sequence[Unit], events: float) -> Evidence:
    links = [finding for finding in ranked if finding.linked]
    rows: list[Mapping[str, Value]] = [
        {"factor": f.factor, "kind": f.kind, "measure": f.measure, "effect": f.effect, "events": f.events, "size": f.size,
         "p": f.p, "adjusted": f.adjusted, "link": "yes" if f.linked else "no"}
        for f in (links or ranked)[:SHOWN]
    ]  # fmt: skip
    columns = (
        Column("factor", "Factor"), Column("kind", "Kind"), Column("measure", "Measure"),
        Column("effect", "Effect", "number", "", 2), Column("events", "Cases", "count"), Column("size", "Units compared", "count"),
        Column("p", "p", "number", "", 4), Column("adjusted", "p, corrected", "number", "", 4), Column("link", "Link"),
    )  # fmt: skip
    plant = study.call.plant
    facts = {
        "outcome": fact("Outcome", study.outcome.label),
        "period": fact("Period", study.period.text),
        "tested": fact("Candidates tested", len(ranked), "count"),
        "links": fact("Links found", len(links), "count"),
        "units": fact("Shift runs compared", len(units), "count"),
    }
    if not study.outcome.metric:
        facts["cases"] = fact("Cases", round(events), "count")
    title = f"What goes with {study.outcome.label}, {study.period.text}"
    query = query_of(plant, study.answer, True) if study.answer is not None else None
    return Evidence("query", title, columns, tuple(rows), "factor", facts, query=query)
