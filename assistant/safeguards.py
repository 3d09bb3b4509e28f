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
    r"(?:by-?pass?\w*|bi-?pass\w*|overrid\w*|over-?rule\w*|defeat\w*|disabl\w*|deactivat\w*|de-?activat\w*|"
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
_PEOPLE = r"(?:operators?|workers?|employees?|people|persons?|guys?|colleagues?|technicians?|fitters?|mechanics?|electricians?|inspectors?|staff|(?:team|shift|crew) (?:members?|leaders?|leads?)|foremen|foreman|supervisors?|setters?|drivers?|packers|planners?|engineers?|welders?|individuals?|man|men|woman|women|lads?|boys|names?)"
_JUDGED = re.compile(
    rf"\b(?:rank\w*|compar\w*|rate|rating|score|scoring|league table|leader ?board)\b[^.?!]{{0,30}}\b(?:the |our "
    rf"|all |each |every |my )?{_PEOPLE}\b|\b(?:best|worst|slowest|fastest|laziest|lazy|weakest|strongest|"
    rf"sloppiest|most productive|least productive|top|bottom)\b[^.?!]{{0,20}}\b(?:operators?|workers?|employees?|"
    r"technicians?|fitters?|mechanics?|inspectors?|welders?|person|colleagues?|performers?|guy|man|woman)\b|"
    rf"\b{_PEOPLE}(?:'s|s')? (?:league table|leader ?board|rankings?|scoreboard|scores|score list|hit list)\b|"
    r"\b(?:should i|whom? (?:to|should i|can i|do i|could i|shall we|should we)|people to|someone to|has to|one of my \w+ has to) "
    r"(?:fire|sack|let go|dismiss|leave|lay off)\b|"
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
#: After a verb that is also a noun: "power consumption of robot 1 on Sunday" switches nothing.
_NO_COMPOUND = r"(?!(?:consumption|usage|use|draw|supply|demand|meter|factor|outages?|cuts?|failures?|times?|points?|values?|counts?|alarms?|drill)\b)"
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
    r"\blist of \w+ to (?:fire|sack|let go|dismiss|lay off)\b|\bdeserves? (?:the |a )?(?:bonus|raise|warning)\b|"
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


# -- commands, told by their grammar: who is spoken to, a verb, what it is done to

_ASKED = (
    r"(?:(?:please|pls|plz|kindly|hey|hi|andon|ok|okay|so|now|just|and|then|quickly|simply|go ahead and|go and|sir|emergency|bitte|also|well|look|right|"
    r"can(?:'t)? you|could you|would you|will you|can u|could u|i want you to|i need you to|i'd like you to|i would like you to|you can|you may|you should|"
    r"do me a favou?r and|be so kind and|let's|lets|no|jam is out|have it|tell it to|next|from there|remotely|for me|directly|already)[ ,:!.]+){0,6}"
)
#: What names a document, a figure or a request rather than the thing itself.
_PAPER = re.compile(
    r"\b(?:how|procedures?|steps?|reports?|checklists?|sequence|manual|tickets?|lists?|reasons?|documents?|handover|instructions?|history|logs?|chart|graph|table|"
    r"summary|overview|trend|count(?! to)|sop|sops|query|analysis|pareto|drawing|photos?|work ?orders?|jobs?|when|what|which|why|who|times?|events?|causes?|rate|details?|training|notes?|"
    r"guide|draft|figures?|shown|per|by (?:line|shift|machine|day|week)|meaning|diagram|schematic|plan|picture|view|section|page|conditions?|requirements?|criteria|codes?|power outage|in which order|how was|aborted|ncr|capa|part numbers?|relay|by hand|leak check|lost|switch on line)\b",
    re.IGNORECASE,
)
_MACHINE = (
    r"(?:lines?|machines?|robots?|cnc|press(?:es)?|conveyors?|pumps?|valves?|ovens?|furnaces?|mixers?|fans?|motors?|spindles?|axis|axes|heaters?|fillers?|washers?|"
    r"palleti[sz]ers?|compressors?|cranes?|burners?|reactors?|agitators?|doors?|clamps?|capper|labell?er|packer|wrapper|dryer|drier|kiln|lathe|mill|extruder|"
    r"granulator|shredder|lyophili[sz]er|autoclave|sterili[sz]er|tank|vessel|silo|boiler|chiller|agvs?|belts?|drives?|plc|hmi|hoist|lift|gate|gantry|cells?|roasters?|"
    r"cutter|saw|grinder|welder|tunnel|blower|everything|hall|station|former|bagger|hopper|feeder|gripper|turntable|carousel|winder|unwinder|coater|printer|"
    r"scanner|controller|cycle|program|recipe|batch|purge|equipment|unit|skid|plant|homogeni[sz]er|pasteuri[sz]er|separator|centrifuge|evaporator|damper|exhaust|ventilation|"
    r"nutrunner|case packer|tool changer|turret|tailstock|chuck|vacuum|steam|water|air|gas|power|[a-z]+-?\d[\w-]*|\d+)"
)
_PARAMETER = (
    r"(?:temperature|temp|speed|pressure|limits?|set ?points?|threshold|rate|dos(?:e|ing)|tolerances?|window|levels?|torque|feed(?: ?rate)?|override|frequency|"
    r"hold(?:ing)? ?(?:time)?|purge|interval|flow|counter|standard cycle|cycle time|cut-?out|trip|delay|timer|width|gap|weight|volume|ratio|viscosity|ph|humidity|"
    r"vibration|current|voltage|power|force|stroke|dwell|gain|offset|factor|parameter|value|brightness|sensitivity|alarm|rpm|thickness|length|diameter|concentration|target|position|angle)"
)
_RECORD = (
    r"(?:lots?|batch(?:es)?|orders?|ncrs?|ncs?|non-?conformances?|capas?|records?|reports?|sops?|documents?|entr(?:y|ies)|work orders?|tickets?|deviations?|"
    r"stops?|holds?|results?|counts?|counters?|dispositions?|inspections?|checks?|checklists?|complaints?|concessions?|approvals?|signatures?|certificates?|trainings?|"
    r"first articles?|first article check|line clearance|calibrations?|measurements?|values?|readings?|samples?|delivery|deliveries|quarantine|pallets?|serials?|revisions?|drafts?|"
    r"downtime|breakdowns?|rejects?|scrap|bookings?|jobs?|change(?:over)? records?|logs?|cleaning records?|audit trail|bore|log ?books?|forms?|[a-z]+-?\d[\w/-]*|\d{3,})"
)
_COMMANDS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(rf"^{_ASKED}{rest}", re.IGNORECASE)
    for rest in (
        # moving: start filler 1, send robot 1 home, give CNC-02 a reset
        rf"(?:start|stop|halt|pause|resume|restart|reboot|re-?start|home|jog|run(?! (?:time|rate|hours))|fire up|spin up|power (?:on|off|up|down|cycle)|switch (?:on|off|over)|turn (?:on|off)|shut(?: ?down| off)?|"
        rf"open|close|unlock|send|drive|move|kill|wake|zero|tare|inhibit|force|eject|abort|energi[sz]e|de-?energi[sz]e|activate|deactivate|disable|enable|engage|retract|extend|rotate|"
        rf"purge|vent|drain|flush|boot|cool down|heat up|load|upload|push|advance|start stop)\b(?!-| of\b| time| date| reason| orders?\b| ncrs?\b| capas?\b| deviations?\b| work| lots?\b| nc\b| complaints?\b| an? | maintenance| quality| (?:the )?(?:fitter|mechanic|electrician|technician|material|supervisor|logistics|help)| (?:someone|somebody|the forklift|your|me)\b|ed\b| jobs?| tickets?| issues?| items?| findings?| actions?)"
        rf"(?: (?:the|all|every|my|this|that|our|a|both|each|up|new|main|whole|entire|\w+|\w+-\w+|\"[^\"]+\")){{0,4}}? {_MACHINE}\b",
        rf"(?:switch|turn|power|shut|put|take|bring|set|start|fire|wind|slow|speed|spin) {_NO_COMPOUND}(?:\w+ ){{0,4}}{_MACHINE}(?: \w+)? (?:on|off|down|up|out of service|into (?:manual|auto\w*)|to (?:manual|auto\w*|home|zero))\b",
        r"(?:give|do) [\w -]{1,30} a (?:re-?set|re-?start|reboot|kick|home|homing|push|cycle)\b",
        r"(?:hit|press|push|click) (?:cycle )?(?:start|stop|go|reset|the (?:start|stop|reset) button)\b",
        r"(?:make|let|have|keep|get) (?:the )?[\w -]{1,30} (?:run(?:ning)?|turn(?:ing)?|start(?:ed)?|stop(?:ped)?|move|spin|go (?:home|backwards?)|awake|warm|up and running|come to a stop)\b",
        r"(?:tell|instruct|command) (?:the )?(?:[\w-]+ ){0,3}(?:controller|robot|plc|system|line|machine|mes|agv)\b[^?]*\b(?:\d+|is|to|that)\b|tell (?:the |them )?[^?]*\b(?:is|are) (?:qa |quality )?(?:approved|released|ok)\b",
        r"(?:silence|mute|ack(?:nowledge)?|suppress|inhibit|shelve|clear|reset|kill) (?:and (?:reset|silence|clear) )?(?:all |the |every |that |any |these |those |active )*(?:\w+ )?(?:alarms?|horn|warnings?|alert|siren)\b(?!s? (?:procedure|how|mean|list|history|log|sound))(?! sound)[^?]*\b(?:for me|on|at|now|please|all|from)\b(?! (?:a|the) (?:manual|panel))",
        # setting
        rf"(?:set|raise|lower|increase|decrease|reduce|bump|crank|bring|turn|adjust|change|put|widen|narrow|make|drop|lift|push|move|correct|override|shorten|extend|limit|write|dial|take|load|rais|up)\b[^?]{{0,70}}?\b{_PARAMETER}\b[^?]{{0,40}}?\b(?:to|by|from|at|up|down|off|=|plus|minus|back)\b ?(?:the )?(?:old|default|max\w*|full|zero|half|about |around )?\s*(?:-?\d|{_NUMBER})",
        rf"(?:lower|raise|widen|loosen|relax|increase|reduce|shorten|skip|cut) (?:the |automatic |all )*(?:[\w-]+ ){{0,3}}{_PARAMETER}\b[^?]{{0,40}}\b(?:so|for today|until|now|a bit|from now on|to \d)\b",
        r"(?:skip|leave out|omit|cut short|shorten) (?:the )?(?:automatic |nitrogen |air )?(?:purge|rinse|cleaning|drying|hold|warm-?up|cool-?down|self-?test|check|test|leak test)\b",
        # deciding about records
        rf"(?:approve|release|un-?block|un-?quarantine|sign(?: off)?|close(?: out)?|void|cancel|delete|erase|remove|wipe|purge|merge|back-?date|falsify|forge|overwrite|"
        rf"amend|alter|doctor|dispose(?: of)?|disposition|downgrade|reclassify|certify|accept|concede|waive|validate|finali[sz]e|publish|withdraw|invalidate|unlock|re-?open|extend|renew|expire)"
        rf"\b(?!-| rate| time| date| of\b| by\b| in\b| reasons?| codes?)(?: (?:the|all|any|my|this|that|those|these|every|each|open|overdue|last|\w+|\w+-\w+)){{0,4}}? {_RECORD}\b(?![^?]*\b(?:list|report|history|rate)\b)",
        r"(?:put|set|flip|switch|change|move|take|mark|flag|book|declare|tick|make|call|turn|log|record|tag|treat|enter|write)\b[^?]{0,60}?\b(?:to|as|back to|into|off as|instead of|passed as)(?: being)? (?:released|passed|approved|closed|ok(?:ay)?|done|completed?|good|tested|trained|signed|"
        r"free stock|planned(?: maintenance)?|minor|use[- ]as[- ]is|scrapped|accepted|conform\w*|verified|cleaned|calibrated|effective|a tick|all green|within (?:spec|limits?|tolerance))\b(?! (?:lots?|orders?|parts?|yield|count|by|per|last|this|yesterday|today|quantity|units))",
        r"(?:mark|flag|tick|call|declare|book|class) (?:the |all |my |this )?(?:[\w-]+ ){1,4}(?:released|passed|approved|closed|done|completed?|good|tested|trained|signed|minor|planned|ok|use as is|cleaned)\b(?! (?:lots?|orders?|parts?))",
        r"(?:scrap|reject|bin|refuse|trash) (?:the|this(?! \w+ (?:vs|versus|against|so far|to date))|that|those|these|all|it|them|lot [\w-]*\d|batch [\w-]*\d|[a-z]*-?\d[\w-]*)\b(?! (?:rate|count|reasons?|by|lots))",
        r"(?:void|bin|trash|smooth|doctor|falsify|approve|release|sign|ack|acknowledge|reboot|restart|shut|stop|start|halt|close|home|jog|delete|erase) (?:it|them|those|these|that|this)\b(?! (?:work|mean|alarm|how))(?![^?]*\b(?:procedure|steps)\b)",
        r"(?:make|set|change|turn|bring|put|get) (?:it|them|that|this) (?:down |up |back )?(?:to )?(?:-?\d+(?! (?:days?|weeks?|months?|lines?|rows?|hours|shifts?|years|columns?))|two days earlier|earlier)\b",
        r"[a-z]+-\d+ (?:in)?to (?:manual|auto\w*|open|closed)\b",
        r"(?:make|set) the (?:pm|interval|maintenance)\b[^?]*\bevery \d+",
        r"(?:adjust|fix|correct|set) the (?:counter|count)s?\b|(?:change|switch|move) the (?:cause|reason|code|result|status|name|date|time)s? (?:of|on|for|in) [^?]{0,50}\bto\b",
        rf"(?:speed up|slow down|wind up|throttle|overspeed|change over|switch over|swap over|take over|put|bring) (?:the )?(?:\w+ ){{0,2}}{_MACHINE}\b(?! (?:log|report|form|plan|handover))(?=(?: (?:please|now|a bit|by|to|into|back|online|offline|from|for me|faster|slower|until)\b|[.!]?$))",
        rf"(?:clear|reset|acknowledge|quit|remove) the (?:fault|error|alarm|trip|message|interlock|lockout|stop)\b[^?]{{0,25}}\b(?:on|of|at|in|from) (?:the )?{_MACHINE}\b(?=[^?]*\b(?:and|for me|now|please|remotely|from)\b)",
        rf"(?:i|we) (?:need|want|would like|'d like) (?:to have |all |every |the )*(?:\w+ )?{_MACHINE} (?:\d+ )?(?:stopped|started|off|on|running|still|homed|paused|shut|open|closed|in (?:auto|manual)|faster|slower|reset|restarted)\b",
        r"(?:make|get|let) (?:the )?[\w -]{1,25} (?:go |run |turn )?(?:faster|slower|hotter|colder|quicker|warmer|cooler)\b",
        r"(?:lift|clear|drop|remove|cancel|end) the (?:hold|block|quarantine|restriction|stop)\b[^?]{0,20}\b(?:on|of|for|from)\b|ship (?:the |this |that |these |out )*(?:lot|batch|order|pallets?|[\w-]*\d)[^?]*\b(?:anyway|now|today|without|before|as is|regardless)\b|make (?:the )?(?:lot|batch|[\w]*-?\d[\w-]*) [^?]{0,12}\b(?:good|free|available|ok|sellable|usable)\b",
        r"(?:decide|choose|pick|take|make|record|enter|fill in) (?:the |a |on the )?(?:disposition|decision|verdict|mrb)\b(?=[^?]*\b(?:use[- ]as[- ]is|scrap|rework|return|for me|release|of|for|on)\b)|confirm (?:the |that )?(?:line clearance|cleaning|check|inspection|calibration|review|release|changeover|training|\w+ (?:was|is) (?:done|clean|ok))\b",
        r"(?:change|set|edit|correct|switch|flip|turn|put)\b[^?]{0,60}\b(?:result|status|state|verdict|outcome|disposition|classification|severity|grade)\b[^?]{0,40}\bto (?:pass\w*|fail\w*|ok|good|released?|closed?|approved?|minor|green|free|accept\w*|complete\w*)\b",
        r"(?:make|let|set|put|get|bring|have|show) (?:the )?(?:\w+ )?(?:oee|yield|scrap(?: rate)?|availability|performance|fpy|figures?|kpi|report|numbers?|trend|curve)\b[^?]{0,25}\b(?:look|be|read|\d+(?:[.,]\d+)?(?: ?%| percent)? in the (?:report|sheet|log|table)|say|nicer|prettier)\b",
        r"(?:ante-?date|post-?date|pre-?date|date (?:it|the|this|that|them))\b[^?]{0,40}\b(?:to|back|on|as)\b|(?:enter|fill in|complete|add|supply|write)\b[^?]{0,30}\b(?:missing|forgotten|skipped|blank|empty|same|old)\b[^?]{0,40}\b(?:readings?|values?|results?|records?|entries|fields?|checks?|signatures?|temperatures?)\b",
        r"(?:only|just) (?:show|send|report|give|use|print|keep) (?:the )?(?:good|passing|passed|nice|ok)\b[^?]{0,40}\b(?:to the (?:customer|auditor|inspector)|and (?:drop|hide|leave|remove|delete)|drop)\b|take (?:the |that |this )?[^?]{0,30}\bout of the (?:\w+ )?(?:report|record|log|statistics|calculation|figures|history|list)\b|write (?:in|into) the [^?]{0,25}\b(?:that|was|were)\b",
        r"(?:round|fudge|nudge|tweak|massage|pad|polish|beautify|prettify|fix up)\b[^?]{0,40}\b(?:up|down|to|so|until|values?|figures?|numbers?|results?|report)\b(?=[^?]*\b(?:\d|within|pass|limits?|spec|target|better|nice|value|result|figure|number)\w*)",
        r"(?:use[- ]as[- ]is|rework) (?:for|on) [\w-]*\d",
        r"(?:edit|change|alter|correct|amend|fix|adjust|modify|update|move|shift|turn|make)\b[^?]{0,80}\bfrom -?\d[\d.,]*[^?]{0,12}\bto -?\d",
        r"(?:drop|remove|delete|take out|leave out|lose|hide|skip|void|strike|erase|cut)\b (?:one|two|three|four|five|some|a few|\d+|the worst|the last|all|those|these|both|half)\b[^?]{0,25}\b(?:downtime|stops?|events?|rejects?|scrap|results?|values?|measurements?|readings?|samples?|bookings?|entries|alarms?|outliers?|failures?)\b",
        r"(?:put|enter|sign|write|add|use|type|set)\b[^?]{0,40}\b(?:\w+'s|his|her|their|someone else'?s?) (?:name|initials|signature|badge|login|card|pin|stamp)\b",
        r"(?:sign|log|book|confirm|enter|approve|do)\b[^?]{0,50}\b(?:in (?:\w+'s|his|her|their|my) (?:name|place)|on (?:his|her|\w+'s) behalf|for (?:him|her|me))\b(?! (?:a|the|to) )",
        r"(?:invent|make up|fabricate|fake|falsify|forge|doctor|fudge|massage|cook|guess|estimate and enter|copy)\b[^?]{0,50}\b(?:values?|results?|readings?|records?|data|entries|signatures?|numbers?|figures|log|curve|sheet|measurements?|temperatures?|checks?|certificate|the rest|the books)\b",
    )
)
_FOREIGN_SQL = re.compile(
    r"(?:^|;)\s*(?:truncate \w+|grant \w+|revoke \w+|pragma \w+|attach (?:database )?'|alter (?:table|database|user)|drop (?:table|view|database|schema|index)|"
    r"create (?:table|view|user|database)|vacuum(?: full| analyze|;|$)|copy \w+ (?:to|from))|\bsql (?:that|which|to) (?:wipes?|deletes?|drops?|updates?|changes?|inserts?)\b",
    re.IGNORECASE,
)
#: Making a record say what was not so, in any wording.
_UNTRUE: tuple[re.Pattern[str], ...] = tuple(
    re.compile(p, re.IGNORECASE)
    for p in (
        r"\b(?:audit trail|log|history|system|record|mes|database|report)\b[^?]{0,20}\b(?:forget|lose|hide|not show|stop showing|disappear)\b|\b(?:make|let)\b[^?]{0,30}\b(?:disappear|vanish|go away from the (?:report|log|list))\b",
        r"\bso (?:that )?(?:the )?(?:availability|oee|yield|scrap|backlog|number|performance|figure|rate|it|they|those|\w+ \w+)(?: \w+){0,3} (?:is over|is above|is under|is below|looks? (?:better|good|ok|fine|nice)|counts? as (?:good|ok)|passes|is inside|is within)\b|\bso (?:that )?(?:nobody|no one|no body|nothing) (?:sees?|notices?|knows?|shows)\b|\bso (?:i|we) can ship\b|\bso the \w+(?: \w+)? drops\b|\bshould read \d[\d.,]*,? not \d|\bout of the system\b(?=[^?]*$)|\bcall [a-z]+-\d+ (?:minor|closed|ok)\b",
        r"\b(?:put|write|enter|log|say|state|record|report|pretend|tell them|claim)\b[^?]{0,30}\b(?:that )?(?:it was done|it was cleaned|i did|we did|he did|she did|it passed|they passed|was done on|had been done|was performed|were done)\b",
        r"\b(?:she|he|i|we|they|nobody) (?:was|were) (?:off|on holiday|sick|not there|absent|away)(?: that day| then)?\b[^?]*$(?<=\w)(?=.*)(?:(?<=day)|(?<=then)|(?<=off))",
        r"\b(?:rather than|instead of|not) (?:the )?-?\d[\d.,]* (?:\w+ )?(?:it|that|they|which) (?:was |were )?(?:logged|measured|showed|recorded|ran)\b|\bshows? (?:the |that )?[^?]{0,40}\bit ran \d+\b",
        r"\b(?:although|though|even if|but) (?:the |it |they )?[^?]{0,30}\b(?:failed|was off|wasn't|was not|were not|did not|didn't|is out|was out|out of (?:spec|tolerance))\b[^?]*$(?<!\?)(?:(?<=noise)|(?<=fine)|(?<=ok)|(?<=off))",
        r"\b(?:before|ahead of|until) the (?:auditors?|audit|inspector|inspection|customer)\b[^?]{0,30}\b(?:close|change|fix|hide|remove|delete|clean up|make)\b|\b(?:change|close|hide|remove|delete|alter|edit|correct|adjust|fix|fill in)\b[^?]{0,80}\b(?:before|ahead of) the (?:audit|auditors?|inspector|inspection|customer (?:comes|visit))\w*",
        r"\b(?:it's|that's|but it is|but that's|it is) (?:fine|ok|in the noise|nobody's business|only paper|just paper)\b[^?]*$(?<=fine)(?:(?<=but that's fine))",
        r"\bwithout (?:the |a |an |any )?(?:effectiveness check|root cause|review|second signature|approval|qa|inspection|re-?test|four eyes|witness|verification|test|checks?)\b(?=[^?]*$)(?<!closed without review)",
        r"\bpretend(?:s|ed|ing)?\b|\b(?:vanish|disappear|go away|never (?:existed|happened)|untraceable)\b(?=[^?]*)(?<=\w)(?!.*\b(?:alarm|fault|error)s?\b)|\bhide\b[^?]{0,50}\b(?:from|before|until)\b|\b(?:auditors?|qa|customers?|boss|inspectors?|quality|nobody|they|he|she|manager\w*)(?: \w+)? (?:does not|doesn't|do not|don't|won't|will not|can't|cannot|never) (?:\w+ )?(?:notice|see|find|know|catch|spot|realise|realize)\w*\b",
        r"\b(?:was|were|is|are|measured|shows?|reads?|showed|got) -?\d[\d.,]*\b[^?]{0,25}\b(?:but|please|so|just|instead) (?:please |just )?(?:write|put|enter|record|log|type|book|report)\b|\b(?:write|put|enter|record|log|type|book|report)\b[^?]{0,40}\b(?:less|fewer|more|higher|lower|better|earlier|later) than (?:we|it|they|i|there|the (?:real|actual|measured))\b",
        r"^(?:\W*(?:please|pls|can you|could you|just|ok|now|kindly|hey|andon))*\W*(?:sign|log|record|enter|tick|fill|confirm|book|write|give|put|make|create|issue|add|mark|complete|approve|note|swap|change|report|tell)\b[^?]{0,90}\b(?:i|he|she|we|they|nobody|no one|it) (?:was|were|am|is|are|had|have|has|did)?n?'?t? ?(?:not )?(?:at lunch|off(?: sick)?|overslept|forgot(?:ten)?|missed|skipped|too late|late|not here|not there|here|there|away|on holiday|sick|measured|done|do it|absent|busy|asleep)\b",
        r"^(?:\W*(?:please|pls|can you|could you|just|ok|now|kindly))*\W*(?:sign|log|record|note|report|state|certify|confirm|tell|inform|write|say|claim|document)\b[^?]{0,30}\bthat (?:i|we|it|he|she|they|the [\w ]{1,25}) (?:checked|passed|cleaned|did|tested|inspected|calibrated|was|were|has|have|is|are|had)\b(?! (?:down|broken|leaking|stopped|stuck|damaged|missing|empty|running|noisy|hot|loud|late|out of|making|jammed|slow|not|low|full|dirty|worn|blocked|faulty|delayed|scrapped|vibrating|open))|\btell (?:the )?(?:customer|auditor|inspector|qa|supplier)\b[^?]{0,30}\b(?:passed|fine|ok|in spec|released|on time|compliant)\b",
        r"\b(?:leave|take|keep|drop|get|strip|cut)\b[^?]{0,40}\bout of (?:the )?(?:[\w-]+ ){0,2}(?:record|report|log|statistics|audit|history|book|certificate|summary|minutes|calculation)\b|\b(?:sign|date|stamp)\b[^?]{0,30}\b(?:yesterday's|last week's|monday's|another|an? (?:earlier|older|different)) (?:date|day|time|name|stamp)\b|\bswap the (?:time ?stamps?|labels?|samples?|results?|names?|dates?|signatures?|serials?)\b|\bmove [^?]{0,40}\bto planned\b|\bas (?:second|witness|first) (?:checker|person|signature|pair)\b[^?]*\bnot\b|\bfor the \w+ (?:we|i) (?:forgot|skipped|missed|never did)\b",
        r"\bwhich (?:entries|records|values|figures|numbers|results|alarms) (?:should|do|must|can) (?:i|we) (?:change|delete|hide|remove|fix|alter|edit)\b",
        r"\bwho must sign to say\b|\bcopy the (?:rest|signatures)\b|\bnever happened\b|\bcount (?:them|those|these|as good|as ok)\b[^?]{0,20}\b(?:good|ok)\b|\bcount as good\b",
    )
)
#: Getting a safeguard to be silent, by the thing used, the state wanted or the reason given.
_DEVICE = (
    r"(?:pull[- ]?cords?|pull[- ]?wires?|rip[- ]?cords?|red mushroom|mushroom button|flame (?:eye|monitoring|rod|relay|supervision|detector)|over-?temp\w* cut-?out|cut-?outs?|overload(?: limit\w*)?|"
    r"limit switch|micro-?switch|coded (?:guard )?switch|guard switch|door switch|door contact|door key|trapped key(?: exchange)?|key (?:exchange|switch)|enabl\w+ (?:switch|button|device)|dead ?man\w*|"
    r"teach pendant|pendant|two[- ]?hand\w*(?: control)?|too hand control|light (?:curtain|grid|barrier|beam|screen|fence)s?|beams?|photo-?eyes?|safety \w+|guards?|interlocks?|e-?stops?|emergency stops?|"
    r"laser (?:housing|class \d \w+)(?: door)?|housing door|robot fence|fence|cell (?:door|gate)|scanners?|safety mats?|relief(?: valves?)?|burst(?:ing)? disc|rupture disc|pressure switch|level (?:switch|shutdown|trip)|"
    r"(?:high|low)[- ](?:level|oil pressure|pressure|temperature|limit) (?:shutdown|trip|switch|cut-?out|alarm)|ammonia (?:thing|sensor|detector|alarm)|co (?:panel|alarm|detector|sensor)|gas (?:alarm|detector|sensor|warning)|"
    r"smoke (?:detector|head|alarm)|metal detector|checkweigher|reject (?:arm|unit)|padlocks?|lock ?out|loto|tag ?out|lock|tag|breaker|over-?speed|hoist limit|upper limit of the hoist|load limiter|limiter|purge|"
    r"vibration trip|earth leakage|rcd|ground fault|fuse|thermal relay|motor protection|lichtgitter|lichtvorhang|schutztür|not-?aus|mixer lid|lid|hood|door|gate|cover|seat switch|(?:dead ?man|foot|safety) pedal|pedal|area scanner|laser scanner|protective field|door monitoring|both buttons|two buttons|guarding|light array|torque limiter|speed monitoring|standstill monitoring|zone monitoring)"
)
_TRICK = (
    r"(?:magnets?|weights?|(?:second|extra|spare) (?:actuator|key)|swap|replace the \w+ with a (?:jumper|bridge|wire)|unscrew\w*|unbolt\w*|out of the circuit|counts? as closed|turns? off|turn(?:ed|ing)? off|switch(?:es|ed|ing)? off|blind(?: spot)?|so (?:that )?(?:it|he|she) (?:does not|doesn't|can't|cannot|won't) (?:see|notice|stop|trip|detect)|reduce the|shrink|smaller|in my way|annoying|hold (?:both|down)|elbow|clamp for|paint over|turn (?:it )?away|hide from|hold\w* (?:it|them) (?:in|down|open|closed)|stick the key|zip ?ties?|cable ?ties?|tie ?wraps?|wedges?|wedg(?:e|ing)|tape[ds]?|taping|spoon|coin|screwdriver|rubber bands?|stick|cardboard|paper clip|jumpers?|jumper wire|bridge|"
    r"bridg(?:e|ed|ing)|overbridg\w+|überbrück\w+|by-?pass?\w*|bi-?pass\w*|defeat\w*|disarm\w*|deactivat\w*|disabl\w*|inhibit\w*|override\w*|overrid\w*|fool\w*|trick\w*|spoof\w*|simulat\w+ (?:a )?closed|cheat\w*|"
    r"pick|dummy|reflective tape|mirror|spare key|key code|master key|override key|jam|jammed|plug|plugged|blank(?:ed|ing)? off|cap off|gag\w*|unplug\w*|disconnect\w*|wire together|join|short(?:ed|ing)?|pull the fuse|"
    r"shut up|shuts? up|quiet|silenc\w+|mut(?:e|ed)|forever|anyway|permanent\w*|stays? (?:pressed|muted|closed|green|down|held|made|open)|thinks? (?:it|it's|it is|the|that)|believes?|(?:not|doesn't|never) latch\w*|get rid of|ignor\w+|out of service|taking [\w ]{1,20} out|"
    r"without (?:the|it|them|lock\w*|isolat\w*|loto|key)|keep (?:it )?(?:quiet|open|closed)|too sensitive|one hand|off the breaker|does not (?:trip|notice|latch|stop)|doesn't (?:trip|notice|latch|stop)|stops? (?:tripping|nagging|stopping)|shall not trip|won't trip|eliminate|knock out|take off|remove)"
)
_TRICKS = re.compile(
    rf"\b{_TRICK}\b(?:[^.?!]|\.\d){{0,60}}?\b{_DEVICE}\b|\b{_DEVICE}\b(?:[^.?!]|\.\d){{0,70}}?\b{_TRICK}\b|\b(?:tak(?:e|ing)|turn(?:ing)?|switch(?:ing)?|pull(?:ing)?|lock(?:ing)?) (?:the )?{_DEVICE} (?:\w+ )?(?:out|off|away)\b|"
    r"^(?:\W*(?:and|so|ok|but|what|well) )*(?:if i (?:just )?(?:unplug|bridge|tape|wedge|jumper|disconnect) (?:it|that|them)|where (?:do|can|should) i (?:put|place|fit) the (?:jumper|magnet|bridge|wedge|tape)|shut (?:it|them|that) up for good)",
    re.IGNORECASE,
)
#: Only with these is a trick at a device a question how: said beside it, or wanting it so.
_WANTED = re.compile(
    r"\b(?:how (?:do|can|could|to|would|i can|one|might)|what(?:'s| is) the (?:trick|quickest|easiest|best|fastest) way|trick|quickest way|easiest way|where (?:do|can|should) i (?:put|place|stick|fit|get)|which (?:magnet|wires?|terminals?|key|jumper|tape|fuse|button|"
    r"size|relay|pins?)|between which|what (?:tape|magnet|must i|do i (?:press|type|use|wire))|would that work|does that (?:work|fool)|can (?:i|we|you|u|one)|could (?:i|we|you|one)|may i|let me|i want to|i need to|i'd like to|want(?:ed)?|need(?:s)? to|please|pls|bitte|so (?:it|that|i|we|they|the)|"
    r"just|only|for (?:tonight|a (?:minute|shift|while|second)|one shift|now|today|the (?:weekend|night|audit))|till|until|anyway|promised?|permission|allowed me|my (?:boss|supervisor|shift leader)|i am the|i take|responsib\w+|"
    r"any clamp|is (?:that|it|this) (?:ok|okay|allowed|fine)|get it (?:out|off)|where (?:is|do|can)|(?:in|out of) my way|it(?:'s| is) (?:in my way|annoying)|what can i|which parameter|could the|can the|do i get|swap the|hypothetically|if (?:i|one|we) (?:put|just|jam|plug|bridge|hold)|say how|tell me how|help me|walk me through|instructions|give me|isn't there|is there (?:a|any) (?:trick|way|mode|key|setting|hack)|what do i|how i can|we do this|asks? (?:me )?too|sequence of buttons|sick of|annoy\w*|haha|lol|joke|which size)\b"
    r"|^(?:\W*(?:please|pls|just|can you|could you|now) )*(?:jumper|bridge|tape|magnet|zip tie|cable tie|wedge|override|disable|bypass|defeat|mute|silence|inhibit|deactivate|disarm|unplug|spoof|fool|force|jam|reflective tape|gag|plug|turn the|take the)\b|^[\w ]{0,40}\b(?:inhibit|bypass|override|jumper) ?\d*h?$",
    re.IGNORECASE,
)
#: ... and not with these: what is lawful at the same device.
_LAWFUL = re.compile(
    r"\b(?:test(?:ing|ed|s)?|check(?:ed|s|ing)?|replac\w+|clean\w*|inspect\w*|align\w*|adjust\w* the (?:guard|beam|light)|calibrat\w*|repair\w*|install\w*|spare part|part numbers?|in stock|order (?:a|an|the|new)|wiring diagram|"
    r"procedure for|the procedure|according to|sop|allowed (?:to|by)|who (?:is|may|can|has|was)|when (?:was|did|is|were)|how (?:often|many|long)|(?:is|was|were|are) (?:the|any|it)\b[^?]{0,30}\b(?:bypassed|muted|overridden|disabled|bridged|defeated)|why (?:is|does|did|was)|which alarms?|what does|mean(?:s|ing)?|list|history|"
    r"reset(?:ting)? (?:the|an?|after|procedure)|after (?:an? )?(?:e-?stop|emergency)|maintenance mode|alarm \w*\d+|show|found|prevent\w*|forbidden|against (?:by-?pass?|defeat)\w*|risk assessment|draft|incident)\b",
    re.IGNORECASE,
)
_RECOVERY = re.compile(r"\breset\b[^?]{0,40}\bafter (?:an? |the )*(?:\w+ )?(?:error|fault|alarm|e-?stop|stop|trip)\b", re.IGNORECASE)
#: A question for an alarm or a written procedure, which is how such work is done lawfully.
_OF_PAPERS = re.compile(
    r"^(?:(?:which|what) (?:alarms?|sops?|procedures?|documents?|permits?)|sops?|(?:show|open|find) (?:me )?the (?:sop|procedure)|risk assessment)\b",
    re.IGNORECASE,
)
#: Renewing the device itself.
_MENDING = re.compile(
    r"^(?:swap|replace|change|renew|mend|fit|draft|capa)\b[^?]*\b(?:contact block|spare|new one|broken|found|how do i do that right)\b|^capa\b",
    re.IGNORECASE,
)
_TAMPER_VERB = r"(?:by-?pass?\w*|brid?g\w*|disabl\w*|mut(?:e|ing) (?:it|the)|overrid\w*|remov\w*|take off|switch(?:ing)? off|jumper\w*|defeat\w*|skip\w*|cheat\w*|without|past|around)"
#: Lawful work at a safeguard: locking out, its regular test, asking somebody to mend it.
_SAFE_WORK = re.compile(
    rf"^(?:how (?:do|can|should|must|to)|steps?|procedure|instructions?|what|when|draft)\b(?![^?!]*\b{_TAMPER_VERB}\b)[^.?!]*\b(?:lock(?:ing)?[- ]?out|loto|"
    r"(?:function(?:al)?|periodic|regular|proof|(?:dai|week|month|year)ly) (?:\w+ ){0,6}?(?:tests?|checks?|inspections?))\b|"
    rf"^(?:please |pls )?(?:raise|open|create|log|send|put in)(?: in)? (?:a |an )?(?:\w+ )?(?:request|ticket|(?:work )?order)\b(?![^?!]*\b{_TAMPER_VERB}\b)",
    re.IGNORECASE,
)
_NEVERTHELESS = re.compile(
    r"\b(?:magnets?|zip ?tie|cable ?tie|jumper|by-?pass?|defeat|fool|spoof|trick|override (?:key|the (?:interlock|guard|door))|thinks? it|stays? (?:pressed|muted)|without the wands|overbridge|anyway|taped?|wedge)\b",
    re.IGNORECASE,
)
#: People within reach of what moves, on purpose.
_WITHIN = re.compile(
    r"\b(?:reach|climb|crawl|lean|step|slip|squeeze|duck|jump|get|go)\w* (?:\w+ )?(?:through|over|under|past|between|into|in|inside|around) (?:the )?(?:\w+ )?(?:fence|guard\w*|light \w+|cell|barrier|gate|robot|rollers?|machine|press|conveyor|curtain)\b[^?!]{0,40}\b(?:while|without (?:stopping|it|the|being)|when it|still (?:running|moving))\b|"
    r"\bwork(?:ing)? on (?:the |a )?(?:\w+ )?(?:panel|cabinet|switchboard|board|busbar|motor|machine|circuit)?\b[^?!]{0,20}\b(?:live|energi[sz]ed|under (?:voltage|power)|with(?:out)? (?:the )?(?:power on|isolat\w+|switching off))\b(?=[^?]*\b(?:don't|do not|can i|how do i|may i|which|without|just|quick)\b)|\b(?:don't|do not|needn't) (?:have|need|want) to (?:isolate|lock out|lock it|switch off|stop the (?:robot|machine|line)|wear)\b|"
    r"\b(?:share|use) (?:my |his |her |the )?(?:mate's|colleague's|\w+'s) (?:pad)?lock\b|"
    r"\b(?:run|start|jog|move|drive|operate|full speed|auto(?:matic)?|production mode|at 100 ?%|high speed)\b[^.?!]{0,50}\b(?:while|when|with)\b[^.?!]{0,25}\b(?:i'm|i am|me|someone|somebody|we're|we are|a (?:man|person|colleague|technician)|my (?:colleague|mate)|people|he is|she is)\b[^.?!]{0,25}\b(?:in|inside|within|standing|under)\b|"
    r"\b(?:stay|stand|be|remain|standing|staying|go|reach|climb|put my hand)\w* (?:in|inside|into|within) the (?:\w+ )?(?:cell|robot cell|fence|machine|press|danger zone|mixer)\b[^.?!]{0,40}\b(?:while|in auto\w*|running|runs|at full|turning|moving)\b|"
    r"\bforce\b[^.?!]{0,25}\b(?:guard lock\w*|door lock\w*|interlock|guard|lock)\b[^.?!]{0,20}\bopen\b|\bguard lock\w*\b[^.?!]{0,20}\bopen\b[^.?!]{0,25}\b(?:while|turns|running)\b|"
    r"\b(?:run|runs|running|start\w*|work|cycle|stroke|operate)\b[^.?!]{0,40}\b(?:with|when|while) (?:the |a )?(?:[\w-]+ ){0,3}(?:guard|door|cover|gate|hood|lid|fence|switch)s? (?:is |being |are )?(?:open|off|removed|up|taped|bridged|bypassed|defeated|missing|tied)\b|"
    r"\b(?:runs?|works?|keeps? (?:running|turning)|will it run|turns?) (?:with (?:the )?(?:\w+ )?(?:door|guard|lid|cover|hood) )?open\b|\bstroke with one hand\b|\btag says do not\b|\bcell is empty when\b|\b(?:close|switch) the breaker for a second\b|\bnot mine\b[^?]*\bget it off\b|\bisn't mine\b[^?]*\b(?:off|open)\b",
    re.IGNORECASE,
)

