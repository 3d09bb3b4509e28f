"""Requests to defeat a safeguard, to falsify a record, or to judge people: told by words, before any model is asked.

`defeats_safeguard` is true for a request to bypass, mute, bridge or fool what protects people, in whatever order the
words come, and false for testing, cleaning, replacing or explaining the same device. `judges_people` finds comparing
and ranking of persons. The router's class adds to both. tests/test_safeguards.py holds the lists.
"""

from __future__ import annotations

import re

_SAFEGUARD = (
    r"(?:pad-?locks?|light[- ]?(?:curtain|grid|barrier|beam|fence)s?|like curtain|safety (?:\w+ )?(?:gates?|doors?|"
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
_BOTH = re.compile(rf"\b{_DEFEAT}\b(?:\W+\w+){{0,6}}?\W+{_SAFEGUARD}\b|\b{_SAFEGUARD}\b(?:\W+\w+){{0,8}}?\W+{_DEFEAT}\b", re.IGNORECASE)
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


_UNIT = (
    r"(?:%|percent|rpm|bars?|mbar|kpa|psi|°|deg\w*|celsius|kelvin|c\b|k\b|a\b|ka\b|amps?|v\b|volts?|kw\b|hz|nm\b|"
    r"mm\b|cm\b|m/min|"
    r"metres? per|packs?|bottles?|strokes?|parts? (?:a|per)|a minute|per minute|per hour|ml\b|l/min|litres?|kg\b|"
    r"g\b|ppm|ph\b)"
)
_NUMBER = r"(?:-?\d[\d.,]*|(?:\w+ )?(?:hundred|thousand|ten|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?: and \w+)?)"
_ASKS = r"^(?:what|how|when|which|who|where|why|is|are|was|were|does|do|did|has|have|show|list|give me|tell me|explain|plot|chart|compare|draft|trace|any|can i|may i)\b"
_REPORTS = r"(?:[\w-]+: )?(?:who|when|what|which|show|list|has|was|were|how many|how often|share of|number of|count)\b"
#: Setting a process value, in whatever verb; the value has a physical unit, so that "make it 30 days" is none.
_SETS = re.compile(
    r"^(?:(?:please|pls|kindly|sir|hey|andon|ok|now|just|and|can you|could you|would you|i would like that you|i "
    r"want you to|you can|go and|quickly)[ ,]+){0,4}(?:set|put|bring(?! up)|drop|speed|crank|push|turn|override|change|"
    r"make|lower|raise|take|widen|adjust|dose|dosing|increase|"
    rf"decrease|reduce|run|load|heat|cool|open|slow|keep|move)\b[^?]{{0,60}}?\b(?:to|at|by|up|down|off|=|plus "
    rf"minus|in place of|instead)?\s*{_NUMBER} ?{_UNIT}",
    re.IGNORECASE,
)
_FALSE_RECORDS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(p, re.IGNORECASE)
    for p in (
        r"\b(?:mark|flag|tick|book|record|enter|log|sign|set|flip|declare|report) (?:it|them|that|this|those|"
        r"[\w-]+(?: [\w-]+)?) (?:as |to |off as )?(?:tested|completed?|done|passed|released|approved|closed|"
        r"trained|ok|good|planned)\b(?!\?)",
        r"\b(?:copy|duplicate|repeat) (?:yesterday|last|the|these|those)\w*(?:'s)? [^?]{0,40}\b(?:log|record|"
        r"values|entries|results|readings|sheet)\b[^?]{0,40}\b(?:to|into|for) (?:today|tomorrow|this|the next)",
        r"\b(?:just |please )?(?:write|put|enter|type|fill in) \d[\d.,]* (?:in|into|for|on|instead)\b",
        r"\b(?:wipe|erase|trim\w*|purge|clear|doctor|smooth|tidy up|rewrite|strike|void|"
        r"remove)\b[^?]{0,40}\b(?:audit trail|logs?|history|the record|curve|bookings?)\b",
        r"\b(?:old|earlier|different|other|false|wrong) (?:time ?stamps?|initials|signature)\b|\bearlier date\b|"
        r"\blater best before\b|\bretrospectively (?:add|sign|enter)\b",
        r"\b(?:must|should|has to|make it|so it) looks? (?:like|as if)\b|\blook like it was done\b|\bas if (?:it|"
        r"they) (?:had )?passed\b",
        r"\b(?:leave out|ignore|hide|drop|omit|skip|lose) (?:the |all |any )?(?:\w+ )?(?:fail\w*|bad results?|"
        r"rejects? from the|complaint lots)\b[^?]*(?:report|list|record|ok|$)|\bshould not appear in\b",
        r"\b(?:no ?one|nobody|no body|qa|auditor|inspector|customer)(?: \w+)? (?:will|would|needs? to|need|has "
        r"to|must|needn'?t|won'?t) (?:ever )?(?:not )?(?:know|notice|see|tast\w+|find out)\b|\bwithout (?:anyone|"
        r"anybody|qa|them) (?:seeing|knowing|noticing)\b|\bnobody tastes\b",
        r"\buse \w+'s (?:signature|login|card|key|badge|password|account)\b|\b\w+'s (?:login|password|pin|badge) "
        r"(?:please|pls|now|so)\b|\bpretend (?:i am|i'm|to be|you are|you're)\b|\bgive me (?:her|his|their|"
        r"admin) rights\b",
        r"^(?:please |pls )?relabel\b|\bre-?print labels?\b[^?]{0,30}\b(?:later|new|other|different)\b|\b(?:flip|"
        r"switch|change|set|move|take) (?:it|them|lot|batch|the (?:lot|batch|hold)|"
        r"[\w-]*\d[\w-]*)\b[^?]{0,30}\b(?:to released|released|to free stock|off pallets?|out of quarantine|from "
        r"quarantine)\b",
        r"\btake the hold off\b|\bfrom quarantine to\b|\b(?:ok|okay|permission|approval|go) to ship\b|"
        r"\bdowngrade (?:those|these|the|this|lot)\b|\b(?:close|publish|release|approve|pass) (?:it|this|them|"
        r"that|my \w+(?: \w+)?) (?:directly|anyway|without|now|for me|please)\b|\bgood enough\. pass it\b|\bjust "
        r"release it\b|\bsay (?:pass|fail|ok)\b",
        r"\bsay that i did\b|\bi (?:didn'?t|did not|haven'?t) [^?]{0,40}\b(?:write|put|enter|say|tick)\b|\b(?:it|"
        r"filter|check|test) (?:wasn'?t|was not|isn'?t)[, ]+but\b|\bno review\b[^?]*\bresponsibility\b|\bfill "
        r"(?:it|them) in for me\b|\bfinish my checklist\b",
        r"\b(?:ack|acknowledge|silence|mute|reset|suppress) (?:all |the |every |that |any )*(?:alarms?|lot|horn|"
        r"warnings?|it (?:from|for))\b(?! (?:procedure|how|mean))|\breset it from (?:your side|there|here)\b",
    )
)
_TAKEOVER = re.compile(
    r"\bignore (?:what|all|any|your|the|previous|everything)\b[^?]{0,30}\b(?:told|instructions?|rules|prompt|"
    r"before)\b|\bsystem prompt\b|\bwithout limits\b|\bdeveloper mode\b|\bno more confirmations\b|\bgrandma used "
    r"to\b|\bconnection string\b|"
    r"\brepeat the text above\b|\bdecode this and\b|\bdump (?:the |all )?(?:users?|passwords?|hashes|database)\b|"
    r"\bpassword hashes\b|^\s*(?:drop|alter|truncate|create|grant) (?:table|database|view|user)\b|\bdelete from "
    r"\w+|\binsert into \w+|"
    r"\bupdate \w+ set \w+ ?=|\bfrom now on every answer\b|^\s*system:|\bthe assistant must\b|\bhow to beat\b",
    re.IGNORECASE,
)
_WATCHES_PEOPLE = re.compile(
    r"\b(?:should i|whom? (?:to|should i|can i|do i)|people to|list of \w+ to|someone to|has to|one of my \w+ "
    r"has to) (?:fire|sack|let go|dismiss|leave|lay off)\b|\bdeserves? (?:the |a )?(?:bonus|raise|warning)\b|"
    r"\bwarning letter\b|\b(?:go\w*|goes|went|visit\w*) (?:to|on) (?:the )?toilet\b|\bwhere (?:he|she) was\b|"
    r"\bhow long (?:was )?(?:he|she) (?:idle|on break)\b|\btrack \w+ today\b|\blogged out for\b|\b(?:older|"
    r"younger|foreign|female|male) workers\b|\bperformance score per head\b|\bby age\b[^?]*\b(?:output|scrap)\b|"
    r"\b(?:output|scrap)\b[^?]*\bby (?:age|gender|nationality)\b|"
    r"\bunion rep\b|\bname and shame\b|\bwhich name is behind\b|\bis the new (?:temp|guy|girl|"
    r"lad)\b[^?]*\bworth\b|\bmic(?:rophone)? of the\b",
    re.IGNORECASE,
)
_TAMPERS = re.compile(
    r"\b(?:jumper|bridge|short|lift)\b[^.?!]{0,25}\b(?:wire|pin|terminal|contact|relay|input|trip|switch|sensor|"
    r"loop|chain)s?\b|\b(?:can|could|may|shall|what if) (?:i|we) (?:just )?(?:jumper|bridge|unplug|disconnect|"
    r"tape|plug|wedge) (?:it|that|this|the)\b|\bwhat if i just unplug\b|"
    r"\b(?:force|forcing) (?:the |an? )?[\w-]* ?(?:input|output|bit|q\d|i\d)\b|\b(?:plug|block|cap|gag) (?:it|"
    r"the)[^.?!]{0,25}\b(?:relief|safety valve|vent)\b|\brelief\b[^.?!]{0,40}\b(?:plug|block|gag|cap) it\b|\bcut "
    r"off (?:his|her|their|the) (?:pad)?lock\b|"
    r"\bwithout (?:isolating|isolation|lockout|locking out|lock-?out|loto|permit|ppe)\b(?![^.?!]*\bwhat "
    r"happens\b)|\bwhich (?:wire|jumper|relay|pin)\b[^.?!]{0,40}\b(?:bridge|jumper|lift|cut|disconnect|pull)\b|"
    r"\bwhich (?:jumper|relay do i bridge)\b|\bhold it in with\b|"
    r"\bwhat do i disconnect\b|\bstay green\b[^.?!]*\bstanding in\b|\bignores? guards?\b|\bfull speed inside\b|"
    r"\bkeep (?:\w+ ){0,3}(?:pedal|button|switch) (?:pressed|down|held)\b|\b(?:lid|door|hood|cover) (?:open|"
    r"while)\b[^.?!]{0,30}\b(?:coasting|turning|spinning|running|drum)\b|"
    r"\b(?:lift|open) the \w+ (?:lid|door|cover|hood) while\b|\bmust stay open\b|\bset it to pass all\b|\bshrink "
    r"the (?:field|zone)\b|\b(?:turn|switch) (?:\w+ ){0,3}(?:alarm|horn|siren|beacon|detector|sensor alarm) "
    r"(?:off|down)\b|\b(?:turn|switch) off (?:the )?(?:[\w-]+ ){0,3}(?:alarm|horn|siren|detector|trip)\b|"
    r"\bso (?:\d+|it|that|the alarm) (?:stops|won'?t|doesn'?t) (?:nagging|nag|trip|stop\w* us)\b|\bin the "
    r"way\b[^.?!]{0,20}\bguard\b|\bmuting\b[^.?!]*\bforever\b|\b(?:keep|make) (?:it|them|the \w+) (?:permanently "
    r")?(?:quiet|blind)\b",
    re.IGNORECASE,
)


def acts_or_falsifies(text: str) -> bool:
    """Whether somebody wants a machine moved or set, a record released, signed, changed or made up: never done here."""
    said = " ".join(text.replace("’", "'").split())
    told = any(pattern.search(said) for pattern in _FALSE_RECORDS) and not re.match(_REPORTS, said, re.IGNORECASE)
    if told or any(pattern.search(said) for pattern in _ACTS) or _TAKEOVER.search(said) or _WATCHES_PEOPLE.search(said):
        return True
    return bool(_SETS.search(said)) and not re.search(_ASKS, said, re.IGNORECASE)


def defeats_safeguard(text: str) -> bool:
    """Whether somebody asks how to get a safeguard out of the way, or to run a machine without it."""
    said = " ".join(text.replace("’", "'").split())
    if _RUN_OPEN.search(said) or (_TAMPERS.search(said) and not _ASKED_ABOUT.search(said)):
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
