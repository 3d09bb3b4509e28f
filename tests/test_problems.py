"""Every exception of the packages below becomes a problem with one sentence, and no engine text leaves."""

import inspect

import pytest

import assistant.problems as problems
from assistant.problems import TRANSLATIONS, Problem, translated
from ingest.pipeline import IngestError
from retrieval.index import IndexDamaged, IndexUnavailable, RetrievalError
from tools.registry import ToolError, Unavailable
from tools.sql import SqlRefused, SqlTimeout, SqlUnavailable


def test_every_public_family_is_translated():
    for family in (IngestError, RetrievalError, ToolError, IndexDamaged, IndexUnavailable, Unavailable, SqlRefused, SqlTimeout, SqlUnavailable):
        assert any(issubclass(family, known) for known in TRANSLATIONS), family


@pytest.mark.parametrize("kind", [k for _, k in inspect.getmembers(problems, inspect.isclass) if issubclass(k, Problem)])
def test_a_problem_is_addressed(kind):
    assert kind.code
    assert 400 <= kind.status <= 599
    assert kind.addressee in ("operator", "administrator", "engineer")


def test_unforeseen_errors_keep_their_text_to_themselves():
    said = translated(ValueError("secret 42 at /etc/passwd")).sentence
    assert "secret" not in said
    assert "passwd" not in said
    assert translated(OSError(28, "No space left on device", "/var/x")).sentence == "The machine refused: no space left on device."
    assert translated(Unavailable("The database is away.")).sentence == "The database is away."
