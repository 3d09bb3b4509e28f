"""Speech graded by what it is for: the right plan from a noisy voice, a command obeyed, nothing done that was not said.

The requests (evals/cases/voice.jsonl) were written one by one, each as it is typed and as it is said; the plan of the
typed text is what the spoken one must come to. Whether the request grammar covers a sentence is found by reading it, not
written down. Odd cases are there to set the confidence by, even ones are reported. A wrong action is a confirmation,
cancellation or other command taken that was not said, or a request that would act, taken unasked: there may be none.
tests/test_voice_evals.py.
"""

from __future__ import annotations

import json
import re
import wave
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from assistant.app import Ask, Assistant
from assistant.problems import Problem
from assistant.voice.sphinx import Sphinx
from assistant.voice.transcriber import Heard, Listening, Transcriber, transcribed
from assistant.voice.vocabulary import vocabulary_of
from evals.cases import FOLDER, CaseError
from evals.plant import Demo
from evals.real import folder as real_folder
from evals.suites import Failure, Limit, Progress, Score
from evals.voice_sound import LEVELS_DB, NOISES, VOICES, available, in_the_hall, spoken, wordless

#: Tools whose plans act: they may be planned from speech, but a person confirms first.
ACTING = frozenset(("raise_request", "draft_document"))
_ENTITIES = ("equipment", "line", "product", "code", "alarm", "lot", "area")
#: Arguments in a person's own words: equal when their words are.
_FREE = frozenset(("text", "query", "symptom", "task"))


@dataclass(frozen=True)
class Clip:
    """One utterance in one voice and noise. `text` is how it is typed, `command` what it steers; one of them is set."""

    id: str
    say: str
    text: str = ""
    command: str = ""
    number: int | None = None
    voice: int = 0
    level_db: int | None = 20
    noise: str = "white"

    def sound(self) -> bytes:
        seed = sum(ord(c) for c in self.id) + 7 * self.voice
        return in_the_hall(spoken(self.say, VOICES[self.voice]), self.level_db, self.noise, seed)


@dataclass(frozen=True)
class Result:
    """A clip, what was heard, whether the grammar covers it, and what came of it: right, asked (offered or asked back
    with the right request among it), again (nothing taken), or wrong."""

    clip: Clip
    heard: Heard
    covered: bool
    outcome: str
    entities: tuple[int, int] = (0, 0)
    errors: tuple[int, int] = (0, 0)
    acted: bool = False


def cases() -> list[dict[str, Any]]:
    """Requests and commands. Raises CaseError for a row that cannot be graded."""
    rows = []
    for name in ("voice.jsonl", "voice_commands.jsonl"):
        rows += [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines() if line.strip()]
    for row in rows:
        if not row.get("say") or not (row.get("text") or row.get("command")):
            raise CaseError(f"{row.get('id', row)} says nothing of what is right")
    if len({row["id"] for row in rows}) != len(rows):
        raise CaseError("two spoken cases have one id")
    return rows


