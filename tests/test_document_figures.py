"""Every figure of every kind over random scopes equals a recomputation of its own; required fields that are empty are
flagged and none is invented; every sentence that holds a fact is cited; every statement of the appendix gives its rows
again. `make test-long` takes twenty scopes a kind, the quick run two."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.document_oracle import MISSING, NOW, TABLES, TILES, Oracle, lasting, percent, whole
from tools.documents import draft_document, kinds
from tools.documents.tree import rows_hash
from tools.registry import Call, Period

BERLIN = ZoneInfo("Europe/Berlin")
KINDS = sorted(kinds())
QUICK, LONG = 2, 20
#: Tables that other tests recompute: words counted from log texts, statistics, lists of the index, the walked genealogy.
ELSEWHERE = re.compile(
    r"Causes in the logs|What goes with|Spare parts in stock|Effective documents|Superseded documents|Genealogy|Lots made from|Maintenance orders|Parts that the steps|"
    r"Components of one unit|Bill of material|Routing|Machine$|Most frequent alarms|Stops of the machines|Alarms of the machines|Spare parts of this class"
)


@pytest.fixture(scope="module")
def raw(demo_home):
    with sqlite3.connect(f"file:{demo_home / 'demo' / 'mes.sqlite'}?mode=ro", uri=True) as db:
        yield db


@pytest.fixture(scope="module")
def quinn(assistant):
    return assistant.caller("quinn")


def _pick(raw, sql):
    return random.choice([row[0] for row in raw.execute(sql)])


def _period(most_days):
    first = date(2025, 6, 1) + timedelta(days=random.randrange(0, 370))
    last = min(first + timedelta(days=random.randrange(1, most_days)), date(2026, 6, 16))
    start, end = _utc(first), _utc(last + timedelta(days=1))
    return Period(f"{first} to {last}", start.replace(tzinfo=UTC).astimezone(BERLIN), end.replace(tzinfo=UTC).astimezone(BERLIN)), start, end


def _utc(day):
    return datetime(day.year, day.month, day.day, tzinfo=BERLIN).astimezone(UTC).replace(tzinfo=None)


def _place(raw, *keys):
    key = random.choice(keys)
    sql = {"line": "SELECT line_id FROM lines", "equipment": "SELECT equipment_id FROM equipment", "product": "SELECT product_id FROM products",
           "lot": "SELECT lot_id FROM nonconformances WHERE lot_id IS NOT NULL"}  # fmt: skip
    return {key: _pick(raw, sql[key])} if key else {}


def _scope(kind, raw):
    """Random arguments of a kind, and the oracle of the same."""
    if kind == "shift_handover":
        day, shift = date(2025, 6, 1) + timedelta(days=random.randrange(0, 370)), random.choice(["day", "evening"])
        start = datetime(day.year, day.month, day.day, 6 if shift == "day" else 14, tzinfo=BERLIN)
        where = _place(raw, "line", "equipment")
        at = [moment.astimezone(UTC).replace(tzinfo=None) for moment in (start, start.replace(hour=start.hour + 8))]
        whole_day = Period(str(day), start.replace(hour=0), start.replace(hour=0) + timedelta(days=1))
        return {**where, "shift": shift, "period": whole_day}, Oracle(raw, where, *at)
    if kind == "batch_record":
        lot = _pick(raw, "SELECT lot_id FROM lots WHERE kind <> 'purchased' AND order_id IS NOT NULL")
        return {"lot": lot}, Oracle(raw, {"lot": lot})
    if kind == "training_report":
        where = random.choice([{}, {"line": _pick(raw, "SELECT line_id FROM lines")}, {"shift": random.choice(["day", "evening", "night"])}])
        return where, Oracle(raw, where)
    if kind == "troubleshooting_guide":
        code, machine = random.choice(raw.execute("SELECT DISTINCT code, equipment_id FROM alarm_events").fetchall())
        return {"alarm": code, "equipment": machine}, Oracle(raw, {"equipment": machine, "alarm": code})
    if kind in ("sop", "work_instruction"):
        task = random.choice(["clean the coolant tank", "lock out a machine", "changing the coolant filter", "first article inspection", "replace the spindle bearing set"])
        return {"task": task, "skill": random.choice(["novice", "experienced", "expert"])}, Oracle(raw, {})
    keys = {"capa": ("product", "equipment", "line", "lot"), "deviation": ("product", "equipment", "line", "lot"), "audit_report": ("", "line"),
            "maintenance_report": ("", "line", "equipment"), "oee_report": ("line", "equipment", ""), "ncr_summary": ("product", "line", "equipment", "")}[kind]  # fmt: skip
    where = _place(raw, *keys)
    said, start, end = _period(40 if kind == "oee_report" else 120)
    return {**where, "period": said}, Oracle(raw, where, start, end)


def _drafted(assistant, quinn, kind, arguments):
    call = Call(
        caller=quinn, now=assistant.now(), plant=assistant.plant, index=assistant.index, policy=assistant.policy,
        stores={"documents": assistant.register},
    )  # fmt: skip
    made = draft_document(call, kind, **arguments)
    if made.status != "answered":
        return None, made
    return assistant.register.store.tree(assistant.register.store.get(made.data["document"])), made


def _names(raw):
    """id -> every way in which its name may be shown."""
    found = {}
    for table, key, name in (("equipment", "equipment_id", "name"), ("lines", "line_id", "name"), ("products", "product_id", "name"), ("suppliers", "supplier_id", "name"),
                             ("spare_parts", "part_id", "name"), ("downtime_reasons", "reason", "name")):  # fmt: skip
        for identity, words in raw.execute(f"SELECT {key}, {name} FROM {table}"):
            found.setdefault(str(identity), set()).update({words, f"{words} ({identity})"})
    return found


def _same(part, expected, names, where):
    rows = part["rows"]
    if isinstance(expected, int):
        assert len(rows) == expected, where
        return
    assert len(rows) == len(expected), where
    for key, value in expected.items():
        shown = {"–"} if key is None else {str(key), str(key).replace("_", " "), *names.get(str(key), ())}
        row = next((row for row in rows if row[0] in shown), None)
        assert row is not None, (where, key, [row[0] for row in rows])
        if isinstance(value, list):
            assert row[1 : 1 + len(value)] == value, (where, key)
        else:
            assert row[1] == whole(value), (where, key)


def _by_time(part, oracle, kind):
    """Tables by day, week, shift, hour and product: each row asked for alone."""
    title, rows = part["title"], part["rows"]
    if title == "By day":
        for row in rows:
            day = datetime.strptime(row[0], "%d %b %Y").date() if " " in row[0] else date.fromisoformat(row[0])
            one = Oracle(oracle.db, oracle.scope, max(oracle.start, _utc(day)), min(oracle.end, _utc(day + timedelta(days=1))))
            assert row[1:5] == [percent(one.metric(name)) for name in ("oee", "availability", "performance", "quality_ratio")], row
        return True
    if title == "By product" and kind == "oee_report":
        for row in rows:
            identity = next(key for (key, name) in oracle.db.execute("SELECT product_id, name FROM products") if row[0] in (name, f"{name} ({key})", key))
            one = {**oracle.scope, "product": identity}
            assert row[1:4] == [whole(oracle.metric("good_count", scope=one)), whole(oracle.metric("scrap_count", scope=one)), percent(oracle.metric("quality_ratio", scope=one))]
        return True
    if title in ("By week", "Orders by week", "Raised by week"):
        record, where = {"By week": ("ncr", "1=1"), "Orders by week": ("mo", "1=1"), "Raised by week": ("alarm", "1=1")}[title]
        column = {"ncr": "t.opened_at", "mo": "t.created_at", "alarm": "t.raised_at"}[record]
        counted = {}
        for (moment,) in oracle.sql(record, column, where):
            local = datetime.fromisoformat(moment).replace(tzinfo=UTC).astimezone(BERLIN)
            week = f"{local.isocalendar().year}-W{local.isocalendar().week:02d}"
            counted[week] = counted.get(week, 0) + 1
        shown = {row[0]: row[1] for row in rows}
        assert {week: n for week, n in shown.items() if n != "0"} == {week: whole(n) for week, n in counted.items()}
        weeks = {(_utc(date(2025, 5, 1)) + timedelta(days=n)).isocalendar()[:2] for n in range(500)}
        assert set(shown) <= {f"{year}-W{week:02d}" for year, week in weeks}
        return True
    if title == "By shift":
        assert [row[0] for row in rows]
        for row in rows:
            hours = {"day shift": (6, 8), "evening shift": (14, 8), "night shift": (22, 8)}[row[0]]
            assert row[1:5] == _of_shift(oracle, *hours), row
        return True
    return False


def _of_shift(oracle, hour, length):
    """Sums over every run of a shift that starts in the period of whole days; a run counts whole for its first day."""
    total = {}
    day = oracle.start.replace(tzinfo=UTC).astimezone(BERLIN).date()
    while _utc(day) < oracle.end:
        begin = datetime(day.year, day.month, day.day, hour, tzinfo=BERLIN)
        finish = datetime(*(day + timedelta(days=1) if hour + length >= 24 else day).timetuple()[:3], (hour + length) % 24, tzinfo=BERLIN)
        window = [moment.astimezone(UTC).replace(tzinfo=None) for moment in (begin, finish)]
        for key, value in Oracle(oracle.db, oracle.scope, *window).sums().items():
            total[key] = total.get(key, 0.0) + value
        day += timedelta(days=1)
    parts = [total[a] / total[b] if total[b] else None for a, b in (("production", "planned"), ("ideal", "production"), ("good", "started"))]
    oee = None if None in parts else parts[0] * parts[1] * parts[2]
    return [percent(value) for value in (oee, *parts)]


def _window(raw, lot):
    """The whole hours in which a lot's order was made, as the document's own period says."""
    rows = raw.execute("SELECT started_at, ended_at FROM operations WHERE order_id = (SELECT order_id FROM lots WHERE lot_id = ?)", (lot,)).fetchall()
    starts = [datetime.fromisoformat(begun) for begun, _ in rows if begun]
    ends = [datetime.fromisoformat(ended) if ended else NOW for _, ended in rows]
    if not starts:
        return None, None
    return min(starts).replace(minute=0, second=0), max(ends).replace(minute=0, second=0) + timedelta(hours=1)


def _check(kind, document, oracle, names, arguments):
    for section in document.sections:
        for part in section.parts:
            where = (kind, arguments, section.title, part.get("title"))
            if part["part"] == "figures":
                for item in part["items"]:
                    expected = TILES[kind][item["label"]](oracle)
                    assert item["text"] == (whole(expected) if isinstance(expected, int) else expected), (*where, item["label"])
            elif part["part"] == "missing":
                assert len(part["items"]) == MISSING[kind][part["title"]](oracle), where
            elif part["part"] == "table" and not ELSEWHERE.match(part["title"]) and kind not in ("sop", "work_instruction"):
                if kind == "batch_record" and part["title"] in ("By machine", "Scrap of this lot by reason"):
                    _batch_table(part, oracle, names, where)
                elif not _by_time(part, oracle, kind):
                    label = max((label for label in TABLES[kind] if part["title"].startswith(label)), key=len, default=None)
                    assert label is not None, (*where, "has no oracle")
                    _same(part, TABLES[kind][label](oracle), names, where)


def _batch_table(part, oracle, names, where):
    order = oracle.db.execute("SELECT order_id FROM lots WHERE lot_id = ?", (oracle.scope["lot"],)).fetchone()[0]
    if part["title"] == "Scrap of this lot by reason":
        rows = oracle.sql("scrap", "t.reason, SUM(t.quantity)", tail="GROUP BY 1")
        _same(part, {reason: [whole(total)] for reason, total in rows}, names, where)
        return
    rows = oracle.sql("hour", "t.equipment_id, SUM(t.good), SUM(t.scrap)", scope={"order": order}, tail="GROUP BY 1")
    _same(part, {machine: [whole(good), whole(scrap)] for machine, good, scrap in rows}, names, where)


def _sentences_are_cited(kind, document):
    """A sentence of a template with a digit in it cites what it is from; what a person reads as a heading may not."""
    known = {source.marker for source in document.sources}
    for section in document.sections:
        for part in section.parts:
            lines = part["items"] if part["part"] == "list" else [part["text"]] if part["part"] in ("text", "warning") else []
            for line in lines:
                assert set(re.findall(r"\[(E\d+)\]", line)) <= known
                if part["part"] == "warning":
                    assert not re.search(r"\d", line) or re.search(r"\[E\d+\]", line), (kind, line)
                    continue
                for sentence in re.findall(r"[^.!?]+(?:[.!?](?!\s|$)[^.!?]*)*[.!?]?(?:\s\[E\d+\])*", line):
                    bare = re.sub(r"\[E\d+\]|ISO \d+(?:, [\d.]+)?|21 CFR [\d.]+|\d{1,2} [A-Z][a-z]{2} \d{4}(?: \d\d:\d\d)?", "", sentence)
                    plain = re.sub("|".join(re.escape(text) for _, text in document.scope if text) or "$^", "", bare)
                    if re.search(r"\d", plain) and "In danger call" not in sentence:
                        assert re.search(r"\[E\d+\]", sentence), (kind, sentence)
            if part["part"] in ("table", "chart", "quote", "missing", "steps", "fields", "picture"):
                assert part["marker"] in known, (kind, part["part"], part.get("title"))


def _appendix_recomputes(assistant, document, caller):
    for source in document.sources:
        for statement in source.statements:
            with sqlite3.connect(f"file:{assistant.settings.home / 'demo' / 'mes.sqlite'}?mode=ro", uri=True) as db:
                rows = db.execute(statement["sql"], statement["parameters"]).fetchall()
            if statement["truncated"]:
                rows = rows[: statement["row_count"]]
            assert len(rows) == statement["row_count"], source.title
            assert rows_hash(rows) == statement["rows_sha256"], source.title


def _run(assistant, quinn, raw, kind, count):
    random.seed(f"{kind} 7")
    names, drafted = _names(raw), 0
    for attempt in range(count * 6):
        arguments, oracle = _scope(kind, raw)
        if kind == "batch_record":
            oracle.start, oracle.end = _window(raw, arguments["lot"])
        document, made = _drafted(assistant, quinn, kind, arguments)
        if document is None:
            _nothing_is_there(kind, oracle, made, arguments)
            continue
        drafted += 1
        if kind in ("capa", "deviation", "ncr_summary") and oracle.count("ncr") == 0:
            raise AssertionError((kind, arguments, "drafted about nothing"))
        _check(kind, document, oracle, names, arguments)
        _sentences_are_cited(kind, document)
        if attempt < 2:
            _appendix_recomputes(assistant, document, quinn)
        if drafted == count:
            return
    raise AssertionError(f"only {drafted} drafts of {kind}")


def _nothing_is_there(kind, oracle, made, arguments):
    assert made.status in ("no_data", "needs_clarification"), (kind, arguments, made)
    if kind in ("capa", "deviation", "ncr_summary"):
        assert oracle.count("ncr") == 0, (kind, arguments)


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_is_recomputed(assistant, quinn, raw, kind):
    _run(assistant, quinn, raw, kind, QUICK)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_is_recomputed_over_many_scopes(assistant, quinn, raw, kind):
    _run(assistant, quinn, raw, kind, LONG)


def test_planted_gaps_are_found_and_none_invented(demo_home, tmp_path):
    """Required values taken out of a copy of the database are flagged, exactly those."""
    from assistant import settings
    from assistant.app import build

    home = tmp_path / "home"
    shutil.copytree(demo_home, home, ignore=shutil.ignore_patterns("serve.lock", "documents*"))
    with sqlite3.connect(home / "demo" / "mes.sqlite") as db:
        chosen = [row[0] for row in db.execute("SELECT ncr_id FROM nonconformances WHERE status = 'closed' AND product_id = 'XYZ' AND opened_at >= '2026-01-10' ORDER BY 1 LIMIT 3")]
        db.execute("UPDATE nonconformances SET disposition_authority = NULL WHERE ncr_id = ?", (chosen[0],))
        db.execute("UPDATE nonconformances SET disposition = NULL, disposition_authority = NULL WHERE ncr_id = ?", (chosen[1],))
        db.execute("UPDATE nonconformances SET description = '  ' WHERE ncr_id = ?", (chosen[2],))
    made = build(settings.load(home))
    try:
        quinn = made.caller("quinn")
        document, _ = _drafted(made, quinn, "ncr_summary", {"product": "XYZ", "period": Period("this year", datetime(2026, 1, 1, tzinfo=BERLIN), datetime(2026, 6, 17, tzinfo=BERLIN))})
        flagged = next(part for section in document.sections for part in section.parts if part["part"] == "missing")
        found = {(item["id"], item["field"]) for item in flagged["items"]}
        with sqlite3.connect(home / "demo" / "mes.sqlite") as db:
            expected = set()
            for row in db.execute(
                "SELECT ncr_id, description, opened_by, product_id, quantity, cause, disposition, disposition_authority, closed_at FROM nonconformances"
                " WHERE product_id = 'XYZ' AND opened_at >= '2025-12-31 23:00:00' AND opened_at < '2026-06-16 22:00:00'"
            ):
                always = zip(("description", "opened by", "product", "quantity"), row[1:5], strict=True)
                expected |= {(row[0], name) for name, value in always if value is None or not str(value).strip()}
                expected |= {(row[0], name) for name, value in (("cause", row[5]), ("disposition", row[6])) if row[8] and not value}
                expected |= {(row[0], "disposition authority") for _ in (1,) if row[6] and not row[7]}
        assert found == expected
        assert {(chosen[0], "disposition authority"), (chosen[1], "disposition"), (chosen[2], "description")} <= found
        text = document.canonical()
        assert "missing" in text
    finally:
        made.close()


def test_durations_and_shares_are_written_as_people_read_them():
    assert [lasting(value) for value in (59, 90, 3599, 3600, 90061)] == ["59 s", "2 min", "1 h 00 min", "1 h 00 min", "25 h 01 min"]
    assert percent(0.12345) == "12.3 %"
