"""Inspection of every lot, and what follows from results outside the limits: nonconformances with their dispositions, and CAPAs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from ingest.demo.counts import trouble
from ingest.demo.lots import Lot, Material
from ingest.demo.texts import Writer
from ingest.demo.world import DAY_S, HOUR_S, Floats, World

SPECIAL_CAUSE = 0.045      # share of lots and characteristics with a shifted mean
INCOMING_PER_DAY = 0.06
DECIMALS = {"mm": 4, "µm": 3, "ml/min": 2, "l/min": 2, "Nm": 2, "ml": 1, "dB(A)": 1}


@dataclass
class Finding:
    """What opens an NCR: a lot with results outside the limits, or a bad delivery."""

    lot: Lot
    product: str
    defect: str
    failed: int
    worst: str
    at_s: int
    equipment: str | None
    line: str | None
    supplier: str | None = None


def make_quality(world: World, material: Material) -> None:
    """Rows of quality_results, nonconformances and capas; lots with an open NCR are held."""
    rng = world.random(50)
    findings = inspections(world, rng, material)
    findings += incoming(world, rng, material)
    findings.sort(key=lambda f: (f.at_s, f.lot.lot_id, f.defect))
    nonconformances(world, rng, findings)
    corrective_actions(world, rng)


def inspections(world: World, rng: np.random.Generator, material: Material) -> list[Finding]:
    timeline = world.timeline
    story = trouble(world)
    findings: list[Finding] = []
    rows: list[tuple[int, tuple[Any, ...]]] = []
    inspectors = world.team("quality")
    for lot in material.produced:
        if lot.order is None or lot.product is None or lot.station is None:
            continue
        span = [lot.hours[0] * HOUR_S + 600, min(lot.created_s, timeline.end_s - 120)]
        for entry in world.processes["characteristics"][lot.product]:
            values = measure(rng, lot, entry, float(story[lot.hours[-1]]))
            moments = np.sort(rng.integers(span[0], max(span[0] + 1, span[1]), size=len(values)))
            failed = []
            inspector = inspectors[int(rng.integers(0, len(inspectors)))]
            for value, moment in zip(values.tolist(), moments.tolist(), strict=True):
                bad = value > entry.get("upper", np.inf) or value < entry.get("lower", -np.inf)
                failed += [value] if bad else []
                rows.append((moment, (
                    lot.lot_id, lot.order.order_id, lot.product, lot.station, entry["name"], value, entry["unit"],
                    entry.get("lower"), entry.get("upper"), "fail" if bad else "pass", timeline.text(moment), inspector,
                )))
            if failed:
                worst = max(failed, key=lambda v: abs(v - entry["target"]))
                supplier = "SUP-03" if lot.leaky_seals and entry["defect"] == "leak" else None
                limit = entry["upper"] if worst > entry["target"] else entry["lower"]
                findings.append(Finding(
                    lot, lot.product, defect_of(entry, worst), len(failed), f"{entry['name']} {worst:g} {entry['unit']}, limit {limit:g}",
                    int(moments[-1]) + int(rng.integers(300, 5400)), lot.station, lot.order.line, supplier,
                ))
    rows.sort(key=lambda row: (row[0], row[1][0], row[1][4]))
    world.rows("quality_results").extend((f"QR-{number:07d}", *row) for number, (_, row) in enumerate(rows, 1))
    return findings


def measure(rng: np.random.Generator, lot: Lot, entry: dict[str, Any], story: float) -> Floats:
    """Sampled values of one characteristic of one lot, as the instrument shows them."""
    mean = entry["target"] + rng.normal(0, entry["lot_sd"])
    spread = float(entry["sd"])
    if rng.random() < SPECIAL_CAUSE:
        sign = 1.0 if "lower" not in entry or rng.random() < 0.5 else -1.0
        mean += sign * spread * float(rng.uniform(2.0, 3.6))
    if entry["defect"] == "surface finish" and lot.station == "CNC-02" and lot.product == "XYZ":
        mean, spread = mean + 0.27 * story, spread * (1 + 0.35 * story)
    if entry["defect"] == "leak" and lot.leaky_seals:
        mean, spread = mean + 0.62, spread * 1.6
    values = np.abs(rng.normal(mean, spread, size=int(entry["samples"])))
    return np.asarray(np.round(values, DECIMALS.get(entry["unit"], 2)), dtype=np.float64)


def defect_of(entry: dict[str, Any], worst: float) -> str:
    if entry["defect"] == "underfill" and worst > entry["target"]:
        return "overfill"
    return str(entry["defect"])


def incoming(world: World, rng: np.random.Generator, material: Material) -> list[Finding]:
    """Bad deliveries found at goods receipt, a few a month."""
    deliveries = [lot for lot in material.others if lot.material and lot is not material.leaky and lot.created_s > 0]
    uses = {m["id"]: list(m["per"]) for m in world.processes["materials"]}
    count = min(len(deliveries), int(rng.poisson(INCOMING_PER_DAY * world.timeline.hours / 24)))
    chosen: list[int] = rng.choice(len(deliveries), size=count, replace=False).tolist() if count else []
    line_of = {p["id"]: p["line"] for p in world.plant["products"]}
    findings = []
    for place in chosen:
        lot = deliveries[place]
        product = str(rng.choice(uses[str(lot.material)]))
        found_s = lot.created_s + int(rng.integers(1800, 6 * HOUR_S))
        if found_s < world.timeline.end_s - HOUR_S:
            findings.append(Finding(
                lot, product, "incoming material", int(rng.integers(1, 9)), f"delivery of {lot.material}", found_s, None, line_of[product],
                lot.supplier,
            ))
    return findings


def nonconformances(world: World, rng: np.random.Generator, findings: list[Finding]) -> None:
    """NCR rows, numbered per year. Disposition and its authority come together, except on the one NCR of story (g)."""
    timeline = world.timeline
    writer = Writer(world.random(51))
    lacking = lacks_authority(world, findings)
    counters: dict[int, int] = {}
    story = trouble(world)
    for place, finding in enumerate(findings):
        local = timeline.moment(finding.at_s).astimezone(timeline.zone)
        counters[local.year] = counters.get(local.year, first_number(timeline.local[0], local.year)) + 1
        ncr_id = f"NCR-{local.year}-{counters[local.year]:04d}"
        closed_s = finding.at_s + int(float(np.exp(rng.normal(np.log(9), 0.65))) * DAY_S)
        age_s = timeline.end_s - finding.at_s
        if rng.random() < 0.03:
            closed_s += 60 * DAY_S
        if place == lacking:
            closed_s = min(closed_s, finding.at_s + 12 * DAY_S, timeline.end_s - 3600)
        closed = closed_s <= timeline.end_s
        if not closed or finding.at_s > timeline.end_s - 2 * DAY_S:
            closed = False
            status = "open" if age_s < 4 * DAY_S else "under_review"
        else:
            status = "closed"
        if not closed and finding.lot.kind == "produced":
            finding.lot.hold_s = timeline.end_s + DAY_S
        elif finding.lot.kind == "produced":
            finding.lot.hold_s = max(finding.lot.hold_s or 0, closed_s)
        decided = closed or (status == "under_review" and rng.random() < 0.5)
        disposition = decide(rng, finding) if decided else None
        authority = str(rng.choice(world.team("quality"))) if decided and place != lacking else None
        severity = str(rng.choice(["minor", "major", "critical"], p=[0.55, 0.4, 0.05] if finding.failed < 3 else [0.15, 0.65, 0.2]))
        quantity = int(min(finding.lot.quantity, max(finding.failed, round(finding.failed * float(rng.uniform(1, 6))))))
        cause = None
        if closed or rng.random() < 0.4:
            cause = writer.cause_of(finding.defect, finding.equipment == "CNC-02" and story[min(len(story) - 1, finding.at_s // HOUR_S)] > 0, finding.lot.leaky_seals)
        description = writer.ncr(finding.defect, finding.worst, finding.lot.lot_id, finding.failed, finding.equipment or "goods receipt", finding.product)
        world.rows("nonconformances").append((
            ncr_id, finding.product, finding.lot.lot_id, finding.lot.order.order_id if finding.lot.order else None, finding.equipment, finding.line,
            finding.supplier, finding.defect, severity, quantity, description, cause, timeline.text(finding.at_s), str(rng.choice(world.team("quality"))),
            timeline.text(finding.at_s + 14 * DAY_S), timeline.text(closed_s) if closed else None, status, disposition, authority,
        ))
        if place == lacking:
            world.truth["g"] = {"ncr": ncr_id, "product": finding.product, "disposition": disposition, "opened_at": timeline.text(finding.at_s)}


def first_number(first_local: datetime, year: int) -> int:
    """NCRs already numbered in the year in which the simulation begins."""
    return int((first_local.timetuple().tm_yday - 1) * 0.62) if year == first_local.year else 0


def lacks_authority(world: World, findings: list[Finding]) -> int:
    """The NCR of story (g): on XYZ, nearest to the middle of the last full quarter."""
    timeline = world.timeline
    today = timeline.moment(timeline.end_s).astimezone(timeline.zone)
    month = 3 * ((today.month - 1) // 3) - 1
    middle = datetime(today.year if month > 0 else today.year - 1, month if month > 0 else 11, 15, tzinfo=timeline.zone)
    wanted = timeline.second(middle)
    own = [n for n, f in enumerate(findings) if f.product == "XYZ" and f.at_s < timeline.end_s - 3 * DAY_S]
    return min(own, key=lambda n: abs(findings[n].at_s - wanted)) if own else -1


def decide(rng: np.random.Generator, finding: Finding) -> str:
    if finding.supplier and finding.lot.kind == "purchased":
        return str(rng.choice(["return_to_supplier", "use_as_is"], p=[0.8, 0.2]))
    if finding.defect in ("leak", "underfill", "overfill", "cap torque", "label position", "bolt torque"):
        return str(rng.choice(["rework", "scrap", "use_as_is"], p=[0.65, 0.25, 0.1]))
    return str(rng.choice(["rework", "scrap", "use_as_is"], p=[0.3, 0.45, 0.25]))


def corrective_actions(world: World, rng: np.random.Generator) -> None:
    """A CAPA for one in eight NCRs, more often for severe ones, and the two that the stories call for."""
    timeline = world.timeline
    writer = Writer(world.random(52))
    counters: dict[int, int] = {}
    wanted: dict[str, str] = {}
    for defect, product in (("surface finish", "XYZ"), ("leak", "PMP-40")):
        recent = [n for n in world.rows("nonconformances") if n[7] == defect and n[1] == product and n[12] < timeline.text(timeline.end_s - 4 * DAY_S)]
        if recent:
            wanted[recent[-1][0]] = defect
    for ncr in world.rows("nonconformances"):
        chance = {"minor": 0.03, "major": 0.16, "critical": 0.7}[ncr[8]]
        if ncr[0] not in wanted and rng.random() >= chance:
            continue
        opened_s = timeline.second(datetime.fromisoformat(ncr[12] + "+00:00")) + int(rng.integers(1, 4)) * DAY_S
        if opened_s >= timeline.end_s:
            continue
        year = timeline.moment(opened_s).astimezone(timeline.zone).year
        counters[year] = counters.get(year, first_number(timeline.local[0], year) // 6) + 1
        closed_s = opened_s + int(rng.integers(15, 90)) * DAY_S
        closed = closed_s <= timeline.end_s
        status = "closed" if closed else "in_progress" if timeline.end_s - opened_s > 10 * DAY_S else "open"
        title, root_cause, action = writer.capa(ncr[7], ncr[1], ncr[4] or "goods receipt")
        world.rows("capas").append((
            f"CAPA-{year}-{counters[year]:03d}", ncr[0], "corrective" if rng.random() < 0.75 else "preventive", title,
            root_cause if status != "open" else None, action if status != "open" else None, str(rng.choice([*world.team("quality"), *world.team("supervisor")])),
            timeline.text(opened_s), timeline.text(opened_s + 45 * DAY_S), timeline.text(closed_s) if closed else None, status,
            str(rng.choice(["effective", "effective", "partly effective", "not yet verified"])) if closed else None,
        ))
