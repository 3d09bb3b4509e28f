"""The words of danger, by kind: who, which part of the body, what was done to it, what burns, what leaks, what holds.

`WORDS` maps a kind of word to an alternation of regular expressions over a text in lower case whose short forms are
written out ("he's" is "he is", "can't" is "can not"). `RULES` says which kinds make a danger when they stand near one
another, in either order; `SENTENCES` holds what needs an order. `PEACE` is taken out first, `RECORDS` marks a clause
that asks about papers, counts or the past. `KEYS` are the words that are recognised through a typing slip.
"""

from __future__ import annotations

from collections.abc import Mapping


def _words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BODY = (
    r"(?:arm|hand|finger|thumb|wrist|elbow|shoulder|leg|ankle|knee|forearm|fingertip|palm|knuckle|toe|rib|eye|eyelid|"
    r"cheek|lip|nostril|shin|thigh|calf|scalp|limb|sleeve|glove|trouser|jacket|ponytail|braid|scarf|shoelace|hood(?:ie)|"
    r"overall|apron|shirt|coat)s?|foot|feet|hair|skin|face|neck|chest|skull|spine|throat|stomach|belly|mouth|tongue|beard|calves"
)
_OWN_BODY = rf"{_BODY}|heads?|backs?|hips?|nose|ears?|clothes|clothing|boots?|shoes?|laces|heart"
_HE = r"(?:he|she|him|someone|somebody|some one|some body|everyone|everybody)"
_MEMBER = (
    r"(?:man|men|woman|women|guy|lad|girl|boy|kid|child|person|people|persons|human|colleague|coworker|co-?worker|workmate|"
    r"team ?mate|mate|buddy|operator|worker|employee|fitter|technician|mechanic|electrician|driver|apprentice|trainee|visitor|"
    r"welder|cleaner(?= (?:slip|fell|is|was|has|got|fainted|collaps|broke|hurt|cut|lost))|contractor|lady|chap|bloke|"
    r"foreman|supervisor|storeman|storekeeper|picker|packer(?= (?:slip|fell|is (?:hurt|bleed)|got hurt|fainted|collaps))|"
    r"temp(?= (?:slip|fell|is|was|has|got|fainted|collaps|cut|on the floor))|pedestrian|maintenance man|team leader|shift leader|"
    r"engineer|intern|student|inspector|painter|roofer|scaffolder|bystander|victim|casualty|patient|janitor|guard(?= (?:fell|"
    r"collaps|is hurt|fainted))|neighbour|brother|sister|son|daughter|father|friend|old man|old woman|miller|grinder man|planner|nurse|"
    r"casualties|labourer|laborer|helper|handyman|machinist|caretaker|stacker man|crew|staff)s?"
)
_TOXIN = (
    r"(?:gas|ammonia|nh3|chlorine|h2s|hydrogen(?: sul\w+)?|carbon monoxide|co2?(?= (?:alarm|leak|detector|meter|level|smell))|"
    r"methane|propane|butane|acetylene|lpg|lng|solvents?|fumes?|vapou?rs?|refrigerant|freon|nitrogen|argon|ethylene(?: oxide)?|"
    r"formaldehyde|phosphine|sul(?:ph|f)ur(?: dioxide)?|so2|nox|ozone|toluene|xylene|acetone|styrene|isocyanates?|ether|petrol|"
    r"gasoline|thinner|benzene|methanol|ethanol|peracetic|ipa(?= )|oxygen(?= (?:alarm|level|low|leak|bottle|cylinder|is low))|o2(?= alarm)|"
    r"fluor\w+|bromine|cyanide|arsine|silane|biogas|phosgene|hcl|hf(?= )|chemicals?)"
)
_LIQUID = (
    r"(?:acids?|caustic(?: soda)?|lye|alkali|sodium hydroxide|bleach|peroxide|hydrochloric|sul(?:ph|f)uric|nitric|chemicals?|"
    r"solvents?|mercury|diesel|fuel|petrol|thinner|acetone|ammonia|chlorine|cleaner(?: concentrate)?|cleaning (?:agent|"
    r"concentrate|fluid|chemical)|disinfectant|detergent|biocide|glycol|resin|hardener|isocyanate|toluene|xylene|"
    r"phosphoric|battery acid|electrolyte|etchant|degreaser|descaler|pesticide|formalin|paint stripper|peracetic|sanitizer|hypochlorite|brake cleaner)"
)
_HARM = (
    r"(?:hurt(?:s|ing)?|injur(?:ed|y|ies|ing)|wound(?:ed)?|maimed|burn(?:ed|t|s|ing)?|scald(?:ed|s|ing)?|gash(?:ed)?|lacerat\w+|"
    r"crush(?:ed|es|ing)?|smash(?:ed|es)?|squash(?:ed)?|squeezed|pinch(?:ed)?|broke|broken|fractur\w+|dislocated|sprained|"
    r"twisted|severed|sliced|slashed|stabbed|pierced|punctured|impaled|chopped|torn|tore|ripped|sawn?|sawed|drilled|nailed|stapled|"
    r"bleed(?:s|ing)?|bled|blood|blister\w*|swoll?en|swelling|numb|bruised|mangled|shattered|crooked|dangling|grazed|ran over|run over|"
    r"poked|bitten|scratched|scraped|jabbed|cut(?: off| open| up| deep\w*| bad\w*)?|lost|missing|hit|hits|struck|whacked|knocked|"
    r"splinters?|chip in|swarf in|stung|frostbite|frozen to|amputat\w+|stitches|deep cut|bone|tip off|hammered|in agony|poisoned)"
)
_TRAP = (
    r"(?:trap(?:ped|s)?|caught|stuck|pinned|pins|jammed|wedged|crushed|squeezed|squashed|pinched|clamped|entangled|tangled|entrapped|snagged|"
    r"wound (?:up|in|around|round)|wrapped(?: up)? (?:in|around|round)|buried|(?:pull(?:ed|s|ing)?|draw(?:n|s|ing)?|drew|drag(?:ged|s|ging)?|suck(?:ed|s|ing)?|"
    r"yank(?:ed|s)?|grabb?(?:ed|s)?|reel(?:ed|s)?|roll(?:ed)?|chewed)(?: \w+){0,3} (?:in|into|inside|under|up by)(?: (?:to|by|the))?|"
    r"(?:drawn|dragged|sucked|pulled)(?= by)|can ?not (?:\w+ )?(?:get|pull|be pulled|come|free|release|move)(?: \w+){0,2} (?:out|free|loose|away|off|back)|"
    r"can ?not (?:get|pull|free|release|move|lift|reach) (?:him|her|them|it)|locked (?:in|inside)|shut (?:in|inside)|closed (?:in|inside)|fast in|"
    r"hang(?:s|ing) (?:in|from|upside|over)|eingeklemmt|coincé\w*|atrapad\w+|incastrat\w+|held by|holds? (?:him|her|me|his|my)|grips? (?:him|his|her|my))"
)
_HEAVY = (
    r"(?:load|rack(?:ing)?|shelf|shelves|shelving|stack|beam|girder|pallets?|crate|roof|ceiling|wall|scaffold\w*|mezzanine|gantry|crane|hoist|"
    r"coil|mould|mold|die|tool|plate|steel|drum|barrel|forklift|fork lift|lorry|truck|container|bales?|sacks?|lift|elevator|door|gate|"
    r"press|ram|roll|reel|pipe|panel|machine|robot|cabinet|trolley|cart|agv|slab|sheet|block|bag|boxes|box|cases|counterweight|weight|ladder|platform|it|motor|gearbox|vehicle|van|tractor|digger|tank|silo|concrete|bricks?|timber|logs?|casting|ingot|ladle)"
)
_HOLDER = (
    r"(?:rollers?|rolls?|conveyor|belt|press|gears?|chain|sprocket|chuck|spindle|shaft|drum|auger|screw|shredder|granulator|mixer|blender|"
    r"mould|mold|die|clamp|gripper|guard|winder|calender|nip|nip point|pulley|saw|blades?|cutter|lathe|mill|drill|robot|robot cell|cell|baler|compactor|"
    r"machine|filler|capper|packer|case packer|palleti[sz]er|wrapper|labell?er|lift|elevator|hoist|cage|door|gate|hatch|tank|silo|vessel|pit|"
    r"hopper|bin|kettle|oven|freezer|cold store|cold room|coldroom|vat|tunnel|duct|manhole|rack|pallets?|load|forklift|fork lift|truck|lorry|car|roll cage|"
    r"dock|ramp|wheels?|cogs?|fan|impeller|star ?wheel|jaws?|knife|knives|guillotine|shear|shears|turntable|carousel|transfer|press brake|ram|plates?|tool|beam|stack|coil|container|scissor lift|lift table|grinder|planer|bander?|strapper|crane|cable|rope|motor|pump|agitator|dough|gearbox|slitter|rewinder|unwinder|reel|web|rotor|stairs|bogie|tram|rail)"
)

