"""An assistant that answers from fixture files, over a real store: for tests of the service and the page.

`python -m tests.scripted_assistant PORT FOLDER` serves it, so that the page can be worked on without a plant.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from assistant.demo import PASSWORD
from assistant.identity import Identity
from assistant.store import Store
from assistant.turn import Ask, cleaned
from assistant.voice.parts import VoiceParts
from assistant.voice.speaker import SilentSpeaker
from assistant.voice.transcriber import ScriptedTranscriber
from retrieval.passages import Anchor, DocumentInfo, Passage
from tools.access import POLICY, Caller

FIXTURES = Path(__file__).parent / "fixtures" / "answers"

MANUAL = r"""
#set page(paper: "a4", margin: 22mm, numbering: "1 of 1", header: [VX-500 operating and maintenance manual #h(1fr) MAN-CNC-VX500 · rev. C])
#set text(size: 10.5pt, hyphenate: true, lang: "en")
#set par(justify: true)
#set heading(numbering: "1.1")
= Spindle
== Spindle bearing
The bearing cap is centred by two dowel pins. Clean the seat and the cap before assembly; a burr of a few hundredths
of a millimetre is enough to preload the bearing unevenly and shortens its life considerably.
#table(columns: (1fr, auto, 1fr), [*Joint*], [*Torque*], [*Remark*],
  [Spindle bearing cap bolts M10], [45 N m], [in two passes, crosswise],
  [Spindle nose screws M8], [25 N m], [thread locker],
  [Motor flange bolts M12], [78 N m], [crosswise])
