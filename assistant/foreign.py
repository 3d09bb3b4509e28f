"""Another plant's database, asked through the same assistant: `--plant FILE.yaml --url URL`.

Nothing of the home applies: no document, no conversation, no row scope and no user's record of the turn. The index and
the log stand in a folder that is deleted on `close`; role and name of a user whom the home knows are kept, everybody
else asks as a supervisor of the whole site. tests/test_connect.py.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant import settings as settings_module
from assistant.app import Assistant
from assistant.problems import NoHome
from assistant.settings import Settings
from tools.access import Caller, Role, Scope

if TYPE_CHECKING:
    from tools.plant_model import Plant


class ForeignAssistant(Assistant):
    """An assistant over `plant` (a model file) and `url`, beside the home that lends it models and settings."""

    def __init__(self, settings: Settings, plant: Path, url: str, known: dict[str, tuple[str, Role]] | None = None) -> None:
        super().__init__(settings)
        self.model_path = plant
        self.url = url
        self.known = known or {}

    @cached_property
    def plant(self) -> Plant:
        from tools.plant_model import Plant

        return Plant.open(self.model_path, self.url)

    def caller(self, user: str | None, via: Any = "command line") -> Caller:
        name, role = self.known.get(user or "", (user or "You", "supervisor"))
        return Caller(user or "you", name, role, Scope(None), via)

    def now(self, at: datetime | None = None) -> datetime:
        zone = self.plant.zone
        if at is None:
            return datetime.now(zone)
        return at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone)

    def close(self) -> None:
        super().close()
        shutil.rmtree(self.settings.home, ignore_errors=True)


def foreign(plant: Path, url: str, **overrides: Any) -> ForeignAssistant:
    """The assistant of another plant. Raises ModelError, SqlUnavailable or Problem when it cannot be used."""
    folder = Path(tempfile.mkdtemp(prefix="andon-foreign-"))
    known: dict[str, tuple[str, Role]] = {}
    try:
        home = settings_module.find_home()
        values = settings_module.load(home, **overrides)
        known = _users(values)
    except NoHome:
        values = settings_module.load(folder, **overrides)
    own = {"home": folder, "demo": False, "until": "", "plant_model": plant, "plant_url": url}
    assistant = ForeignAssistant(values.model_copy(update=own), plant, url, known)
    try:
        assistant.plant  # noqa: B018  a wrong file or URL fails here, by its own sentence
    except BaseException:
        assistant.close()
        raise
    return assistant


def _users(settings: Settings) -> dict[str, tuple[str, Role]]:
    if not settings.store.exists():
        return {}
    from assistant.store import Store

    store = Store(settings.store, settings.keys)
    try:
        return {user: (known.name, known.role) for user, known in store.callers().items()}
    finally:
        if hasattr(store, "close"):
            store.close()
