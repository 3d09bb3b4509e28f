"""What technicians' short texts say: abbreviations and typing slips read; the things, what is wrong with them and what
was done told apart; the component at fault told from those that were only checked.

`recognise` reads one text; `culprit` names the component that an entry blames, or "" when the text does not say. Both
read words, made to be counted over many entries that can each be opened, never a diagnosis. The words of the trade
stand in `retrieval/trade_words.py`; what one plant alone writes comes as a `shorthand` learned from its own log
(`retrieval/shorthand.py`). tests/test_wording.py; `andon evals logs` measures it on logs of others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from retrieval.trade_words import (
    ABBREVIATIONS,
    ACTIONS,
    COMPONENTS,
    CONDITIONS,
    IRREGULAR,
    MEDIA,
    NAMES,
    NO_THING,
    TWOFOLD,
)

_FAMILY = {noun: family for family, nouns in COMPONENTS.items() for noun in nouns}
_FAULT = frozenset(
    [
        "clogged",
        "blocked",
        "plugged",
        "choked",
        "dirty",
        "full",
        "sludge",
        "swarf",
        "chips",
        "gunk",
        "gunked",
        "fouled",
        "contaminated",
        "coated",
        "worn",
        "broken",
        "defective",
        "faulty",
        "failed",
        "failing",
        "dead",
        "stuck",
        "seized",
        "jammed",
        "leaking",
        "leak",
        "cracked",
        "loose",
        "burnt",
        "burned",
        "torn",
        "bent",
        "unserviceable",
        "weak",
        "noisy",
        "shot",
        "gone",
        "bad",
        "drifting",
        "misaligned",
        "saturated",
        "restricted",
        "bunged",
        "cavitating",
        "slipping",
        "damaged",
        "corroded",
        "scaled",
        "stiff",
        "tripped",
        "snapped",
        "split",
        "frayed",
    ]
)
_FIX = frozenset(
    [
        "replaced",
        "changed",
        "cleaned",
        "swapped",
        "renewed",
        "rebuilt",
        "flushed",
        "rinsed",
        "fitted",
        "installed",
        "exchanged",
        "washed",
        "new",
        "wiped",
        "blew",
        "blown",
        "tightened",
        "repaired",
        "overhauled",
        "reseated",
        "recalibrated",
        "calibrated",
        "realigned",
        "adjusted",
        "refitted",
        "regreased",
        "replace",
        "change",
        "clean",
        "swap",
        "rebuild",
        "flush",
        "wash",
        "wipe",
        "renew",
        "fit",
        "swapping",
        "replacing",
        "cleaning",
        "changing",
        "unblocked",
        "unclogged",
        "cleared",
    ]
)
_CLEARED = frozenset(
    ["ok", "okay", "fine", "good", "intact", "clear", "alright", "healthy", "normal", "working", "plausible", "innocent", "tight"]
)
_LOOKED = frozenset(["checked", "inspected", "measured", "tested", "looked", "check"])
_NEGATION = frozenset(["not", "no", "isn't", "isnt", "wasn't", "wasnt", "nothing", "without", "neither", "nor", "never"])
_CLAUSE = re.compile(r"[.;,!?\n()=]|->|=>|\bbut\b|\bthen\b|\bso\b|\binstead\b|\bturned out\b| - ")
_TOKEN = re.compile(r"[a-z][a-z'/]*[a-z/]|[a-z]")
#: "with clean filter": said of what was found in order, where "clean filter" alone is what was done.
_FOUND_CLEAN = re.compile(r"\bwith (?:a )?clean\b")


@dataclass(frozen=True)
class Mention:
    """One component in a text; `weight` is above zero where it is blamed or mended, below where it is cleared."""

    component: str
    weight: float


@lru_cache(maxsize=20_000)
def _word(token: str) -> str:
    """A token as its full, singular, correctly typed word where that is known."""
    token = ABBREVIATIONS.get(token, token)
    for known in (token, token.rstrip("s")):
        if known in _FAMILY:
            return known
    if len(token) >= 5 and token not in _FAULT and token not in _FIX:
        match = process.extractOne(token, _FAMILY, scorer=OSA.normalized_similarity, score_cutoff=0.8)
        if match is not None and len(match[2]) >= 4:
            return str(match[2])
    return token


def normalised(text: str) -> str:
    """The text in lower case with shorthand written out."""
    return re.sub(r"[a-z][a-z'/.]*", lambda match: ABBREVIATIONS.get(match.group(0).rstrip("."), match.group(0)), text.lower())


def mentions(text: str) -> tuple[Mention, ...]:
    """Every component named in the text, clause by clause."""
    found = []
    for clause in _CLAUSE.split(text.lower()):
        words = [_word(token) for token in _TOKEN.findall(clause)]
        bag = set(words)
        # Of nouns that stand together the last is the thing ("oil filter": a filter).
        named = list(
            dict.fromkeys(_FAMILY[w] for w, after in zip(words, [*words[1:], ""], strict=False) if w in _FAMILY and after not in _FAMILY)
        )
        weight = 0.2 if bag & _LOOKED else 0.5
        if bag & _FAULT:
            weight += 2.0
        if bag & _FIX:
            weight += 1.5
        negated = bool(bag & _NEGATION)
        if _FOUND_CLEAN.search(clause):
            weight = -1.0
        elif bag & _CLEARED and not (bag & _FAULT):
            weight = -2.0 if not bag & _FIX else weight
        if negated:
            weight = 1.0 if bag & _CLEARED else -2.0
        # In "filter full of chips, sensor wire ok" each clause speaks for itself; within one clause the first thing
        # weighs most.
        found += [Mention(component, weight / (1 + place)) for place, component in enumerate(named)]
    return tuple(found)


def culprit(text: str, among: Sequence[str] = ()) -> str:
    """The component that the text blames; with `among` (components published for the alarm) only one of those, named
    as it stands there. "" when the text does not say."""
    total: dict[str, float] = {}
    for mention in mentions(text):
        total[mention.component] = total.get(mention.component, 0.0) + mention.weight
    if among:
        by_family = {family: name for name in reversed(among) if (family := family_of(name))}
        total = {by_family[component]: weight for component, weight in total.items() if component in by_family}
    # Of equals the later one: a text tells first what was looked at and last what it was.
    best = max(reversed(total.items()), key=lambda item: item[1], default=("", 0.0))
    return best[0] if best[1] > 0.4 else ""


def family_of(name: str) -> str:
    """The component family that a name such as "coolant flow sensor" belongs to, by its last component noun."""
    words = [_word(token) for token in _TOKEN.findall(name.lower())]
    for word in reversed(words):
        if word in _FAMILY:
            return _FAMILY[word]
    return ""


# -- a whole text: things, what is wrong, what was done --------------------------------------------------------------


@dataclass(frozen=True)
class LogFacts:
    """What an entry is about, as far as its words say ("" where they do not). `full`: its text without abbreviations
    and typing errors; `component` the thing nearest to what was done or is wrong, `components` all that are named;
    `condition` and `action` are labels of `trade_words`, with all that the text holds beside them."""

    full: str
    component: str
    condition: str
    action: str
    components: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()

    @property
    def cause(self) -> str:
        """A label to count by: "filter clogged", "pump failed", "filter" when no condition is named."""
        return f"{self.component} {self.condition}".strip()

    @property
    def fix(self) -> str:
        """A label to count by: "replaced filter"; "" when the text does not say what was done to which thing of the
        trade. Words that are not known to name a thing ("swept the chips") are found, and not counted by."""
        return f"{self.action} {self.component}" if self.action not in ("", "inspected") and names_thing(self.component) else ""


def _forms(verb: str) -> set[str]:
    """A verb with its regular forms: replace, replaces, replaced, replacing."""
    stem = verb[:-1] if verb.endswith("e") else verb
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return {verb, f"{verb[:-1]}ies", f"{verb[:-1]}ied", f"{verb}ing"}
    double = stem + stem[-1] if len(verb) < 5 and re.fullmatch(r".*[^aeiou][aeiou][^aeiouwxy]", verb) else stem
    return {
        verb,
        f"{verb}es" if re.search(r"(?:s|sh|ch|x)$", verb) else f"{verb}s",
        f"{double}ed",
        f"{double}ing",
        f"{verb}d" if verb.endswith("e") else f"{stem}ed",
    }


_ACTION_OF = {form: (label, verb) for label, verbs in reversed(tuple(ACTIONS.items())) for verb in verbs for form in _forms(verb)}
_ACTION_OF |= {f"re{form}": said for form, said in _ACTION_OF.items() if said[1] not in ("set", "pair") and f"re{form}" not in _ACTION_OF}
_ACTION_OF |= {form: _ACTION_OF[verb] for form, verb in IRREGULAR.items() if verb}
for _form in (form for form, verb in IRREGULAR.items() if not verb):
    _ACTION_OF.pop(_form, None)
_CONDITION_OF = {word: label for label, words in CONDITIONS.items() for word in words}
_KNOWN_NAMES = {tuple(name.split()) for name in (*NAMES, *_FAMILY)}
_LONGEST_NAME = max(map(len, _KNOWN_NAMES))
_NEGATED = re.compile(r"\b(?:not|no|won't|wont|doesn't|doesnt|isn't|cannot|can't|never)\b\W+(?:\w+\W+){0,2}?(?:work|open|clos|start|run|"
                      r"turn|rotat|mov|respond|function|operat|switch|charg|lift|heat|cool|read|build|shut|stop|grip|feed|engag)\w*", re.I)  # fmt: skip
_VOCABULARY = sorted(
    {part for name in _KNOWN_NAMES for part in name if len(part) >= 5}
    | {word for word in (*_ACTION_OF, *_CONDITION_OF) if len(word) >= 5}
    | {"hydraulic", "electrical", "pressure", "temperature", "machine", "operator", "cleaning", "emergency", "proximity", "conditioner"}
)
_IS_WORD = frozenset(_VOCABULARY) | NO_THING
_SHORT_WORDS = frozenset({part for name in _KNOWN_NAMES for part in name} | {*_ACTION_OF, *_CONDITION_OF})
_PIECE = re.compile(r"<[a-z]+>|[A-Za-z]{1,6}-?\d[\w./:-]*|[A-Za-z]+(?:[/'.&-][A-Za-z]+)*/?|\d[\w./:-]*|[^\w\s]")
_PLAIN_WORD = re.compile(r"(?<![<\w])[a-z]+(?:[-'][a-z]+)*(?!>)")
_NOT = frozenset(("not", "no", "never", "cannot", "without"))
_BREAK = re.compile(r"[.,;:!?()=+&]|->|=>| - |\b(?:and|but|then|also)\b")


@lru_cache(maxsize=50_000)
def plain_word(word: str) -> str:
    """One word of a technician in full: an abbreviation resolved, a typing error of a known word mended."""
    low = word.lower().strip(".")
    if low in ABBREVIATIONS:
        return ABBREVIATIONS[low]
    if len(low) < 5 or not low.isalpha() or low in _IS_WORD or singular(low) in _IS_WORD:
        return low
    slips = 1 if len(low) < 9 else 2
    best = process.extractOne(low, _VOCABULARY, scorer=OSA.distance, score_cutoff=slips)
    # a first letter is hardly ever mistyped ("seat" is no misspelt "seal"), and a form of a known word is no error
    if best is None or best[0][0] != low[0] or low.startswith(best[0]) or best[0].startswith(low):
        return low
    # one letter for another makes one short word of another ("hitch", "hatch"); letters left out or swapped hardly do
    if len(low) < 7 and len(best[0]) == len(low) and sorted(best[0]) != sorted(low):
        return low
    return str(best[0])


def names_thing(component: str) -> bool:
    """Whether a component ends in a name that the trade knows; others were read from where they stand."""
    words = component.split()
    return any(tuple(words[-size:]) in _KNOWN_NAMES for size in range(1, min(len(words), _LONGEST_NAME) + 1)) and component not in MEDIA


def is_trade_word(word: str) -> bool:
    """Whether this is a word that maintenance texts are read by (a thing, a condition, an action), in any number."""
    return word in _IS_WORD or word in _SHORT_WORDS or singular(word) in _SHORT_WORDS


def singular(word: str) -> str:
    """A noun without its plural: bearings, hoses, switches, batteries, teeth."""
    if word in ("hydraulics", "chassis", "gas", "bus", "glass", "lens") or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return {"teeth": "tooth", "dies": "die", "knives": "knife"}.get(word, word)
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    return word[:-2] if re.search(r"(?:sh|ch|x|ss)es$", word) else word[:-1]


def in_full(text: str, shorthand: Mapping[str, str] | None = None) -> str:
    """The text in lower case with shorthand written out and typing errors of the trade's words mended."""
    own = shorthand or {}
    pieces = (part for piece in _PIECE.findall(text) for part in _parted(piece))
    words = (own.get(piece.lower(), "") or plain_word(piece) for piece in pieces)
    return re.sub(r"\s+([.,;:!?)])", r"\1", " ".join(words))


