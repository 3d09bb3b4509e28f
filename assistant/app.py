"""The composition root: the only place that names concrete backends and wires them together.

`build(settings)` returns an `Assistant`; its parts open on first use, so that a command that needs only the SQL gate
loads no model. tests/test_app.py holds serving to importing neither torch nor sentence-transformers.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from assistant.drafts import Drafts
from assistant.problems import BadQuestion, BadSettings, ClientGone, ModelUnusable, NoHome, NotAllowed, NotFound, Problem, translated
from assistant.settings import Settings
from assistant.store import Store
from assistant.turn import Ask, Parts, Taken, Tell, answer, plain
from tools.access import POLICY, Caller, Policy
from tools.registry import Step, Tool, ToolError, all_tools
from tools.seen_documents import seen_by

if TYPE_CHECKING:
    from assistant.identity import Identity
    from assistant.llm import LanguageModel
    from assistant.notes import Notes
    from assistant.planning import Plan
    from assistant.router import Reader, Span
    from assistant.scheduled import Scheduled
    from assistant.voice.parts import VoiceParts
    from retrieval.index import Index
    from tools.documents.register import Register
    from tools.plant_model import Plant

log = logging.getLogger(__name__)

#: Conversations whose plans are kept in memory for follow-ups; older ones are planned again from their questions.
_REMEMBERED = 500
#: A follow-up refers to at most this many earlier questions.
_BACK = 6


def _silent(kind: str, data: dict[str, Any]) -> None:
    """No listener."""


class Assistant:
    """The running product. `ask` is safe to call from several threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._memory: OrderedDict[str, list[tuple[str, Plan]]] = OrderedDict()
        self._memory_lock = threading.Lock()
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="tool")

    # Parts, opened on first use

    @cached_property
    def store(self) -> Store:
        store = Store(self.settings.store, self.settings.keys)
        store.scope_of = lambda role, entries: self.policy.scope(role, entries, self._lines_in)
        store.lock_after, store.lock_for = self.policy.limits.wrong_sign_ins, timedelta(minutes=self.policy.limits.locked_minutes)
        return store

    def _lines_in(self, entry: str) -> Collection[str]:
        """The lines of a place that stands beside a user or a role. A place that cannot be looked up now holds none."""
        kind, _, name = entry.rpartition(":")
        if kind in ("", "line"):
            return (name,)
        try:
            lines = self.plant.lines.values()
            areas = {area.id: area.parent for area in self.plant.areas.values()}
        except ToolError:
            log.warning("the places of the plant cannot be read; nobody is shown records of %s", entry)
            return ()
        return [line.id for line in lines if name == (line.parent if kind == "area" else areas.get(line.parent, line.parent))]

    @cached_property
    def identity(self) -> Identity:
        from assistant.identity import Identity

        return Identity(self.store, self.policy, self.settings.keys)

    @cached_property
    def policy(self) -> Policy:
        if self.settings.policy is None:
            return POLICY
        try:
            return Policy.load(self.settings.policy)
        except (OSError, ValueError) as error:
            raise BadSettings(f"The policy file does not hold: {error}.") from error

    @cached_property
    def plant(self) -> Plant:
        from tools.plant_model import Plant

        if not self.settings.plant_url:
            raise BadSettings("No plant database is set; name it as plant_url in andon.toml, or run `andon demo`.")
        url = self.settings.plant_url
        if "://" not in url:
            url = str((self.settings.home / url).resolve())
        return Plant.open(self.settings.plant_model, url)

    @cached_property
    def embedder(self) -> Any:
        from retrieval.embed import OnnxEmbedder

        return OnnxEmbedder(self.settings.embedder)

    @cached_property
    def index(self) -> Index:
        from retrieval.index import Index

        os.environ.setdefault("ANDON_OCR_LANGUAGES", self.settings.ocr_languages)  # for the reading processes of ingest
        reranker = None
        if self.settings.reranker is not None:
            from retrieval.rerank import OnnxReranker

            reranker = OnnxReranker(self.settings.reranker, self.settings.threads)
        return Index.open(self.settings.index, self.embedder, reranker=reranker)

    @cached_property
    def router(self) -> Reader:
        """The router, taught by the examples that people of this plant have accepted; in a frozen plant the shipped one."""
        from assistant.memory import Memory, Remembering
        from assistant.router import Router

        shipped = Router.load(self.settings.router_model)
        if self.settings.frozen:
            return shipped
        return Remembering(shipped, Memory(self.settings.learned, lambda texts: self.embedder.embed(texts), shipped.read, self._known))

    def _known(self, text: str) -> list[Span]:
        """The plant's own names, and times, as they stand in a text."""
        from assistant.marks import names_of
        from assistant.periods import find_periods
        from assistant.router import Span

        names = [Span(one.kind, one.text, one.start, one.end, 1.0) for one in names_of(self.plant).find(text)]
        taken = [(one.start, one.end) for one in names]
        times = find_periods(text, self.now(), self.plant.calendar, taken)
        return [*names, *(Span("period", text[one.start : one.end], one.start, one.end, 1.0) for one in times)]

    @cached_property
    def tools(self) -> Mapping[str, Tool]:
        return all_tools()

    @cached_property
    def writer(self) -> Any:
        """The planner model, or None when it is switched off or cannot be used (which is logged once, and said by
        `andon doctor`); the router then plans alone."""
        if self.settings.model_vote == "off":
            return None
        from assistant.llm import LlmUnavailable, open_writer

        try:
            return open_writer(self.settings.planner_model)  # small enough that a second thread only waits
        except LlmUnavailable as error:
            log.warning("the planner model is not used: %s", error)
            return None

    @cached_property
    def language_model(self) -> LanguageModel | None:
        """The capable model that a setting names, opened on first use; None without one."""
        chosen = self.settings
        if not chosen.language_model:
            return None
        from assistant.llm import LanguageModel

        return LanguageModel(
            chosen.language_model, model=chosen.language_model_name, api_key=chosen.language_model_key,
            timeout_s=chosen.language_model_timeout_s, context=chosen.context_tokens, gpu_layers=chosen.gpu_layers,
            threads=chosen.threads,
        )  # fmt: skip

    @cached_property
    def parts(self) -> Parts:
        writer = self.writer
        model = {"name": writer.name, "sha256": writer.sha256} if writer is not None else {"name": "router", "sha256": ""}
        return Parts(
            plant=self.plant, index=self.index, router=self.router, writer=writer, tools=self.tools, policy=self.policy,
            stores={"store": self.store, "documents": self.documents, "kinds": self.settings.home / "kinds"}, model=model, pool=self._pool,
            time_budget_s=self.settings.time_budget_s, question_characters=self.settings.question_characters,
            language_model=self.language_model, tool_loop=self.settings.tool_loop,
        )  # fmt: skip

    @cached_property
    def register(self) -> Register:
        """The controlled documents; what a killed process left between register and index is completed here."""
        from tools.documents.register import Register
        from tools.documents.store import DocumentStore

        kept = DocumentStore(self.settings.documents, self.settings.keys)
        register = Register(kept, self.store, lambda: datetime.now(UTC), lambda: self.index,
                            zone=lambda: self.plant.zone, present=self.now)  # fmt: skip
        if kept.every("effective") or kept.every("superseded") or kept.every("retired"):
            register.reconcile()
        return register

    @cached_property
    def documents(self) -> Drafts:
        return Drafts(self)

    @cached_property
    def notes(self) -> Notes:
        from assistant.notes import Notes

        return Notes(self)

    @cached_property
    def voice(self) -> VoiceParts:
        from assistant.voice.parts import VoiceParts

        return VoiceParts(self)

    @cached_property
    def scheduled(self) -> Scheduled:
        from assistant.scheduled import Scheduled

        return Scheduled(self)

    # Who and when

    def caller(self, user: str | None, via: str = "command line") -> Caller:
        """The caller by user id; without one the demo uses sam, and a real plant wants a name."""
        if user is None:
            if not self.settings.demo:
                raise NotAllowed("Name the user with --user; only the demo plant has a default.")
            user = "sam"
        found = self.store.callers().get(user)
        if found is None:
            raise NotFound(f"There is no user {user}; `andon users` lists them.")
        return Caller(found.user, found.name, found.role, found.scope, via)  # type: ignore[arg-type]

    def now(self, at: datetime | None = None) -> datetime:
        """The present moment in the plant's zone: `at`, else the demo's `until`, else the clock."""
        zone = self.plant.zone
        if at is not None:
            return at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone)
        if self.settings.demo and self.settings.until:
            until = datetime.fromisoformat(self.settings.until)
            return until.replace(tzinfo=zone) if until.tzinfo is None else until.astimezone(zone)
        return datetime.now(zone)

    # The ways in

    def ask(self, ask: Ask, on_event: Tell | None = None, caller: Caller | None = None) -> dict[str, Any]:
        """One answer as the contract gives it; recorded before it returns. Raises Problem."""
        tell = on_event or _silent
        try:
            answer = self._asked(ask, tell, caller).answer
        except (BadQuestion, NotAllowed, NotFound, NoHome, BadSettings, ClientGone):
            raise
        except Exception as error:
            log.exception("a turn failed")
            answer = self._unavailable(ask, translated(error))
        finally:
            if not ask.conversation:
                self._forget("")
        tell("answer", answer)
        return answer

    def examined(self, ask: Ask) -> tuple[dict[str, Any], tuple[Step, ...]]:
        """An answer with the steps and evidence behind it, for `assistant.audit.audit`. Raises whatever goes wrong."""
        taken = self._asked(ask, _silent, None)
        if not ask.conversation:
            self._forget("")
        return taken.answer, taken.steps

    def _asked(self, ask: Ask, tell: Tell, caller: Caller | None) -> Taken:
        who = caller or self.caller(ask.user)
        now = self.now(ask.at)
        conversation = ask.conversation or ""
        for words in ask.context:
            taken = self._turn(Ask(words, ask.user, ask.equipment, conversation), who, now, conversation, _silent,
                               self._previous(conversation, who), record=False)  # fmt: skip
            self._remember(conversation, who, words, taken.plan)
        taken = self._turn(ask, who, now, conversation, tell, self._previous(conversation, who))
        self._remember(conversation, who, taken.understanding.text, taken.plan)
        return taken

    def _unavailable(self, ask: Ask, problem: Problem) -> dict[str, Any]:
        """An answer when a part is down: it says which, and an emergency still comes first, from the plant model's
        own words, without database, index or model."""
        from assistant import emergency
        from assistant.hazards import detect
        from tools.plant_model import read_model

        blocks: tuple[dict[str, Any], ...] = ()
        spec = None
        try:
            spec = read_model(self.settings.plant_model).emergency
        except Exception:
            log.exception("the plant model cannot be read either")
        if spec is not None:
            words = {name: item.words for name, item in spec.hazards.items()}
            blocks = emergency.blocks(detect(ask.question, words), spec, self.__dict__.get("index"))
        said = " ".join([*(block["text"] for block in blocks), problem.sentence])
        return {
            "id": ask.id, "question": ask.question, "status": "unavailable", "text": said, "spoken": said, "blocks": list(blocks),
            "citations": [], "steps": [], "follow_ups": [], "assumed": [], "planner": "router", "model": {"name": "", "sha256": ""},
            "ms": {"total": 0.0}, "turn": "", "problem": problem.as_json(),
        }  # fmt: skip

    def _turn(self, ask: Ask, who: Caller, now: datetime, conversation: str, tell: Tell,
              previous: Sequence[tuple[str, Plan]], record: bool = True) -> Taken:  # fmt: skip
        taken = answer(ask, who, now, previous, self.parts, tell)
        if not record:
            return taken
        self._confirmations(taken, who, now)
        body = {key: value for key, value in taken.answer.items() if key != "turn"} | ({"spoken_question": True} if ask.spoken else {})
        taken.answer["turn"] = self.store.append_turn(
            at=now, user=who.user, via=who.via, conversation=conversation, record={**body, "equipment": ask.equipment}
        )
        return taken

    def _confirmations(self, taken: Taken, who: Caller, now: datetime) -> None:
        """Give every confirm block its token."""
        for block in taken.answer["blocks"]:
            if block.get("type") == "confirm":
                token, expires = self.store.ask_confirmation(who.user, block["tool"], block["arguments"], now)
                block["token"], block["expires"] = token, expires.isoformat()

    def confirm(self, token: str, caller: Caller, accept: bool) -> dict[str, Any]:
        """Settle what a person was asked to confirm and, when accepted, do it. Raises Problem."""
        from tools.requests import carry_out

        now = self.now()
        tool, arguments = self.store.take_confirmation(token, caller.user, accept, now)
        if not accept:
            return {"status": "declined", "text": "Nothing was sent."}
        request = carry_out(tool, arguments, caller, now, self.store, self.settings.home / "outbox.jsonl")
        return {"status": "answered", "request": request, "text": f"Sent as {request}."}

    def plan(self, ask: Ask, caller: Caller | None = None) -> dict[str, Any]:
        """The plan alone, as `andon plan` prints it."""
        from assistant.planning import plan, plan_json
        from assistant.second_look import reconsidered
        from assistant.turn import cleaned
        from assistant.understand import Question, understand

        who, now = caller or self.caller(ask.user), self.now(ask.at)
        previous: list[tuple[str, Plan]] = list(self._previous(ask.conversation or "", who)) if ask.conversation else []
        parts = self.parts
        planned = None
        for words in (*ask.context, ask.question):
            text = cleaned(words, self.settings.question_characters)
            question = Question(
                text=text, equipment=ask.equipment, at=now, caller=who,
                previous=tuple(item for _, item in previous[-_BACK:]), previous_texts=tuple(said for said, _ in previous[-_BACK:]),
            )  # fmt: skip
            planned = plan(understand(question, parts.plant, parts.router), question, parts.plant, parts.tools, parts.writer, parts.policy)
            machine = parts.plant.equipment.get(ask.equipment or "")
            planned = reconsidered(planned, question, seen_by(parts.index, who, parts.policy), parts.tools, parts.policy, machine)
            previous.append((text, planned))
        assert planned is not None
        out: dict[str, Any] = plain(plan_json(planned, ask.id))
        return {"id": ask.id, "question": previous[-1][0], **{k: v for k, v in out.items() if k not in ("id", "question")}}

    # Conversations

    def _previous(self, conversation: str, who: Caller) -> Sequence[tuple[str, Plan]]:
        key = f"{who.user}/{conversation}"
        with self._memory_lock:
            known = self._memory.get(key)
        if known is None and conversation:
            known = self._recalled(conversation, who)
        return tuple((known or [])[-_BACK:])

    def _recalled(self, conversation: str, who: Caller) -> list[tuple[str, Plan]]:
        """Plans of a conversation that this process has not seen, planned again from the recorded questions."""
        from assistant.planning import plan
        from assistant.understand import Question, understand

        found: list[tuple[str, Plan]] = []
        for item in self.store.conversation(conversation, who.user)[-_BACK:]:
            text, at = item["record"]["question"], datetime.fromisoformat(item["at"])
            question = Question(
                text=text, equipment=item["record"].get("equipment"), at=at.astimezone(self.plant.zone), caller=who,
                previous=tuple(one for _, one in found), previous_texts=tuple(words for words, _ in found),
            )  # fmt: skip
            reading = understand(question, self.plant, self.router)
            found.append((text, plan(reading, question, self.plant, self.tools, self.writer, self.policy)))
        for text, one in found:
            self._remember(conversation, who, text, one)
        return found

    def _remember(self, conversation: str, who: Caller, text: str, planned: Plan) -> None:
        key = f"{who.user}/{conversation}"
        with self._memory_lock:
            turns = self._memory.setdefault(key, [])
            turns.append((text, planned))
            del turns[:-_BACK]
            self._memory.move_to_end(key)
            while len(self._memory) > _REMEMBERED:
                self._memory.popitem(last=False)

    def _forget(self, conversation: str) -> None:
        with self._memory_lock:
            for key in [key for key in self._memory if key.endswith(f"/{conversation}")]:
                del self._memory[key]

    # Life

    def ready(self) -> dict[str, str]:
        """Each part and `ok`, or the sentence that says what is wrong with it."""
        checks: dict[str, Callable[[], object]] = {
            "plant": lambda: self.plant.data_until(),
            "index": lambda: self.index.generation,
            "router": lambda: self.router,
            "store": lambda: self.store.callers(),
        }
        found = {}
        for name, check in checks.items():
            try:
                check()
                found[name] = "ok"
            except Exception as error:
                found[name] = translated(error).sentence
        found["planner model"] = "ok" if self.writer is not None else "not used"
        if self.language_model is not None:
            found["language model"] = self.language_model.trouble or "ok"
        return found

    def warm(self) -> None:
        """Open every part and plan one question, so that the first person does not wait for loading."""
        parts = self.parts
        parts.index.search("warm up", 1)
        if parts.language_model is not None:
            with contextlib.suppress(ModelUnusable):  # remembered, and said beside each answer
                parts.language_model.chat()
        try:
            self.register.reconcile()
        except ToolError as error:  # questions are answered all the same; drafting says what is wrong
            log.warning("the documents cannot be used: %s", error)
        try:
            self.notes.book.reconcile()
        except (ToolError, Problem) as error:
            log.warning("the field notes cannot be used: %s", error)
        if self.store.callers():
            self.plan(Ask("what is the oee today", next(iter(self.store.callers()))))

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        if "scheduled" in self.__dict__:
            self.scheduled.stop()
        for name in ("voice", "plant", "index", "writer", "language_model", "store"):
            part = self.__dict__.get(name)
            if part is not None and hasattr(part, "close"):
                part.close()


def build(settings: Settings) -> Assistant:
    """The assistant of one state folder. Raises Problem when a part that every question needs cannot be used."""
    return Assistant(settings)


__all__ = ["Ask", "Assistant", "build"]
