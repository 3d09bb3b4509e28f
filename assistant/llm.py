"""Language models as ports: the shipped planner, any GGUF, an OpenAI-compatible server, and a scripted one for tests.

Every backend is a LangChain chat model with the same contract (tests/test_backends.py runs one suite over all): messages
in, one message out, tokens on request, `LlmUnavailable` with one sentence for everything that goes wrong, and an end in
time. `LanguageModel` is the one that a setting names: opened on first use, counted, left alone for a while when it failed.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, convert_to_openai_messages
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field, PrivateAttr

from assistant.lm.gguf_file import NotAModel, header
from assistant.planner_model import LlmUnavailable, PlanWriter, ScriptedWriter, Written, open_llama, open_writer
from assistant.problems import ModelUnusable

RETRY_S = 30.0  # a model that failed is not asked again before
MOST_BYTES = 2_000_000  # of one answer of a server
_NOTHING = "The language model answered with nothing."


class _ToolBinding(BaseChatModel):
    """What all backends share: tools travel as OpenAI schemas."""

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)


class LlamaCppChat(_ToolBinding):
    """Any GGUF chat model, in this process, with the chat template of its file. One question at a time; what two prompts
    share at their beginning is evaluated once."""

    path: Path
    context: int = 4096
    threads: int = 2
    gpu_layers: int = 0
    max_tokens: int = 512
    temperature: float = 0.0
    timeout_s: float = 60.0
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
            self._llama = open_llama(self.path, self.context, self.threads, self.gpu_layers)
        return self

    def close(self) -> None:
        """Frees the model."""
        with self._lock:
            if self._llama is not None:
                self._llama.close()
                self._llama = None

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> ChatResult:  # fmt: skip
        if kwargs.get("tools"):
            with self._lock:
                return _result(self._whole(messages, stop, kwargs))
        pieces = [chunk.text for chunk in self._stream(messages, stop, run_manager, **kwargs)]
        told = AIMessage(content="".join(pieces), usage_metadata=_usage(self._llama.n_tokens - len(pieces), len(pieces)))
        return ChatResult(generations=[ChatGeneration(message=told)])

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:  # fmt: skip
        until, said = time.monotonic() + self.timeout_s, False
        with self._lock:
            for text in self._pieces(messages, stop, kwargs):
                if time.monotonic() > until:
                    raise LlmUnavailable(f"The language model did not finish within {self.timeout_s:g} seconds.")
                said = said or bool(text.strip())
                if run_manager:
                    run_manager.on_llm_new_token(text)
                yield ChatGenerationChunk(message=AIMessageChunk(content=text))
        if not said:
            raise LlmUnavailable(_NOTHING)

    def _pieces(self, messages: list[BaseMessage], stop: list[str] | None, options: Mapping[str, Any]) -> Iterator[str]:
        events = self._guarded(lambda: self._ask(messages, stop, True, options))
        while True:
            event = self._guarded(lambda: next(events, None))
            if event is None:
                return
            if text := event["choices"][0].get("delta", {}).get("content"):
                yield str(text)

    def _whole(self, messages: list[BaseMessage], stop: list[str] | None, options: Mapping[str, Any]) -> Any:
        return self._guarded(lambda: self._ask(messages, stop, False, options))

    def _ask(self, messages: list[BaseMessage], stop: list[str] | None, stream: bool, options: Mapping[str, Any]) -> Any:
        return self.opened()._llama.create_chat_completion(
            messages=convert_to_openai_messages(messages), stop=stop or [], stream=stream, temperature=self.temperature,
            max_tokens=options.get("max_tokens", self.max_tokens), **{k: v for k, v in options.items() if k != "max_tokens"},
        )  # fmt: skip

    def _guarded(self, work: Callable[[], Any]) -> Any:
        """llama.cpp's binding raises plain Python errors, and a file's chat template may raise any; each becomes a sentence."""
        try:
            return work()
        except ModelUnusable:
            raise
        except Exception as error:
            if "context window" in str(error) or "exceed" in str(error):
                raise LlmUnavailable("The conversation is longer than the model's context.") from None
            raise LlmUnavailable("The language model failed on this conversation.") from None


class OpenAICompatibleChat(_ToolBinding):
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
        said = ended = False
        with self._post(messages, stop, True, kwargs) as response:
            rest = b""
            for chunk in self._chunks(response):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    text, last = _delta(line)
                    ended = ended or last
                    if text:
                        said = said or bool(text.strip())
                        if run_manager:
                            run_manager.on_llm_new_token(text)
                        yield ChatGenerationChunk(message=AIMessageChunk(content=text))
        if not said:
            raise LlmUnavailable(_NOTHING)
        if not ended:
            raise LlmUnavailable("The language model server broke off its answer.")

    def _post(self, messages: list[BaseMessage], stop: list[str] | None, stream: bool, options: Mapping[str, Any]) -> Any:
        body = {
            "model": self.model, "messages": convert_to_openai_messages(messages), "temperature": self.temperature,
            "max_tokens": self.max_tokens, "stream": stream, **({"stop": stop} if stop else {}), **options,
        }  # fmt: skip
        return _Response(self, body)

    def _chunks(self, response: Any) -> Iterator[bytes]:
        """The body, within `timeout_s` and a size, so that a server which drips bytes does not hold a question."""
        import httpx

        until, size = time.monotonic() + self.timeout_s, 0
        try:
            for chunk in response.iter_bytes():
                yield chunk
                size += len(chunk)
                if time.monotonic() > until or size > MOST_BYTES:
                    raise LlmUnavailable(f"The language model server did not finish within {self.timeout_s:g} seconds.")
        except httpx.TimeoutException:
            raise LlmUnavailable(f"The language model server did not finish within {self.timeout_s:g} seconds.") from None
        except httpx.HTTPError:
            raise LlmUnavailable("The language model server broke off its answer.") from None


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
            request = self._client.build_request("POST", chat.url.rstrip("/") + "/chat/completions", json=dict(self._body), headers=headers)
            self._response = self._client.send(request, stream=True)
        except httpx.TimeoutException:
            self._client.close()
            raise LlmUnavailable(f"The language model server did not answer within {chat.timeout_s:g} seconds.") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError):
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


def _delta(line: bytes) -> tuple[str, bool]:
    """The text in one line of a server-sent completion, and whether the completion ends there."""
    if not line.startswith(b"data:"):
        return "", False
    if line[5:].strip() == b"[DONE]":
        return "", True
    try:
        choices = json.loads(line[5:])["choices"]
        if not choices:  # the usage chunk of some servers
            return "", False
        return str(choices[0].get("delta", {}).get("content") or ""), bool(choices[0].get("finish_reason"))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise LlmUnavailable("The language model server sends events that are no completion.") from None


def _usage(told: int, written: int) -> Any:
    return {"input_tokens": max(0, told), "output_tokens": written, "total_tokens": max(0, told) + written}


def _result(answer: Any) -> ChatResult:
    """An OpenAI-shaped completion as LangChain's; an empty or shapeless one is LlmUnavailable."""
    try:
        message = answer["choices"][0]["message"]
        text = message.get("content") or ""
        calls = [
            {"name": c["function"]["name"], "args": json.loads(c["function"]["arguments"] or "{}"), "id": c.get("id") or f"call_{i}"}
            for i, c in enumerate(message.get("tool_calls") or [])
        ]
        usage = answer.get("usage") or {}
        told = AIMessage(
            content=text, tool_calls=calls, response_metadata={"finish_reason": answer["choices"][0].get("finish_reason", "")},
            usage_metadata=_usage(int(usage.get("prompt_tokens", 0)), int(usage.get("completion_tokens", 0))),
        )  # fmt: skip
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        raise LlmUnavailable("The language model answered in a shape that is no completion.") from None
    if not str(text).strip() and not calls:
        raise LlmUnavailable(_NOTHING)
    return ChatResult(generations=[ChatGeneration(message=told)])


