"""How often one client may do something: a bucket that refills for questions, a window for wrong passwords.

Both are of one process, keyed by what the caller of them names (a session, an address), hold no words of anybody, and
forget the oldest keys beyond a fixed number, so that nobody fills the memory by naming many. tests/test_identity.py.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

_MOST_KEYS = 20_000


class Bucket:
    """At most `burst` at once and `per_minute` in the long run, for each key."""

    def __init__(self, per_minute: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = per_minute / 60.0, float(burst), clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def taken(self, key: str) -> int:
        """Take one: 0 where it was there, else the seconds until it will be."""
        with self._lock:
            now = self._clock()
            level, at = self._levels.pop(key, (self._burst, now))
            level = min(self._burst, level + (now - at) * self._rate)
            wait = 0 if level >= 1.0 else max(1, math.ceil((1.0 - level) / self._rate))
            self._levels[key] = (level - 1.0 if wait == 0 else level, now)
            while len(self._levels) > _MOST_KEYS:
                self._levels.popitem(last=False)
            return wait


class Failures:
    """Refuses a key after `most` failures within `window_s` seconds, until the oldest of them is that old."""

    def __init__(self, most: int, window_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._window_s, self._clock = most, window_s, clock
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def waits(self, key: str) -> int:
        """Seconds until the key may try again; 0 when it may now."""
        with self._lock:
            seen = self._seen.get(key)
            if seen is None:
                return 0
            now = self._clock()
            while seen and now - seen[0] >= self._window_s:
                seen.popleft()
            return 0 if len(seen) < self._most else max(1, math.ceil(self._window_s - (now - seen[0])))

    def failed(self, key: str) -> None:
        with self._lock:
            seen = self._seen.setdefault(key, deque(maxlen=self._most))
            seen.append(self._clock())
            self._seen.move_to_end(key)
            while len(self._seen) > _MOST_KEYS:
                self._seen.popitem(last=False)
