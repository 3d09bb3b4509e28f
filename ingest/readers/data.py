"""Readers of structured files: JSON, YAML, CSV. Lists of records become tables, whatever they are nested in."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ingest.readers.blocks import Block, Content, UnreadableFile, folded
from ingest.readers.markup import decoded

_LANGUAGE = re.compile(r"[a-z]{2}([-_][A-Za-z]{2,4})?")
_CODE_KEY = re.compile(r"-?(0[xX][0-9A-Fa-f]+|[A-Za-z]{0,8}[-_. ]?\d{1,8}([-_.][A-Za-z0-9]{1,6})*)")
_PLAIN_KEYS = frozenset(["data", "items", "list", "entries", "records", "values", "codes", "content", "en", "results", "rows", "objects"])
_DEEPEST = 40
_FACTS = (
    "title", "document", "revision", "version", "effective", "superseded", "kind", "equipment", "equipment_class", "variants",
    "software", "language", "access", "status",
)  # fmt: skip


def read_json(path: Path) -> Content:
    try:
        value = json.loads(decoded(path))
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
        raise UnreadableFile(f"the file is not valid JSON: {reason}") from error
    return _content(value)


def read_jsonl(path: Path) -> Content:
    records = []
    for number, line in enumerate(decoded(path).splitlines(), start=1):
        if line.strip():
            try:
                records.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise UnreadableFile(f"line {number} is not valid JSON") from error
    return _content(records)


#: As many as a sheet of Excel has.
_MOST_COLUMNS = 16_384
#: Values that aliases may unfold to, however small the file.
_MOST_VALUES = 100_000


def _unfolded(value: Any, known: dict[int, int]) -> int:
    """How many values a document holds when every alias is written out; shared parts are counted once and multiplied."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        known[id(value)] = 0  # a part within itself adds nothing more
        inside = [*value.keys(), *value.values()] if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_unfolded(item, known) for item in inside)
    return known[id(value)]


def plain_yaml(text: str) -> Any:
    """YAML whose values stay as they are written: code `0500` is no octal number, revision `1.10` no 1.1, `NO` no
    refusal. Raises yaml.YAMLError."""
    return yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))


def read_yaml(path: Path) -> Content:
    text = decoded(path)
    try:
        value = plain_yaml(text)
        if _unfolded(value, {}) > max(_MOST_VALUES, 4 * len(text)):
            raise UnreadableFile("the file repeats itself through aliases (a YAML bomb)")
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UnreadableFile("the file is not valid YAML") from error
    return _content(value)


