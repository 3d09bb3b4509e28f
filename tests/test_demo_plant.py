"""The demo plant's MES: the tables agree with each other, the stories are in the data, the same seed gives the same rows.
Every expectation is plain SQL or arithmetic over the finished database, never a function of the simulator."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from ingest.demo import plant as demo
from ingest.pipeline import IngestError

BERLIN = ZoneInfo("Europe/Berlin")
UNTIL = datetime(2026, 6, 17, 9, tzinfo=BERLIN)
END = UNTIL.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
SOURCES = Path(demo.__file__).parent


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> demo.DemoPlant:
    return demo.build(tmp_path_factory.mktemp("plant"), UNTIL, seed=7, days=64, signal_days=41)


@pytest.fixture(scope="module")
def mes(built: demo.DemoPlant) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(built.database)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def truth(built: demo.DemoPlant) -> dict[str, Any]:
    return demo.ground_truth(built.database)


def rows(mes: sqlite3.Connection, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    return mes.execute(sql, parameters).fetchall()


def one(mes: sqlite3.Connection, sql: str, *parameters: object) -> Any:
    (row,) = rows(mes, sql, *parameters)
    return row[0]


def source(name: str) -> Any:
    return yaml.load((SOURCES / f"{name}.yaml").read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def digest(path: Path) -> str:
    with sqlite3.connect(path) as connection:
        return hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()


# --- the tables agree with each other ---------------------------------------------------------------------------------------------------


def test_every_table_is_filled_and_every_reference_resolves(built: demo.DemoPlant, mes: sqlite3.Connection) -> None:
    assert all(count > 0 for count in built.rows.values()), {name for name, count in built.rows.items() if not count}
    for table, count in built.rows.items():
        assert one(mes, f"SELECT count(*) FROM {table}") == count
    assert rows(mes, "PRAGMA foreign_key_check") == []


def test_a_full_build_has_about_a_million_rows(built: demo.DemoPlant) -> None:
    samples = built.rows["signal_samples"]
    assert samples == built.rows["signals"] * (41 * 288 + 1)
    others = sum(built.rows.values()) - samples
    assert 800_000 < samples * 60 / 41 + others * 400 / 64 < 1_500_000


def test_people_write_in_many_wordings(mes: sqlite3.Connection) -> None:
    texts = [text for (text,) in rows(mes, "SELECT text FROM maintenance_logs")]
    assert len(set(texts)) > 0.7 * len(texts)
    assert any(text[0].islower() for text in texts)
    assert any(text[0].isupper() for text in texts)
    assert not [text for text in texts if "{" in text or "  " in text]
    listed = source("log_texts")
    patterns = {t for entries in listed["classes"].values() for entry in entries for cause in entry["causes"] for t in cause["texts"]}
    assert len(patterns) >= 400
    assert all(len(entries) >= 11 for entries in listed["classes"].values())


def test_nothing_lies_after_until(mes: sqlite3.Connection) -> None:
    for table, column in [
        ("production_hours", "hour_start"), ("alarm_events", "raised_at"), ("downtime_events", "started_at"), ("downtime_events", "ended_at"),
        ("maintenance_orders", "created_at"), ("maintenance_orders", "closed_at"), ("maintenance_logs", "written_at"), ("quality_results", "measured_at"),
        ("nonconformances", "opened_at"), ("nonconformances", "closed_at"), ("shipments", "shipped_at"), ("serials", "produced_at"),
        ("signal_samples", "sampled_at"), ("shift_notes", "written_at"), ("lots", "created_at"), ("capas", "opened_at"),
    ]:
        assert one(mes, f"SELECT max({column}) FROM {table}") <= END, (table, column)


def test_time_elements_add_up_to_the_planned_hour(mes: sqlite3.Connection) -> None:
    worst, least = rows(
        mes, "SELECT max(abs(planned_busy_s - production_s - setup_s - down_s - idle_s)), min(min(production_s, setup_s, down_s, idle_s)) FROM production_hours"
    )[0]
    assert worst < 0.001
    assert least >= 0
    hours = rows(mes, "SELECT DISTINCT round(sum(planned_busy_s), 3) FROM production_hours GROUP BY equipment_id, hour_start")
    assert {total for (total,) in hours} == {0.0, 3600.0}


def test_counts_add_up_and_fit_into_the_time(mes: sqlite3.Connection) -> None:
    assert one(mes, "SELECT count(*) FROM production_hours WHERE produced <> good + scrap OR rework > good OR rework < 0") == 0
    assert one(mes, "SELECT count(*) FROM production_hours WHERE ideal_s > production_s + 0.001") == 0
    routed = rows(
        mes, """SELECT max(abs(h.ideal_s - h.produced * r.ideal_cycle_s)) FROM production_hours h JOIN equipment e USING (equipment_id)
                JOIN routings r ON r.product_id = h.product_id AND r.equipment_class = e.equipment_class WHERE e.equipment_class <> 'robot'""",
    )[0][0]
    assert routed < 0.06


def test_scrap_records_sum_to_scrap(mes: sqlite3.Connection) -> None:
    differing = rows(
        mes, """SELECT equipment_id, hour_start, order_id, sum(scrap), sum(listed) FROM (
                  SELECT equipment_id, hour_start, order_id, scrap, 0 AS listed FROM production_hours
                  UNION ALL SELECT equipment_id, hour_start, order_id, 0, quantity FROM scrap_records)
                GROUP BY 1, 2, 3 HAVING sum(scrap) <> sum(listed)""",
    )
    assert differing == []


def test_downtime_events_sum_to_the_down_time_of_their_hours(mes: sqlite3.Connection) -> None:
    expected: dict[tuple[str, str], float] = {}
    for equipment, started, ended in rows(mes, "SELECT equipment_id, started_at, coalesce(ended_at, ?) FROM downtime_events", END):
        moment, end = datetime.fromisoformat(started), datetime.fromisoformat(ended)
        while moment < end:
            hour = moment.replace(minute=0, second=0)
            until = min(end, hour + timedelta(hours=1))
            key = (equipment, f"{hour:%Y-%m-%d %H:%M:%S}")
            expected[key] = expected.get(key, 0.0) + (until - moment).total_seconds()
            moment = until
    stored = {(e, h): s for e, h, s in rows(mes, "SELECT equipment_id, hour_start, sum(down_s) FROM production_hours GROUP BY 1, 2 HAVING sum(down_s) > 0")}
    assert stored.keys() == expected.keys()
    assert max(abs(stored[key] - expected[key]) for key in stored) < 0.3
    assert one(mes, "SELECT count(*) FROM downtime_events WHERE ended_at IS NOT NULL AND duration_s <> round((julianday(ended_at) - julianday(started_at)) * 86400)") == 0


def test_changeovers_sum_to_setup_time(mes: sqlite3.Connection) -> None:
    stored = dict(rows(mes, "SELECT equipment_id, sum(setup_s) FROM production_hours GROUP BY 1 HAVING sum(setup_s) > 0"))
    assert stored == dict(rows(mes, "SELECT equipment_id, sum(duration_s) FROM changeovers GROUP BY 1"))


def test_orders_lots_and_serials_hold_the_parts_that_were_made(mes: sqlite3.Connection) -> None:
    made = dict(rows(mes, "SELECT order_id, sum(good) FROM production_hours JOIN counting_points USING (equipment_id) WHERE order_id IS NOT NULL GROUP BY 1"))
    orders = dict(rows(mes, "SELECT order_id, quantity_good FROM production_orders WHERE status IN ('running', 'completed')"))
    assert made == orders
    lots = dict(rows(mes, "SELECT order_id, sum(quantity) FROM lots WHERE kind = 'produced' AND order_id IS NOT NULL GROUP BY 1"))
    assert lots == {order: good for order, good in orders.items() if good}
    unequal = rows(
        mes, """SELECT l.lot_id FROM lots l WHERE l.order_id IS NOT NULL AND l.product_id NOT LIKE 'CL-%'
                AND l.quantity <> (SELECT count(*) FROM serials s WHERE s.lot_id = l.lot_id)""",
    )
    assert unequal == []


def test_no_lot_gives_more_than_it_has_and_nothing_is_used_before_it_exists(mes: sqlite3.Connection) -> None:
    overdrawn = rows(
        mes, """SELECT lot_id FROM lots l WHERE quantity + 0.01 < coalesce((SELECT sum(quantity) FROM lot_genealogy g WHERE g.parent_lot = l.lot_id), 0)
                + coalesce((SELECT sum(quantity) FROM shipments s WHERE s.lot_id = l.lot_id), 0)""",
    )
    assert overdrawn == []
    assert one(mes, "SELECT count(*) FROM lot_genealogy g JOIN lots p ON p.lot_id = g.parent_lot WHERE g.consumed_at < p.created_at") == 0
    assert one(mes, "SELECT count(*) FROM shipments s JOIN lots l USING (lot_id) WHERE s.shipped_at < l.created_at") == 0
    childless = one(
        mes, "SELECT count(*) FROM lots WHERE kind = 'produced' AND order_id IS NOT NULL AND lot_id NOT IN (SELECT child_lot FROM lot_genealogy)"
    )
    assert childless == 0


def test_component_quantities_follow_the_bill_of_material(mes: sqlite3.Connection) -> None:
    for product, material, quantity in rows(mes, "SELECT product_id, material_id, quantity FROM bill_of_material"):
        used = one(
            mes, """SELECT sum(g.quantity) FROM lot_genealogy g JOIN lots c ON c.lot_id = g.child_lot JOIN lots p ON p.lot_id = g.parent_lot
                    WHERE c.product_id = ? AND coalesce(p.material_id, p.product_id) = ?""", product, material,
        )
        parts = one(
            mes, """SELECT (SELECT sum(quantity) FROM lots WHERE product_id = ?1 AND order_id IS NOT NULL)
                    + (SELECT coalesce(sum(quantity), 0) FROM scrap_records WHERE product_id = ?1 AND lot_id IS NOT NULL)""", product,
        )
        assert used == pytest.approx(parts * quantity, rel=0.002), (product, material)


def test_shipped_serials_equal_shipments(mes: sqlite3.Connection) -> None:
    shipped = dict(rows(mes, "SELECT shipment_id, count(*) FROM serials WHERE shipment_id IS NOT NULL GROUP BY 1"))
    assert shipped == dict(rows(mes, "SELECT shipment_id, s.quantity FROM shipments s JOIN lots USING (lot_id) WHERE product_id NOT LIKE 'CL-%'"))


def test_results_follow_their_limits_and_failures_open_ncrs(mes: sqlite3.Connection) -> None:
    wrong = one(
        mes, """SELECT count(*) FROM quality_results
                WHERE (result = 'fail') <> (value > coalesce(upper_limit, 1e9) OR value < coalesce(lower_limit, -1e9))""",
    )
    assert wrong == 0
    failing = {lot for (lot,) in rows(mes, "SELECT DISTINCT lot_id FROM quality_results WHERE result = 'fail'")}
    named = {lot for (lot,) in rows(mes, "SELECT DISTINCT lot_id FROM nonconformances WHERE defect <> 'incoming material'")}
    assert failing == named


def test_work_orders_are_linked_to_stops_and_alarms(mes: sqlite3.Connection) -> None:
    linked = rows(
        mes, """SELECT d.equipment_id = m.equipment_id, d.alarm_code IS m.alarm_code, m.created_at > d.started_at FROM downtime_events d
                JOIN maintenance_orders m USING (maintenance_order_id)""",
    )
    assert len(linked) > 100
    assert set(linked) == {(1, 1, 1)}
    unraised = one(
        mes, """SELECT count(*) FROM downtime_events d WHERE alarm_code IS NOT NULL AND NOT EXISTS (SELECT 1 FROM alarm_events a
                WHERE a.equipment_id = d.equipment_id AND a.code = d.alarm_code AND abs(julianday(a.raised_at) - julianday(d.started_at)) < 1.0 / 1440)""",
    )
    assert unraised == 0
    assert one(mes, "SELECT count(*) FROM maintenance_orders WHERE (status = 'closed') <> (closed_at IS NOT NULL)") == 0
    assert one(mes, "SELECT count(*) FROM maintenance_orders WHERE closed_at < started_at OR started_at < created_at") == 0


def test_alarm_codes_and_spare_parts_are_those_of_the_manuals(mes: sqlite3.Connection) -> None:
    listed = source("alarms")
    known = {(cls, str(a["code"]), a["title"]) for cls, entries in listed.items() for a in entries}
    seen = set(rows(mes, "SELECT DISTINCT equipment_class, code, message FROM alarm_events JOIN equipment USING (equipment_id)"))
    assert seen <= known
    assert len(seen) > 100
    for cls, entries in source("log_texts")["classes"].items():
        for entry in entries:
            if "alarm" in entry:
                codes = {str(a["code"]) for a in listed[cls]} | {a["title"] for a in listed[cls]}
                assert entry["alarm"] in codes, (cls, entry["mode"])
            for cause in entry["causes"]:
                if "part" in cause:
                    assert demo.stops.part_id(cls, cause["part"]) is not None, (cls, cause["part"])


def test_shifts_fall_on_local_hours_and_weekends_are_lighter(mes: sqlite3.Connection) -> None:
    per_day: dict[int, list[float]] = {}
    for hour, busy in rows(mes, "SELECT hour_start, sum(planned_busy_s) FROM production_hours GROUP BY 1"):
        local = datetime.fromisoformat(hour).replace(tzinfo=UTC).astimezone(BERLIN)
        per_day.setdefault(local.weekday(), []).append(busy)
    assert sum(per_day[6]) < 0.5 * sum(per_day[1])
    assert sum(per_day[5]) < 0.8 * sum(per_day[1])
    starts = {datetime.fromisoformat(s).replace(tzinfo=UTC).astimezone(BERLIN).hour for (s,) in rows(
        mes, "SELECT min(hour_start) FROM production_hours JOIN equipment USING (equipment_id) WHERE line_id = 'LINE-1' GROUP BY date(hour_start, '-7 days', 'weekday 0') ORDER BY 1"
    )[1:]}
    assert starts & {6, 22, 0, 2}


def test_people_stock_and_targets(mes: sqlite3.Connection) -> None:
    users = {u["id"]: (u["name"], u["role"]) for u in source("plant")["users"]}
    people = {p: (name, role) for p, name, role in rows(mes, "SELECT person_id, name, role FROM people")}
    assert users.items() <= people.items()
    assert 40 <= len(people) <= 50
    today = UNTIL.date().isoformat()
    soon = (UNTIL.date() + timedelta(days=30)).isoformat()
    assert one(mes, "SELECT count(*) FROM certifications WHERE expires_on < ?", today) >= 3
    assert one(mes, "SELECT count(*) FROM certifications WHERE expires_on >= ? AND expires_on < ?", today, soon) >= 3
    assert one(mes, "SELECT count(*) FROM certifications WHERE issued_on > ?", today) == 0
    assert one(mes, "SELECT count(*) FROM spare_parts WHERE stock < minimum") >= 3
    assert len(rows(mes, "SELECT DISTINCT metric, line_id FROM production_targets")) == 9


def test_what_is_open_now(mes: sqlite3.Connection) -> None:
    open_states = "status IN ('open', 'in_progress', 'waiting_parts')"
    assert one(mes, f"SELECT count(*) FROM maintenance_orders WHERE {open_states} AND equipment_id LIKE 'CNC-%'") >= 4
    assert one(mes, f"SELECT count(*) FROM maintenance_orders WHERE {open_states} AND due_at < ?", END) >= 1
    assert {line for (line,) in rows(mes, "SELECT line_id FROM production_orders WHERE status = 'running'")} == {"LINE-1", "LINE-2", "LINE-3"}
    assert one(mes, "SELECT count(*) FROM alarm_events WHERE cleared_at IS NULL") >= 3
    down = rows(mes, "SELECT equipment_id FROM downtime_events WHERE ended_at IS NULL")
    assert down == rows(mes, "SELECT equipment_id FROM equipment WHERE status = 'down'") == [("CNC-03",)]


# --- the stories --------------------------------------------------------------------------------------------------------------------------


def test_every_story_is_written_down_with_its_truth(truth: dict[str, Any]) -> None:
    written = {story.id: story for story in demo.stories()}
    assert set(written) == set("abcdefghi")
    assert all(story.planted and story.title for story in written.values())
    assert set(written) - {"e"} <= set(truth)


def test_story_a_vibration_of_cnc_02_rises_before_surface_ncrs(mes: sqlite3.Connection, truth: dict[str, Any]) -> None:
    def level(machine: str, days_before: float) -> float:
        low, high = (f"{datetime.fromisoformat(END) - timedelta(days=d):%Y-%m-%d %H:%M:%S}" for d in (days_before, days_before - 2.5))
        found = rows(
            mes, "SELECT value FROM signal_samples WHERE signal_id = ? AND sampled_at BETWEEN ? AND ? AND value > 1", f"{machine}.spindle_vibration", low, high
        )
        return fmean(v for (v,) in found)

    assert level("CNC-02", 3) > level("CNC-02", 12) + 0.3 > level("CNC-02", 25) + 0.6
    assert level("CNC-02", 3) > level("CNC-02", 38) + 1.5
    for machine in ("CNC-01", "CNC-03"):
        assert abs(level(machine, 3) - level(machine, 38)) < 0.3
    found = rows(
        mes, """SELECT equipment_id, ncr_id FROM nonconformances WHERE product_id = 'XYZ' AND defect = 'surface finish' AND opened_at >= ?
                ORDER BY opened_at""", truth["a"]["visible_from"],
    )
    per_machine: dict[str, list[str]] = {}
    for machine, ncr in found:
        per_machine.setdefault(machine, []).append(ncr)
    assert per_machine == truth["a"]["ncrs_since"]
    assert len(per_machine["CNC-02"]) >= 4
    assert all(len(ncrs) < len(per_machine["CNC-02"]) / 2 for machine, ncrs in per_machine.items() if machine != "CNC-02")


def test_story_b_alarm_502_is_mostly_the_filter(mes: sqlite3.Connection, truth: dict[str, Any]) -> None:
    counts = truth["b"]["counts_by_cause"]
    total = sum(counts.values())
    assert total == one(mes, "SELECT count(*) FROM maintenance_orders WHERE alarm_code = '502' AND status = 'closed'")
    assert 0.52 < counts["clogged coolant filter"] / total < 0.78
    assert 0.12 < counts["worn coolant pump"] / total < 0.38
    texts = [t for (t,) in rows(mes, "SELECT text FROM maintenance_logs WHERE alarm_code = '502'")]
    assert len(set(texts)) > 0.7 * len(texts)
    filled = one(mes, "SELECT avg(cause IS NOT NULL) FROM maintenance_orders WHERE alarm_code = '502' AND status = 'closed'")
    assert 0.35 < filled < 0.65
    week = f"{datetime.fromisoformat(END) - timedelta(days=6):%Y-%m-%d %H:%M:%S}"
    assert one(mes, "SELECT count(*) FROM alarm_events WHERE equipment_id = 'CNC-02' AND code = '502' AND raised_at > ?", week) >= 4
    assert one(mes, "SELECT count(*) FROM alarm_events WHERE equipment_id = 'CNC-02' AND code = '502' AND cleared_at IS NULL") == 1
    assert one(mes, "SELECT count(*) FROM maintenance_orders WHERE equipment_id = 'CNC-02' AND alarm_code = '502' AND status = 'open'") >= 1


def test_story_c_evening_overruns_changeovers_on_line_1(mes: sqlite3.Connection) -> None:
    shares: dict[tuple[str, bool], list[float]] = {}
    for line, started, share in rows(mes, "SELECT line_id, started_at, duration_s / target_s FROM changeovers"):
        local = datetime.fromisoformat(started).replace(tzinfo=UTC).astimezone(BERLIN)
        shares.setdefault((line, 14 <= local.hour < 22), []).append(share)
    assert fmean(shares["LINE-1", True]) > 1.3
    for key in [("LINE-1", False), ("LINE-2", True), ("LINE-2", False), ("LINE-3", True), ("LINE-3", False)]:
        assert 0.85 < fmean(shares[key]) < 1.15, key


def test_story_d_one_delivery_of_seals_leaks(mes: sqlite3.Connection, truth: dict[str, Any]) -> None:
    lot = truth["d"]["lot"]
    children = {c for (c,) in rows(mes, "SELECT child_lot FROM lot_genealogy WHERE parent_lot = ?", lot)}
    assert children == set(truth["d"]["lots"])
    assert rows(mes, "SELECT supplier_id, status, material_id FROM lots WHERE lot_id = ?", lot) == [("SUP-03", "on_hold", "SEAL-40")]

    def share(lots: set[str], inside: bool) -> float:
        found = rows(mes, "SELECT lot_id, result FROM quality_results WHERE product_id = 'PMP-40' AND characteristic = 'leak rate'")
        chosen = [result for lot_id, result in found if (lot_id in lots) is inside]
        return chosen.count("fail") / len(chosen)

    assert share(children, True) > 10 * share(children, False)
    ncrs = rows(mes, "SELECT lot_id, supplier_id FROM nonconformances WHERE defect = 'leak' AND product_id = 'PMP-40'")
    blamed = {lot_id for lot_id, supplier in ncrs if supplier == "SUP-03"}
    assert len(blamed) >= 3
    assert blamed <= children


def test_story_f_an_entry_speaks_to_the_assistant(mes: sqlite3.Connection, truth: dict[str, Any]) -> None:
    found = rows(mes, "SELECT log_id, equipment_id FROM maintenance_logs WHERE text LIKE '%ignore your%rules%'")
    assert found == [(truth["f"]["log"], truth["f"]["equipment"])]


def test_story_g_one_disposition_without_authority(mes: sqlite3.Connection, truth: dict[str, Any]) -> None:
    found = rows(mes, "SELECT ncr_id, product_id FROM nonconformances WHERE disposition IS NOT NULL AND disposition_authority IS NULL")
    assert found == [(truth["g"]["ncr"], "XYZ")]
    assert one(mes, "SELECT count(*) FROM nonconformances WHERE disposition IS NULL AND (status = 'closed' OR disposition_authority IS NOT NULL)") == 0


def test_story_h_line_1_stood_still_for_a_day(mes: sqlite3.Connection, truth: dict[str, Any]) -> None:
    day = datetime.fromisoformat(truth["h"]["day"]).replace(tzinfo=BERLIN)
    assert 10 <= (UNTIL - day).days <= 15
    assert day.weekday() < 5
    low, high = (f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" for moment in (day, day + timedelta(days=1)))
    by_line = dict(rows(
        mes, "SELECT line_id, sum(planned_busy_s) FROM production_hours JOIN equipment USING (equipment_id) WHERE hour_start >= ? AND hour_start < ? GROUP BY 1",
        low, high,
    ))
    assert by_line["LINE-1"] == 0
    assert by_line["LINE-2"] > 0
    assert by_line["LINE-3"] > 0


def test_story_i_line_2_stopped_last_night(mes: sqlite3.Connection, truth: dict[str, Any]) -> None:
    night = ("2026-06-16 20:00:00", "2026-06-17 04:00:00")
    longest = rows(
        mes, """SELECT d.equipment_id, d.downtime_id, d.maintenance_order_id, d.alarm_code, d.duration_s, d.comment FROM downtime_events d
                JOIN equipment e USING (equipment_id) JOIN downtime_reasons r USING (reason) WHERE e.line_id = 'LINE-2' AND r.failure = 1
                AND d.started_at >= ? AND d.ended_at <= ? ORDER BY d.duration_s DESC LIMIT 1""", *night,
    )[0]
    assert longest[:2] == ("PAL-01", truth["i"]["downtime"])
    assert longest[4] > 2 * 3600
    assert "sensor" in longest[5]
    order = rows(mes, "SELECT status, alarm_code, closing_text FROM maintenance_orders WHERE maintenance_order_id = ?", longest[2])[0]
    assert order[:2] == ("closed", longest[3])
    assert one(mes, "SELECT part_id FROM maintenance_parts WHERE maintenance_order_id = ?", longest[2]) == truth["i"]["part"]
    blocked = {e for (e,) in rows(mes, "SELECT equipment_id FROM downtime_events WHERE reason = 'blocked' AND started_at >= ? AND started_at < ?", *night)}
    assert {"FILL-01", "LAB-01", "PACK-01", "CONV-02"} <= blocked
    note = one(mes, "SELECT text FROM shift_notes WHERE line_id = 'LINE-2' AND shift = 'night' AND shift_date = '2026-06-16'")
    assert "PAL-01" in note
    made = rows(mes, "SELECT hour_start, sum(good) FROM production_hours WHERE equipment_id = 'PAL-01' AND hour_start >= ? AND hour_start < ? GROUP BY 1", *night)
    assert len(made) == 8
    assert min(good for _, good in made) == 0


def test_lot_88213(mes: sqlite3.Connection, truth: dict[str, Any]) -> None:
    product, kind, created, quantity = rows(mes, "SELECT product_id, kind, created_at, quantity FROM lots WHERE lot_id = '88213'")[0]
    assert (product, kind) == ("XYZ", "produced")
    assert datetime.fromisoformat(END) - datetime.fromisoformat(created) < timedelta(days=21)
    assert one(mes, "SELECT count(*) FROM serials WHERE lot_id = '88213'") == quantity
    assert one(mes, "SELECT count(*) FROM quality_results WHERE lot_id = '88213'") > 10
    shipped = one(mes, "SELECT sum(quantity) FROM shipments WHERE lot_id = '88213'")
    assert 0 < shipped < quantity
    into = {lot for (lot,) in rows(mes, "SELECT child_lot FROM lot_genealogy WHERE parent_lot = '88213'")}
    assert into == set(truth["lot"]["used_in"])
    assert into
    purchased = rows(mes, "SELECT DISTINCT kind FROM lot_genealogy JOIN lots ON lot_id = parent_lot WHERE child_lot = '88213'")
    assert purchased == [("purchased",)]


# --- builds -------------------------------------------------------------------------------------------------------------------------------


def test_same_seed_and_until_give_the_same_rows(tmp_path: Path) -> None:
    first, second, other = (
        demo.build(tmp_path / name, UNTIL, seed=seed, days=10, signal_days=1).database for name, seed in (("a", 3), ("b", 3), ("c", 4))
    )
    assert digest(first) == digest(second) != digest(other)


@pytest.mark.parametrize("until", ["2026-03-29T10:00+02:00", "2025-10-27T06:30+01:00", "2027-01-03T23:00+01:00", "2024-02-29T05:00+01:00"])
def test_any_until_holds_the_stories_of_last_night(tmp_path: Path, until: str) -> None:
    moment = datetime.fromisoformat(until)
    built = demo.build(tmp_path, moment, seed=11, days=16, signal_days=1)
    truth = demo.ground_truth(built.database)
    end = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    local = [datetime.fromisoformat(truth["i"][key]).replace(tzinfo=UTC).astimezone(BERLIN) for key in ("night_from", "night_to")]
    assert [m.hour for m in local] == [22, 6]
    assert truth["i"]["night_to"] <= end
    assert moment - local[1] < timedelta(days=1)
    assert truth["i"]["knocked_on"] == dict.fromkeys(("FILL-01", "LAB-01", "PACK-01", "CONV-02"), "blocked")
    assert truth["i"]["night_from"] < truth["i"]["started_at"] < truth["i"]["ended_at"] < truth["i"]["night_to"]
    with sqlite3.connect(built.database) as mes:
        assert one(mes, "SELECT max(abs(planned_busy_s - production_s - setup_s - down_s - idle_s)) FROM production_hours") < 0.001
        assert one(mes, "SELECT product_id FROM lots WHERE lot_id = '88213'") == "XYZ"
        assert rows(mes, "PRAGMA foreign_key_check") == []


def test_bad_arguments_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="time zone"):
        demo.build(tmp_path, datetime(2026, 6, 17, 9))
    with pytest.raises(ValueError, match="10 days"):
        demo.build(tmp_path, UNTIL, days=3, signal_days=1)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_build_keeps_the_old_plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = demo.build(tmp_path, UNTIL, days=10, signal_days=1)
    before = old.database.read_bytes()
    monkeypatch.setattr(demo, "simulate", lambda *_: type("Broken", (), {"tables": {"sites": [(1, 2)]}, "truth": {}})())
    with pytest.raises(IngestError, match="could not be written"):
        demo.build(tmp_path, UNTIL, days=10, signal_days=1)
    assert old.database.read_bytes() == before
    assert {p.name for p in tmp_path.iterdir()} == {"mes.sqlite", "stories.json"}
