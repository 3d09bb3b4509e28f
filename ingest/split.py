"""Blocks become passages: what is cited is cut so that it answers by itself, and nothing that belongs together is cut.

A numbered step list is one passage with the warning that stands before or inside it; a table row carries its column
headings; a warning is a passage; running text is grouped to about 120 words within one section. Entries of alarm
lists become alarm entries besides (`tests/test_split.py`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ingest import alarm_lists
from ingest.alarm_lists import ListHint, RawAlarm
from ingest.alarm_words import ALARMING, labelled, split_labels
from ingest.readers.blocks import Block, Content, UnreadableFile
from retrieval import identifiers
from retrieval.index import AlarmEntry, Anchor, DocumentInfo, Passage
from retrieval.readings import sentences

_WORDS = 120
_MOST_WORDS = 170
_LEAD_WORDS = 70
_MOST_IDENTIFIERS = 60
_LONGEST_ROW = 2000


#: More than any manual holds; a file of words without end would keep the embedder busy for hours.
MOST_PASSAGES = 40_000
TOO_MUCH = f"it holds more text than is taken from one file ({MOST_PASSAGES} passages)"
# A document's own history is one passage, so that its rows do not crowd out what the document says.
_HISTORY = re.compile(r"(revision|rev\.?|version|issue|edition)\b", re.IGNORECASE)


@dataclass
class _Splitter:
    """Goes once through the blocks of one document; holds the open headings and the text not yet cut."""

    info: DocumentInfo
    hint: ListHint = field(default_factory=ListHint)
    passages: list[Passage] = field(default_factory=list)
    alarms: list[AlarmEntry] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    page: int | None = None
    warning: Block | None = None
    _run_end: int = 0  # of the paragraphs being looked at for a list
    _patience: int = 0  # paragraphs that may still be looked at again for that

    @property
    def section(self) -> str:
        return self.headings[-1][1] if self.headings else ""

    @property
    def context(self) -> str:
        """Everything that may say that a list is one of alarms."""
        return " ".join([self.info.title, *(text for _, text in self.headings), *self.texts[-1:]])

    def run_from(self, blocks: Sequence[Block], i: int) -> int:
        """The end of the paragraphs that begin at `i`, 0 when no list can begin there. A run is looked at from its first
        paragraph, and again from those in which a list may begin, as long as that costs no more than the run is long."""
        if blocks[i].kind != "paragraph":
            return 0
        if i >= self._run_end:
            self._run_end = next((j for j in range(i, len(blocks)) if blocks[j].kind != "paragraph"), len(blocks))
            self._patience = 10 * (self._run_end - i) + 20_000
        elif self._patience < 0 or not any(alarm_lists.may_begin(b.text) for b in blocks[i : min(i + 2, self._run_end)]):
            return 0
        self._patience -= self._run_end - i
        return self._run_end

    def heading(self, block: Block) -> None:
        self.close()
        while self.headings and self.headings[-1][0] >= block.level:
            self.headings.pop()
        if block.text:  # one without text only ends what stood open
            self.headings.append((block.level, block.text))

    def add(self, text: str, block: str, page: int | None, *, steps: Sequence[str] = (), codes: Sequence[str] = ()) -> Passage:
        found = [i.text for i in identifiers.find(text[:6000]) if i.strong]
        digest = hashlib.sha256(f"{self.info.content_hash}{len(self.passages)}{text}".encode()).hexdigest()[:16]
        passage = Passage(
            id=f"{self.info.document}@{self.info.revision}#{digest}", text=text, kind=self.info.kind, block=block,
            anchor=Anchor(self.info.document, self.info.revision, page, self.section), title=self.info.title,
            equipment=self.info.equipment, equipment_class=self.info.equipment_class,
            identifiers=tuple(dict.fromkeys([*codes, *found]))[:_MOST_IDENTIFIERS], steps=tuple(steps),
            access=self.info.access, variants=self.info.variants, software=self.info.software,
        )  # fmt: skip
        self.passages.append(passage)
        if len(self.passages) > MOST_PASSAGES:
            raise UnreadableFile(TOO_MUCH)
        return passage

    def alarm(self, raw: RawAlarm, page: int | None, list_name: str) -> None:
        codes = raw.codes or (raw.code,)
        passage = self.add(raw.text(list_name), "alarm", page, codes=codes)
        fields = {name: value for name, value in raw.__dict__.items() if name not in ("code", "codes")}
        self.alarms += [AlarmEntry(code=code, passage=passage, list_name=list_name, **fields) for code in codes]

    def close(self) -> None:
        """Cuts the running text collected so far, and lets go of a warning that no steps followed."""
        if self.warning is not None:
            warning, self.warning = self.warning, None
            self.add(warning.text, "warning", warning.page)
        texts, self.texts = self.texts, []
        for text in _pieces(texts):
            self.add(text, "paragraph", self.page)

    def text(self, block: Block) -> None:
        if not self.texts or (self.page != block.page and sum(len(t.split()) for t in self.texts) > _WORDS / 2):
            self.close()
            self.page = block.page
        self.texts.append(block.text)
        if sum(len(t.split()) for t in self.texts) >= _WORDS:
            self.close()

    def steps(self, block: Block) -> None:
        """Steps with the warning before them, and with the short text above (time, tools, "Do this:") as their lead."""
        lead: list[str] = []
        while self.texts and sum(len(t.split()) for t in [*lead, self.texts[-1]]) <= _LEAD_WORDS:
            lead.insert(0, self.texts.pop())
        warning, self.warning = self.warning, None
        self.close()
        items = ([warning.text] if warning else []) + list(block.items)
        page = warning.page if warning and warning.page else block.page
        self.add("\n".join([*lead, *items]), "steps", page, steps=items)


def split(content: Content, info: DocumentInfo, hint: ListHint | None = None) -> tuple[list[Passage], list[AlarmEntry]]:
    """The passages and alarm entries of one document, in order; ids depend on the content alone."""
    splitter = _Splitter(info, hint or ListHint())
    blocks = list(content.blocks)
    i = 0
    while i < len(blocks):
        i = _one(splitter, blocks, i)
    splitter.close()
    telling = [p for p in splitter.passages if not _says_nothing(p)]
    return telling or splitter.passages, splitter.alarms


def _says_nothing(passage: Passage) -> bool:
    """A scrap such as "Standard operating procedure" between two headings; it would be found and answer nothing."""
    return passage.block == "paragraph" and len(passage.text.split()) <= 3 and not any(c.isdigit() for c in passage.text)


def _one(splitter: _Splitter, blocks: Sequence[Block], i: int) -> int:
    block = blocks[i]
    if block.kind == "heading":
        splitter.heading(block)
        return i + 1 + _alarm_under_heading(splitter, blocks, i)
    if block.kind == "table":
        _table(splitter, block)
    elif block.kind == "steps":
        j = i + 1
        while j < len(blocks) and blocks[j].kind == "steps" and _goes_on(block, blocks[j]):
            items = block.items + blocks[j].items
            block = Block("steps", "\n".join(items), block.page, items=items)
            j += 1
        splitter.steps(block)
        return j
    elif block.kind == "warning":
        if splitter.warning is not None:
            splitter.close()
        splitter.warning = block
    elif block.kind == "list":
        _list(splitter, block)
    else:
        j = _source_list(splitter, blocks, i)
        if j > i:
            return j
        if not _alarm_paragraph(splitter, block):
            if splitter.warning is not None and not block.text.rstrip().endswith(":"):
                splitter.close()
            splitter.text(block)
    return i + 1


def _goes_on(block: Block, following: Block) -> bool:
    last, first = (re.search(r"\d+", item[:12]) for item in (block.items[-1], following.items[0]))
    return bool(last and first) and int(first.group()) == int(last.group()) + 1  # type: ignore[union-attr]


def _pieces(texts: Sequence[str]) -> Iterator[str]:
    """Paragraphs grouped; one that is too long is cut between sentences."""
    group: list[str] = []
    for text in texts:
        if len(text.split()) > _MOST_WORDS:
            if group:
                yield "\n".join(group)
                group = []
            piece: list[str] = []
            for sentence in sentences(text):
                if piece and len(" ".join([*piece, sentence]).split()) > _WORDS:
                    yield " ".join(piece)
                    piece = piece[-1:] if len(piece[-1].split()) < 25 else []  # one short sentence of overlap
                piece.append(sentence)
            if piece:
                yield " ".join(piece)
        else:
            group.append(text)
    if group:
        yield "\n".join(group)


def _table(splitter: _Splitter, block: Block) -> None:
    """Rows of a table: alarm entries when it is an alarm list, else a passage a row, each with its headings."""
    if sum(map(any, block.rows)) > MOST_PASSAGES:
        raise UnreadableFile(TOO_MUCH)
    context = f"{splitter.context} {block.name}"
    if not block.bare and not block.header and len(block.rows) > 2 and alarm_lists.is_header(block.rows[0]):
        block = replace(block, header=block.rows[0], rows=block.rows[1:])
    entries = alarm_lists.from_table(block.header, block.rows, context, bare=block.bare, hint=splitter.hint)
    if not entries and not block.bare and all(len(row) == 2 for row in block.rows):
        entries = alarm_lists.from_card([(r[0], r[1]) for r in (block.header, *block.rows) if len(r) == 2], context)
    headless = not block.bare and (not block.header or any(re.fullmatch(r"-?\d+([.,]\d+)?", h) for h in block.header))
    if not entries and headless:
        rows = [block.header, *block.rows] if block.header else list(block.rows)
        entries = alarm_lists.from_headless(rows, context)
        block = Block("table", block.text, block.page, rows=tuple(rows), name=block.name)
    caption = block.name
    splitter.close()
    if entries:
        name = _list_name(splitter, caption)
        for raw in entries:
            splitter.alarm(raw, block.page, name)
        return
    if block.header and _HISTORY.match(block.header[0]) and len(block.header) > 2:
        text = "\n".join(row_text(block.header, row) for row in block.rows)
        splitter.add(text[: 2 * _LONGEST_ROW], "table", block.page)
        return
    for row in block.rows:
        text = row_text(block.header, row)
        if text:
            if caption and caption not in splitter.section:
                text = f"{caption}: {text}"
            splitter.add(text[:_LONGEST_ROW], "table", block.page)


def row_text(header: Sequence[str], row: Sequence[str]) -> str:
    """`Connection: spindle bearing cap bolts | Torque: 45 N m`; a column without a heading has its cell alone."""
    if not any(header):
        return " | ".join(c for c in row if c)
    cells = [(h, c) for h, c in zip(header, row, strict=False) if c]
    return " | ".join(f"{h}: {c}" if h and h.lower() != c.lower() else c for h, c in cells)


def _list_name(splitter: _Splitter, caption: str) -> str:
    """What the list is called: its caption, else the heading that speaks of alarms, else the document's title."""
    for name in (caption, *(text for _, text in reversed(splitter.headings))):
        if name and ALARMING.search(name):
            return re.sub(r"^(?:[A-Z]\.)?\d[\d.]*\s+", "", name)
    return caption or splitter.info.title


