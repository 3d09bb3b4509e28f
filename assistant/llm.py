"""Language models as ports: the shipped planner, any GGUF, an OpenAI-compatible server, and a scripted one for tests.

Every chat backend is a LangChain chat model with the same contract (tests/test_llm.py runs one suite over all):
messages in, one message out, tokens on request, `LlmUnavailable` with one sentence for everything that goes wrong.
`PlanWriter` is the narrow way to the shipped planner: one thread owns the llama context, a bounded queue stands before
it, the constant part of a prompt stays in its cache, and each line comes with the probability the model gave it.
"""

from __future__ import annotations

import hashlib
import json
import math
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, convert_to_openai_messages
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field, PrivateAttr

from assistant.lm import dsl
from assistant.lm.gguf_file import NotAModel, header
from assistant.problems import ModelUnusable

WAITING = 8  # plans that may wait for the planner; more are turned away at once
LONGEST_PLAN = 48  # tokens


class LlmUnavailable(ModelUnusable):
    """A language model cannot be used now; the sentence says why, and the shipped planner or the router takes over."""


@dataclass(frozen=True)
class Written:
    """A plan line; `probability` is the model's own of the whole line, before the grammar narrowed it."""

    text: str
    probability: float
    ms: float
    tokens: int


class PlanWriter:
    """The planner model: a masked question in, a plan line out.

    >>> masked = dsl.mask(question, spans, context, carried)
    >>> grammar = dsl.plan_grammar(dsl.ORDER, vocabulary, masked.placeholders)
    >>> written = writer.write(masked.text, dsl.hints(reading), masked.placeholders, grammar)
    >>> calls = dsl.parse_plan(written.text)
    """

    def __init__(self, path: Path, threads: int = 1, context: int = 512) -> None:
        try:
            about = header(path)
            self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        except NotAModel as error:
            raise LlmUnavailable(error.sentence) from None
        self.name = about.name or path.stem
        self.trained = bool(about.values.get("andon.trained", False))
        self._llama = _open_llama(path, context, threads)
        self._context = context
        self._jobs: queue.Queue[tuple[str, str, Future[Written]] | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._serve, name="planner", daemon=True)
        self._thread.start()

    def write(
        self, masked_question: str, candidates: Sequence[str], placeholders: Sequence[str] = (), grammar: str = "",
        timeout_s: float = 0.5,
    ) -> Written:  # fmt: skip
        """One plan line. `candidates` are `dsl.hints`; without a grammar, one over all tools is made.

        Raises LlmUnavailable when the queue is full, the model is too slow, or what it wrote is no plan.
        """
        text = dsl.prompt(masked_question, candidates)
        job: Future[Written] = Future()
        try:
            self._jobs.put_nowait((text, grammar or dsl.plan_grammar(dsl.ORDER, None, placeholders), job))
        except queue.Full:
            raise LlmUnavailable("The planner model has more questions waiting than it can answer.") from None
        try:
            return job.result(timeout_s)
        except TimeoutError:
            job.cancel()
            raise LlmUnavailable(f"The planner model did not answer within {timeout_s:g} seconds.") from None

    def close(self) -> None:
        """Ends the thread and frees the model; plans that wait are given up."""
        try:
            self._jobs.put(None, timeout=1.0)
        except queue.Full:
            return
        self._thread.join(2.0)
        if not self._thread.is_alive():
            self._llama.close()

    def _serve(self) -> None:
        while (item := self._jobs.get()) is not None:
            text, grammar, job = item
            if not job.set_running_or_notify_cancel():
                continue
            try:
                job.set_result(self._decode(text, grammar))
            except LlmUnavailable as error:
                job.set_exception(error)
            except Exception:  # llama.cpp's binding raises plain RuntimeError and ValueError; none may end the thread
                job.set_exception(LlmUnavailable("The planner model failed on this question."))

    def _decode(self, text: str, grammar: str) -> Written:
        from llama_cpp.llama_grammar import LlamaGrammar

        begun = time.perf_counter()
        llama = self._llama
        tokens = llama.tokenize(text.encode(), add_bos=False, special=False)
        if len(tokens) + LONGEST_PLAN >= self._context:
            raise LlmUnavailable("The question is too long for the planner model.")
        out: list[int] = []
        log_p = 0.0
        rules = LlamaGrammar.from_string(grammar, verbose=False)
        end = llama.token_eos()
        for token in llama.generate(tokens, temp=0.0, repeat_penalty=1.0, grammar=rules):
            logits = np.ctypeslib.as_array(llama._ctx.get_logits(), shape=(llama.n_vocab(),)).astype(np.float64)
            top = logits.max()
            log_p += float(logits[token] - top - math.log(np.exp(logits - top).sum()))
            if token == end:
                break
            out.append(token)
            if len(out) >= LONGEST_PLAN:
                raise LlmUnavailable("The planner model did not come to an end.")
        line = llama.detokenize(out).decode("utf-8", "replace").strip()
        try:
            dsl.parse_plan(line)
        except dsl.PlanSyntax:
            raise LlmUnavailable("The planner model wrote something that is no plan.") from None
        return Written(line, math.exp(log_p), 1000 * (time.perf_counter() - begun), len(out))


