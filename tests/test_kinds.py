"""Kinds as YAML and a sandboxed template: one that stands in a test folder only, wrong ones in one sentence, hostile
templates and hostile data, pictures, the reader's skill, what another plant's model lacks."""

import base64
import dataclasses

import pytest

from tests.small_plant import SUPERVISOR, UNTIL, build
from tools.access import Caller, Scope
from tools.documents import draft_document
from tools.documents.drafting import logo_of
from tools.documents.findings import CLOSE, OPEN, Draft, Shown
from tools.documents.kinds import BadKind, kinds, kinds_of
from tools.documents.pictures import figure_page
from tools.documents.readers import skill_of
from tools.documents.tree import Document
from tools.documents.wording import _Reader
from tools.plant_model import Plant
from tools.registry import Call, all_tools, run
from tools.sql import Statement

KIND = """
scrap_note:
  title: Scrap note
  period_days: 30
  data:
    scrap: {metric: scrap_count, label: Scrap}
    reports: {list: nonconformances, columns: [id, defect, quantity], label: Reports}
    by_defect: {counts: nonconformances, by: defect, label: By defect}
"""
TEMPLATE = """# Scrap
{{ figures(scrap) }}
{% if reports.value %}
There are {{ reports }} reports; the newest is {{ reports.first.id }} about {{ reports.first.defect }}.
{% else %}
Nothing was reported.
{% endif %}
{{ table(reports) }}
{{ chart(by_defect) }}
- one
- two {{ scrap }}
! Mind the {{ plant }}.
## Below
{{ blank("Remarks", 2) }}
{{ form("Actions", ["What", "Who"], 2) }}
"""


class Shelf:
    """Keeps what is drafted in memory."""

    def __init__(self):
        self.documents = []

    def keep(self, document, proof, caller):
        self.documents.append(dataclasses.replace(document, id=f"DOC-{len(self.documents) + 1}"))
        return self.documents[-1]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "own.yaml").write_text(KIND)
    (tmp_path / "scrap_note.j2").write_text(TEMPLATE)
    return tmp_path


def _call(assistant, folder, user="quinn"):
    return Call(
        caller=assistant.caller(user), now=assistant.now(), plant=assistant.plant, index=assistant.index, policy=assistant.policy,
        stores={"documents": Shelf(), "kinds": folder},
    )  # fmt: skip


def _draft(call, kind, **arguments):
    step = run(all_tools()["draft_document"], call, {"kind": kind, **arguments})
    shelf = call.stores["documents"]
    return step.result, (shelf.documents[-1] if shelf.documents else None)


def _parts(document):
    return [part for section in document.sections for part in section.parts]


def test_a_kind_that_stands_in_a_folder_only_is_drafted_without_code(assistant, folder):
    call = _call(assistant, folder)
    result, document = _draft(call, "scrap_note", line="LINE-3")
    assert result.status == "answered", result.message
    assert document.title == "Scrap note: Line 3"
    assert [part["part"] for part in _parts(document)][:4] == ["figures", "text", "table", "chart"]
    text = next(part for part in _parts(document) if part["part"] == "text")
    assert text["text"].startswith("There are ")
    assert text["text"].endswith("]")
    listed = next(part for part in _parts(document) if part["part"] == "list")
    assert listed["items"][0] == "one"
    assert {"blank", "form", "warning", "heading"} <= {part["part"] for part in _parts(document)}
    assert {source.marker for source in document.sources} >= {"E1", "E2"}


def test_a_template_of_the_plant_replaces_a_shipped_one_and_changes_the_hash(assistant, tmp_path):
    (tmp_path / "training_report.j2").write_text("# Ours\n{{ figures(held) }}\n")
    _, document = _draft(_call(assistant, tmp_path), "training_report")
    assert [section.title for section in document.sections] == ["Ours"]
    assert document.template_sha256 != kinds()["training_report"].sha256


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("# A\n{{ nothing_of_the_kind }}\n", "fails in line 2"), ("# A\n{% if %}\n", "does not hold in line 2"), ("# A\n{{ 1 / 0 }}\n", "fails in line 2"),
        ("no heading {{ scrap }}\n", "does not begin"), ("# A\nwords {{ table(reports) }} words\n", "inside a sentence"),
        ("# A\n{{ scrap._draft }}\n", "fails"), ("# A\n{{ scrap.draft.call.caller.user }}\n", "fails"), ("# A\n{{ scrap.evidence }}\n", "fails"),
        ("# A\n{{ ''.__class__.__mro__[1].__subclasses__() }}\n", "fails"), ("# A\n{{ figures.__globals__ }}\n", "fails"),
        ("# A\n{% include '/etc/passwd' %}\n", "fails"), ("# A\n{{ 'x' * 9000000 }}\n", "more than a document holds"),
    ],
)  # fmt: skip
def test_a_wrong_or_hostile_template_is_one_sentence(assistant, folder, template, words):
    (folder / "scrap_note.j2").write_text(template)
    call = _call(assistant, folder)
    result, document = _draft(call, "scrap_note")
    assert result.status == "unavailable"
    assert words in result.message
    assert "scrap_note.j2" in result.message
    assert "\n" not in result.message
    assert document is None


