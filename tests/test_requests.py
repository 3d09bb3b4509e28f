"""A request is proposed, confirmed by its person, kept and put into the outbox; nothing else is ever written."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from assistant.store import Store
from tools.access import Caller
from tools.registry import BadArgument, Call, Unavailable
from tools.requests import carry_out, raise_request

NOW = datetime(2026, 6, 17, tzinfo=UTC)
OLIVIA = Caller("olivia", "Olivia", "operator")
PLANT = SimpleNamespace(equipment={"CNC-02": SimpleNamespace(id="CNC-02", name="CNC-02")})


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "a.sqlite", tmp_path / "keys")
    yield made
    made.close()


def test_the_tool_only_proposes():
    result = raise_request(Call(OLIVIA, NOW, PLANT, None, "CNC-02"), "maintenance", text="leaks")
    assert result.status == "needs_confirmation"
    assert result.data["arguments"] == {"kind": "maintenance", "equipment": "CNC-02", "text": "leaks"}
    with pytest.raises(BadArgument):
        raise_request(Call(OLIVIA, NOW, PLANT, None), "pizza")


def test_confirmed_requests_are_kept_and_sent(store, tmp_path):
    outbox = tmp_path / "outbox.jsonl"
    arguments = {"kind": "help", "equipment": "CNC-02", "text": "please"}
    names = [carry_out("raise_request", arguments, OLIVIA, NOW, store, outbox) for _ in range(2)]
    lines = [json.loads(line) for line in outbox.read_text().splitlines()]
    assert [line["request"] for line in lines] == names == ["REQ-00001", "REQ-00002"]
    assert lines[0]["user"] == "olivia"
    with pytest.raises(Unavailable, match="REQ-00003 is kept"):
        carry_out("raise_request", arguments, OLIVIA, NOW, store, tmp_path)
    with pytest.raises(BadArgument):
        carry_out("query_metrics", {}, OLIVIA, NOW, store, outbox)
