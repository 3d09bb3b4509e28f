"""The declared kinds of document: `kinds.yaml`, read once and checked. A plant adds a kind there and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

#: Kinds of the contract that have no declaration yet; they are answered as such.
NOT_YET = ("audit_report",)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Figure(_Strict):
    label: str
    metric: str | None = None
    count: str | None = None
    where: Mapping[str, Any] = {}
    dated: bool = True


class Metrics(_Strict):
    metrics: tuple[str, ...]
    by: str
    chart: str | None = None
    sort: str | None = None
    limit: int | None = None


class Counts(_Strict):
    record: str
    by: str
    chart: str | None = None
    where: Mapping[str, Any] = {}


class Rows(_Strict):
    record: str
    columns: tuple[str, ...] | None = None
    where: Mapping[str, Any] = {}
    order: str | None = None
    dated: bool = True


class Repeated(_Strict):
    record: str
    column: str


class Missing(_Strict):
    record: str
    columns: tuple[str, ...]
    when: Mapping[str, str] = {}


class SectionSpec(_Strict):
    """One section; exactly one of its kinds of content is set."""

    title: str
    figures: tuple[Figure, ...] | None = None
    metrics: Metrics | None = None
    counts: Counts | None = None
    list: Rows | None = None
    repeated: Repeated | None = None
    missing: Missing | None = None
    alarm: bool = False
    procedure: bool = False
    trace: str | None = None
    text: str | None = None


class KindSpec(_Strict):
    """One kind of document. `needs`: one of these arguments; `about`: a record of which at least one must exist."""

    title: str
    standard: str
    sections: tuple[SectionSpec, ...]
    needs: tuple[str, ...] = ()
    about: str | None = None
    period_days: int | None = None
    last_shift: bool = False


@cache
def kinds() -> Mapping[str, KindSpec]:
    """Every declared kind. Raises pydantic.ValidationError for a declaration that does not hold."""
    data = yaml.safe_load(Path(__file__).with_name("kinds.yaml").read_text(encoding="utf-8"))
    return {name: KindSpec.model_validate(item) for name, item in data.items()}
