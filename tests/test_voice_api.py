"""Speech over HTTP and WebSocket: recordings, a spoken question into the turn log, actions confirmed by voice, and clients
that flood, vanish, lie about their type or come from another page."""

from __future__ import annotations

import io
import json
import logging
import math
import struct
import time
import wave

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from assistant.api import create_app
from assistant.demo import PASSWORD
from assistant.voice.endpoint import Endpointer
from assistant.voice.parts import VoiceParts
from assistant.voice.speaker import SilentSpeaker
from assistant.voice.transcriber import Heard, ScriptedTranscriber
from tests.scripted_assistant import ScriptedAssistant

ALARM = "What does alarm code 502 mean on this machine?"
LOCAL = {"origin": "http://127.0.0.1"}
VOICE = "ws://127.0.0.1/api/voice"


def tone(seconds: float, hertz: float = 440.0) -> bytes:
    return b"".join(struct.pack("<h", int(9000 * math.sin(2 * math.pi * hertz * n / 16000))) for n in range(int(16000 * seconds)))


def wav(pcm: bytes) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(pcm)
    return out.getvalue()


@pytest.fixture
def assistant(tmp_path):
    scripted = ScriptedAssistant(tmp_path)
    yield scripted
    scripted.close()


@pytest.fixture
def client(assistant):
    with TestClient(create_app(assistant), base_url="http://127.0.0.1") as client:
        client.post("/api/login", json={"user": "olivia", "password": PASSWORD})
        yield client


def hears(assistant, *script):
    assistant.voice.close()
    assistant.voice = VoiceParts(assistant, ScriptedTranscriber(list(script)), SilentSpeaker())


def until(socket, kind, **wanted):
    """The next message of a kind; what comes before it is let go."""
    for _ in range(200):
        message = socket.receive()
        if "text" not in message or message["text"] is None:
            if message.get("bytes") is not None and kind == "bytes":
                return message["bytes"]
            if message["type"] == "websocket.close":
                raise AssertionError(f"closed before {kind}: {message}")
            continue
        data = json.loads(message["text"])
        if data["type"] == kind and all(data.get(name) == value for name, value in wanted.items()):
            return data
    raise AssertionError(kind)


def test_a_question_held_and_said_is_answered_spoken_and_in_the_turn_log(client, assistant, caplog):
    hears(assistant, ALARM)
    caplog.set_level(logging.DEBUG)
    with client.websocket_connect(VOICE, headers=LOCAL) as socket:
        socket.send_json({"type": "hello", "equipment": "CNC-02", "conversation": "c1", "speak": "server"})
        until(socket, "state", state="asleep")
        socket.send_json({"type": "press"})
        until(socket, "state", state="listening")
        for _ in range(5):
            socket.send_bytes(tone(0.2))
        socket.send_json({"type": "release"})
        assert until(socket, "heard")["text"] == ALARM
        until(socket, "state", state="thinking")
        answer = until(socket, "event", name="answer")["data"]
        assert answer["status"] == "answered"
        until(socket, "state", state="speaking")
        said = until(socket, "say")["text"]
        sound = until(socket, "bytes")
        with wave.open(io.BytesIO(sound)) as file:
            assert file.getnframes() > 0
        socket.send_json({"type": "spoken"})
        until(socket, "state", state="asleep")
    assert "five zero two" in said
    turns = assistant.store.conversation("c1", "olivia")
    assert [turn["record"]["question"] for turn in turns] == [ALARM]
    assert assistant.voice._given.asked[0].equipment == "CNC-02"
    assert assistant.voice._given.asked[0].line == "LINE-3"
    ours = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("andon"))
    assert "502" not in ours
    assert not (assistant.folder / "voice").exists()


def test_sound_is_kept_beside_the_turn_only_where_the_plant_says_so(client, assistant):
    assistant.settings.keep_audio = True
    hears(assistant, ALARM)
    with client.websocket_connect(VOICE, headers=LOCAL) as socket:
        socket.send_json({"type": "hello", "conversation": "c2", "speak": "none"})
        socket.send_json({"type": "press"})
        socket.send_bytes(tone(0.5))
        socket.send_json({"type": "release"})
        until(socket, "say")
    turn = assistant.store.conversation("c2", "olivia")[0]["turn"]
    with wave.open(str(assistant.folder / "voice" / f"{turn}.wav")) as file:
        assert file.getnframes() == 8000


def test_a_recording_has_the_contract_s_fields(client, assistant, speech):
    hears(assistant, Heard(ALARM, confidence=0.9, in_grammar=True))
    for body, kind in ((wav(speech), "audio/wav"), (speech, "audio/L16;rate=16000")):
        found = client.post("/api/transcribe?equipment=CNC-02", content=body, headers={"content-type": kind})
        assert found.status_code == 200, found.text
        shown = found.json()
        assert {"text", "words", "confidence", "engine", "seconds", "audio_seconds"} <= set(shown)
        assert shown["text"] == ALARM
        assert shown["audio_seconds"] == pytest.approx(len(speech) / 32000, abs=0.01)
    form = client.post("/api/transcribe", files={"file": ("question.wav", wav(speech), "audio/wav")})
    assert form.json()["text"] == ALARM


@pytest.fixture(scope="module")
def speech():
    """A sentence by espeak-ng as 16 kHz PCM."""
    import shutil

    from assistant.voice.audio import SoundReader
    from assistant.voice.speaker import EspeakSpeaker

    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed: speech is not synthesised (make system installs it).")
    reader = SoundReader()
    pcm = reader.read(EspeakSpeaker().say("What does alarm five oh two mean on this machine").wav).pcm
    reader.close()
    return pcm


