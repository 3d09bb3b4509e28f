"""Names as people say them, resolved to the plant's ids: machines, lines, classes, products, parts, people.

`Names` is built from the plant's vocabulary. `resolve` maps one spoken or typed name ("CNC two", "see en see 02",
"line too", "the palletiser", "L3") to an id, says which others it could have meant, and keeps what it does not know as
it was said. `find` is the gazetteer: known names in a question that nobody marked. Digits are never guessed: "CNC-04"
is not CNC-03 with a typo. tests/test_entities.py proves both on known, foreign and mangled names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz import fuzz, process

#: Kinds in the order in which a name that fits several is taken; the first five are the hierarchy.
KINDS = tuple(
    """
        equipment line area site equipment_class product variant part supplier customer certification reason defect signal
        alarm person shift
    """.split()
)
HIERARCHY = ("equipment", "line", "area", "site", "equipment_class")
#: Kinds whose names are ordinary words or numbers: never looked for in unmarked text.
_UNMARKED = (
    "equipment",
    "line",
    "area",
    "equipment_class",
    "product",
    "variant",
    "person",
    "supplier",
    "customer",
    "part",
    "signal",
)
_BY_WORDS = ("part", "certification", "supplier", "customer", "reason", "defect", "signal", "person", "equipment")
#: Words of such a name that only say what kind of thing it names ("forklift licence" for "Forklift driving").
_SAYS_THE_KIND: Mapping[str, frozenset[str]] = {
    "certification": frozenset(
        "licence license licences licenses certificate certification qualification permit ticket training course".split()
    ),
    "supplier": frozenset(("supplier", "company", "vendor")),
    "customer": frozenset(("customer", "client", "company")),
    "part": frozenset(("spare", "part", "parts", "spares")),
    "signal": frozenset(("signal", "sensor", "reading", "value")),
    "equipment": frozenset("bench station rig stand unit machine cell box post".split()),
}
CLOSE_NUMBERED = 84.0  # the same where a number in the name agrees ("roboter 2")
CLOSE = 87.0  # least similarity of letters, of 100, with the digits equal
ALTERNATIVES = 3

HERE = re.compile(
    r"(?:(?:on|at|in|for|of|from) )?(?:this|that|the|our|my|me)? ?(?:(?:very |same )?(?:machine|equipment|unit|"
    r"station|one|thing|asset|tool|cell|robot|press) ?(?:here|in front of me|i'?m (?:at|on)|of mine)?|here|it|"
    r"this|mine|in front of me)",
    re.IGNORECASE,
)
_REALLY_HERE = re.compile(
    r"\b(?:this|here|it|mine|my|that|me)\b|^the (?:machine|equipment|unit|station)$|^(?:machine|equipment|same "
    r"machine)$",
    re.IGNORECASE,
)

_ONES = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty
""".split()
_HOMOPHONES = {
    "too": "2",
    "to": "2",
    "tu": "2",
    "for": "4",
    "fore": "4",
    "won": "1",
    "ate": "8",
    "free": "3",
    "tree": "3",
    "sex": "6",
    "oh": "0",
}
_LETTERS = {
    spoken: letter
    for letter, words in {
        "a": "ay",
        "b": "bee be",
        "c": "see sea cee",
        "d": "dee",
        "e": "ee",
        "f": "eff ef",
        "g": "gee",
        "h": "aitch",
        "i": "eye",
        "j": "jay",
        "k": "kay",
        "l": "el ell",
        "m": "em",
        "n": "en",
        "p": "pee pea",
        "q": "cue queue",
        "r": "are ar",
        "s": "ess es",
        "t": "tee tea",
        "u": "you",
        "v": "vee",
        "x": "ex",
        "y": "why",
        "z": "zee zed",
        "w": "double-u",
    }.items()
    for spoken in words.split()
}
_NATO = {
    word: word[0]
    for word in """
        alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa quebec romeo
        sierra tango uniform victor whiskey xray yankee zulu
    """.split()
}
_FILLERS = frozenset(
    """
        the a an our my your this that these those machine machines number no nr no. unit station on at in of for
        equipment asset # please both all
    """.split()
)
_ARTICLES = re.compile(r"^(?:the|our|my|your|a|an|this|that|these|those|any|both|all|every|each|whole|entire)\s+(?=\S)", re.IGNORECASE)


@dataclass(frozen=True)
class Resolved:
    """What a name means. `value` is an id when `known`, else the name as said; `alternatives` are the nearest real
    names (of an unknown or ambiguous one) as the plant writes them; `kind` is what it turned out to be."""

    said: str
    kind: str
    value: str
    known: bool
    alternatives: tuple[str, ...] = ()
    ambiguous: bool = False


