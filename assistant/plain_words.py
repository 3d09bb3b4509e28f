"""The words by which a model's sentence is judged (`assistant.grounding`): what numbers, units, times, comparisons,
instructions and decisions look like when they are written out, and the words a sentence may begin with."""

from __future__ import annotations

from collections.abc import Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NUMERALS = _words(
    "zero nil nought naught one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty thirty forty fourty fifty sixty seventy eighty ninety ninty hundred "
    "hundreds thousand thousands million millions billion dozen dozens score first second third fourth fifth sixth "
    "seventh eighth eigth ninth tenth eleventh twelfth thirds fourths fifths tenths hundredth half halves quarter "
    "quarters twice thrice once double doubled doubles triple tripled threefold twofold tenfold single couple pair trio "
    "ii iii iv vi vii viii ix xi xii xiii xiv xv xvi xvii xviii xix xx xxx xl lx xc xcix mm cm "
    "ein eins zwei drei vier fuenf sechs sieben acht neun zehn elf uno dos tres deux trois quatre cinq"
)
_UNITS = _words(
    "percent percentage percents percentile permille pct points point seconds minute minutes min mins hour hours hr hrs "
    "days weeks months years millisecond milliseconds degree degrees celsius fahrenheit kelvin metre metres meter meters "
    "millimetre millimetres millimeter millimeters centimetre micron microns micrometre kilometre inch inches foot feet "
    "yard gram grams gramme kilogram kilograms kilo kilos kg tonne tonnes ton tons pound pounds ounce litre litres liter "
    "liters millilitre gallon gallons bar bars mbar pascal pascals psi kpa mpa newton newtons nm watt watts kilowatt "
    "kilowatts kw kwh megawatt joule joules volt volts ampere amperes amp amps ohm ohms hertz hz rpm euro euros dollar "
    "dollars cent cents pieces piece pcs ppm cubic square"
)
_TIMES = _words(
    "today yesterday tomorrow tonight monday tuesday wednesday thursday friday saturday sunday mondays tuesdays "
    "wednesdays thursdays fridays saturdays sundays january february april june july august september october november "
    "december jan feb apr jun jul aug sept sep oct nov dec noon midnight weekend christmas easter ago recently lately"
)
_QUANTITIES = _words(
    "all every each both none nothing nobody nowhere no not never always only several few many majority minority entire "
    "entirely whole without neither nor cannot hardly barely nearly almost roughly about approximately around "
    "everything everyone anything any"
)
_INSTRUCTIONS = _words(
    "you your yours yourself please must should shall ought ignore ignoring bypass bypassing disable disabling override "
    "overriding defeat defeating disregard jumper i we our us my me mine let's lets recommend recommends recommended "
    "advise advised suggest suggests"
)
_DECISIONS = _words(
    "release released releasable approve approved approval reject rejected pass passed passes fail failed fails safe "
    "safely unsafe compliant noncompliant conforming nonconforming acceptable unacceptable ok okay fine certified valid "
    "invalid guaranteed guarantee surely certainly definitely proven"
)
_ELSEWHERE = _words("other others another former latter respectively vice versa instead opposite neighbouring elsewhere")

#: Why a word may not be said, and the words.
FORBIDDEN: Mapping[str, frozenset[str]] = {
    "unit outside a slot": _UNITS,
    "a time outside a slot": _TIMES,
    "a quantity or a negation outside a slot": _QUANTITIES,
    "an instruction": _INSTRUCTIONS,
    "a decision": _DECISIONS,
    "a subject that is not named": _ELSEWHERE,
}

UP = _words(
    "above higher more greater larger longer bigger rose risen rise rises rising increased increase increases increasing "
    "grew grown up exceeded exceeds exceed exceeding gained gain climbed over beyond ahead outperformed"
)
DOWN = _words(
    "below lower less fewer smaller shorter fell fallen fall falls falling decreased decrease decreases decreasing dropped "
    "drop drops declined decline declines down shrank under beneath behind reduced reduction slipped lost trailed"
)
BETTER = _words("better improved improves improve improvement improving")
WORSE = _words("worse worsened worsens deteriorated deterioration poorer")
EQUAL = _words("same equal equals equalled unchanged identical stable steady constant alike level flat matched matches")
HIGHEST = _words("highest most largest longest greatest biggest top maximum peak peaked leading leads led main mainly mostly largely")
LOWEST = _words("lowest least fewest smallest shortest minimum bottom slightest")
BEST = _words("best strongest finest winner")
WORST = _words("worst weakest poorest")

