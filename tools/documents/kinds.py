"""The declared kinds of document: what each is about, which data it takes, which words it is written in.

A kind is an entry of a YAML file and a text template beside it; the shipped ones are `kinds.yaml` and `templates/`. A
plant's own folder adds kinds or replaces shipped ones, or their templates, by name, without code: tests/test_kinds.py
drafts one that stands in a test folder only. docs/document-kinds.md is the reference of both files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tools.registry import ToolError

_HERE = Path(__file__).parent
#: What an entry of `data` can be; each names a record, a metric, or the tool whose finding it is.
VERBS = ("metric", "metrics", "count", "counts", "list", "repeated", "missing", "share", "alarm", "procedure", "trace", "correlations", "documents")


class BadKind(ToolError):
    """A kind's declaration or template does not hold; the sentence names file and fault for whoever wrote it."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class DataSpec(_Strict):
    """One finding that the template may name. Exactly one of `VERBS` is set; the rest says which rows.

    `where`: a filter as in questions; a value `$name` is the document's argument or looked-up value of that name, and an
    entry whose value is missing is left out. `dated: false` takes rows of any time; `scoped: false` ignores what the
    document is about and takes `where` alone; `days` takes the last so many days. `previous` sets a figure beside the period before, `target` beside its target.
    """

    label: str = ""
    metric: str | None = None
    metrics: tuple[str, ...] | None = None
    count: str | None = None
    counts: str | None = None
    rows: str | None = Field(None, alias="list")
    repeated: str | None = None
    missing: str | None = None
    share: str | None = None
    alarm: bool = False
    procedure: bool = False
    trace: str | None = None
    correlations: str | None = None
    documents: tuple[str, ...] | None = None
    by: str | None = None
    column: str | None = None
    columns: tuple[str, ...] | None = None
    where: Mapping[str, Any] = {}
    when: Mapping[str, str] = {}
    order: str | None = None
    limit: int | None = None
    days: int | None = None
    dated: bool = True
    scoped: bool = True
    previous: bool = False
    target: bool = False

    @model_validator(mode="after")
    def _one_verb(self) -> DataSpec:
        chosen = [verb for verb in VERBS if self.value_of(verb)]
        if len(chosen) != 1:
            raise ValueError(f"needs exactly one of {', '.join(VERBS)}")
        if chosen[0] in ("counts", "metrics") and not self.by:
            raise ValueError(f"{chosen[0]} needs by")
        if chosen[0] == "missing" and not self.columns:
            raise ValueError("missing needs columns")
        if chosen[0] == "share" and len(self.columns or ()) != 2:
            raise ValueError("share needs two columns: the part and the whole")
        if chosen[0] == "repeated" and not self.column:
            raise ValueError("repeated needs column")
        return self

    def value_of(self, verb: str) -> Any:
        return getattr(self, "rows" if verb == "list" else verb)

    @property
    def verb(self) -> str:
        return next(verb for verb in VERBS if self.value_of(verb))


class Lookup(_Strict):
    """A value found in the data before the document is made: column `column` of the rows of `record`, all of them when
    `every`, else the first."""

    record: str
    column: str
    where: Mapping[str, Any] = {}
    every: bool = False


class Window(_Strict):
    """The document's period taken from the data: from the first `start` to the last `end` of the rows of `record`."""

    record: str
    start: str
    end: str
    where: Mapping[str, Any] = {}


class KindSpec(_Strict):
    """One kind of document. `needs`: one of these arguments; `about`: a record of which at least one must exist."""

    title: str
    standard: str = ""
    purpose: str = ""
    needs: tuple[str, ...] = ()
    about: str | None = None
    period_days: int | None = None
    last_shift: bool = False
    window: Window | None = None
    lookup: Mapping[str, Lookup] = {}
    template: str | None = None
    data: Mapping[str, DataSpec]


@dataclass(frozen=True)
class Kind:
    """A kind ready to draft: its name, declaration, and the text of its template; `sha256` covers both."""

    name: str
    spec: KindSpec
    template: str
    template_name: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(f"{self.spec.model_dump_json()}\0{self.template}".encode()).hexdigest()


@cache
def kinds() -> Mapping[str, Kind]:
    """Every shipped kind. Raises BadKind for a declaration that does not hold."""
    return _read(_HERE / "kinds.yaml", _HERE / "templates", {})


def kinds_of(folder: Path | None) -> Mapping[str, Kind]:
    """The shipped kinds with those of a plant's own folder over them: any `*.yaml` there declares kinds, `NAME.j2` is
    the template of kind NAME. Raises BadKind."""
    found = dict(kinds())
    if folder is None or not folder.is_dir():
        return found
    for path in sorted(folder.glob("*.yaml")):
        found |= _read(path, folder, found)
    for name, kind in found.items():
        own = folder / f"{name}.j2"
        if own.is_file():
            found[name] = Kind(name, kind.spec, _text(own), own.name)
    return found


def _read(path: Path, templates: Path, known: Mapping[str, Kind]) -> dict[str, Kind]:
    try:
        data = yaml.safe_load(_text(path))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise BadKind(f"The file of document kinds {path.name} is not valid YAML{where}.") from error
    if not isinstance(data, dict):
        raise BadKind(f"The file of document kinds {path.name} holds no kinds.")
    found = {}
    for name, item in data.items():
        try:
            spec = KindSpec.model_validate(item)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in (name, *first["loc"]))
            raise BadKind(f"The document kind {name} in {path.name} does not hold: {where}: {first['msg']}.") from error
        file = templates / (spec.template or f"{name}.j2")
        if file.is_file():
            found[name] = Kind(name, spec, _text(file), file.name)
        elif name in known and spec.template is None:
            found[name] = Kind(name, spec, known[name].template, known[name].template_name)
        else:
            raise BadKind(f"The document kind {name} in {path.name} has no template {file.name}.")
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadKind(f"The file {path.name} of a document kind cannot be read.") from error