WORDS: Mapping[str, str] = {
    "person": rf"{_HE}|{_MEMBER}|i am|i have|i got|i",
    "other": rf"{_HE}|{_MEMBER}|his|her",
    "hurt": (
        r"hurt(?:s|ing)?|injured|wounded|maimed|burn(?:ed|t)|scalded|bleed(?:s|ing)|bled|stabbed|impaled|crushed|mangled|"
        r"poisoned|swallowed|inhaled|drank|gashed|half dead|in agony|cut (?:himself|herself|myself|bad\w*|deep\w*|open)|first[- ]aid\w*|second degree|screaming|doctor"
    ),
    "body": _BODY,
    "own_body": (
        rf"(?:my|his|her|their|our|one|someone's?|somebody's?|(?:\w+'s|{_MEMBER}'?s?|a|the|\w+ s)) (?:\w+ )?(?:{_BODY})|"
        rf"(?:my|his|her|their|someone's?|somebody's?|\w{{3,}}'s) (?:\w+ ){{0,1}}(?:{_OWN_BODY})|(?:in|on|to) the (?:head|eyes?|face|ribs|chest|skin|neck|arm|leg|stomach|mouth|nose|back of (?:his|her|the) \w+)"
    ),
    "harm": _HARM,
    "trap": _TRAP,
    # what only people suffer: enough alone
    "collapse": (
        r"unconscious(?:ness)?|faint(?:ed|ing|s)|passed out|passing out|blacked out|keeled over|knocked out|"
        r"man down|person down|colleague down|operator down|worker down|heart attack|cardiac arrest|cardiac|chest pains?|seizures?|"
        r"convuls\w+|epileptic|fitting on the floor|stroke(?= (?:i think|help|victim))|chok(?:ing|es)(?! (?:valve|point|hazard))|suffocat\w+|drown(?:ing|ed|s)(?! in)|"
        r"not (?:\w+ )?breath(?:ing|e)|stopped breathing|no pulse|no heartbeat|(?:hardly|barely|can ?not|struggling to|trouble|difficulty) breath(?:e|ing)|"
        r"out of breath|short of breath|gasp(?:ing|s) for|ambulance|paramedics?|casualt(?:y|ies)|(?:un)?responsive(?= (?:person|man|woman|colleague))|"
        r"amputat(?:ed|ion)|decapitat\w+|bled out|bleed(?:ing|s) (?:heav\w+|bad\w*|a lot|like|from (?:his|her|the|my) \w+|profusely|to death|everywhere)|"
        r"(?:lots?|pool|full|covered|trail) (?:\w+ )?(?:of|in|with) blood|blood (?:everywhere|all over|on the floor|running|is)|"
        r"throwing up|vomit(?:ing|s|ed)|puk(?:ing|ed)|overdose|heat ?stroke|sunstroke|hypothermia|allergic (?:shock|reaction)|anaphyla\w+|"
        r"(?:second|third|2nd|3rd)[- ]degree|compound fracture|concuss\w+|head injury|badly hurt|seriously hurt|got hurt|is hurt|are hurt|was hurt|were hurt|hurt (?:bad\w*|himself|herself|myself|themselves)|"
        r"(?:badly|seriously|severely) (?:injured|burn(?:t|ed)|wounded)|is dying|has died|is dead (?:on|under|i think)|"
        r"verletzt|bewusstlos|blutet|blessé\w*|herid[oa]s?|ferit[oa]|ranny|infortunio|sangrando|unfall|notarzt|krankenwagen|"
        r"first[- ]?aid(?:er)?s?(?: (?:needed|now|please|required|quick\w*|asap|to|at|here)|!)|defib\w*|aed(?= )|resuscitat\w+|cpr(?= (?:now|needed|on|is))|tourniquet"
    ),
    # what people do when something is wrong with them: with a person beside it
    "unwell": (
        r"not (?:\w+ )?(?:mov(?:e|ing)|respond\w*|react\w*|answer\w*|wak(?:e|ing)(?: up)?|talk\w*|standing up|get(?:ting)? up|conscious|see anything|feel\w*)|"
        r"can ?not (?:\w+ )?(?:get up|stand(?: up)?|breathe|move|see|feel|walk|let go|wake|speak|talk|hear|swallow|lift (?:his|her|my))|"
        r"(?:gone|went|turned|going|is|looks?|very|as|are|turning) (?:\w+ )?(?:white|pale|blue|grey|gray|limp|stiff)|dizzy|light[- ]?headed|nausea|nauseous|sick|"
        r"drows\w+|confused|nonsense|slurr\w+|screaming|screams|scream(?:ed)?|crying|moaning|groaning|shaking all|trembling|"
        r"sweating|twitching|foaming|collaps(?:ed?|es|ing)|stumbl\w+|stagger\w*|swallowed|drank|inhal\w+|breathed in|dying|dead|died|lifeless|"
        r"headaches?|head ache|clutch\w*|gasping|cough\w*|wheez\w*|lying (?:on|there|under|at|motionless|in)|lies (?:on|motionless|there|under|at|in)|(?:he|she|someone) (?:is|went|goes) down|on the (?:floor|ground)|"
        r"in pain|pain in|unresponsive|wak(?:e|ing) (?:him|her)|shocked|in shock|went down|knocked (?:down|over)|thrown|tipped over with|"
        r"(?:eyes?|throats?|lungs?|lips) (?:\w+ )?(?:burn\w*|sting\w*|itch\w*|water\w*|blue|hurt\w*|sore)|burn(?:s|ing) (?:eyes|throat|lungs|skin)|swollen|hallucinat\w+|hanging (?:from|in|on|off|upside)|dangl\w+"
    ),
    "falls": r"fell|falls|fallen|falling|slipped|tripped|tumbled|plunged|dropped(?= (?:from|off|down|through|\d))|jumped off|knocked off|thrown off|slid off",
    "fire": (
        r"fires?|flames?|flaming|ablaze|alight|blaz(?:e|es|ing)|inferno|smou?lder(?:s|ed|ing)?|ignit(?:ed|es|ing)|caught light|on fire|fireball|embers?|"
        r"explo(?:ded?|des|ding|sions?)|blew up|blown up|blowing up|detonat(?:ed|ion)|deflagrat\w+|went (?:bang|whoosh|boom)|gone bang|thermal runaway|"
        r"feuer|brennt|brand(?= (?:in|im|am|an)\b)|fuego|incendi[oe]|fuoco|fiamme|fumo|humo|rauch\w*|fumée|au feu|feu(?= )|pożar|explosión|burny"
    ),
    "smoke": r"smok(?:e|es|ing|y)|smoky|smoul?der\w*|haze|soot(?= (?:coming|pouring))",
    "burning": (
        r"(?:is|are|was|it|starts?|started|starting|begins?|began|still|something|smth|stuff|now|there)(?: \w+)? (?:to )?burn(?:s|ing)?|"
        r"burns|burning(?= ?(?:,|$|~|in (?:the|line|hall)|on (?:the|line)|at (?:the|line)|near|behind|under|inside|next|beside|help|now))|"
        r"(?:glow(?:s|ing)|glows)(?: (?:red|orange|hot|white|inside|in|like))?|red[- ]hot|melting|melts|melted(?= (?:and|cable|insulation|wire))|charring|charred(?= (?:cable|wire|smell))|scorch(?:ing)(?= (?:smell|and))|overheating and"
    ),
    "burnt_smell": (
        r"(?:smell\w*|stinks?|stench|stinking|reeks?|odou?r|whiff)(?: \w+){0,5} (?:burn\w*|burny|scorch\w*|fire|melt\w*|charred|smoke|smoky|singed|electrical|hot (?:plastic|rubber|cable)|rubber|(?:hot|burning) (?:oil|metal|rubber|plastic))|"
        r"(?:burn(?:ing|t|ed|y)?|scorched|singed|charred|melt\w*|electrical) (?:\w+ )?(?:smell\w*|odou?r|stench|stink\w*)|"
        r"burn(?:ing|t|ed) (?:plastic|rubber|insulation|wires?|cables?|electronics|oil|hair|paper)|burning smell"
    ),
    "fly": r"fly\w*|flew|coming|out of|everywhere|from the|jump\w*|shoot\w*|shower\w*|inside|behind|at the|in the|cabinet|panel|motor",
    "sparks": r"(?:sparks?|arcing|arcs|arced|flash(?:es|ing)? over|sparking|sparked)",
    "arc": r"electric(?:al)? arc|arc ?flash|flash ?over|big bang|loud bang(?= (?:and|then|from the (?:cabinet|panel|switch)))|blue flash",
    "toxin": _TOXIN,
    "liquid": _LIQUID,
    "leaks": (
        r"leak(?:s|ing|ed|age)?|leaky|escap(?:es|ed|ing|e)|vent(?:s|ing)|hiss(?:es|ing)?|spill(?:s|ed|ing|t|age)?|spilt|overflow\w*|gush\w*|"
        r"pour(?:s|ing|ed)? (?:out|from|over|onto|on|down)|sprays?(?:ing)?|sprayed|spraying|burst(?:s|ing)?|ruptur\w+|tipped(?: over)?|toppled|pierced|punctured|split open|cracked|"
        r"flood(?:s|ed|ing)|runs? (?:out|across|over|down|onto)|running (?:out|across|over|down|onto)|ran (?:out|across|over)|everywhere|all over|on the floor|over the floor|"
        r"coming (?:out|from)|comes out|cloud|clouds|plume|mist(?= (?:everywhere|in the|spread\w*))|released?|blowing (?:out|off)|blow(?:s|n) (?:out|off)|bulging|seep(?:s|ing)|oozing|puddle(?= of)|pool(?= of)|dripping|drips|fuming|steaming|bubbling(?= over)|knocked over|fell over|came off|fractured|broke off|sheared off|let go"
    ),
    "gas_smell": (
        rf"(?:smell\w*|stinks?|stinking|stench|reeks?|odou?r|whiff|taste)(?: \w+){{0,4}}? {_TOXIN}|{_TOXIN}(?: \w+)? (?:smell\w*|odou?r|stench|stink\w*|in the air)|"
        r"rotten eggs?|bad eggs|pungent|(?:biting|acrid|chemical|strange sweet|sharp|weird sweet) (?:\w+ )?(?:smell|odou?r|stench)|smell\w* (?:of |like )?(?:chemicals?|acid|bleach|nail varnish|nail polish|petrol|paint thinner|swimming pool|vinegar|garlic|almonds?)|"
        r"eyes (?:are |is )?(?:burning|stinging|watering)|burning eyes|everyone (?:is )?coughing|everybody (?:is )?coughing|(?:all|we|people|everyone|everybody)(?: \w+){0,7} (?:dizzy|light[- ]?headed|headaches?|head ?ache|cough\w*|nauseous)"
    ),
    "detector": (
        rf"(?:{_TOXIN}|co|o2|oxygen|lel|gas)(?: \w+)? (?:alarms?|detectors?|sensors?|meters?|monitors?|warners?|sniffers?|warning)|(?:alarms?|detectors?) (?:for|of) (?:gas|{_TOXIN})"
    ),
    "sounds": (
        r"sounds?|sounding|gone off|goes off|going off|went off|go off|going mad|going crazy|went|ring(?:s|ing)|beep\w*|scream\w*|howl\w*|wail\w*|flash(?:es|ing)|trigger\w*|red|(?:is|been|are|still) on|came on|active|tripped|"
        r"blar\w*|chirp\w*|show(?:s|ing) \d+|at \d+|\d+ ppm|ppm|says|reads? \d+|high|alarm(?:s|ing|ed)|showing|shows|just now|again and again|now|help|buzz\w*|off the scale|evacuate"
    ),
    "shock": (
        r"electric(?:al)? shocks?|(?:got|get|gets|getting|gives?|gave|giving|received?|had|felt|took|take|has had|suffered)(?: \w+){0,4} (?:shocks?|shocked|jolt|zap|zapped|belt off)|"
        r"(?:got|get|been|was|were|being|gets|is|are) (?:\w+ )?(?:zapped|shocked|electrified|electrocuted)|zapped|zaps|shocks?(?= (?:me|him|her|us|you|people|from|when|off))|shocked|shocking(?= (?:people|everyone|us))|"
        r"electrocut\w+|stromschlag|elektryczn\w+ poraż\w+|descarga eléctrica|scossa|jolt(?:ed)?|zap|electrified|shock(?=,| !|$)"
    ),
    "tingle": r"tingl\w+|prickl\w+|buzz(?:es|ing)?|tickl\w+|bites|biting|current(?= (?:when|if|from|on|in|flow\w*|through|hold\w*|runs|running|goes|at))|(?:feel|feels|felt|get) (?:\w+ )?current",
    "touch": r"touch\w*|housing|frame|cabinet|door|handrail|railing|handle|metal|sink|hand|fingers?|arm|when i|casing|hold\w*|lean\w*|grab\w*",
    "live": (
        r"(?:live|bare|exposed|energi[sz]ed|open|frayed|naked) (?:\w+ )?(?:wires?|wiring|cables?|conductors?|busbars?|bus bars?|terminals?|electrics|contacts?|metal)|live (?:parts?(?! (?:num|count|list))|ends?|lines?(?= on the floor))|high voltage(?= (?:cable|line|on|wire))|"
        r"(?:housing|frame|casing|cabinet|door|machine|conveyor(?: \w+)?|railing|handrail|chassis|body|guard|metal|table|enclosure|rail|trolley|sink|pipe|floor|structure|it|fence)(?: of (?:the )?\w+(?: \w+)?)?(?: \d+)? (?:is|are|seems|must be|was) (?:\w+ )?(?:live|under voltage|under current|energi[sz]ed|electrified)(?! (?:data|view|on screen|now on))"
    ),
    "volts": r"\d+ ?(?:v|volts?|kv)|mains|current|power|live|high voltage|electricity|electric",
    "wet": r"water|wet|coolant|rain\w*|flood\w*|leak\w*|dripping|pouring|puddle",
    "electrics": r"live electrics|electrics|live (?:panel|cabinet|switchgear)|switchgear|distribution board|high voltage|energi[sz]ed \w+|sockets?|fuse ?box|transformer",
    "hot": r"steam|hot (?:oil|water|plastic|glue|metal|wax|product|air|sauce|syrup|melt)|molten(?: \w+)?|boiling(?: \w+)?|high[- ]pressure|pressuri[sz]ed|scalding(?: \w+)?|superheated|liquid (?:metal|steel|nitrogen|aluminium)|glowing metal|slag",
    "bursts": r"burst(?:s|ing)?|ruptur\w+|blew|blows|blowing|blown|shoots?|shooting|shot|spray\w*|squirt\w*|whipping|whips|thrashing|flailing|ran out|pouring|everywhere|escaping|gushing|exploded|leaking|spilled|spilt|broke out|breakout|splash\w*|spewing|jets? of|erupt\w*|spitting|venting",
    "hose": r"hoses?|air ?line|pipe|steam line|vessel|boiler|autoclave|accumulator|compressed air|receiver|pressure (?:tank|vessel)",
    "whips": r"whip(?:s|ping|ped)(?: (?:around|round|about))?|thrash\w+|flail\w+|lashing|over-?pressuri[sz]ed|overpressured|about to (?:burst|blow|explode|go)|going to (?:burst|blow|explode)|might (?:burst|blow|explode)|wall creaks",
    "heavy": _HEAVY,
    "comes_down": (
        r"(?:is|are) (?:coming|falling|collapsing|caving|crashing)(?: down| in| apart| on)?|gave way|giving way|gives way|caved in|(?:has|have|just) (?:\w+ )?(?:collapsed|fallen|come down|snapped|toppled|tipped)|collapsed|collapsing|"
        r"snapped|about to (?:fall|collapse|tip|drop)|hangs? by|hanging by|swing(?:s|ing) over|tipping over|leaning over|tilting|going to (?:fall|collapse|tip)|might (?:fall|collapse|tip)|fell from|dropped from|came down|toppl\w+|ran away|runaway|overturn\w*|tipped over"
    ),
    "over_people": r"people|somebody|someone|person|pedestrian\w*|us|me|him|her|operators?|workers?|crane|roof|ceiling|scaffold\w*|mezzanine|load|overhead|walkway|aisle|racking|rack|nobody under|bits falling|cracks",
    "urgent": (
        r"help|hurry|quick(?:ly)?|now|come(?: (?:here|quick|now|fast|please))?|asap|urgent\w*|emergency|sos|mayday|evacuate|evacuation|get out|everyone out|every ?body out|all out|run|fast|danger\w*|"
        r"immediately|right now|right away|call (?:someone|somebody|the fire|911|112|999)|911|112|999|oh my god|omg|oh god|jesus|fire brigade|fire department|firefighters|doctor|medic|nurse|hilfe|aiuto|ayuda|au secours|is (?:it|this|that) (?:safe|dangerous)|should we (?:leave|evacuate|get out|go)|get (?:him|her|them) out|badly|what do i do|what do we do|what now"
    ),
}

