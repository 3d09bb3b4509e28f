"""Links: exact tests against known values, planted links are found, and noise is called noise."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.small_plant import NOW, OPERATOR, START, UNTIL, build, call, text
from tools.correlations import find_correlations
from tools.outcomes import outcome_of
from tools.plant_model import Plant
from tools.registry import Unanswerable
from tools.significance import Finding, binomial_p, fisher_p, holm, rank_p, ranks, spearman


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """Planted: burr scrap on CNC-01 follows its vibration; a bought lot goes with `crack` nonconformances."""
    made = build(Path(tmp_path_factory.mktemp("plant")) / "mes.sqlite")
    db, rng = sqlite3.connect(made), random.Random(2)
    db.execute("DELETE FROM nonconformances")
    for machine in ("CNC-01", "CNC-02"):
        for name in ("vibration", "pressure"):
            db.execute("INSERT INTO signals VALUES (?,?,?,?,NULL,NULL)", (f"{machine}.{name}", machine, name, "x"))
    hour, number = START, 100_000
    while hour < UNTIL:
        rough = rng.random()
        for machine in ("CNC-01", "CNC-02"):
            vibration = 1 + (2 * rough if machine == "CNC-01" else rng.random())
            db.execute("INSERT INTO signal_samples VALUES (?,?,?)", (f"{machine}.vibration", text(hour), vibration))
            db.execute("INSERT INTO signal_samples VALUES (?,?,?)", (f"{machine}.pressure", text(hour), 5 + rng.random()))
        hit = int(30 * rough**3)
        if hit:
            db.execute("INSERT INTO scrap_records VALUES (?,?,?,NULL,?,NULL,?,?)", (number, "CNC-01", text(hour), "XYZ", "chatter", hit))
            number += 1
        hour += timedelta(hours=1)
    for index in range(60):
        when = text(datetime(2025, 10, 15, tzinfo=UTC) + timedelta(hours=6 * index))
        lot = str(900 + index)
        db.execute("INSERT INTO lots VALUES (?,'produced','XYZ',NULL,NULL,NULL,'LINE-3',10,'pcs',?,NULL,'in_stock','A')", (lot, when))
        parent = "B1" if index % 3 == 0 and index < 45 else "B2"
        db.execute("INSERT INTO lot_genealogy VALUES (?,?,NULL,1,?)", (lot, parent, when))
        if parent == "B1" and index % 6 == 0:
            db.execute(
                "INSERT INTO nonconformances VALUES (?,'XYZ',?,NULL,'CNC-01','LINE-3',NULL,'crack','major',1,'d',NULL,?,NULL,NULL,NULL,'open',NULL,NULL)",
                (f"N-{index}", lot, when),
            )
    for lot in ("B1", "B2"):
        db.execute("INSERT INTO lots VALUES (?,'purchased',NULL,NULL,NULL,'S1',NULL,10,'kg','2025-10-01 00:00:00',NULL,'consumed','B')", (lot,))
    db.commit()
    db.close()
    opened = Plant.open(None, str(made))
    yield opened
    opened.close()


def test_exact_tests_have_their_textbook_values() -> None:
    assert fisher_p(3, 1, 1, 3) == pytest.approx(0.485714, abs=1e-6)  # the lady tasting tea, two-sided
    assert fisher_p(8, 2, 1, 5) == pytest.approx(0.034965, abs=1e-6)
    assert binomial_p(8, 10, 0.5) == pytest.approx(112 / 1024)
    assert binomial_p(0, 0, 0.5) == 1.0
    assert list(ranks([3.0, 1.0, 3.0])) == [2.5, 1.0, 2.5]
    assert rank_p([1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]) == pytest.approx(0.0051, abs=0.001)
    assert spearman(np.arange(30.0), np.arange(30.0) ** 3)[0] == pytest.approx(1.0)


def test_holm_never_lets_a_weaker_one_pass_a_stronger() -> None:
    found = holm([Finding("x", str(p), "m", 1.5, 5, 10, p) for p in (0.04, 0.001, 0.02)])
    assert [f.adjusted for f in found] == pytest.approx([0.003, 0.04, 0.04])


def test_series_that_remember_are_not_linked_by_their_memory() -> None:
    """Of 100 independent pairs with memory 0.8 a naive test calls some thirty linked; at 5 % about five may be."""
    rng = np.random.default_rng(4)

    def remembering() -> np.ndarray:
        out, noise = np.zeros(120), rng.normal(size=120)
        for i in range(1, 120):
            out[i] = 0.8 * out[i - 1] + noise[i]
        return out

    pairs = [spearman(remembering(), remembering()) for _ in range(100)]
    naive = sum(abs(rho) * 119**0.5 > 1.96 for rho, _ in pairs)
    assert naive >= 20
    assert sum(p < 0.05 for _, p in pairs) <= 11


def test_the_planted_signal_is_found_and_the_others_are_not(plant: Plant) -> None:
    result = find_correlations(call(plant), "chatter")
    assert result.status == "answered"
    links = [row["factor"] for row in result.evidence[0].rows if row["link"] == "yes"]
    assert "vibration of CNC-01" in links
    assert not any("pressure" in str(link) or "CNC-02" in str(link) for link in links)


def test_the_planted_lot_is_found(plant: Plant) -> None:
    rows = find_correlations(call(plant), "cracks", product="XYZ").evidence[0].rows
    assert rows[0]["kind"] == "supplied lot"
    assert "lot B1" in str(rows[0]["factor"])
    assert (rows[0]["events"], rows[0]["link"]) == (8, "yes")


def test_noise_is_called_noise(plant: Plant) -> None:
    result = find_correlations(call(plant), "porosity", equipment="CNC-02")
    assert result.status == "answered"
    assert result.data["links"] == 0
    assert all(row["link"] == "no" for row in result.evidence[0].rows)


def test_outcomes_in_peoples_words(plant: Plant) -> None:
    assert outcome_of(plant, "Alarm 502").label == "alarm 502"
    assert outcome_of(plant, "burrs").record == "scrap_records"
    assert outcome_of(plant, "low first pass yield").metric == "first_pass_yield"
    assert outcome_of(plant, "unplanned stops").record == "downtime_events"
    with pytest.raises(Unanswerable) as caught:
        outcome_of(plant, "zebra stripes")
    assert caught.value.result.status == "needs_clarification"
    assert caught.value.result.choices


def test_too_few_cases_and_rights(plant: Plant) -> None:
    assert find_correlations(call(plant, now=NOW - timedelta(days=17)), "cracks").status == "no_data"
    assert find_correlations(call(plant, OPERATOR), "burr", equipment="ROB-01").status == "not_allowed"
    own = find_correlations(call(plant, OPERATOR), "burr")
    assert own.limited_to == "Line 3"
    assert all("ROB" not in str(row["factor"]) and "FILL" not in str(row["factor"]) for row in own.evidence[0].rows)