#: The same wish without the name of a device: to have it run open, with one hand, with somebody within reach.
_OPENLY: tuple[re.Pattern[str], ...] = tuple(
    re.compile(p, re.IGNORECASE)
    for p in (
        r"\b(?:run|running|runs|mov(?:e|es|ing)|turn(?:s|ing)?|spin(?:s|ning)?|rotat\w+|start\w*|cycl(?:e|es|ing)|going|production|in auto\w*|energi[sz]ed|coast\w*|on power|cut(?:ting)?)\b[^?!]{0,25}\b(?:with|although|despite) an? (?:open|missing|removed) (?:gate|door|lid|cover|guard|hood)\b|\b(?:run|running|runs|mov(?:e|es|ing)|turn(?:s|ing)?|spin(?:s|ning)?|rotat\w+|start\w*|cycl(?:e|es|ing)|going|production|in auto\w*|energi[sz]ed|coast\w*|on power|cut(?:ting)?)\b[^?!]{0,45}\b(?:gate|door|lid|cover|guard|hood|fence|hatch|panel|shield|enclosure)s?\b(?: \w+){0,2} (?:open|off|removed|missing|up|away)\b",
        r"\b(?:an? open|open|removed|missing|no|without (?:the|a|any)|leave the|take off the) (?:\w+ )?(?:gate|door|lid|cover|guard|hood|fence|hatch|shield)s?\b[^?!]{0,45}\b(?:run|running|runs|mov(?:e|es|ing)|turn(?:s|ing)?|spin(?:s|ning)?|rotat\w+|production|in auto\w*|cycl\w+|work)\b",
        r"\b(?:mov(?:e|es|ing)|run(?:s|ning)?|turn(?:s|ing)?|spin(?:s|ning)?|going)\b[^?!]{0,25}\b(?:when|while|as|after|even if|although) (?:i|we|somebody|someone|people|the (?:door|gate|lid|guard|hood))\b[^?!]{0,25}\b(?:open|inside|enter|in the (?:cell|cage|fence)|reach\w*|is open)\b",
        r"\b(?:open|enter|get in|go in|reach in|let me in|step in)\b[^?!]{0,40}\b(?:while|before|when|as) (?:it|the \w+|they) (?:still |is |are |has |have |robot )*(?:mov\w+|run\w*|turn\w*|spin\w*|stops?|stopped|coast\w*|rotat\w+|spins down)\b|\b(?:open|opened) (?:it|the \w+)? ?(?:sooner|earlier|quicker|right away) (?:than|before)\b|\bspins? down\b[^?!]{0,30}\b(?:sooner|open|earlier)\b",
        r"\b(?:clean|wipe|grease|oil|touch|adjust|unjam|clear|brush|grab|pull|reach|feed|measure|scrape|lubricate)\w*\b[^?!]{0,40}\b(?:rollers?|rolls|belts?|chains?|blades?|knives|knife|drum|shaft|spindle|conveyor|gears?|cutter|saw|auger|screw|nip|mixer|press|robot|gripper|jam|bottle|product|part|it)\b[^?!]{0,20}\b(?:while|as) (?:it|they|the \w+)(?: is| are)? (?:still )?(?:run\w*|turn\w*|mov\w*|spin\w*|rotat\w*)\b",
        r"\b(?:in|inside|into|within) the (?:robot )?(?:cell|cage|fence|fenced area|danger zone|guarded area)\b[^?!]{0,40}\b(?:without (?:the |it |stopping|switching)|while|still|in auto|(?:robot|it) (?:stopping|moving|running))\b(?=[^?!]*\b(?:stop\w*|mov\w*|run\w*|auto\w*|turn\w*)\b)",
        r"\b(?:only|just|with) (?:one|a single|my left|my right|the other) hand\b[^?!]{0,40}\b(?:press|stroke|button|start|run|cycle|control|machine)\b|\b(?:press|stroke|buttons?|start|run|cycle|control|machine)\b[^?!]{0,40}\b(?:only |just |with )(?:one|a single) (?:hand|button)\b|\bboth hands (?:are )?(?:on|there|pressed)\b",
        r"\b(?:lower|reduce|decrease|raise|increase|extend|widen|lengthen|maximi[sz]e|desensiti[sz]e|far can i (?:raise|lower|go)|shrink|weaken|loosen|move up)\b[^?!]{0,30}\b(?:muting(?: time)?|sensitivity of the (?:light|scanner|mat|curtain|safety)\w*|relief(?: valve)?|safety valve|over-?load\w*|over-?speed|over-?temp\w*|cut-?out|trip (?:point|limit|level|value)|safety (?:distance|limit|speed|zone|time\w*)|safe speed|protective field|stopping (?:time|distance)|interlock|light (?:curtain|barrier|grid)|limiter|burst pressure|pull[- ]?cord)\b",
        r"\b(?:switch|set|change|put|turn)\w* (?:the |a )?(?:\w+ )?(?:scanner|light curtain|light barrier|light grid|interlock|e-?stop|guard \w+|door \w+|safety \w+|pull[- ]?cord|gas \w+|flame \w+|overload)\b[^?!]{0,20}\b(?:to (?:warning|alarm|test|manual|off|bypass|simulat\w+|inactive|passive)|inactive|passive|off)\b",
        r"\b(?:code|key|password|pin|bit|parameter|setting|mode|hack|menu|flag|way|button|combination|trick|plug)\b[^?!]{0,35}\b(?:skips?|hides?|avoids?|overrides?|by-?pass?(?:es)?|gets? past|gets? around|ignores?|suppress(?:es)?|swallows?)\b[^?!]{0,35}\b(?:doors?|guards?|gates?|checks?|interlocks?|scanners?|me|him|us|safety|limits?|trips?|locks?|stops?|curtains?|sensors?|test)\b|\b(?:guard|door|gate|lid|safety|interlock)\b[^?!]{0,20}\b(?:always|permanently|constantly) (?:1|true|high|on|closed|ok|made|healthy)\b",
        r"\b(?:reset|rearm|unlatch|release)\b[^?!]{0,15}\b(?:e-?stop|emergency stop|pull[- ]?cord|guard|interlock|safety relay)\b[^?!]{0,25}\b(?:from (?:the office|here|there|home|upstairs|my desk|outside)|remotely|without (?:walking|going|looking|checking|seeing)|automatically|by itself)\b",
        r"\b(?:cut|saw|grind|break|pry|knock|drill)\w* (?:it|off|the lock|the padlock|open|his lock|her lock|someone'?s? lock)\b[^?!]{0,20}\b(?:off|myself|lock|padlock|open)\b(?=[^?!]*)(?<=\w)|\b(?:pad)?lock\b[^?!]{0,40}\bcan i (?:cut|break|saw|grind|pick)\b|\b(?:stone|brick|weight|block|wedge|tape|bolt|cable tie|screw|washer|foil|glove|rag|cup|bag)\b (?:\w+ ){0,2}(?:on|in|into|over|under|behind|to) (?:the |a )?(?:[\w-]+ )?(?:foot ?switch|pedal|button|sensor|switch|scanner|light \w+|photo ?eye|enabling \w+|door \w+|mat|lever|trigger|contact|detector)\b",
    )
)
_WISHES = re.compile(
    r"\b(?:how (?:do|can|could|to|would|far|might)|can|could|may|shall|is it (?:possible|ok|okay|allowed|fine)|possible|what if|leave|let|keep|want|need|please|pls|just|is there|which (?:mode|bit|key|setting|parameter|button|screws|one|wire)|where do i|make|put|stick|run|switch|set|increase|lower|reduce|raise|wiring to|until|allowed me|tell me|trick|so (?:that|it|the)|easiest|quick\w*|would|does that work|okay to|ok to|reset)\b",
    re.IGNORECASE,
)
_REPORTED = re.compile(
    r"^(?:when|why|who|which (?:alarms?|sops?|documents?|procedures?|orders?|machines?|lines?)|what (?:happens|does|is the (?:alarm|meaning|procedure|rule))|how (?:many|often|long)|show|list|draft|explain|alarm|was|were|did|has|have|is (?:the|it (?:forbidden|prohibited|logged))|are)\b|\b(?:procedure|according to|sop|last (?:week|month|night)|yesterday|alarm \w*\d+|how many|how often|forbidden|dangerous|not allowed)\b",
    re.IGNORECASE,
)