def _list(splitter: _Splitter, block: Block) -> None:
    entries = _entries_of_lines(list(block.items), splitter.context)
    if not entries:
        splitter.text(Block("paragraph", block.text, block.page))
        return
    splitter.close()
    for raw in entries:
        splitter.alarm(raw, block.page, _list_name(splitter, ""))


def _entries_of_lines(lines: list[str], context: str) -> list[RawAlarm]:
    """Entries of list items or single paragraphs, whichever way they are written."""
    pairs = [(name, value.strip()) for name, _, value in (line.lstrip("-*• ").partition(":") for line in lines)]
    return (
        alarm_lists.from_lines(lines, context) or alarm_lists.from_run_in(lines, context)
        or alarm_lists.from_card(pairs, context)
    )  # fmt: skip


def _source_list(splitter: _Splitter, blocks: Sequence[Block], i: int) -> int:
    """Bullets or program lines that came as single paragraphs; returns the index after them (i: none)."""
    j = splitter.run_from(blocks, i)
    if not j:
        return i
    texts = [line for b in blocks[i:j] for line in b.text.splitlines()]
    context = splitter.context
    whole = [b.text for b in blocks[i:j]]
    entries = alarm_lists.from_run_in(whole, context) if len(whole) > 1 else []
    if not entries and len(texts) >= 3:
        entries = _entries_of_lines(texts, context) or alarm_lists.from_source_lines(texts, context)
    if not entries:
        return i
    splitter.close()
    for raw in entries:
        splitter.alarm(raw, blocks[i].page, _list_name(splitter, ""))
    return j