def read_csv(path: Path) -> Content:
    text = decoded(path)
    sample = text[:20_000]
    try:
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(sample, delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel_tab if path.suffix.lower() == ".tsv" else csv.excel
    try:
        read = [row for row in csv.reader(io.StringIO(text), dialect) if any(c.strip() for c in row)]
    except csv.Error as error:
        raise UnreadableFile(f"the file is no valid CSV: {error}") from error
    if (columns := max(map(len, read), default=0)) > _MOST_COLUMNS:
        raise UnreadableFile(f"the file has {columns} columns, too many to be a table of things")
    rows = [[folded(c) for c in row] for row in read]
    return Content(tuple(grid_blocks(rows)))


def grid_blocks(rows: list[list[str]], name: str = "") -> Iterator[Block]:
    """A grid of cells as one table; lines above the header (a title, a date) become paragraphs."""
    width = max((sum(bool(c) for c in r) for r in rows[:50]), default=0)
    start = next((i for i, r in enumerate(rows[:20]) if sum(bool(c) for c in r) >= max(2, round(0.6 * width))), 0)
    for row in rows[:start]:
        yield Block("paragraph", " ".join(c for c in row if c))
    if len(rows) > start + 1:
        columns = max(map(len, rows[start:]))
        padded = [tuple(r) + ("",) * (columns - len(r)) for r in rows[start:]]
        yield Block("table", "", header=padded[0], rows=tuple(padded[1:]), name=name)
    elif len(rows) > start:
        yield Block("paragraph", " ".join(c for c in rows[start] if c))


def _content(value: Any) -> Content:
    meta = {}
    if isinstance(value, dict):
        # Only by these names: a "class" or "model" of a program's data says nothing of machines.
        meta = {k: str(v) for k, v in value.items() if k in _FACTS and isinstance(v, (str, int, float)) and len(str(v)) < 300}
    return Content(tuple(_walk(value, "", 0)), meta=meta)


def _walk(value: Any, name: str, depth: int) -> Iterator[Block]:
    """Depth first: record lists and code maps as tables, everything else as `key: value` lines."""
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        value = _language(value)
    if isinstance(value, list):
        yield from _list(value, name, depth)
    elif isinstance(value, dict):
        if _is_code_map(value):
            yield _record_table([({"code": str(k)} | _record(v)) for k, v in value.items()], name)
            return
        if _is_record_map(value):
            yield _record_table([({"symbol": str(k)} | _record(v)) for k, v in value.items()], name)
            return
        lines = [f"{k}: {folded(str(v))}" for k, v in value.items() if _scalar(v) and str(v).strip()]
        for start in range(0, len(lines), 12):
            yield Block("list", "\n".join(lines[start : start + 12]), items=tuple(lines[start : start + 12]))
        for k, v in value.items():
            if not _scalar(v):
                plain = str(k).lower() in _PLAIN_KEYS or _LANGUAGE.fullmatch(str(k))
                title = name if plain else readable(str(k))
                yield Block("heading", title, level=min(6, depth + 1))
                yield from _walk(v, title, depth + 1)
    elif value is not None and str(value).strip() not in ("", "null", "~"):
        yield Block("paragraph", folded(str(value)))


def _list(value: list[Any], name: str, depth: int) -> Iterator[Block]:
    records = [_record(v) for v in value if isinstance(v, dict)]
    if records and len(records) >= 0.8 * len(value):
        yield _record_table(records, name)
        return
    if value and all(_scalar(v) for v in value):
        lines = [folded(str(v)) for v in value if str(v).strip()]
        yield Block("list", "\n".join(lines), items=tuple(lines))
        return
    if value and all(isinstance(v, list) for v in value):
        yield from grid_blocks([[folded(str(c)) for c in row] for row in value], name)
        return
    for item in value:
        yield from _walk(item, name, depth + 1)


def _record(value: Any) -> dict[str, str]:
    """One record flattened to text fields; of several languages the English one; lists joined."""
    if not isinstance(value, dict):
        return {"text": _joined(value)}
    flat: dict[str, str] = {}
    for key, inner in _language(value).items():
        if isinstance(inner, dict):
            inner = _language(inner)
            for k, v in _record(inner).items():  # {"cause": {"text": ..}} is the cause, {"help": {"reason": ..}} a reason
                plain = len(inner) == 1 and not isinstance(next(iter(inner.values())), dict)
                flat.setdefault(str(key) if plain or k in ("text", "value") else str(k), v)
        else:
            flat[str(key)] = _joined(inner)
    return flat


def _language(value: dict[Any, Any]) -> dict[Any, Any]:
    """Lifts the English branch of `{"en": {...}, "de": {...}}` into the record that holds it."""
    languages = [k for k in value if isinstance(k, str) and _LANGUAGE.fullmatch(k) and isinstance(value[k], dict)]
    english = next((k for k in languages if k.lower().startswith("en")), None)
    if english is None or (len(languages) == 1 and len(value) > 6):
        return value
    rest = {k: v for k, v in value.items() if k not in languages}
    lifted: dict[Any, Any] = rest | value[english]
    return lifted


def _is_code_map(value: dict[Any, Any]) -> bool:
    keys = [str(k) for k in value]
    codes = sum(bool(_CODE_KEY.fullmatch(k)) for k in keys)
    return len(keys) >= 2 and codes >= 0.8 * len(keys) and all(not isinstance(v, list) or _scalars(v) for v in value.values())


def _is_record_map(value: dict[Any, Any]) -> bool:
    """Records under names of their own, alike in their fields: {"ERR_DOOR": {"code": 17, ...}, "ERR_FAN": {...}}."""
    records = list(value.values())
    if len(records) < 2 or not all(isinstance(r, dict) and r for r in records):
        return False
    shared = set.intersection(*(set(map(str, r)) for r in records))
    every = set().union(*(set(map(str, r)) for r in records))
    flat = all(_scalar(v) or (isinstance(v, list) and _scalars(v)) for r in records for v in r.values())
    return flat and len(shared) >= max(2, 0.5 * len(every))


def _record_table(records: list[dict[str, str]], name: str) -> Block:
    header = tuple(dict.fromkeys(k for r in records for k in r))
    rows = tuple(tuple(r.get(k, "") for k in header) for r in records)
    return Block("table", "", header=header, rows=rows, name=name, bare=True)


def _joined(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(_joined(v) for v in value)
    if isinstance(value, dict):
        return "; ".join(f"{k}: {_joined(v)}" for k, v in value.items())
    if value is None or value in ("null", "~"):
        return ""
    return " ".join(value.split()) if isinstance(value, str) else str(value)


def _scalar(value: Any) -> bool:
    return not isinstance(value, (dict, list))


def _scalars(values: list[Any]) -> bool:
    return all(_scalar(v) for v in values)


def readable(name: str) -> str:
    """`servoErrors` and `servo_errors` as people write it: "servo errors"."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return re.sub(r"[_\-\s]+", " ", spaced).strip()
