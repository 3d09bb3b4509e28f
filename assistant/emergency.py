"""The plant's emergency instruction, before anything else.

Given the hazards that `assistant.understand` heard, the block shows the plant's own instruction verbatim and its
number. It needs no model and no planner; when the instruction cannot be read it still shows the number, because a
missing document must never silence it. tests/test_emergency.py.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

log = logging.getLogger(__name__)


def blocks(hazards: Sequence[str], emergency: Any, index: Any) -> tuple[dict[str, Any], ...]:
    """One block per hazard heard, most dangerous as the plant model orders them. `emergency` is that part of the model
    (None: the plant has none); `index` may be None when it is down."""
    if emergency is None:
        return ()
    known = [name for name in emergency.hazards if name in hazards]
    return tuple(_block(name, emergency, index) for name in known)


def _block(hazard: str, emergency: Any, index: Any) -> dict[str, Any]:
    entry = emergency.hazards[hazard]
    passage = None if index is None else _instruction(emergency.document, entry.instruction, index)
    block: dict[str, Any] = {
        "type": "emergency",
        "hazard": hazard,
        "title": entry.label,
        "number": emergency.number,
        "text": f"{entry.label}: get to safety and call {emergency.number} now.",
        "steps": [],
    }
    if passage is not None:
        block |= {
            "steps": list(passage.steps) or [line.strip() for line in passage.text.splitlines() if line.strip()],
            "document": passage.anchor.document, "revision": passage.anchor.revision,
            "page": passage.anchor.page, "section": passage.anchor.section,
        }  # fmt: skip
    return block


def _instruction(document: str, heading: str, index: Any) -> Any:
    """The passage of the emergency document under the heading that names the hazard; steps before other text."""
    try:
        passages = index.passages(document)
    except Exception:
        # Whatever is wrong with the index, the number is shown; the fault itself surfaces at /readyz and in the log.
        log.exception("the emergency instruction cannot be read")
        return None
    wanted = heading.casefold()
    under = [item for item in passages if wanted in item.anchor.section.casefold()]
    return next((item for item in under if item.steps), under[0] if under else None)