#: (danger, kinds that stand together, letters between two of them at most)
RULES: tuple[tuple[str, tuple[str, ...], int], ...] = (
    ("injury", ("collapse",), 0),
    ("injury", ("own_body", "harm"), 40),
    ("injury", ("body", "harm"), 14),
    ("injury", ("own_body", "unwell"), 40),
    ("injury", ("other", "unwell"), 45),
    ("injury", ("person", "hurt"), 30),
    ("injury", ("other", "falls"), 15),
    ("injury", ("hurt", "urgent"), 30),
    ("entrapment", ("own_body", "trap"), 45),
    ("entrapment", ("body", "trap"), 14),
    ("entrapment", ("other", "trap"), 22),
    ("fire", ("fire",), 0),
    ("smoke", ("smoke",), 0),
    ("fire", ("burnt_smell",), 0),
    ("fire", ("burning",), 0),
    ("fire", ("sparks", "fly"), 30),
    ("gas", ("gas_smell",), 0),
    ("gas", ("toxin", "leaks"), 30),
    ("spill", ("liquid", "leaks"), 40),
    ("gas", ("detector", "sounds"), 45),
    ("gas", ("toxin", "urgent"), 16),
    ("spill", ("liquid", "own_body"), 40),
    ("electric_shock", ("shock",), 0),
    ("electric_shock", ("live",), 0),
    ("electric_shock", ("tingle", "touch"), 40),
    ("electric_shock", ("electrics", "wet"), 40),
    ("electric_shock", ("arc",), 0),
    ("injury", ("hot", "bursts"), 25),
    ("injury", ("hose", "whips"), 30),
    ("injury", ("over_people", "comes_down"), 40),
)

