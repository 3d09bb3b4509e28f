"""Guards that keep the house in order: where packages resolve, which way imports go, what serving may import,
module and function sizes, words that do not belong in the project."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("assistant", "retrieval", "tools", "prompts", "ingest", "evals")
MAY_IMPORT = {
    "prompts": set(),
    "retrieval": set(),
    "ingest": {"prompts", "retrieval"},
    "tools": {"prompts", "retrieval"},
    "assistant": {"prompts", "retrieval", "ingest", "tools"},
    "evals": {"prompts", "retrieval", "ingest", "tools", "assistant"},
}


def _modules(package):
    return sorted((ROOT / package).rglob("*.py"))


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_our_packages_resolve_inside_this_repository(package):
    assert Path(importlib.import_module(package).__file__).resolve().is_relative_to(ROOT)


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_go_one_way(package):
    ours = {*PACKAGES, "tests"}
    for path in _modules(package):
        foreign = {name for name in _imports(path) if name in ours} - MAY_IMPORT[package] - {package}
        assert not foreign, f"{path.relative_to(ROOT)} imports {foreign}"


def test_serving_imports_neither_torch_nor_sentence_transformers():
    code = (
        "import sys, assistant.__main__, assistant.cli, assistant.api, assistant.serving, assistant.llm, assistant.router,"
        "retrieval.index, retrieval.embed, tools.registry, ingest.pipeline; tools.registry.all_tools();"
        "print([m for m in ('torch', 'sentence_transformers', 'transformers') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_no_catch_all_modules():
    names = {path.stem for package in PACKAGES for path in _modules(package)}
    assert not names & {"utils", "util", "helpers", "base", "common", "core", "manager", "misc"}


def test_every_package_is_listed_for_installation():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for package in PACKAGES:
        for folder in {path.parent for path in _modules(package)}:
            name = ".".join(folder.relative_to(ROOT).parts)
            if (folder / "__init__.py").exists():
                assert f'"{name}"' in text, name


def test_tracked_text_names_no_machine():
    """Paths of a machine and hosts of package indexes do not belong in the project."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    banned = ("/" + "root/", "/" + "home/", "/" + "work/")
    for name in tracked:
        if name.endswith((".py", ".md", ".toml", ".txt", ".yaml", ".js", ".css", ".html")) or name == "Makefile":
            text = (ROOT / name).read_text(encoding="utf-8", errors="ignore")
            assert not any(word in text for word in banned), name
