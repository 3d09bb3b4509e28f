"""The words of the trade: shorthand, things, what is wrong with them, what is done about it. Data only, general to
maintenance; what one plant alone writes is learned from its own log (`retrieval/shorthand.py`)."""

from __future__ import annotations

from collections.abc import Mapping

#: Shop-floor shorthand, by what stands for it. Two readings of one shorthand ("flt": filter, fault) are left out.
ABBREVIATIONS: Mapping[str, str] = {
    "a-c": "air conditioner", "a/c": "air conditioner", "a/con": "air conditioner", "accum": "accumulator", "adj": "adjust",
    "adjd": "adjusted", "adjstd": "adjusted", "air-con": "air conditioner", "aircon": "air conditioner",
    "aircond": "air conditioner", "alt": "alternator", "amp": "amplifier", "assy": "assembly", "b/d": "breakdown",
    "batt": "battery", "batts": "batteries", "bearng": "bearing", "bkr": "breaker", "blkd": "blocked", "brg": "bearing",
    "brgs": "bearings", "brk": "brake", "brkn": "broken", "btm": "bottom", "c/o": "change out", "c/out": "change out",
    "c/outs": "change out", "cab": "cabin", "cb": "circuit breaker", "cbl": "cable", "cct": "circuit",
    "changeout": "change out", "chg": "changed", "chgd": "changed", "chgout": "change out", "chk": "check",
    "chkd": "checked", "chng": "change", "chngd": "changed", "ck": "check", "cleand": "cleaned", "clgd": "clogged",
    "cln": "cleaned", "clnd": "cleaned", "clnt": "coolant", "clogd": "clogged", "clr": "cooler", "cnx": "connection",
    "comms": "communication", "comp": "compressor", "conn": "connection", "conns": "connections", "contam": "contaminated",
    "contr": "controller", "conv": "conveyor", "coolnt": "coolant", "ctrl": "control", "ctrlr": "controller",
    "curr": "current", "cyl": "cylinder", "cyls": "cylinders", "def": "defective", "dfct": "defective",
    "diff": "differential", "dmg": "damaged", "dmgd": "damaged", "drty": "dirty", "drv": "drive", "e-stop": "emergency stop",
    "elec": "electrical", "elect": "electrical", "enc": "encoder", "eng": "engine", "eqpt": "equipment",
    "equip": "equipment", "estop": "emergency stop", "filt": "filter", "fiter": "filter", "fltr": "filter", "frt": "front",
    "g/box": "gearbox", "gb": "gearbox", "gbox": "gearbox", "gbx": "gearbox", "gnd": "ground", "grbx": "gearbox",
    "greasd": "greased", "h/ex": "heat exchanger", "h/p": "high pressure", "hp": "high pressure", "hr": "hour",
    "hrs": "hours", "hx": "heat exchanger", "hyd": "hydraulic", "hydr": "hydraulic", "hyds": "hydraulics",
    "inop": "inoperative", "insp": "inspect", "inspd": "inspected", "inst": "installed", "instd": "installed",
    "instr": "instrument", "insul": "insulation", "intermit": "intermittent", "intermitt": "intermittent",
    "intlk": "interlock", "l/h": "left hand", "l/p": "low pressure", "leakin": "leaking", "lh": "left hand",
    "lh/s": "left hand side", "lhs": "left hand side", "lk": "leak", "lkg": "leaking", "lking": "leaking", "lkng": "leaking",
    "lub": "lubrication", "lub'n": "lubrication", "lube": "lubrication", "lvl": "level", "maint": "maintenance",
    "mcb": "circuit breaker", "mech": "mechanical", "mins": "minutes", "mot": "motor", "mtce": "maintenance",
    "mtg": "mounting", "mthly": "monthly", "mtr": "motor", "n/w": "not working", "noisey": "noisy", "nok": "not in order",
    "o-rings": "o-rings", "o.k": "ok", "o/h": "overheating", "o/haul": "overhaul", "o/l": "overload", "o/ring": "o-ring",
    "o/t": "overtemperature", "oh": "overheating", "ok'd": "ok", "ops": "operators", "oring": "o-ring",
    "p/s": "power supply", "pls": "please", "pm": "preventive maintenance", "pmp": "pump", "pneu": "pneumatic",
    "pneum": "pneumatic", "pnl": "panel", "pos": "position", "pres": "pressure", "press": "pressure", "prob": "problem",
    "probs": "problems", "prox": "proximity sensor", "psr": "pressure", "psu": "power supply", "pwr": "power",
    "qty": "quantity", "r&r": "remove and replace", "r/h": "right hand", "r/r": "remove and replace", "refurb": "refurbish",
    "regul": "regulator", "rep": "repair", "repd": "repaired", "repl": "replaced", "replcd": "replaced", "repld": "replaced",
    "req": "required", "reqd": "required", "reseald": "resealed", "rh": "right hand", "rh/s": "right hand side",
    "rhs": "right hand side", "rmv": "remove", "rmvd": "removed", "rpl": "replaced", "rplc": "replace", "rplcd": "replaced",
    "rr": "rear", "rst": "reset", "s/down": "shutdown", "sched": "scheduled", "sens": "sensor", "serv": "service",
    "shdn": "shutdown", "sns": "sensor", "snsr": "sensor", "sol": "solenoid", "spdl": "spindle", "spkr": "speaker",
    "sply": "supply", "spndl": "spindle", "sprkt": "sprocket", "strnr": "strainer", "svc": "service", "sw": "switch",
    "swapd": "swapped", "swgr": "switchgear", "temp": "temperature", "temps": "temperatures", "thermo": "thermostat",
    "thrm": "thermal", "thru": "through", "tightnd": "tightened", "tk": "tank", "tstat": "thermostat", "tx": "transformer",
    "u.s": "unserviceable", "u/s": "unserviceable", "vib": "vibration", "vlv": "valve", "volt": "voltage", "vsd": "drive",
    "w/": "with", "w/o": "without", "w/shop": "workshop", "warr": "warranty", "wk": "week", "wkly": "weekly", "wrn": "worn",
    "wrnt": "warranty", "xducer": "transducer", "xfmr": "transformer",
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

#: Things whose name is more than its last word, and things that no family of `COMPONENTS` holds.
NAMES: tuple[str, ...] = (
    "coolant filter", "oil filter", "air filter", "hydraulic pump", "coolant pump", "vacuum pump", "flow sensor", "flow switch",
    "pressure sensor", "pressure switch", "proximity sensor", "light curtain", "limit switch", "level sensor",
    "temperature sensor", "drive belt", "conveyor belt", "hydraulic hose", "hydraulic cylinder", "air conditioner",
    "control panel", "power supply", "suction cup", "spindle bearing", "ball screw", "emergency stop", "tool changer",
    "heat exchanger", "circuit breaker", "o-ring", "circuit", "controller", "plc", "shaft", "chuck", "compressor", "cooler",
    "radiator", "tank", "reservoir", "slide", "screw", "bolt", "nut", "bracket", "frame", "window", "lamp", "light", "display",
    "panel", "keyboard", "printer", "scanner", "camera", "robot", "actuator", "accumulator", "regulator", "manifold", "engine",
    "alternator", "starter", "bucket", "track", "boom", "tooth", "ladder", "turbo", "turbocharger", "injector", "exhaust",
    "mirror", "seat", "horn", "ram", "die", "mould", "electrode", "torch", "transformer", "coil", "card", "module", "network",
    "coolant", "hydraulics", "connection", "cabinet", "conveyor", "transmission", "differential", "axle", "wheel", "tyre",
    "generator", "turbine", "rotor", "stator", "bush", "bushing", "bearings", "pin", "lever", "pedal", "gauge", "indicator",
    "antenna", "radio", "speaker", "siren", "beacon", "alarm", "cover", "hatch", "handrail", "step", "platform", "walkway",
    "chute", "hopper", "feeder", "crusher", "mill", "mixer", "agitator", "vessel", "boiler", "burner", "furnace", "duct",
    "damper", "louvre", "filter housing", "housing", "casing", "flange", "clamp", "bolt", "stud", "rivet", "weld", "liner",
    "plate", "shim", "spacer", "knob", "handle", "hinge", "lock", "latch", "joystick", "remote", "computer", "monitor",
    "software", "program", "socket", "isolator", "switchboard", "starter motor", "line", "cab", "cabin", "chassis",
    "suspension", "steering", "gate", "receiver", "hub", "edge", "tip", "jack", "arm", "wrist", "axis", "carriage", "turret", "tailstock",
    "vice", "pallet", "fixture", "jig", "probe", "magazine", "hood", "canopy", "pump station", "unit", "system", "assembly", "cartridge", "thermometer",
    "transmitter", "igniter", "spark plug", "fuel line", "radiator cap", "muffler", "manifold", "crankshaft", "camshaft", "flywheel", "gearbox", "driveshaft",
    "universal joint", "joint", "ball joint", "rod", "link", "linkage", "yoke", "cam", "follower", "lifter", "rocker", "sump", "dipstick", "breather",
    "strap", "bucket tooth", "adaptor", "adapter", "lip", "shroud", "idler", "sprocket", "shoe", "pad", "disc", "drum", "rim", "bearing housing",
    "extinguisher", "washer", "grille", "vent", "diffuser", "evaporator", "condenser", "receiver drier", "chiller", "blower", "ioniser", "busbar",
    "terminal block", "earth strap", "contact", "limit", "potentiometer", "resolver", "servo drive", "brake pad", "torque limiter", "windscreen", "belt guard", "steering", "hoist", "crane", "winch", "rope", "hook", "sling", "scale", "load cell", "dust collector",
)  # fmt: skip
#: What stands beside nearly every thing and is the thing itself only when nothing else is named.
MEDIA = frozenset(("coolant", "oil", "grease", "hydraulics", "lubrication", "light", "tool", "line", "step", "water", "air", "machine"))

#: What may be wrong, by the label that entries are counted under.
CONDITIONS: Mapping[str, tuple[str, ...]] = {
    "clogged": ("clogged", "blocked", "choked", "plugged", "dirty", "gunked", "gummed", "fouled", "sludged", "congested", "restricted", "blockage", "swarf", "contaminated", "contamination", "clogging", "full"),
    "leaking": ("leaking", "leak", "leaks", "leaky", "leaked", "dripping", "weeping", "weep", "weeps", "seeping", "leakage", "drip", "bypassing"),
    "worn": ("worn", "wear", "frayed", "thin", "play", "backlash", "perished", "corroded", "corrosion", "rusted", "eroded", "bald"),
    "broken": ("broken", "broke", "cracked", "crack", "cracks", "cracking", "snapped", "sheared", "torn", "ripped", "burst", "bent", "damaged", "damage", "smashed", "split", "fractured", "blown", "deformed", "chipped", "dented", "melted"),
    "missing": ("missing", "lost", "fallen", "fell", "dropped", "gone"),
    "loose": ("loose", "slack", "wobbly", "undone", "popped"),
    "misaligned": ("misaligned", "misalignment", "off-track", "offtrack", "drifted", "shifted", "mismatched"),
    "overheated": ("overheating", "overheated", "hot", "burnt", "burned", "overtemperature", "overtemp", "overheats", "smoke", "smokey", "smoky", "smoking", "burning"),
    "low": ("low", "empty", "insufficient", "dry"),
    "jammed": ("jammed", "stuck", "seized", "jam", "jamming", "sticking", "binding", "stiff", "bogging", "stuck"),
    "noisy": ("noisy", "noise", "squeaking", "grinding", "rattling", "squealing", "vibration", "vibrating", "chatter", "chattering", "knocking", "whining", "humming"),
    "failed": ("failed", "faulty", "faulting", "dead", "unserviceable", "defective", "failure", "kaput", "broken-down", "breakdown", "inoperative", "fails", "failing", "fail", "shorted", "short", "fault", "faults", "error", "errors", "tripped", "tripping", "trip", "trips", "intermittent", "intermittently", "shot", "bad", "flat", "malfunction", "stopped", "shutdown", "overcharged", "overload", "overloaded", "overspeed", "overcurrent", "overpressure", "undervoltage", "discharging", "erratic"),
}  # fmt: skip

#: What may be done, by the label that entries are counted under; verbs in their plain form.
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "replaced": ("replace", "swap", "change", "renew", "exchange", "fit", "install", "refit", "change-out", "substitute"),
    "cleaned": ("clean", "flush", "clear", "wash", "purge", "rinse", "unclog", "unblock", "wipe", "blow", "descale"),
    "repaired": ("repair", "fix", "weld", "rebuild", "patch", "mend", "rewire", "rectify", "reseal", "refurbish", "overhaul", "re-seal", "resolder", "solder"),
    "adjusted": ("adjust", "align", "realign", "tension", "retension", "calibrate", "recalibrate", "set", "retune", "tune", "balance", "level"),
    "tightened": ("tighten", "retighten", "torque", "secure", "re-tighten", "retorque"),
    "lubricated": ("lubricate", "grease", "oil", "regrease"),
    "refilled": ("refill", "top", "top-up", "fill", "bleed", "recharge", "charge"),
    "serviced": ("service",),
    "reset": ("reset", "restart", "reboot", "power-cycle", "jump-start", "jumpstart", "reload"),
    "modified": ("modify", "upgrade", "rework", "extend", "add"),
    "removed": ("remove", "dismantle", "disconnect"),
    "inspected": ("inspect", "check", "test", "investigate", "monitor", "diagnose", "measure", "audit", "examine", "look"),
}  # fmt: skip
#: Past forms and nouns that no rule makes.
IRREGULAR: Mapping[str, str] = {
    "fitted": "fit", "bled": "bleed", "blew": "blow", "rebuilt": "rebuild", "inspection": "inspect", "inspections": "inspect",
    "adjustment": "adjust", "replacement": "replace", "replacements": "replace", "installation": "install", "calibration": "calibrate",
    "alignment": "align", "lubrication": "", "renewal": "renew", "modification": "modify", "modifications": "modify",
    "removal": "remove", "diagnosis": "diagnose", "cleanup": "clean", "topped": "top", "setting": "", "settings": "", "fitting": "",
    "fittings": "", "welds": "", "levels": "", "tests": "test", "changing": "change", "filter": "",
}  # fmt: skip
#: Verbs that are as often the name of a thing ("check valve", "grease line"): an action where a clause begins with them.
TWOFOLD = frozenset(("check", "grease", "oil", "weld", "clean", "set", "test", "service", "charge", "level", "balance", "top", "fill",
                     "lubricate", "tension", "torque", "patch", "swap", "change", "blow", "tune", "measure", "look", "monitor", "clear", "fit"))  # fmt: skip

