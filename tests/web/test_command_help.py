"""Every operator command says what it does and how it is called."""

from __future__ import annotations

from collections.abc import Iterator

import click

from tests.web.site import Site


def commands_of(group: click.Group, *words: str) -> Iterator[tuple[str, ...]]:
    """Return the words of every command under a group."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands_of(command, *words, name)
        yield (*words, name)


def test_every_command_has_help(site: Site) -> None:
    runner = site.app.test_cli_runner()
    commands = list(commands_of(site.app.cli))

    answers = {words: runner.invoke(args=[*words, "--help"]) for words in commands}

    assert {("migrate",), ("key", "issue"), ("jobs", "list"), ("prices", "list")} < set(commands)
    assert {words for words, answer in answers.items() if answer.exit_code} == set()
    for words, answer in answers.items():
        usage, purpose = answer.output.strip().split("\n\n")[:2]
        assert usage.startswith("Usage:"), words
        assert purpose.strip().endswith("."), words