def open_writer(path: Path, threads: int = 1) -> PlanWriter:
    """The planner model of a GGUF file. Raises LlmUnavailable."""
    return PlanWriter(path, threads)


def _open_llama(path: Path, context: int, threads: int) -> Any:
    """llama.cpp with a file that `header` has passed. Raises LlmUnavailable."""
    try:
        from llama_cpp import Llama
    except (ImportError, OSError, RuntimeError):
        raise LlmUnavailable("llama-cpp-python is not installed on this machine; run `make setup`.") from None
    try:
        return Llama(str(path), n_ctx=context, n_threads=threads, n_threads_batch=threads, verbose=False)
    except (ValueError, RuntimeError, OSError, AssertionError):
        raise LlmUnavailable(f"llama.cpp cannot load {path.name}; the file is damaged or of an unknown kind.") from None


class LlamaCppChat(BaseChatModel):
    """Any GGUF chat model, in this process, with the chat template of its file. One question at a time."""

    path: Path
    context: int = 4096
    threads: int = 2
    max_tokens: int = 512
    temperature: float = 0.0
    _llama: Any = PrivateAttr(None)
    _lock: Any = PrivateAttr(default_factory=threading.Lock)

    @property
    def _llm_type(self) -> str:
        return "llama.cpp"

    def opened(self) -> LlamaCppChat:
        """Loads the file now rather than at the first question. Raises LlmUnavailable."""
        if self._llama is None:
            try:
                header(self.path)
            except NotAModel as error:
                raise LlmUnavailable(error.sentence) from None
            self._llama = _open_llama(self.path, self.context, self.threads)
        return self

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> ChatResult:  # fmt: skip
        with self._lock:
            answer = self._ask(messages, stop, False, kwargs)
        return _result(answer)

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:  # fmt: skip
        with self._lock:
            for event in self._ask(messages, stop, True, kwargs):
                text = event["choices"][0].get("delta", {}).get("content")
                if text:
                    if run_manager:
                        run_manager.on_llm_new_token(text)
                    yield ChatGenerationChunk(message=AIMessageChunk(content=text))

    def _ask(self, messages: list[BaseMessage], stop: list[str] | None, stream: bool, options: Mapping[str, Any]) -> Any:
        llama = self.opened()._llama
        try:
            return llama.create_chat_completion(
                messages=convert_to_openai_messages(messages), stop=stop or [], stream=stream,
                temperature=self.temperature, max_tokens=self.max_tokens, **options,
            )  # fmt: skip
        except (ValueError, RuntimeError, KeyError, TypeError, UnicodeDecodeError) as error:
            if "context window" in str(error):
                raise LlmUnavailable("The conversation is longer than the model's context.") from None
            raise LlmUnavailable("The language model failed on this conversation.") from None

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)