_SOMEBODY = rf"(?:the |a |an |our |my |one of \w+ |some |another |two |three |\d )?(?:\w+ )?(?:{_HE}|her|me|us|{_MEMBER}|(?:his|her|my|someone's|\w+'s) (?:\w+ )?(?:{_OWN_BODY}))\b"
_SOMEBODY_ELSE = rf"(?:{_HE}|her|me|(?:the |a |our |my )?{_MEMBER}|(?:his|her|my|someone's) (?:\w+ )?(?:{_OWN_BODY}))\b"
_ONTO = r"(?:on(?:to)?|upon|over|against|across|at)(?: top of)?"
#: (danger, expression): what needs an order.
SENTENCES: tuple[tuple[str, str], ...] = (
    (
        "fire",
        r"\b(?:orange|red|bright|strange|flickering) (?:glow|flicker\w*|shine) (?:behind|inside|in|from|under|over|at)\b|\b(?:paint|plastic|insulation|varnish) (?:\w+ ){0,4}(?:blister\w*|bubbl\w*|charring)\b|\bburning (?!gas|rate|time|oven|test|more|less|question|in\b|off\b|marks?|work|lance|chamber|out\b|through|eyes|throat|skin|calories|money|cost|fuel|plants?|process|~)\w+",
    ),
    (
        "gas",
        r"\boxygen\b[^~]{0,25}\b(?:1\d|\d)(?:[.,]\d)? ?(?:%|percent|per cent|vol)|\b(?:white|yellow|green|brown|strange|thick) (?:fog|mist|vapou?r|haze)\b|\bsmell\w* (?:very |really |so )?(?:sharp|acrid|pungent|biting|poisonous|toxic)\b|\b(?:sweet|funny|strange|odd|weird|chemical|sharp) smell\b[^~]{0,60}\b(?:dizzy|head\w*|sick|eyes|cough\w*|throat|faint|nause\w*)\b|^(?:\w+ )?(?:h2s|co|nh3|ammonia|chlorine|hydrogen|methane|propane|gas|oxygen|o2|solvent) alarm\b",
    ),
    (
        "injury",
        rf"\b(?:drove|drives|rolled|rolls|rode|backed|reversed|went|goes) (?:over|into) {_SOMEBODY_ELSE}|\b(?:two|three|four|several|many|some|\d) (?:\w+ )?(?:hurt|injured|burn(?:t|ed) (?:bad\w*|people)|dead|wounded|casualties)\b",
    ),
    (
        "entrapment",
        rf"\b(?:(?:he|she|someone|somebody) is still in (?:there|it)|is still in there)\b|\b(?:{_BODY}) (?:is|are|was|got) (?:in )?between\b|\b(?:lift|elevator)\b[^~]{{0,40}}\b(?:with|and) (?:\w+ )?(?:people|someone|somebody|us|me|a (?:man|woman|person|colleague)|persons)\b|\blet go of (?:my|his|her|me|him|someone)\b",
    ),
    (
        "fire",
        r"\b(?:stack|pile|heap|cardboard|cartons?|boxes|pallets?|rags?|paper|waste|bin|skip|dust|oil|foam|film|solvent|battery)\b[^.~?!]{0,35}\b(?:went up|has gone up|is going up)\b(?! (?:to|by|from|in|the|since|again))",
    ),
    (
        "gas",
        rf"\b(?:{_LIQUID}|{_TOXIN})\b[^.~?!]{{0,60}}\b(?:giv(?:es|ing) off|is (?:fuming|vapou?ri[sz]ing)|got out|escaped|broke out|is out)\b",
    ),
    ("injury", rf"\b{_LIQUID}\b[^.~?!]{{0,20}}\b(?:in|into) (?:both|one|an|the|his|her|my|\w+'s) (?:\w+ )?(?:eyes?|face|mouth)\b"),
    ("gas", rf"\b{_LIQUID}\b[^.~?!]{{0,20}}\b(?:in|into) (?:both|one|an|the|his|her|my|\w+'s) (?:\w+ )?(?:eyes?|face|mouth)\b"),
    ("fire", r"\b(?:is|are|keeps?|started|starts|began) (?:making|throwing|giving(?: off)?|shooting|spitting|sending) (?:\w+ )?sparks\b(?<!grinder)"),
    ("injury", r"\b(?:need|needs|send|get|call|want)\b[^.~?!]{0,15}\bfirst[- ]?aid(?:ers?)?\b(?! (?:kit|box|cabinet|training|course|cert\w*|list|room|supplies|register|book))"),
    ("entrapment", rf"\b(?:{_HE}|{_MEMBER}|i|they|we) (?:can ?not|could not|is unable to) (?:get|pull|come|break|wriggle) (?:free|out|loose)\b"),
    ("shock", rf"\b(?:{_HE}|{_MEMBER}) (?:is |are )?(?:still )?(?:on|stuck to|hanging (?:on|from)|in contact with|touching|holding) (?:the |a )?(?:current|mains|live (?:wire|cable|part|rail|bar))\b"),
    ("shock", r"\b(?:shocked|zapped|jolted|knocked (?:back|down)) by (?:the |a |an )?(?:\w+ ){0,2}(?:static|discharge|current|cable|wire|wiring|cabinet|panel|socket|plug|voltage|electric\w*)\b"),
    # struck by, fallen on
    (
        "injury",
        rf"\b(?:hits?|struck|strikes|knocked (?:down|over|out)?|ran over|run over|runs over|ran into|rammed|kicked|whipped|stabbed|burn(?:ed|t)|scalded|crush(?:ed|es)|injured|hurt|squashed|bit|clipped) (?:by )?{_SOMEBODY}",
    ),
    (
        "entrapment",
        rf"\b(?:pinn?(?:ed|ing|s)|trap(?:ped|s|ping)|buried|buries|crush(?:ed|es|ing)|squash(?:ed|es)|squeez(?:ed|es|ing)|grabb?(?:ed|s)|caught|clamped|dragg?(?:ed|ing|s)|pull(?:ed|s|ing)|suck(?:ed|ing|s)|wedged) {_SOMEBODY}",
    ),
    (
        "injury",
        rf"\b{_HEAVY}\b[^.~?!]{{0,25}}\b(?:fell|falls|fallen|dropped|drops|landed|lands|tipped|tips|toppled|came down|come down|comes down|coming down|collapsed|rolled|slid|crashed|went|lowered|closed|closing|shut|swung) (?:over |down |off |back )?{_ONTO} {_SOMEBODY}",
    ),
    (
        "entrapment",
        rf"\b{_HEAVY}\b[^.~?!]{{0,25}}\b(?:fell|fallen|dropped|landed|tipped|toppled|came down|come down|comes down|coming down|collapsed|rolled|slid|crashed|lies|lying|is|sits|standing|stands|pressing|lowered|closed|closing|shut) (?:down )?{_ONTO} {_SOMEBODY}",
    ),
    (
        "injury",
        rf"\b(?:through|into) (?:his|her|my|someone's|the|a) (?:\w+ )?(?:{_BODY}|heads?|hips?|nose)\b(?! (?:scanner|wheel|held|of the machine))|\bin (?:his|her|my|someone's) (?:\w+ )?(?:eyes?|face|foot|feet|leg|arm|head|neck|chest|fingers?|thumb|palm|ribs|stomach|throat)\b",
    ),
    (
        "injury",
        rf"\b(?:{_LIQUID}|coolant|oil|glue|swarf|chips?|splinters?|dust|steam|water|something|hot \w+|molten \w+|metal|glass|sparks?|plastic|wax|paint|foam|powder|cement|lime|grease)\b[^.~?!]{{0,30}}\b(?:in|into|on|onto|over|to|hit|against|at|down) (?:(?:his|her|my|their|someone's|\w+'s|the) (?:\w+ )?(?:{_OWN_BODY})|him|her|me|someone|somebody)\b",
    ),
    (
        "injury",
        rf"\b(?:he|she|i|someone|somebody|{_MEMBER}) (?:\w+ )?(?:got|gets?|has|have|had|was|were|been|just|is)(?: \w+)? (?:splashed|sprayed|hit|struck|knocked|thrown|squirted|run over|stabbed|cut|stung|poisoned|attacked)\b",
    ),
    ("injury", r"\b(?:rinse|wash|flush|get)\b[^.~?!]{0,30}\b(?:out of|from) (?:an?|the|his|her|my) eyes?\b"),
    (
        "injury",
        r"\b(?:man|woman|colleague|operator|worker|someone|somebody|person|he|she|guy|driver|fitter) (?:is |went |has gone )?down\b(?! (?:time|to (?:the )?(?:stores?|office)))",
    ),
    (
        "injury",
        r"\b(?:there (?:is|was|has been)|we (?:have|had)|had|have|serious|bad|an|been an|terrible|just an|work|forklift|there) (?:just )?(?:been )?(?:an? )?(?:\w+ )?(?:accident|injur(?:y|ies)|casualt(?:y|ies))\b|\baccident (?:at|on|in|with|near|happened|just|here|now|help)\b|^accident\b",
    ),
    (
        "injury",
        r"\b(?:need|get|call|send|fetch|want|require|where is)(?: us| me)?(?: an?| the| some)?(?: \w+)? ?(?:first[- ]?aid\w*|medic\w*|doctor|nurse|ambulance|paramedic\w*|stretcher|eye ?wash|burn (?:kit|gel))\b(?! (?:kit list|box (?:refill|content)))",
    ),
    (
        "injury",
        rf"\b(?:fingers?|thumb|hand|arm|leg|foot|toes?|fingertip|tip) (?:\w+ )?(?:cut off|is off|came off|torn off|ripped off|missing|gone|sliced|severed|is bleeding|bleeds|bleeding|broken|crushed|burnt|burned)\b|\b(?:cut|sliced|lost|tore|ripped|crushed|smashed|broke|burn(?:t|ed)) (?:off )?(?:two|three|\d|both|one|an?|part of an?|the tip of (?:his|her|my|a)) (?:{_BODY})\b|\bbroken (?:{_BODY})\b|\beyebrows gone\b",
    ),
    (
        "injury",
        r"\b(?:fell|falls|fallen|falling|dropped|slipped|jumped) (?:off|from|down|into|through|over) (?:the|a|an|his|her|our)? ?(?:\w+ )?(?:ladder|platform|stairs|steps|scaffold\w*|roof|mezzanine|forklift|lift table|pit|truck|walkway|tank|gantry|dock|crane|balcony|hole|skylight|vat|silo)\b(?<!part)",
    ),
    (
        "injury",
        r"^(?:it|that|this) (?:\w+ )?(?:burns|hurts|stings)\b|^(?:not breathing|bleeding|blood|injured|injury|unconscious|hurt|wounded)\b|\b(?:my|his|her) eyes?\b[^.~?!]{0,25}\b(?:burn\w*|sting\w*|red|see|hurts?|acid|caustic|cleaner)\b",
    ),
    (
        "injury",
        r"\bbleeding\b(?! (?:edge|air|the|off|valve|hydraulic|a|of|screw|nipple|brake|system|pump|procedure|circuit|line|instructions?|money|point))|\b(?:it|he|she|wound|cut|hand|finger|arm|head|nose) bleeds\b|\bblood\b(?! (?:pressure|bag|bank|tube|plasma|line|test|sample|meal|analy\w+))",
    ),
    # held by a machine
    (
        "entrapment",
        rf"\b(?:(?:{_BODY})|(?:his|her|my|their|someone's|\w+'s) (?:\w+ )?(?:{_OWN_BODY}))(?: (?:is|are|was|has|still|got|gone|went|now|just|right|stays?|and \w+|half|way))* (?:in|inside|under|underneath|between|into|beneath|behind) (?:the|a|an|it|that|two|one|our|this)? ?(?:\w+ ){{0,2}}?(?:{_HOLDER}|it|there)\b",
    ),
    (
        "entrapment",
        rf"\b(?:{_HE}|{_MEMBER})(?: (?:is|are|was|still|got|lying|somewhere|has|been|standing|left|now|just))* (?:inside|under|underneath|beneath|between|locked in|shut in|pulled into|drawn into|under neath|wedged in) (?:the|a|an|it|that|two|our|this)? ?(?:\w+ )?{_HOLDER}\b|\b(?:someone|somebody|some one|person|man|people|child|operator|worker|colleague|she|he) (?:is |are |still |left )*(?:inside|underneath|under neath|under it|in there|beneath it)\b",
    ),
    (
        "entrapment",
        rf"\b(?:{_HE}|{_MEMBER}|\d)(?: (?:is|are|was|still|stuck|left))* in the (?:freezer|cold ?(?:store|room)|lift|elevator|silo|tank|vessel|pit|cell|robot cell|hopper|oven|autoclave|container|baler|mixer)\b[^~]{{0,40}}\b(?:stuck|out|closed|shut|locked|open|running|started|help)\b",
    ),
    (
        "entrapment",
        r"^(?:help[ ,!]*)?(?:i am |is |are |he is |she is )?(?:trapped|caught (?:in|between|under|by)|pinned|entangled|stuck in(?:side)? (?:the )?(?:lift|elevator|cell|freezer|cold \w+|silo|tank|machine))\b|\b(?:trapped|entangled|pinned) *[,!]|\b(?:we|i|people|someone|they) (?:\w+ )?(?:are|am|is|got) (?:trapped|pinned|locked in|(?:stuck|caught) (?:in|inside|between|under))\b|\bstuck in (?:the |a )?(?:lift|elevator)\b|\b(?:lift|elevator) (?:\w+ ){0,4}(?:people|someone|somebody|us|person) (?:in|inside)\b",
    ),
    (
        "entrapment",
        r"\b(?:can ?not|could not) (?:\w+ )?(?:get|pull|free|lift|release|reach) (?:him|her|them|me|us|someone|somebody|it off (?:him|her|me)|his|my)\b|\b(?:pulling|pulls|dragging|drags|pulled|dragged) (?:him|her|me|in his|in her|in my|someone)\b|\b(?:reaching|reaches|reached|crawled|climbed|leaning) (?:in|into)\b[^.~?!]{0,30}\b(?:running|turning|moving|started|spinning)\b|\b(?:still )?(?:running|turning|moving|spinning)\b[^~?!]{0,25}\b(?:he|she|someone) (?:is )?(?:reach\w*|inside|in it|climb\w*)",
    ),
    ("entrapment", r"\b(?:they|we|i|people|men|someone) can not (?:\w+ )?(?:get|come|climb|crawl) (?:\w+ )?(?:out|free|loose|away)\b"),
    (
        "injury",
        r"\b(?:stop|stopping|stem) (?:the |a |heavy |his |her |my )*(?:bleed\w*|blood)\b|\b(?:cool|treat|dress|bandage|help(?:s)? (?:with|against)|do (?:with|against|about)|put on) (?:an? |the |his |her |my |severe )*(?:burns?|wounds?|scalds?|acid burn|chemical burn|caustic|electric shock|deep cut)\b(?! (?:marks?|rate))|\bwhere is the (?:nearest|next|closest)? ?(?:defib\w*|aed|eye ?wash|stretcher|first[- ]?aid(?:er)?(?: (?:kit|box|room))?|emergency shower|doctor|medic)\b(?! (?:content|list|course|cert))",
    ),
    (
        "injury",
        rf"\b(?:bent (?:the wrong|backwards|at)|bone (?:is|sticks|sticking|visible|out)|hanging by (?:the|a bit of) skin|(?:mouth|face) (?:hangs|is hanging|droop\w*)|diabetic|insulin shock|wasp|bee sting|snake|red all over)\b|\b(?:holds?|holding|held|clutch\w*|grabb\w*|rubbing) (?:his|her|my) (?:own )?(?:\w+ )?(?:{_OWN_BODY}|side|chest|heart)\b|\b(?:move|carry|lift|turn) (?:him|her)\b|\b(?:sits?|sitting|lies|lying|found (?:him|her|someone)|collapsed|crouch\w*) on the (?:floor|ground)\b",
    ),
    (
        "injury",
        rf"\b(?:no longer|not any ?more|stopped) (?:respond\w*|react\w*|mov(?:es|ing)|talk\w*|answer\w*|breath\w*)\b(?=[^~]*\b(?:he|she|someone|him|her|colleague|man|woman|guy|{_MEMBER})\b)|\b(?:he|she|someone|colleague|man|woman|guy|{_MEMBER}) (?:\w+ )?(?:no longer|stopped) (?:respond\w*|react\w*|mov(?:es|ing)|talk\w*|answer\w*|breath\w*)\b",
    ),
    (
        "entrapment",
        rf"\b(?:free|release|rescue|extricate|get|pull|cut|dig) (?:out )?(?!someone from|somebody from|the people from|people from)(?:an? |the |someone's |his |her |my )?(?:\w+ )?(?:him|her|them|someone|somebody|person|people|colleague|man|woman|{_BODY}) (?:out of|from|free|loose|out)\b(?! (?:the )?(?:list|report|database|shift|mailing|team|duty))",
    ),
    (
        "entrapment",
        rf"\b(?:banging|knocking|shouting|screaming|voices?) (?:\w+ )?(?:from )?(?:the )?inside\b|\bup to (?:the|his|her|my) (?:elbow|shoulder|knee|hips?|waist|chest|neck|wrist)s?\b|\b(?:legs|feet|arms?|foot) (?:are |is )?stick(?:s|ing)? out\b|\b(?:took|has got|got hold of|has|grabs|eats|ate|holds|swallowed|keeps) (?:his|her|my|someone's) (?:\w+ )?(?:{_BODY}|clothes|clothing)\b|\b(?:press(?:ing|es|ed)|squeezing|pushing|pushes|pushed|jammed) (?:a |the |my |our )?(?:him|her|me|someone|somebody|man|woman|colleague|operator|worker|person|guy)\b[^~]{{0,15}}\b(?:against|under|into|to the|between|in)\b|\bclosed behind (?:me|him|her|us|someone)\b|\b(?:he|she|someone|somebody|colleague|man) is (?:still )?(?:in there|in it|underneath)\b|\bonly (?:his|her) (?:legs|feet|arm|head)\b",
    ),
    (
        "electric_shock",
        r"\bvoltage on (?:the|my|it|every)\b(?! (?:display|screen|hmi|trend|bus|dc|phase|output|l\d))|\bhit by (?:the |a )?(?:\d+|current|electric\w*|mains)\b|\bstuck (?:to|on) the (?:cable|wire|panel|terminal|busbar|live \w+)\b|\bthrown back\b|\bmuscles? (?:cramp\w*|contract\w*)|\b(?:arm|hand|finger)s? (?:jerk\w*|cramp\w*|twitch\w*)\b|\b(?:cabinet|machine|housing|washer|tap|frame|door|panel|rail|handrail|fridge|kettle|lamp|switch|plug|it) (?:\d+ )?(?:bites|zaps|shocks|zapped|tickles) ?(?:you|me|us|people|everyone|when|if|$)|\b(?:cable|wires?|extension lead|socket|plug) (?:\w+ )?(?:is |are |lies |lying |hanging )*(?:in|under) (?:the |a )?(?:water|puddle|coolant)\b",
    ),
    (
        "fire",
        r"\b(?:put out|extinguish|smother|fight) (?:an?|the|this|it|burning|that)\b[^~]{0,30}\b(?:burn\w*|fire|flames?|oil|grease|metal|battery|chips?|magnesium)\b|\b(?:nearest|closest|next|bring|need|fetch|get|grab|where is (?:the|an?)) (?:me |us |a |an |the |another )*(?:fire )?extinguisher\b(?! (?:inspect\w*|due|cert\w*|training|check|type|test\w*))|\b(?:call|need|where is|alert|get) (?:the |us the )?fire (?:brigade|department|fighters?|service)\b|\bfire (?:brigade|department|service|fighters?) (?:needed|now|please|quick|coming|is coming|to)\b|\b(?:used|emptied|using) (?:the|two|an|\d) extinguishers?\b|\bextinguisher is empty\b",
    ),
    (
        "gas",
        rf"\b(?:throats?|eyes|nose|lungs)\b[^~]{{0,15}}\b(?:scratch\w*|burn\w*|sting\w*|water\w*|itch\w*|tears?)\b(?! (?:eye|wash))|\b(?:makes?|making) (?:me|us|everyone|people|him|her) (?:cough|dizzy|sick|choke)\w*|\b(?:i|we|all|everyone|everybody|people) (?:\w+ )?(?:cough\w*|choking)\b|\b(?:hard|difficult) to breathe\b|\bcan not breathe in\b|\boxygen (?:level )?(?:is |at |only |down to |below )+\d+|\b(?:fog|mist|vapou?r|cloud) (?:\w+ )?(?:creep\w*|roll\w*|along|spread\w*|over the floor)\b|\b(?:mixed|mixing|poured) (?:the )?(?:{_LIQUID})\b[^~]{{0,20}}\b(?:with|and|into|together)\b[^~]{{0,20}}\b(?:{_LIQUID}|fum\w*|smell\w*|bubbl\w*|foam\w*)\b|\b(?:{_LIQUID})\b[^~]{{0,25}}\b(?:foaming|bubbling|reacting|boiling over|eats|eating|fuming)\b",
    ),
    (
        "injury",
        r"\b(?:i|we|people|everyone|everybody|they|several|two|three|all) (?:\w+ )?(?:feel|feeling|am|are|is|get|gets|getting|got|have|has) (?:\w+ )?(?:dizzy|light[- ]?headed|sick|faint|nauseous|nausea|drowsy|headaches?|numb|chest pain|vomiting|trouble breathing)\b(?! (?:leave|note|of))",
    ),
    (
        "entrapment",
        r"\b(?:stuck|trapped|caught|pinned) (?:in|under|between|by)\b[^~]{0,30}\b(?:help|hurry|quick|come quick|bleeding|screaming)\b",
    ),
    # fire without its name, current, gas, what comes down
    (
        "fire",
        r"\b(?:whoosh|up in flames|in flames|sparks? (?:are |is )?(?:flying|coming|everywhere|out|from|in the|jump\w*|shoot\w*|shower)|(?:black|grey|gray|white|thick|blue|brown|yellow) (?:smoke|fumes|cloud)|sprinklers? (?:\w+ )?(?:went|gone|started|is|are|came|going) (?:off|on|running|spraying)|fire alarm (?:is |just |has |went |keeps )?(?:went|gone|going|sound\w*|ring\w*|off|triggered|on)|smoke (?:alarm|detector) (?:is |just |has |went |keeps )?(?:went|gone|going|sound\w*|ring\w*|off|triggered|beep\w*))\b",
    ),
    (
        "fire",
        r"\bsparks? (?:\w+ )?(?:flying|coming|everywhere|out of|from the|jumping|shooting|shower\w*)\b|\b(?:battery|batteries|cell|pack|lithium\w*)\b[^~]{0,30}\b(?:venting|swelling|swollen|hissing|bulging|very hot|really hot|getting hot)\b|\b(?:peroxide|drum|reactor|tank|ibc|vessel)\b[^~]{0,25}\b(?:bulging|getting (?:warm|hot)|overheating|running away|runaway)\b",
    ),
    (
        "electric_shock",
        r"\b(?:can ?not|could not) let go\b|\bhang(?:s|ing) (?:on|onto|to) (?:the )?(?:live |power )?(?:wire|cable|line|current)\b|\bcurrent (?:is )?(?:holding|through|went through)\b|\btouched (?:the |a )?(?:live |bare )?(?:wire|cable|busbar|terminal|phase|conductor|230|400)\b|\b\d+ ?(?:volts?|v) (?:\w+ )?(?:through|hit|shock|into)\b|\bunder (?:voltage|current)\b(?! (?:relay|alarm|trip|fault|monitor))",
    ),
    (
        "electric_shock",
        r"\b(?:gives?|gave|giving|get|got) (?:\w+ ){0,4}(?:tingle|electric (?:feeling|shock)|zap)\b|\b(?:cable|wire|busbar|conductor)\b[^~]{0,20}\b(?:bare|exposed|torn|damaged|open|on the floor|in the water|floor)\b[^~]{0,25}\b(?:live|spark\w*|voltage|power|energi[sz]ed|water)\b",
    ),
    (
        "gas",
        r"\b(?:yellow|green|white|brown|orange|toxic|vapou?r|gas) (?:\w+ )?clouds?\b|\bcloud of (?:gas|vapou?r|\w+ (?:gas|vapou?r)|ammonia|chlorine|steam|dust)\b|\bfumes? (?:\w+ )?(?:coming|pouring|everywhere|out|rising|in the|from|spread\w*)\b|\b(?:hiss(?:es|ing)?)\b[^~]{0,30}\b(?:gas|smell\w*|cylinder|bottle|valve on the (?:gas|propane|ammonia))\b|\b(?:gas|propane|acetylene|ammonia|chlorine|hydrogen)\b[^~]{0,30}\bhiss\w*|^gas *(?:[!,]|$|everyone|help|alarm)",
    ),
    (
        "gas",
        r"\b(?:toxic|poisonous|harmful) (?:stuff|gas|fumes?|smoke|cloud|liquid|vapou?r|substance|material)\b(?! (?:list|storage|register|sds))|\bsmell\w* (?:\w+ ){0,4}(?:in here|in the hall|everywhere)[^~]{0,30}\b(?:dizzy|headache|eyes|sick|cough\w*)\b|\b(?:haze|mist|fog|vapou?r) (?:and|with|in the hall|everywhere|fills?|filling)\b",
    ),
    (
        "injury",
        r"\b(?:roof|ceiling|scaffold\w*|mezzanine|racking|rack|shel(?:f|ves)|crane|wall|gantry|platform|stack|silo|floor) (?:\w+ )?(?:\d+ )?(?:is |are |has |have |just )*(?:coming down|collaps\w+|fall(?:ing|en)(?: down| over| in)?|fell|cav(?:ing|ed) in|gave way|giving way|tipping|toppl\w+|buckl(?:ing|ed))\b",
    ),
    (
        "injury",
        r"\b(?:load|coil|pallet|mould|mold|drum|beam|weight|chain|sling|hook|cable|rope|crane)\b[^~]{0,30}\b(?:swing\w*|hang\w*|snapp\w*|slipp\w*|dangl\w*|fall\w*|fell|dropp\w*)\b[^~]{0,30}\b(?:over (?:people|us|the (?:walkway|aisle|operators?))|above (?:people|us)|by (?:one|a) (?:hook|strap|thread|chain|sling)|from the (?:crane|hoist|hook)|off the (?:crane|hook|forks?|hoist))\b|\b(?:fell|dropped) (?:from|off) the (?:crane|hoist|hook)\b",
    ),
    (
        "injury",
        r"\b(?:steam|boiler|pressure) (?:\w+ )?(?:pipe|line|valve|vessel|tank|hose|valve) (?:has |is |just )*(?:burst|ruptur\w+|blow\w*|blew|cracked|exploded|venting)\b|\b(?:hose|air ?line)\b[^~]{0,25}\b(?:whip\w*|thrash\w*|flail\w*|lashing)\b|\b(?:tank|vessel|boiler|reactor|autoclave)\b[^~]{0,30}\b(?:over-?pressur\w+|about to (?:burst|blow|go)|going to (?:burst|blow))\b",
    ),
)

