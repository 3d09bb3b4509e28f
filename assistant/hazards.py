"""Danger to people, heard in a question: fire, smoke, gas, injury, electric shock, entrapment, spills.

By words alone, never by a model alone: `detect` names every danger that a sentence reports as present, however it is
worded or typed, and stays silent on the same words in peaceful use ("smoke test", "fire drill", "no smoke", "gas
spring"). Kinds of words that stand near one another make a danger (`assistant/danger_words.py`), so that a sentence
nobody wrote down is heard too. A miss costs more than a false alarm, so a doubtful report counts.
tests/test_hazards.py holds both lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from assistant import danger_words as lexicon

_WORD = re.compile(r"[^\W\d_]+(?:'[a-z]+)?")
_SHORT_FORMS = re.compile(r"\b(he|she|it|there|that|what|where|who|someone|somebody)'s\b|\b(i|he|she|it|we|you|they)'(m|re|ve|ll)\b|n't\b")
_LONG_FORMS = {"m": "am", "re": "are", "ve": "have", "ll": "will"}
_BREAK = re.compile(r"[.!?;]+(?=\s|$)|\s-\s|,|:(?=\s)")
_NO_NAME = re.compile(
    r"(?:er|or|ing|ed|tion|sion|ment|ness|ly|ity|ance|ence|ism|al|ic|ous|ive|able|ible|ight|ation|ch|sh|ts|cts|wn|oo|um|ide|ine|ase)$"
)
_SHORTEST_KEY = 4  # letters of a word that is recognised through a slip
SURE_OF_DANGER = 0.999  # probability from which a classifier's word alone counts
_TWO_SLIPS = 9  # letters from which two slips are

_words = {kind: re.compile(rf"\b(?:{words})(?!\w)") for kind, words in lexicon.WORDS.items()}
_sentences = [(danger, re.compile(expression)) for danger, expression in lexicon.SENTENCES]
_peace = [re.compile(expression) for expression in lexicon.PEACE]
_records = re.compile(lexicon.RECORDS)
_present = re.compile(lexicon.PRESENT)
_keys = frozenset(lexicon.KEYS.split())
#: Names under which a plant model may keep a danger, beside its own.
_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "electric_shock": ("shock", "electricity", "electrical", "electric"),
    "injury": ("accident", "medical", "first_aid", "person"),
    "entrapment": ("trapped", "caught", "crushing"),
    "spill": ("chemical", "chemicals", "leak", "gas"),
    "gas": ("leak", "gas_leak", "chemical"),
    "smoke": ("fire",),
    "fire": ("smoke",),
}


def detect(text: str, plant_words: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The dangers reported in a sentence, as the plant model names them, each once.

    `plant_words` maps the model's hazards to its words for them; a word matches with its endings. A danger that the
    model does not know keeps the name used here, so that nothing is swallowed.
    """
    said = plain(text)
    for pattern in _peace:
        said = pattern.sub(" ~ ", said)
    said = " ~ ".join(clause for clause in said.split("~") if clause.strip())
    said = _reported(said)
    named = [_as_named(name, plant_words) for name in _found(said)]
    if said.strip(" ,~"):
        known = frozenset(_lexicon_words())
        for hazard, words in plant_words.items():
            for word in words:
                # Of words that the rules know, those are the better judges: "caught in" alone says nothing.
                if not all(part in known for part in word.lower().split()) and _word(word).search(said):
                    named.append(hazard)
    return tuple(dict.fromkeys(named))


def plain(text: str) -> str:
    """The text in lower case with short forms written out, slips of the key words put right and people's names
    as "someone"."""
    typed = " ".join(text.replace("’", "'").replace("`", "'").split())
    opened = _SHORT_FORMS.sub(_long_form, typed.replace("cannot", "can not"))
    said = _WORD.sub(lambda m: _meant(m.group(0), m.start() == 0), opened)
    return " ".join(said.lower().replace("some one", "someone").replace("fork lift", "forklift").split())


def _long_form(m: re.Match[str]) -> str:
    if m.group(0).lower() == "n't":
        return " not"
    return f"{m.group(1)} is" if m.group(1) else f"{m.group(2)} {_LONG_FORMS[m.group(3).lower()]}"


@lru_cache(maxsize=20_000)
def _meant(word: str, first: bool) -> str:
    """One typed word as it is read."""
    lower = word.lower()
    if lower in lexicon.SLIPS:
        return lexicon.SLIPS[lower]
    stem, _, ending = lower.partition("'")
    tail = f"'{ending}" if ending else ""
    if stem in lexicon.NAMES:
        return "someone" + tail
    if stem in _keys or stem in _known() or len(stem) < _SHORTEST_KEY:
        return lower
    key = _nearest(stem)
    if key:
        return key + tail
    if stem.endswith("s") and stem[:-1] in lexicon.NAMES:
        return "someone's"
    return "someone" + tail if _is_name(word, first) else lower