class PlannerChat(_ToolBinding):
    """The shipped planner as a chat model: the last message is a masked question, the router's best guesses before a ` ? `
    if there are any; the answer is its plan line, with the question's own placeholders alone."""

    writer: Any
    timeout_s: float = 5.0

    @property
    def _llm_type(self) -> str:
        return "planner"

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> ChatResult:  # fmt: skip
        guesses, mark, question = messages[-1].text.partition(" ? ")
        asked = question if mark else guesses
        placeholders = tuple(dict.fromkeys(re.findall(r"<[a-z_]+[1-9]>", asked)))
        written = self.writer.write(asked, guesses.split() if mark else (), placeholders, timeout_s=self.timeout_s)
        line = _stopped(written.text, stop)
        if not line.strip():
            raise LlmUnavailable(_NOTHING)
        told = AIMessage(content=line, usage_metadata=_usage(0, written.tokens), response_metadata={"probability": written.probability})
        return ChatResult(generations=[ChatGeneration(message=told)])


class ScriptedChat(_ToolBinding):
    """A chat model for tests. `answers`, in turn: a text, an AIMessage, an exception, or a function of the messages that
    gives one. Remembers what it was asked."""

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
        if isinstance(said, Exception):
            raise said
        message = (
            said if isinstance(said, AIMessage) else AIMessage(content=_stopped(said, stop), usage_metadata=_usage(0, len(said.split())))
        )
        if not message.text.strip() and not message.tool_calls:
            raise LlmUnavailable(_NOTHING)
        return ChatResult(generations=[ChatGeneration(message=message)])