def _parted(piece: str) -> list[str]:
    """A word written in one with another by a hyphen or a stroke ("MAGNET-BROKEN") as two, where it is no word itself."""
    low = piece.lower()
    if not re.search(r"[a-z][-/][a-z]", low) or low in ABBREVIATIONS or low in _SHORT_WORDS or singular(low) in _SHORT_WORDS:
        return [piece]
    parts = re.split(r"([-/])", piece)
    whole = any(len(part) > 3 and is_trade_word(plain_word(part)) for part in parts)
    return [part if part not in "-/" else f"{part}" for part in parts] if whole else [piece]


def recognise(text: str, shorthand: Mapping[str, str] | None = None) -> LogFacts:
    """What a free text says. `shorthand`: words of this plant, by what they stand for."""
    if shorthand:
        return _recognised(in_full(text, shorthand))
    return _recognise_plain(text)


@lru_cache(maxsize=8192)
def _recognise_plain(text: str) -> LogFacts:
    return _recognised(in_full(text))


#: Sayings of several words as the one word that they are counted by.
_SAYINGS = tuple((re.compile(saying), word) for saying, word in (
    (r"\bover[- ]?(?:temp\w*|heat\w*)|\bhigh (?:\w+ ){0,2}temp\w*|\bruns? hot", "overheating"),
    (r"\bshut\w*[- ]?(?:down|off)\b|\bcut\w*[- ]out\b|\bwo?n't start\b", "shutdown"),
    (r"\b(?:fell|fallen|came|coming|comes|dropped) off\b|\bfell out\b", "fallen"),
    (r"\bjump[- ]start\w*", "jump-start"),
    (r"\bout of (?:date|adjustment|order|alignment|tolerance|round|balance|spec\w*)\b", "faulty"),
    (r"\bbroken? down\b|\bbroke down\b", "breakdown"),
    (r"\b(change|swap|blow|wash|clean|flush|top|set|check)(?:s|ed|d|ing)?[- ](?:out|over|up|off)\b", r"to \1"),
))  # fmt: skip


