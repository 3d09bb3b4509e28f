"""Sound in every form that browsers and recorders send, and files made to hurt."""

from __future__ import annotations

import io
import time
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from assistant.problems import Unavailable
from assistant.voice.audio import LARGEST_BYTES, BadSound, SoundReader, SoundTooLong, as_wav, raw_form
from assistant.voice.levels import advice, measure

RATE = 16_000


@pytest.fixture(scope="module")
def reader():
    made = SoundReader(longest_s=30.0)
    yield made
    made.close()


def sweep(rate: int, seconds: float = 2.0) -> np.ndarray:
    """Tones of 300, 700 and 1,500 Hz after each other: what survives every codec."""
    t = np.arange(int(rate * seconds)) / rate
    return 0.4 * np.sin(2 * np.pi * np.where(t < seconds / 3, 300, np.where(t < 2 * seconds / 3, 700, 1500)) * t)


def encoded(form: str, codec: str, rate: int, channels: int) -> bytes:
    out = io.BytesIO()
    layout = "stereo" if channels == 2 else "mono"
    samples = (sweep(rate) * 32767).astype(np.int16)
    with av.open(out, "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        resampler = av.AudioResampler(
            format=stream.codec_context.format.name if stream.codec_context.format else "s16", layout=layout, rate=rate
        )
        frame = av.AudioFrame.from_ndarray(np.repeat(samples[None], channels, 0).T.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate = rate
        for piece in resampler.resample(frame):
            for packet in stream.encode(piece):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return out.getvalue()


def peak_hertz(pcm: bytes, start_s: float, end_s: float) -> float:
    samples = np.frombuffer(pcm, "<i2")[int(start_s * RATE) : int(end_s * RATE)].astype(float)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * RATE / len(samples))


@pytest.mark.parametrize(
    ("form", "codec", "rate", "channels"),
    [
        ("wav", "pcm_s16le", 44100, 2), ("wav", "pcm_mulaw", 8000, 1), ("wav", "pcm_f32le", 48000, 1), ("wav", "pcm_u8", 16000, 1), ("flac", "flac", 48000, 2),
        ("ogg", "libopus", 48000, 1), ("webm", "libopus", 48000, 2), ("mp4", "aac", 44100, 1),
    ],
)  # fmt: skip
def test_every_form_becomes_the_same_sound(reader, form, codec, rate, channels):
    found = reader.read(encoded(form, codec, rate, channels))
    assert found.seconds == pytest.approx(2.0, abs=0.12)
    assert found.channels == channels
    for start, end, hertz in ((0.15, 0.55, 300), (0.8, 1.2, 700), (1.45, 1.85, 1500)):
        assert peak_hertz(found.pcm, start, end) == pytest.approx(hertz, abs=8)


def test_raw_sound_says_its_rate(reader):
    samples = (sweep(8000) * 32767).astype("<i2").tobytes()
    assert reader.read(samples, raw_rate_hz=8000).seconds == pytest.approx(2.0, abs=0.05)
    assert raw_form("audio/L16; rate=44100; channels=2") == (44100, 2)
    assert raw_form("audio/wav") is None
    for wrong in ("audio/l16;rate=fast", "audio/l16;channels=7"):
        with pytest.raises(BadSound):
            raw_form(wrong)
    with pytest.raises(BadSound):
        reader.read(b"ab" * 100, raw_rate_hz=1)


@pytest.mark.parametrize(
    "data",
    [b"", b"RIFF", b"RIFF\xff\xff\xff\xffWAVEfmt ", b"OggS" * 200, b"\x1aE\xdf\xa3" + b"\xff" * 500, b"fLaC" + bytes(400), b"<html>", b"\x00" * 5000,
     b"#EXTM3U\n/etc/passwd\n", b"ffconcat version 1.0\nfile /etc/passwd\n", as_wav(b""), b"\x00\x00\x00\x20ftypM4A " + bytes(100)],
)  # fmt: skip
def test_what_is_no_sound_costs_one_sentence(reader, data):
    with pytest.raises(BadSound) as told:
        reader.read(data)
    assert told.value.sentence.endswith(".")


def test_a_recording_cut_off_keeps_what_was_said(reader):
    whole = encoded("ogg", "libopus", 48000, 1)
    found = reader.read(whole[: len(whole) * 2 // 3])
    assert 0.8 < found.seconds < 2.0


def test_an_hour_in_a_small_file_is_refused_without_being_unfolded(reader):
    out = io.BytesIO()
    with av.open(out, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000 * 60), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        for _ in range(20):
            frame.pts = None
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    data = out.getvalue()
    assert len(data) < 2_000_000
    begun = time.monotonic()
    with pytest.raises(SoundTooLong, match="30 seconds"):
        reader.read(data)
    assert time.monotonic() - begun < 20
    with pytest.raises(SoundTooLong):
        reader.read(b"RIFF" + bytes(LARGEST_BYTES))


def test_a_decoder_that_hangs_or_dies_is_replaced(tmp_path):
    hanging = tmp_path / "hangs.py"
    hanging.write_text("import sys, time\nsys.stdin.buffer.readline()\ntime.sleep(60)\n")
    reader = SoundReader(deadline_s=1.0, worker=hanging)
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="too long"):
        reader.read(as_wav(bytes(3_000_000)))
    assert time.monotonic() - begun < 20
    reader._script = Path(__file__).parent.parent / "assistant" / "voice" / "audio_worker.py"
    reader._deadline_s = 30.0
    assert reader.read(as_wav(bytes(64_000))).seconds == 2.0
    reader._process.kill()
    with pytest.raises(Unavailable):
        reader.read(as_wav(bytes(64_000)))
    assert reader.read(as_wav(bytes(64_000))).seconds == 2.0
    reader.close()


def test_the_worker_has_no_environment_and_little_memory(reader):
    reader.read(as_wav(bytes(3200)))
    folder = Path("/proc") / str(reader._process.pid)
    names = {item.split("=")[0] for item in (folder / "environ").read_bytes().decode().split("\0") if item}
    assert names <= {"PATH", "LC_CTYPE"}
    assert "Max address space" in (folder / "limits").read_text()
    limit = next(line for line in (folder / "limits").read_text().splitlines() if line.startswith("Max address space"))
    assert int(limit.split()[3]) == 768 * 1024 * 1024


def noise(dbfs: float, seconds: float = 2.0) -> np.ndarray:
    return np.random.default_rng(3).standard_normal(int(RATE * seconds)) * 10 ** (dbfs / 20)


def pcm(samples: np.ndarray) -> bytes:
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def test_levels_are_those_of_the_sound():
    tone = 0.1 * np.sqrt(2) * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)  # root of the mean square 0.1: -20 dBFS
    found = measure(pcm(np.concatenate([noise(-60, 1.0), tone])))
    assert found.speech_dbfs == pytest.approx(-20, abs=0.3)
    assert found.noise_dbfs == pytest.approx(-60, abs=1.5)
    assert found.clipped == 0.0


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros(RATE), "microphone"),
        (noise(-60)[:1000], "too short"),
        (np.concatenate([noise(-70, 1.0), noise(-50, 1.0)]), "quiet"),
        (noise(-12), "too loud here"),
        (4 * np.sin(np.arange(RATE) / 5), "Too close"),
        (np.concatenate([noise(-60, 1.0), noise(-20, 1.0)]), ""),
    ],
)
def test_the_speaker_is_told_what_helps(samples, words):
    told = advice(measure(pcm(samples)))
    assert words in told if words else told == ""


def test_wav_is_wav():
    with wave.open(io.BytesIO(as_wav(bytes(3200)))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (16000, 1, 1600)