def _is_name(word: str, first: bool) -> bool:
    """Whether a word that no list knows is written like the name of a person."""
    stem = word.partition("'")[0]
    if not (stem[0].isupper() and stem[1:].islower()):
        return False
    return not (first and _NO_NAME.search(stem.lower())) and stem.lower() not in lexicon.MAKERS


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    """Words that are what they are: those of the written phrasings, where they are to be had, and those of the rules."""
    from assistant.spelling import phrasing_words

    try:
        phrasings = frozenset(word for word, times in phrasing_words().items() if times > 1)
    except (FileNotFoundError, ModuleNotFoundError):  # the rules work without
        phrasings = frozenset()
    return phrasings | _lexicon_words() | lexicon.ORDINARY


@lru_cache(maxsize=1)
def _lexicon_words() -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]{3,}", " ".join((*lexicon.WORDS.values(), *(e for _, e in lexicon.SENTENCES)))))


@lru_cache(maxsize=1)
def _shortened() -> Mapping[str, tuple[str, ...]]:
    """Each key word without one letter, or as it is, and the keys that are left so."""
    found: dict[str, list[str]] = {}
    for key in sorted(_keys):
        for short in _less_one(key):
            found.setdefault(short, []).append(key)
    return {short: tuple(keys) for short, keys in found.items()}


def _less_one(word: str) -> Iterator[str]:
    yield word
    for at in range(len(word)):
        yield word[:at] + word[at + 1 :]


def _nearest(word: str) -> str:
    """The key word that `word` is a slip away from, or ""."""
    best, least = "", 9
    shortened = _shortened()
    seen: set[str] = set()
    for short in _less_one(word):
        for key in (*shortened.get(short, ()), *(shortened_key for two in _two_less(short) for shortened_key in shortened.get(two, ()))):
            if key not in seen:
                seen.add(key)
                slips = _slips(word, key)
                if slips <= (2 if len(key) >= _TWO_SLIPS else 1) and slips < least and _may_be(word, key):
                    best, least = key, slips
    return best


def _two_less(short: str) -> Iterator[str]:
    if len(short) >= _TWO_SLIPS - 2:
        for at in range(len(short)):
            yield short[:at] + short[at + 1 :]


def _may_be(word: str, key: str) -> bool:
    if len(key) > _SHORTEST_KEY:
        return word[0] == key[0] or sorted(word[:2]) == sorted(key[:2]) or word == key[1:]
    # of four letters: two changed places or one doubled, nothing else
    return len(key) == _SHORTEST_KEY and (
        sorted(word) == sorted(key) or (len(word) == len(key) + 1 and re.sub(r"(.)\1", r"\1", word) == re.sub(r"(.)\1", r"\1", key))
    )


def _slips(a: str, b: str) -> int:
    """Letters added, left out, changed or swapped between two words."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        now = [i]
        for j, other in enumerate(b, 1):
            cost = min(row[j] + 1, now[-1] + 1, row[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            now.append(cost)
        before, row = row, now
    return row[-1]


def _reported(said: str) -> str:
    """Without the clauses that ask about papers, counts and the past; what is left keeps its breaks."""
    if not _records.search(said):
        return _BREAK.sub(lambda m: " , " if m.group(0) == "," else " ! ", said + " ") if _BREAK.search(said) else said
    kept = [part for part in _BREAK.split(said) if not _records.search(part) or _present.search(part)]
    return " , ".join(part.strip() for part in kept)


def _found(said: str) -> Iterator[str]:
    """The dangers in a text that is already clear of peaceful uses."""
    spans: dict[str, list[tuple[int, int]]] = {}

    def of(kind: str) -> list[tuple[int, int]]:
        if kind not in spans:
            spans[kind] = [m.span() for m in _words[kind].finditer(said)]
        return spans[kind]

    for danger, kinds, gap in lexicon.RULES:
        first, second = of(kinds[0]), of(kinds[-1])
        if first if len(kinds) == 1 else any(_beside(a, b, gap, said) for b in second for a in first):
            yield danger
    for danger, pattern in _sentences:
        if pattern.search(said):
            yield danger


def _beside(a: tuple[int, int], b: tuple[int, int], gap: int, said: str) -> bool:
    first, second = (a, b) if a <= b else (b, a)
    apart = second[0] - first[1]
    return 0 <= apart <= gap and "~" not in said[first[1] : second[0]]


def _as_named(name: str, plant_words: Mapping[str, Sequence[str]]) -> str:
    for candidate in (name, *_SYNONYMS.get(name, ())):
        if candidate in plant_words:
            return candidate
    return name


@lru_cache(maxsize=1_000)
def _word(word: str) -> re.Pattern[str]:
    ending = r"(?:s|es|d|ed|ing)?" if word.isalpha() and len(word) > 3 else ""
    return re.compile(rf"\b{re.escape(word.lower())}{ending}\b")


def voted(found: tuple[str, ...], probability: float, plant_words: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """What the words found and, where they found nothing, what a classifier that is as good as certain adds.

    A classifier says that people are in danger, not how, so it adds the danger whose instruction is to call for help:
    injury. Of 242 peaceful uses of such words, 988 held-out phrasings and 920 questions none reaches this bar.
    """
    if found or probability < SURE_OF_DANGER or not plant_words:
        return found
    return (_as_named("injury", plant_words),)