def test_silence_and_a_tone_give_no_text_and_one_sentence(client, assistant):
    hears(assistant, ALARM)
    quiet = client.post("/api/transcribe", content=wav(bytes(64000)), headers={"content-type": "audio/wav"}).json()
    assert quiet["text"] == ""
    assert "microphone" in quiet["advice"]
    hum = client.post("/api/transcribe", content=wav(tone(2.0)), headers={"content-type": "audio/wav"}).json()
    assert hum["text"] == ""
    assert hum["advice"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "audio/wav", 415), (b"RIFF0000WAVE", "audio/wav", 415), (b"\x00" * 999, "audio/wav", 415), (b"{}", "application/json", 415),
        (b"#EXTM3U\nfile:///etc/passwd\n", "audio/mpegurl", 415), (b"hello", "text/plain", 415), (b"ab", "audio/L16;rate=1", 415),
        (b"OggS" + b"\xff" * 3000, "audio/ogg", 415), (b"x" * 30_000_000, "audio/wav", 413),
    ],
)  # fmt: skip
def test_what_is_no_recording_gets_one_sentence(client, body, kind, status):
    found = client.post("/api/transcribe", content=body, headers={"content-type": kind})
    assert found.status_code == status
    problem = found.json()
    assert problem["detail"].endswith((".", "!"))
    assert "/" not in problem["detail"].replace("audio/wav", "").replace("audio/webm", "").replace("audio/L16", "")


def test_nobody_signed_in_is_heard_nowhere(assistant):
    with TestClient(create_app(assistant), base_url="http://127.0.0.1") as stranger:
        assert stranger.post("/api/transcribe", content=b"x", headers={"content-type": "audio/wav"}).status_code == 401
        with pytest.raises(WebSocketDisconnect), stranger.websocket_connect(VOICE, headers=LOCAL) as socket:
            socket.receive_json()


def test_another_page_s_script_gets_no_line(client):
    for origin in ("https://evil.example", "http://127.0.0.1:9999"):
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(VOICE, headers={"origin": origin}) as socket:
            socket.receive_json()


def test_a_flood_is_cut_off_with_one_sentence(client, assistant):
    hears(assistant, ALARM)
    with client.websocket_connect(VOICE, headers=LOCAL) as socket:
        socket.send_json({"type": "hello", "speak": "none"})
        for _ in range(60):
            socket.send_bytes(bytes(32000))
        assert "faster" in until(socket, "problem")["detail"]
    with client.websocket_connect(VOICE, headers=LOCAL) as socket:
        socket.send_json({"type": "hello", "speak": "none"})
        socket.send_bytes(bytes(60000))
        assert until(socket, "problem")["detail"].startswith("Sound is sent in pieces")


@pytest.mark.parametrize("first", ["nonsense", '{"type": "press"}', '["hello"]', "{" * 5000])
def test_a_client_that_does_not_say_hello_is_sent_away(client, first):
    with client.websocket_connect(VOICE, headers=LOCAL) as socket:
        socket.send_text(first)
        assert until(socket, "problem")["status"] == 422


def test_no_more_tablets_than_the_setting_says_and_those_that_vanish_leave_their_place(client, assistant):
    hears(assistant, ALARM)
    assistant.settings.voice_sessions = 1
    for _ in range(3):
        with client.websocket_connect(VOICE, headers=LOCAL) as first:
            first.send_json({"type": "hello", "speak": "none"})
            until(first, "state")
            with client.websocket_connect(VOICE, headers=LOCAL) as second:
                assert "Too many" in until(second, "problem")["detail"]
            first.send_json({"type": "press"})
            first.send_bytes(tone(0.3))
        time.sleep(0.2)  # vanished in the middle of a word


def test_an_answer_of_one_s_own_is_read_aloud(client, assistant):
    turn = client.post("/api/ask", json={"question": ALARM}).json()["turn"]
    said = client.post("/api/speech", json={"turn": turn})
    assert said.headers["content-type"] == "audio/wav"
    assert said.content[:4] == b"RIFF"
    assert "five zero two" in assistant.voice.speaker.said[-1]
    client.post("/api/login", json={"user": "max", "password": PASSWORD})
    assert client.post("/api/speech", json={"turn": turn}).status_code == 404


def test_ten_speakers_at_once_are_all_heard(assistant):
    """Closed commands by ten tablets: each is answered, none waits longer than a second for the end of its own word."""
    hears(assistant, Heard(command="help", confidence=0.9))
    assistant.settings.voice_sessions = 10
    with TestClient(create_app(assistant), base_url="http://127.0.0.1") as client:
        client.post("/api/login", json={"user": "olivia", "password": PASSWORD})
        sockets = [client.websocket_connect(VOICE, headers=LOCAL) for _ in range(10)]
        opened = [socket.__enter__() for socket in sockets]
        for socket in opened:
            socket.send_json({"type": "hello", "speak": "none"})
            socket.send_json({"type": "press"})
        for _ in range(8):
            for socket in opened:
                socket.send_bytes(tone(0.1))
        begun = time.monotonic()
        for socket in opened:
            socket.send_json({"type": "release"})
        for socket in opened:
            assert until(socket, "heard")["command"] == "help"
        assert time.monotonic() - begun < 5.0
        for socket in sockets:
            socket.__exit__(None, None, None)


def test_the_end_of_speech_is_found_within_700_ms(speech):
    stream = Endpointer()
    told = []
    pcm = bytes(16000) + speech + bytes(32000)
    for at in range(0, len(pcm), 1024):
        told += [(mark.kind, mark.at_s, at / 32000) for mark in stream.feed(pcm[at : at + 1024])]
    assert [kind for kind, _, _ in told] == ["began", "ended"]
    assert told[1][2] - told[1][1] < 0.7
    assert told[1][1] == pytest.approx(0.5 + len(speech) / 32000, abs=0.6)
