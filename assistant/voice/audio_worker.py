"""The worker process that decodes sound: what people send is read here, by libraries written in C, in a process that has
no secrets, little memory, low priority and a deadline. It takes one request a line on standard input (a JSON header,
then the bytes) and answers likewise; `audio.py` starts, bounds and ends it. tests/test_voice_audio.py."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import Any

RATE_HZ = 16_000
#: Containers by their first bytes, and the demuxer that reads each: no other is ever opened, so a playlist or a
#: concatenation script (which would read files of this machine) is no audio here.
MAGIC = (
    (b"RIFF", "wav"), (b"RF64", "wav"), (b"fLaC", "flac"), (b"OggS", "ogg"), (b"\x1aE\xdf\xa3", "matroska"), (b"ID3", "mp3"),
    (b"\xff\xfb", "mp3"), (b"\xff\xf3", "mp3"), (b"\xff\xf2", "mp3"), (b"FORM", "aiff"), (b".snd", "au"),
)  # fmt: skip


def container_of(data: bytes) -> str:
    """The demuxer for these first bytes, "" when they are no container of sound that is read."""
    for magic, name in MAGIC:
        if data.startswith(magic):
            return name
    return "mov" if data[4:8] == b"ftyp" else ""  # what Safari records


def _decode(request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    import av

    raw = int(request.get("raw_rate_hz") or 0)
    name = "s16le" if raw else container_of(data)
    if not name:
        return {"error": "unknown"}, b""
    options = {"sample_rate": str(raw), "ch_layout": "stereo" if request.get("raw_channels") == 2 else "mono"} if raw else {}
    longest = int(float(request["longest_s"]) * RATE_HZ)
    try:
        with av.open(io.BytesIO(data), format=name, options=options) as container:
            if not container.streams.audio:
                return {"error": "no sound"}, b""
            stream = container.streams.audio[0]
            header: dict[str, Any] = {"container": name, "rate_hz": stream.rate or 0, "channels": stream.channels or 0}
            pcm, whole, broken = _samples(av, container, stream, longest)
    except (av.FFmpegError, ValueError, OverflowError):
        return {"error": "damaged"}, b""
    if not pcm:
        return {"error": "damaged" if broken else "empty"}, b""
    return {**header, "whole": whole, "broken": broken}, pcm


def _samples(av: Any, container: Any, stream: Any, longest: int) -> tuple[bytes, bool, bool]:
    """Samples in our form, whether that is all of them, and whether the end could not be read: what was decoded before
    a damaged place is kept, since a recording whose last packet was cut off still holds the question."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    out = bytearray()
    broken = False
    try:
        for frame in container.decode(stream):
            for piece in resampler.resample(frame):
                out += bytes(piece.planes[0])[: 2 * piece.samples]
            if len(out) > 2 * longest:
                return bytes(out[: 2 * longest]), False, False
    except (av.FFmpegError, ValueError, OverflowError):
        broken = True
    try:
        for piece in resampler.resample(None):
            out += bytes(piece.planes[0])[: 2 * piece.samples]
    except (av.FFmpegError, ValueError):
        broken = True
    return bytes(out), True, broken


def _confine(memory_bytes: int) -> None:
    import resource

    os.nice(5)  # somebody waits for it
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _limit_processor(longest_s: float) -> None:
    """This request's share of the processor: a decoder that hangs ends by itself, should nobody be left to end it."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime + 10 + longest_s / 4)
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))


def main() -> None:
    """Serve requests until standard input ends; whatever libraries print goes to standard error."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _confine(int(sys.argv[1]))
    source = sys.stdin.buffer
    for line in source:
        request = json.loads(line)
        data = source.read(int(request["bytes"]))
        _limit_processor(float(request["longest_s"]))
        try:
            header, pcm = _decode(request, data)
        except MemoryError:
            header, pcm = {"error": "too large"}, b""
        replies.write(json.dumps({**header, "bytes": len(pcm)}).encode() + b"\n" + pcm)
        replies.flush()


if __name__ == "__main__":
    main()
