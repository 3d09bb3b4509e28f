"""Arguments of the tools that look things up in documents, trace, plot, draft or ask for somebody.

Free wordings come from the router's spans; where it marked none, the question itself, without its opening and without
the machine, which is an argument of its own. tests/test_planning.py.
"""

from __future__ import annotations

import re
from typing import Any

from assistant.entities import HIERARCHY, bare_name, spoken_code
from assistant.scribe import CHOSEN, SECOND_TOOL, Draft, Missing, Scribe, listed, period_notes

# -- knowledge and action tools ------------------------------------------------------------------------------------------
_SPELLED = re.compile(
    r"\b(?:(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|hundred|double|triple)\b[ "
    r"-]?){2,}",
    re.IGNORECASE,
)
_CAPITALS = re.compile(r"\b(?!(?:OEE|NCR|CAPA|SOP|CNC|PLC|HMI|FPY|MTBF|MTTR)\b)[A-Z][A-Z0-9/-]{2,}(?: [A-Z0-9/-]+)*\b")
_CODE_LIKE = re.compile(
    r"\b\d+(?:[/-]\d+)+\b|" + r"\b(?=[A-Za-z0-9.-]*\d)(?:[A-Z]{1,6}[-. ]?\d[\w.-]*|\d{2,6}(?:[-.]\d+)?|[a-z]{1,4}-?\d{2,}[\w.-]*)\b|"
    r"[\"“']([^\"”']{3,60})[\"”']"
)


def alarms_drafts(scribe: Scribe) -> list[Draft]:
    codes = [str(p.value) for p in listed(scribe, scribe.get("code", "id"))]
    if not codes:
        codes = _codes_in(scribe)
    if not codes:
        words = scribe.phrase("symptom") or scribe.phrase("query") or scribe.phrase("text")
        if words:
            codes = [words]
    place = _equipment(scribe)
    if not codes:
        return [Draft("explain_alarm", place, missing=Missing("code", "Which alarm code or text does the machine show?"))]
    return [Draft("explain_alarm", {"code": code, **place}) for code in dict.fromkeys(codes)]


def _codes_in(scribe: Scribe) -> list[str]:
    """A code that nobody marked: a token with digits, digits spelled out, a quoted text, a text in capitals."""
    text = scribe.clause.text
    taken = [(p.start, p.end) for p in scribe.clause.placeholders if p.turn == 0 and not p.phrase]
    for pattern in (_CODE_LIKE, _SPELLED, _CAPITALS):
        for m in pattern.finditer(text):
            if not any(start < m.end() and m.start() < end for start, end in taken):
                return [spoken_code((m.group(1) if m.lastindex else None) or m.group(0))]
    return []


_POINTS_HERE = re.compile(r"\b(?:it|its|it's|this|here|my)\b", re.IGNORECASE)


def _equipment(scribe: Scribe) -> dict[str, Any]:
    """The machine of a knowledge or signal tool. A class, or a line that the plant does not know, is handed on as said;
    a known line is no machine and stays out."""
    found = scribe.one("equipment")
    here = scribe.question.equipment
    if found is None and here and _POINTS_HERE.search(scribe.clause.text) and not scribe.get(*HIERARCHY):
        found = here
    if found is None:
        others = [p for p in scribe.get("line", "equipment_class") if p.label == "equipment_class" or not p.known]
        found = bare_name(others[0].text) if others else None
    return {"equipment": found} if found is not None else {}


_OPENINGS = re.compile(
    r"^(?:(?:hi|hello|hey|ok|okay|please|pls|kindly|sorry|good morning|so|and|well|um|uh|er)[, ]+)*(?:can|could|"
    r"would|will)? ?(?:you|someone|somebody|anybody)? ?(?:please |kindly )?"
    r"(?:how (?:do|can|should|would|could|must) (?:i|we|you|one)(?: properly| correctly)?|how (?:is|are)|how to|"
    r"how|what(?:'s| is| are) the (?:steps?|procedure|instructions?|right way|correct way|sequence|process|best "
    r"way) (?:to|for|of|when)|(?:show|give|tell|send|bring|walk|guide|talk|take) (?:me|us) (?:through |how to |"
    r"the )*(?:(?:steps?|procedure|instructions?) (?:to|for|of) )?|"
    r"(?:steps?|procedure|instructions?|guide) (?:to|for|of|on)|i (?:need|want|have|would like|'d like) to(?: "
    r"know)?(?: how to)?|we need to|need to|explain (?:to me )?how to|teach me (?:how )?to|what do i do to|where "
    r"(?:is|are|do i find|can i find)|is there (?:a|any)(?:thing)?|what does the (?:manual|sop) say about|search "
    r"(?:for|the \w+ for)?|find|look up|look for|why (?:is|are|does|do|did)|what (?:is|are)|what's)\s+",
    re.IGNORECASE,
)