@dataclass(frozen=True)
class Named:
    """A known name at `text[start:end]`."""

    kind: str
    value: str
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Names:
    """The plant's names, by kind. `vocabulary(kind)` maps lower-case words to ids; `shown(kind, id)` is how people
    read it. Make a new one when the vocabulary changes; the squashed keys are kept."""

    vocabulary: Callable[[str], Mapping[str, str]]
    shown: Callable[[str, str], str]
    members: Mapping[str, Sequence[str]]  # equipment class -> its machines

    @cached_property
    def keys(self) -> Mapping[str, Mapping[str, frozenset[str]]]:
        """Kind -> squashed word -> ids."""
        found: dict[str, Mapping[str, frozenset[str]]] = {}
        for kind in KINDS:
            keys: dict[str, set[str]] = {}
            for word, id in self.vocabulary(kind).items():
                for form in {squash(word), squash(_ARTICLES.sub("", word)), _singular(squash(word))}:
                    if form:
                        keys.setdefault(form, set()).add(id)
            if kind in ("equipment", "line"):
                _add_short_forms(keys, self.vocabulary(kind))
            found[kind] = {key: frozenset(ids) for key, ids in keys.items()}
        return found

    def exact(self, said: str, kinds: Sequence[str]) -> tuple[str, frozenset[str]] | None:
        """The first kind that has this name, and the ids it stands for."""
        forms = list(spellings(said))
        for kind in kinds:
            keys = self.keys.get(kind, {})
            for form in forms:
                if form in keys:
                    return kind, keys[form]
        return None

    def resolve(self, said: str, kind: str) -> Resolved:
        """One name of the kind that its wording suggests; another kind of the hierarchy when only that has it."""
        said = said.strip(" .,;:!?\"'()")
        kinds = (kind, *(k for k in _neighbours(kind) if k != kind))
        hit = self.exact(said, kinds)
        if hit is None and re.search(r"[’']s$", said):
            hit = self.exact(said[:-2], kinds)
        if hit is not None:
            found, ids = hit
            if len(ids) > 1 and found == "equipment" and _plural(said):
                group = self.exact(said, ("equipment_class",))
                if group and len(group[1]) == 1:
                    return Resolved(said, "equipment_class", next(iter(group[1])), True)
            if len(ids) == 1:
                return self._sole(Resolved(said, found, next(iter(ids)), True), kind)
            return self._several(said, found, ids)
        near = self._near(said, kinds)
        if near is not None:
            return self._sole(near, kind)
        part = self._by_words(said, kind)
        if part is not None:
            return part
        return Resolved(said, kind, bare_name(said), False, self.nearest(said, kinds))

    def _sole(self, found: Resolved, kind: str) -> Resolved:
        """A class of one machine, named in the singular, is that machine."""
        machines = self.members.get(found.value, ()) if found.kind == "equipment_class" and kind == "equipment" else ()
        if len(machines) == 1 and not _plural(found.said):
            return Resolved(found.said, "equipment", machines[0], True)
        return found

    def _several(self, said: str, kind: str, ids: Iterable[str]) -> Resolved:
        shown = tuple(sorted(self.shown(kind, id) for id in ids))
        return Resolved(said, kind, bare_name(said), False, shown[:ALTERNATIVES], ambiguous=True)

    def _near(self, said: str, kinds: Sequence[str]) -> Resolved | None:
        """A typing or hearing slip: letters alike, digits equal, and clearly one name."""
        best: tuple[float, str, frozenset[str]] | None = None
        for form in spellings(said):
            letters = re.sub(r"\d", "", form)
            if len(letters) < (3 if letters != form else 4):  # "lin 2", but no word of three letters
                continue
            digits = re.findall(r"\d+", form)
            for kind in kinds:
                for key, ids in self.keys.get(kind, {}).items():
                    if re.findall(r"\d+", key) != digits or len(re.sub(r"\d", "", key)) < 4:
                        continue
                    score = fuzz.ratio(form, key)
                    if score >= (CLOSE_NUMBERED if digits else CLOSE) and (best is None or score > best[0]):
                        best = (score, kind, ids)
        if best is None or len(best[2]) != 1:
            return None
        return Resolved(said, best[1], next(iter(best[2])), True)

    def _by_words(self, said: str, kind: str) -> Resolved | None:
        """A name said by some of its words ("coolant filter" for "Coolant filter element 25 µm"), where few have them."""
        if kind not in _BY_WORDS:
            return None
        small = _FILLERS | _SAYS_THE_KIND.get(kind, frozenset())
        wanted = {_singular(w) for w in re.findall(r"[a-zäöüß]{3,}|\d+", said.lower()) if w not in small}
        if not wanted:
            return None
        found: dict[str, None] = {}
        for word, id in self.vocabulary(kind).items():
            if wanted <= {_singular(w) for w in re.findall(r"[a-zäöüß]{3,}|\d+", word.replace("_", " "))}:
                found[id] = None
        if len(found) == 1:
            return Resolved(said, kind, next(iter(found)), True)
        if found and kind == "person":
            return self._several(said, kind, found)
        return None

    def nearest(self, said: str, kinds: Sequence[str]) -> tuple[str, ...]:
        """The real names most like an unknown one, for "did you mean"."""
        words = {
            word: (kind, id)
            for kind in kinds
            for word, id in self.vocabulary(kind).items()
            if kind == kinds[0] or kind in ("equipment", "line", "area")
        }
        ranked = process.extract(bare_name(said).lower(), list(words), scorer=fuzz.WRatio, limit=8, score_cutoff=60.0)
        return tuple(dict.fromkeys(self.shown(*words[word]) for word, _, _ in ranked))[:ALTERNATIVES]

    def find(self, text: str) -> tuple[Named, ...]:
        """Known names in unmarked text, longest first at each place. Only what cannot be an ordinary word."""
        words = [(m.start(), m.end()) for m in re.finditer(r"[\w&+./-]+(?:'s)?", text)]
        found: list[Named] = []
        i = 0
        while i < len(words):
            step = 1
            for j in range(min(len(words), i + 5) - 1, i - 1, -1):
                start, end = words[i][0], words[j][1]
                piece = text[start:end].rstrip("./")
                hit = self._certain(piece, text[:start], text[start + len(piece) :])
                if hit:
                    found.append(Named(hit[0], hit[1], start, start + len(piece), piece))
                    step = j - i + 1
                    break
            i += step
        return tuple(found)

    def _certain(self, piece: str, before: str, after: str) -> tuple[str, str] | None:
        lowered = piece.lower().removesuffix("'s")
        if not any(c.isalnum() for c in lowered):
            return None
        first = lowered.split()[0]
        if first in _FILLERS or lowered.split()[-1] in _FILLERS - {"machine", "machines"} or lowered.isdecimal():
            return None
        hit = self.exact(lowered, _UNMARKED)
        if hit is None:
            return None
        kind, ids = hit
        if kind in ("equipment", "equipment_class") and _plural(lowered):
            group = self.exact(lowered, ("equipment_class",))
            return (group[0], next(iter(group[1]))) if group and len(group[1]) == 1 else None
        if len(ids) != 1:
            ours = (
                kind == "equipment"
                and re.search(r"\b(?:the|our|this|that)\s+$", before.lower())
                and len(lowered) >= 3
                and _AFTER_NAME.match(after)
            )
            return (kind, lowered) if ours else None  # "the robot": marked, so that somebody asks which
        if not any(re.search(r"\d", form) for form in spellings(lowered)) and kind in (
            "equipment",
            "line",
            "area",
            "equipment_class",
            "part",
            "signal",
        ):
            # A plain word is a name only where the sentence treats it as one: "the press", not "press release".
            if not re.search(r"\b(?:the|our|this|that|on|at|for|of|in|from|by|with)\s+$", before.lower()) or len(lowered) < 4:
                return None
            if not _AFTER_NAME.match(after):
                return None  # "the press brake", "the robot cell" are other things
            alone = kind == "equipment_class" and len(self.members.get(next(iter(ids)), ())) == 1
            if kind in ("part", "signal", "equipment_class") and len(lowered.split()) < 2 and not alone:
                return None
            if alone:
                return "equipment", self.members[next(iter(ids))][0]  # "the washer", where there is one
        return kind, next(iter(ids))


