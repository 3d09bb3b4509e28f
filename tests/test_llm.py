"""Language models: the line language, GGUF files, the plan writer over llama.cpp, and every chat backend's failures."""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

import prompts
from assistant.llm import (
    LlamaCppChat,
    LlmUnavailable,
    OpenAICompatibleChat,
    PlanWriter,
    ScriptedChat,
    ScriptedWriter,
    open_llm,
)
from assistant.lm import dsl
from assistant.lm.labels import STATUSES
from assistant.router import reading, spans

LINES = [
    ("query_metrics metrics=first_pass_yield line=<line1> shift=<shift1> period=<period1> by=day sort=desc",
     [{"tool": "query_metrics", "arguments": {"metrics": ["first_pass_yield"], "where": {"line": "<line1>", "shift": "<shift1>"},
       "period": "<period1>", "by": ["day"], "sort": "desc"}}]),
    ("query_metrics metrics=downtime reason=!<reason1> reason=!<reason2> limit=1",
     [{"tool": "query_metrics", "arguments": {"metrics": ["downtime"], "where": {"reason": {"not": ["<reason1>", "<reason2>"]}},
       "limit": 1}}]),
    ("explain_alarm code=<code1> equipment=<equipment1> ; list_records records=spare_parts status=below_minimum",
     [{"tool": "explain_alarm", "arguments": {"code": "<code1>", "equipment": "<equipment1>"}},
      {"tool": "list_records", "arguments": {"records": "spare_parts", "where": {"status": "below_minimum"}}}]),
    ("refused_unsafe", [{"status": "refused_unsafe"}]),
]  # fmt: skip
PLACES = ["<line1>", "<line2>", "<period1>", "<equipment1>", "<code1>", "<reason1>", "<lot1>", "<symptom1>", "<text1>"]


@pytest.mark.parametrize(("line", "calls"), LINES)
def test_a_line_is_its_calls(line: str, calls: list[dict[str, Any]]) -> None:
    assert dsl.parse_plan(line) == calls


@pytest.mark.parametrize("line", [
    "", "hello", "query_metrics metrics=joy", "query_metrics line=<lot1>", "explain_alarm period=<period1>",
    "list_records records=lots ; ; list_records records=lots", "explain_alarm code=502", "diagnose symptom=", "diagnose diagnose",
])  # fmt: skip
def test_other_lines_are_refused(line: str) -> None:
    with pytest.raises(dsl.PlanSyntax):
        dsl.parse_plan(line)


def test_writing_is_the_inverse_of_parsing() -> None:
    line = dsl.write_plan([("query_metrics", {"by": ["day"], "metrics": ["oee", "mtbf"], "line": ["!<line1>"]})])
    assert line == "query_metrics metrics=oee metrics=mtbf line=!<line1> by=day"
    assert dsl.parse_plan(line)[0]["arguments"]["where"] == {"line": {"not": "<line1>"}}
    with pytest.raises(ValueError, match="explain_alarm has no by"):
        dsl.write_plan([("explain_alarm", {"by": ["day"]})])


def sample(grammar: str, rng: random.Random) -> str:
    """A random text of a GBNF grammar, by an interpreter of our own."""
    rules = dict(line.split(" ::= ", 1) for line in grammar.strip().splitlines())

    def expand(body: str) -> str:
        body = body.strip()
        alternatives = split(body, "|")
        body = rng.choice(alternatives).strip()
        out, at = "", 0
        while at < len(body):
            if body[at] == " ":
                at += 1
                continue
            if body[at] == '"':
                end = body.index('"', at + 1)
                piece, at = (lambda text: lambda: text)(body[at + 1 : end]), end + 1
            elif body[at] == "(":
                depth, end = 1, at + 1
                while depth:
                    depth += {"(": 1, ")": -1}.get(body[end], 0)
                    end += 1
                piece, at = (lambda text: lambda: expand(text))(body[at + 1 : end - 1]), end
            else:
                name = re.match(r"[a-z-]+", body[at:])
                assert name, body[at:]
                piece, at = (lambda text: lambda: expand(rules[text]))(name.group()), at + len(name.group())
            mark = body[at] if at < len(body) and body[at] in "?*+" else ""
            at += bool(mark)
            times = {"": 1, "?": rng.randint(0, 1), "*": rng.choice((0, 0, 1)), "+": rng.choice((1, 1, 2))}[mark]
            out += "".join(piece() for _ in range(times))
        return out

    def split(body: str, mark: str) -> list[str]:
        parts, depth, quoted, start = [], 0, False, 0
        for i, c in enumerate(body):
            quoted ^= c == '"'
            if not quoted:
                depth += {"(": 1, ")": -1}.get(c, 0)
                if c == mark and depth == 0:
                    parts.append(body[start:i])
                    start = i + 1
        return [*parts, body[start:]]

    return expand(rules["root"])


