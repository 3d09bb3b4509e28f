"""Maintenance work orders and shift notes, in the words technicians use, become passages that can be found and counted.

Rows are given, no plant database is opened here. Each entry stays verbatim and is its own passage; beside it stands
the same text with abbreviations and typing errors resolved, and what it is about: component, condition, action. So
"top three causes with counts" is a count of entries that can be opened (`tests/test_logs.py`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from ingest.alarm_lists import is_code
from ingest.describe import UNREVISED, as_date
from ingest.readers.blocks import Block, Content, folded
from retrieval import identifiers
from retrieval.passages import Anchor, DocumentInfo, Passage

_FEWEST_ROWS = 5


@dataclass(frozen=True)
class LogRow:
    """One work order or note. `date` is ISO (a day or an instant), `parts` as written, `duration_min` in minutes."""

    id: str
    equipment: str
    date: str
    text: str
    author: str = ""
    alarm: str = ""
    closing: str = ""
    parts: str = ""
    duration_min: float | None = None


@dataclass(frozen=True)
class LogFacts:
    """What an entry is about, as far as its words say ("" where they do not). `full`: its text without abbreviations
    and typing errors."""

    full: str
    component: str
    condition: str
    action: str

    @property
    def cause(self) -> str:
        """A label to count by: "filter clogged", "pump failed", "filter" when no condition is named."""
        return f"{self.component} {self.condition}".strip()


_ABBREVIATIONS = {
    "l/h": "left hand", "lh": "left hand", "r/h": "right hand", "rh": "right hand", "u/s": "unserviceable",
    "c/o": "change out", "c/out": "change out", "chg": "change", "chgd": "changed", "chng": "change", "w/": "with",
    "w/o": "without", "cyl": "cylinder", "cyls": "cylinders", "hyd": "hydraulic", "hyds": "hydraulics",
    "brg": "bearing", "brgs": "bearings", "mtr": "motor", "mot": "motor", "eng": "engine", "repl": "replace",
    "rpl": "replace", "rplc": "replace", "rplcd": "replaced", "repld": "replaced", "rep": "repair", "repd": "repaired",
    "chk": "check", "chkd": "checked", "ck": "check", "insp": "inspect", "inspd": "inspected", "temp": "temperature",
    "temps": "temperatures", "pres": "pressure", "press": "pressure", "psr": "pressure", "flt": "fault", "sw": "switch",
    "snsr": "sensor", "sens": "sensor", "prox": "proximity sensor", "vlv": "valve", "fltr": "filter", "filt": "filter",
    "fil": "filter", "clnt": "coolant", "cool": "coolant", "lub": "lubrication", "lube": "lubrication", "elec": "electrical",
    "assy": "assembly", "adj": "adjust", "adjd": "adjusted", "comp": "compressor", "conv": "conveyor", "gbox": "gearbox",
    "g/box": "gearbox", "gb": "gearbox", "spdl": "spindle", "spndl": "spindle", "cab": "cabinet", "pnl": "panel",
    "intlk": "interlock", "e-stop": "emergency stop", "estop": "emergency stop", "mtce": "maintenance",
    "maint": "maintenance", "pm": "preventive maintenance", "brk": "brake", "brkn": "broken", "cnx": "connection",
    "conn": "connection", "conns": "connections", "cct": "circuit", "gnd": "ground", "pos": "position", "lvl": "level",
    "qty": "quantity", "reqd": "required", "req": "required", "o/haul": "overhaul", "oh": "overheating", "o/t": "overtemperature",
    "vib": "vibration", "noisey": "noisy", "sply": "supply", "pwr": "power", "volt": "voltage", "curr": "current",
    "btm": "bottom", "frt": "front", "rr": "rear", "r/r": "remove and replace", "a/c": "air conditioner",
    "aircon": "air conditioner", "wk": "week", "hr": "hour", "hrs": "hours", "min": "minute", "mins": "minutes",
    "op": "operator", "ops": "operators", "prob": "problem", "probs": "problems", "pls": "please", "nok": "not in order",
    "thru": "through", "xducer": "transducer", "enc": "encoder", "drv": "drive", "trans": "transmission",
}  # fmt: skip

_COMPONENTS = ("coolant filter", "oil filter", "air filter", "hydraulic pump", "coolant pump", "vacuum pump", "flow sensor", "flow switch", "pressure sensor", "pressure switch", "proximity sensor", "light curtain", "limit switch", "level sensor", "temperature sensor", "drive belt", "conveyor belt", "hydraulic hose", "hydraulic cylinder", "air conditioner", "control panel", "power supply", "suction cup", "spindle bearing", "ball screw", "emergency stop", "tool changer", "filter", "pump", "sensor", "switch", "valve", "motor", "bearing", "belt", "chain", "hose", "pipe", "cylinder", "seal", "gasket", "o-ring", "cable", "wire", "wiring", "connector", "connection", "plug", "relay", "contactor", "fuse", "breaker", "circuit", "encoder", "drive", "inverter", "controller", "plc", "gearbox", "gear", "coupling", "shaft", "spindle", "chuck", "tool", "gripper", "nozzle", "fan", "heater", "thermostat", "compressor", "cooler", "radiator", "tank", "reservoir", "brake", "clutch", "roller", "pulley", "guide", "rail", "slide", "screw", "bolt", "nut", "spring", "bracket", "frame", "door", "interlock", "guard", "window", "lamp", "light", "display", "screen", "panel", "button", "keyboard", "printer", "scanner", "camera", "robot", "actuator", "solenoid", "transducer", "accumulator", "regulator", "manifold", "fitting", "engine", "battery", "alternator", "starter", "bucket", "track", "boom", "tooth", "ladder", "turbo", "injector", "exhaust", "mirror", "seat", "horn", "wiper", "ram", "blade", "knife", "die", "mould", "electrode", "torch", "transformer", "coil", "card", "module", "network", "coolant", "oil", "grease", "hydraulics", "lubrication")  # fmt: skip
_BY_FIRST_WORD: dict[str, list[tuple[str, ...]]] = {}
for _name in _COMPONENTS:
    _BY_FIRST_WORD.setdefault(_name.split()[0], []).append(tuple(_name.split()))
_CONDITIONS: dict[str, tuple[str, ...]] = {
    "clogged": ("clogged", "blocked", "choked", "plugged", "dirty", "gunked", "gummed", "fouled", "sludged", "congested", "restricted", "blockage", "swarf"),
    "leaking": ("leaking", "leak", "leaks", "leaky", "leaked", "dripping", "weeping", "seeping", "leakage"),
    "worn": ("worn", "wear", "frayed", "thin", "play", "backlash", "perished"),
    "broken": ("broken", "broke", "cracked", "crack", "snapped", "sheared", "torn", "ripped", "burst", "bent", "damaged", "damage", "smashed", "missing"),
    "loose": ("loose", "slack", "wobbly", "undone"),
    "misaligned": ("misaligned", "misalignment", "off-track", "offtrack", "drifted", "shifted"),
    "overheated": ("overheating", "overheated", "hot", "burnt", "overtemperature"),
    "low": ("low", "empty", "insufficient"),
    "jammed": ("jammed", "stuck", "seized", "jam", "jamming", "sticking", "binding"),
    "noisy": ("noisy", "noise", "squeaking", "grinding", "rattling", "squealing", "vibration", "vibrating"),
    "failed": ("failed", "faulty", "dead", "unserviceable", "defective", "failure", "kaput", "broken-down", "inoperative", "fails", "failing", "shorted", "fault", "tripped", "tripping", "intermittent"),
}
_ACTIONS: dict[str, tuple[str, ...]] = {
    "replaced": ("replaced", "replace", "swapped", "swap", "changed", "change", "renewed", "renew", "exchanged", "fitted", "fit", "installed", "install", "change-out"),
    "cleaned": ("cleaned", "clean", "flushed", "flush", "cleared", "clear", "washed", "wash", "purged", "rinsed", "unclogged", "unblocked", "blew"),
    "repaired": ("repaired", "repair", "fixed", "fix", "welded", "weld", "rebuilt", "rebuild", "patched", "mended", "rewired"),
    "adjusted": ("adjusted", "adjust", "aligned", "align", "realigned", "tensioned", "calibrated", "calibrate", "recalibrated", "set"),
    "tightened": ("tightened", "tighten", "retightened", "torqued", "secured"),
    "lubricated": ("lubricated", "lubricate", "greased", "grease", "oiled"),
    "refilled": ("refilled", "refill", "topped", "top-up", "filled", "bled"),
    "reset": ("reset", "restarted", "rebooted", "rebooting", "restart", "power-cycled"),
    "inspected": ("inspected", "inspect", "checked", "check", "tested", "investigated", "monitored"),
}
_OF_WORD = {
    word: (kind, label)
    for kind, table in (("condition", _CONDITIONS), ("action", _ACTIONS))
    for label, words in table.items()
    for word in words
}
_NEGATED = re.compile(r"\b(?:not|no|won't|wont|doesn't|doesnt|isn't|cannot|can't|never)\b\W+(?:\w+\W+){0,2}?(?:work|open|clos|start|run|"
                      r"turn|rotat|mov|respond|function|operat|switch|charg|lift|heat|cool)\w*", re.I)  # fmt: skip
_VOCABULARY = sorted(
    {w for c in _COMPONENTS for w in c.split() if len(w) >= 5}
    | {w for w in _OF_WORD if len(w) >= 5}
    | {"coolant", "hydraulic", "electrical", "pressure", "temperature", "machine", "operator", "cleaning", "alignment", "emergency", "proximity"}
)
_WORD = re.compile(r"[A-Za-z]+(?:[/'-][A-Za-z]+)*/?|\d[\w./-]*|[^\w\s]")


@lru_cache(maxsize=20000)
def _plain(word: str) -> str:
    """One word of a technician in full: an abbreviation resolved, a typing error of a known word mended."""
    low = word.lower().strip(".")
    if low in _ABBREVIATIONS:
        return _ABBREVIATIONS[low]
    if len(low) < 5 or not low.isalpha() or low in _VOCABULARY or low in _OF_WORD:
        return low
    if low.endswith("s") and low[:-1] in _VOCABULARY:
        return low
    slips = 1 if len(low) < 8 else 2
    best = process.extractOne(low, _VOCABULARY, scorer=OSA.distance, score_cutoff=slips)
    # a first letter is hardly ever mistyped ("seat" is no misspelt "seal"), and a form of a known word is no error
    if best is None or best[0][0] != low[0] or low.startswith(best[0]) or best[0].startswith(low):
        return low
    return str(best[0])


@lru_cache(maxsize=4096)
def recognise(text: str) -> LogFacts:
    """What a free text says: full wording, component, condition, action. A component said to be the cause ("pump was
    fine, filter clogged") is the one nearest to the condition."""
    tokens = [t.group() for t in _WORD.finditer(text)]
    full = re.sub(r"\s+([.,;:!?)])", r"\1", " ".join(_plain(t) for t in tokens))
    words = re.findall(r"[a-z]+(?:[-'][a-z]+)*", full)
    conditions = [(i, _OF_WORD[w][1]) for i, w in enumerate(words) if _OF_WORD.get(w, ("", ""))[0] == "condition"]
    actions = [(i, _OF_WORD[w][1]) for i, w in enumerate(words) if _OF_WORD.get(w, ("", ""))[0] == "action"]
    components = _components(words)
    # "checked pump, replaced filter": what was done last and is more than looking tells what it was
    done = [a for a in actions if a[1] != "inspected"] or actions
    condition = conditions[0][1] if conditions else ("failed" if _NEGATED.search(full) else "")
    near = done[-1][0] if done else conditions[0][0] if conditions else 0
    component = min(components, key=lambda c: (abs(c[0] - near), c[0]))[1] if components else ""
    return LogFacts(full, component, condition, done[-1][1] if done else "")


def _components(words: Sequence[str]) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    taken: set[int] = set()
    singular = [w[:-1] if w.endswith("s") and not w.endswith("ss") and w != "hydraulics" else w for w in words]
    for i, word in enumerate(singular):
        for parts in _BY_FIRST_WORD.get(word, ()):  # names of two words before those of one
            if i not in taken and singular[i : i + len(parts)] == list(parts):
                taken |= set(range(i, i + len(parts)))
                found.append((i + len(parts) - 1, " ".join(parts)))
                break
    specific = [f for f in found if f[1] not in ("coolant", "oil", "grease", "hydraulics", "lubrication", "light", "tool")]
    return sorted(specific or found)


def facts_of(row: LogRow) -> LogFacts:
    """The facts of a row: what its closing text says counts before what was first reported."""
    first, last = recognise(row.text), recognise(row.closing) if row.closing else LogFacts("", "", "", "")
    named = last if last.component else first
    return LogFacts(
        f"{first.full} {last.full}".strip(), named.component, last.condition or first.condition, last.action or first.action
    )


def log_passages(rows: Iterable[LogRow], info: DocumentInfo) -> list[Passage]:
    """One passage an entry, of kind log, citing its id, author and date; `info` is the log as a document."""
    return [_passage(row, info) for row in rows if row.text.strip() or row.closing.strip()]


def _passage(row: LogRow, info: DocumentInfo) -> Passage:
    facts = facts_of(row)
    said = [f"{row.date[:10]} {row.equipment}".strip() + (f", alarm {row.alarm}" if row.alarm else "") + f": {row.text.strip()}"]
    if row.closing.strip():
        said.append(f"Closed: {row.closing.strip()}")
    if row.parts:
        said.append(f"Parts: {row.parts}")
    if row.duration_min is not None:
        said.append(f"Duration: {row.duration_min:g} min")
    verbatim = "\n".join(said)
    if _key(facts.full) not in _key(verbatim):
        said.append(f"In full: {facts.full}")
    text = "\n".join(said)
    codes = [row.id, *([row.alarm] if row.alarm else []), *(i.text for i in identifiers.find(row.text) if i.strong)]
    digest = hashlib.sha256(f"{row.id}|{text}".encode()).hexdigest()[:16]
    return Passage(
        id=f"{info.document}@{info.revision}#{digest}", text=text, kind="log", block="log",
        anchor=Anchor(info.document, info.revision, None, row.id), title=info.title,
        equipment=(row.equipment,) if row.equipment else (), identifiers=tuple(dict.fromkeys(c for c in codes if c)),
        author=row.author, date=row.date, access=info.access,
    )  # fmt: skip


def _key(text: str) -> str:
    return re.sub(r"\W+", " ", text).lower().strip()


def documents(rows: Sequence[LogRow], info: DocumentInfo) -> Iterator[tuple[DocumentInfo, list[Passage]]]:
    """A log as a document. Its passages keep their ids as it grows, so only its new entries are embedded."""
    digest = hashlib.sha256(repr(list(rows)).encode()).hexdigest()
    part = replace(info, kind="log", content_hash=digest, equipment=(), revision=info.revision or UNREVISED)
    yield part, log_passages(rows, part)


# -- logs that come as tables ----------------------------------------------------------------------------------------

_COLUMNS = (
    ("date", re.compile(r"\b(date|time|timestamp|started|created|opened|reported|day)\b|date$", re.I)),
    ("equipment", re.compile(r"\b(equipment|asset|machine|unit|tag|func(tional)? ?loc(ation)?|location)\b", re.I)),
    ("id", re.compile(r"\b(id|no|nr|number|order|work ?order|wo|ticket|job|notification)\b", re.I)),
    ("author", re.compile(r"\b(author|technician|by|person|operator|engineer|reporter|user)\b", re.I)),
    ("alarm", re.compile(r"\b(alarm|error|fault)( ?code)?\b", re.I)),
    ("closing", re.compile(r"\b(clos\w+|resolution|solution|action taken|work done|corrective\w*|remedy|findings?)\b", re.I)),
    ("text", re.compile(r"\b(text|description|short ?text|note|notes|comments?|remarks?|problem|symptom|entry|message|details?)\b", re.I)),
    ("parts", re.compile(r"\b(parts?|spares?|materials?)( used)?\b", re.I)),
    ("duration_min", re.compile(r"\b(duration|minutes|mins?|downtime)\b", re.I)),
)  # fmt: skip


def rows_of(content: Content) -> list[LogRow]:
    """The entries of a file that is a log: a table with a date, free text and a machine. [] when it is none."""
    tables = [b for b in content.blocks if b.kind == "table"]
    if len(tables) != 1 or len(tables[0].rows) < _FEWEST_ROWS:
        return []
    columns = _log_columns(tables[0])
    if not {"date", "text", "equipment"} <= columns.keys():
        return []
    return [_row(columns, cells, number) for number, cells in enumerate(tables[0].rows, start=1)]


def _log_columns(table: Block) -> dict[str, int]:
    columns: dict[str, int] = {}
    cells = [[row[i] for row in table.rows[:200] if i < len(row) and row[i]] for i in range(len(table.header))]
    names = [re.sub(r"[_\-.]+", " ", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", h)) for h in table.header]
    worded = [sum(len(c.split()) for c in column) / len(column) if column else 0.0 for column in cells]
    for name, pattern in _COLUMNS:
        fitting = [i for i, h in enumerate(names) if pattern.search(h) and cells[i] and i not in columns.values()]
        if name == "date":
            fitting = [i for i in fitting if sum(as_date(c) is not None for c in cells[i]) >= 0.8 * len(cells[i])]
        elif name == "text":
            loose = [i for i in range(len(names)) if i not in columns.values()]
            fitting = [i for i in fitting if worded[i] >= 2] or [i for i in loose if worded[i] >= 3]
            fitting.sort(key=lambda i: -len(cells[i]) * min(worded[i], 6.0))
        elif name == "closing":
            fitting = [i for i in fitting if worded[i] >= 2]
        elif name == "alarm":
            fitting = [i for i in fitting if sum(map(is_code, cells[i])) >= 0.8 * len(cells[i])]
        elif name == "equipment":
            fitting = [i for i in fitting if len(set(cells[i])) <= 0.5 * len(cells[i]) + 1]
        elif name == "id":
            fitting = [i for i in fitting if len(set(cells[i])) >= 0.95 * len(cells[i])]
        if fitting:
            columns[name] = fitting[0]
    return columns


def _row(columns: dict[str, int], cells: Sequence[str], number: int) -> LogRow:
    def cell(name: str) -> str:
        i = columns.get(name)
        return folded(cells[i]) if i is not None and i < len(cells) else ""

    duration = re.match(r"\d+(?:\.\d+)?", cell("duration_min"))
    day = as_date(cell("date"))
    return LogRow(
        id=cell("id") or str(number), equipment=cell("equipment"), date=day.isoformat() if day else cell("date"),
        text=cell("text"), author=cell("author"), alarm=cell("alarm"), closing=cell("closing"), parts=cell("parts"),
        duration_min=float(duration.group()) if duration else None,
    )  # fmt: skip