#: Taken out before the search: the same words in peaceful use.
PEACE: tuple[str, ...] = (
    r"\b(?:accident|injury|incident|fire|smoke)[- ]free\b",
    r"^[^~?!]*\baccording to (?:the|our|your) (?:\w+ )?(?:sops?|instructions?|procedures?|manuals?|plan|rules?|policy|handbook)\b[^~?!]*",
    r"^(?:can|could|may|does|do|will|would) (?:the |a |an |our )?(?:\w+ ){1,3}(?:catch|cause|start|produce|give off|lead to)\b[^~?!]*\b(?:if|when|what does|manual|say)\b[^~?!]*",
    r"\b(?:which|who|whose|list|names?) (?:of )?(?:\w+ ){0,4}(?:is|are|as|the)? ?first[- ]?aiders?\b|\b(?:our|all|certified|trained|registered) first[- ]?aiders?\b",
    r"\bblood[- ](?:red|orange)\b",
    r"\b(?:fire|fier|fir) (?:ext\w{4,12})\b",
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
    r"\b(?:crossfire|fired|firing|fireproof|fireplace)\b",
    r"\bunder fire\b",
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
    r"\binjury\b(?= (?:and|or) )",
    r"\bby accident\b",
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
    r"\bfirst[- ]aid(?:ers?)? (?:certificat\w+|(?:kit|box) (?:content|list|check|refill|expir|inspect|inventor)|training|course|qualif\w+|list|on|cabinet|expire\w*|"
    r"refresher|room|supplies)\w*\b",
    r"\bnitrogen (?:blanket|purge|pressure|consumption|flow|supply|level|usage|generator)\w*\b",
    r"\b(?:hit|struck) by\b(?= (?:the )?(?:downtime|delay|shortage|scrap|inflation|strike))",
    r"\bdust explosion (?:risk|zone|protection|certificat|document)\w*\b|\bexplosion[- ]?(?:proof|protect\w*|"
    r"zone|risk|document|vent\w*|drawing|view|panel)\w*\b|\bexploded (?:view|drawing)s?\b",
    r"\bcut his (?:losses|hours|pay)\b|\b(?:cut|lost|broke) (?:a|the) (?:corner|deal|record)\b",
    # commands, figures and tools that only sound alike
    r"\b(?:bleed|bleeding) (?:air|valve|the|screw|nipple|brake|system|pump|procedure|circuit|line|instructions?|hydraulic|money|point|off)\b",
    r"\b(?:fire|firing)d? (?:it|off|this|my|the query|a query|select)\b|\bfired\b|\bfiring\b|\bfirewalls?\b|\bfireproof\b|\bfirst fire\b",
    r"\b(?:line|team|we|crew|they|shift|he|she|you|plant)(?: \w+)? (?:is|are|was|were|were) (?:really |totally |so )?on fire (?:today|this|lately|with)\b|\bteam was smoking\b|\b(?:boss|chef|manager|director|customer) will (?:explode|kill|burn)\b",
    r"\bfire (?:dam ?pers?|door|doors|brigade (?:refresher|training|list|member)s?)\b|\bheat treatment fire\b|\bfire brigade refreshers?\b",
    r"\bburn(?:ed|t|s)? (?:by (?:the |our |a )?(?:suppliers?|customers?)|out of|the midnight|rate|up rate|down|(?:the |a )?(?:wrong |new |old )?(?:firmware|program|bios|image|dvd|disc)|money|budget|hours|time|cd|copy|firmware|test|tests|the image|wood|chart|rack)\b|\bbadly burnt (?:bread|crust)\b",
    r"\b(?:hot|burn|burning) work(?: permits?)?\b|\bburn(?:er|ers|ing|t)? (?:marks?|gas|rate|test|mark|chamber|profile|oven|lance|tip)\b|\bburn (?:marks?|test|in|off|rack|profile)\b",
    r"\b(?:seal|door|valve|sealing|cup|wiper|shaft|dock|lip|rubber) lips?\b|\blip seals?\b|\b(?:eye ?bolts?|photo ?eye|electric eye|magic eye|camera eye|flame eye|eye wash (?:check|inspection|station test))\b",
    r"\bhand (?:guid\w+|wheel|over|held|lever|pump|scanner|tool\w*|truck|pallet|brake|rail\w*|drill|crank|jog\w*|operated|terminal|welding|cleaning|count\w*|sanitiz\w+|wash\w*|cream|dryer|valve|packing|packed|pack|sort\w*|feed|fed|made|written|book|signals?)\b|\bby hand\b|\bon hand\b|\bhand[- ]?over\b|\bhand(?:s)?[- ]?free\b|\bfirst[- ]hand\b|\b(?:two|one)[- ]?hand(?:ed)?\b",
    r"\b(?:finger|hand|eye|ear|foot|arm|leg|face|head|skin) (?:guard|protect\w*|lift|rest|pedal|switch|valve|shield|safe|gripper|plate|wear|washing|wash|shower|bolt|mill\w*|seal|plugs?|muffs?|length|mask|clearance|stock|bracket|count|space|room|press|box|pressure|height|set|screw|gasket|office)\w*\b",
    r"\b(?:chest|deep) freezers?\b|\bglove ?box\b|\b(?:order|need|box of|pack of|size|stock of|cut|rubber|nitrile|welding|leather) (?:\w+ )?gloves?\b|\b(?:gloves?|jackets?|shirts?|trousers|coats?|aprons?) (?:size|stock|box|order|needed|in stock|are out|change|issue|cabinet)\b",
    r"\b(?:water|cooling|steam|dust|heating|vacuum|air|sound|life|full|heat|product) jackets?\b|\bjacket(?:ed)? (?:temperature|pressure|water|vessel|heat\w*|valve)\b|\b(?:top|base|powder|primer|clear|zinc|clear) ?coats?\b|\bcoat (?:thickness|weight|layer)\b|\bcoats? (?:per|of)\b",
    r"\bneck (?:finish|ring|diameter|label|of (?:the|a) (?:bottle|flask|preform))\b|\bbottle necks?\b|\bbottlenecks?\b|\b(?:tool|saw|gear|die|cutter) (?:face|teeth|nose)\b|\bface (?:mill\w*|plate|of (?:the|a) (?:seal|die|flange|mold|mould))\b",
    r"\b(?:part|parts|bottle|bottles|label|labels|pallet|pallets|product|box|boxes|carton|cartons|sheet|film|can|cans|cap|caps|chip|chips|swarf|air|preforms?|workpiece|blank|blanks|valve|punch|robot|axis|tool|drawer|case|cases|sensor|pin|relay|slide|bag|bags|paper|foil|web|belt|fabric|tray|trays|lid|lids|cylinder|pusher|door|key|bit|tank|order|orders|water|dust|product|lot|lots|screw|bearing|brake|damper|contactor|clamp|spindle|gripper|conveyor|filler|servo|shuttle|lift table|float|wire|rope|crane hook) (?:is |are |was |were |got |gets? |keeps? |getting |still |always |also )*(?:trapped|caught|stuck|jammed|wedged|crushed|pinched|clamped|squashed|squeezed|snagged|tangled|drawn in|pulled in|sucked in)\b(?! (?:my|his|her|him|me|a hand|an arm|someone|somebody))",
    r"\b(?:crushed|squashed|squeezed|broken|torn|crushing) (?:cases?|boxes|cartons?|strength|bottles?|cans?|labels?|ribbons?|belts?|corners?|seals?|needles?|tools?|wires?|screws?|glass|parts?|packs?|trays?|pallets?|film|drills?|inserts?|taps?|bits?)\b",
    r"\b(?:air|coolant|oil|water|hydraulic(?: oil)?|vacuum|grease|juice|milk|lubricant|compressed air|product|syrup|steam trap|pneumatic|seal|gearbox|beer|wine|cream|sauce|hydraulics) (?:\w+ )?leak(?:s|ing|age)?\b",
    r"\bleek (?:rate|test\w*)\b|\bleak(?:age)? (?:rate|test\w*|check\w*|detect\w*|alarm limit|station|tester|limit|testing|results?|values?)\w*\b|\bleak testers?\b",
    r"\b(?:acid|chlorine|ammonia|solvent|caustic|gas|peroxide|diesel|fuel|lye|chemicals?|cleaner|detergent|resin|oxygen|nitrogen|hydrogen|argon|co2|glycol|bleach|disinfectant) (?:\w+ )?(?:numbers?|dos\w+|setpoints?|concentration|consumption|usage|(?<!oxygen )level(?! is)|stock|delivery|deliveries|test\w*|content|value|titration|ph|inventory|storage|register|sds|safety data|order\w*|supplier|price|spec\w*|limits?|purity|flow|pressure|tank level|transport|batch|lot|certificate|cylinders? (?:in stock|left|order\w*)|bottles? (?:for|in stock|left|order\w*)|detectors? (?:calibrat\w*|test\w*|cert\w*|inspect\w*|service|due|maintenance|part)\w*|sensors? (?:calibrat\w*|test\w*|cert\w*)|mix\w*|index|store (?:key|access)|pump|valve(?= (?:part|type|size|replacement))|filter\w*|resistan\w+|resistant|proof|bath|charge|refill\w*)\b",
    r"\b(?:resist\w*|resistance|resistant) (?:to|against) (?:\w+ )?(?:acid|fire|flame|caustic|chemicals?)\w*\b|\b(?:acid|chemical|caustic) (?:test|resist\w+|store|room (?:key|temperature))\b",
    r"\b(?:fumes?|fume|smoke|dust|vapou?r|gas) (?:extract\w*|hood|exhaust|cupboard|scrubber|removal|filter|fan|limit|emission\w*|measure\w*)\b",
    r"\bshocked (?:by|about|when i saw|to see|to hear)\b|\b(?:sticker|culture|price|supply) shock\b|(?<!electric )(?<!electrical )\bshock[- ]?(?:absorb\w*|freez\w*|proof|mount\w*|load\w*|test\w*|sensor|watch|label|indicator|event|log\w*|limit|cool\w*|puls\w*|wave|heat\w*|chill\w*|dosing|chlorin\w*)\b|\b(?:thermal|temperature|mechanical|hydraulic|cold|heat) shock\b|\bgot a shock when i saw\b",
    r"\blive (?:data|view|values?|trend\w*|centre|center|dashboard|status|video|stream|feed|demo|system|environment|signals?|tool\w*|production|figures?|numbers?|oee|count\w*|picture|image|server|update\w*|monitor\w*|test|steam|line (?:status|view)|camera|chart|screen|in|since|on the)\b|\bgo(?:es|ing|ne)? live\b|\bwent live\b|\bis live (?:since|in|on|now|from|data)\b|\bdead ?line\b",
    r"\bhigh voltage (?:test\w*|room|training|cert\w*|licen[sc]e|authori[sz]ation|permit)\b|\bpower (?:consumption|usage|supply|factor|meter|cut|failure|outage)\b",
    r"\b(?:fall|falls|falling|fell|drop|dropped|dropping|collapsed|crashed|slipped|tripped) (?:in|of|by|below|under|to|behind) (?:the |our |target|\d|\w+ )?(?:oee|yield|output|availability|performance|quality|scrap|rate|pressure|temperature|speed|level|target|schedule|plan|limit|\d+)\b|\b(?:oee|yield|output|availability|performance|quality|scrap|schedule|rate|plan|production|figures|numbers|target|delivery|pressure|temperature|level|vacuum|server|program|computer|system|software|hmi|screen|pc|breaker|fuse|overload|drive|relay|axis|tool|spindle|belt|(?<!gas )(?<!oxygen )(?<!nitrogen )(?<!propane )(?<!acetylene )(?<!argon )(?<!hydrogen )(?<!chlorine )(?<!ammonia )bottles?|sensor|date|deadline|order)s? (?:has |have |just )?(?:collapsed|crashed|fell|fallen|dropped|slipped|tripped|went down|is down|are down|falling|dropping|slipping|burst|exploded)\b(?! (?:on|onto) (?:him|her|me|someone|somebody|a|my|his))",
    r"\b(?:hurts?|hurting|kill(?:s|ing|ed)?|crush(?:ed|es|ing)?|bleed(?:s|ing)?|hit|hits|hitting|hammered|burn(?:s|ing|ed)?|smash(?:ed)?|beat|broke) (?:our|the|my|their|all) (?:\w+ )?(?:oee|targets?|numbers?|output|scrap|performance|schedule|figures|kpi\w*|goals?|plan|yield|records?|availability|alarm|cache|process|job|budget|margin|sound|query|horn|limit|limits|upper|lower|tolerance)\b|\b(?:machine|scrap|downtime|it|that|what|which) (?:really |badly )?(?:hurts?|hurting|kill(?:s|ing)) (?:us|our|the|me|most|performance|oee)\b|\bwhat hurts?\b|\bhurt(?:s|ing)? (?:us |the |our )?(?:most|oee|output|more|availability|performance|line|quality)\b|\bpain ?points?\b|\bhit (?:the )?(?:target|limit|plan|button|reset|number|goal|start|stop)s?\b",
    r"\b(?:emergency) (?:stops?|button|off|lighting|light|exit|exits|door|doors|shower|power|plan|contact|contacts|number|procedure|maintenance|generator|repair|order|work orders?|lamp|phone|maintenance|release|stop)\b|\bemergency[- ]?stop\w*\b|\be-?stops?\b|\bnurse (?:call|log)\b",
    r"\b(?:first[- ]?aid|cpr|aed|defib\w*|resuscitation) (?:(?:kit|box)(?:es|s)? (?:content|list|check|refill|expir|inspect|inventor|empty)\w*|training|course\w*|cert\w*|contents?|content list|room|list|officers?|refresher\w*|cabinet|check\w*|cover|post|station|qualif\w*|instructors?|supplies|book|poster|expir\w*|plan|rota|team|licen[sc]e|renew\w*|on (?:the )?(?:night|day|late|early|each|every|my) shift|frist)\w*\b|\bfirst[- ]?aiders? (?:on|per|in|list|training|cert\w*|expir\w*|qualif\w*|do we|are|whose|with|who|course|at night|for)\b|\b(?:certified|qualified|trained|registered|expir\w+|valid|current|many|which|our|all|list of|who are the) (?:\w+ )?first[- ]?aiders?\b",
    r"\b(?:how (?:do|can|should) i (?:draw|pull|get)|pulled|drawn) (?:\w+ )?(?:in|into) (?:the )?(?:report|table|list|query|excel|order)\b|\b(?:caught|stuck) (?:up|on|with|at (?:step|stage|home|position|page|\d+|the \w+ (?:screen|page))|in (?:home|position|auto|manual|quarantine|transit|customs|review|approval|the (?:system|queue|loop|middle)|a (?:loop|meeting)|status|traffic|draft|state|phase))\b",
    r"\b(?:he|she|they|i|we|colleague|operator|who) (?:\w+ )?(?:caught|got|hit|found|catch\w*|spotted|noticed) (?:the |a |an |that |this |it|some )?(?:\w+ )?(?:errors?|mistakes?|defects?|faults?|problem|issue|message|alarms?|deviation|bug|drift|reject\w*|report|wrong|button|reset|email|question|list|trend|order|training)\b",
    r"\b(?:sick|dead|down) (?:leave|days?|notes?|list|rate|stock|battery|time|center|pixel|zone|band|bolt|lock)\b|\bdowntime\b|\bdown times?\b|\b(?:machine|line|motor|robot|conveyor|pump|filler|screen|panel|hmi|plc|press|battery|drive|it|everything) (?:\w+ )?(?:is |was |went |are |looks )?(?:dead|ded|down|frozen|numb|sick|dying)\b|\bdead (?:machine|line|motor|hmi|screen)\b",
    r"\bnot moving\b(?= (?:parts?|stock|material|lots?|items?|inventory))|\b(?:machine|line|motor|robot|conveyor|axis|belt|pump|cylinder|arm|spindle|gripper|slide|door|valve|pusher|table|shuttle|crane|agv|drive|bottles?|product|pallets?|parts?|it|nothing|chain|gate|lift|hoist|forklift|carriage|indexer|turntable|screw|auger|piston|ram|press|palleti[sz]er|filler|labell?er|tool changer|servo|cnc)(?: \w+)?(?:[- ]?\d+)? (?:is |are |does |do |will |can |still |just )*not (?:\w+ )?(?:mov(?:e|ing)|respond\w*|react\w*|answer\w*|start\w*|wak\w*|see\w*|feel\w*|talk\w*)\b",
    r"\b(?:plc|hmi|server|controller|drive|screen|touch ?screen|scanner|printer|software|supplier|customer|quality|maintenance|nobody|he|she|vendor|network|sensor|camera|encoder|button|panel) (?:is |does |do |has |did |will )?not (?:\w+ )?(?:respond\w*|react\w*|answer\w*|talk\w*|communicat\w*)\b(?= (?:to (?:my|the|our) (?:mails?|emails?|ticket|request|order)|on|anymore|at all|by|over|via))",
    r"\b(?:signal|contact|phase|power|connection|communication|pressure|vacuum|position|reference|tension|air|count|prime|heat|steam|network|sync|money|parts?|output|production|minutes|hours|time|order|track|homing|grip|flame) (?:is |was |got )?lost\b|\blost (?:signal|contact|phase|power|connection|communication|pressure|vacuum|position|reference|tension|count|prime|heat|steam|production|minutes|hours|time|output|units|money|parts?|the (?:order|list|report))\b",
    r"\bkill (?:the )?(?:alarm|sound|horn|job|process|power|order|query|batch|program)\b|\bbroken[- ]?down\b|\bbreak ?downs?\b|\bbroke down\b|\bbroken (?:part|tool|link|pipe|wire|belt|chain|sensor|cable|glass|bolt|tooth|teeth|spring|pin|blade|drill|insert|ribbon|needle|screw|seal|window|pallet|machine|light|lamp|fan|relay|record|tap)s?\b",
    r"\bcut (?:length|off (?:date|time|valve|frequency|length|saw|wheel)|to (?:length|size)|sheets?|parts?|film|gasket|a new|the new|rate|quality|edge\w*|costs?|speed|scrap|downtime|in half|plan|list|angle|pieces|blanks|order|the grass|and paste)\b|\bclean cut\b|\bpower cut\b|\bshort ?cuts?\b|\blaser cut\w*\b|\bcutting\b(?= (?:head|oil|fluid|speed|edge|tool|insert|table|station|line|machine))",
    r"\b(?:drops?|drop) (?:of|test)\b|\bdrop tests?\b|\bfree fall\b|\bfalls? (?:protection|arrest\w*|prevention|due|on (?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|a |the \d))\b|\bfall(?:en)? (?:bottles?|boxes|containers?|cans?|preforms?)\b|\bfallen (?:bottle|box|can|part|product)s?\b",
    r"\bnear[- ]?miss(?:es)?\b|\bsafety (?:brief\w*|training|walk|talk|data|shoes?|glasses|boots?|gloves?|cert\w*|meeting|audit|inspection)\b|\b(?:welding|cutting|safety|protective|work) (?:gloves?|jackets?|coats?|aprons?|boots?|shoes?|trousers|glasses|goggles)\b",
    r"(?<!where is the )(?<!need a )(?<!need the )\b(?:fall|spill|leak|oil|drip|absorb\w*|burn|eye ?wash|trauma) (?:kits?|trays?|pans?|control|containment|pallets?|station (?:check|inspection|test|due)|mats?|prevention)\b|\b(?:crush|pinch|trap|nip|shear)(?:ing)? (?:points?|zones?|hazards?|resistance|test|strength|risk)\b|\bsteam traps?\b|\bmouse ?traps?\b|\btrap(?:ped)? (?:air|gas|water|errors?|messages?|exceptions?)\b|\bair (?:is )?trapped\b|\b(?:water|ink|odou?r|dirt|snmp) traps?\b",
    r"\b(?:exploded?|exploding) (?:view|drawing|bom|parts|diagram|in|on|over)\b|\bexplosion[- ]?(?:proof|protect\w*|class|zone|group|document\w*|vents?|relief|suppress\w*|hazard|panel|view)\b|\bbom explosion\b|\b(?:atex|ex) zone\b|\bflame (?:retard\w*|class|treat\w*|scan\w*)\b|\b(?:smoke|fire|flame) (?:class\w*|rating|retard\w*|curtain|damp\w*|vent\w*|extract\w*|hatch\w*|barrier|resist\w*|load|points?|seal\w*|stopping|control (?:panel|system|valve))\b",
    r"\b(?:smoke|gas|fire|heat) (?:alarm|detector)s? (?:batter\w*|due|test\w*|check\w*|calib\w*|inspect\w*|maintenance|cert\w*|part|spare|in the plan|contract|supplier|overdue|work orders?|last|zones?|list|faults?)\b|\bcalibrat\w* (?:of )?(?:the )?(?:gas|co|oxygen|smoke)\b[^~]{0,15}\b(?:detector|sensor|meter)s?\b|\bgas (?:alarm|detector)s? (?:calibrat\w*|checked|tested|inspected|due)\b",
    r"\b(?:glow(?:ing)?|pilot) (?:plug|lamp|light|burner|green|blue)s?\b|\b(?:led|lamp|light|button|indicator|display|beacon)\b[^~]{0,20}\bglow\w*|\bmelt(?:ing|s)? (?:flow|point|index|shop|pressure|temperature|pump|rate|furnace|pot|tank|down|range|batch|loss|order|time|the butter|chocolate|glue|viscosity|filter|cycle|capacity|lot|number|weight)\w*\b|\bhot[- ]?melt\b|\bmelting (?:furnace|department|shop)\b",
    r"\bin case of\b[^,~?.!]*|\bin the event of\b[^,~?.!]*|\b(?:if|when|once|should|suppose|imagine|whenever|unless|before|until) (?:ever )?(?:there is (?:an?|any) |a |an |some|any)(?:one|body|person|people|colleague|operator|worker|visitor|fire|gas leak|accident|injury|chemical spill|electric shock|gas alarm|leak)s?\b[^,~?.!]*",
    r"\b(?:burst|bursting) (?:pressure|test\w*|discs?|disks?|strength|mode)\b|\bruptur\w+ dis[ck]s?\b|\b(?:blow|blew|blows|blown|blowing) (?:mou?ld\w*|off (?:valve|nozzle|air)|down valve|a fuse|fuses?|pressure|station|time|ratio|nozzle|pin|film)\w*\b|\bfuses? (?:blew|blows|blown|blowing)\b|\bspray (?:nozzle\w*|pattern|dryer|head|bar|ball|pressure|rate|gun|booth|paint\w*|angle|coat\w*|time|drying|system)\b|\bsteam (?:pressure|flow|consumption|boiler (?:pressure|level)|temperature|meter|supply|quality|generator|trap\w*|usage)\b",
    r"\b(?:hair(?: ?net| ?pin| ?line)\w*|skin (?:pack\w*|pass|cream|effect|layer)|beard (?:net|cover)\w*|whale|mouth ?piece|tongue and groove|coat ?hanger)\b|\b(?:dog|crow|duck) ?(?:leg|foot|bill)s?\b|\b(?:table|frame|machine|gantry|support|press|cabinet|rack) legs?\b|\b(?:cleaner|coolant) (?:concentrate )?(?:consumption|level|stock|dosing|concentration)\b",
)

