"""What is said of a drafted document and of a request that waits for its person."""

from __future__ import annotations

from assistant.compose.said import Block, Context, Said
from tools.documents.rendering import FORMATS
from tools.evidence import slot
from tools.registry import Step


def compose_draft_document(step: Step, context: Context) -> Said:
    """That a draft was made, with its leading figures; the card opens it."""
    evidence, data = step.result.evidence, step.result.data
    sentences = []
    counted = [item for item in evidence if "count" in item.facts]
    for item in counted[:3]:
        about = f", {slot(item, 'filter')}" if "filter" in item.facts else ""
        when = f", {slot(item, 'period')}" if "period" in item.facts else ""
        sentences.append(f"{slot(item, 'count')} {slot(item, 'record')}{about}{when}.")
    if not counted and evidence:
        sentences.append(f"It draws on: {slot(evidence[0], 'title')}.")
    kind = data["kind"].replace("_", " ")
    head = f"I drafted the {kind}; people review and approve it." + "".join(f" [{item.marker}]" for item in evidence[:1])
    if data.get("missing"):
        head += " Required fields that are empty are flagged in it, not filled." + "".join(f" [{item.marker}]" for item in evidence[:1])
    card: Block = {
        "type": "document", "id": data["document"], "kind": data["kind"], "title": data["title"], "status": data["status"],
        "revision": data["revision"], "formats": [form for form in FORMATS if form != "json"],
    }  # fmt: skip
    return Said((head, *sentences), (card,), (f"The {kind} is drafted and on the screen.",))


def compose_raise_request(step: Step, context: Context) -> Said:
    """The question to the person; nothing is sent before the answer."""
    data = step.result.data
    block: Block = {"type": "confirm", "tool": data["tool"], "arguments": dict(data["arguments"]), "text": data["text"], "token": "", "expires": ""}
    return Said(blocks=(block,))