@pytest.mark.parametrize(
    ("text", "words"),
    [("a: [", "not valid YAML"), ("- 1", "holds no kinds"), ("x: {title: X, data: {a: {}}}", "needs exactly one of"), ("x: {title: X, data: {}, colour: red}", "x.colour"),
     ("x: {title: X, data: {a: {counts: lots}}}", "counts needs by"), ("x: {title: X, data: {}}", "has no template")],
)  # fmt: skip
def test_a_wrong_declaration_is_one_sentence(tmp_path, text, words):
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(BadKind, match=words):
        kinds_of(tmp_path)


def test_every_shipped_template_names_only_declared_data():
    from jinja2 import meta

    from tools.documents.parts import Parts
    from tools.documents.wording import _SANDBOX

    words = {"equipment", "line", "product", "lot", "variant", "shift", "alarm_code", "task", "about", "period", "when", "plant", "reader", "skill", "skill_reason", "now", "emergency"}
    for name, kind in kinds().items():
        named = meta.find_undeclared_variables(_SANDBOX.parse(kind.template))
        unused = set(kind.spec.data) - named
        assert named <= words | set(kind.spec.data) | set(Parts(None).functions()), (name, named)
        assert len(unused) <= 1, (name, unused)


def test_data_cannot_write_headings_citations_or_parts():
    """What the plant's records say is opaque while the template's output is read."""
    draft = Draft(None, kinds()["capa"], {}, None, {})
    hostile = "# New section\n- point\n! warning\n[E99] {{ 7*7 }}"
    token = draft.token(Shown(hostile, "E1"))
    (section,) = _Reader(draft, "x.j2").read(f"# Real\nIt says {token}.\n")
    (part,) = section.parts
    assert part["part"] == "text"
    assert part["markers"] == ["E1"]
    assert part["text"] == "It says # New section - point ! warning [ E99] {{ 7*7 }}. [E1]"
    assert OPEN not in part["text"]
    assert CLOSE not in part["text"]


def test_each_sentence_carries_the_citations_of_its_own_values():
    draft = Draft(None, kinds()["capa"], {}, None, {})
    one, two = draft.token(Shown("5", "E1")), draft.token(Shown("3.5 %", "E2"))
    (section,) = _Reader(draft, "x.j2").read(f"# A\nThere are {one} of them.\nThe share is {two}, up from {one}. No figure here.\n")
    assert section.parts[0]["text"] == "There are 5 of them. [E1] The share is 3.5 %, up from 5. [E2] [E1] No figure here."


def test_quotations_stand_word_for_word_in_the_document_that_they_name(assistant, tmp_path):
    call = _call(assistant, tmp_path)
    for kind, arguments in (("sop", {"task": "clean the coolant tank", "equipment": "CNC-01"}), ("troubleshooting_guide", {"alarm": "502", "equipment": "CNC-02"})):
        _, document = _draft(call, kind, **arguments)
        texts = {}
        for source in document.sources:
            if source.document:
                passages = assistant.index.passages(source.document, source.revision)
                texts[source.marker] = " ".join(" ".join((p.text, *p.steps)) for p in passages)
        for part in _parts(document):
            if part["part"] == "quote":
                assert all(" ".join(line.split()) in " ".join(texts[part["marker"]].split()) for line in part["text"].split("\n"))
            if part["part"] == "steps":
                assert all(step["text"].split(". ")[0] in texts[part["marker"]] for step in part["steps"])


def test_a_guide_of_an_alarm_flags_what_isa_18_2_wants_and_the_source_lacks(assistant, tmp_path):
    _, document = _draft(_call(assistant, tmp_path), "troubleshooting_guide", alarm="502", equipment="CNC-02")
    entry = next(part for part in _parts(document) if part["part"] == "fields")
    missing = {item["label"] for item in entry["items"] if item["missing"]}
    assert missing == {"Setpoint"}
    assert {"Description", "Consequence", "Response time", "Remedy"} <= {item["label"] for item in entry["items"]}


