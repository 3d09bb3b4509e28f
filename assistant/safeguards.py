"""Requests to defeat a safeguard, to falsify a record, or to judge people: told by words, before any model is asked.

`defeats_safeguard` is true for a request to bypass, mute, bridge or fool what protects people, in whatever order the
words come, and false for testing, cleaning, replacing or explaining the same device. `judges_people` finds comparing
and ranking of persons. The router's class adds to both. tests/test_safeguards.py holds the lists.
"""

from __future__ import annotations

import re

_SAFEGUARD = (
    r"(?:light[- ]?(?:curtain|grid|barrier|beam|fence)s?|like curtain|safety (?:\w+ )?(?:gates?|doors?|"
    r"switch(?:es)?|relays?|circuits?|interlocks?|mats?|scanners?|plc|controllers?|edges?|curtains?|loops?|"
    r"chains?|guards?|"
    r"limit\w*|sensors?|valves?|systems?|functions?|fences?|devices?|stops?|cover\w*|light|beam|eye)|interlocks?|"
    r"interlocking|guard(?:s|ing)?(?: doors?| switch\w*| rails?)?|guard\w*|e-?stops?|emergency[- ]?(?:stops?|off|"
    r"button)s?|two[- ]?hand(?:ed)?(?: \w+)?|"
    r"(?:door|gate|hatch|cover|lid|fence|hood) (?:switch\w*|lock\w*|contact\w*|sensor\w*|interlock\w*)|dead[- "
    r"]?man(?:'s)?(?: \w+)?|enabling (?:switch|device)|muting (?:sensor|lamp)s?|laser scanner|area scanner|"
    r"pressure (?:relief|safety) valves?|relief valves?|"
    r"lock ?out(?:[- /]?tag ?out)?|loto|fence gate|burner (?:lockout|management|safety)|flame (?:detector|"
    r"monitor|guard)\w*|overload (?:protection|relay)\w*|protective (?:cover|hood|field|stop|device|door|"
    r"guard)s?|"
    r"over-?speed (?:trip|protection)|high[- ]?(?:level|limit|pressure|temp\w*) (?:trip|switch|cut ?out|alarm)s?|"
    r"gas (?:detector|sensor|alarm)s?|smoke (?:detector|alarm|head)s?|fire (?:alarm|detector|suppression)s?|"
    r"speed limit(?:er)?|safe(?:ty|ties)?)"
)
_DEFEAT = (
    r"(?:by-?pass\w*|bi-?pass\w*|overrid\w*|over-?rule\w*|defeat\w*|disabl\w*|deactivat\w*|de-?activat\w*|"
    r"circumvent\w*|jumper\w*|bridg(?:e|ed|ing)\b|short(?:ing)? (?:out|the)|mute\b|muting|muted|fool\w*|trick\w*|"
    r"cheat\w*|tape(?:d)? (?:down|over|up)|"
    r"wedg(?:e|ed|ing)|tie(?:d)? (?:down|back|off)|hold(?:ing)? (?:down|open)|jam(?:med)? (?:open|down)|"
    r"get(?:ting)? (?:around|round|past|rid of)|work(?:ing)? (?:around|round)|go(?:ing)? (?:around|round|past)|"
    r"avoid(?:ing)?|ignor(?:e|ing)|"
    r"turn(?:ing|ed)? (?:\w+ ){0,4}off|switch(?:ing|ed)? (?:\w+ ){0,4}off|without (?:the|a|closing|any)|take "
    r"(?:\w+ ){0,3}out of|remov(?:e|ing) (?:the )?(?:safety|guard)|unplug\w*|cut (?:the )?wire|(?:reach|get|go|"
    r"put my hand) (?:through|past|under|over)|"
    r"knock(?:ing)? out|kill(?:ing)? (?:the )?|skip(?:ping)?|suppress\w*|silenc\w*|block(?:ing)? (?:out )?|"
    r"magnet (?:on|to|at|over)|dummy (?:plug|key|actuator)|spare (?:key|actuator)|cover(?:ing)? up|plastic bag|"
    r"blind(?:ing)?|hot-?wir\w*|force (?:the )?(?:input|signal|bit|output)|reflective tape)"
)
#: What is asked about a safeguard in peace.
_HARMLESS = re.compile(
    r"\b(?:how (?:do|can|to|should|often|is|are)(?: i| we| you| one)?|steps? (?:to|for)|procedure (?:to|for)|"
    r"what|who|when|where|why|which|show|list|explain|is|are|was|did|has|have|test\w*|check\w*|replac\w*|"
    r"clean\w*|chang\w*|inspect\w*|align\w*|adjust\w*|calibrat\w*|"
    r"reset\w*|troubleshoot\w*|repair\w*|install\w*|wir(?:e|ing) diagram|order\w*|part number|stock|spare)\b",
    re.IGNORECASE,
)
_ASKED_ABOUT = re.compile(
    r"\b(?:who (?:is|was|are|may|can|has|did)|which (?:document|paper|form|permit|orders?|alarms?)|what (?:paper|"
    r"permit|form|document|happens|does|is the (?:penalty|policy|rule))|was (?:the|it|any)|were|has (?:the|any|"
    r"anyone|somebody|someone)|have (?:the|any)|how (?:many|often|long)|"
    r"list|show (?:me )?(?:all|the)|report (?:of|on)|(?:is|are|was|were) (?:the |any )?[\w ]{1,30}(?:currently |"
    r"still )?(?:bypassed|muted|overridden|disabled|bridged)|(?:dangers?|risks?|consequences?) of|not (?:to "
    r")?(?:be )?bypass\w*|prevent(?:s|ed|ing)?|forbid\w*|forbidden|prohibited|"
    r"policy (?:on|for|about)|procedure says|incident|log(?:ged)? (?:of|for)|alarm (?:for|about|that)|somebody "
    r"(?:has )?(?:bypassed|bridged|taped)|someone (?:has )?(?:bypassed|bridged|taped)|found (?:a |the )?\w* "
    r"?(?:bypassed|bridged|taped)|i (?:saw|found|noticed))\b",
    re.IGNORECASE,
)
_BOTH = re.compile(
    rf"\b{_DEFEAT}\b(?:\W+\w+){{0,6}}?\W+{_SAFEGUARD}\b|\b{_SAFEGUARD}\b(?:\W+\w+){{0,8}}?\W+{_DEFEAT}\b", re.IGNORECASE
)
_RUN_OPEN = re.compile(
    r"\b(?:run|start|jog|move|operate|keep (?:it |the \w+ )?(?:run\w*|turning|going)|work|spin\w*|cycle|turning|"
    r"rotat\w*)\b[^.?!]{0,45}\b(?:with (?:the )?(?:\w+ )?(?:doors?|guards?|covers?|gates?|hoods?|fence\w*)(?: "
    r"\w+)? ?(?:open|off|removed|up)|without (?:the |a )?(?:guards?|covers?|doors?|hoods?|interlock))\b|"
    r"\b(?:open|unlock)\b[^.?!]{0,30}\b(?:doors?|guards?|covers?|gates?|hoods?)\b[^.?!]{0,25}\b(?:while|when|"
    r"during)\b[^.?!]{0,25}\b(?:running|spinning|turning|moving|rotating|in auto\w*|in motion|it (?:runs|spins|"
    r"turns))\b|"
    r"\b(?:doors?|guards?|gates?|covers?)\b[^.?!]{0,20}\b(?:open|off|removed)\b[^.?!]{0,30}\b(?:robot (?:stays|"
    r"still)|in auto\w*|while (?:it|the)|keeps? (?:running|turning)|drum turning|still (?:run|turn))",
    re.IGNORECASE,
)
_PEOPLE = r"(?:operators?|workers?|employees?|people|persons?|guys?|colleagues?|technicians?|fitters?|mechanics?|electricians?|inspectors?|staff|team members?|welders?|individuals?|man|men|woman|women|lads?|boys|names?)"
_JUDGED = re.compile(
    rf"\b(?:rank\w*|compar\w*|rate|rating|score|scoring|league table|leader ?board)\b[^.?!]{{0,30}}\b(?:the |our "
    rf"|all |each |every |my )?{_PEOPLE}\b|\b(?:best|worst|slowest|fastest|laziest|lazy|weakest|strongest|"
    rf"sloppiest|most productive|least productive|top|bottom)\b[^.?!]{{0,20}}\b(?:operators?|workers?|employees?|"
    r"technicians?|fitters?|mechanics?|inspectors?|welders?|person|colleagues?|performers?|guy|man|woman)\b|"
    rf"\b(?:which|what) (?:of (?:my|our|the) )?{_PEOPLE}\b[^.?!]{{0,40}}\b(?:most|least|best|worst|slow\w*|"
    rf"fast\w*|lazi\w*|lowest|highest|more (?:scrap|mistakes|errors|defects)|make[s]? (?:the )?(?:most|more))\b|"
    rf"\bwho(?:'s| is| was| has| had| makes?| made| causes?| caused| produces?| "
    rf"produced)\b[^.?!]{{0,25}}\b(?:best|worst|slowest|fastest|laziest|laziest|most (?:scrap|mistakes|errors|"
    rf"defects|rejects|downtime|stops)|least (?:scrap|output)|lowest (?:oee|output|performance|yield|scrap)|"
    rf"highest (?:scrap|oee|output|performance))\b",
    re.IGNORECASE,
)