#: A clause about papers, counts, dates or the past: the words of danger in it report nothing.
RECORDS = (
    r"\b(?:sops?|draft|work instruction|policy|policies|poster|courses?|certificat\w+|certified|cert|licen[sc]e|training(?! (?:room|centre|center))|trained|statistics?|quarter|per month|by month|"
    r"last (?:year|month|quarter)|(?:this|per) (?:year|quarter)|since (?:january|march|may|april|2\d{3})|(?:in|of|for|during) (?:19|20)\d\d|(?:in|of|for|during|since) (?:january|february|march|april|may|june|july|august|september|"
    r"october|november|december)|how many (?!people are (?:hurt|trapped))|how often|number of|count of|trend|kpis?|reports? (?:for|of|on|by|last|is|due)|reported (?:in|last|on)|show (?:me )?(?:all|the|every|a list)|list (?:of|the|all|every)|part number|in stock|stock of|"
    r"spare parts?|setpoint|set point|calibrat\w+|maintenance plan|due (?:for|date|on|this|next|again)|inspected|overdue|expir\w+|renew\w*|next (?:month|year|inspection|drill|test)|schedul\w+|according to the|"
    r"manual say|the manual|test results?|results of|audit|flash ?point|sds|data ?sheet|class of|procedure (?:for|to|on|of)|work orders?|ncrs?|capas?|(?:open|closed) deviations?|complaints?|rejects|rejected|scrap (?:rate|count|reasons?|cost|by|per|%|of)|oee|oh ee ee|"
    r"cost of|price of|supplier|order(?:ed)? (?:\d|new|more|a new)|select\b|per shift|per line|per machine|by (?:shift|line|machine|reason|cause|month|week|year|area)|log (?:entries|book|of)|logbook|history of|mtbf|mttr|time to repair|risk assessment|hazard analysis|"
    r"what does (?:alarm|code|error|the)|meaning of|define|definition|query|top (?:three|five|ten|\d+)|pareto|ranking|leaderboard|consumption|backdate|who (?:got|was|is (?:certified|trained|qualified))|written instructions|shutdown order|documented|lots?(?= (?:released|on hold|\w*\d))|orders (?:released|open)|s/n|p/n)\b"
)
#: ... unless it goes on to speak of somebody here and now.
PRESENT = r"\b(?:help|hurry|right now|now!|is (?:bleeding|trapped|unconscious|on fire|burning|not breathing|not moving)|my (?:hand|arm|finger|leg|eyes?)|bleeding|unconscious|not breathing|on fire|ambulance)\b"