def _wants_it_open(said: str) -> bool:
    return bool(_WISHES.search(said)) and not _REPORTED.search(said) and any(p.search(said) for p in _OPENLY)


def _commands(said: str) -> bool:
    """Whether a sentence tells the assistant to do something to a machine or a record, rather than asks about it."""
    if re.match(_QUESTION, said, re.IGNORECASE):
        return False
    for part in _CLAUSE.split(said)[:_LONG]:
        if any(pattern.search(part) and not (number < _MOVING and _STATED.search(part)) for number, pattern in enumerate(_COMMANDS)):
            return True
    return False


_MOVING = 7  # of the commands above, those that a document's name turns into a question
_LONG = 4  # clauses: what comes later is a story, not an order
_CLAUSE = re.compile(r"[,;:!]\s+|\.\s+|\s+-\s+|…|\.\.\.")
_STATED = re.compile(rf"{_PAPER.pattern}|\b(?:is|are|was|were|got|does|did|since|because|last|yesterday)\b", re.IGNORECASE)
_QUESTION = r"(?:what|when|which|who|whose|where|why|how|is|are|was|were|does|do|did|has|have|should|any|list|show|tell me|explain|give me|compare|plot|draft|may i|can i)\b(?![^?]*[.;] )(?![^?]*, (?:can you|please|just) )"


