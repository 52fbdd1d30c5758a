"""What the documents show works as printed."""

from __future__ import annotations

import ast
import dataclasses
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask

from adapters.flask_web import cli
from adapters.flask_web.settings import Settings
from creditcore.domain.refund_book import _ANNOUNCEMENTS

REPOSITORY = Path(__file__).resolve().parent.parent
EMBEDDING = (REPOSITORY / "docs" / "embedding.md").read_text()
OPERATING = (REPOSITORY / "docs" / "operating.md").read_text()
README = (REPOSITORY / "README.md").read_text()
PROGRAMS = re.findall(r"```python\n((?:(?!```).)*)```\n\nIt prints `([^`]+)`", EMBEDDING, re.DOTALL)


@pytest.mark.parametrize(("program", "printed"), PROGRAMS, ids=["charging", "pricing"])
def test_an_embedding_example_prints_what_the_page_says(
    program: str, printed: str, tmp_path: Path
) -> None:
    # A directory of its own, and no site packages: the library needs nothing but Python.
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == printed


def test_every_setting_is_in_the_operators_table() -> None:
    table = "".join(re.findall(r"^\|.*\|$", OPERATING, re.MULTILINE))
    names = {field.name.upper() for field in dataclasses.fields(Settings)}

    assert {name for name in names if f"`{name}`" not in table} == set()


def test_every_command_is_documented_with_its_options() -> None:
    app = Flask(__name__)
    cli.register(app)
    leaves = {
        words: {
            option
            for each in command.params
            if isinstance(each, click.Option)
            for option in each.opts
        }
        for words, command in commands_of(app.cli)
    }

    rows = re.findall(r"^\| `([a-z][a-z-]*(?: [a-z][a-z-]*)?)([^`]*)` \|", OPERATING, re.MULTILINE)

    assert {words: {*re.findall(r"--[a-z-]+", options)} for words, options in rows} == leaves


def commands_of(group: click.Group, *before: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield " ".join([*before, name]), command
            yield from commands_of(command, *before, name)
        else:
            yield " ".join([*before, name]), command


PAGES = [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")]


@pytest.mark.parametrize("page", sorted(PAGES), ids=lambda page: page.name)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text())

    missing = [link for link in links if not (page.parent / link).exists()]

    assert missing == []


def test_every_make_command_runs_though_a_folder_has_its_name() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    listed = re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)
    phony = " ".join(re.findall(r"^\.PHONY: (.*)", makefile, re.MULTILINE)).split()

    assert set(listed) <= set(phony)


def test_every_figure_is_documented_by_its_name() -> None:
    source = (REPOSITORY / "adapters/prometheus/metrics.py").read_text()
    source += (REPOSITORY / "adapters/flask_web/operations/metrics.py").read_text()
    named = set(re.findall(r'"(creditcore_[a-z_]+)"', source))

    metrics = OPERATING.partition("## Metrics")[2].partition("\n## ")[0]
    told = set(re.findall(r"`(creditcore_[a-z_]+)`", metrics))
    assert {name.removesuffix("_total") for name in told} == named


def test_every_file_that_newcomers_are_led_to_is_there() -> None:
    text = (REPOSITORY / "docs/finding-your-way.md").read_text()
    named = re.findall(r"`([a-z_0-9]+(?:/[a-z_0-9.]+)+/?|wsgi\.py)`", text)

    assert len(named) > 12
    assert [name for name in named if not (REPOSITORY / name).exists()] == []


def test_every_alert_is_explained_to_operators() -> None:
    section = OPERATING.split("## When something is wrong", 1)[1]
    words = {
        word
        for path in (REPOSITORY / "creditcore").rglob("*.py")
        if "testing" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        for word in _subject_of_alert(node)
    }

    words |= {subject for _, subject, _ in _ANNOUNCEMENTS.values()}

    assert len(words) > 20
    assert {word for word in words if word not in section} == set()


def _subject_of_alert(node: ast.AST) -> list[str]:
    """Return the constant parts of the subject, if a node makes an alert with one."""
    if not isinstance(node, ast.Call):
        return []
    subject: ast.expr | None = None
    if isinstance(node.func, ast.Name) and node.func.id == "Alert":
        subject = next((each.value for each in node.keywords if each.arg == "subject"), None)
    elif isinstance(node.func, ast.Attribute) and node.func.attr == "_alert" and node.args[2:]:
        subject = node.args[2]
    parts = subject.values if isinstance(subject, ast.JoinedStr) else [subject]
    return [part.value.strip(" :") for part in parts if isinstance(part, ast.Constant)]