def test_a_work_instruction_takes_the_components_of_its_variant(assistant, tmp_path):
    for variant, other in (("PMP-40S", "PMP-40L"), ("PMP-40L", "PMP-40S")):
        _, document = _draft(_call(assistant, tmp_path), "work_instruction", task="assembly of the pump unit", variant=variant)
        table = next(part for part in _parts(document) if part["part"] == "table" and part["title"] == "Components of one unit")
        cells = {cell for row in table["rows"] for cell in row}
        assert other not in cells
        assert document.sections[0].parts[0]["text"].count(variant) >= 1


def test_the_reader_skill_comes_from_certificates_and_can_be_said(assistant, tmp_path):
    from datetime import date

    held = assistant.plant.query(Statement(
        "SELECT person_id, certification, level, expires_on FROM certifications WHERE certification LIKE '%CNC%'")).rows  # fmt: skip
    valid = {person: level for person, _, level, expires in held if str(expires) >= date(2026, 6, 17).isoformat()}
    assert valid
    for person, level in list(valid.items())[:3]:
        reader = dataclasses.replace(_call(assistant, tmp_path), caller=Caller(person, person, "quality", Scope(None), "test"))
        assert skill_of(reader, "cnc")[0] == {"trainer": "expert", "qualified": "experienced", "basic": "novice"}[level]
    assert skill_of(_call(assistant, tmp_path), "")[0] == "experienced"
    _, said = _draft(_call(assistant, tmp_path), "sop", task="clean the coolant tank", equipment="CNC-01", skill="expert")
    assert said.skill == "expert"
    steps = next(part for part in _parts(said) if part["part"] == "steps")
    assert steps["skill"] == "expert"


@pytest.mark.parametrize(("level", "skill"), [("trainer", "expert"), ("qualified", "experienced"), ("basic", "novice"), ("something else", "experienced")])
def test_levels(level, skill):
    from tools.documents.readers import _level

    assert _level(level) == skill


def test_pages_without_a_figure_and_files_that_are_no_pdf_give_no_picture(assistant, tmp_path):
    source = next(info.source for info in assistant.index.documents() if info.document == "MAN-CNC-VX500")
    picture = figure_page(source, 11)
    assert base64.b64decode(picture).startswith(b"\x89PNG")
    assert len(picture) < 200_000
    assert figure_page(source, 2) == ""
    fake = tmp_path / "fake.pdf"
    fake.write_bytes(b"not a pdf")
    assert figure_page(str(fake), 1) == ""
    assert figure_page(str(tmp_path / "gone.pdf"), 1) == ""


def test_a_logo_is_taken_when_it_is_a_picture(tmp_path):
    assert logo_of(tmp_path) == ""
    assert logo_of(None) == ""
    (tmp_path / "logo.png").write_bytes(b"#read('secret')")
    assert logo_of(tmp_path) == ""
    (tmp_path / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>')
    assert logo_of(tmp_path).startswith("svg:")


def test_what_another_plants_model_lacks_is_said(tmp_path):
    """A plant with few records gets its document, and each gap is one sentence."""
    plant = Plant.open(None, str(build(tmp_path / "mes.sqlite")))
    lacking = dataclasses.replace(plant, model=plant.model.model_copy(update={"records": {
        name: record for name, record in plant.model.records.items() if name not in ("capas", "shift_notes", "operations")
    }}))  # fmt: skip

    class NoIndex:
        def documents(self, on=None):
            return []

    call = Call(caller=SUPERVISOR, now=UNTIL, plant=lacking, index=NoIndex(), stores={"documents": Shelf()})
    result = draft_document(call, "audit_report")
    assert result.status == "answered", result.message
    document = call.stores["documents"].documents[-1]
    assert isinstance(document, Document)
    said = [part["text"] for part in _parts(document) if part["part"] == "text"]
    assert any("This plant's model has no capas." in text for text in said)


def test_an_operator_gets_only_the_own_lines(assistant, tmp_path):
    call = dataclasses.replace(_call(assistant, tmp_path), caller=Caller("olivia", "Olivia", "operator", Scope(frozenset({"LINE-3"})), "test"))
    result, document = _draft(call, "maintenance_report")
    assert result.status == "answered", result.message
    text = document.canonical()
    machines = {m.id for m in assistant.plant.equipment.values() if m.line != "LINE-3"}
    shown = [cell for part in _parts(document) if part["part"] == "table" for row in part["rows"] for cell in row]
    assert not machines & set(shown)
    assert document.lines == ("LINE-3",)
    assert text