def clips(full: bool = False) -> list[Clip]:
    """Every case in one voice, noise and level, going round (about as many clips as cases); all levels when `full`."""
    made = []
    for at, row in enumerate(cases()):
        for turn, level in enumerate(LEVELS_DB if full else (LEVELS_DB[at % len(LEVELS_DB)],)):
            voice = (at // len(LEVELS_DB) + 3 * turn) % len(VOICES)
            noise = NOISES[(at + turn) % len(NOISES)]
            made.append(
                Clip(
                    f"{row['id']}@{level}", row["say"], row.get("text", ""), row.get("command", ""), row.get("number"), voice, level, noise
                )
            )
    return made


def planned(assistant: Assistant, text: str) -> tuple[str, tuple[tuple[str, Mapping[str, Any]], ...]]:
    """Status and calls of a text's plan, with free words folded."""
    try:
        plan = assistant.plan(Ask(text, "sam", "CNC-02"))
    except Problem as problem:
        return problem.code, ()
    calls = tuple((call["tool"], {k: _folded(v) if k in _FREE else v for k, v in call["arguments"].items()}) for call in plan["calls"])
    return plan["status"], calls


def _folded(value: Any) -> Any:
    return " ".join(re.findall(r"\w+", value.lower())) if isinstance(value, str) else value


def graded(assistant: Assistant, engine: Transcriber, clip: Clip, covered: bool) -> Result:
    """One clip through one engine."""
    heard = transcribed(engine, clip.sound(), Listening("command" if clip.command else "request", "CNC-02"))
    if clip.command:
        right = (heard.command, heard.number if clip.number is not None else None) == (clip.command, clip.number)
        taken = bool(heard.command)
        return Result(clip, heard, True, "right" if right and taken else "wrong" if taken else "again", acted=taken and not right)
    if heard.command:
        return Result(clip, heard, covered, "wrong", acted=True)
    offered = [text for text in (heard.text, *heard.choices) if text]
    if not offered:
        return Result(clip, heard, covered, "again")
    truth = planned(assistant, clip.text)
    plans = [planned(assistant, text) for text in offered]
    same = [plan == truth for plan in plans]
    outcome = ("right" if same[0] else "wrong") if heard.understood else ("asked" if any(same) else "again")
    acted = (
        outcome == "wrong" and heard.understood and any(tool in ACTING for tool, _ in plans[0][1]) and plans[0][0] != "needs_confirmation"
    )
    return Result(clip, heard, covered, outcome, _entities(truth[1], plans[0][1]), word_errors(clip.text, offered[0]), acted)


def _entities(truth: Sequence[tuple[str, Mapping[str, Any]]], found: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[int, int]:
    """Named things of the right plan that the heard one has too, of all."""

    def named(calls: Sequence[tuple[str, Mapping[str, Any]]]) -> set[tuple[str, str]]:
        out = set()
        for _, arguments in calls:
            for key, value in {**arguments, **(arguments.get("where") or {})}.items():
                if key in _ENTITIES:
                    out.add((key, json.dumps(value, sort_keys=True, default=str)))
        return out

    wanted = named(truth)
    return len(wanted & named(found)), len(wanted)


def word_errors(wanted: str, heard: str) -> tuple[int, int]:
    """Word errors (substituted, left out, put in) and words, of two typed texts without case and punctuation."""
    a, b = _words(wanted), _words(heard)
    row = list(range(len(b) + 1))
    for i, word in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1], len(a)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+|\d+", re.sub(r"(?<=[A-Z])-0*(?=\d)", " ", text).lower())


def engines(assistant: Assistant) -> dict[str, Transcriber]:
    """Every engine that this machine can use, by name."""
    kept = assistant.settings.home / "voice"
    return {"pocketsphinx": Sphinx(vocabulary_of(assistant.plant, assistant.index), kept)}


def suite(demo: Demo, progress: Progress | None = None, full: bool = False) -> Score:
    """The embedded engine over every clip, the wordless clips and the real recordings."""
    if not available():
        return Score("voice", 0, 0, note="espeak-ng is not installed (`make system`); nothing was spoken.")
    engine = engines(demo.assistant)["pocketsphinx"]
    assert isinstance(engine, Sphinx)
    wanted = clips(full)
    quiet = wordless()
    results = []
    for number, clip in enumerate(wanted):
        covered = engine.network.read(clip.say.split()) is not None
        results.append(graded(demo.assistant, engine, clip, covered))
        if progress:
            progress(number + 1, len(wanted) + len(quiet))
    noisy = []
    for number, (name, sound) in enumerate(quiet.items()):
        noisy.append((name, transcribed(engine, sound)))
        if progress:
            progress(len(wanted) + number + 1, len(wanted) + len(quiet))
    return summed(results, noisy, list(recordings(engine)))


def recordings(engine: Transcriber) -> Iterator[tuple[str, str, Heard]]:
    """The real recordings, with their words, as the engine hears them; none where the data is not there."""
    labels = real_folder() / "labels" / "speech.jsonl"
    if not labels.exists():
        return
    for line in labels.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield row["file"], row["text"], transcribed(engine, _pcm(real_folder() / row["file"]))


def _pcm(path: Path) -> bytes:
    if path.suffix == ".raw":
        return path.read_bytes()
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        return bytes(samples[:: file.getnchannels()].astype("<i2").tobytes())


@lru_cache(maxsize=1)
def _even() -> frozenset[str]:
    """The ids of the clips that are reported: every second case."""
    return frozenset(row["id"] for at, row in enumerate(cases()) if at % 2 == 1)


def reported(result: Result) -> bool:
    return result.clip.id.split("@")[0] in _even()


def summed(results: Sequence[Result], quiet: Sequence[tuple[str, Heard]], real: Sequence[tuple[str, str, Heard]]) -> Score:
    """The score over the even clips; wordless clips and wrong actions over all."""
    even = [one for one in results if reported(one)]
    figures: dict[str, tuple[int, int]] = {}
    requests, steering = [one for one in even if not one.clip.command], [one for one in even if one.clip.command]
    inside, outside = [one for one in requests if one.covered], [one for one in requests if not one.covered]
    for level in LEVELS_DB:
        some = [one for one in inside if one.clip.level_db == level]
        figures[f"covered, {level} dB: plan right"] = (sum(one.outcome == "right" for one in some), len(some))
        figures[f"covered, {level} dB: plan right, or among what is asked back"] = (
            sum(one.outcome in ("right", "asked") for one in some),
            len(some),
        )
        some = [one for one in steering if one.clip.level_db == level]
        figures[f"commands, {level} dB"] = (sum(one.outcome == "right" for one in some), len(some))
    figures["covered: answered as something else"] = (sum(one.outcome == "wrong" for one in inside), len(inside))
    figures["not covered: rejected or asked back"] = (sum(one.outcome in ("again", "asked") for one in outside), len(outside))
    figures["not covered: answered as something else"] = (sum(one.outcome == "wrong" for one in outside), len(outside))
    named = [one.entities for one in inside if one.entities[1]]
    figures["covered: machines, lines, products, codes, lots right"] = (sum(a for a, _ in named), sum(b for _, b in named))
    wrong = [one.errors for one in inside if one.errors[1]]
    numbers = {"word error rate of what is heard, covered": round(sum(a for a, _ in wrong) / max(1, sum(b for _, b in wrong)), 3)}
    for at, voice in enumerate(VOICES):
        some = [one for one in inside if one.clip.voice == at]
        figures[f"covered, {voice.name} at {voice.speed}: plan right"] = (sum(one.outcome == "right" for one in some), len(some))
    silent = sum(not (heard.text or heard.command or heard.choices) for _, heard in quiet)
    figures["silence, tones, music, noise: no text"] = (silent, len(quiet))
    figures["real recordings outside the domain: not taken"] = (sum(not heard.understood for _, _, heard in real), len(real))
    actions = sum(one.acted for one in results)
    failures = [
        Failure(one.clip.id, one.clip.say, f"{one.outcome}: {one.heard.text or one.heard.command}")
        for one in even
        if one.outcome == "wrong"
    ]
    failures += [
        Failure(name, "nobody speaks", f"heard {heard.text or heard.choices}") for name, heard in quiet if heard.text or heard.choices
    ]
    near = [one for one in inside if one.clip.level_db in (20, 10)]
    limits = (
        Limit("wrong actions", float(actions), "<=", 0),
        Limit("texts from wordless clips", float(len(quiet) - silent), "<=", 0),
        Limit("not covered, answered as something else", _share(figures["not covered: answered as something else"]), "<=", 0.02),
    )
    return Score("voice", sum(one.outcome == "right" for one in near), len(near), figures, numbers, failures, NOTE, limits)


NOTE = (
    "The embedded recogniser over espeak-ng voices in ten accents and speeds, with room echo and hall noise; synthetic voices are"
    " not people. Right of total: covered requests at 20 and 10 dB. The confidence was set by hand; even cases are reported."
)


def _share(figure: tuple[int, int]) -> float:
    return figure[0] / figure[1] if figure[1] else 0.0
