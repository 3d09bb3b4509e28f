"""Words that people of the trade use for one thing: British and American, written and spoken, the part and its nickname.

`concepts` turns a text into the groups that its words and phrases belong to; the lexical half indexes them beside the
words themselves and counts them for less, so that a "handbrake" finds the park brake without outranking the word that
was asked for. Data and a lookup, general to plants; shorthand is read in `retrieval/trade_words.py`. tests/test_lexical.py.
"""

from __future__ import annotations

import re
from functools import lru_cache

import tantivy

from retrieval.trade_words import ABBREVIATIONS

#: Each line is one group; words of several tokens are phrases. A word may stand in several groups.
GROUPS = tuple(
    tuple(word.strip() for word in line.split(","))
    for line in """
accident, collision, crash, impact, incident, bump, hit, struck
acceleration, accelerating, ramp
access, entry, entrance, way in
accumulator, pressure vessel, bladder
actuator, cylinder, ram, piston
adapter, adaptor, holder
adjust, set, tune, align, realign, calibrate, trim
air conditioner, air conditioning, aircon, climate, cooling unit, refrigeration, hvac, a/c
alarm, warning, buzzer, siren, beeper, alert, sounder, horn
alternator, generator, charging, dynamo
arm, manipulator, jib
axis, joint
battery, batteries, cell, accumulator
bearing, bush, bushing, race
begin, start, launch, run, execute, start up, boot
belt, strap, band
bent, deformed, warped, buckled, twisted, crooked
bin, bucket, hopper, container, tray, dipper
blocked, clogged, plugged, choked, jammed, obstructed, restricted, congested
bolt, screw, stud, fastener, nut
brake, braking, retarder, holding brake
park brake, parking brake, handbrake, hand brake
broken, snapped, sheared, fractured, smashed, shattered, cracked, split, damaged, torn, busted
burst, blown, ruptured, blew, split, popped
button, switch, push button, pushbutton, knob
cab, cabin, operator station, driver cabin
cable, wire, wiring, lead, cord, harness
camera, video
cancel, abort, stop, terminate, quit
cap, lid, cover, bonnet, hood
case, housing, enclosure, casing
catch, latch, lock, striker, hook, clasp
change, replace, exchange, swap, renew, change out, changeout, substitute, new
chip, metal, swarf, particle, particles, shavings, contamination
circuit breaker, breaker, fuse, trip
clean, wash, hose out, rinse, flush, wipe, blow out
clear, acknowledge, reset, quit, remove
close, shut
closed, shut
coat, paint, lacquer
cold, cool, chilled, freezing
collision, crash, impact, bumped, stall
communication, connection, link, network, bus, offline, comms
compressor, compressed air, pneumatic
computer, pc, laptop, workstation, controller
contactor, relay, starter
contaminated, dirty, polluted, fouled, contamination
control lever, joystick, joy stick, stick, lever, handle
coolant, cooling water, antifreeze, cooling liquid
corroded, rusted, rusty, rust, corrosion, pitted
crack, fracture, cracking, cracked, split
creep, creeping, drift, drifting, sink, sinking, slowly drops, sinks
current, amperage, amps
damaged, broken, bent, wrecked, ruined
dashboard, dash, panel, instrument panel, instrument cluster, console
dead, not working, does not work, no power, failed, unserviceable, out of order, inoperative, faulty, not functioning, kaput, gone, defective, stopped working, u/s, n/w
depleted, empty, run dry, ran dry, run out, out of
diesel, fuel, petrol, gas oil
disabled, not enabled, switched off, turned off, deactivated, off, not switched on
disconnected, unplugged, lost connection, offline, connection lost, not connected
display, screen, monitor, picture, readout
door, gate, hatch, flap
download, upload, transfer
drain, empty, discharge
drive, inverter, driver, amplifier, servo drive, frequency converter
drive shaft, driveshaft, shaft, cardan, propshaft
drop, fall, fell, dropped, fallen, slipped, let go
dust, dirt, debris, grit
earth, ground, grounding, earthing
edge, blade, cutter
elbow, bend
electric, electrical, electrics
emergency stop, e-stop, estop, mushroom button, emergency off, emergency button
enclosure, cabinet, box
engine, motor, diesel engine
error, fault, failure, problem, trouble, issue, malfunction
exceeds, above, over, too high, higher than, beyond, overlimit, too much, exceeded, over limit
excavator, shovel, digger
exhaust, muffler, silencer, tailpipe
expired, out of date, past its date, overdue, lapsed, obsolete, outdated
extinguisher, fire suppression, fire extinguishing, fire system, fire fighting, sprinkler
fan, blower, ventilator, pressuriser
fast, quick, high speed, speedy, rapid
fault finding, troubleshoot, diagnose, investigate
file, document, project
filter, strainer, screen, element, cleaner
find, locate, search, detect, detected, found
fit, install, mount, attach
flag, pennant, marker
flashing, blinking, flickering
flat, discharged, empty, no charge
flow, throughput
force, load, push, pushed, torque
frame, chassis, structure
fridge, refrigerator, freezer
fumes, smoke, smoking, vapour
gasket, seal, o-ring, o ring, packing, gland
gauge, indicator, meter, instrument, reading
gear, cog, pinion, sprocket
gearbox, transmission, gear box, gearcase, gear case, transfer case
glass, window, windscreen, windshield, pane, windows
grab, grip, gripper, clamp
grease, lubrication, lubricant, lube, greasing, lubricate, auto-greaser, greaser
guard, cover, shield, protection
handrail, hand rail, safety rail, guard rail, railing, banister, rail
hard, hardware
headlight, light, lamp, bulb, lighting, headlamp, beacon, worklight
heat, hot, overheating, overheat, overheated, too hot, overtemperature, warm, high temperature, temperature too high, running hot, too warm, hotter
height, level, altitude
home, homing, reference, referencing, zero, home position, reference run, origin
horn, hooter, klaxon
hose, pipe, tube, line, tubing, pipeline
hydraulic, hydraulics, hyd
idle, idling, tick over
idler, tensioner, guide wheel
ignition, ignition key, ignition lock, key switch
incorrect, wrong, invalid, illegal, bad, error, false
insufficient, too low, low, below, too little, not enough, lower than, undervoltage, under
intermittent, intermittently, sporadic, now and then, from time to time, sometimes, occasionally
isolate, lock out, lockout, disconnect
item, part, workpiece, labware, plate, object
joystick, lever, pedal
kinked, pinched, trapped, caught
ladder, stairs, steps, stair, rungs, access steps, stairway, staircase
leak, leaking, dripping, drips, weeping, seeping, sweating, losing, loss, oozing, escaping, leakage
left, left hand, left side, lh, l/h, lhs
licence, license, licensing
lift, raise, hoist, boom
limit, boundary, range, end stop, threshold
lip, edge
liquid, fluid
listen, port, socket
load, payload, weight
loose, slack, wobbly, play, undone, sloppy, worn, movement, excessive play
lost, missing, gone, vanished, disappeared, absent, not present, not there
low power, loss of power, lacking power, no power, down on revs, weak, underpowered, dying, dies, stalling
lubricate, oil, grease
mains, supply, power supply, line voltage, input voltage, power
manual, by hand, guided by hand, hand guided, teach
measure, measuring, gauge, inspect
message, notification, text
microwave, oven, stove, cooker
mirror, rear view
misaligned, skewed, out of line, crooked, not aligned, off centre, misalignment
mount, bracket, support, fixing
move, motion, movement, travel, traverse
noise, noisy, rattling, squealing, grinding, squeaking, knocking, humming, loud
nozzle, jet, injector
obstacle, obstruction, person in the area, something in the way
oil, lubricant, lubricating oil
open, opened
operating area, work area, working area, workspace, safety boundary, safety wall, working range, envelope
operator, user, driver, worker
overload, overloaded, too heavy, above its range, excessive load
overpressure, too much pressure, excess pressure
overspeed, too fast, runaway, speed limit, moves too fast, speeding
password, login, credentials
path, route, trajectory
pause, halt, hold, suspend
pedal, foot switch
phase, conductor
pick up, pickup, take, grasp
pin, dowel, peg
pipette, dispenser
play, clearance, backlash, slack, gap
pointer, tip, point
position, location, place, point
power, energy
press, push
pressure, pressurised
prevent, avoid
probe, stylus, tip, sensor
processor, cpu, mcu, computer chip
program, programme, script, code, protocol
pull in, close, energise, engage
pump, pumping
queue, buffer, backlog
radiator, cooler, heat exchanger, oil cooler
radio, two way, two-way, 2-way, uhf, intercom, walkie talkie
rear, back, behind
recharge, refill, top up, fill
reception, signal, aerial, antenna, stations
refrigerant, freon, re-gas, regas, coolant gas, gas
refuse, will not, won't, cannot, unable, does not, refuses, can't, fails to, not able
release, let go, open
remove, detach, dismantle, take off
repair, fix, mend, rectify, overhaul, rebuild
resistor, resistance
reverse, backup, back-up, reversing, backwards
revs, rpm, speed, rotational speed
right, right hand, right side, rh, r/h, rhs
robot, manipulator, arm, cobot
roller, wheel, caster
rope, cable, wire rope
rotate, turn, spin, revolve, swivel
sample, test
sampling, cycle time, period
scale, weighing, weigher, weightometer, load cell
seat, chair
seat belt, safety belt, seatbelt, harness
seized, stuck, jammed, frozen, blocked, sticking, binding, locked, jams, locked-rotor, locked rotor
sensor, transducer, probe, detector, transmitter, sender, pickup
shaft, spindle, axle
shoe, pad, plate, track shoe
short circuit, short, shorted, shorting
shut down, shutdown, shuts down, cut out, cutting out, switched off, shutting down, stops, stall, tripping
silent, mute, no sound, not sounding, quiet
singularity, singular
sink, drop, lower
skip, ignore, bypass
slip, slipping, slips
slow, sluggish, lagging, delayed, lag, slower
smell, odour, burning smell
smoke alarm, smoke detector
software, firmware, application
spare, replacement
speaker, loudspeaker, microphone
speed, velocity
squeal, screech, screaming
starter, starter motor, starting motor
start, crank, fire up, turn over, starting, started
steering, steer
step, stage
step through, single step, one at a time
stiff, heavy, tight
stop, halt, brake
storage, memory, eeprom
straight line, linear, movl
suck air, sucks air, bypassing air, drawing air, air in the system, cavitating
suction, vacuum
swing, slew, slewing, slue, upper structure, superstructure, rotation
synchronise, sync
tank, reservoir, sump, container
tear, rip, torn, ripped
temperature, thermal, thermo
thermostat, thermo switch
tight, tension, torque
tooth, teeth, tip, point
touch, contact
touchscreen, tablet, hmi
track, crawler, undercarriage
trailer, wagon
transformer, converter
travel, tram, tramming, propel, propulsion, drive motor
trip, tripped, tripping, kicked out
turbo, turbocharger
tyre, tire
universal joint, uni joint, u-joint, cardan joint
update, upgrade, newer version
valve, solenoid
vegetation, grass, leaves, plants
version, release
vibration, vibrating, shaking, oscillation
view, see, look
voltage, volts, dc bus, pn
walkway, catwalk, platform, gangway, walk way
walking out, working out, coming out, coming loose, come off, fallen off, fell off, adrift, came off, fell out
wear, worn, worn out, wearing, worn through
weld, welding, welded
wheel, rim
wiper, wipers, wiping
""".strip().splitlines()
)