def _recognised(full: str) -> LogFacts:
    said = full
    for saying, word in _SAYINGS:
        said = saying.sub(word, said)
    return replace(_facts(said), full=full)


def _facts(full: str) -> LogFacts:
    things: list[tuple[int, str]] = []
    wrong: list[tuple[int, str]] = []
    done: list[tuple[int, str]] = []
    place = 0
    for clause in _BREAK.split(full):
        words = _PLAIN_WORD.findall(clause)
        kinds = [_kind(words, number) for number in range(len(words))]
        wrong += [(place + n, label) for n, (kind, label) in enumerate(kinds) if kind == "condition"]
        done += [(place + n, label) for n, (kind, label) in enumerate(kinds) if kind == "action"]
        things += [(place + n, name) for n, name in _things(words, [kind for kind, _ in kinds])]
        place += len(words) + 3  # what stands in another clause is further away
    if not wrong and _NEGATED.search(full):
        wrong = [(0, "failed")]
    # "checked pump, replaced filter": what was done last and is more than looking tells what it was
    deeds = [item for item in done if item[1] != "inspected"] or done
    near = deeds[-1][0] if deeds else wrong[0][0] if wrong else 0
    named = [item for item in things if item[1] not in MEDIA] or things
    component = min(named, key=lambda item: (abs(item[0] - near), item[0]))[1] if named else ""
    return LogFacts(
        full, component, wrong[0][1] if wrong else "", deeds[-1][1] if deeds else "",
        tuple(dict.fromkeys(name for _, name in things)), tuple(dict.fromkeys(label for _, label in wrong)),
        tuple(dict.fromkeys(label for _, label in done)),
    )  # fmt: skip


