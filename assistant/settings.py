"""Settings: one frozen table of name, default and help, read from `andon.toml` in the state folder and `ANDON_*`.

A wrong value stops the start with the setting's name. The state folder is `$ANDON_HOME`, else the nearest `.andon`
upward; it is made only by `create_home`, never silently. tests/test_settings.py holds every setting to the README.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from assistant.problems import BadSettings, NoHome

REPOSITORY = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """What an engineer may set. Paths are relative to the state folder."""

    model_config = SettingsConfigDict(env_prefix="ANDON_", frozen=True, extra="forbid")

    home: Path = Field(description="the state folder")
    plant_model: Path = Field(REPOSITORY / "tools" / "plant_model.yaml", description="plant model file (YAML)")
    plant_url: str = Field("", description="the MES database: a SQLite path or a PostgreSQL URL")
    demo: bool = Field(False, description="a demo plant: its users, its clock, its passwords")
    until: str = Field("", description="the demo's present moment (ISO); empty uses the clock")
    planner_model: Path = Field(
        REPOSITORY / "assistant" / "lm" / "models" / "planner.gguf", description="GGUF file of the planner"
    )
    router_model: Path = Field(
        REPOSITORY / "assistant" / "lm" / "models", description="folder of the router graph and its labels"
    )
    embedder: Path = Field(REPOSITORY / ".cache" / "embedder", description="folder of the exported embedder")
    ocr_languages: str = Field("eng", description="languages of scanned pages, as Tesseract calls them (eng+deu)")
    reranker: Path | None = Field(None, description="folder of a cross-encoder (ONNX) that re-ranks what a search finds first")
    model_vote: Literal["auto", "off"] = Field("auto", description="whether the planner model has a vote beside the router")
    language_model: str = Field(
        "", description="a capable model for prose and the tool loop: a GGUF file, or the address of an OpenAI-compatible server"
    )
    language_model_name: str = Field("default", description="the model's name at that server")
    language_model_key: str = Field("", description="the key of that server, if it wants one")
    language_model_timeout_s: float = Field(20.0, gt=0, description="longest time for one answer of the language model, seconds")
    context_tokens: int = Field(4096, ge=512, description="context of the language model's GGUF file, tokens")
    gpu_layers: int = Field(0, ge=-1, description="layers of the GGUF file on the GPU; -1 for all")
    tool_loop: Literal["auto", "always", "off"] = Field(
        "auto", description="whether the language model may look up in several steps: where one plan is not enough, always, or never"
    )
    frozen: bool = Field(False, description="a validated plant: nothing is learned from use, promoted examples are not read")
    threads: int = Field(2, ge=1, le=64, description="threads of the language model and the embedder")
    time_budget_s: float = Field(20.0, gt=0, description="longest time for one answer, seconds")
    question_characters: int = Field(4000, ge=200, description="longest question, characters")
    host: str = Field("127.0.0.1", description="address to serve on")
    port: int = Field(8000, ge=0, le=65535, description="port to serve on")
    tls_cert: Path | None = Field(None, description="certificate file to serve with; `andon tls init` makes one")
    tls_key: Path | None = Field(None, description="the key of that certificate")
    speech_engine: Literal["auto", "faster-whisper", "pocketsphinx", "off"] = Field(
        "auto", description="what hears: the Whisper model where one is set and loaded, else the embedded recogniser; or one of them; or nothing"
    )
    whisper_model: Path | None = Field(None, description="a CTranslate2 Whisper folder (model.bin, config.json, tokenizer.json)")
    piper_voice: Path | None = Field(None, description="a folder with a Piper voice (NAME.onnx, NAME.onnx.json); empty speaks with espeak-ng")
    wake_phrase: str = Field("andon please listen", min_length=6, max_length=60, description="what wakes a tablet that listens hands-free")
    keep_audio: bool = Field(False, description="whether what people say is kept as sound beside the turn log")
    voice_sessions: int = Field(12, ge=1, le=100, description="tablets that may talk at the same time")
    queue: int = Field(16, ge=1, description="questions that may wait before the service says it is busy")
    policy: Path | None = Field(None, description="policy file (YAML) that changes who may what")

    @property
    def index(self) -> Path:
        return self.home / "index"

    @property
    def store(self) -> Path:
        return self.home / "andon.sqlite"

    @property
    def keys(self) -> Path:
        return self.home / "keys"

    @property
    def learned(self) -> Path:
        """Where examples that a person has accepted are kept."""
        return self.home / "learned"

    @property
    def documents(self) -> Path:
        return self.home / "documents"


def find_home(start: Path | None = None) -> Path:
    """The state folder: `$ANDON_HOME`, else the nearest `.andon` upward. Raises NoHome naming what makes one."""
    named = os.environ.get("ANDON_HOME")
    if named:
        home = Path(named).expanduser()
        if not home.is_dir():
            raise NoHome(f"ANDON_HOME is {home}, which is not a folder; `andon demo` makes one.")
        return home
    folder = (start or Path.cwd()).resolve()
    for place in (folder, *folder.parents):
        if (place / ".andon").is_dir():
            return place / ".andon"
    raise NoHome("There is no .andon folder here or above; `andon demo` or `andon serve` makes one in this folder.")


def create_home(start: Path | None = None) -> Path:
    """The state folder, made when there is none: `$ANDON_HOME`, else `.andon` in the current folder."""
    try:
        return find_home(start)
    except NoHome:
        named = os.environ.get("ANDON_HOME")
        home = Path(named).expanduser() if named else (start or Path.cwd()).resolve() / ".andon"
        home.mkdir(parents=True, exist_ok=True)
        return home


def load(home: Path, **overrides: Any) -> Settings:
    """Settings of this home: `andon.toml`, overridden by `ANDON_*`, overridden by arguments that are not None.

    Raises BadSettings, which names the setting."""
    path = home / "andon.toml"
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path.name} cannot be read as TOML: {error}.") from error
    named = {name: value for name, value in os.environ.items() if name.startswith("ANDON_")}
    for name in Settings.model_fields:
        if f"ANDON_{name.upper()}" in named:
            values.pop(name, None)
    values.update({name: value for name, value in overrides.items() if value is not None})
    values["home"] = home
    for name in ("plant_model", "planner_model", "router_model", "embedder", "reranker", "policy", "tls_cert", "tls_key", "whisper_model", "piper_voice"):
        if isinstance(values.get(name), str):
            values[name] = (home / values[name]).resolve()
    named_model = values.get("language_model")
    if isinstance(named_model, str) and named_model and "://" not in named_model:
        values["language_model"] = str((home / named_model).resolve())
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "settings"
        raise BadSettings(f"The setting {where} in {path.name} is wrong: {first['msg']}.") from error


def write(home: Path, values: dict[str, str | bool | int | float]) -> None:
    """Write `andon.toml` whole (used by `andon demo`), replacing the file in one step."""
    lines = []
    for name, value in values.items():
        if isinstance(value, bool):
            text = "true" if value else "false"
        elif isinstance(value, int | float):
            text = str(value)
        else:
            text = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        lines.append(f"{name} = {text}")
    temporary = home / "andon.toml.new"
    temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    temporary.replace(home / "andon.toml")


def table() -> list[tuple[str, str, str]]:
    """(name, default, help) of every setting, for `andon doctor`, the README and its test."""
    rows = []
    for name, item in Settings.model_fields.items():
        default = "" if item.is_required() else item.default
        if isinstance(default, Path):
            default = default.relative_to(REPOSITORY) if default.is_relative_to(REPOSITORY) else default
        rows.append((name, str(default), item.description or ""))
    return rows