_THING = r"(?:line|machine|robot|cnc|press|conveyor|pump|valve|oven|furnace|mixer|fan|motor|spindle|axis|axes|heater|filler|washer|palleti[sz]er|compressor|crane|burner|reactor|agitator|door|clamp|setpoint|feed|speed|temperature|pressure|[\w]*-?\d[\w-]*)"
_ACTS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(p, re.IGNORECASE)
    for p in (
        rf"^(?:please |pls |now |just |ok |can you |could you |go ahead and )*(?:stop|start|halt|pause|restart|"
        rf"shut ?down|power (?:on|off|up|down)|home|jog|run|switch (?:on|off)|turn (?:on|off)|open|close) (?:the "
        rf"|all |my |this )?(?:(?:whole|entire|main|coolant|feed|drive|exhaust|second|other) "
        rf")?{_THING}\b(?![^.?!]*\b(?:how|procedure|steps|report|checklist|sequence|manual|request|ticket|"
        rf"orders?|list|reasons?|document|handover|instructions?|history|log)\b)(?: \w+)?(?: now| from here| "
        rf"immediately| remotely| please| right away| for me)*[.!]?$",
        r"^(?:please |pls |now |just |can you |could you )*(?:set|increase|decrease|reduce|lower|turn (?:up|"
        r"down)|change|adjust|bump|write) (?:the )?[^?]{0,60}\b(?:to|by) -?\d[\d.,]*(?: ?(?:%|rpm|bar|mbar|°?c|"
        r"degrees|mm|kw|nm|percent|hz|pcs|pieces|kg|l|min\w*|s|seconds))?[.!]?$",
        r"^(?:please |pls |now |just |can you |could you |go ahead and )*(?:release|unblock|un-?quarantine|"
        r"approve|sign(?: off)?|reject|close|cancel|delete|erase|remove|wipe|back-?date|overwrite|falsify|forge|"
        r"edit|amend|alter) (?:the |this |that |my |all |any |every |open |yesterday'?s? |today'?s? )*(?:\w+ "
        r")?(?:lots?|batch\w*|orders?|ncrs?|ncs?|nonconformances?|capas?|records?|reports?|sops?|documents?|"
        r"entry|entries|work orders?|tickets?|alarms?|logs?|deviations?|stops?|holds?|results?|counts?|"
        r"[\w]*-?\d[\w-]*)\b(?! (?:how|procedure|steps|\w+ procedure))[^?]*$",
        r"\breset (?:the )?(?:counters?|counts?|figures?|statistics)\b[^?]{0,30}\b(?:so|to make|better|look)\b",
        r"\b(?:password|pin code|service pin|api key|login)s? (?:for|of|to)\b|\bwhat(?:'s| is) (?:\w+(?:'s)? "
        r")?(?:the )?(?:\w+ )?(?:password|service pin|api key)\b",
        r"\b(?:trick|fool|cheat|fake|falsify)\b[^.?!]{0,40}\b(?:test\w*|inspection|scale|camera|sensor|"
        r"checkweigher|detector|gauge|result|record|signature|audit\w*)\b|\bbad parts pass\b|\bback-?date\b|"
        r"\bfake (?:the|a|my|some)\b",
    )
)


