"""What is refused before the first byte is served, and that a folder is served once."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from assistant.problems import Conflict, NotAllowed
from assistant.serving import is_loopback, locked, refuse_exposed


@pytest.mark.parametrize(("host", "near"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("10.0.0.5", False), ("plant.example", False)])
def test_loopback(host, near):
    assert is_loopback(host) == near


def _assistant(host, demo=False, passwords=False):
    settings = SimpleNamespace(host=host, demo=demo, home=Path("nowhere"), tls_cert=None, tls_key=None)
    return SimpleNamespace(settings=settings, store=SimpleNamespace(has_demo_passwords=lambda: passwords))


def test_an_address_that_others_reach_is_refused():
    refuse_exposed(_assistant("127.0.0.1", demo=True, passwords=True))
    with pytest.raises(NotAllowed, match="passwords"):
        refuse_exposed(_assistant("0.0.0.0", demo=True))
    with pytest.raises(NotAllowed, match="passwords"):
        refuse_exposed(_assistant("10.0.0.5", passwords=True))
    with pytest.raises(NotAllowed, match="TLS"):
        refuse_exposed(_assistant("10.0.0.5"))


def test_a_folder_is_served_once(tmp_path):
    with locked(tmp_path), pytest.raises(Conflict), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass
