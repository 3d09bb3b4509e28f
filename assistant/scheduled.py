"""Scheduled reports of a running plant: whose rights they are drafted with, which records were opened, and the
background thread of `andon serve` that drafts what is due. tests/test_schedules.py, with a clock of its own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from assistant.drafts import plainly
from assistant.problems import BadQuestion, Conflict, NotAllowed, NotFound
from tools.access import Caller
from tools.documents.kinds import kinds_of
from tools.documents.life import Refusal
from tools.documents.schedules import FROM_EVENT, Event, Ran, Schedule, Schedules, read_trigger
from tools.records import select
from tools.registry import Call, Period

if TYPE_CHECKING:
    from assistant.app import Assistant

log = logging.getLogger(__name__)

#: How often the service looks whether something is due.
EVERY_S = 30.0


class Scheduled:
    """The schedules of one assistant."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def _schedules(self) -> Schedules:
        return Schedules(self._assistant.register.store)

    def listed(self, caller: Caller) -> list[dict[str, Any]]:
        """All schedules, for whoever sees the whole site; else one's own."""
        found = plainly(self._schedules.all)
        return [_shown(item) for item in found if caller.scope.lines is None or item.user == caller.user]

    def add(self, caller: Caller, kind: str, arguments: Mapping[str, str], trigger: str) -> dict[str, Any]:
        """Schedule a report, drafted with the rights of this person. Raises BadQuestion for a kind, an argument or a
        time that does not exist."""
        assistant = self._assistant
        verdict = assistant.policy.may_use(caller, "draft_document")
        if not verdict.allowed:
            raise NotAllowed(verdict.reason)
        kinds = kinds_of(assistant.settings.home / "kinds")
        if kind not in kinds:
            raise BadQuestion(f"There is no kind {kind}; there are {', '.join(kinds)}.")
        known = set(assistant.tools["draft_document"].parameters) - {"kind"}
        wrong = sorted(set(arguments) - known)
        if wrong:
            raise BadQuestion(f"A draft does not know the argument {wrong[0]}.")
        read = plainly(lambda: read_trigger(trigger, assistant.plant.calendar, assistant.plant.model.records))
        if read.on != "opened" and any(value.startswith(FROM_EVENT) for value in arguments.values()):
            raise BadQuestion("Only a schedule about opened records can fill its arguments from them.")
        now, at = assistant.now(), datetime.now(UTC)
        return _shown(plainly(lambda: self._schedules.add(caller, kind, arguments, trigger, now, at)))

    def remove(self, caller: Caller, schedule: str) -> dict[str, Any]:
        return _shown(plainly(lambda: self._schedules.remove(caller, schedule, datetime.now(UTC))))

    def run_due(self, now: datetime | None = None) -> list[dict[str, Any]]:
        """Draft what is due at `now` (aware; the plant's present when None)."""
        plant, moment = self._assistant.plant, now or self._assistant.now()
        ran: list[Ran] = plainly(
            lambda: self._schedules.run_due(moment, datetime.now(UTC), plant.calendar, plant.model.records, self._make, self._opened)
        )
        return [{**asdict(item), "at": item.at.isoformat()} for item in ran]

    def _caller(self, schedule: Schedule) -> Caller:
        found = self._assistant.store.callers().get(schedule.user)
        if found is None:
            raise NotFound(f"The user {schedule.user} of {schedule.id} is gone; remove it or make it anew.")
        return Caller(found.user, found.name, found.role, found.scope, "command line")

    def _make(self, schedule: Schedule, arguments: Mapping[str, str], at: datetime, occasion: str) -> tuple[str, str]:
        try:
            made = self._assistant.documents.draft_for(self._caller(schedule), schedule.kind, arguments, at, occasion)
        except Conflict as again:
            raise Refusal("conflict", again.sentence) from again
        return (made["document"], f"Drafted {made['document']}.") if made.get("document") else ("", made["text"])

    def _opened(self, schedule: Schedule, record: str, since: datetime, until: datetime) -> Sequence[Event]:
        """Records of this kind by the time at which they were opened, read with the rights of the schedule's person."""
        assistant = self._assistant
        spec = assistant.plant.model.records[record]
        opened = next((column.name for column in spec.show if column.kind == "time" and column.of == spec.time), None)
        if opened is None:
            raise BadQuestion(f"The plant model shows no time for {spec.label}; nothing can be scheduled about them.")
        call = Call(self._caller(schedule), until, assistant.plant, assistant.index, policy=assistant.policy)
        period = Period("since the last look", since, until + timedelta(seconds=1))
        rows = select(call, record, None, period, order=f"{opened} asc", limit=1000).rows
        found = []
        for row in rows:
            at = row[opened]
            if isinstance(at, datetime) and row.get("id") is not None:
                found.append(Event(str(row["id"]), at, {key: str(value) for key, value in row.items() if value is not None}))
        return found

    # -- in the background of `andon serve`

    def start(self, every_s: float = EVERY_S) -> None:
        """Look for what is due now and then, until `stop`."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, args=(every_s,), name="schedules", daemon=True)
            self._thread.start()

    def _watch(self, every_s: float) -> None:
        while not self._stop.is_set():
            try:
                if self._schedules.all():
                    self.run_due()
            except Exception:  # a report that fails must not end the watch; the log says why
                log.exception("scheduled reports could not be looked at")
            self._stop.wait(every_s)

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
            self._thread = None


def _shown(item: Schedule) -> dict[str, Any]:
    return {
        "schedule": item.id, "kind": item.kind, "arguments": dict(item.arguments), "when": item.trigger, "user": item.user,
        "created": item.created.isoformat(), "reached": item.reached.isoformat(), "note": item.note,
    }  # fmt: skip