def _kind(words: Sequence[str], place: int) -> tuple[str, str]:
    """What a word is in its clause: an action or condition with its label, a thing, or nothing of these."""
    word = words[place]
    after = words[place + 1] if place + 1 < len(words) else ""
    if word in _CONDITION_OF and not (word in ("full", "short", "play") and after and after not in NO_THING):
        return "condition", _CONDITION_OF[word]
    if word in _ACTION_OF:
        label, verb = _ACTION_OF[word]
        if place > 0 and (words[place - 1] in _NOT or words[place - 1].endswith("n't")):
            return "condition", "failed"  # "not charging" is no charging
        noun = verb in TWOFOLD and word in (verb, f"{verb}s") and place > 0 and words[place - 1] not in ("to", "and", "please", "be", "re")
        return ("thing", "") if noun else ("action", label)
    return ("none", "") if word in NO_THING or len(word) < 2 or word.endswith("n't") else ("thing", "")


def _things(words: Sequence[str], kinds: Sequence[str]) -> list[tuple[int, str]]:
    """The things named in a clause, at the place of their last word: names that the trade knows, and of other words that
    stand together the last with the one before it."""
    found: list[tuple[int, str]] = []
    start = 0
    while start < len(words):
        if kinds[start] != "thing":
            start += 1
            continue
        end = start
        while end < len(words) and kinds[end] == "thing":
            end += 1
        found += _run(words[start:end], start)
        start = end
    return found


def _run(words: Sequence[str], start: int) -> list[tuple[int, str]]:
    ones = [singular(word) for word in words]
    found: list[tuple[int, str]] = []
    place = len(ones)
    while place > 0:
        size = next((n for n in range(min(_LONGEST_NAME, place), 0, -1) if tuple(ones[place - n : place]) in _KNOWN_NAMES), 0)
        if size:
            found.append((start + place - 1, " ".join(ones[place - size : place])))
        elif place == len(ones) and not ones[-1].endswith(("ed", "ing", "ly")):
            known = len(ones) > 1 and (ones[-2],) not in _KNOWN_NAMES
            found.append((start + place - 1, " ".join(ones[-2:] if known else ones[-1:])))
        place -= size or 1
    return found[::-1]
