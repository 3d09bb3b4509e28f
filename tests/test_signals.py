"""Signals: every figure of a trend recomputed from the raw samples; names as people say them; gaps stay gaps."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.small_plant import NOW, OPERATOR, ZONE, build, call, period, text
from tools.plant_model import Plant
from tools.signals import signal_trend, step_of

BEGIN = datetime(2025, 10, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = build(Path(tmp_path_factory.mktemp("plant")) / "mes.sqlite")
    db = sqlite3.connect(made)
    for machine in ("CNC-01", "CNC-02", "ROB-01"):
        names = (("spindle_vibration", "mm/s", None, 2.5), ("coolant_temperature", "°C", 15.0, 32.0), ("spindle_temperature", "°C", None, 70.0))
        for name, unit, low, high in names[: 3 if machine != "ROB-01" else 1]:
            db.execute("INSERT INTO signals VALUES (?,?,?,?,?,?)", (f"{machine}.{name}", machine, name, unit, low, high))
            moment, index = BEGIN, 0
            while moment < NOW.astimezone(UTC):
                if not 300 <= index < 400:  # an outage of eight hours
                    value = 1.0 + index / 1500 + 0.3 * math.sin(index / 7)
                    db.execute("INSERT INTO signal_samples VALUES (?,?,?)", (f"{machine}.{name}", text(moment), round(value, 4)))
                moment, index = moment + timedelta(minutes=5), index + 1
    db.commit()
    db.close()
    return made


@pytest.fixture(scope="module")
def plant(path: Path) -> Iterator[Plant]:
    opened = Plant.open(None, str(path))
    yield opened
    opened.close()


def test_every_figure_from_the_raw_samples(plant: Plant, path: Path) -> None:
    span = period(datetime(2025, 10, 24, 12, tzinfo=ZONE), datetime(2025, 10, 31, tzinfo=ZONE))  # the clocks change on the 26th
    item = signal_trend(call(plant), "spindle vibration", "CNC-01", span).evidence[0]
    samples = [
        (datetime.fromisoformat(at).replace(tzinfo=UTC), value)
        for at, value in sqlite3.connect(path).execute(
            "SELECT sampled_at, value FROM signal_samples WHERE signal_id='CNC-01.spindle_vibration' AND sampled_at >= ? AND sampled_at < ?",
            (text(span.start), text(span.end)),
        )
    ]  # fmt: skip
    values = [value for _, value in samples]
    facts = {name: value for name, (_, value) in item.facts.items()}
    assert facts["samples"] == len(values)
    assert facts["mean"] == pytest.approx(sum(values) / len(values))
    assert (facts["min"], facts["max"]) == (min(values), max(values))
    assert facts["outside"] == sum(value > 2.5 for value in values)
    step = step_of(span, 300)
    assert len(item.rows) == math.ceil((span.end - span.start.astimezone(UTC)).total_seconds() / step)
    for row in item.rows:
        begin = row["time"]
        assert isinstance(begin, datetime)
        inside = [v for at, v in samples if begin <= at < begin + timedelta(seconds=step)]
        assert row["samples"] == len(inside)
        assert row["mean"] == (pytest.approx(sum(inside) / len(inside)) if inside else None)
    assert facts["gaps"] == sum(not row["samples"] for row in item.rows) > 0
    assert facts["trend"] == pytest.approx(288 / 1500, rel=0.15)  # it was made to rise by 288 steps a day


def test_names_as_people_say_them(plant: Plant) -> None:
    ask = call(plant)
    assert signal_trend(ask, "vibration", "CNC-02").status == "answered"
    assert signal_trend(ask, "coolant temp", "cnc-02").status == "answered"
    several = signal_trend(ask, "temperature", "CNC-01")
    assert several.status == "needs_clarification"
    assert len(several.choices) == 2
    assert signal_trend(ask, "vibration").status == "needs_clarification"  # three machines have one
    absent = signal_trend(ask, "oil level", "CNC-01")
    assert absent.status == "needs_clarification"
    assert "coolant temperature" in absent.message


def test_periods(plant: Plant) -> None:
    ask = call(plant)
    plain = signal_trend(ask, "vibration", "CNC-01")
    assert plain.assumed == ("period: the last 24 hours",)
    future = signal_trend(ask, "vibration", "CNC-01", period(NOW + timedelta(days=1), NOW + timedelta(days=2)))
    assert (future.status, "future" in future.message) == ("no_data", True)
    early = signal_trend(ask, "vibration", "CNC-01", period(datetime(2025, 1, 1, tzinfo=ZONE), datetime(2025, 1, 2, tzinfo=ZONE)))
    assert early.status == "no_data"
    assert "last sample" in early.message


def test_an_operator_sees_own_machines(plant: Plant) -> None:
    assert signal_trend(call(plant, OPERATOR), "vibration", "CNC-01").status == "answered"
    assert signal_trend(call(plant, OPERATOR), "vibration", "ROB-01").status == "not_allowed"
    choices = signal_trend(call(plant, OPERATOR), "vibration").choices
    assert choices
    assert not any("ROB-01" in choice.label for choice in choices)