_STOP = frozenset(
    """
        show me the a an of for on at in to and is it its please can you could i we want need see plot chart graph trend
        draw display give get what was were how has have did does do against over time from with my our us up line curve
        too also now same again only just instead about it's history evolution development values value reading readings
        data check look this that since during as picture compare between
    """.split()
)


def residue(scribe: Scribe) -> str:
    """What is left of a clause without its marked spans and its ordinary words, when that is short enough to be a name."""
    text = scribe.clause.text
    for item in sorted((p for p in scribe.clause.placeholders if p.turn == 0), key=lambda p: -p.start):
        text = text[: item.start] + " , " + text[item.end :]
    pieces = [" ".join(w for w in re.findall(r"[\w%°.-]+", piece) if w.lower() not in _STOP) for piece in re.split(r"[,;:?!]", text)]
    best = max(pieces, key=len, default="")
    return best if 0 < len(best.split()) <= 5 else ""


def without_places(scribe: Scribe, text: str) -> str:
    """A clause without its machine and the preposition before it, where a subject is left; free wordings name the thing
    done or seen, and the machine is an argument of its own."""
    if text != scribe.clause.text:
        return text
    spans = [p for p in scribe.clause.placeholders if p.turn == 0 and p.label in ("equipment", "period") and not p.ambiguous]
    for item in sorted(spans, key=lambda p: -p.start):
        before, after = text[: item.start], text[item.end :]
        joined = re.sub(r"[,;]?\s*\b(?:on|at|of|for|in|from|the|to|by)(?:\s+the)?\s*$", "", before.rstrip(), flags=re.IGNORECASE)
        if joined != before.rstrip() or not after.strip(" ?.!,") or not before.strip():
            text = f"{joined} {after}"
    text = re.sub(
        r",? (?:step by step|please|pls|which sequence|in which order|what order|any ideas?|help|why|where "
        r"from)\b[ ?.!]*$",
        "",
        " ".join(text.split()),
        flags=re.IGNORECASE,
    )
    return " ".join(text.replace(" ,", ",").split()).strip(" ?.!,;:")


def _without_machine(scribe: Scribe, text: str) -> str:
    """A free wording without the machine at its end ("lockout of the case packer"): the machine is an argument of its own."""
    for item in (p for p in scribe.clause.placeholders if p.turn == 0 and p.label in ("equipment", "equipment_class")):
        at = re.search(rf",?\s+(?:on|at|of|for|in|from)\s+(?:the\s+|our\s+|my\s+|this\s+)?{re.escape(item.text)}\W*$", text, re.IGNORECASE)
        if at and len(text[: at.start()].split()) >= 1 and text[: at.start()].split()[-1].lower() not in _CARRIES_ON:
            text = text[: at.start()].rstrip(" ,;")
    return text


#: A wording does not end on these: what followed was more than a place.
_CARRIES_ON = frozenset("the a an of for to and or with inside out part side top end".split())

_ABOUT = re.compile(
    r"^.*\b(?:say|says|said|anything|something|find|info|information|documented|written|read|search\w*|look\w*|"
    r"instruction|bulletins?|note[sd]?)\b.{0,40}?\b(?:about|on|regarding|concerning|for)\s+(?=\S)",
    re.IGNORECASE,
)


def _after_about(text: str) -> str:
    stripped = _ABOUT.sub("", text, count=1)
    return stripped.strip(" ?.!") if len(stripped.split()) >= 1 and stripped != text else opening_removed(text)


_EFFECTS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(p, re.IGNORECASE)
    for p in (
        r"\b(?:link|relation\w*|correlation|connection|connexion|association|dependence) between (?:the )?(.+?) and\b",
        r"\bcorrelat\w+ (?:the )?(.+?) (?:with|against|to)\b",
        r"\b(?:does|do|is|are) (?:the )?(.+?) (?:depend\w*|related|linked|connected|correlated|caused|tied)\b",
        r"\b(?:goes? (?:along |together |hand in hand )?with|correlat\w* with|factors?(?: \w+)? (?:for|of|behind|"
        r"drive|driving|influenc\w+|caus\w+)|drives?|influences?|affects?|predicts?|predictors (?:for|of)|in "
        r"common with|coincides? with|(?:what|which \w+) causes?) (?:the )?(.+)$",
    )
)


def _effect_of(text: str) -> str:
    """The effect whose causes are asked about."""
    for pattern in _EFFECTS:
        m = pattern.search(text)
        if m:
            return m.group(1).strip(" ?.!,")
    return ""