@lru_cache(maxsize=1)
def _stems() -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for step in (tantivy.Filter.lowercase(), tantivy.Filter.ascii_fold(), tantivy.Filter.stemmer("english")):
        builder = builder.filter(step)
    return builder.build()


@lru_cache(maxsize=1)
def _groups() -> tuple[dict[tuple[str, ...], tuple[str, ...]], dict[str, int]]:
    """Stems of a word or phrase -> its groups; and a first stem -> the most stems of any phrase that begins with it."""
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    longest: dict[str, int] = {}
    for number, words in enumerate(GROUPS):
        for word in words:
            stems = tuple(_stems().analyze(word))
            found[stems] = tuple(dict.fromkeys((*found.get(stems, ()), f"g{number}")))
            longest[stems[0]] = max(longest.get(stems[0], 1), len(stems))
    return found, longest


_WORD = re.compile(r"[a-z0-9]+(?:[/.'&-][a-z0-9]+)*")


@lru_cache(maxsize=16_384)
def plain(text: str) -> str:
    """The text in lower case with the trade's shorthand written out: "L/H CYL U/S" -> "left hand cylinder unserviceable"."""
    return _WORD.sub(_written_out, text.lower())


def _written_out(match: re.Match[str]) -> str:
    word = match.group()
    return ABBREVIATIONS.get(word, word)


@lru_cache(maxsize=16_384)
def read(text: str) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """The words and known phrases of a text, in order, as (stems, groups); a group is a token such as "g12". Longer
    phrases are read before their words, and shorthand as what it stands for."""
    groups, longest = _groups()
    stems = _stems().analyze(plain(text))
    found: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    start, end = 0, len(stems)
    while start < end:
        first = stems[start]
        size = min(longest.get(first, 1), end - start)
        while size > 1 and tuple(stems[start : start + size]) not in groups:
            size -= 1
        words = tuple(stems[start : start + size])
        found.append((words, groups.get(words, ()) if first in longest else ()))
        start += size
    return tuple(found)


def concepts(text: str) -> list[str]:
    """The groups of a text's words and phrases, in order and with repetitions."""
    return [group for _, groups in read(text) for group in groups]
