"""The spoken request grammar: rules as data (`requests.txt`, `commands.txt`), filled with a plant's words, as one network.

A `Network` is an acyclic graph of spoken words, each path one request; some words carry what is to be written for them
("c.n.c. two" is written "CNC-02"). `compact` is its smallest deterministic acceptor, which the recogniser searches;
`read` finds the best path for a row of words, from any engine, and returns the request as a person would type it with
the names and codes that were said. What no path accepts is outside the grammar: that is asked again, never guessed.
tests/test_voice_grammar.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib import resources

from assistant.voice.pronunciation import ONES, number_way, run_together
from assistant.voice.vocabulary import Name, Vocabulary
from retrieval.identifiers import spoken_digits

#: Most digits said one by one for a lot, an order, a serial number or an unknown code.
MOST_DIGITS = 6
_DIGIT_WORDS = (*ONES, "oh")
#: Stands in a written form for digits that are made from the words.
_SPOKEN = "\0"
_TOKEN = re.compile(r"\(|\)|\[|\]|\||<[A-Za-z_]+>|[^\s()\[\]|<>]+")


class GrammarError(ValueError):
    """A rule that cannot be read; the message names it. Only a programmer can cause it."""


@dataclass(frozen=True)
class Mark:
    """What a stretch of words is: written text and, for a name or code, its kind and value."""

    written: str
    kind: str = ""
    value: str = ""


@dataclass(frozen=True)
class Arc:
    """One word from a state to a later one. `mark` stands on the first word of a name; `inside` on its other words;
    `share` is how often it is taken among the ways on from its state."""

    to: int
    word: str
    mark: Mark | None = None
    inside: bool = False
    share: float = 1.0


@dataclass(frozen=True)
class Said:
    """A name or code in a request, at words `start` to `end`."""

    kind: str
    value: str
    written: str
    start: int
    end: int


@dataclass(frozen=True)
class Request:
    """A row of words read by the grammar: the text to ask, and what was named in it."""

    text: str
    said: tuple[Said, ...] = ()


@dataclass
class Network:
    """States from 0 (start) to `final`; `skips` are steps without a word, with their shares."""

    arcs: list[list[Arc]] = field(default_factory=lambda: [[], []])
    skips: list[dict[int, float]] = field(default_factory=lambda: [{}, {}])
    final: int = 1

    def state(self) -> int:
        self.arcs.append([])
        self.skips.append({})
        return len(self.arcs) - 1

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(arc.word for arcs in self.arcs for arc in arcs)

    def skip(self, begin: int, end: int, share: float) -> None:
        self.skips[begin][end] = self.skips[begin].get(end, 0.0) + share

    @cached_property
    def _closed(self) -> list[dict[int, float]]:
        """For each state, the states that are reached without a word, itself first, and how often."""
        known: dict[int, dict[int, float]] = {}

        def closed(begin: int) -> dict[int, float]:
            if begin not in known:
                reached = {begin: 1.0}
                for end, share in self.skips[begin].items():
                    for far, more in closed(end).items():
                        reached[far] = reached.get(far, 0.0) + share * more
                known[begin] = reached
            return known[begin]

        return [closed(state) for state in range(len(self.arcs))]

    def read(self, words: Sequence[str]) -> Request | None:
        """The request that exactly these words make; None when there is none. Of several readings the one with the
        fewest pieces is taken: a name said as a whole before digits and words that happen to sound like it."""
        words = run_together(" ".join(words)).split()
        paths = self._paths(words)
        if paths is None:
            return None
        written: list[str] = []
        said: list[Said] = []
        for at, arc in enumerate(paths):
            if arc.inside:
                if said and said[-1].end == at:
                    said[-1] = Said(said[-1].kind, said[-1].value, said[-1].written, said[-1].start, at + 1)
                continue
            if arc.mark is None:
                written.append(_typed(arc.word))
                continue
            if arc.mark.kind:
                said.append(Said(arc.mark.kind, arc.mark.value, arc.mark.written, at, at + 1))
            written.append(arc.mark.written)
        return Request(_joined(written, said, words), tuple(_with_digits(said, words)))

    def _paths(self, words: Sequence[str]) -> list[Arc] | None:
        alive: dict[int, tuple[int, tuple[int, int] | None, Arc | None]] = {0: (0, None, None)}
        steps = [alive]
        for word in words:
            reached: dict[int, tuple[int, tuple[int, int] | None, Arc | None]] = {}
            for state, (cost, _, _) in alive.items():
                for begin in self._closed[state]:
                    for arc in self._by_word[begin].get(word, ()):
                        total = cost + (0 if arc.inside else 2 if arc.mark is None or not arc.mark.kind else 1)
                        if arc.to not in reached or total < reached[arc.to][0]:
                            reached[arc.to] = (total, (len(steps) - 1, state), arc)
            if not reached:
                return None
            alive = reached
            steps.append(alive)
        ends = [(alive[s][0], s) for s in alive if self.final in self._closed[s]]
        if not ends:
            return None
        path: list[Arc] = []
        place, state = len(steps) - 1, min(ends)[1]
        while place:
            _, back, taken = steps[place][state]
            assert back is not None
            assert taken is not None
            path.append(taken)
            place, state = back
        return path[::-1]

    @cached_property
    def _by_word(self) -> list[dict[str, list[Arc]]]:
        found: list[dict[str, list[Arc]]] = []
        for arcs in self.arcs:
            by: dict[str, list[Arc]] = {}
            for arc in arcs:
                by.setdefault(arc.word, []).append(arc)
            found.append(by)
        return found

    def compact(self) -> Compact:
        """The smallest deterministic acceptor of the same word rows, with how often each word is expected there: the
        shares of all ways that the rules have to reach a state are added up, from the start in the order of the graph."""
        numbers: dict[frozenset[int], int] = {}
        groups: list[frozenset[int]] = []
        moves: list[dict[str, int]] = []
        todo = [frozenset(self._closed[0])]
        numbers[todo[0]] = 0
        while todo:
            group = todo.pop(0)
            groups.append(group)
            to: dict[str, set[int]] = {}
            for state in group:
                for word, arcs in self._by_word[state].items():
                    reached = to.setdefault(word, set())
                    for arc in arcs:
                        reached.update(self._closed[arc.to])
            row: dict[str, int] = {}
            for word, states in to.items():
                key = frozenset(states)
                if key not in numbers:
                    numbers[key] = len(numbers)
                    todo.append(key)
                row[word] = numbers[key]
            moves.append(row)
        return _smallest(moves, [self.final in group for group in groups], *self._expected(moves))

    def _expected(self, moves: Sequence[Mapping[str, int]]) -> tuple[list[dict[str, float]], list[float]]:
        """How often each word is expected after each state of the acceptor, and how often a request ends there."""
        flow: list[dict[int, float]] = [{} for _ in moves]
        flow[0] = dict(self._closed[0])
        words: list[dict[str, float]] = [{} for _ in moves]
        for group in _order(moves):
            for state, share in flow[group].items():
                for word, arcs in self._by_word[state].items():
                    into = flow[moves[group][word]]
                    for arc in arcs:
                        taken = share * arc.share
                        words[group][word] = words[group].get(word, 0.0) + taken
                        for far, more in self._closed[arc.to].items():
                            into[far] = into.get(far, 0.0) + taken * more
        return words, [one.get(self.final, 0.0) for one in flow]


@dataclass(frozen=True)
class Compact:
    """States with their words; state 0 is the start, the last one is final and leads nowhere. A word leads to one or two
    states (going on, or the end), each with its chance among the ways on."""

    moves: tuple[Mapping[str, tuple[tuple[int, float], ...]], ...]

    @property
    def size(self) -> int:
        return sum(len(ends) for row in self.moves for ends in row.values())

    def fsg(self, name: str) -> str:
        """The network in the recogniser's own file format."""
        final = len(self.moves) - 1
        lines = [f"FSG_BEGIN {name}", f"NUM_STATES {len(self.moves)}", "START_STATE 0", f"FINAL_STATE {final}"]
        for state, row in enumerate(self.moves):
            lines += [f"TRANSITION {state} {end} {chance:.3e} {word}" for word, ends in row.items() for end, chance in ends]
        return "\n".join([*lines, "FSG_END", ""])


