"""Shared by all tests: the demo home (built once, kept while the code that makes it stays), no sockets beyond the
loopback, one line for each group that was skipped, and `ANDON_REQUIRE_ALL=1`, under which a skip fails."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

ROOT = Path(__file__).resolve().parent.parent
UNTIL, SEED = "2026-06-17T09:00", 7
#: Data of others that a checkout need not have beside it.
ALWAYS_ALLOWED = ("real",)


@pytest.fixture(scope="session")
def demo_home() -> Path:
    """A whole demo home: MES, manuals, index, users. Kept in `.cache`; `set_up` rebuilds what the code has changed,
    unless `ANDON_TEST_HOME` names one to be taken as it is (while ingest is being edited, a rebuild takes minutes)."""
    from assistant.demo import set_up

    if given := os.environ.get("ANDON_TEST_HOME"):
        return Path(given)
    home = ROOT / ".cache" / "test-home"
    home.mkdir(parents=True, exist_ok=True)
    set_up(home, until=UNTIL, seed=SEED)
    return home


@pytest.fixture(scope="session")
def assistant(demo_home):
    """The product over the demo home, opened once."""
    from assistant import settings
    from assistant.app import build

    made = build(settings.load(demo_home))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _no_far_sockets(monkeypatch):
    """Tests talk to this machine only."""
    connect = socket.socket.connect

    def near(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address[0]}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", near)


def _groups(reports):
    found = {}
    for report in reports:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        found.setdefault(reason.removeprefix("Skipped: "), []).append(report.nodeid)
    return found


def pytest_terminal_summary(terminalreporter):
    for reason, tests in sorted(_groups(terminalreporter.stats.get("skipped", [])).items()):
        terminalreporter.write_line(f"skipped {len(tests)}: {reason}")


def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("ANDON_REQUIRE_ALL") != "1" or reporter is None or exitstatus != 0:
        return
    wrong = [reason for reason in _groups(reporter.stats.get("skipped", [])) if not any(word in reason for word in ALWAYS_ALLOWED)]
    if wrong:
        reporter.write_line(f"ANDON_REQUIRE_ALL=1 and {len(wrong)} groups were skipped")
        session.exitstatus = 1
