"""The shape of the project, as rules."""

from __future__ import annotations

import ast
import dataclasses
import re
import sys
import tomllib
from pathlib import Path

import pytest

import creditcore
from adapters.flask_web.settings import Settings

REPOSITORY = Path(__file__).resolve().parent.parent
CORE = sorted(
    path
    for path in (REPOSITORY / "creditcore").rglob("*.py")
    if "testing" not in path.relative_to(REPOSITORY / "creditcore").parts
)
MONEY = [path for path in CORE if {"domain", "usecases"} & set(path.parts)]


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_the_core_imports_the_standard_library_only(path: Path) -> None:
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _names(node)
    }

    assert imported <= set(sys.stdlib_module_names) | {"creditcore"}


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return []


@pytest.mark.parametrize("path", MONEY, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_no_rule_divides_with_a_slash(path: Path) -> None:
    divisions = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
    ]

    # The one exception shows a rate to people; nothing is computed from it.
    assert len(divisions) <= (path.name == "money.py")


def test_the_library_needs_nothing_but_python() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())

    assert project["project"]["dependencies"] == []
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["creditcore"]


def test_every_public_name_exists_and_is_listed_once() -> None:
    names = creditcore.__all__

    assert sorted(set(names)) == names
    assert all(hasattr(creditcore, name) for name in names)


def test_the_example_environment_matches_the_settings() -> None:
    example = re.findall(
        r"^([A-Z_]+)=(.*)$", (REPOSITORY / ".env.example").read_text(), re.MULTILINE
    )
    documented = [name.lower() for name, _ in example]

    assert documented == [field.name for field in dataclasses.fields(Settings)]
    Settings.from_env(dict(example))


def test_a_lock_names_no_registry() -> None:
    for lock in REPOSITORY.glob("*.lock"):
        assert not re.search(r"https?://|--index-url|--find-links", lock.read_text()), lock


def test_the_compromised_releases_of_litellm_are_locked_nowhere() -> None:
    for lock in REPOSITORY.glob("*.lock"):
        assert not re.search(r"^litellm==1\.(82\.[78]|107\.0)\b", lock.read_text(), re.MULTILINE)
