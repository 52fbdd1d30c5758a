"""Events that come again and again, with nothing but another text in them.

Nearly every event of a stream is like the one before it, up to what the model wrote. Such
an event is known without being parsed: around the text its bytes are the same, and a text
without a bare quote cannot end the string that it stands in.
"""

from __future__ import annotations

import re
from typing import Any, Self

from adapters.wires.public import read_object
from adapters.wires.sse import SseEvent

Path = tuple[str | int, ...]
"""Where something stands in a document: names and positions, from the outside in."""

_PLAIN = re.compile(rb"[ !#-\[\]-~]+")
_ESCAPE = re.compile(rb'\\["\\/bfnrt]')
# The inside of a JSON string; ``\u`` is left to the parser, which knows of surrogates.
_INSIDE = re.compile(rb'(?:[^"\\\x00-\x1f]|' + _ESCAPE.pattern + rb")+")
_MORE = " and more"


class Refrain:
    """An event in which only the text changes."""

    __slots__ = ("_after", "_before")

    def __init__(self, before: bytes, after: bytes) -> None:
        """Keep the bytes around the text, its quotes included."""
        self._before = before
        self._after = after

    @classmethod
    def of(cls, raw: bytes, path: Path) -> Self | None:
        """Return the refrain of an event, or None where its text cannot be told from the rest.

        Args:
            raw: The event.
            path: Where its text stands. None of the path need be there.
        """
        text = _at(_read(raw), path)
        if not isinstance(text, str):
            return None
        name, written = str(path[-1]).encode(), text.encode()
        start = raw.find(b'"' + written + b'"', raw.find(b'"' + name + b'"') + len(name) + 2) + 1
        if start == 0:
            return None
        before, after = raw[:start], raw[start + len(written) :]
        # Proof that this is the place: another text there is another text at the path.
        other = _read(before + written + _MORE.encode() + after)
        return cls(before, after) if _at(other, path) == text + _MORE else None

    def text_length(self, raw: bytes) -> int | None:
        """Return the UTF-8 bytes of the text in an event, or None if it is no such event.

        Without any text it is another one: what stands beside it may count then.
        """
        if not (raw.startswith(self._before) and raw.endswith(self._after)):
            return None
        # Where the two overlap, the end is before the start, and nothing matches.
        start, end = len(self._before), len(raw) - len(self._after)
        if _PLAIN.fullmatch(raw, start, end):
            return end - start
        if not _INSIDE.fullmatch(raw, start, end):
            return None
        text = raw[start:end]
        return len(text) - len(_ESCAPE.findall(text)) if _is_utf8(text) else None


def _read(raw: bytes) -> dict[str, Any]:
    return read_object(SseEvent.of(raw).data or b"")


def _at(document: Any, path: Path) -> Any:
    for step in path:
        try:
            document = document[step]
        except (IndexError, KeyError, TypeError):
            return None
    return document


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
