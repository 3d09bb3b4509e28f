"""The turn log finds every tampering and the store keeps identities, confirmations and requests as it promises."""

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from assistant.problems import Conflict, NotFound
from assistant.store import Store

NOW = datetime(2026, 6, 17, 9, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "andon.sqlite", tmp_path / "keys")
    yield made
    made.close()


def _append(store, count=5):
    return [
        store.append_turn(at=NOW, user="sam", via="test", conversation="c1", record={"question": f"q{number}"})
        for number in range(count)
    ]


def _tamper(tmp_path, sql):
    connection = sqlite3.connect(tmp_path / "andon.sqlite")
    connection.executescript(sql)
    connection.commit()
    connection.close()


def test_an_untouched_log_verifies(store):
    _append(store)
    assert store.verify().intact
    assert store.verify().turns == 5


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("UPDATE turns SET user = 'eve' WHERE number = 3", "was changed"),
        ("UPDATE turns SET record = '{}' WHERE number = 2", "text of turn"),
        ("DELETE FROM turns WHERE number = 3", "missing"),
        ("DELETE FROM turns WHERE number = 5", "removed or added"),
        ("DELETE FROM turns WHERE number > 2", "removed or added"),
        ("UPDATE turns SET number = 99 WHERE number = 2; UPDATE turns SET number = 2 WHERE number = 3;"
         "UPDATE turns SET number = 3 WHERE number = 99", "was changed"),
        ("INSERT INTO turns SELECT 6, 'x', at, user, via, conversation, record_hash, mac, record FROM turns WHERE number = 5", "was changed"),
        ("DELETE FROM turns", "removed or added"),
    ],
)  # fmt: skip
def test_tampering_is_found(store, tmp_path, sql, says):
    _append(store)
    _tamper(tmp_path, sql)
    assert says in store.verify().broken


def test_a_changed_or_lost_anchor_is_found(store, tmp_path):
    _append(store)
    anchor = tmp_path / "keys" / "turns.anchor"
    anchor.write_text(anchor.read_text().replace('"held": [5', '"held": [4'))
    assert "anchor" in store.verify().broken
    anchor.unlink()
    assert "anchor" in store.verify().broken


def test_dying_between_anchor_and_commit_is_not_tampering(store, tmp_path, monkeypatch):
    _append(store, 2)
    write = store._chain.write

    def dies_before_the_commit(held, pending):
        write(held, pending)
        raise KeyboardInterrupt

    monkeypatch.setattr(store._chain, "write", dies_before_the_commit)
    with pytest.raises(KeyboardInterrupt):
        _append(store, 1)
    assert (store.verify().turns, store.verify().intact) == (2, True)

    def dies_after_the_commit(held, pending):
        if pending is None:
            raise KeyboardInterrupt
        write(held, pending)

    monkeypatch.setattr(store._chain, "write", dies_after_the_commit)
    with pytest.raises(KeyboardInterrupt):
        _append(store, 1)
    assert (store.verify().turns, store.verify().intact) == (3, True)
    monkeypatch.setattr(store._chain, "write", write)
    _append(store, 1)
    assert store.verify().intact


def test_erasing_text_keeps_the_chain(store):
    turn = _append(store)[2]
    store.erase(turn)
    assert store.turn(turn)["record"] is None
    assert store.verify().intact


def test_two_stores_append_to_one_chain(store, tmp_path):
    other = Store(tmp_path / "andon.sqlite", tmp_path / "keys")
    for _ in range(3):
        _append(store, 1)
        _append(other, 1)
    assert other.verify().intact
    assert other.verify().turns == 6
    other.close()


def test_passwords_lock_after_five_failures(store):
    store.put_user("olivia", "Olivia", "operator", ["LINE-3"], "secret")
    assert store.authenticate("olivia", "secret", NOW).scope.lines == {"LINE-3"}
    for _ in range(5):
        assert store.authenticate("olivia", "wrong", NOW) is None
    assert store.authenticate("olivia", "secret", NOW) is None
    assert store.authenticate("olivia", "secret", NOW + timedelta(minutes=11)) is not None
    assert store.authenticate("nobody", "secret", NOW) is None


def test_a_confirmation_is_settled_once_by_its_own_person(store):
    token, _ = store.ask_confirmation("olivia", "raise_request", {"kind": "help"}, NOW)
    with pytest.raises(NotFound):
        store.take_confirmation(token, "sam", True, NOW)
    assert store.take_confirmation(token, "olivia", True, NOW) == ("raise_request", {"kind": "help"})
    with pytest.raises(Conflict):
        store.take_confirmation(token, "olivia", True, NOW)
    late, _ = store.ask_confirmation("olivia", "raise_request", {}, NOW)
    with pytest.raises(Conflict):
        store.take_confirmation(late, "olivia", True, NOW + timedelta(minutes=11))