#: What may follow a name that is a plain word: the end, a full stop, or a word that begins something else.
_AFTER_NAME = re.compile(
    r"(?:'s)?\s*(?:$|[.,;:?!)]|(?:is|are|was|were|has|have|had|does|do|did|will|won'?t|can|can'?t|isn'?t|"
    r"doesn'?t|keeps?|makes?|stops?|stopped|shows?|runs?|in|on|at|for|from|to|by|since|with|without|and|or|vs|"
    r"versus|"
    r"today|yesterday|tonight|tomorrow|this|last|next|past|during|over|per|again|please|now|when|while|because|"
    r"after|before|between|oee|downtime|scrap|alarms?|orders?|stops|availability|performance|went|goes|got|"
    r"gives?|smells?|sounds?|leaks?|vibrat\w+)\b)",
    re.IGNORECASE,
)


def _plural(said: str) -> bool:
    words = re.findall(r"[a-z]+", said.lower())
    return bool(words) and (
        (words[-1].endswith("s") and not words[-1].endswith("ss")) or words[0] in ("all", "both", "every", "each", "any")
    )


def _neighbours(kind: str) -> tuple[str, ...]:
    if kind in HIERARCHY or kind in ("id", "shift"):
        return (*HIERARCHY, "product")
    if kind in ("product", "variant", "lot"):
        return ("product", "variant", "equipment", "line", "part")
    if kind in ("part", "supplier", "customer"):
        return (kind, "supplier", "customer", "part")
    if kind in ("reason", "defect"):
        return ("reason", "defect") if kind == "reason" else ("defect", "reason")
    return ()


