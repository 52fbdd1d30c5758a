"""The shape of the project, as rules."""

from __future__ import annotations

import ast
import builtins
import dataclasses
import importlib
import inspect
import pkgutil
import re
import sys
import tomllib
import typing
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

import creditcore
from adapters.flask_web.settings import Settings
from creditcore import usecases

REPOSITORY = Path(__file__).resolve().parent.parent
CORE = sorted(
    path
    for path in (REPOSITORY / "creditcore").rglob("*.py")
    if "testing" not in path.relative_to(REPOSITORY / "creditcore").parts
)
MAX_LINES = 400
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


@pytest.mark.parametrize("folder", ["adapters", "bench", "creditcore", "sandbox", "tests"])
def test_no_module_gives_a_name_a_second_value(folder: str) -> None:
    again = []
    # `make test-clients` installs programs from npm beside its tests, with Python in them.
    modules = (REPOSITORY / folder).rglob("*.py")
    for path in sorted(path for path in modules if "node_modules" not in path.parts):
        named = [name for node in ast.parse(path.read_text()).body for name in _assigned(node)]
        again += [f"{path}: {name}" for name, times in Counter(named).items() if times > 1]

    assert again == []


def _assigned(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []


def test_the_library_needs_nothing_but_python() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())

    assert project["project"]["dependencies"] == []
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["creditcore"]


STORE = REPOSITORY / "adapters" / "pony_store"


def test_the_store_imports_its_own_modules_relatively() -> None:
    # Installed by itself it is called creditcore_store, and there are no adapters.
    absolute = [
        str(path.relative_to(REPOSITORY))
        for path in STORE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if any(name.split(".")[0] == "adapters" for name in _names(node))
    ]

    assert absolute == []


def test_the_store_is_released_with_the_library_whose_ports_it_follows() -> None:
    library = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    store = tomllib.loads((STORE / "pyproject.toml").read_text())["project"]

    assert store["version"] == library["version"]
    assert store["dependencies"][0] == f"creditcore=={library['version']}"


def test_every_public_name_exists_and_is_listed_once() -> None:
    names = creditcore.__all__

    assert sorted(set(names)) == names
    assert all(hasattr(creditcore, name) for name in names)


def test_what_a_public_signature_names_is_public_too() -> None:
    public = vars(creditcore)
    missing = {
        f"{owner}: {name}"
        for owner, function in _public_functions()
        for name in (*_core_types(function), *_raised(function))
        if name not in public and not hasattr(builtins, name)
    }

    assert missing == set(), "import them in creditcore/__init__.py, and list them"


def _public_functions() -> Iterator[tuple[str, FunctionType]]:
    for name in creditcore.__all__:
        value = getattr(creditcore, name)
        if isinstance(value, FunctionType):
            yield name, value
        elif inspect.isclass(value) and not getattr(value, "_is_protocol", False):
            for member, defined in vars(value).items():
                function = getattr(defined, "__func__", getattr(defined, "fget", defined))
                is_public = not member.startswith("_") or member == "__init__"
                if is_public and isinstance(function, FunctionType):
                    yield f"{name}.{member}", function


def _core_types(function: FunctionType) -> set[str]:
    hints = typing.get_type_hints(function, localns=vars(creditcore))
    return {
        each.__name__
        for hint in hints.values()
        for each in _leaves(hint)
        if each.__module__.startswith("creditcore")
    }


def _leaves(hint: Any) -> Iterator[type]:
    if inspect.isclass(hint) and not typing.get_args(hint):
        yield hint
    inner = hint if isinstance(hint, list) else [typing.get_origin(hint), *typing.get_args(hint)]
    for each in inner:
        if each is not None:
            yield from _leaves(each)


def _raised(function: FunctionType) -> set[str]:
    return set(re.findall(r"^\s+(\w+Error):", function.__doc__ or "", re.MULTILINE))


def test_use_cases_are_built_by_keyword() -> None:
    positional = {
        f"{value.__name__}({parameter.name})"
        for module in pkgutil.walk_packages(usecases.__path__, "creditcore.usecases.")
        for value in vars(importlib.import_module(module.name)).values()
        if inspect.isclass(value) and value.__module__ == module.name
        for parameter in _ports_of(value)
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY
    }

    assert positional == set()


def _ports_of(made: type) -> list[inspect.Parameter]:
    if "__init__" not in vars(made):
        return []
    ports = {"transactions", "clock", "ids", "gateway", "commits"}
    return [it for it in inspect.signature(made).parameters.values() if it.name in ports]


def test_no_use_case_asks_a_store_for_everything() -> None:
    paths = [path for path in CORE if "usecases" in path.parts]
    greedy = {
        path.name
        for path in paths
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "creditcore.ports.transactions"
        if {"Transaction", "Transactions"} & {alias.name for alias in node.names}
    }

    assert len(paths) > 80
    assert greedy == set()


def test_the_import_contracts_name_every_adapter_and_every_feature() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    contracts = {each["name"]: each for each in project["tool"]["importlinter"]["contracts"]}
    independent = contracts["Adapters do not know each other"]["modules"]
    without_gunicorn = contracts["Only the server's room knows gunicorn"]["source_modules"]

    assert set(independent) == _packages("adapters")
    assert {*without_gunicorn, "adapters.flask_web.server"} == _packages("adapters/flask_web")


def _packages(folder: str) -> set[str]:
    return {
        f"{folder.replace('/', '.')}.{path.parent.name}"
        for path in (REPOSITORY / folder).glob("*/__init__.py")
    }


def test_a_long_module_says_why_it_is_not_two() -> None:
    modules = [
        path
        for folder in ("adapters", "bench", "contrib", "creditcore", "sandbox")
        for path in (REPOSITORY / folder).rglob("*.py")
    ]
    unexplained = [
        str(path.relative_to(REPOSITORY))
        for path in modules
        if (text := path.read_text()).count("\n") > MAX_LINES
        and "longer than other modules" not in (ast.get_docstring(ast.parse(text)) or "")
    ]

    assert len(modules) > 500
    assert unexplained == []


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