_REQUESTED = re.compile(
    r"^(?:(?:please|pls|kindly|hi|hey|hello)[, ]+)*(?:(?:can|could|would|will) (?:you|someone|somebody|"
    r"anyone)(?: please)? (?:bring|send|get|fetch|order|call|tell|ask|come|organi[sz]e)(?: us| me)?|(?:call|get|"
    r"send|tell|ask|notify|inform|alert)(?: the)? (?:maintenance|quality|qa|logistics|warehouse|a \w+|someone|"
    r"somebody)(?: (?:that|to|over to|down to|about|for))?|"
    r"(?:we|i) (?:need|want|are (?:out of|running out of|low on))|raise (?:a |an )?(?:\w+ )?(?:request|ticket|"
    r"order)(?: (?:for|that|about))?|open (?:a |an )?(?:\w+ )?(?:request|ticket)(?: (?:for|that|about))?|order|"
    r"request|bring|send(?: us| me)?|put in (?:a |an )?(?:\w+ )?request(?: (?:for|that))?)[:,]?\s+",
    re.IGNORECASE,
)


def opening_removed(text: str) -> str:
    """A question without its polite opening and its question mark."""
    stripped = _OPENINGS.sub("", text.strip(), count=1).strip(" ?.!,")
    return stripped or text.strip(" ?.!,")


def procedure_drafts(scribe: Scribe) -> list[Draft]:
    task = scribe.phrase("task") or opening_removed(without_places(scribe, scribe.clause.text))
    # "clear alarm 502": the task without its code would be another task.
    lost = [item.text for item in scribe.get("code") if item.text.lower() not in task.lower()]
    if lost:
        task = f"{task} alarm {' '.join(lost)}" if "alarm" not in task.lower() else f"{task} {' '.join(lost)}"
    arguments: dict[str, Any] = {"task": _without_machine(scribe, task), **_equipment(scribe)}
    product, skill = scribe.one("product", "variant"), scribe.best("skill")
    if product is not None:
        arguments["product"] = product
    if skill != "none":
        arguments["skill"] = skill
    return [Draft("get_procedure", arguments)]


def diagnose_drafts(scribe: Scribe) -> list[Draft]:
    symptom = scribe.phrase("symptom") or scribe.phrase("outcome") or scribe.phrase("text") or without_places(scribe, scribe.clause.text)
    return [Draft("diagnose", {"symptom": symptom, **_equipment(scribe)})]


def search_drafts(scribe: Scribe) -> list[Draft]:
    query = scribe.phrase("query") or scribe.phrase("task") or _after_about(without_places(scribe, scribe.clause.text))
    arguments: dict[str, Any] = {"query": query, **_equipment(scribe)}
    kinds = list(scribe.reading.above("search_kind", CHOSEN))
    if kinds:
        arguments["kinds"] = kinds
    return [Draft("search_documents", arguments)]


_FORWARD = re.compile(
    r"\b(?:forwards?|downstream|where (?:did|has|have|is|are|was|were) .{0,30}(?:go|gone|went|end up|used|"
    r"shipped|delivered|sold)|(?<!what )(?<!that )(?<!which )went into|ended up in|shipped to|who (?:got|received)|"
    r"(?:everything|all) (?:built|made|produced) (?:with|from|out of)|containing)\b",
    re.IGNORECASE,
)
_BACKWARD = re.compile(
    r"\b(?:backwards?|upstream|back to|went in(?!to)|goes in(?!to)|(?:what|that|which)(?: all)? (?:went|goes|go) into|"
    r"(?<!built )(?<!everything )made (?:of|from|out of)|came from|come from|raw "
    r"materials?|ingredients?|components?|supplier lots?)\b",
    re.IGNORECASE,
)
_BOTH_WAYS = re.compile(
    r"\b(?:both (?:ways|directions|sides)|full (?:trace|genealogy|history)|everything about|complete (?:trace|"
    r"genealogy)|up and down(?:stream)?|upstream and downstream|forward and back\w*|back\w* and forward)\b",
    re.IGNORECASE,
)


def _direction(scribe: Scribe) -> str:
    """The way that the words say; the router's where they say none or contradict each other."""
    text = scribe.clause.text
    if _BOTH_WAYS.search(text):
        return "both"
    forward, backward = bool(_FORWARD.search(text)), bool(_BACKWARD.search(text))
    if forward != backward:
        return "forward" if forward else "backward"
    return scribe.best("direction")


def trace_drafts(scribe: Scribe) -> list[Draft]:
    drafts = []
    for label in ("serial", "lot", "order"):
        drafts += [Draft("trace_material", {label: p.value, "direction": _direction(scribe)}) for p in listed(scribe, scribe.get(label))]
    if drafts:
        return drafts[:1] if len({next(iter(d.arguments)) for d in drafts}) > 1 else drafts
    for p in scribe.get("id", "code", "product", "part"):
        if any(c.isdecimal() for c in str(p.value)):
            return [Draft("trace_material", {"lot": p.value, "direction": _direction(scribe)})]
    return [Draft("trace_material", {}, missing=Missing("lot", "Which lot, serial or order shall I trace?"))]