#: Words recognised through a slip of typing.
KEYS = (
    "smoke smoking smokes smoky burning burns burnt burned flame flames fire smouldering smoldering glowing melting explosion exploded exploding explodes sparks sparking "
    "smell smells smelling stinks burner leak leaking leaks leaked escaping hissing spill spilled spilling ammonia chlorine chemical chemicals solvent caustic "
    "acid fumes vapour hydrogen methane propane carbon monoxide detector alarm everywhere floor injured injury hurt bleeding bleeds blood unconscious fainted collapsed collapse "
    "breathing breathe moving responding ambulance accident emergency electrocuted electric electrical shock shocked zapped tingles tingling trapped caught stuck pinned jammed crushed "
    "squeezed pulled dragged entangled buried wedged sleeve glove finger fingers hand hands thumb wrist elbow shoulder forearm ankle trousers jacket someone somebody "
    "colleague operator worker technician driver electrician person people woman splashed sprayed squirted eyes swallowed inhaled dizzy vomiting choking seizure scalded broken "
    "fracture severed amputated roller rollers conveyor press machine gripper ladder stairs platform fell fallen slipped tripped stroke chest heart attack doctor medic firstaider "
    "evacuate screaming burst ruptured collapsing falling forklift robot cabinet urgent quick quickly panel toxic poisonous cylinder bottle steam boiling molten scaffold "
    "lift elevator silo hurts struck knocked touched answering gasping pain sweating headache first aid wound wounded live cable wire housing"
)
#: Slips that make another real word.
SLIPS: Mapping[str, str] = {
    "leek": "leak", "leck": "leak", "leake": "leak", "gass": "gas", "leeking": "leaking", "leeks": "leaks", "feinted": "fainted", "cought": "caught", "smel": "smell", "smoek": "smoke", "smok": "smoke", "fier": "fire",
    "flams": "flames", "gaz": "gas", "stcuk": "stuck", "stuk": "stuck", "stuc": "stuck", "hert": "hurt", "hurd": "hurt", "blod": "blood", "bleding": "bleeding", "pined": "pinned", "acident": "accident", "buring": "burning",
    "burnd": "burned", "traped": "trapped", "traptd": "trapped", "hes": "he is", "shes": "she is", "theres": "there is", "im": "i am", "ive": "i have", "its": "it is", "cant": "can not",
    "cannot": "can not", "doesnt": "does not", "isnt": "is not", "wont": "will not", "dont": "do not", "arent": "are not", "smthing": "something", "sth": "something", "smth": "something",
    "sombody": "somebody", "sumone": "someone", "firstaid": "first aid", "firstaider": "first aider", "colegue": "colleague", "collegue": "colleague", "coleague": "colleague", "coworker": "colleague",
    "eletric": "electric", "elektric": "electric", "shok": "shock", "shoked": "shocked", "nite": "night", "hospitl": "hospital", "ambulanz": "ambulance", "wasnt": "was not", "didnt": "did not",
    "amoniak": "ammonia", "amonia": "ammonia", "ammoniak": "ammonia", "propan": "propane", "clorine": "chlorine", "unconcious": "unconscious", "unconsious": "unconscious", "brething": "breathing", "breething": "breathing", "breeth": "breathe", "sleave": "sleeve", "oppe": "operator",
}  # fmt: skip

