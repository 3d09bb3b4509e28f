"""Requests to colleagues: maintenance, quality, material, spare parts, help.

The tool itself sends nothing: it proposes, and a person confirms. `carry_out` then keeps the request in Andon's own
store and appends it to an outbox file that the plant's systems read; nothing is ever written to the MES.
tests/test_requests.py.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from tools.access import Caller
from tools.registry import BadArgument, Call, Result, Unavailable

KINDS = ("maintenance", "quality", "material", "spare_parts", "help")


class RequestStore(Protocol):
    """Where requests are kept; filled by the assistant's store."""

    def add_request(self, kind: str, equipment: str | None, words: str, user: str, now: datetime) -> str: ...


def raise_request(call: Call, kind: str, equipment: str | None = None, text: str | None = None) -> Result:
    """Ask a colleague for maintenance, quality, material, spare parts or help; always confirmed by a person first.

    kind: maintenance, quality, material, spare_parts or help. equipment: the machine. text: what is wanted."""
    if kind not in KINDS:
        raise BadArgument(f"raise_request: kind {kind}")
    machine = equipment or call.equipment
    info = call.plant.equipment.get(machine) if machine else None
    name = info.name if info else machine
    shown = f"{kind.replace('_', ' ')} request" + (f" for {name}" if name else "")
    arguments = {"kind": kind, "equipment": info.id if info else machine, "text": text or ""}
    return Result(
        "needs_confirmation",
        message=f"Shall I send this {shown}" + (f": “{text}”?" if text else "?"),
        data={"tool": "raise_request", "arguments": arguments, "text": f"Send this {shown}" + (f": {text}" if text else "")},
    )


def carry_out(tool: str, arguments: Mapping[str, Any], caller: Caller, now: datetime, store: RequestStore, outbox: Path) -> str:
    """Do what a person has confirmed; returns the request's number. Raises Unavailable when it cannot be kept."""
    if tool != "raise_request":
        raise BadArgument(f"{tool} does not act")
    request = store.add_request(arguments["kind"], arguments.get("equipment"), arguments.get("text") or "", caller.user, now)
    line = {"request": request, "created": now.isoformat(), "user": caller.user, "state": "sent", **dict(arguments)}
    try:
        with outbox.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise Unavailable(f"The request {request} is kept, but the outbox cannot be written.") from error
    return request
