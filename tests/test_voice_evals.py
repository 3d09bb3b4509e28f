"""The voice suite itself: its cases, its noise at the level that it says, its counting of words, plans and wrong actions."""

from collections import Counter

import numpy as np
import pytest

from assistant.voice.grammar import command_of, request_network
from assistant.voice.transcriber import Heard
from evals.voice import NOTE, Clip, Result, cases, clips, reported, summed, word_errors
from evals.voice_calibration import fitted, thresholds
from evals.voice_coverage import canonical, phrasings, verbatim
from evals.voice_sound import LEVELS_DB, NOISES, VOICES, in_the_hall, noise_of, wordless
from tests.test_voice_grammar import small_vocabulary


def test_the_cases_are_many_and_whole():
    rows = cases()
    assert len(rows) >= 300
    assert len({row["say"] for row in rows}) == len(rows)
    for row in rows:
        if row.get("command"):
            assert command_of(row["say"].split()) == (row["command"], row.get("number")), row["id"]


def test_every_voice_noise_and_level_is_heard():
    assert len(VOICES) >= 8
    made = clips()
    assert len(made) == len(cases())
    assert {clip.level_db for clip in made} == set(LEVELS_DB)
    assert {clip.voice for clip in made} == set(range(len(VOICES)))
    assert {clip.noise for clip in made} == set(NOISES)
    assert len(clips(full=True)) == len(LEVELS_DB) * len(made)
    half = Counter(reported(Result(clip, Heard(), True, "right")) for clip in made)
    assert abs(half[True] - half[False]) <= 1


def test_noise_is_as_loud_as_it_says():
    rng = np.random.default_rng(1)
    speech = rng.normal(0, 500, 16000)
    for level in LEVELS_DB:
        quiet = np.frombuffer(in_the_hall(speech, level, "white", 5, echo=False), "<i2")[:4000].astype(float)
        assert np.sqrt((quiet**2).mean()) == pytest.approx(3000 * 10 ** (-level / 20), rel=0.05)
    for kind in NOISES[:4]:
        assert np.sqrt((noise_of(kind, 16000, rng) ** 2).mean()) == pytest.approx(1.0)
    assert len(wordless()) >= 60


def test_word_errors_are_counted():
    assert word_errors("OEE of line 3", "oee of line 3") == (0, 4)
    assert word_errors("OEE of line 3", "oee of line 2 yesterday") == (2, 4)
    assert word_errors("alarm on CNC-02", "alarm on cnc 2") == (0, 4)
    assert word_errors("stop", "") == (1, 1)


def test_a_wrong_action_fails_the_suite():
    row = next(row for at, row in enumerate(cases()) if at % 2 and row.get("text"))
    clip = Clip(f"{row['id']}@20", row["say"], row["text"])
    right = Result(clip, Heard("x"), True, "right", (1, 1), (0, 4))
    assert summed([right], [("hum", Heard())], []).passed
    assert not summed([right, Result(clip, Heard("x"), True, "wrong", acted=True)], [("hum", Heard())], []).limits[0].met
    assert not summed([right], [("hum", Heard("stop"))], []).limits[1].met
    assert "not people" in NOTE


def test_the_fit_finds_a_known_logistic():
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, (4000, 2))
    y = rng.random(4000) < 1 / (1 + np.exp(-(0.5 + 2 * x[:, 0] - x[:, 1])))
    weights = fitted([((float(a), float(b)), bool(r)) for (a, b), r in zip(x, y, strict=True)])
    assert weights == pytest.approx([0.5, 2.0, -1.0], abs=0.2)
    taken = thresholds([((1.0,), True), ((-1.0,), False)], [0.0, 3.0])
    assert taken[0] == (0.1, 1, 0)


def test_coverage_reads_phrasings_and_their_canonical_wording():
    vocabulary = small_vocabulary()
    network = request_network(vocabulary)
    row = {
        "q": "What does alarm 1180 mean on press 4?",
        "calls": [{"tool": "explain_alarm", "args": {"code": "1180", "equipment": "press 4"}}],
    }
    assert verbatim(row, vocabulary) == "what does alarm five zero two mean on c.n.c. one"
    assert network.read(verbatim(row, vocabulary).split()) is not None
    assert canonical(row, vocabulary) == "what is alarm five zero two on c.n.c. one"
    unsayable = {"q": "x", "calls": [{"tool": "query_metrics", "args": {"metrics": ["oee"], "supplier": "Nord", "line": "line 4"}}]}
    assert canonical(unsayable, vocabulary) == ""
    assert sum(1 for _ in phrasings()) > 5000
