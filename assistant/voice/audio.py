"""Sound as people send it (WAV, FLAC, Ogg, WebM, MP4, raw PCM; any rate, mono or stereo) into the form that engines take:
signed 16-bit, one channel, 16 kHz.

Decoding happens in a worker process (`audio_worker.py`) with bounded memory, low priority and a deadline; a file that
hangs or breaks a decoder costs that worker its life and its sender one sentence. Length and size are bounded before and
while decoding, so an hour of sound in a small file is refused without being unfolded. tests/test_voice_audio.py.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
import wave
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from assistant.problems import BadQuestion, TooLarge, Unavailable
from assistant.voice.transcriber import BYTES_A_SECOND, SAMPLE_RATE_HZ

_WORKER = Path(__file__).with_name("audio_worker.py")
#: Two minutes of CD-quality stereo sound have 21 MB.
LARGEST_BYTES = 24 * 1024 * 1024
#: Longest recording that is taken, seconds.
LONGEST_S = 120.0

_SENTENCES = {
    "unknown": "This is no sound that can be read; send WAV, FLAC, Ogg, WebM or MP4.",
    "damaged": "This recording is damaged and cannot be read; record it again.",
    "no sound": "There is no sound in this file; record it again.",
    "empty": "This recording is empty; hold the button while you speak.",
    "too large": "This recording takes too much memory to read; record it shorter.",
}


class BadSound(BadQuestion):
    """What was sent is no sound that can be used: another kind of file, damaged, empty."""

    code = "bad_sound"
    status = 415


class SoundTooLong(TooLarge):
    """More sound than one recording may have."""

    code = "sound_too_long"


@dataclass(frozen=True)
class Sound:
    """Decoded sound: `pcm` in the engines' form; what it was before: container, rate in Hz, channels. `broken`: the end
    of the recording could not be read and is missing."""

    pcm: bytes
    container: str
    rate_hz: int
    channels: int
    broken: bool = False

    @property
    def seconds(self) -> float:
        return len(self.pcm) / BYTES_A_SECOND


class SoundReader:
    """Decodes recordings, one at a time. Thread-safe; `close` ends the worker."""

    def __init__(self, *, deadline_s: float = 30.0, memory_mb: int = 768, longest_s: float = LONGEST_S, worker: Path = _WORKER) -> None:
        self._deadline_s = deadline_s
        self._memory_bytes = memory_mb * 1024 * 1024
        self.longest_s = longest_s
        self._script = worker
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def read(self, data: bytes, *, raw_rate_hz: int = 0, raw_channels: int = 1) -> Sound:
        """Decode a recording; with `raw_rate_hz` the bytes are signed 16-bit PCM of that rate.

        Raises BadSound (no sound, damaged, empty), SoundTooLong, Unavailable (the decoder hung or died on it)."""
        if not data:
            raise BadSound(_SENTENCES["empty"])
        if len(data) > LARGEST_BYTES:
            raise SoundTooLong(f"A recording has at most {LARGEST_BYTES // 2**20} MB; record it shorter.")
        if raw_rate_hz and not 4000 <= raw_rate_hz <= 192_000:
            raise BadSound("The sampling rate of raw sound lies between 4,000 and 192,000 Hz.")
        request = {"bytes": len(data), "raw_rate_hz": raw_rate_hz, "raw_channels": raw_channels, "longest_s": self.longest_s}
        with self._lock:
            header, pcm = self._asked(request, data)
        error = header.get("error")
        if error:
            raise BadSound(_SENTENCES.get(error, _SENTENCES["damaged"]))
        if not header["whole"]:
            raise SoundTooLong(f"A recording has at most {self.longest_s:.0f} seconds; ask one thing at a time.")
        return Sound(pcm, header["container"], int(header["rate_hz"]), int(header["channels"]), bool(header["broken"]))

    def close(self) -> None:
        with self._lock:
            self._end()

    def _asked(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        try:
            return self._exchange(json.dumps(request).encode() + b"\n" + data)
        except (TimeoutError, OSError, ValueError) as error:
            self._end()
            late = isinstance(error, TimeoutError)
            raise Unavailable(f"This recording {'takes too long to read' if late else 'could not be read'}; record it again.") from error

    def _exchange(self, request: bytes) -> tuple[dict[str, Any], bytes]:
        """Send a request and read its reply under one deadline: a worker that stops reading is as late as one that does
        not answer. Raises TimeoutError, or OSError when the worker died."""
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        source, sink = process.stdout.fileno(), process.stdin.fileno()
        until = time.monotonic() + self._deadline_s
        waiting = select.poll()  # select() knows no descriptor above 1,023, and a service has many open
        waiting.register(source, select.POLLIN)
        waiting.register(sink, select.POLLOUT)
        left, reply = memoryview(request), bytearray()
        header: dict[str, Any] | None = None
        wanted = 0
        while header is None or len(reply) < wanted:
            ready = {descriptor for descriptor, _ in waiting.poll(max(until - time.monotonic(), 0) * 1000)}
            if not ready:
                raise TimeoutError
            if sink in ready:
                left = left[os.write(sink, left[:65_536]) :]
                if not left:
                    waiting.unregister(sink)
            if source in ready:
                piece = os.read(source, 1 << 20)
                if not piece:
                    raise OSError("the audio worker ended")
                reply += piece
                if header is None and b"\n" in reply:
                    line, _, rest = bytes(reply).partition(b"\n")
                    header, reply = json.loads(line), bytearray(rest)
                    wanted = int(header["bytes"])
        return header, bytes(reply)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(self._script), str(self._memory_bytes)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"PATH": os.environ.get("PATH", "")},
            )  # fmt: skip
            assert self._process.stdin is not None
            os.set_blocking(self._process.stdin.fileno(), False)
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    try:
                        pipe.close()
                    except BrokenPipeError:
                        continue
            self._process = None


def raw_form(content_type: str) -> tuple[int, int] | None:
    """(rate in Hz, channels) of `audio/L16;rate=16000;channels=1` (RFC 2586) or `audio/pcm`, None for other types.
    L16 is big-endian by its RFC and little-endian in all that browsers and programs send; little-endian is taken.
    Raises BadSound for a rate or a channel count that is no number."""
    kind, *parameters = [part.strip().lower() for part in content_type.split(";")]
    if kind not in ("audio/l16", "audio/pcm", "audio/raw", "audio/x-raw"):
        return None
    named = dict(part.partition("=")[::2] for part in parameters)
    try:
        rate, channels = int(named.get("rate", str(SAMPLE_RATE_HZ))), int(named.get("channels", "1"))
    except ValueError:
        raise BadSound("Raw sound names its rate and channels as numbers: audio/L16;rate=16000;channels=1.") from None
    if channels not in (1, 2):
        raise BadSound("Raw sound has one channel or two.")
    return rate, channels


def as_wav(pcm: bytes, rate_hz: int = SAMPLE_RATE_HZ) -> bytes:
    """PCM of one channel as a WAV file."""
    out = BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(pcm)
    return out.getvalue()