#: A word that the rules allow is never less likely than this among the ways on.
_LEAST_CHANCE = 1e-5


def _smallest(moves: list[dict[str, int]], final: list[bool], words: list[dict[str, float]], ends: list[float]) -> Compact:
    """Merge states with the same future, from the end; then one final state without a way on."""
    merged: dict[int, int] = {}
    known: dict[tuple[bool, tuple[tuple[str, int], ...]], int] = {}
    rows: list[tuple[bool, dict[str, int]]] = []
    flows: list[dict[str, float]] = []
    stops: list[float] = []
    for state in reversed(_order(moves)):
        row = {word: merged[end] for word, end in moves[state].items()}
        key = (final[state], tuple(sorted(row.items())))
        if key not in known:
            known[key] = len(rows)
            rows.append((final[state], row))
            flows.append({})
            stops.append(0.0)
        merged[state] = at = known[key]
        stops[at] += ends[state]
        for word, share in words[state].items():
            flows[at][word] = flows[at].get(word, 0.0) + share
    start = merged[0]
    order = [start, *(n for n in range(len(rows)) if n != start and rows[n][1])]
    place = {number: at for at, number in enumerate(order)}
    end = len(order)
    out: list[dict[str, tuple[tuple[int, float], ...]]] = []
    for number in order:
        total = sum(flows[number].values()) or 1.0
        row_out: dict[str, tuple[tuple[int, float], ...]] = {}
        for word, to in rows[number][1].items():
            chance = max(_LEAST_CHANCE, flows[number].get(word, 0.0) / total)
            whole = stops[to] + sum(flows[to].values()) or 1.0
            going = [(place[to], chance * max(0.05, 1 - stops[to] / whole))] if rows[to][1] else []
            ending = [(end, chance * (max(0.05, stops[to] / whole) if rows[to][1] else 1.0))] if rows[to][0] else []
            row_out[word] = (*going, *ending)
        out.append(row_out)
    return Compact((*out, {}))


