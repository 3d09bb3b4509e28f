"""One contract for every backend: the shipped planner, a GGUF file, a server over a real socket, a script. And what each of
them may do wrong: one sentence, in time, and the shipped planner's answer."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool

from assistant import llm, turn
from assistant.app import Ask
from assistant.llm import (
    LanguageModel,
    LlamaCppChat,
    LlmUnavailable,
    OpenAICompatibleChat,
    PlannerChat,
    ScriptedChat,
    open_llm,
    open_writer,
)
from assistant.settings import REPOSITORY
from tests import chat_gguf
from tests.openai_server import FAILURES, serving

PLANNER = REPOSITORY / "assistant" / "lm" / "models" / "planner.gguf"


@pytest.fixture(scope="module")
def chat_file(tmp_path_factory):
    return chat_gguf.write(tmp_path_factory.mktemp("gguf"))


@pytest.fixture(scope="module")
def server(chat_file):
    """A server with the shipped model behind it."""
    behind = LlamaCppChat(path=chat_file, context=256, max_tokens=24, threads=1)
    roles = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}

    def complete(asked):
        talk = [roles[m["role"]](content=m["content"]) for m in asked["messages"] if isinstance(m.get("content"), str)]
        for chunk in behind.stream(talk, stop=asked.get("stop"), max_tokens=asked["max_tokens"]):
            if chunk.text:
                yield chunk.text

    with serving(complete) as (address, _):
        yield address
    behind.close()


BACKENDS = ("planner", "gguf", "server", "scripted")


@pytest.fixture
def backend(request, chat_file, server):
    """A fresh backend by name, closed afterwards."""
    if request.param == "planner":
        chat = PlannerChat(writer=open_writer(PLANNER))
    elif request.param == "gguf":
        chat = open_llm(chat_file, context=256, max_tokens=24, threads=1)
    elif request.param == "server":
        chat = open_llm(f"{server}/v1", max_tokens=24, timeout_s=20)
    else:
        chat = ScriptedChat(answers=["query_metrics metrics=oee line=<line1>"] * 8)
    yield chat
    if isinstance(chat, PlannerChat):
        chat.writer.close()
    elif isinstance(chat, LlamaCppChat):
        chat.close()


ASKED = [SystemMessage("oee of <line2>"), HumanMessage(chat_gguf.ASK)]


@pytest.mark.parametrize("backend", BACKENDS, indirect=True)
class TestContract:
    def test_messages_in_one_message_out(self, backend):
        said = backend.invoke(ASKED)
        assert isinstance(said, AIMessage)
        assert said.text.strip()
        assert said.usage_metadata["output_tokens"] >= 1

    def test_the_same_question_has_the_same_answer(self, backend):
        assert backend.invoke(ASKED).text == backend.invoke(ASKED).text

    def test_tokens_on_request_are_the_whole_answer(self, backend):
        assert "".join(chunk.text for chunk in backend.stream(ASKED)) == backend.invoke(ASKED).text

    def test_a_stop_mark_ends_it(self, backend):
        whole = backend.invoke(ASKED).text
        mark = whole.strip()[-1]
        assert mark not in backend.invoke(ASKED, stop=[mark]).text

    def test_tools_can_be_bound(self, backend):
        @tool
        def oee(line: str) -> str:
            """The OEE of a line."""
            return line

        assert callable(backend.bind_tools([oee]).invoke)

    def test_several_threads_may_ask(self, backend):
        with ThreadPoolExecutor(3) as pool:
            answers = [done.text for done in pool.map(lambda _: backend.invoke(ASKED), range(3))]
        assert len(set(answers)) == 1

    def test_as_the_language_model_of_a_setting(self, backend):
        model = LanguageModel("scripted", chat=backend)
        assert "".join(model.speak([("system", "oee of <line2>"), ("user", chat_gguf.ASK)])) == backend.invoke(ASKED).text
        assert model.calls == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("mode", FAILURES)
def test_every_failure_of_a_server_is_one_sentence_in_time(server, mode, stream):
    chat = OpenAICompatibleChat(url=f"{server}/{mode}/v1", timeout_s=0.5)
    begun = time.monotonic()
    with pytest.raises(LlmUnavailable) as caught:
        list(chat.stream(ASKED)) if stream else chat.invoke(ASKED)
    assert time.monotonic() - begun < 3
    assert caught.value.sentence.endswith(".")
    assert ". " not in caught.value.sentence


@pytest.mark.parametrize("words", ["word " * 3000])
def test_a_conversation_longer_than_the_context(chat_file, words):
    chat = open_llm(chat_file, context=256, max_tokens=8, threads=1)
    try:
        for ask in (chat.invoke, lambda messages: list(chat.stream(messages))):
            with pytest.raises(LlmUnavailable, match="longer than the model's context"):
                ask([HumanMessage(words)])
        assert chat.invoke(ASKED).text.strip()
    finally:
        chat.close()


def test_a_completion_without_end_is_cut(chat_file):
    chat = open_llm(chat_file, context=256, max_tokens=100_000, threads=1, timeout_s=0.0)
    with pytest.raises(LlmUnavailable, match="did not finish"):
        chat.invoke(ASKED)
    chat.close()


def test_a_completion_with_nothing(tmp_path):
    chat = open_llm(chat_gguf.write(tmp_path, "{{ messages[-1].content }}<end>", "mute.gguf"), context=128, max_tokens=1, threads=1)
    said = []
    for words in ("x", " ", "."):
        try:
            said.append(chat.invoke([HumanMessage(words)]).text)
        except LlmUnavailable as error:
            said.append(error.sentence)
    assert all(text.strip() for text in said)
    chat.close()


@pytest.mark.parametrize("template", ["{% for %}", "{{ 1 / 0 }}", "{{ ''.__class__.__mro__ }}", "{{ raise_exception('no') }}"])
def test_a_chat_template_that_is_broken_or_hostile(tmp_path, template):
    path = chat_gguf.write(tmp_path, template)
    with pytest.raises(LlmUnavailable) as caught:
        open_llm(path, context=128, max_tokens=2, threads=1).invoke(ASKED)
    assert caught.value.sentence.endswith(".")


def test_the_chat_template_of_the_file_is_used(tmp_path, chat_file):
    """The same weights behind another template read another prompt."""
    other = open_llm(chat_gguf.write(tmp_path, "list_records records=lots ? open lots >"), context=256, max_tokens=24, threads=1)
    mine = open_llm(chat_file, context=256, max_tokens=24, threads=1)
    assert other.invoke(ASKED).text != mine.invoke(ASKED).text
    assert other.invoke([HumanMessage("anything")]).text == other.invoke(ASKED).text
    other.close()
    mine.close()


def test_what_prompts_share_is_evaluated_once(chat_file):
    """The second prompt with the same beginning makes llama.cpp evaluate the rest alone."""
    chat = open_llm(chat_file, context=512, max_tokens=4, threads=1)
    evaluated = []
    inner = chat._llama.eval

    def counted(tokens):
        evaluated.append(len(tokens))
        return inner(tokens)

    chat._llama.eval = counted
    rules = SystemMessage("oee of <line2> " * 30)
    chat.invoke([rules, HumanMessage(chat_gguf.ASK)])
    first = evaluated[0]
    evaluated.clear()
    chat.invoke([rules, HumanMessage("query_metrics ? scrap of <line1>")])
    assert first > 100
    assert evaluated[0] < first / 4
    chat.close()


# A whole turn with each failure


def _answered(assistant, where, budget_s=6.0, **options):
    model = LanguageModel(where, **options)
    parts = replace(assistant.parts, language_model=model, tool_loop="always", time_budget_s=budget_s)
    taken = turn.answer(Ask("oee of line 3 yesterday", "sam"), assistant.caller("sam"), assistant.now(), (), parts)
    return taken.answer, model


@pytest.mark.parametrize("mode", FAILURES)
def test_the_shipped_planner_answers_and_says_so(assistant, server, mode):
    answer, _ = _answered(assistant, f"{server}/{mode}/v1", timeout_s=0.4)
    assert answer["status"] == "answered"
    assert answer["planner"] in ("router", "llm", "router+llm")
    assert "%" in answer["text"]
    assert any("shipped planner" in words for words in answer["assumed"])
    assert answer["ms"]["total"] < 6000


@pytest.mark.parametrize("kind", ["missing", "text", "cut", "embedder"])
def test_a_file_that_is_no_model_leaves_the_shipped_planner(assistant, chat_file, tmp_path, kind):
    path = tmp_path / f"{kind}.gguf"
    whole = chat_file.read_bytes()
    if kind == "text":
        path.write_text("hello")
    elif kind == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "embedder":
        path.write_bytes(whole.replace(b"\x05\x00\x00\x00\x00\x00\x00\x00llama", b"\x04\x00\x00\x00\x00\x00\x00\x00bert", 1))
    answer, _ = _answered(assistant, str(path))
    assert answer["status"] == "answered"
    assert any("shipped planner" in words for words in answer["assumed"])
    assert str(tmp_path) not in str(answer)


def test_a_model_that_is_down_is_not_asked_every_time(server):
    clock = [0.0]
    model = LanguageModel(f"{server}/down/v1", clock=lambda: clock[0])
    for _ in range(3):
        with pytest.raises(LlmUnavailable, match="status 500"):
            list(model.speak([("user", "x")]))
    assert model.calls == 1
    clock[0] = llm.RETRY_S + 1
    with pytest.raises(LlmUnavailable):
        list(model.speak([("user", "x")]))
    assert model.calls == 2


def test_a_server_writes_prose_that_is_checked(assistant):
    told = threading.Event()

    def complete(asked):
        told.set()
        yield from ["For {E1.filter} the OEE was ", "{E1.r0.oee}.\n", "It was 99 % before.\n"]

    with serving(complete) as (address, asked):
        model = LanguageModel(f"{address}/v1", model="big", api_key="k")
        parts = replace(assistant.parts, language_model=model, tool_loop="off")
        events = []
        taken = turn.answer(Ask("oee of line 3 yesterday", "sam"), assistant.caller("sam"), assistant.now(), (), parts,
                            lambda kind, data: events.append((kind, data)))  # fmt: skip
    answer = taken.answer
    assert answer["prose"]["sentences"] == ["For Line 3 the OEE was 83.2 %. [E1]"]
    assert answer["prose"]["name"] == "big"
    assert "99 %" not in str(answer)
    assert model.calls <= 2
    assert [data["text"] for kind, data in events if kind == "token"][-1] == answer["prose"]["sentences"][0]
    assert asked[0]["messages"][0]["role"] == "system"
    assert "{E1.r0.oee}" in asked[0]["messages"][1]["content"]
