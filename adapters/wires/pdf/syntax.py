"""The values of PDF: dictionaries, lists, names, numbers, strings, references.

Only what every reader reads alike is read. Two values under one name, a string that does not
end, a word that is none: readers differ there, and what they differ in bounds nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

Value = Any
"""A dict by names in bytes, a list, ``Name``, ``Reference``, ``Text``, a number; None for null."""

MAX_EFFORT = 200_000
"""For all files of a request: about as many microseconds, for which every other call waits."""

_TOKEN_EFFORT = 2
_BYTES = 32
"""Of a token, and of the space before it, that take a microsecond more: either may be long, and
objects that are packed into a stream may all begin at the same one."""


_MAX_DEPTH = 64
_MAX_DIGITS = 32
_SPACE = rb"[\0\t\n\f\r ]"
_REGULAR = rb"[^\0\t\n\f\r ()<>\[\]{}/%]"

SKIPPED = re.compile(rb"(?:%s++|%%[^\r\n]*+)*+" % _SPACE)
"""White space and comments."""

_TOKEN = re.compile(
    rb"(?P<open><<|\[)|(?P<close>>>|\])"
    rb"|/(?P<name>%(regular)s*+)"
    rb"|(?P<reference>[0-9]{1,10}+)%(space)s++[0-9]{1,5}+%(space)s++R(?!%(regular)s)"
    rb"|(?P<number>[+-]?+(?:[0-9]++\.?+[0-9]*+|\.[0-9]++))(?!%(regular)s)"
    rb"|(?P<word>true|false|null)(?!%(regular)s)"
    rb"|(?P<string>\()"
    rb"|<(?P<hex>[0-9A-Fa-f\0\t\n\f\r ]*+)>" % {b"regular": _REGULAR, b"space": _SPACE}
)
_ESCAPE_IN_NAME = re.compile(rb"#([0-9A-Fa-f]{2})")
_STRING_PART = re.compile(rb"[^()\\]++|\\.|[()]", re.DOTALL)


class UnreadableError(Exception):
    """The file is none, or one that readers may read in several ways."""


class Name(bytes):
    """A name, its escapes undone."""

    __slots__ = ()


class Text(NamedTuple):
    """A string, of which only the length matters."""

    length: int


class Reference(NamedTuple):
    """The number of an object that stands elsewhere."""

    number: int


@dataclass(slots=True)
class Effort:
    """What may still be spent on reading."""

    left: int = MAX_EFFORT

    def spend(self, microseconds: int) -> None:
        """Take what the next piece of work takes at most.

        Raises:
            UnreadableError: That is more than is left.
        """
        self.left -= microseconds
        if self.left < 0:
            raise UnreadableError


@dataclass(slots=True)
class Reader:
    """Reads values one after the other."""

    effort: Effort

    def value(self, data: bytes, at: int) -> tuple[Value, int]:
        """Return the value that begins here, and where it ends.

        Raises:
            UnreadableError: There is none.
        """
        open_values: list[list[Value]] = []
        kinds: list[bytes] = []
        while True:
            begin = at
            at = SKIPPED.match(data, at).end()  # type: ignore[union-attr]  # it matches nothing too
            found = _TOKEN.match(data, at)
            end = at if found is None else found.end()
            self.effort.spend(_TOKEN_EFFORT + (end - begin) // _BYTES)
            if found is None:
                raise UnreadableError
            at = end
            kind = found.lastgroup
            if kind == "open":
                if len(kinds) == _MAX_DEPTH:
                    raise UnreadableError
                kinds.append(found[0])
                open_values.append([])
                continue
            if kind == "close":
                value = _closed(kinds, open_values, found[0])
            elif kind == "string":
                value, at = self._string(data, at)
            else:
                value = _plain(kind, found[0], found[kind or 0])
            if not open_values:
                return value, at
            open_values[-1].append(value)

    def _string(self, data: bytes, at: int) -> tuple[Text, int]:
        begin, depth = at, 1
        for part in _STRING_PART.finditer(data, at):
            self.effort.spend(1 + len(part[0]) // _BYTES)
            if part[0] == b"(":
                depth += 1
            elif part[0] == b")":
                depth -= 1
                if not depth:
                    return Text(part.start() - begin), part.end()
        raise UnreadableError


def _closed(kinds: list[bytes], open_values: list[list[Value]], end: bytes) -> Value:
    if not kinds or (kinds.pop() == b"<<") is not (end == b">>"):
        raise UnreadableError
    inside = open_values.pop()
    if end == b"]":
        return inside
    names, values = inside[::2], inside[1::2]
    fields = dict(zip(names, values, strict=False)) if _are_names(names) else {}
    # Of two values under one name, some readers take the first and others the last.
    if len(fields) * 2 != len(inside):
        raise UnreadableError
    return fields


def _are_names(names: list[Value]) -> bool:
    return all(type(name) is Name for name in names)


def _plain(kind: str | None, whole: bytes, inner: bytes) -> Value:
    if kind == "reference":
        return Reference(int(inner))
    if kind == "name":
        return name(inner)
    if kind == "number":
        if len(inner) > _MAX_DIGITS:
            raise UnreadableError
        return float(inner) if b"." in inner else int(inner)
    if kind == "hex":
        return Text((len(inner) + 1) // 2)
    return None if whole == b"null" else whole == b"true"


def name(written: bytes) -> Name:
    """Return a name without its escapes: ``/K#69ds`` is ``/Kids``."""
    if b"#" not in written:
        return Name(written)
    return Name(_ESCAPE_IN_NAME.sub(lambda code: bytes([int(code[1], 16)]), written))