def acts_or_falsifies(text: str) -> bool:
    """Whether somebody wants a machine moved or set, a record released, signed, changed or made up: never done here."""
    said = " ".join(text.replace("’", "'").split())
    return any(pattern.search(said) for pattern in _ACTS)


def defeats_safeguard(text: str) -> bool:
    """Whether somebody asks how to get a safeguard out of the way, or to run a machine without it."""
    said = " ".join(text.replace("’", "'").split())
    if _RUN_OPEN.search(said):
        return True
    if not _BOTH.search(said):
        return False
    return not _ASKED_ABOUT.search(said) or bool(
        re.search(
            r"\bhow (?:do|can|could|to|would)\b[^.?!]{0,30}\b(?:by-?pass|overrid|defeat|disabl|mute|bridg|fool|"
            r"trick|jumper)",
            said,
            re.IGNORECASE,
        )
    )


def safeguard_named(text: str) -> str:
    """The safeguard that the text names, as said, or ""."""
    found = re.search(rf"\b{_SAFEGUARD}\b", " ".join(text.replace("’", "'").split()), re.IGNORECASE)
    return found.group(0) if found else ""


def judges_people(text: str) -> bool:
    """Whether persons are compared or ranked by what they do."""
    return bool(_JUDGED.search(" ".join(text.split())))


def names_people(text: str) -> bool:
    """Whether the judged are called operators, workers, people and so on, rather than just "who"."""
    m = _JUDGED.search(" ".join(text.split()))
    return bool(m and re.search(rf"\b{_PEOPLE}\b", m.group(0), re.IGNORECASE))