def _order(moves: Sequence[Mapping[str, int]]) -> list[int]:
    """States from the start on, each before all that follow it; the graph has no loops."""
    state_of: dict[int, bool] = {}
    found: list[int] = []
    stack = [(0, iter(moves[0].values()))]
    state_of[0] = False
    while stack:
        state, ends = stack[-1]
        for end in ends:
            if end not in state_of:
                state_of[end] = False
                stack.append((end, iter(moves[end].values())))
                break
        else:
            stack.pop()
            found.append(state)
    return found[::-1]


# From words to text


def _typed(word: str) -> str:
    """A spoken word as it is typed: letters named are capitals, and nobody types "uh"."""
    if word in ("uh", "um"):
        return ""
    if re.fullmatch(r"(?:[a-z]\.)+s?", word):
        return word.replace(".s", "*").replace(".", "").upper().replace("*", "s") if word.endswith(".s") else word.replace(".", "").upper()
    return word


def _joined(written: Sequence[str], said: Sequence[Said], words: Sequence[str]) -> str:
    text = " ".join(w for w in written if w)
    for one in said:
        if one.kind == "digits":
            text = text.replace(_SPOKEN, _digits(" ".join(words[one.start : one.end])), 1)
    return text


def _with_digits(said: Iterable[Said], words: Sequence[str]) -> list[Said]:
    return [
        Said(one.kind, _digits(" ".join(words[one.start : one.end])), _digits(" ".join(words[one.start : one.end])), one.start, one.end)
        if one.kind == "digits"
        else one
        for one in said
    ]


def _digits(row: str) -> str:
    return spoken_digits(row.split())


# Rules