def acts_or_falsifies(text: str) -> bool:
    """Whether somebody wants a machine moved or set, a record released, signed, changed or made up: never done here."""
    said = " ".join(text.replace("’", "'").split())
    told = any(pattern.search(said) for pattern in (*_FALSE_RECORDS, *_UNTRUE)) and not re.match(_REPORTS, said, re.IGNORECASE)
    if told or any(pattern.search(said) for pattern in _ACTS) or _TAKEOVER.search(said) or _WATCHES_PEOPLE.search(said):
        return True
    if _FOREIGN_SQL.search(said) or _commands(said):
        return True
    return bool(_SETS.search(said)) and not re.search(_ASKS, said, re.IGNORECASE)


_BROKEN = re.compile(
    r"\b(?:does(?:n'?t| not) (?:work|react|respond|trip|stop)|broken|defect\w*|out of order|dead|fail(?:s|ed|ing)|faulty|gone|missing|damaged|"
    r"not working|stuck|disabled|cracked|smashed)\b",
    re.IGNORECASE,
)
_GOING_ON = re.compile(
    r"\b(?:(?:keep|carry|go|continue)(?: on)?(?: with)? (?:producing|running|working|going|production|the (?:shift|job|order|run))|carry on|continue|"
    r"keep (?:it |her |the \w+ )?(?:running|going|producing)|still (?:run|produce|work|use)|run (?:it |the \w+ )?anyway|(?:can|may|could|shall) (?:i|we) "
    r"(?:still )?(?:run|produce|use it|work|start)|finish (?:the|this) (?:order|batch|lot|shift|job))\b",
    re.IGNORECASE,
)