#: Words that name no thing: of sentences, of places on a machine, of time and of the office.
NO_THING = frozenset(
    "a an the and or of on in at to from for with without by as is was were are be been being it its this that these those has have had do does did "
    "done not no nor but so then than if when while after before during under over above below behind near around through into onto out off up down "
    "again still also only very more most some any all both each every other another same such too per via due there here where what which who how "
    "why can cannot could will would wont may might must shall should need needs needed require requires required found see seen look looks looking "
    "get gets got getting go goes going gone come comes came keep keeps kept make made makes take took taken put use used using run runs running ran "
    "work works working worked start starts started starting stop stops stopping open opened opens opening close closes closed closing turn turns "
    "turned turning move moves moving moved "
    "left right hand side front rear upper lower inner outer top bottom middle centre center main primary secondary auxiliary spare new old used "
    "first second third next last one two three four number no position inside outside internal external both end ends onside offside high low hot cold "
    "good ok okay fine bad poor minor major normal small large big long short full half correct incorrect wrong proper possible likely various several "
    "hour hours day days week weeks weekly daily monthly month year yearly minute minutes shift shifts today yesterday night morning time times date "
    "order orders quote warranty workshop po wo job task work report reported please note text photo tbc etc see campaign statutory routine scheduled "
    "planned unplanned preventive maintenance breakdown issue issues problem problems complaint cause caused reason operator operators technician "
    "fitter fitters contractor labour hire scope number nr x pcs qty piece pieces set sets type group area equipment "
    "nothing something anything everything none back away apart properly quickly slowly about approx until since yet soon already just "
    "electrical mechanical electric hydraulic pneumatic manual automatic "
    "order condition order repairs parts part".split()
)  # fmt: skip
