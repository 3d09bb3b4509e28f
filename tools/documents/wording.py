"""From a kind's text template to the sections of a document.

The template is Jinja in a sandbox: it sees findings, never the plant's objects, and what it prints of the plant is an
opaque token until the text has been read, so no log entry can become a heading, a table or a citation. Lines are
`# section`, `## heading`, `- point`, `! warning`, a part such as `{{ table(reports) }}` alone on its line, or words; each
sentence ends with the citations of the values in it. tests/test_kinds.py holds all shipped templates to that.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tools.documents.findings import CLOSE, OPEN, Bundle, Data, Draft, Finding, Row, Shown
from tools.documents.kinds import BadKind
from tools.documents.knowledge import Excerpt, StepList
from tools.documents.parts import Parts
from tools.documents.tree import Part, Section

_TOKEN = re.compile(f"{OPEN}(\\d+){CLOSE}")
_ONLY_TOKENS = re.compile(f"(?:\\s*{OPEN}\\d+{CLOSE}\\s*)+")
_SENTENCE = re.compile(rf"(?<=[.!?])\s+|(?<={CLOSE})\s*\n")
_MOST_CHARACTERS = 5_000_000
#: What a template may ask of each of our own values; everything else of them is out of its reach.
_REACH: Mapping[type, frozenset[str]] = {
    Finding: frozenset({"label", "message", "value", "empty", "rows", "first", "fact", "has", "note", "compared"}),
    Row: frozenset(), Bundle: frozenset(), StepList: frozenset(), Excerpt: frozenset({"section"}),
}  # fmt: skip


class _Sandbox(ImmutableSandboxedEnvironment):
    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        for kind, names in _REACH.items():
            if isinstance(obj, kind):
                return attr in names
        return super().is_safe_attribute(obj, attr, value)


_SANDBOX = _Sandbox(undefined=StrictUndefined, lstrip_blocks=True, autoescape=False)


def sections_of(draft: Draft, words: Mapping[str, str]) -> tuple[Section, ...]:
    """Run the kind's template over its data and read what it wrote. `words` are plain texts that it may name. Raises
    BadKind when the template does not hold, NothingToReport and ToolError from the data."""
    kind = draft.kind
    try:
        named = meta.find_undeclared_variables(_SANDBOX.parse(kind.template))
    except TemplateSyntaxError as error:
        raise BadKind(f"The template {kind.template_name} does not hold in line {error.lineno}: {error.message}.") from error
    data = Data(draft)
    context: dict[str, Any] = {name: draft.token(Shown(text, "")) if text else "" for name, text in words.items()}
    context |= {name: data.find(name) for name in kind.spec.data if name in named}
    parts = Parts(draft)
    try:
        text = _SANDBOX.from_string(kind.template).render({**context, **parts.functions()})
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise BadKind(f"The template {kind.template_name} fails{_line(error)}: {_said(error)}.") from error
    if len(text) > _MOST_CHARACTERS:
        raise BadKind(f"The template {kind.template_name} writes more than a document holds.")
    return _Reader(draft, kind.template_name).read(text)


def _line(error: Exception) -> str:
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == "<template>":
            return f" in line {frame.lineno}"
    return ""


def _said(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__


class _Reader:
    """Reads a template's output line by line into sections of parts."""

    def __init__(self, draft: Draft, name: str) -> None:
        self.draft, self.name = draft, name
        self.sections: list[Section] = []
        self.title = ""
        self.parts: list[Part] = []
        self.lines: list[str] = []
        self.points: list[str] = []

    def read(self, text: str) -> tuple[Section, ...]:
        handlers: Sequence[tuple[str, Callable[[str], None]]] = (("## ", self._heading), ("# ", self._section), ("- ", self._point), ("! ", self._warning))
        for line in text.splitlines():
            plain = line.strip()
            handler = next(((head, act) for head, act in handlers if plain.startswith(head)), None)
            if handler is not None:
                if handler[0] != "- ":
                    self._end_points()
                self._end_paragraph()
                handler[1](plain[len(handler[0]) :])
            elif not plain:
                self._end()
            elif _ONLY_TOKENS.fullmatch(plain) and self._are_parts(plain):
                self._end()
                for number in _TOKEN.findall(plain):
                    self.parts += self.draft.tokens[int(number)]
            else:
                self._end_points()
                self.lines.append(plain)
        self._end_section()
        return tuple(self.sections)

    def _are_parts(self, line: str) -> bool:
        return all(isinstance(self.draft.tokens[int(number)], list) for number in _TOKEN.findall(line))

    def _heading(self, text: str) -> None:
        words, _ = self._words(text)
        self.parts.append({"part": "heading", "text": words})

    def _section(self, text: str) -> None:
        self._end_section()
        self.title = self._words(text)[0]

    def _point(self, text: str) -> None:
        self.points.append(text)

    def _warning(self, text: str) -> None:
        words, markers = self._cited(text)
        self.parts.append({"part": "warning", "text": words, "markers": markers})

    def _end(self) -> None:
        self._end_points()
        self._end_paragraph()

    def _end_points(self) -> None:
        if self.points:
            read = [self._cited(point) for point in self.points]
            markers = [marker for _, found in read for marker in found]
            self.parts.append({"part": "list", "items": [words for words, _ in read], "markers": list(dict.fromkeys(markers))})
            self.points = []

    def _end_paragraph(self) -> None:
        if self.lines:
            words, markers = self._cited("\n".join(self.lines))
            self.parts.append({"part": "text", "text": words, "markers": markers})
            self.lines = []

    def _end_section(self) -> None:
        self._end()
        if self.parts and not self.title:
            raise BadKind(f"The template {self.name} does not begin with a line “# section”.")
        if self.title:
            self.sections.append(Section(self.title, tuple(self.parts or [{"part": "text", "text": "Nothing to report.", "markers": []}])))
        self.title, self.parts = "", []

    def _cited(self, text: str) -> tuple[str, list[str]]:
        """Sentences with the markers of their values behind each, and all markers once."""
        every: list[str] = []
        sentences = []
        for sentence in _SENTENCE.split(text):
            words, markers = self._words(sentence)
            if words:
                sentences.append(words + "".join(f" [{marker}]" for marker in markers))
                every += markers
        return " ".join(sentences), list(dict.fromkeys(every))

    def _words(self, text: str) -> tuple[str, list[str]]:
        markers: list[str] = []

        def value(match: re.Match[str]) -> str:
            thing = self.draft.tokens[int(match.group(1))]
            if not isinstance(thing, Shown):
                raise BadKind(f"The template {self.name} puts a table, chart or form inside a sentence; it needs a line of its own.")
            if thing.marker:
                markers.append(thing.marker)
            return re.sub(r"\[(?=E\d)", "[ ", thing.text)

        words = " ".join(_TOKEN.sub(value, text).split())
        return words, list(dict.fromkeys(markers))
