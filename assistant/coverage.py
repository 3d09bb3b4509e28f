"""Coverage of this plant: its machines and the alarms of its MES, held against the index. tests/test_coverage.py."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ingest.coverage import AlarmSeen, Coverage, Machine, coverage
from retrieval.passages import DocumentInfo
from tools.access import Caller
from tools.records import list_records, select
from tools.registry import Call, Period, ToolError

if TYPE_CHECKING:
    from assistant.app import Assistant

log = logging.getLogger(__name__)

#: How far back alarms count.
_DAYS = 365
_MOST_CODES = 1000
#: Message and last time are looked up for at most this many alarms; each is a query.
_MOST_DETAILS = 150


def gathered(assistant: Assistant, reader: Caller | None = None) -> Coverage:
    """The comparison as of now, read as the system itself: alarm texts and counts by machine are for the whole site.
    For a `reader` only documents that this role reads; an administrator, who sees no plant data, gets every document, so
    that its files can be looked after, and no alarms.

    A home without a plant database has its documents alone. Raises RetrievalError or Problem."""
    if not assistant.settings.plant_url:
        return coverage(assistant.index, (), (), datetime.now().astimezone(), holds=_shelf(assistant, reader))
    plant, now = assistant.plant, assistant.now()
    machines = [
        Machine(item.id, item.name, plant.lines[item.line].name if item.line in plant.lines else item.line, item.cls)
        for item in plant.equipment.values()
    ]
    holds = _shelf(assistant, reader)
    if reader is not None and reader.role == "administrator":
        return coverage(assistant.index, machines, (), now, holds=holds)
    period = Period(f"the last {_DAYS} days", now - timedelta(days=_DAYS), now)
    call = Call(Caller("system", "Andon", "expert"), now, plant, assistant.index)
    seen: list[AlarmSeen] = []
    if "alarm_events" in plant.model.records:
        for machine in machines:
            seen += _alarms(call, machine, period)
    found = coverage(assistant.index, machines, seen, now, period.start, period.end, holds)
    wanted = {(name, gap.code) for gap in found.gaps[:_MOST_DETAILS] for name in gap.machines[:1]}
    detailed = [_detailed(call, item, period) if (item.machine, item.code) in wanted else item for item in seen]
    return coverage(assistant.index, machines, detailed, now, period.start, period.end, holds) if wanted else found


def _shelf(assistant: Assistant, reader: Caller | None) -> Callable[[DocumentInfo], bool] | None:
    """Which documents a reader may know of; None for all."""
    if reader is None or reader.role == "administrator":
        return None
    shelf = assistant.policy.shelf(reader)
    return lambda info: shelf.holds(info.kind, info.access)


def _alarms(call: Call, machine: Machine, period: Period) -> Iterator[AlarmSeen]:
    """Each alarm that was raised on a machine, with its count; none where the records do not tell."""
    try:
        result = list_records(call, "alarm_events", {"equipment": machine.id}, period, by=["alarm"], limit=_MOST_CODES)
    except ToolError as error:
        log.warning("alarms of %s could not be counted: %s", machine.id, error)
        return
    for evidence in result.evidence[:1]:
        for row in evidence.rows:
            count = row.get("count")
            if row.get("alarm") is not None and isinstance(count, int | float):
                yield AlarmSeen(machine.id, str(row["alarm"]), int(count))


def _detailed(call: Call, seen: AlarmSeen, period: Period) -> AlarmSeen:
    last = select(call, "alarm_events", {"equipment": seen.machine, "alarm": seen.code}, period, order="raised desc", limit=1)
    if not last.rows:
        return seen
    row = last.rows[0]
    raised, message = row.get("raised"), row.get("message")
    return replace(seen, last=raised if isinstance(raised, datetime) else None, message=str(message or ""))