#pagebreak()
= Alarms
== Alarms of the coolant system
*502 Coolant flow low.* Coolant flow to the spindle nose nozzles was below 18 l/min for more than 5 s; the nominal flow
is 28 l/min. Consequence: feed hold after 20 s. Respond within 10 min.
#columns(3)[The electropneumatically-controlled recirculation of the refrigeration unit compensates thermoelastic
deformations automatically; intermittent undertemperature notwithstanding, the superimposed characteristic remains
representative.]
*5021 Coolant concentration low.* The refractometer reads below 4.5 %.
#pagebreak()
== Clearing coolant flow low
+ Stop the cycle with feed hold and switch the coolant off (key COOL).
+ Read the gauge P3 at the filter housing. Above 1.2 bar the element is clogged.
+ Close ball valve V7 and relieve the pressure at bleed screw S2.
"""


def manual(folder: Path) -> Path:
    """A manual of three pages as a real PDF."""
    import typst

    path = folder / "vx500.pdf"
    path.write_bytes(typst.compile(MANUAL.encode()))
    return path


@dataclass(frozen=True)
class FixtureIndex:
    infos: tuple[DocumentInfo, ...]

    def documents(self) -> list[DocumentInfo]:
        return list(self.infos)

    def passages(self, document: str, revision: str | None = None) -> list[Passage]:
        anchor = Anchor(document, revision or "", None, "Closing text")
        return [Passage("p1", "filter full of fines, swapped FLT-2210, flow ok 27.5", "log", "log", anchor, "Work order")]


def plant() -> SimpleNamespace:
    lines = {f"LINE-{n}": SimpleNamespace(id=f"LINE-{n}", name=f"Line {n}") for n in (1, 2, 3)}
    rows = [("CNC-01", 3, "cnc"), ("CNC-02", 3, "cnc"), ("CNC-03", 3, "cnc"), ("WASH-01", 3, "washer"), ("ROB-01", 1, "robot"),
            ("PRESS-01", 1, "press"), ("FILL-01", 2, "filler"), ("CONV-02", 2, "conveyor")]  # fmt: skip
    equipment = {i: SimpleNamespace(id=i, name=i, line=f"LINE-{n}", cls=c) for i, n, c in rows}
    zone = ZoneInfo("Europe/Berlin")
    return SimpleNamespace(
        zone=zone, lines=lines, equipment=equipment, sites={"BERLIN": SimpleNamespace(id="BERLIN", name="Berlin Works")},
        model=SimpleNamespace(emergency=SimpleNamespace(number="333")),
        data_until=lambda: datetime(2026, 6, 17, 9, tzinfo=zone),
    )  # fmt: skip


@dataclass
class ScriptedAssistant:
    """Answers a question with the fixture of the same words; anything else is out of scope. `pause_s` between events."""

    folder: Path
    pause_s: float = 0.0
    demo: bool = True
    queue: int = 4
    host: str = "127.0.0.1"
    policy: Any = POLICY
    hears: list[Any] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    confirmed: list[tuple[str, str, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.settings = SimpleNamespace(
            demo=self.demo, queue=self.queue, host=self.host, question_characters=4000, home=self.folder, voice_sessions=4, keep_audio=False
        )
        self.voice = VoiceParts(self, ScriptedTranscriber(self.hears), SilentSpeaker())
        self.plant = plant()
        self.store = Store(self.folder / "andon.sqlite", self.folder / "keys")
        for user, name, role, lines in (
            ("olivia", "Olivia", "operator", ["LINE-3"]), ("sam", "Sam", "supervisor", None),
            ("max", "Max", "technician", None), ("quinn", "Quinn", "quality", None), ("ada", "Ada", "administrator", None),
        ):  # fmt: skip
            self.store.put_user(user, name, role, lines, PASSWORD, demo=True)
        self.identity = Identity(self.store, self.policy, self.folder / "keys")
        book = manual(self.folder)
        title = "VX-500 operating and maintenance manual"
        self.index = FixtureIndex((
            DocumentInfo("MAN-CNC-VX500", title, "C", effective=date(2026, 1, 15), source=str(book), pages=3),
            DocumentInfo("LOG-MO-10467", "Work order MO-10467", "1", kind="log", source="logs"),
            DocumentInfo("GONE", "Lost", "1", source=str(self.folder / "lost.pdf"), pages=3),
        ))  # fmt: skip
        answers = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FIXTURES.glob("*.json"))]
        self.answers = {answer["question"].casefold(): answer for answer in answers}

    def ask(self, ask: Ask, on_event: Any = None, caller: Caller | None = None) -> dict[str, Any]:
        assert caller is not None
        tell = on_event or (lambda kind, data: None)
        text = cleaned(ask.question, 4000)
        if text.startswith("fail"):
            raise RuntimeError("secret engine text")
        answer = dict(self.answers.get(text.casefold()) or _out_of_scope(text))
        try:
            for step in answer["steps"]:
                tell("step", {**step, "status": "running"})
                time.sleep(self.pause_s)
                tell("step", step)
            for block in answer["blocks"]:
                tell("block", block)
                time.sleep(self.pause_s)
            tell("token", {"text": answer["text"]})
        except Exception:
            self.stopped.append(text)
            raise
        answer["turn"] = self.store.append_turn(
            at=datetime.now(UTC), user=caller.user, via=caller.via, conversation=ask.conversation or "", record=answer
        )
        tell("answer", answer)
        return answer

    def confirm(self, token: str, caller: Caller, accept: bool) -> dict[str, Any]:
        self.confirmed.append((token, caller.user, accept))
        return {"status": "answered", "request": "REQ-00001", "text": "Sent as REQ-00001."}

    def ready(self) -> dict[str, str]:
        return {"plant": "ok", "index": "ok", "planner model": "not used"}

    def close(self) -> None:
        self.voice.close()
        self.store.close()


def _out_of_scope(text: str) -> dict[str, Any]:
    sentence = "That is outside what I can answer."
    return {"id": "x", "question": text, "status": "out_of_scope", "text": sentence, "spoken": sentence, "blocks": [],
            "citations": [], "steps": [], "follow_ups": [], "assumed": [], "planner": "router",
            "model": {"name": "router", "sha256": ""}, "ms": {"total": 1.0}, "turn": ""}  # fmt: skip


if __name__ == "__main__":
    import uvicorn

    from assistant.api import create_app

    uvicorn.run(create_app(ScriptedAssistant(Path(sys.argv[2]), pause_s=0.12)), port=int(sys.argv[1]), log_level="warning")
