"""What speech costs on this machine: time per second of sound for the whole way, the wait from the end of speech to the
first spoken word, ten tablets giving commands at once, memory. Voices are espeak-ng's, with hall noise at 20 dB."""

from __future__ import annotations

import resource
import shutil
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from assistant.problems import Unavailable
from assistant.voice.audio import SoundReader
from assistant.voice.endpoint import END_S, Endpointer, VoiceStream
from assistant.voice.parts import Engines, opened
from assistant.voice.session import VoiceSession
from assistant.voice.speaker import EspeakSpeaker
from assistant.voice.transcriber import BYTES_A_SECOND, Listening, transcribed
from evals.plant import Demo

GOALS = {"real-time factor": 0.2, "first word": 1000.0, "behind": 1000.0}
REQUESTS = (
    "what does alarm five oh two mean on c n c two", "show me the open maintenance orders", "what was the o e e of line three yesterday",
    "why did line two stop last night", "which spare parts are below minimum", "what was the first pass yield for line three",
)  # fmt: skip
COMMANDS = ("next", "repeat that", "stop", "go back")
VOICES = ("en-gb", "en-us", "en-gb-scotland")
SPEAKERS = 10


def voice(plant: Demo) -> list[dict[str, Any]]:
    """Rows of (what, value, unit, goal). Raises Unavailable without espeak-ng."""
    if shutil.which("espeak-ng") is None:
        raise Unavailable("This bench speaks with espeak-ng, which is not installed; `make system` installs it.")
    before = _resident_mib()
    begun = time.perf_counter()
    engine = opened(plant.assistant)
    engine.warm()
    loaded_ms = 1000 * (time.perf_counter() - begun)
    rows = [_row(f"{engine.name}: ready after", loaded_ms, "ms"), _row("memory of engine and grammar", _resident_mib() - before, "MiB")]
    context = Listening(equipment=next(iter(plant.assistant.plant.equipment)))
    requests, commands = _clips(REQUESTS), _clips(COMMANDS)
    rows.append(
        _row("requests: processor time a second of sound (one core)", _factor(engine, requests, context), "", GOALS["real-time factor"])
    )
    steering = Listening(expects="command")
    rows.append(
        _row("commands: processor time a second of sound (one core)", _factor(engine, commands, steering), "", GOALS["real-time factor"])
    )
    rows.append(_row("voice detection: processor time a second of sound", _detector(requests), ""))
    rows.append(_row("end of speech found after", 1000 * END_S, "ms", 700.0))
    waits = [_first_word(engine, clip, context) for clip in requests[: len(REQUESTS)]]
    rows.append(
        _row(
            "end of speech found to first spoken word, median (answer not counted)",
            median(wall for wall, _ in waits),
            "ms",
            GOALS["first word"],
        )
    )
    rows.append(_row("the same, slowest", max(wall for wall, _ in waits), "ms"))
    rows.append(_row("the same in processor time, median", median(cost for _, cost in waits), "ms", GOALS["first word"]))
    worked = _processor_s()
    late, together = _together(engine, commands)
    rows.append(_row(f"{SPEAKERS} speakers at once: processor time of all their commands", 1000 * (_processor_s() - worked), "ms"))
    rows.append(_row(f"{SPEAKERS} speakers at once: wait for a command, median", median(late), "ms", GOALS["behind"]))
    rows.append(_row(f"{SPEAKERS} speakers at once: slowest", max(late), "ms"))
    rows.append(_row(f"{SPEAKERS} speakers at once: wall time a second of their sound", together, ""))
    engine.close()
    return rows