#: Words of their own that stand a slip away from one of the keys.
ORDINARY = _words_of(
    """
    alarmed arid avid baking bands beading bearing beating bedding binding blame bleach blending blocked blowing
    bound braking breach breading breeding brushed bunks bunt burrs bursts calling cased caused chairs chart charts
    cheat checking cheking chemist chemists chock clocked clover college could crashed created crusher docked
    dripped dwelling dyes elevated failing famed feeding figure figures filling flake flames flare float flood
    floods floors flowing frame fusing gloves growing hairs heading hearts hooked hunt hurry leading leads leaf
    leaky leans leave leaves lever levers linger loading locked looked lower making medicine meeting melding mould
    moving named paint painting paints panels pants paused pinged planned pleading polled polling pound poured power
    preaching printing proving pulsed purged reaching reading rinsing rolled rolling round roving rowing rubber runs
    seeding selling sending sensing served several shack shaved shell shelling shoes shook shoved slacked slower
    slowing smacked smite smock snacked socked sound spell spelling spiked spilt split splits spoiled spoke spoken
    spools stack stacked sticky stinging stock stocked stocks stoke stokes strapped strike strikes stringing swell
    swelling swinging table taught tinting tonic topic tower trapper treated tripped turned turner turning turns
    used wedding welding wielding winding would wounds wrapped
    """
)

#: Makers of machines, written like names of people.
MAKERS = _words_of(
    """
    abb allen atlas beckhoff bosch bradley cognex copco danfoss dmg fanuc festo grundfos haas heidenhain kaeser
    keyence krones kuka mazak mitsubishi omron pilz rexroth sew sick sidel siemens tetra trumpf yaskawa
    """
)

#: First names, as they are typed in small letters too.
NAMES = _words_of(
    """
    ada adam agnieszka ahmed alex ali alice amira amit amy ana anders andreas andrei andrzej anil anita anja anna
    ante antoine antonio astrid aylin ayse ben bernd bill birgit bjorn bob bogdan brian camille carla carlos charlie
    chen chris christian claire claudia daniel dave david deepak diego dieter dimitri dirk dmitri dragan elena elias
    ella emily emma emre erik eva ewa fatima fatma felix ferenc finn francesca francisco frank gabi gabor gary
    george gerd giovanni giulia goran grace gregor günter hans harry hasan heike heinz helen henrik hiroshi hope
    horst huseyin ibrahim igor ingrid ion irina istvan ivan ivana ivo jack jakub james jan jana jane javier jean
    jens jim joe john jonas jorge jose josef jovana juan jukka julia julien jürgen karen karim katalin katarzyna
    kate kathrin katja kenji kerstin kevin khalid kim klaus kristina krzysztof lars laura lea leila lena leon li
    liam linda linh lisa luc luca lucia luis luisa luka lukas mads manfred manuel marco marek maria marie marko
    markus marta martin matt matteo max maya mehmet mia michael miguel mihai mike mikko milan minh miriam mohamed
    mohammed monika mustafa nadine nancy naomi natasha nele nguyen nick nicolas nils nina noah ole oleg olga oliver
    olivia omar pablo paolo pat paul paulo pavel pedro pekka peter petr petra pierre piotr priya rahul raj ralf raul
    ravi renate rick robert robin rolf rosa ruth sabine sam samira sandra sanjay sara sarah sergey silke sofia
    sophie stefan steve sunil susan sven svetlana tanja tariq tatiana thomas tina tom tomasz torsten ursula ute uwe
    vera viktor vladimir wei william wolfgang yuki yusuf zoe zoltan zoran
    """
)
