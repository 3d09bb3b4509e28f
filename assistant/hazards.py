"""Danger to people, heard in a question: fire, smoke, gas, injury, electric shock, entrapment, spills.

By a list of expressions and the plant model's own words, never by a model alone: `detect` names every danger that a
sentence reports as present, however it is worded, and stays silent on the same words in peaceful use ("smoke test",
"fire drill", "no smoke", "gas spring"). A miss costs more than a false alarm, so a doubtful report counts.
tests/test_hazards.py holds both lists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_BODY = r"(?:arms?|hands?|fingers?|thumbs?|legs?|foot|feet|toes?|hair|sleeves?|glove[sd]?|heads?|eyes?|faces?|skin|wrists?|elbows?|knees?|backs?|neck|body|skull|chest|ribs?|ankles?)"
_WHO = (
    r"(?:some ?(?:one|body)|some(?:one|body) else|a (?:man|woman|guy|person|worker|colleague|kid|visitor|driver|"
    r"temp|fitter)|(?:my|our|the|one|another|a)(?: \w+)? ?(?:colleagues?|mates?|co-?workers?|operators?|workers?|"
    r"guys?|lads?|girls?|man|woman|men|people|person|fitters?|technicians?|mechanics?|electricians?|drivers?|"
    r"apprentices?|trainees?|visitors?|welders?|cleaners?|contractors?|boys?|lady|chap|employee|team ?mate|"
    r"foreman)|"
    r"he|she|they|we|i|i'm|i've|people|a lad|man|colleague|operator|worker|person)"
)
_TOXIC = r"(?:gas|ammonia|nh3|chlorine|h2s|hydrogen(?: sulphide| sulfide)?|carbon monoxide|methane|propane|butane|acetylene|lpg|solvent|fumes|vapou?rs?|refrigerant|nitrogen|argon|co2|freon|ethylene oxide|formaldehyde|phosphine|sulphur|sulfur)"

#: Expressions per danger. Each is searched in the sentence after the peaceful uses below were taken out.
DANGERS: Mapping[str, tuple[str, ...]] = {
    "fire": (
        r"\bfires?\b(?!\s*(?:and|&)\s*safety)", r"\bflames?\b", r"\bflaming\b", r"\bablaze\b", r"\bblaze\b",
            r"\binferno\b",
            r"\bsmou?lder\w*",
            r"\bignited\b",
            r"\bcaught light\b",

            r"\b(?:is|are|was|it'?s|something'?s?|smth|started|starts|stuff|cabinet|motor|panel|belt|cable|wir(?:e|"
            r"ing)|oil|machine|dust|filter)(?: is| are)? (?:still |really |actually |now )*burning\b(?! (?:off|in\b|"
            r"through|rate|time|more|less|gas|money|hours?))",
        r"\bsmell(?:s|ed|ing)?(?: of| like)? (?:something |sth )?(?:burn\w*|scorch\w*|fire|melting|charred)",
            r"\bburn(?:ing|t|ed)? (?:smell|odou?r|stench|plastic|rubber|insulation|wires?|cables?)",
        r"\bexplo(?:ded?|ding|sion)\b",
            r"\bspark(?:s|ing)\b[^.?!]{0,20}\b(?:flying|coming|out of|from the|everywhere)\b",
            r"\bblew up\b",
            r"\bbrennt\b|\bfeuer\b",
    ),
    "smoke": (
        r"\bsmok(?:e|ing|y)\b", r"\bfumes? (?:coming|pouring|everywhere|out|rising|in the)\b", r"\bis smoking\b",
            r"\bsmo[ck]e? (?:coming|out|from)\b",
            r"\brauch\b",
    ),
    "gas": (
        rf"\bsmell(?:s|ed|ing)?\b[^.?!]{{0,25}}\b{_TOXIC}\b",
            rf"\b{_TOXIC}(?: pipe| line| bottle| cylinder| hose| valve| tank)?(?: is| are)?(?: \w+)? (?:leak(?:s|ing|"
            rf"ed|age)?\b(?! (?:test|rate|check|detect))|escap\w+|venting|hissing|smell\b|odou?r\b|alarm (?:is|went|"
            rf"going|sound))",
        rf"\bleak(?:s|ing|ed|age)? (?:of |some )?{_TOXIC}\b", rf"\b(?:release|cloud) of {_TOXIC}\b",
            r"\brotten eggs?\b",
            r"\bgas (?:detector|sensor|warning|alarm)s? (?:is |are |has |just |keeps? )?(?:on|red|sound\w*|went|"
            r"going|scream\w*|trigger\w*|beep\w*|triggered)\b",
        r"\b(?:i|we|people) (?:feel|are|am|got|get)(?: \w+)? (?:dizzy|light-?headed)\b",
    ),
    "injury": (
        rf"\b{_WHO}\b[^.?!]{{0,30}}\b(?:slipped|tripped|went down|fell|is down|on the (?:floor|ground))\b[^.?!]{{0,40}}"
        r"\b(?:can'?t|cannot|can not|not|won'?t|doesn'?t|isn'?t)\b",
        rf"\b{_WHO}\b[^.?!]{{0,12}}\b(?:can'?t|cannot|can not) (?:get up|stand up|breathe|move(?= ?(?:$|[.,!?]|any ?more|his|her|my))|"
        r"feel (?:his|her|my) \w+)",

            rf"\b{_WHO}\b(?:'s|'re| is| are| was| has| have| had| just| got| been| badly| seriously| himself| "
            rf"herself| really| also| been)* (?:hurt|injured|bleeding|unconscious|collapsed?|fainted|wounded|"
            rf"burn(?:ed|t)|scalded|knocked out|not (?:breathing|moving|responding|responsive)|unresponsive|passed "
            rf"out|fell|fallen|hit by|struck by|run over|crushed|choking|having a (?:heart attack|seizure|stroke)|"
            rf"dying|dead|cut (?:his|her|my|their|badly))\b",

            rf"\b(?:cut|hurt|burn(?:t|ed)?|scald(?:ed)?|crush(?:ed)?|smash(?:ed)?|broke|broken|injured|lost|"
            rf"squash(?:ed)?|slic(?:ed|ing)|stab(?:bed)?|sever(?:ed)?|sprained|twisted|pinch(?:ed)?|tore|hit|nailed|"
            rf"drilled|punctured) (?:off )?(?:himself|herself|myself|(?:my|his|her|their|a|the|one'?s|2|two|both|"
            rf"part of (?:his|her|my))(?: \w+)? {_BODY})\b",

            r"\bbleeding\b(?! (?:edge|air|the|off|valve|hydraulic|a|of|screw|nipple|brake|system|pump|procedure|"
            r"circuit|line))",
            r"\bblood\b(?! (?:pressure|bag|bank|tube|plasma|line))",
            r"\bunconscious\b",
            r"\bambulance\b",
            r"\bparamedics?\b",
        r"\bheart attack\b", r"\bnot breathing\b", r"\bstroke of heat\b|\bheat stroke\b",
            r"\bfirst[- ]aid(?:er)?s? (?:needed|now|please|is needed|required|quick\w*|asap|to)\b",
            r"\b(?:need|get|call|send|fetch)(?: us| me)?(?: a| the| some)? (?:first[- ]aid\w*|medic\w*|doctor|"
            r"nurse)\b",

            r"\b(?:acid|caustic|lye|chemicals?|coolant|solvent|hot oil|steam|cleaner|chips?|splash\w*|something|"
            r"swarf|glue)\b[^.?!]{0,25}\b(?:in|into|on|over|to) (?:my|his|her|their|someone'?s|the guy'?s|a "
            r"colleague'?s) (?:\w+ )?(?:eyes?|face|skin|hands?|arms?|legs?)\b",

            rf"\b{_BODY} (?:is|are|was|got|has been) (?:\w+ )?(?:bleeding|broken|crushed|burn(?:t|ed)|cut|sliced|"
            rf"severed|amputated|scalded)\b",
            r"\baccident\b(?! (?:book|report|log|free|statistic|rate|record|form|prevention|investigation|procedure|"
            r"insurance|number|frequency|figures?)s?\b)",
            r"\binjured\b",
            r"\b(?:there(?:'s| is| was| has been)|we have|serious|bad|head|hand|eye|new) (?:an? |been an? "
            r")?injur(?:y|ies)\b",
        r"\bverletzt\b", rf"\bbroken {_BODY}\b",
            rf"\b{_WHO}\b[^.?!]{{0,40}}\b(?:passed out|fainted|collapsed|keeled over|not waking up|is choking|has a "
            rf"seizure)\b",

            r"\b(?:fell|fallen|falling|dropped) (?:off|from|down|into|through) (?:the|a|his|her|our) (?:\w+ "
            r")?(?:ladder|platform|stairs|scaffold\w*|roof|mezzanine|forklift|lift|pit|machine|truck|steps|walkway|"
            r"tank|gantry|dock|crane)\b",
    ),
    "electric_shock": (
        r"\belectrocut\w+",
            r"\belectric(?:al)? shocks?\b(?! (?:protection|training|hazard|risk|absorb|test|sticker|sign|warning|"
            r"prevention|instruction|procedure))",
            r"\b(?:got|get|gets|getting|gives?|gave|giving|received|had|felt|took|take) (?:\w+ ){0,3}(?:shocks?|"
            r"shocked|jolt|zap)\b(?! (?:absor|load|test|pulse))",
        r"\b(?:got|get|been|was|were|being|gets) (?:\w+ )?(?:zapped|shocked|electrified)\b",
            r"\bzapped (?:me|him|her|us|someone|somebody)\b",
            r"\bshocked (?:me|him|her|someone|somebody)\b",
            r"\bhousing is live\b|\blive (?:wires?|cables?|conductor)s? (?:hanging|exposed|lying|on the floor|"
            r"touch\w*)\b",

            r"\b(?:tingl\w+|prickl\w+)\b[^.?!]{0,40}\b(?:touch\w*|housing|frame|cabinet)\b|"
            r"\btouch\w*\b[^.?!]{0,40}\btingl\w+",
            r"\bstromschlag\b",
            r"\barc flash\b(?! (?:study|label|suit|training|ppe|rating|boundary|assessment))",
    ),
    "entrapment": (

            rf"\b{_BODY}(?:'s| is| are| was| got| gets| has| have| been| still| in the \w+ and| being)* (?:trapped|"
            rf"stuck|caught|pinned|jammed|wedged|crushed|pulled in(?:to)?|drawn in(?:to)?|dragged in(?:to)?|sucked "
            rf"in(?:to)?|entangled|in the (?:machine|press|rollers?|belt|nip))\b",

            rf"\b(?:trapped|caught|stuck|pinned|crushed|jammed|got|wedged|has|have|lost) (?:my|his|her|their|a|the|"
            rf"someone'?s|somebody'?s) (?:\w+ )?{_BODY} (?:trapped|caught|stuck|in|under|between|inside|into|on "
            rf"the)\b",

            rf"\b(?:trapped|caught|pinned|jammed|crushed|wedged) (?:my|his|her|their|someone'?s|somebody'?s) (?:\w+ "
            rf")?{_BODY}\b",

            rf"\b{_WHO}\b(?:'s|'re| is| are| was| got| gets| has been| have been| has| stuck| still| been)* "
            rf"(?:trapped|caught (?:in|between|under|by)|pinned|stuck (?:in|inside|under|between)|crushed|locked "
            rf"(?:in|inside)|pulled into|drawn into|dragged into|buried|entangled|jammed (?:in|between))\b",

            r"\b(?:person|someone|somebody|man|worker|colleague|operator) (?:inside|under) (?:the|a) (?:running |"
            r"moving )?(?:machine|press|robot|cell|tank|vessel|conveyor|silo|pit|load|truck|forklift)\b[^?]*$",
        r"\bentrapment\b(?! (?:training|risk|procedure|hazard|protection|drill))", r"\beingeklemmt\b",
    ),
    "spill": (

            r"\b(?:acid|caustic|chemical|solvent|lye|mercury|ammonia|chlorine|fuel|diesel|bleach|"
            r"peroxide)s?\b[^.?!]{0,20}\b(?:spill(?:ed|s|ing|t|age)?|leak(?:ing|ed|s)? (?:on|onto|over|out)|all over|"
            r"everywhere|on the floor|running out|overflow\w*)\b(?! kit)",

            r"\bspill(?:ed|t|age)?\b(?: of)? (?:some |the |a )?(?:acid|caustic|chemical|solvent|lye|mercury|ammonia|"
            r"chlorine|diesel|bleach|peroxide)",
    ),
}  # fmt: skip

#: Peaceful uses, taken out before the search.
_PEACEFUL: tuple[str, ...] = (
    r"\bsmoking (?:breaks?|area|room|zone|ban|policy|rules?|shelter|corner|is (?:not )?(?:allowed|permitted|forbidden))\b",
    r"\b(?:fire|flash|burning|smoke) points?\b",

        r"\b(?:no|not|without|any|never|zero|nor|isn'?t any|free of|free from|no sign of|no signs of) (?:\w+ "
        r")?(?:more |visible |open |naked )?(?:smok\w+|fires?|flames?|burn\w*|injur\w+|gas(?: leak| smell)?|fumes?|"
        r"blood|bleeding|accidents?|shocks?|entrapment|leaks?)\b(?: or \w+)?",

        r"\b(?:nobody|no ?one|none) (?:is|was|got|has been|were|are|gets?)(?: \w+)? (?:hurt|injured|trapped|caught|"
        r"stuck|burn\w*|bleeding|shocked|wounded)\b",

        r"\b(?:isn'?t|aren'?t|wasn'?t|is not|are not|was not|doesn'?t|does not|didn'?t|don'?t) (?:\w+ )?(?:on fire|"
        r"smok\w+|burn\w*|hurt|injured|bleeding|trapped|smell\w*[^.?!]{0,15})\b",

        r"\bfire[- ]?(?:drills?|door\w*|extinguisher\w*|watch\w*|permits?|safety|alarm (?:test|system|certificat|"
        r"inspection|panel|schedule|maintenance)\w*|risk|escape\w*|exits?|blankets?|brigade (?:visit|access|"
        r"training)|protection|training|certificat\w+|marshal\w*|warden\w*|class\w*|rating|rated|plan|code|resist\w*|"
        r"proof|load|wall|hose|hydrant|suppression|detect\w*|inspection\w*|instruction|regulation\w*|procedure\w*|"
        r"insurance|officer|pump|water|tube|box|side|wire|wall|sprinkler\w*|dampers?|retardant|test\w*|clay|brick\w*|"
        r"evacuation|assembly|policy|log ?book|department (?:visit|access)|prevention|sensor (?:test|calib)\w*|"
        r"concept|authority|system)",
    r"\b(?:cease|mis|back|quick|rapid|gun|camp|test|open|wild)[- ]?fires?\b",
        r"\bfires? (?:up|rate|order|at \d|every|the (?:trigger|burner|cylinder|valve|event|sensor|ejector))",
        r"\b(?:cylinder|sensor|valve|trigger|laser|burner|nozzle|gun|ejector|pusher|flash|head|camera|solenoid|"
        r"relay)s? (?:doesn'?t |does not |won'?t |will not |not |is not |no longer |to )?fires?\b",
        r"\b(?:put(?:ting)? out|fight(?:ing)?) fires (?:all|every|again)\b",
    r"\b(?:crossfire|fired|firing|fireproof|fireplace)\b", r"\bunder fire\b",
        r"\b(?:should|can|could|will|would|must|to|did|does|do|going to) (?:i |we |you |they |he |she |each |the |"
        r"this |that |it |\w+ (?:code|alarm) )*fire\b",
        r"\b(?:codes?|alarms?|events?|triggers?|interlocks?|limits?|rules?|timers?|faults?) (?:\w+ )?fires?\b",

        r"\bfires? (?:in|of|from|on|last|during) (?:the )?(?:(?:19|20)\d\d|last|spring|summer|autumn|winter|january|"
        r"february|march|april|may|june|july|august|september|october|november|december)\b",
        r"\b(?:after|since|before|from) (?:the|our|last \w+'?s) (?:\w+ )?fire\b",

        r"\b(?:quantit(?:y|ies)|numbers?|counts?|scrap|downtime|ncs?|ncrs?|costs?|rates?|alarms?|backlog|stops?|"
        r"consumption|usage|complaints?|orders?|stock)\b[^.?!]{0,12}\bexplod\w+",
        r"\bfire (?:him|her|them|someone|people|anyone|the (?:boss|manager|guy|operator))\b",
    r"\bflame (?:eye|rods?|tubes?|holder|cell|relay|amplifier|colou?r|cone|height)s?\b",
        r"\b(?:pilot|burner|torch|plasma|oxy\w*|cutting|heating|sensor|uv) flames?\b",
        r"\bflames?[- ](?:sensor|detector|rod|scanner|monitor\w*|treat\w*|harden\w*|signal|guard|arrest\w*|"
        r"ioni[sz]ation|failure|fault|current|cut\w*|spray\w*|control\w*|retard\w*|proof|supervis\w*|lost)",
        r"\bloss of flame\b|\bflame (?:out|off|loss|lost)\b|\bflame ?out\b",

        r"\bsmok(?:e|ing) (?:heads?|test\w*|detector\w*|sensor\w*|alarm (?:test|certificat|inspection|batter)\w*|"
        r"house|chamber|extract\w*|point|opacity|machine|generator\w*|density|break|area|tunnel|cabinet|kiln|"
        r"flavou?r|pen\w*|pencil|meter|value|index|number|glass|room|oven|program\w*|policy|ban|hood|vent\w*|"
        r"damper\w*|zone|shed|hut|rules?|pencils|tubes?)\b",
    r"\bsmoking (?:is )?(?:allowed|permitted|forbidden|policy|rules|corner|room|hut|gun)\b",
        r"\b(?:allowed to|may i|can i|where (?:can|may) (?:i|we|one)) (?:\w+ )?smoke\b",
        r"\b(?:smoked|smokeless|smoker|chain smok\w+)\b",
        r"\b(?:salmon|ham|bacon|sausage|fish|cheese|meat)\b[^.?!]{0,20}\bsmok\w+",
        r"\b(?:oven|house|kiln) smoking\b",

        r"\bgas (?:spring\w*|struts?|consumption|usage|use\b|meter\w*|pressure\w*|flow\w*|bill|price|supply|supplier|"
        r"mix\w*|turbine|engine|boiler\w*|burner\w*|oven\w*|assist|analys\w+|chromat\w*|quench\w*|nitrid\w*|"
        r"carburi\w*|nozzle\w*|lens\w*|filter\w*|regulator\w*|bottle (?:change|swap|stock)\w*|cylinder (?:change|"
        r"swap|stock)\w*|detector (?:cal|test|cert|inspect|service|bump)\w*|sensor (?:cal|test|cert|inspect)\w*|"
        r"train|valve (?:test|proving)\w*|station|line (?:test|press)\w*|counter|tight\w*|leak (?:test|detect|check|"
        r"rate)\w*|shield\w*|tank level)\b",
    r"\bleak(?:age)?[- ]?(?:test\w*|rates?|check\w*|detect\w*|tight\w*)\b",
        r"\b(?:shock (?:absorb\w*|load\w*|pulse\w*|wave\w*|test\w*|sensor\w*|freez\w*|cool\w*|mount\w*|proof|"
        r"resist\w*|dos\w*|monitor\w*)|(?:thermal|temperature|culture|pressure|mechanical|price|sticker) shocks?)\b",

        r"\b(?:burn[- ]?in|burn[- ]?off|burning (?:rate|time|gas|oven)|burn[- ]?through|burner\w*|burnish\w*|burning "
        r"(?:more|less|through)|burn marks?|sunburn|burnout|burnt? (?:edges?|coffee|toast|bread|biscuits?|crust|"
        r"sugar|product|parts?|surface|corner|cookies?|spots?|marks?))\b",

        r"\b(?:injury|injuries|accident)s? (?:rate|report\w*|statistic\w*|log|book|figures?|numbers?|frequency|free|"
        r"form|record\w*|prevention|count|per|trend|investigation|insurance|procedure)s?\b",
        r"\b(?:lost[- ]time|reportable|recordable) (?:injur\w+|accidents?)\b",
        r"\b(?:how many|number of|count of|any|last|previous|list of|list|show|report of|rate of|days since(?: the)? "
        r"last) (?:\w+ )?(?:injur\w+|accidents?|fires?|incidents?)\b",
    r"\binjury\b(?= (?:and|or) )", r"\bby accident\b",
        r"\b(?:dead|live) (?:lock|line|time|band|centre|center|stop|weight|load|man|blow|plate|data|view|tool\w*|"
        r"steam|end|head|leg|zone|spot|battery)\b",

        r"\b(?:robot|swing|loader|loading|picker|pick|transfer|gripper|lever|rocker|tool(?: changer)?|changer|"
        r"handling|swivel|control|actuator|clamp(?:ing)?|support|boom|label(?:ler)?|pivot|scara|delta|cobot|"
        r"mechanical|feeder|rotating|torque|tension|dancer|wiper|pusher|kicker|reject|crank|stop|drive|tone|"
        r"hydraulic|vacuum|folding|float)[- ]?(?:arms?|hands?|fingers?|heads?|feet|foot)\b",

        r"\b(?:print|spray|cutting|welding|filling|capping|mixing|milling|drill(?:ing)?|sealing|tool|spindle|"
        r"cylinder|shower|read|write|pump|grinding|boring|turret|capper|filler|screw|nail|dosing|labell?ing)[- "
        r"]?heads?\b",
        r"\b(?:second|minute|hour|clock|gauge|gage|left|right|first|other|stock on|at|by|to|off|on|in|second-|"
        r"secondhand)[- ]hand\b",
        r"\bhands[- ](?:on|free|off)\b",

        r"\b(?:seal|jaw|machine|press|conveyor|clamp|leveling|levelling|mounting|rubber|anti-vibration|square|cubic) "
        r"(?:feet|foot|face|faces|skin|neck|body|chest|back)\b|\b(?:valve|pump|bottle|housing|lamp|main|meter|gear) "
        r"(?:body|bodies|neck|head|face)\b|\bback(?:s|ed)? (?:up|to|off|on|in|again|online|running|log)\b",
    r"\bcoffee (?:machine|maker)\b",
        r"\bin case of (?:a |an )?(?:fire|smoke|injury|gas|accident|emergency|leak|electric shock)\w*\b",
        r"\bin the event of (?:a |an )?(?:fire|smoke|gas|injur|accident|leak)\w*\b",
        r"\b(?:training|course|certificat\w+|qualified|trained|instruction|procedure|sop|policy|poster|audit|"
        r"checklist) (?:for|on|in|about|against) (?:a |an )?(?:fire|smoke|gas|first aid|injur\w+|electric(?:al)? "
        r"shocks?|entrapment|accidents?|leaks?|chemical spills?|spills?)\b",

        r"\bfirst[- ]aid(?:ers?)? (?:certificat\w+|kit|box|training|course|qualif\w+|list|on|cabinet|expire\w*|"
        r"refresher|room|supplies)\w*\b",
        r"\bnitrogen (?:blanket|purge|pressure|consumption|flow|supply|level|usage|generator)\w*\b",
    r"\b(?:hit|struck) by\b(?= (?:the )?(?:downtime|delay|shortage|scrap|inflation|strike))",
        r"\bdust explosion (?:risk|zone|protection|certificat|document)\w*\b|\bexplosion[- ]?(?:proof|protect\w*|"
        r"zone|risk|document|vent\w*|drawing|view|panel)\w*\b|\bexploded (?:view|drawing)s?\b",
    r"\bcut his (?:losses|hours|pay)\b|\b(?:cut|lost|broke) (?:a|the) (?:corner|deal|record)\b",
)  # fmt: skip

_compiled = {name: [re.compile(p) for p in patterns] for name, patterns in DANGERS.items()}
_peaceful = [re.compile(p) for p in _PEACEFUL]
#: Names under which a plant model may keep a danger, beside its own.
_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "electric_shock": ("shock", "electricity", "electrical", "electric"), "injury": ("accident", "medical",
        "first_aid",
        "person"),
    "entrapment": ("trapped", "caught", "crushing"), "spill": ("chemical", "chemicals", "leak", "gas"), "gas": ("leak",
        "gas_leak",
        "chemical"),
    "smoke": ("fire",), "fire": ("smoke",),
}  # fmt: skip


def detect(text: str, plant_words: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The dangers reported in a sentence, as the plant model names them, each once.

    `plant_words` maps the model's hazards to its words for them; a word matches with its endings. A danger that the
    model does not know keeps the name used here, so that nothing is swallowed.
    """
    said = " ".join(text.lower().replace("’", "'").split())
    for pattern in _peaceful:
        said = pattern.sub(" - ", said)
    found = [name for name, patterns in _compiled.items() if any(p.search(said) for p in patterns)]
    named = [_as_named(name, plant_words) for name in found]
    for hazard, words in plant_words.items():
        judged = " ".join(p for name, ps in DANGERS.items() if _as_named(name, plant_words) == hazard for p in ps)
        for word in words:
            # Of words that the expressions above know, those are the better judges: "caught in" alone says nothing.
            if not all(part in judged for part in word.lower().split()) and _word(word).search(said):
                named.append(hazard)
    return tuple(dict.fromkeys(named))


def _as_named(name: str, plant_words: Mapping[str, Sequence[str]]) -> str:
    for candidate in (name, *_SYNONYMS.get(name, ())):
        if candidate in plant_words:
            return candidate
    return name


def _word(word: str) -> re.Pattern[str]:
    ending = r"(?:s|es|d|ed|ing)?" if word.isalpha() and len(word) > 3 else ""
    return re.compile(rf"\b{re.escape(word.lower())}{ending}\b")