def test_every_text_of_the_grammar_is_a_plan() -> None:
    rng = random.Random(4)
    grammar = dsl.plan_grammar(dsl.ORDER, {"metrics": ["oee"], "records": ["lots"]}, PLACES)
    seen = set()
    for _ in range(600):
        line = sample(grammar, rng)
        calls = dsl.parse_plan(line)
        seen.add(calls[0].get("tool", calls[0].get("status")))
        assert all(word in PLACES for word in re.findall(r"<[a-z_]+\d>", line))
        assert "metrics=mtbf" not in line
    # tools whose first argument no placeholder of this question can fill are not offered
    assert seen == {"query_metrics", "list_records", "explain_alarm", "diagnose", "trace_material", "draft_document",
                    "raise_request", *STATUSES[1:]}  # fmt: skip


def test_hints_name_what_the_router_believes() -> None:
    told = dsl.hints(reading("query_metrics", metric="oee", by="day", sort="desc"))
    assert told[0] == "query_metrics"
    assert {"metrics=oee", "by=day", "sort=desc"} <= set(told)
    assert dsl.hints(reading("diagnose", "refused_unsafe"))[0] == "refused_unsafe"


def test_the_routers_own_line() -> None:
    question = "top 3 stop reasons of Line 3 without cleaning"
    found = spans(question, "cleaning", limit="3", line="Line 3", reason="cleaning")
    read = reading("query_metrics", metric="downtime", by="reason", sort="desc", limit="span", spans=found)
    masked = dsl.mask(question, read.spans)
    assert masked.text == "top <limit1> stop reasons of <line1> without <reason1>"
    line = dsl.router_line(read, masked)
    assert line == "query_metrics metrics=downtime line=<line1> reason=!<reason1> by=reason sort=desc limit=<limit1>"
    assert dsl.router_line(reading("diagnose", "refused_unsafe"), masked) == "refused_unsafe"
    two = dsl.router_line(reading(["list_records", "explain_alarm"], record="lots", calls="2"), dsl.mask("x", ()))
    assert two == "list_records records=lots ; explain_alarm"


def test_plans_are_judged_by_what_they_look_up() -> None:
    from assistant.lm.ablation import calls_of, gold_calls, same
    from assistant.lm.phrasings import example

    row = example({"q": "why does press 2 drip oil, and OEE of press 2 for May?", "calls": [
        {"tool": "diagnose", "args": {"symptom": "drip oil", "equipment": "press 2"}},
        {"tool": "query_metrics", "args": {"metrics": ["oee"], "equipment": "press 2", "period": "May"}}]})  # fmt: skip
    gold = gold_calls(row)
    assert gold == [("diagnose", {"symptom": ("drip oil",), "equipment": ("press 2",)}),
                    ("query_metrics", {"metrics": ("oee",), "equipment": ("press 2",), "period": ("may",)})]  # fmt: skip
    marked = spans(row.question, equipment="press 2", symptom="drip oil", period="May")
    masked = dsl.mask(row.question, marked)
    good = "diagnose symptom=<symptom1> equipment=<equipment1> ; query_metrics metrics=oee equipment=<equipment1> period=<period1>"
    assert same(gold, calls_of(good, masked))
    assert not same(gold, calls_of(good.replace("oee", "mtbf"), masked))
    assert not same(gold, calls_of(good.replace(" period=<period1>", ""), masked))


def test_prompts_load_with_their_fields() -> None:
    assert set(prompts.names()) >= {"planner_line", "prose", "prose_evidence", "prose_repair", "loop"}
    for name in prompts.names():
        found = prompts.load(name)
        assert len(found.sha256) == 64
    assert prompts.load("planner_line").fill(candidates="a b", question="{q}") == "a b ? {q} >"
    with pytest.raises(KeyError):
        prompts.load("no such prompt")


