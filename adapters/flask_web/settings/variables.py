"""How one variable is read: ``variable`` makes a field of ``Settings`` out of a parser.

A parser takes the text of a variable that is set and returns its value. What it raises is
an ``UnusableError``, which goes on with the sentence that begins with the variable's name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

_PARSE = "parse"
_MIN_SECRET_LENGTH = 32

Value = TypeVar("Value")


class UnusableError(Exception):
    """The text of a variable cannot be used; the message goes on after its name."""


def variable(
    parse: Callable[[str], Value],
    *,
    default: object = dataclasses.MISSING,
    hidden: bool = False,
) -> Value:
    """Return a field that is read from the variable of its name, in upper case.

    Args:
        parse: Reads the variable where it is set.
        default: The value where it is not; without one the variable is required.
        hidden: Whether it is a secret: ``repr`` leaves those out.
    """
    made: object = dataclasses.field(default=default, repr=not hidden, metadata={_PARSE: parse})
    # At run time this is a field, and only instances have the value.
    return cast("Value", made)


def mapping_variable(parse: Callable[[str], Mapping[str, Value]]) -> Mapping[str, Value]:
    """Return a field that is empty where its variable is not set."""
    made: object = dataclasses.field(default_factory=dict, metadata={_PARSE: parse})
    return cast("Mapping[str, Value]", made)


def read(settings: type[Any], environ: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Read the fields of a dataclass; an empty variable counts as missing.

    Returns:
        The values by field, and a sentence for each variable that cannot be used. Such a
        variable stands with its text or its default, so that the others can still be judged.
    """
    values: dict[str, Any] = {}
    faults = []
    for field in dataclasses.fields(settings):
        name = field.name.upper()
        text = environ.get(name, "").strip()
        default = _default(field)
        if not text and default is dataclasses.MISSING:
            faults.append(f"{name} is missing.")
        values[field.name] = text if default is dataclasses.MISSING else default
        if text:
            try:
                values[field.name] = field.metadata[_PARSE](text)
            except UnusableError as error:
                faults.append(f"{name} {error}")
                if isinstance(default, str):
                    values[field.name] = text
    return values, faults


def _default(field: dataclasses.Field[Any]) -> object:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    default: object = field.default
    return default


def text(given: str) -> str:
    """Take it as it is."""
    return given


def secret(given: str) -> str:
    """Take what is long enough to be one."""
    if len(given) < _MIN_SECRET_LENGTH:
        raise UnusableError(f"needs at least {_MIN_SECRET_LENGTH} characters.")
    return given


def one_of(*choices: str) -> Callable[[str], str]:
    """Take one of these words."""

    def chosen(given: str) -> str:
        if given not in choices:
            raise UnusableError(f"is one of {', '.join(choices)}; it is {given!r}.")
        return given

    return chosen


def switch(given: str) -> bool:
    """Take ``on`` or ``off``."""
    return one_of("on", "off")(given) == "on"


def url(given: str) -> str:
    """Take an http(s) address, without the slash at its end."""
    if not is_http_address(given):
        raise UnusableError(f"is an http(s) address; it is {given!r}.")
    return given.rstrip("/")


def address(*schemes: str) -> Callable[[str], str]:
    """Take where something else is; it is not shown, as it may hold a password."""

    def located(given: str) -> str:
        if not given.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise UnusableError(f"begins with {schemes[0]}://.")
        return given

    return located


def number(*, least: int, most: int) -> Callable[[str], int]:
    """Take a whole number within bounds."""

    def bounded(given: str) -> int:
        if not given.isascii() or not given.isdigit() or not least <= int(given) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(given)

    return checked(bounded)


def checked(parse: Callable[[str], Value]) -> Callable[[str], Value]:
    """Take what a function takes that raises ``ValueError`` with what it wants instead."""

    def parsed(given: str) -> Value:
        try:
            return parse(given)
        except ValueError as error:
            raise UnusableError(f"cannot be {given!r}: {error}.") from error

    return parsed


def is_http_address(given: str) -> bool:
    """Whether this is an http(s) address of a host, without a query."""
    try:
        parts = urlsplit(given)
        # Reading the port tells whether it is one.
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return named and parts.scheme in ("http", "https") and not parts.query
