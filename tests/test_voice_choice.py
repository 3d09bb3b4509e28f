"""The choice of engine as a table, the thresholds of the confidence, and the port held by its scripted engine."""

from dataclasses import replace

import pytest

from assistant.voice.choice import EMBEDDED, WANTED, WHISPER, Machine, choose, probe
from assistant.voice.transcriber import (
    BYTES_A_SECOND,
    LONGEST_S,
    Heard,
    Listening,
    ScriptedTranscriber,
    Session,
    SessionOver,
    SpeechTooLong,
    Transcriber,
    transcribed,
)
from assistant.voice.weighing import WEIGHTS, Evidence, judged

BOTH = Machine(frozenset((EMBEDDED, WHISPER)), folder_named=True, folder_whole=True)
NO_FOLDER = replace(BOTH, folder_named=False, folder_whole=False)
BROKEN = replace(BOTH, folder_whole=False)
ONLY_EMBEDDED = Machine(frozenset((EMBEDDED,)))
ONLY_WHISPER = replace(BOTH, installed=frozenset((WHISPER,)))
NOTHING = Machine(frozenset())

TABLE = [
    # wanted, machine, engine for requests, meanwhile, for steering, told
    ("auto", BOTH, WHISPER, EMBEDDED, EMBEDDED, False),
    ("auto", NO_FOLDER, EMBEDDED, EMBEDDED, EMBEDDED, False),
    ("auto", BROKEN, EMBEDDED, EMBEDDED, EMBEDDED, True),
    ("auto", ONLY_EMBEDDED, EMBEDDED, EMBEDDED, EMBEDDED, False),
    ("auto", ONLY_WHISPER, WHISPER, "", WHISPER, False),
    ("auto", NOTHING, "", "", "", True),
    (EMBEDDED, BOTH, EMBEDDED, EMBEDDED, EMBEDDED, False),
    (EMBEDDED, ONLY_WHISPER, "", "", "", True),
    (WHISPER, BOTH, WHISPER, "", WHISPER, False),
    (WHISPER, NO_FOLDER, "", "", "", True),
    (WHISPER, BROKEN, "", "", "", True),
    (WHISPER, ONLY_EMBEDDED, "", "", "", True),
    ("off", BOTH, "", "", "", True),
]


@pytest.mark.parametrize(("wanted", "machine", "requests", "meanwhile", "steering", "told"), TABLE)
def test_the_engine_for_each_setting_and_machine(wanted, machine, requests, meanwhile, steering, told):
    choice = choose(wanted, machine)
    assert (choice.requests, choice.meanwhile, choice.steering, bool(choice.trouble)) == (requests, meanwhile, steering, told)
    assert not choice.trouble or choice.trouble.endswith(".")


def test_every_wanted_word_has_its_rows():
    assert {row[0] for row in TABLE} == set(WANTED)


def test_the_probe_looks_without_importing(tmp_path):
    asked = []
    machine = probe(tmp_path, lambda package: asked.append(package))
    assert sorted(asked) == ["faster_whisper", "pocketsphinx"]
    assert machine == Machine(frozenset(), True, False)
    (tmp_path / "model.bin").write_bytes(b"x")
    assert probe(tmp_path, lambda package: object()).folder_whole
    assert not probe(None).folder_named


def test_the_scripted_engine_keeps_the_port():
    engine = ScriptedTranscriber(["OEE of line 3", Heard(command="next")])
    assert isinstance(engine, Transcriber)
    session = engine.open(Listening("request", "CNC-02"))
    assert isinstance(session, Session)
    session.feed(b"\1\0" * 100)
    assert not session.partial().final
    heard = session.finish()
    assert (heard.text, heard.final, heard.understood) == ("OEE of line 3", True, True)
    with pytest.raises(SessionOver):
        session.feed(b"\0\0")
    with pytest.raises(SessionOver):
        session.finish()
    session.close()
    assert transcribed(engine, b"\1\0" * 10).command == "next"
    assert transcribed(engine, bytes(2000)).doubt == "silence"
    assert engine.asked[0].equipment == "CNC-02"


def test_an_utterance_without_end_is_not_taken():
    session = ScriptedTranscriber(["x"]).open()
    second = b"\1\0" * (BYTES_A_SECOND // 2)
    for _ in range(int(LONGEST_S)):
        session.feed(second)
    with pytest.raises(SpeechTooLong):
        session.feed(second)


def test_what_asks_back_is_not_understood():
    assert Heard("OEE").understood
    assert not Heard("OEE", confirm="Right?").understood
    assert not Heard("", choices=("OEE of line 1",)).understood
    assert not Heard().understood


@pytest.mark.parametrize("what", sorted(WEIGHTS))
def test_worse_sound_is_never_surer(what):
    gaps = [-2.0, -3.0, -4.0, -5.0, -6.0, -8.0]
    seen = [judged(what, Evidence((gap,) * 6, (30,) * 6, 0.95)).confidence for gap in gaps]
    assert seen == sorted(seen, reverse=True)
    assert not judged(what, Evidence((-9.0,) * 6, (30,) * 6, 0.7)).taken
    assert not judged(what, Evidence()).taken