CAUSAL = _words(
    "because cause caused causes causing therefore hence thus consequently explains explained explain why owing "
    "attributable reason reasons resulted resulting triggered responsible blame root"
)
#: Columns and facts that state a cause, so that a sentence which names one of them may speak of causes.
CAUSE_COLUMNS = frozenset(
    tuple("""
        reason cause causes comment member defect root_cause remedy consequence description root cases alarm message
    """.split())
)

#: Verbs that, before an object, tell somebody to do something.
ORDERS = sorted(
    _words(
        "open close remove replace press push pull switch reset restart start stop turn loosen tighten unscrew unlock lock shut take "
        "put set wait check clean clear change call go keep hold lift lower raise fit mount insert drain fill grease run drive "
        "connect disconnect unplug plug cut tell inform send give use apply adjust move do make leave enter reach touch skip "
        "repeat ship sign accept add delete force jog jumper short bridge pin tape block wedge"
    )
)

#: Nouns that may open a sentence before a slot or a preposition ("Alarm {E1.code}").
NOUNS = _words("alarm lot machine line product shift severity stock priority shipment batch serial section procedure document revision")

#: What a sentence may begin with; a verb here would be an instruction, a name would be a fact.
OPENERS = _words(
    "the a an this that these those it its there here in on at for from with within during over of to by as after before "
    "since between among across compared against while where when which what overall together meanwhile additionally "
    "furthermore moreover however beyond behind according based looking highest lowest most least best worst main earlier "
    "later taken seen recorded counted logged measured"
)

#: What a sentence may say beside the words of its own source: joints, reporting verbs and the common nouns of a plant. A word
#: that is in neither is somebody's name, a machine that nobody looked up, or a claim of the model's own.
PLAIN = _words(
    "the a an this that these those it its they them their there here which who whose what when where while and or but so "
    "as than then also both with of in on at by to from for during within into onto out off per between among across against "
    "through since until before after under over above below near toward towards along via versus like such is are was were be been "
    "being has have had having do does did can could may might will would made make makes making made mean means meant go goes "
    "went gone come comes came get gets got give gives gave given take takes took taken stand stands stood lie lies lay "
    "show shows showed shown see seen look looks looked reach reaches reached remain remains remained stay stays stayed keep "
    "kept begin begins began begun start starts started end ends ended stop stops stopped run runs ran running hold holds held "
    "contain contains contained include includes included including cover covers covered concern concerns concerned affect "
    "affects affected occur occurs occurred happen happens happened appear appears appeared record records recorded report "
    "reports reported list lists listed log logs logged count counts counted measure measures measured raise raises raised open "
    "opened close closed clear cleared acknowledge acknowledged plan planned schedule scheduled complete completed assign "
    "assigned name names named title titled describe describes described say says said state states stated tell tells told note "
    "notes noted note explain write writes written quote quotes quoted mention mentions mentioned refer refers compare compared "
    "comparison differ differs differed difference change changes changed add adds added amount amounts total totals sum share "
    "average mean median rate ratio value values figure figures number numbers level range row rows result results answer "
    "order orders alarm alarms event events stoppage stoppages case cases entry entries lot lots batch batches shipment "
    "shipments serial serials part parts component components product products machine machines equipment line lines area site "
    "plant station shift shifts period periods time times date day week month operation operations production maintenance "
    "quality material stock spare spares document documents manual procedure section page revision source sources evidence "
    "record records table list data question cause causes reason reasons symptom fault faults stoppages customer customers "
    "supplier suppliers defect defects nonconformance nonconformances certification certifications signal signals limit limits "
    "trend current currently still already now again further earlier later first last next newest oldest latest present "
    "former previous due late overdue priority severity status location description message comment work job task step steps "
    "scrapped produced used shipped supplied sold sent delivered went needed required available stored located attributed linked "
    "related followed accounted due respective frequent often frequently together alone itself well just even only where "
    "contributed contribution contributes part share consists consisting based according found place places way lead led "
    "long short high low large small great strong weak good open new old many much more most less least "
    "point unit group class kind type number output input set setting target plan expected actual recorded "
)
