"""What technicians' short texts say: abbreviations and typing slips read, the component at fault told from those that
were only checked.

`culprit` names the component that a log entry blames, or "" when the text does not say; it is a reading of words, made
to be counted over many entries that can each be opened, never a diagnosis. tests/test_wording.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

#: Shop-floor shorthand, by what stands for it. Two readings of one shorthand ("flt": filter, fault) are left out.
ABBREVIATIONS: Mapping[str, str] = {
    "fltr": "filter", "filt": "filter", "fiter": "filter", "pmp": "pump", "snsr": "sensor", "sens": "sensor", "sns": "sensor",
    "brg": "bearing", "brgs": "bearing", "bearng": "bearing", "mtr": "motor", "vlv": "valve", "cyl": "cylinder",
    "conn": "connector", "cbl": "cable", "sw": "switch", "prox": "sensor", "xducer": "sensor", "hyd": "hydraulic",
    "pneu": "pneumatic", "lub": "lubrication", "lube": "lubrication", "clnt": "coolant", "coolnt": "coolant",
    "repl": "replaced", "rplcd": "replaced", "replcd": "replaced", "rpl": "replaced", "chgd": "changed", "chngd": "changed",
    "chg": "changed", "clnd": "cleaned", "cln": "cleaned", "cleand": "cleaned", "chk": "checked", "chkd": "checked",
    "insp": "inspected", "adj": "adjusted", "adjstd": "adjusted", "tightnd": "tightened", "rst": "reset", "blkd": "blocked",
    "clgd": "clogged", "clogd": "clogged", "drty": "dirty", "brkn": "broken", "lkg": "leaking", "lk": "leak", "def": "defective",
    "dfct": "defective", "u/s": "unserviceable", "w/": "with", "w/o": "without", "swapd": "swapped", "inst": "installed",
    "instd": "installed", "ok'd": "ok", "o.k": "ok", "contam": "contaminated", "temp": "temperature", "amp": "amplifier",
}  # fmt: skip

#: Component nouns by the family under which entries are counted.
COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "filter": ("filter", "strainer", "sieve", "mesh", "cartridge", "screen", "basket"),
    "pump": ("pump", "impeller"),
    "sensor": ("sensor", "probe", "transmitter", "transducer", "photocell", "encoder", "detector", "meter", "flowmeter"),
    "switch": ("switch", "button"),
    "bearing": ("bearing",),
    "belt": ("belt",),
    "chain": ("chain",),
    "seal": ("seal", "gasket", "oring", "lip"),
    "hose": ("hose", "pipe", "tube", "fitting", "nipple"),
    "valve": ("valve", "solenoid"),
    "motor": ("motor", "winding", "servo"),
    "drive": ("drive", "inverter", "vfd", "amplifier", "contactor"),
    "cable": ("cable", "wire", "wiring", "harness", "connector", "plug", "terminal"),
    "nozzle": ("nozzle", "jet"),
    "gripper": ("gripper", "vacuum", "suction"),
    "cylinder": ("cylinder", "piston"),
    "spring": ("spring",),
    "gear": ("gear", "gearbox", "coupling"),
    "roller": ("roller", "pulley", "sprocket"),
    "fuse": ("fuse", "breaker"),
    "relay": ("relay",),
    "fan": ("fan", "blower"),
    "brake": ("brake", "clutch"),
    "battery": ("battery",),
    "heater": ("heater", "thermostat", "thermocouple"),
    "guide": ("guide", "rail", "ballscrew", "wiper"),
    "door": ("door", "guard", "interlock"),
    "light curtain": ("curtain",),
    "spindle": ("spindle", "drawbar"),
    "tool": ("tool", "insert", "cutter", "blade", "knife"),
    "lubrication": ("lubrication", "grease", "oil"),
}
_FAMILY = {noun: family for family, nouns in COMPONENTS.items() for noun in nouns}
_FAULT = frozenset(
    ["clogged", "blocked", "plugged", "choked", "dirty", "full", "sludge", "swarf", "chips", "gunk", "gunked", "fouled", "contaminated", "coated", "worn", "broken", "defective", "faulty", "failed", "failing", "dead", "stuck", "seized", "jammed", "leaking", "leak", "cracked", "loose", "burnt", "burned", "torn", "bent", "unserviceable", "weak", "noisy", "shot", "gone", "bad", "drifting", "misaligned", "saturated", "restricted", "bunged", "cavitating", "slipping", "damaged", "corroded", "scaled", "stiff", "tripped", "snapped", "split", "frayed"]
)
_FIX = frozenset(
    ["replaced", "changed", "cleaned", "swapped", "renewed", "rebuilt", "flushed", "rinsed", "fitted", "installed", "exchanged", "washed", "new", "wiped", "blew", "blown", "tightened", "repaired", "overhauled", "reseated", "recalibrated", "calibrated", "realigned", "adjusted", "refitted", "regreased", "replace", "change", "clean", "swap", "rebuild", "flush", "wash", "wipe", "renew", "fit", "swapping", "replacing", "cleaning", "changing", "unblocked", "unclogged", "cleared"]
)
_CLEARED = frozenset(["ok", "okay", "fine", "good", "intact", "clear", "alright", "healthy", "normal", "working", "plausible", "innocent", "tight"])
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
        named = list(dict.fromkeys(_FAMILY[w] for w, after in zip(words, [*words[1:], ""], strict=False) if w in _FAMILY and after not in _FAMILY))
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
