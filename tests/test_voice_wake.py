"""The wake phrase over synthesised speech: found in voices and noise, not found in other speech; the bench's own sound."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.settings import Settings
from assistant.voice.transcriber import BYTES_A_SECOND
from assistant.voice.wake import THRESHOLD, WakePhrase, WakeSpotter, levelled, thresholds
from evals.voice_sound import VOICES, available, in_the_hall, spoken
from evals.wake import others, woken
from tests import chromium

WORDS = str(Settings.model_fields["wake_phrase"].default)

if not available():
    if chromium.required():
        pytest.fail("espeak-ng is missing, and ANDON_REQUIRE_ALL=1 wants every optional part.", pytrace=False)
    pytest.skip("espeak-ng is not installed: the wake phrase is not tested (make system installs it).", allow_module_level=True)


@pytest.fixture(scope="module")
def phrase():
    made = WakePhrase(WORDS)
    yield made
    made.close()


def hall(words, voice=0, level_db=20, noise="pink"):
    return bytes(BYTES_A_SECOND) + in_the_hall(spoken(words, VOICES[voice]), level_db, noise, voice) + bytes(BYTES_A_SECOND)


@pytest.mark.parametrize("voice", [0, 1, 4, 7])
def test_the_phrase_wakes_a_tablet_once(phrase, voice):
    assert woken(phrase, hall(WORDS, voice)) == 1


@pytest.mark.parametrize("words", ["andon please", "can you listen please", "what does alarm five oh two mean on c. n. c. two", "we had to abandon the plan"])  # fmt: skip
def test_other_words_do_not(phrase, words):
    assert [woken(phrase, hall(words, voice)) for voice in (0, 1)] == [0, 0]


def test_noise_alone_is_not_decoded(phrase):
    noise = np.random.default_rng(1).normal(0, 800, 5 * 16_000).astype("<i2").tobytes()
    assert woken(phrase, noise) == 0


def test_the_end_of_the_phrase_is_where_the_question_begins(phrase):
    sound = in_the_hall(spoken(WORDS, VOICES[0]), None, "pink", 1)
    found = phrase.search(sound + bytes(BYTES_A_SECOND // 2))
    assert found is not None
    assert abs(found - (len(sound) / BYTES_A_SECOND - 0.5)) < 0.4  # the voice and the hall each put some quiet behind the words


def test_a_stretch_that_ends_is_searched_to_its_end(phrase):
    sound = in_the_hall(spoken(WORDS, VOICES[0]), 20, "pink", 1)
    spotter = WakeSpotter(phrase)
    cut = len(sound) // 2 // 2 * 2
    assert spotter.feed(sound[:cut]) is None
    assert (spotter.feed(sound[cut:]) or spotter.end()) is not None
    assert spotter.end() is None  # nothing new since


def test_the_default_phrase_is_calibrated_and_others_have_a_threshold():
    assert thresholds()[WORDS] < 0
    assert WakePhrase("good morning machine").threshold == THRESHOLD
    assert WakePhrase("Hello, Andon!", -3.0).threshold == -3.0


def test_sound_of_any_level_is_brought_to_one():
    tone = 3000 * np.sin(np.arange(16_000) / 5)
    loud, soft = (np.frombuffer(levelled((tone * gain).astype("<i2").tobytes()), "<i2") for gain in (4.0, 0.1))
    assert np.std(loud) == pytest.approx(np.std(soft), rel=0.1)


def test_an_hour_of_the_bench_has_the_length_it_says():
    minutes = list(others(120.0))
    assert [len(one) for one in minutes] == [60 * BYTES_A_SECOND] * 2