def _add_short_forms(keys: dict[str, set[str]], vocabulary: Mapping[str, str]) -> None:
    """Initials with the number ("L3" for Line 3), and the name without its number where that is enough to tell."""
    for word, id in list(vocabulary.items()):
        form = squash(word)
        parts = re.fullmatch(r"([a-z]{3,})(\d+)", form)
        if parts:
            keys.setdefault(parts.group(1)[0] + parts.group(2), set()).add(id)
    bases: dict[str, set[str]] = {}
    for word, id in vocabulary.items():
        base = re.sub(r"\d+$", "", squash(word))
        if len(base) >= 3:
            bases.setdefault(base, set()).add(id)
    for base, ids in bases.items():
        keys.setdefault(base, set()).update(ids)
    for key in [k for k in keys if re.fullmatch(r"[a-z]\d+", k) and len(keys[k]) > 1]:
        del keys[key]  # "C1" for two things is no name


def squash(text: str) -> str:
    """A name without what people leave out or change: case, separators, leading zeros, spelled numbers."""
    said = _TENS_SAID.sub(_two_digits, _HUNDREDS_SAID.sub(_in_hundreds, text.lower()))
    words = re.findall(r"[a-z]+|\d+|[^\W\d_]+", said.replace("’", "'").replace("'s", ""))
    out = []
    for word in words:
        if word in _ONES:
            word = str(_ONES.index(word))
        out.append(str(int(word)) if word.isdecimal() else word)
    return re.sub(r"(?<!\d)0+(?=\d)", "", "".join(out))  # "zero two" is 2


def _singular(form: str) -> str:
    return form[:-2] if form.endswith(("sses", "shes", "ches")) else form[:-1] if form.endswith("s") and not form.endswith("ss") else form


def spellings(said: str) -> Iterable[str]:
    """The squashed forms that a name as said may stand for: as it is, without fillers, with letters and numbers as the
    ear spells them ("see en see too" -> cnc2)."""
    seen: dict[str, None] = {}
    lowered = said.lower().replace("’", "'")
    words = re.findall(r"[\w'-]+", lowered)
    content = [w for w in words if w not in _FILLERS]
    for chosen in (words, content):
        if not chosen:
            continue
        joined = " ".join(chosen)
        seen[squash(joined)] = None
        seen[_singular(squash(joined))] = None
        spoken = [_LETTERS.get(w, _NATO.get(w, w)) for w in chosen]
        if len(chosen) > 1 and chosen[-1] in _HOMOPHONES:
            seen[squash(" ".join([*chosen[:-1], _HOMOPHONES[chosen[-1]]]))] = None
            spoken[-1] = _HOMOPHONES[chosen[-1]]
        if sum(1 for w in chosen if w in _LETTERS or w in _NATO or len(w) == 1) >= 2:
            seen[squash(" ".join(spoken))] = None
        if len(chosen) > 2 and chosen[0] in ("number", "no"):
            seen[squash(" ".join([*chosen[2:], chosen[1]]))] = None
    if len(content) == 2 and words[-2:] == content and (content[0].isdecimal() or content[0] in _ONES):
        seen[squash(f"{content[1]} {content[0]}")] = None  # "number two compressor"
    ordinal = re.fullmatch(r"(?:the )?(first|second|third|fourth|fifth|sixth|\d+(?:st|nd|rd|th)) (\w+)", lowered)
    if ordinal:
        order = ordinal.group(1)
        number = (
            str(["first", "second", "third", "fourth", "fifth", "sixth"].index(order) + 1) if order.isalpha() else re.sub(r"\D", "", order)
        )
        seen[squash(f"{ordinal.group(2)} {number}")] = None
    return [form for form in seen if form]


