"""What goes over the wire beside answers: the bodies that the service takes, and people, machines and plant as it shows
them. Unknown members of a body are ignored (a `user` in it least of all has a meaning). tests/test_api.py.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from tools.access import Caller
from tools.registry import ToolError


class QuestionIn(BaseModel):
    question: str = Field(description="what the person asks, at most 4,000 characters")
    equipment: str | None = Field(None, max_length=100, description="the machine in front of the person (an id)")
    conversation: str | None = Field(None, max_length=100, description="groups follow-ups; any name the client chooses")
    at: datetime | None = Field(None, description="the present moment, in a demo only (ISO 8601)")
    id: str | None = Field(None, max_length=100)


class LoginIn(BaseModel):
    user: str = Field(max_length=100)
    password: str = Field(max_length=200)
    program: bool = Field(False, description="true: return a bearer token instead of setting the cookie")


class ConfirmIn(BaseModel):
    accept: bool = True


class FeedbackIn(BaseModel):
    turn: str = Field(max_length=64)
    helped: bool
    comment: str | None = Field(None, max_length=2000)


def person(caller: Caller) -> dict[str, Any]:
    lines = None if caller.scope.lines is None else sorted(caller.scope.lines)
    return {"id": caller.user, "name": caller.name, "role": caller.role, "lines": lines}


def machines(plant: Any) -> list[dict[str, Any]]:
    names = {line: place.name for line, place in plant.lines.items()}
    return [
        {"id": item.id, "name": item.name, "line": item.line, "line_name": names.get(item.line, item.line), "class": item.cls}
        for item in plant.equipment.values()
    ]


def plant_card(plant: Any) -> dict[str, Any]:
    """What anybody in front of the tablet may know: the plant's name and clock, and whom to call in an emergency."""
    try:
        until = plant.data_until()
    except ToolError:  # the page still opens, and its answers say what is down
        until = None
    return {
        "zone": str(plant.zone),
        "name": next((site.name for site in plant.sites.values()), ""),
        "lines": {line: place.name for line, place in plant.lines.items()},
        "emergency_number": plant.model.emergency.number,
        "data_until": until.isoformat() if until else None,
    }