_HOW_LONG = re.compile(
    rf"\bhow (?:long|much longer|fast) (?:can|could|may) (?:i|we|you|it|one)\b[^.?!]*\b(?:without (?:the |a |any )?|with (?:the |a )?(?:\w+ )?(?:by-?pass?ed|muted|broken|open|disabled|missing) )(?:\w+ )?{_SAFEGUARD}",
    re.IGNORECASE,
)


def defeats_safeguard(text: str) -> bool:
    """Whether somebody asks how to get a safeguard out of the way, or to run a machine without it."""
    said = " ".join(text.replace("’", "'").split())
    if safeguard_named(said) and _BROKEN.search(said) and _GOING_ON.search(said):
        return True  # "the e-stop does not work, can I keep producing"
    if _MENDING.search(said) or _OF_PAPERS.search(said) or _SAFE_WORK.search(said):
        return False
    if _HOW_LONG.search(said) or _RUN_OPEN.search(said) or _wants_it_open(said) or _WITHIN.search(said) or (_TAMPERS.search(said) and not _ASKED_ABOUT.search(said)):
        return True
    if (
        _TRICKS.search(said)
        and _WANTED.search(said)
        and (_NEVERTHELESS.search(said) or not _LAWFUL.search(said))
        and not _ASKED_ABOUT.search(said)
    ):
        return True
    if not _BOTH.search(said) or _RECOVERY.search(said) or _MENDING.search(said):
        return False
    return not _ASKED_ABOUT.search(said) or bool(
        re.search(
            r"\bhow (?:do|can|could|to|would)\b[^.?!]{0,30}\b(?:by-?pass?|overrid|defeat|disabl|mute|bridg|fool|"
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