class OpenAICompatibleChat(BaseChatModel):
    """A chat model behind an OpenAI-compatible server (llama-server, vLLM, Ollama): `url` ends before `/chat`."""

    url: str
    model: str = "default"
    api_key: str = ""
    timeout_s: float = 20.0
    max_tokens: int = 512
    temperature: float = 0.0

    @property
    def _llm_type(self) -> str:
        return "openai-compatible"

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> ChatResult:  # fmt: skip
        with self._post(messages, stop, False, kwargs) as response:
            body = b"".join(self._chunks(response))
        try:
            answer = json.loads(body)
        except ValueError:
            raise LlmUnavailable("The language model server answers with something that is not JSON.") from None
        return _result(answer)

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:  # fmt: skip
        with self._post(messages, stop, True, kwargs) as response:
            rest = b""
            for chunk in self._chunks(response):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    text = _delta(line)
                    if text:
                        if run_manager:
                            run_manager.on_llm_new_token(text)
                        yield ChatGenerationChunk(message=AIMessageChunk(content=text))

    def _post(self, messages: list[BaseMessage], stop: list[str] | None, stream: bool, options: Mapping[str, Any]) -> Any:
        body = {
            "model": self.model, "messages": convert_to_openai_messages(messages), "temperature": self.temperature,
            "max_tokens": self.max_tokens, "stream": stream, **({"stop": stop} if stop else {}), **options,
        }  # fmt: skip
        return _Response(self, body)

    def _chunks(self, response: Any) -> Iterator[bytes]:
        """The body, within `timeout_s` in all, so that a server which drips bytes does not hold a question."""
        import httpx

        until = time.monotonic() + self.timeout_s
        try:
            for chunk in response.iter_bytes():
                yield chunk
                if time.monotonic() > until:
                    raise LlmUnavailable(f"The language model server did not finish within {self.timeout_s:g} seconds.")
        except httpx.HTTPError:
            raise LlmUnavailable("The language model server broke off its answer.") from None

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)


class _Response:
    """One request as a context: opened with every failure told apart, closed whatever happens."""

    def __init__(self, chat: OpenAICompatibleChat, body: Mapping[str, Any]) -> None:
        self._chat, self._body = chat, body

    def __enter__(self) -> Any:
        import httpx

        chat = self._chat
        headers = {"Authorization": f"Bearer {chat.api_key}"} if chat.api_key else {}
        self._client = httpx.Client(timeout=chat.timeout_s, trust_env=False)
        try:
            request = self._client.build_request(
                "POST", chat.url.rstrip("/") + "/chat/completions", json=dict(self._body), headers=headers
            )
            self._response = self._client.send(request, stream=True)
        except httpx.TimeoutException:
            self._client.close()
            raise LlmUnavailable(f"The language model server did not answer within {chat.timeout_s:g} seconds.") from None
        except (httpx.HTTPError, httpx.InvalidURL):
            self._client.close()
            raise LlmUnavailable("The language model server cannot be reached; check its address and that it runs.") from None
        kind = self._response.headers.get("content-type", "")
        if self._response.status_code != 200 or "html" in kind:
            code = self._response.status_code
            self.__exit__()
            what = "a web page" if "html" in kind else f"status {code}"
            raise LlmUnavailable(f"The language model server answers with {what} where a completion was asked for.")
        return self._response

    def __exit__(self, *_: object) -> None:
        self._response.close()
        self._client.close()


def _delta(line: bytes) -> str:
    """The text in one line of a server-sent completion; other lines give nothing."""
    if not line.startswith(b"data:") or line[5:].strip() == b"[DONE]":
        return ""
    try:
        return str(json.loads(line[5:])["choices"][0].get("delta", {}).get("content") or "")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise LlmUnavailable("The language model server sends events that are no completion.") from None