Tree = tuple[str, object]  # ("word", w) | ("ref", name) | ("seq", [...]) | ("alt", [...]) | ("opt", tree)


@lru_cache(maxsize=4)
def rules(file: str) -> Mapping[str, Tree]:
    """The rules of a file in this package. Raises GrammarError."""
    found: dict[str, str] = {}
    name = ""
    for line in resources.files("assistant.voice").joinpath(file).read_text("utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line[0].isspace():
            found[name] += " " + line.strip()
            continue
        name, equals, text = (part.strip() for part in line.partition("="))
        if not equals or name in found:
            raise GrammarError(f"{file}: {line!r} is no rule, or the second of its name")
        found[name] = text
    return {name: _tree(name, text) for name, text in found.items()}


def _tree(name: str, text: str) -> Tree:
    tokens = _TOKEN.findall(text)
    tree, at = _alternatives(tokens, 0)
    if at != len(tokens):
        raise GrammarError(f"{name}: a bracket closes that was not opened")
    return tree


def _alternatives(tokens: Sequence[str], at: int) -> tuple[Tree, int]:
    branches: list[Tree] = []
    row: list[Tree] = []
    while at < len(tokens) and tokens[at] not in ")]":
        token = tokens[at]
        at += 1
        if token == "|":
            branches.append(("seq", row))
            row = []
        elif token in "([":
            inner, at = _alternatives(tokens, at)
            if at >= len(tokens) or tokens[at] != {"(": ")", "[": "]"}[token]:
                raise GrammarError(f"a {token} is not closed: {' '.join(tokens[:12])} ...")
            at += 1
            row.append(("opt", inner) if token == "[" else inner)
        else:
            row.append(("ref", token[1:-1]) if token[0] == "<" else ("word", token))
    branches.append(("seq", row))
    return ("alt", branches) if len(branches) > 1 else branches[0], at


class _Builder:
    """Lays rules out as a network; a branch with an empty slot is left out."""

    def __init__(self, trees: Mapping[str, Tree], vocabulary: Vocabulary) -> None:
        self.trees, self.vocabulary = trees, vocabulary
        self.network = Network()

    def can(self, tree: Tree) -> bool:
        kind, body = tree
        if kind == "ref":
            name = str(body)
            if name in ("DIGITS", "NUMBER"):
                return True
            return bool(self.vocabulary.slots.get(name)) if name.isupper() else self.can(self._rule(name))
        if kind == "seq":
            return all(self.can(part) for part in body)  # type: ignore[attr-defined]
        return kind != "alt" or any(self.can(part) for part in body)  # type: ignore[attr-defined]

    def _rule(self, name: str) -> Tree:
        if name not in self.trees:
            raise GrammarError(f"there is no rule {name}")
        return self.trees[name]

    def lay(self, tree: Tree, begin: int, end: int, share: float = 1.0) -> None:
        kind, body = tree
        if kind == "word":
            self.network.arcs[begin].append(Arc(end, str(body), share=share))
        elif kind == "ref":
            self._refer(str(body), begin, end, share)
        elif kind == "opt":
            can = self.can(body)  # type: ignore[arg-type]
            if can:
                self.lay(body, begin, end, share * _OPTIONAL)  # type: ignore[arg-type]
            self.network.skip(begin, end, share * (1 - _OPTIONAL if can else 1.0))
        elif kind == "alt":
            parts = [part for part in body if self.can(part)]  # type: ignore[attr-defined]
            for part in parts:
                self.lay(part, begin, end, share / len(parts))
        else:
            self._row(list(body), begin, end, share)  # type: ignore[call-overload]

    def _row(self, parts: list[Tree], begin: int, end: int, share: float) -> None:
        if not parts:
            self.network.skip(begin, end, share)
        for at, part in enumerate(parts):
            to = end if at == len(parts) - 1 else self.network.state()
            self.lay(part, begin, to, share)
            begin, share = to, 1.0

    def _refer(self, name: str, begin: int, end: int, share: float) -> None:
        if name == "DIGITS":
            self.digits(begin, end, share)
        elif name == "NUMBER":
            for number in range(1, 100):
                self.name(Name("number", str(number), str(number), (number_way(number),)), begin, end, share / 99)
        elif name.isupper():
            names = self.vocabulary.slots[name]
            unknown = _UNKNOWN_CODE if name == "CODE" else 0.0
            for one in names:
                self.name(one, begin, end, share * (1 - unknown) / len(names))
            if unknown:
                self.digits(begin, end, share * unknown, 3, 5)
        else:
            self.lay(self._rule(name), begin, end, share)

    def name(self, name: Name, begin: int, end: int, share: float = 1.0) -> None:
        mark = Mark(name.written, name.kind, name.value)
        for said in name.said:
            words = said.split()
            at = begin
            for place, word in enumerate(words):
                to = end if place == len(words) - 1 else self.network.state()
                self.network.arcs[at].append(
                    Arc(to, word, mark if place == 0 else None, place > 0, share / len(name.said) if place == 0 else 1.0)
                )
                at = to

    def digits(self, begin: int, end: int, share: float, least: int = 3, most: int = MOST_DIGITS) -> None:
        """A row of digits; its written form is made from the words."""
        rows = most - least + 1
        for count in range(least, most + 1):
            chain = [begin, *(self.network.state() for _ in range(count - 1)), end]
            for place in range(count):
                part = (share / rows if place == 0 else 1.0) / len(_DIGIT_WORDS)
                mark = Mark(_SPOKEN, "digits") if place == 0 else None
                for word in _DIGIT_WORDS:
                    self.network.arcs[chain[place]].append(Arc(chain[place + 1], word, mark, place > 0, part))
                if place + 2 <= count:
                    twice = self.network.state()
                    self.network.arcs[chain[place]].append(Arc(twice, "double", mark, place > 0, part))
                    for word in _DIGIT_WORDS:
                        self.network.arcs[twice].append(Arc(chain[place + 2], word, None, True, 1 / len(_DIGIT_WORDS)))


#: How often an optional word is said; how often a code is none that the plant knows.
_OPTIONAL = 0.3
_UNKNOWN_CODE = 0.05


def request_network(vocabulary: Vocabulary) -> Network:
    """Everything that a plant's people may ask."""
    builder = _Builder(rules("requests.txt"), vocabulary)
    builder.lay(("ref", "request"), 0, 1)
    return builder.network


#: Commands by their names in `commands.txt`.
def commands() -> tuple[str, ...]:
    return tuple(rules("commands.txt"))


def command_network(only: Iterable[str] = ()) -> Network:
    """The words that steer; each request's text is the command's name, with its number ("step 4")."""
    trees = rules("commands.txt")
    builder = _Builder(trees, Vocabulary({}))
    wanted = set(only) or set(trees)
    for name, tree in trees.items():
        if name in wanted:
            begin = builder.network.state()
            builder.network.skip(0, begin, 1 / len(wanted))
            builder.lay(tree, begin, 1)
    return builder.network


_ORDINALS = {"first": 1, "second": 2, "third": 3, "one": 1, "two": 2, "three": 3}


@lru_cache(maxsize=64)
def _one_command(name: str) -> Network:
    return command_network((name,))


def command_of(words: Sequence[str]) -> tuple[str, int | None] | None:
    """The command that words are, with its number; None when they are none."""
    for name in commands():
        read = _one_command(name).read(words)
        if read is not None:
            number = next((int(one.value) for one in read.said if one.kind == "number"), None)
            if name == "choice":
                number = next((_ORDINALS[word] for word in words if word in _ORDINALS and word != "one"), _ORDINALS.get(words[-1]))
            return name, number
    return None


def choice_network(choices: Sequence[str], said: Mapping[str, tuple[str, ...]]) -> Network:
    """The sentences on the screen, each as a whole: `said` gives the ways to say each."""
    builder = _Builder({}, Vocabulary({}))
    for choice in choices:
        builder.name(Name("choice", choice, choice, said.get(choice, ())), 0, 1)
    return builder.network