def _clips(texts: tuple[str, ...]) -> list[bytes]:
    """Each text by each voice: 16 kHz, a little hall before and after, noise 20 dB below the voice."""
    speaker_of = {name: EspeakSpeaker(voice=name) for name in VOICES}
    chance = np.random.default_rng(7)
    reader = SoundReader()
    clips = []
    try:
        for name in VOICES:
            for text in texts:
                pcm = np.frombuffer(reader.read(speaker_of[name].say(text).wav).pcm, "<i2").astype(float)
                whole = np.concatenate([np.zeros(4800), pcm, np.zeros(14400)])
                noise = np.cumsum(chance.standard_normal(whole.size)) if whole.size else whole
                noise = noise - np.convolve(noise, np.ones(400) / 400, "same")  # a hall hums low
                level = np.sqrt(np.mean(pcm**2)) / 10 / max(np.sqrt(np.mean(noise**2)), 1e-9)
                clips.append(np.clip(whole + noise * level, -32768, 32767).astype("<i2").tobytes())
    finally:
        reader.close()
    return clips


def _factor(engine: Engines, clips: list[bytes], listening: Listening) -> float:
    begun = time.thread_time()
    for clip in clips:
        transcribed(engine, clip, listening)
    return (time.thread_time() - begun) / (sum(map(len, clips)) / BYTES_A_SECOND)


def _detector(clips: list[bytes]) -> float:
    begun = time.thread_time()
    for clip in clips:
        VoiceStream().feed(clip)
    return (time.thread_time() - begun) / (sum(map(len, clips)) / BYTES_A_SECOND)


def _first_word(engine: Engines, clip: bytes, context: Listening) -> tuple[float, float]:
    """Milliseconds, by the clock and of processor time, from the moment at which the end of speech is known to the first sound of the spoken reply, for a reply
    of one sentence; what the question itself takes to answer is in the bench `answers`."""
    speaker = EspeakSpeaker()
    session = VoiceSession(engine, context, endpointer=Endpointer())
    session.wake()
    begun, worked = time.perf_counter(), _processor_s()
    step = BYTES_A_SECOND // 10
    for at in range(0, len(clip) + BYTES_A_SECOND, step):
        begun, worked = time.perf_counter(), _processor_s()
        events = session.feed(clip[at : at + step].ljust(step, b"\0"))
        if any(event.kind == "heard" for event in events):
            break
    said = session.answered({"spoken": "The alarm means that the coolant flow is low.", "blocks": []})
    speaker.say(next(str(event.data["text"]) for event in said if event.kind == "say"))
    return 1000 * (time.perf_counter() - begun), 1000 * (_processor_s() - worked)


def _together(engine: Engines, clips: list[bytes]) -> tuple[list[float], float]:
    """Ten tablets give a command each at the same moment, in real time by the clock of their sound: how long after the end
    of its sound each is heard (ms), and the wall time a second of sound."""
    late: list[float] = []
    lock = threading.Lock()
    begun = time.perf_counter()

    def tablet(clip: bytes) -> None:
        session = engine.open(Listening(expects="command"))
        step = BYTES_A_SECOND // 10
        for at in range(0, len(clip), step):
            session.feed(clip[at : at + step])
            ahead = at / BYTES_A_SECOND - (time.perf_counter() - begun)
            if ahead > 0:
                time.sleep(ahead)
        over = time.perf_counter()
        session.finish()
        session.close()
        with lock:
            late.append(1000 * (time.perf_counter() - over))

    threads = [threading.Thread(target=tablet, args=(clips[number % len(clips)],)) for number in range(SPEAKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sound_s = sum(len(clips[number % len(clips)]) for number in range(SPEAKERS)) / BYTES_A_SECOND
    return late, (time.perf_counter() - begun) / sound_s


def _processor_s() -> float:
    """Processor time of this process and of the voices it has run."""
    return sum(
        resource.getrusage(who).ru_utime + resource.getrusage(who).ru_stime for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )


def _resident_mib() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def _row(what: str, value: float, unit: str, goal: float | None = None) -> dict[str, Any]:
    return {"what": what, "value": round(value, 3 if not unit else 1), "unit": unit, "goal": goal}
