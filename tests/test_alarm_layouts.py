"""Alarm lists in the layouts that they really come in: every entry with its fields, and no entry that is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.describe import describe
from ingest.readers import read
from ingest.split import split
from tests.alarm_layouts import LAYOUTS


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_gives_its_entries(name: str, tmp_path: Path) -> None:
    layout = LAYOUTS[name]
    path = layout.write(tmp_path)
    content = read(path)
    passages, alarms = split(content, describe(content, path, path.stem, "hash", None, None))
    found = {a.code: a for a in alarms}
    wrong = {
        code: {field: (expected, getattr(found[code], field)) for field, expected in fields.items() if expected not in getattr(found[code], field)}
        if code in found else "missing"
        for code, fields in layout.entries.items()
    }  # fmt: skip
    assert {code: w for code, w in wrong.items() if w} == {}, list(found)
    assert [code for code in layout.absent if code in found] == []
    if layout.count is not None:
        assert len(alarms) == layout.count, [(a.code, a.title) for a in alarms]
    assert all(a.passage in passages for a in alarms)
