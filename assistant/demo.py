"""The demo plant in one state folder: MES database, manuals, index, users, settings.

`set_up` is idempotent: what is there and belongs to the same seed and moment is kept, a half-built part is built
again. The first run stores `until`; later runs reuse it. tests/test_demo.py.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from assistant import settings as settings_module
from assistant.app import build
from assistant.logs import sync

Advance = Callable[[str, float], None]

#: The demo's passwords are known to everybody; a service that others can reach refuses to start with them.
PASSWORD = "andon"
ZONE = ZoneInfo("Europe/Berlin")


def set_up(home: Path, *, until: str | None = None, seed: int | None = None, fresh: bool = False,
           progress: Advance | None = None) -> dict[str, Any]:  # fmt: skip
    """Build what is missing of the demo in `home`; returns a report with counts and seconds.

    Raises ValueError for an `until` that is no time, Problem when a part cannot be built."""
    from ingest.demo.manuals import build_manuals
    from ingest.demo.plant import build as build_plant
    from ingest.pipeline import ingest

    folder, state = home / "demo", home / "demo.json"
    known = json.loads(state.read_text(encoding="utf-8")) if state.exists() and not fresh else {}
    moment = until or known.get("until") or datetime.now(ZONE).replace(minute=0, second=0, microsecond=0).isoformat()
    present = datetime.fromisoformat(moment)
    present = present.replace(tzinfo=ZONE) if present.tzinfo is None else present.astimezone(ZONE)
    number = seed if seed is not None else int(known.get("seed", 7))
    made_by = _code()
    same = (known.get("until"), known.get("seed"), known.get("code")) == (present.isoformat(), number, made_by)
    report: dict[str, Any] = dict(known) if same else {}
    tell = progress or (lambda words, fraction: None)

    def part(first: float, last: float) -> Advance:
        return lambda words, fraction: tell(words, first + (last - first) * fraction)

    if not same:
        for path in (folder, home / "index"):
            shutil.rmtree(path, ignore_errors=True)
        state.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    if "rows" not in report:
        plant = build_plant(folder, present, number, part(0.0, 0.35))
        report |= {"rows": sum(plant.rows.values()), "plant_s": round(plant.seconds, 1)}
    settings_module.write(home, {"demo": True, "until": present.isoformat(), "plant_url": "demo/mes.sqlite"})
    assistant = build(settings_module.load(home))
    try:
        _users(assistant)
        if "documents" not in report:
            build_manuals(folder / "manuals", present, part(0.35, 0.45))
            found = ingest([folder / "manuals"], assistant.index, progress=_counted(part(0.45, 0.8)))
            report |= {"documents": len(found.added) + len(found.updated) + len(found.unchanged),
                       "passages": found.passages, "ingest_s": round(found.seconds, 1)}  # fmt: skip
        logs_by = _hash([settings_module.REPOSITORY / "assistant" / "logs.py", settings_module.REPOSITORY / "tools" / "plant_model.yaml"])
        if report.get("logs_by") != logs_by:  # a log is read as the plant model shows it; what is unchanged costs nothing
            report |= {"logs": sync(assistant.plant, assistant.index, part(0.8, 1.0)), "logs_by": logs_by}
    finally:
        assistant.close()
    report |= {"until": present.isoformat(), "seed": number, "code": made_by}
    report.pop("text", None)
    state.write_text(json.dumps(report), encoding="utf-8")
    tell("Demo plant ready", 1.0)
    return {**report, "home": str(home), "text": _sentence(report, home)}


def _code() -> str:
    """A hash of the code and content that make the demo and read it, so that an update builds it anew."""
    packages = [settings_module.REPOSITORY / package for package in ("ingest", "retrieval")]
    found = sorted(path for package in packages for path in package.rglob("*"))
    return _hash([path for path in found if path.suffix in (".py", ".yaml", ".typ", ".sql")])


def _hash(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _counted(advance: Advance) -> Callable[[int, int, str], None]:
    return lambda done, total, name: advance(f"Reading {name}", done / max(total, 1))


def _users(assistant: Any) -> None:
    """The demo's logins, with the lines that an operator may see."""
    import yaml

    facts = yaml.safe_load((settings_module.REPOSITORY / "ingest" / "demo" / "plant.yaml").read_text(encoding="utf-8"))
    known = assistant.store.callers()
    for user in facts["users"]:
        if user["id"] not in known:
            lines = [user["line"]] if user["role"] == "operator" else None
            assistant.store.put_user(user["id"], user["name"], user["role"], lines, PASSWORD, demo=True)


def _sentence(report: dict[str, Any], home: Path) -> str:
    return (
        f"The demo plant is in {home}: {report['rows']:,} rows in its MES, {report['documents']} documents and "
        f"{report['logs']:,} log entries in the index. Its clock stands at {report['until'][:16].replace('T', ' ')}."
    )
