"""A published procedure answers questions while it is in force, and not a moment longer. Asked over the demo plant."""

import io
import shutil
from dataclasses import replace

import pypdf
import pytest

from assistant.turn import Ask
from tests.paper import a_document
from tools.documents.publishing import page_texts, passages
from tools.documents.rendering import render
from tools.documents.tree import Section, Source
from tools.registry import Unavailable

FACT = "The lid of the quench basket is closed with 37 N m after the zorbel seal was renewed."
QUESTION = "what torque for the lid of the quench basket with the zorbel seal"


@pytest.fixture(scope="module")
def product(demo_home, tmp_path_factory):
    from assistant import settings
    from assistant.app import build

    folder = tmp_path_factory.mktemp("publishing") / "home"
    shutil.copytree(demo_home, folder, ignore=shutil.ignore_patterns("documents", "documents.*"))
    made = build(settings.load(folder))
    yield made
    made.close()


def _cites(product, identity):
    answer = product.ask(Ask(QUESTION, "sam"))
    return [c for c in answer["citations"] if c.get("document") == identity], answer


def test_a_question_before_during_and_after(product):
    documents = product.documents
    sam, quinn = product.caller("sam"), product.caller("quinn")
    made = documents.draft(sam, "sop", {"task": "clean the coolant tank"})
    identity = made["document"]
    documents.edit(sam, identity, made["sections"][0], FACT)
    assert _cites(product, identity)[0] == []
    documents.step(sam, identity, "in_review")
    documents.step(quinn, identity, "approved", password="andon")
    assert _cites(product, identity)[0] == []
    documents.step(quinn, identity, "effective")
    cited, answer = _cites(product, identity)
    assert cited
    assert "37 N m" in answer["text"] + str(answer["blocks"])
    assert cited[0]["revision"] == "1"
    info = product.index.document(identity)
    with open(info.source, "rb") as file:
        stored = file.read()
    assert stored == documents.rendered(quinn, identity, "pdf")
    page = pypdf.PdfReader(io.BytesIO(stored)).pages[cited[0]["page"] - 1].extract_text()
    assert "quench basket" in " ".join(page.split())

    # The next revision takes over, the one before stops being a source at once.
    documents.revise(sam, identity, "new torque")
    documents.edit(sam, identity, made["sections"][0], FACT.replace("37", "41"))
    documents.step(sam, identity, "in_review")
    documents.step(quinn, identity, "approved", password="andon")
    assert {c["revision"] for c in _cites(product, identity)[0]} == {"1"}
    documents.step(quinn, identity, "effective")
    cited, answer = _cites(product, identity)
    assert {c["revision"] for c in cited} == {"2"}
    assert "37 N m" not in answer["text"] + str(answer["blocks"])

    documents.step(quinn, identity, "retired", reason="the basket is gone")
    cited, answer = _cites(product, identity)
    assert cited == []
    assert "41 N m" not in answer["text"] + str(answer["blocks"])
    assert documents.verify(sam, identity)["findings"] == []


def test_a_new_index_gets_what_is_in_force(product):
    sam, quinn = product.caller("sam"), product.caller("quinn")
    identity = product.documents.draft(sam, "sop", {"task": "clean the coolant tank"})["document"]
    product.documents.step(sam, identity, "submit")
    product.documents.step(quinn, identity, "approve", password="andon")
    product.documents.step(quinn, identity, "publish")
    product.index.remove(identity)
    assert product.register.reconcile() == [f"{identity} revision 1"]
    assert product.index.document(identity).status == "effective"
    assert product.register.reconcile() == []


def test_figures_of_one_day_are_no_source_and_warnings_stay_before_their_step():
    from retrieval.index import DocumentInfo

    base = a_document()
    query = Source("E9", "query", "counts", sql="SELECT 1", row_count=1)
    counted = Section(
        "Counts",
        (
            {"part": "text", "text": "There were 7 stops. [E9]", "markers": ["E9"]},
            {"part": "list", "items": ["Wrench 17 mm [E1]"], "markers": ["E1"]},
        ),
    )
    document = replace(base, sections=(*base.sections, counted), sources=(query,))
    pages = page_texts(render(document, "pdf", ()))
    found = list(passages(document, DocumentInfo("DOC-1", document.title, "1", kind="sop", content_hash="h"), pages))
    assert [p.block for p in found] == ["paragraph", "paragraph", "steps", "paragraph"]
    assert found[2].steps == ("DANGER: lock out first.", "1. Switch the pump off.", "2. Drain the tank.")
    assert all(p.anchor.page == 1 for p in found)
    assert found[3].text == "Wrench 17 mm"
    assert not any("7 stops" in p.text or p.text == "7" for p in found)


def test_a_full_disk_while_publishing_is_one_sentence(product, monkeypatch):
    sam, quinn = product.caller("sam"), product.caller("quinn")
    identity = product.documents.draft(sam, "sop", {"task": "clean the coolant tank"})["document"]
    product.documents.step(sam, identity, "submit")
    product.documents.step(quinn, identity, "approve", password="andon")

    def full(*arguments, **named):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("tools.documents.publishing.tempfile.mkstemp", full)
        with pytest.raises(Exception, match="no space left") as failure:
            product.documents.step(quinn, identity, "publish")
    assert not isinstance(failure.value, Unavailable | OSError)
    assert not list(product.register.folder_of_sources.glob(f"{identity}*"))
    assert product.register.reconcile() == [f"{identity} revision 1"]