def bare_name(said: str) -> str:
    """A name kept as said, without article, possessive and the punctuation around it."""
    text = said.strip(" .,;:!?\"'()“”")
    text = re.sub(r"[’']s$", "", text)
    before = None
    while before != text:
        before, text = text, _ARTICLES.sub("", text)
    return text


_PREFIXES: Mapping[str, str] = {
    "lot": r"(?:lots?|batch(?:es)?|charge|heat|lot ?no|batch ?no)", "order":
        r"(?:production |work |customer |sales |maintenance |manufacturing )?(?:orders?|job|wo|po|mo|order ?no)",
    "serial": r"(?:serials?|serial ?no|s/?n|sn)", "alarm":
        r"(?:alarms?|alarm code|codes?|error|error code|err|fault|fault code|message|msg|warning|alert|event)",
    "id": r"(?:work order|order|ncrs?|ncs?|capas?|wo|report|ticket|record|document|sop)", "code":
        r"(?:alarms?|alarm code|codes?|error|error code|fault|fault code|message|msg|warning|alert|event|alarm no)",
    "product": r"(?:products?|article|item|sku|part number|material)", "variant": r"(?:variants?|version)", "part":
        r"(?:part|spare part|part number|item)",
        "supplier":
        r"(?:suppliers?|vendor)",
        "customer":
        r"(?:customers?)",
    "severity": r"(?:severity|sev|class|level)", "priority": r"(?:priority|prio)",
}  # fmt: skip


def bare_code(said: str, kind: str) -> str:
    """A number or code without the word for what it is: "lot 88213" -> "88213", "alarm code 502" -> "502"."""
    text = bare_name(said)
    prefix = _PREFIXES.get(kind)
    if prefix:
        stripped = re.sub(rf"^{prefix}(?: (?:no\.?|nr\.?|number|code|#))?[ :#.]+(?=\S*[\d\"'A-Z])", "", text, flags=re.IGNORECASE)
        text = stripped or text
    text = text.strip(" #\"'")
    if kind in ("lot", "order", "serial", "code", "alarm", "id"):
        text = spoken_code(text)
    return text


_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_TENS_SAID = re.compile(rf"\b({'|'.join(_TENS)})(?:[ -](one|two|three|four|five|six|seven|eight|nine))?\b")


_HUNDREDS_SAID = re.compile(r"\b(one|two|three|four|five|six|seven|eight|nine) (hundred|thousand)\b")


def _in_hundreds(m: re.Match[str]) -> str:
    return str(_ONES.index(m.group(1)) * (100 if m.group(2) == "hundred" else 1000))


def _two_digits(m: re.Match[str]) -> str:
    return str(10 * (_TENS.index(m.group(1)) + 2) + (_ONES.index(m.group(2)) if m.group(2) else 0))


def spoken_code(text: str) -> str:
    """ "five oh two" -> "502", "ten forty three" -> "1043", "c as in charlie one seven" -> "c17"; anything not wholly
    spelled out stays as said."""
    cleaned = _TENS_SAID.sub(_two_digits, re.sub(r"\b(\w) as in \w+", r"\1", text.lower()))
    words = re.findall(r"[a-z]+|\d+", cleaned)
    spelled = bool(_TENS_SAID.search(text.lower()))
    if (len(words) < 2 and not spelled) or not all(
        w in _ONES
        or w in _HOMOPHONES
        or w.isdecimal()
        or w in ("hundred", "double", "triple", "dash", "hyphen", "thousand")
        or len(w) == 1
        or w in _NATO
        for w in words
    ):
        return text
    if not any(w in _ONES or w in _HOMOPHONES or w in _NATO for w in words) and not spelled:
        return text
    out = ""
    times = 1
    for position, word in enumerate(words):
        if word in ("double", "triple"):
            times = 2 if word == "double" else 3
            continue
        if word in ("hundred", "thousand"):
            rest = words[position + 1 :]
            zeros = 2 if word == "hundred" else 3
            tail = "".join(str(_ONES.index(w)) if w in _ONES else w for w in rest if w != "and")
            return out + tail.zfill(zeros) if tail.isdecimal() or not tail else text
        piece = (
            "-"
            if word in ("dash", "hyphen")
            else str(_ONES.index(word))
            if word in _ONES
            else _HOMOPHONES.get(word) or _NATO.get(word) or word
        )
        out += piece * times
        times = 1
    return out.upper() if any(c.isalpha() for c in out) and text.isupper() else out


def is_here(said: str) -> bool:
    """Whether words mean the machine in front of the person: "this machine", "it", "here"."""
    text = said.strip(" .,;:!?\"'").lower()
    return bool(HERE.fullmatch(text)) and bool(_REALLY_HERE.search(text))