def _alarm_under_heading(splitter: _Splitter, blocks: Sequence[Block], i: int) -> int:
    """An entry whose heading is its code and title; its text stays readable as passages too. Returns blocks used: 0,
    or all up to the next heading when they were nothing but labelled lines."""
    heading = blocks[i]
    above = " ".join([splitter.info.title, *(t for _, t in splitter.headings[:-1])])
    found = alarm_lists.headed(heading.text, above)
    if found is None:
        return 0
    j = i + 1
    while j < len(blocks) and (blocks[j].kind != "heading" or blocks[j].level > heading.level):
        j += 1
    body = list(blocks[i + 1 : j])
    lines: list[str] = []
    for block in body:
        if block.kind == "heading":
            lines.append(f"{block.text}:")
        else:
            texts = block.items if block.kind == "list" else block.text.splitlines()
            lines += [line for text in texts for line in split_labels(text)]
    values = labelled(lines)
    if not body or not (values.keys() & {"cause", "remedy", "consequence"} or re.match(r"(?i)alarm|error|fault", heading.text)):
        return 0
    parents = splitter.headings[:-1]
    name = next((t for _, t in reversed(parents) if ALARMING.search(t)), splitter.info.title)
    splitter.alarm(alarm_lists.entry_of(found[0], found[1], values), heading.page, name)
    plain = all(b.kind in ("paragraph", "list") for b in body) and bool(values.keys() & {"cause", "remedy"})
    return len(body) if plain else 0


def _alarm_paragraph(splitter: _Splitter, block: Block) -> bool:
    """An entry written as one paragraph: "AL-502 Coolant flow low. Cause: filter clogged. Remedy: clean it."."""
    lines = [line for text in block.text.splitlines() for line in split_labels(text)]
    if len(lines) < 2:
        return False
    values = labelled(lines[1:])
    telling = bool(values.keys() & {"cause", "remedy"})
    found = alarm_lists.headed(lines[0].rstrip("."), splitter.context, labelled=telling)
    if found is None or not values.keys() & {"cause", "remedy"}:
        return False
    splitter.close()
    splitter.alarm(alarm_lists.entry_of(found[0], found[1], values), block.page, _list_name(splitter, ""))
    return True
