"""Following folders: which files have changed and stand still, so that a copy under way is never read half.

Looks by size and time of change, every few seconds; network shares tell nothing of their changes. A file that grows
without end (a log) is taken in pieces (`tests/test_watching.py`, with a clock of its own).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest import discovery

#: A file is read when it has not changed for this long ...
SETTLE_S = 3.0
#: ... or, if it never stands still, this long after it began to change.
PATIENCE_S = 60.0


@dataclass
class _Change:
    since_s: float
    last_s: float


@dataclass
class Watch:
    """The state of some folders between two looks. `settle_s` and `patience_s` in seconds of the clock that `look` is
    given."""

    paths: Sequence[Path]
    settle_s: float = SETTLE_S
    patience_s: float = PATIENCE_S
    _stamps: dict[Path, str] = field(default_factory=dict)
    _taken: dict[Path, str] = field(default_factory=dict)
    _changes: dict[Path, _Change] = field(default_factory=dict)

    def look(self, now_s: float) -> frozenset[Path] | None:
        """None when there is nothing to do; else ingest the folders now, leaving out the files returned, which are
        still changing."""
        stamps = {path: discovery.stamp(path, None, None) for path in discovery.find(self.paths).files}
        for path, stamp in stamps.items():
            if self._taken.get(path) == stamp:
                self._changes.pop(path, None)
            elif self._stamps.get(path) != stamp:
                begun = self._changes[path].since_s if path in self._changes else now_s
                self._changes[path] = _Change(begun, now_s)
        vanished = self._taken.keys() - stamps.keys()
        self._stamps = stamps
        self._changes = {path: change for path, change in self._changes.items() if path in stamps}
        moving = frozenset(path for path, change in self._changes.items() if not self._is_settled(change, now_s))
        ready = self._changes.keys() - moving
        if not ready and not vanished:
            return None
        self._taken = {path: stamp for path, stamp in stamps.items() if path not in moving}
        for path in ready:
            del self._changes[path]
        return moving

    def _is_settled(self, change: _Change, now_s: float) -> bool:
        return now_s - change.last_s >= self.settle_s or now_s - change.since_s >= self.patience_s