# GGUF and llama.cpp


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A llama of two layers with random weights, in the planner's own vocabulary."""
    pytest.importorskip("gguf")
    torch = pytest.importorskip("torch")
    from assistant.lm.gguf_file import write
    from assistant.lm.train_planner import END, new_tokenizer

    words = ["query_metrics metrics=oee ? what was the oee on <line1> <period1>? >", "scrap of 12 parts, Ünï"] * 20
    tokenizer = new_tokenizer(words, 1200)
    size, width, inner = tokenizer.get_vocab_size(), 32, 64
    torch.manual_seed(1)
    weights = {"model.embed_tokens.weight": torch.randn(size, width) * 0.3, "model.norm.weight": torch.ones(width)}
    for n in range(2):
        for part, shape in {
            "self_attn.q_proj": (width, width), "self_attn.k_proj": (width, width), "self_attn.v_proj": (width, width),
            "self_attn.o_proj": (width, width), "mlp.gate_proj": (inner, width), "mlp.up_proj": (inner, width),
            "mlp.down_proj": (width, inner),
        }.items():  # fmt: skip
            weights[f"model.layers.{n}.{part}.weight"] = torch.randn(shape) * 0.2
        weights[f"model.layers.{n}.input_layernorm.weight"] = torch.ones(width)
        weights[f"model.layers.{n}.post_attention_layernorm.weight"] = torch.ones(width)
    config = SimpleNamespace(
        max_position_embeddings=256, hidden_size=width, num_hidden_layers=2, intermediate_size=inner,
        num_attention_heads=2, num_key_value_heads=2, rms_norm_eps=1e-5, vocab_size=size,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("gguf")
    tokenizer.save(str(folder / "words.json"))
    write(SimpleNamespace(config=config, state_dict=lambda: weights), tokenizer, folder / "tiny.gguf", "tiny", END, trained=False)  # type: ignore[arg-type]
    return folder / "tiny.gguf"


def test_words_are_cut_as_in_training(tiny: Path) -> None:
    llama_cpp = pytest.importorskip("llama_cpp")
    from tokenizers import Tokenizer

    trained = Tokenizer.from_file(str(tiny.parent / "words.json"))
    llama = llama_cpp.Llama(str(tiny), vocab_only=True, verbose=False)
    for text in (
        "query_metrics list_records metrics=oee by=day ? what was <line1> vs <line2> at 22:15, 3.5%? >",
        "query_metrics metrics=oee line=!<line1> limit=1 ; diagnose symptom=<symptom1>", "it's 100 °C – Übergröße\t…", "",
    ):  # fmt: skip
        assert llama.tokenize(text.encode(), add_bos=False, special=False) == trained.encode(text).ids
    llama.close()


def test_any_model_writes_only_plans(tiny: Path) -> None:
    pytest.importorskip("llama_cpp")
    writer = PlanWriter(tiny)
    assert (writer.name, writer.trained) == ("tiny", False)
    try:
        grammar = dsl.plan_grammar(["explain_alarm", "diagnose"], None, ["<code1>", "<equipment1>"])
        written = writer.write("what is <code1> on <equipment1>", ["explain_alarm"], ["<code1>", "<equipment1>"], grammar, 20)
        assert dsl.parse_plan(written.text)
        assert 0 <= written.probability <= 1
        assert "<code2>" not in written.text
        again = writer.write("what is <code1> on <equipment1>", ["explain_alarm"], (), grammar, 20)
        assert again.text == written.text
        with pytest.raises(LlmUnavailable, match="too long"):
            writer.write("word " * 2000, ["diagnose"], (), grammar, 20)
    finally:
        writer.close()


def test_files_that_are_no_model(tiny: Path, tmp_path: Path) -> None:
    whole = tiny.read_bytes()
    cases = {
        "text.gguf": (b"hello", "not a GGUF"),
        "cut.gguf": (whole[: len(whole) // 2], "cut short"),
        "stub.gguf": (whole[:40], "damaged"),
        "bert.gguf": (whole.replace(b"\x05\x00\x00\x00\x00\x00\x00\x00llama", b"\x04\x00\x00\x00\x00\x00\x00\x00bert", 1), "bert"),
    }
    for name, (content, words) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(LlmUnavailable, match=words) as caught:
            PlanWriter(tmp_path / name)
        assert caught.value.sentence.endswith(".")
        assert str(tmp_path) not in caught.value.sentence
    with pytest.raises(LlmUnavailable, match="cannot be opened"):
        open_llm(tmp_path / "missing.gguf")


def test_a_gguf_without_a_chat_still_answers_or_says_why(tiny: Path) -> None:
    pytest.importorskip("llama_cpp")
    chat = open_llm(tiny, context=256, max_tokens=4)
    assert isinstance(chat, LlamaCppChat)
    with suppress(LlmUnavailable):  # random weights may also end at once, which is an answer with nothing
        assert isinstance(chat.invoke([HumanMessage("oee?")]), AIMessage)
    with pytest.raises(LlmUnavailable):
        chat.invoke([HumanMessage("word " * 3000)])


# OpenAI-compatible servers, over the loopback


class Server(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        _, _, mode = self.path.partition("/chat")[0].strip("/").partition("-")
        body, content_type, status = b"", "application/json", 200
        message: dict[str, Any] = {"role": "assistant", "content": "from " + asked["messages"][-1]["content"]}
        if mode == "tools":
            message = {"content": None, "tool_calls": [{"id": "a", "function": {"name": "oee", "arguments": '{"line": 3}'}}]}
        if asked["stream"]:
            parts = [b'data: {"choices":[{"delta":{"content":"%s"}}]}\n\n' % p for p in (b"two ", b"parts")]
            body, content_type = b"".join(parts) + b"data: [DONE]\n\n", "text/event-stream"
        elif mode == "html":
            body, content_type = b"<html>login</html>", "text/html"
        elif mode == "empty":
            body = json.dumps({"choices": [{"message": {"content": ""}}]}).encode()
        elif mode == "odd":
            body = b'["no completion"]'
        elif mode == "broken":
            body = b"\xff\xfe{"
        elif mode == "down":
            status, body = 503, b"{}"
        elif mode == "hang":
            self.server.release.wait(5)  # type: ignore[attr-defined]
        else:
            body = json.dumps({"choices": [{"message": message}], "usage": {"prompt_tokens": 2, "total_tokens": 5}}).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(ConnectionError):  # a caller that gave up
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Server)
    server.release = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.release.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


def test_a_server_answers_streams_and_calls_tools(address: str) -> None:
    chat = open_llm(address + "/v1-ok")
    assert chat.invoke([HumanMessage("Line 3")]).content == "from Line 3"
    assert [c.content for c in chat.stream([HumanMessage("x")]) if c.content] == ["two ", "parts"]
    called = OpenAICompatibleChat(url=address + "/v1-tools").invoke([HumanMessage("x")])
    assert called.tool_calls[0]["args"] == {"line": 3}


@pytest.mark.parametrize(
    ("mode", "words"),
    [("html", "web page"), ("empty", "nothing"), ("odd", "no completion"), ("broken", "not JSON"), ("down", "status 503"),
     ("hang", "did not answer within")],
)  # fmt: skip
def test_every_failure_of_a_server_is_one_sentence(address: str, mode: str, words: str) -> None:
    chat = OpenAICompatibleChat(url=f"{address}/v1-{mode}", timeout_s=0.6)
    with pytest.raises(LlmUnavailable, match=words) as caught:
        chat.invoke([HumanMessage("x")])
    assert caught.value.sentence.count(". ") == 0


def test_nobody_there() -> None:
    with pytest.raises(LlmUnavailable, match="cannot be reached"):
        OpenAICompatibleChat(url="http://127.0.0.1:9/v1", timeout_s=1).invoke([HumanMessage("x")])
    with pytest.raises(LlmUnavailable, match="No language model"):
        open_llm("")


def test_scripts_for_tests() -> None:
    chat = ScriptedChat(answers=["one", lambda messages: str(messages[-1].content)[::-1]])
    assert chat.invoke([HumanMessage("x")]).content == "one"
    assert chat.invoke([HumanMessage("abc")]).content == "cba"
    with pytest.raises(LlmUnavailable, match="no more answers"):
        chat.invoke([HumanMessage("x")])
    writer = ScriptedWriter({"oee of <line1>": "query_metrics metrics=oee line=<line1>"})
    assert dsl.parse_plan(writer.write("oee of <line1>", []).text)[0]["tool"] == "query_metrics"
    with pytest.raises(LlmUnavailable):
        writer.write("other", [])