def signal_drafts(scribe: Scribe) -> list[Draft]:
    period, unresolved, _ = scribe.period()
    period = scribe.shift_as_period(period)
    rest: dict[str, Any] = {**_equipment(scribe), **({"period": period} if period else {})}
    signals = (
        list(dict.fromkeys(str(p.value) for p in listed(scribe, scribe.get("signal"))))
        or [s for s in (scribe.phrase("query"), scribe.phrase("symptom"), residue(scribe)) if s][:1]
    )
    if not signals:
        return [
            Draft(
                "signal_trend",
                rest,
                unresolved,
                missing=Missing("signal", "Which signal shall I show: temperature, vibration, pressure ...?"),
            )
        ]
    return [Draft("signal_trend", {"signal": s, **rest}, unresolved, period_notes(unresolved, period, scribe)) for s in signals]


def correlations_drafts(scribe: Scribe) -> list[Draft]:
    named = scribe.get("defect", "reason", "code")
    outcome = (
        scribe.phrase("outcome")
        or _effect_of(without_places(scribe, scribe.clause.text))
        or (named[0].text if named else "")
        or scribe.phrase("symptom")
        or opening_removed(scribe.clause.text)
    )
    period, unresolved, _ = scribe.period()
    period = scribe.shift_as_period(period)
    arguments: dict[str, Any] = {"outcome": outcome, **_equipment(scribe)}
    product = scribe.one("product", "variant")
    if product is not None:
        arguments["product"] = product
    if period:
        arguments["period"] = period
    return [Draft("find_correlations", arguments, unresolved, period_notes(unresolved, period, scribe))]


_TASK_KINDS = frozenset(("sop", "work_instruction", "troubleshooting_guide", "capa", "deviation"))
_SUBJECT = re.compile(
    r"\b(?:sop|instructions?|guide|procedure|document|capa|deviation|paper|sheet)\w*(?: \w+)?? (?:for|about|on|"
    r"of|covering|to|regarding)(?: the| our)? (?!it\b|this\b|them\b)(\D.{3,80})$",
    re.IGNORECASE,
)


def document_drafts(scribe: Scribe) -> list[Draft]:
    period, unresolved, said_shift = scribe.period()
    arguments: dict[str, Any] = {}
    for label in ("equipment", "line", "product", "variant", "lot"):
        value = scribe.one(label)
        if value is not None:
            arguments[label] = value
    if "equipment" not in arguments and "line" not in arguments:
        group = scribe.get("equipment_class")
        if group:
            arguments["equipment"] = group[0].text
    code, shift = scribe.one("code"), scribe.one("shift")
    task = scribe.phrase("task") or scribe.phrase("symptom")
    if (
        not task
        and code is None
        and "lot" not in arguments
        and scribe.best("kind") in _TASK_KINDS
        and (m := _SUBJECT.search(without_places(scribe, scribe.clause.text)))
    ):
        task = m.group(1).strip(" ?.!,")
    if code is not None:
        arguments["alarm"] = code
    if task:
        arguments["task"] = _without_machine(scribe, task) if "equipment" in arguments else task
    if period:
        arguments["period"] = period
    if shift or said_shift:
        arguments["shift"] = shift or said_shift
    if scribe.best("skill") != "none":
        arguments["skill"] = scribe.best("skill")
    kinds = [scribe.best("kind")]
    if scribe.best("calls") != "1" and scribe.reading.heads["kind"][1][1] >= SECOND_TOOL:
        kinds.append(scribe.reading.heads["kind"][1][0])
    return [Draft("draft_document", {"kind": kind, **arguments}, unresolved, period_notes(unresolved, period, scribe)) for kind in kinds]


def request_drafts(scribe: Scribe) -> list[Draft]:
    text = (
        scribe.phrase("text")
        or scribe.phrase("symptom")
        or scribe.phrase("task")
        or _REQUESTED.sub("", scribe.clause.text, count=1).strip(" ?.!,:")
    )
    return [Draft("raise_request", {"kind": scribe.best("request_kind"), **_equipment(scribe), "text": text})]


def sql_drafts(scribe: Scribe) -> list[Draft]:
    said = scribe.phrase("sql")
    if not re.match(r"\s*(?:select|with)\b", said or "", re.IGNORECASE) or (said or "").count("'") % 2:
        m = re.search(r"\b(?:select|with)\b.*", scribe.clause.text, re.IGNORECASE | re.DOTALL)
        said = m.group(0) if m else said
    if not said:
        return [Draft("run_sql", {}, missing=Missing("sql", "Which SQL statement shall I run?"))]
    return [Draft("run_sql", {"sql": said})]
