"""The spoken request grammar: rules, how names and codes are said, reading back what was said, the compact network."""

import itertools

import pytest

from assistant.voice.grammar import GrammarError, Network, _tree, command_network, command_of, commands, request_network, rules
from assistant.voice.letters import held_out, said_by_letters
from assistant.voice.pronunciation import PHONES, carried, digit_ways, sounds_of, ways
from assistant.voice.vocabulary import Name, Vocabulary, imperative, sayings
from retrieval.identifiers import key, spoken_digits


def small_vocabulary():
    def names(kind, *rows):
        return tuple(Name(kind, value, written, sayings(written)) for value, written in rows)

    return Vocabulary(
        {
            "EQUIPMENT": names("equipment", ("CNC-01", "CNC-01"), ("CNC-02", "CNC-02"), ("PAL-01", "palletizer 1")),
            "LINE": names("line", ("LINE-2", "line 2"), ("LINE-3", "line 3")),
            "PRODUCT": names("product", ("XYZ", "XYZ")),
            "METRIC": names("metric", ("oee", "oee"), ("scrap_rate", "scrap rate"), ("downtime", "downtime")),
            "RECORDS": names("record", ("maintenance_orders", "work orders")),
            "CODE": names("code", ("502", "502"), ("AL-1043", "AL-1043")),
            "SHIFT": names("shift", ("night", "night shift")),
            "TASK": names("task", ("t", "changing the filter")),
            "DO_TASK": names("task", ("t", "change the filter")),
        },
        frozenset(("502", "AL-1043")),
    )


@pytest.fixture(scope="module")
def network():
    return request_network(small_vocabulary())


@pytest.mark.parametrize(
    ("said", "text", "named"),
    [
        (
            "what does alarm five oh two mean on c. n. c. two",
            "what does alarm 502 mean on CNC-02",
            {("code", "502"), ("equipment", "CNC-02")},
        ),
        ("what does alarm five hundred and two mean", "what does alarm 502 mean", {("code", "502")}),
        ("explain alarm a. l. ten forty three", "explain alarm AL-1043", {("code", "AL-1043")}),
        ("explain alarm seven one nine", "explain alarm 719", {("digits", "719")}),
        ("o. e. e. of line three yesterday", "oee of line 3 yesterday", {("metric", "oee"), ("line", "LINE-3")}),
        (
            "please show me the scrap rate for product x. y. z. last week",
            "please show me the scrap rate for product XYZ last week",
            {("metric", "scrap_rate"), ("product", "XYZ")},
        ),
        ("where did lot double eight two one three go", "where did lot 88213 go", {("digits", "88213")}),
        ("why did the palletizer one stop last night", "why did the palletizer 1 stop last night", {("equipment", "PAL-01")}),
        ("how do i change the filter on this machine", "how do i change the filter on this machine", {("task", "t")}),
        ("there is smoke coming out of the cabinet", "there is smoke coming out of the cabinet", set()),
    ],
)
def test_requests_are_read_as_they_are_typed(network, said, text, named):
    found = network.read(said.split())
    assert found is not None
    assert found.text == text
    assert {(one.kind, one.value) for one in found.said} == named


@pytest.mark.parametrize(
    "said", ["", "tell me a joke", "what does alarm mean", "line three line two", "explain alarm five oh two on line nine", "c. n. c."]
)
def test_what_no_rule_says_is_outside(network, said):
    assert network.read(said.split()) is None


def test_a_slot_without_names_takes_its_branch_away():
    bare = request_network(Vocabulary({"LINE": (Name("line", "A", "line 4", ("line four",)),)}))
    assert bare.read("why did line four stop".split()) is not None
    assert bare.read("plot the oee of line four".split()) is None
    assert bare.read("guide me through changing the filter".split()) is None


def _rows(network, compact, longest):
    """Every row of up to `longest` words that an acceptor takes."""
    found, alive = set(), {(0, ())}
    final = len(compact.moves) - 1
    for _ in range(longest):
        alive = {(end, (*row, word)) for state, row in alive for word, ends in compact.moves[state].items() for end, _ in ends}
        found |= {row for state, row in alive if state == final}
    return found


def test_the_compact_network_accepts_the_same_rows():
    network = command_network()
    compact = network.compact()
    accepted = _rows(network, compact, 4)
    assert accepted == {row for size in range(1, 5) for row in accepted if len(row) == size}
    assert all(network.read(row) is not None for row in accepted)
    words = sorted(network.words)[:12]
    for row in itertools.product(words, repeat=2):
        assert (network.read(row) is not None) == (row in accepted)
    assert compact.size < sum(map(len, network.arcs))


def test_chances_of_the_ways_on_are_shares(network):
    compact = network.compact()
    for row in compact.moves[:-1]:
        total = sum(chance for ends in row.values() for _, chance in ends)
        assert 0 < total < 1.6
    text = compact.fsg("requests")
    assert text.startswith("FSG_BEGIN requests\n")
    assert text.count("TRANSITION") == compact.size


def test_each_command_is_one_command():
    seen = {}
    for name in commands():
        compact = command_network((name,)).compact()
        for row in _rows(None, compact, 3):
            assert seen.setdefault(row, name) in (name, "why", "help"), row
            assert command_of(row) is not None
    assert command_of("go to step twelve".split()) == ("step", 12)
    assert command_of("the second one".split()) == ("choice", 2)
    assert command_of("yes please".split()) == ("yes", None)
    assert command_of("oee of line three".split()) is None


@pytest.mark.parametrize("digits", ["502", "1043", "88213", "7", "40", "1000", "007", "2004"])
def test_every_way_to_say_digits_means_them(digits):
    said = digit_ways(digits)
    assert len(said) == len(set(said)) > 0
    for way in said:
        words = ["one" if word == "a" else word for word in way.split()]
        assert spoken_digits(words) == digits or key(way) == digits, way


def test_names_are_said_in_their_usual_ways():
    assert {"c.n.c. two", "c.n.c. zero two", "c.n.c. oh two"} <= set(ways("CNC-02"))
    assert "five oh two" in ways("502")
    assert {"o.e.e."} <= set(sayings("oee"))
    assert "n.c.r.s" in sayings("ncrs")
    assert all(
        set(sound) <= PHONES
        for name in ("CNC-02", "Rheintal hydraulics", "Brückmann")
        for way in sayings(name)
        for word in way.split()
        for sound in sounds_of(word)
    )


def test_orders_of_headings():
    pairs = {
        "changing": "change",
        "replacing": "replace",
        "topping": "top",
        "cleaning": "clean",
        "clearing": "clear",
        "measuring": "measure",
        "checking": "check",
        "setting": "set",
    }
    assert {gerund: imperative(gerund) for gerund in pairs} == pairs


def test_unseen_words_are_read_by_their_letters():
    """Words that the table was not made from: about half wholly right, one sound in eight wrong, is what letters tell."""
    words = [
        (word, sounds)
        for word, sounds in carried().items()
        if word.isalpha() and word.isascii() and 2 <= len(word) <= 14 and held_out(word)
    ][::20]
    right = sum(said_by_letters(word) in sounds for word, sounds in words)
    assert right / len(words) > 0.45
    assert all(set(said_by_letters(word)) <= PHONES for word, _ in words)


def test_rules_that_do_not_hold_are_refused():
    for text in ("(a | b", "a ) b", "[ a"):
        with pytest.raises(GrammarError):
            _tree("x", text)
    assert "request" in rules("requests.txt")
    assert isinstance(Network().read([]), type(None))