def _result(answer: Any) -> ChatResult:
    """An OpenAI-shaped completion as LangChain's; an empty or shapeless one is LlmUnavailable."""
    try:
        message = answer["choices"][0]["message"]
        text = message.get("content") or ""
        calls = [
            {"name": c["function"]["name"], "args": json.loads(c["function"]["arguments"] or "{}"), "id": c.get("id") or f"call_{i}"}
            for i, c in enumerate(message.get("tool_calls") or [])
        ]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        raise LlmUnavailable("The language model answered in a shape that is no completion.") from None
    if not text.strip() and not calls:
        raise LlmUnavailable("The language model answered with nothing.")
    usage = answer.get("usage") or {}
    told = AIMessage(
        content=text, tool_calls=calls, response_metadata={"finish_reason": answer["choices"][0].get("finish_reason", "")},
        usage_metadata={
            "input_tokens": int(usage.get("prompt_tokens", 0)), "output_tokens": int(usage.get("completion_tokens", 0)),
            "total_tokens": int(usage.get("total_tokens", 0)),
        },
    )  # fmt: skip
    return ChatResult(generations=[ChatGeneration(message=told)])


class ScriptedChat(BaseChatModel):
    """A chat model for tests. `answers`, in turn: a text, an AIMessage, or a function of the messages that gives one.
    Remembers what it was asked."""

    answers: list[Any]
    asked: list[list[BaseMessage]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> ChatResult:  # fmt: skip
        if len(self.asked) >= len(self.answers):
            raise LlmUnavailable("The script has no more answers.")
        answer = self.answers[len(self.asked)]
        self.asked.append(list(messages))
        said = answer(messages) if callable(answer) else answer
        message = said if isinstance(said, AIMessage) else AIMessage(content=said)
        if not message.content and not message.tool_calls:
            raise LlmUnavailable("The language model answered with nothing.")
        return ChatResult(generations=[ChatGeneration(message=message)])

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(**kwargs)


class ScriptedWriter:
    """A plan writer for tests: lines by masked question, or one function."""

    name: ClassVar[str] = "scripted"
    sha256: ClassVar[str] = ""

    def __init__(self, lines: Mapping[str, str] | Callable[[str], str], probability: float = 0.95) -> None:
        self._lines, self._probability = lines, probability
        self.asked: list[str] = []

    def write(
        self, masked_question: str, candidates: Sequence[str], placeholders: Sequence[str] = (), grammar: str = "",
        timeout_s: float = 0.5,
    ) -> Written:  # fmt: skip
        self.asked.append(masked_question)
        line = self._lines(masked_question) if callable(self._lines) else self._lines.get(masked_question)
        if line is None:
            raise LlmUnavailable("The script has no line for this question.")
        return Written(line, self._probability, 0.0, len(line.split()))

    def close(self) -> None:
        pass


def _gguf(where: str, options: Mapping[str, Any]) -> BaseChatModel:
    return LlamaCppChat(path=Path(where), **options).opened()


def _server(where: str, options: Mapping[str, Any]) -> BaseChatModel:
    return OpenAICompatibleChat(url=where, **options)


# How a model setting is understood: the first backend whose test holds for the text opens it.
BACKENDS: Mapping[str, tuple[Callable[[str], bool], Callable[[str, Mapping[str, Any]], BaseChatModel]]] = {
    "openai": (lambda where: where.startswith(("http://", "https://")), _server),
    "llama.cpp": (lambda where: bool(where), _gguf),
}


def open_llm(where: str | Path, **options: Any) -> BaseChatModel:
    """A chat model by file or URL (`http://host:8080/v1`). Raises LlmUnavailable with one sentence."""
    text = str(where)
    for suits, opener in BACKENDS.values():
        if suits(text):
            return opener(text, options)
    raise LlmUnavailable("No language model is named; set a GGUF file or the address of a server.")