def _stopped(text: str, stop: Sequence[str] | None) -> str:
    for mark in stop or ():
        text = text.partition(mark)[0]
    return text


def _gguf(where: str, options: Mapping[str, Any]) -> BaseChatModel:
    known = {"context", "threads", "gpu_layers", "max_tokens", "temperature", "timeout_s"}
    return LlamaCppChat(path=Path(where), **{k: v for k, v in options.items() if k in known}).opened()


def _server(where: str, options: Mapping[str, Any]) -> BaseChatModel:
    known = {"model", "api_key", "timeout_s", "max_tokens", "temperature"}
    return OpenAICompatibleChat(url=where, **{k: v for k, v in options.items() if k in known})


# How a model setting is understood: the first backend whose test holds for the text opens it.
BACKENDS: Mapping[str, tuple[Callable[[str], bool], Callable[[str, Mapping[str, Any]], BaseChatModel]]] = {
    "openai": (lambda where: where.startswith(("http://", "https://")), _server),
    "llama.cpp": (lambda where: bool(where), _gguf),
}


def open_llm(where: str | Path, **options: Any) -> BaseChatModel:
    """A chat model by file or URL (`http://host:8080/v1`); an option that its backend does not have is passed over.

    Raises LlmUnavailable with one sentence."""
    text = str(where)
    for suits, opener in BACKENDS.values():
        if suits(text):
            return opener(text, options)
    raise LlmUnavailable("No language model is named; set a GGUF file or the address of a server.")


class LanguageModel:
    """The capable model of a setting. `chat` and `speak` raise LlmUnavailable; after a failure they do so at once for
    `RETRY_S`, so that a dead server costs one question its time and not every one. Safe from several threads."""

    def __init__(self, where: str, chat: BaseChatModel | None = None, clock: Callable[[], float] = time.monotonic, **options: Any) -> None:
        self.where = where
        self.calls = 0
        self._options, self._clock = options, clock
        self._chat = chat
        self._lock = threading.Lock()
        self._failed = ("", 0.0)
        self._sha256 = ""

    @property
    def about(self) -> dict[str, str]:
        """Name and SHA-256 (of a file; empty for a server), as an answer's `model` gives them."""
        if self.where.startswith(("http://", "https://")):
            return {"name": str(self._options.get("model") or "default"), "sha256": ""}
        return {"name": Path(self.where).stem or "scripted", "sha256": self._sha256}

    def chat(self) -> BaseChatModel:
        """The chat model, opened. For the tool loop, which reports by `failed` what goes wrong in it."""
        with self._lock:
            sentence, until = self._failed
            if sentence and self._clock() < until:
                raise LlmUnavailable(sentence)
            if self._chat is None:
                try:
                    self._chat = open_llm(self.where, **self._options)
                except LlmUnavailable as error:
                    self._failed = (error.sentence, self._clock() + RETRY_S)
                    raise
                if isinstance(self._chat, LlamaCppChat):
                    self._sha256 = file_sha256(self._chat.path)
            return self._chat

    @property
    def trouble(self) -> str:
        """Why the model is not asked just now; empty when it may be."""
        with self._lock:
            sentence, until = self._failed
            return sentence if sentence and self._clock() < until else ""

    def failed(self, error: LlmUnavailable) -> None:
        """Remember that the model could not be used just now."""
        with self._lock:
            self._failed = (error.sentence, self._clock() + RETRY_S)

    def speak(self, talk: Sequence[tuple[str, str]]) -> Iterator[str]:
        """The model's answer to messages given as (role, text), in pieces."""
        roles: Mapping[str, type[BaseMessage]] = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}
        chat = self.chat()
        self.calls += 1
        try:
            for chunk in chat.stream([roles[role](content=text) for role, text in talk]):
                yield chunk.text
        except LlmUnavailable as error:
            self.failed(error)
            raise

    def close(self) -> None:
        with self._lock:
            if isinstance(self._chat, LlamaCppChat):
                self._chat.close()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file of any size, read in pieces. Raises LlmUnavailable."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        raise LlmUnavailable(f"{path.name} cannot be opened.") from None


__all__ = [
    "LanguageModel", "LlamaCppChat", "LlmUnavailable", "OpenAICompatibleChat", "PlanWriter", "PlannerChat", "ScriptedChat",
    "ScriptedWriter", "Written", "file_sha256", "open_llm", "open_writer",
]  # fmt: skip
