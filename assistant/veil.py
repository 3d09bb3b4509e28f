"""People's names before a language model: unless the policy lets them pass, each is replaced by a letter that stays the same.

The planner that ships sees placeholders anyway; this is for the capable model of a setting, which may run on another machine of
the plant. What it writes is filled from slots afterwards, so the reader sees the names that they may see, and the model none.
tests/test_veil.py reads every message that a scripted model was sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tools.access import Caller, Policy

if TYPE_CHECKING:
    from tools.plant_model import Plant

Speak = Callable[[Sequence[tuple[str, str]]], Iterable[str]]
_SHORTEST = 3  # characters; a shorter name would hide half of the language
_VEILED = re.compile(r"\bperson ([A-Z]{1,3})\b", re.IGNORECASE)


class Veil:
    """`hidden` replaces names by "person A", "person B" ...; `lifted` puts the plant's ids back into what a model asks for."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """`names`: what people are called (any case) to their id."""
        self._ids = {name.casefold(): identity for name, identity in names.items() if len(name) >= _SHORTEST}
        longest_first = sorted(self._ids, key=len, reverse=True)
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE) if longest_first else None
        self._letters: dict[str, str] = {}

    @classmethod
    def over(cls, plant: Plant, caller: Caller, policy: Policy) -> Veil:
        """The veil of this plant's people and of who asks; one that hides nothing where the policy says so."""
        if policy.names_in_prompts:
            return cls({})
        return cls({**plant.vocabulary("person"), caller.name: caller.user, caller.user: caller.user})

    def hidden(self, text: str) -> str:
        return self._pattern.sub(self._letter, text) if self._pattern else text

    def _letter(self, match: re.Match[str]) -> str:
        identity = self._ids[match.group().casefold()]
        if identity not in self._letters:
            self._letters[identity] = _lettered(len(self._letters))
        return f"person {self._letters[identity]}"

    def lifted(self, value: Any) -> Any:
        """A model's argument with the ids of the people that it was shown as letters."""
        if isinstance(value, Mapping):
            return {key: self.lifted(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.lifted(item) for item in value]
        if not isinstance(value, str) or not self._letters:
            return value
        known = {letter: identity for identity, letter in self._letters.items()}
        return _VEILED.sub(lambda match: known.get(match.group(1).upper(), match.group()), value)

    def before(self, speak: Speak) -> Speak:
        """The same way to a model, with every message veiled."""

        def veiled(talk: Sequence[tuple[str, str]]) -> Iterator[str]:
            yield from speak([(role, self.hidden(text)) for role, text in talk])

        return veiled


def _lettered(number: int) -> str:
    """A, B ... Z, AA, AB ..."""
    text = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text
