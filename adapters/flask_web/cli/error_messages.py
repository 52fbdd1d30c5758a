"""What the command line says where something is wrong, instead of a traceback."""

from __future__ import annotations

import functools
from collections.abc import Callable
from copy import copy
from typing import Any

import click

from adapters.flask_web.context import services
from creditcore.domain.errors import CreditcoreError, StoreError


def guarded(command: click.Command, fault: Exception | None = None) -> click.Command:
    """Return a command that fails with one clear sentence.

    Args:
        command: It, or a group with all that is in it.
        fault: Why nothing can run; the help can be read all the same.
    """
    guard = copy(command)
    if isinstance(guard, click.Group):
        guard.commands = {name: guarded(each, fault) for name, each in guard.commands.items()}
    if guard.callback:
        guard.callback = _explaining(guard.callback, fault)
    return guard


def _explaining(run: Callable[..., Any], fault: Exception | None) -> Callable[..., Any]:
    @functools.wraps(run)
    def explaining(*values: Any, **named: Any) -> Any:
        if fault:
            raise click.ClickException(str(fault))
        try:
            return run(*values, **named)
        except CreditcoreError as error:
            raise click.ClickException(_sentence(error)) from None

    return explaining


def _sentence(error: CreditcoreError) -> str:
    if isinstance(error, StoreError) and _is_schema_old():
        return "The database lacks our latest tables: run 'flask --app wsgi migrate' first."
    return str(error)


def _is_schema_old() -> bool:
    try:
        return bool(services().pending_migrations())
    except CreditcoreError:
        return False
