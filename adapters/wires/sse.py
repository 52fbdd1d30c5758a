"""Server-sent events out of a stream of bytes, wherever it is cut.

The format is that of the HTML standard, section 9.2: lines end with CRLF, LF or CR, an
event ends with an empty line, lines starting with a colon are comments, several data
lines are one payload, and an event that the end of the stream cuts off never was.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple, Self

MAX_EVENT_BYTES = 8 * 1024 * 1024
"""Longer than any event an honest server sends; LiteLLM's own limit for a frame."""

KEEP_ALIVE = b": ping\n\n"
"""What a comment becomes on its way: the upstream is still there, and is not named."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# A CR at the very end may yet turn out to be half of a CRLF, so it needs a byte behind it.
_LINE_END = rb"(?:\r\n|\n|\r(?=[^\n]))"
_EVENT_END = re.compile(_LINE_END + _LINE_END)
_EVENT_END_AT_LAST = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r)\Z")
_LONGEST_PARTIAL_END = 3


class SseEvent(NamedTuple):
    """One complete event.

    Attributes:
        raw: Its bytes as they came, its empty line included.
        data: Its payload, or None where it has none: a comment, a keep-alive.
    """

    raw: bytes
    data: bytes | None

    @classmethod
    def of(cls, raw: bytes) -> Self:
        """Read an event that ``SseSplitter`` has cut off."""
        # One line of data between plain line feeds: how nearly every event looks.
        if raw.startswith(b"data: ") and raw.find(b"\n") == len(raw) - 2 and b"\r" not in raw:
            return cls(raw, raw[6:-2])
        lines = raw.removeprefix(BYTE_ORDER_MARK).splitlines()
        payload = [
            line[5:].removeprefix(b" ")
            for line in lines
            if line.startswith(b"data:") or line == b"data"
        ]
        return cls(raw, b"\n".join(payload) if payload else None)

    @property
    def name(self) -> str | None:
        """What its ``event`` line says, if it has one."""
        names = [line[6:] for line in self.raw.splitlines() if line.startswith(b"event:")]
        return names[-1].removeprefix(b" ").decode("utf-8", "replace") if names else None

    def named(self, name: str) -> bytes:
        """Return its bytes with a name in place of any it has: the last one counts."""
        lines = self.raw.removeprefix(BYTE_ORDER_MARK).splitlines(keepends=True)
        rest = b"".join([line for line in lines if not line.startswith(b"event:")])
        return b"event: " + name.encode() + b"\n" + rest


class EventTooLongError(Exception):
    """An event outgrew the buffer. The stream cannot be read any further."""


class SseSplitter:
    """Cuts a stream into events. However the stream arrives, the events are the same.

    Attributes:
        unfinished: What an ended stream has behind its last event.
    """

    def __init__(self) -> None:
        self.unfinished = b""
        self._buffer = bytearray()
        self._searched = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take bytes, return the events they complete, each with its empty line.

        Raises:
            EventTooLongError: An event is longer than ``MAX_EVENT_BYTES``.
        """
        buffer = self._buffer
        if not buffer:
            return self._cut(chunk)
        buffer += chunk
        end = _EVENT_END.search(buffer, self._searched)
        if end is None:
            self._mark_searched()
            return []
        first, rest = bytes(buffer[: end.end()]), bytes(buffer[end.end() :])
        buffer.clear()
        return [first, *self._cut(rest)]

    def finish(self) -> bytes | None:
        """Return the event whose last CR was still in doubt; one that is unfinished is none."""
        raw = bytes(self._buffer)
        self._buffer.clear()
        if _EVENT_END_AT_LAST.search(raw):
            return raw
        self.unfinished = raw
        return None

    def _cut(self, block: bytes) -> list[bytes]:
        """Return the events in a block that begins with one; keep what is left of it."""
        if b"\r" in block:
            ends = [0, *(end.end() for end in _EVENT_END.finditer(block))]
            events = [block[start:end] for start, end in pairwise(ends)]
            rest = block[ends[-1] :]
        else:
            *whole, rest = block.split(b"\n\n")
            events = [event + b"\n\n" for event in whole]
        if rest:
            self._buffer += rest
            self._mark_searched()
        return events

    def _mark_searched(self) -> None:
        """Note that there is no end in the buffer, but perhaps the beginning of one."""
        self._searched = max(len(self._buffer) - _LONGEST_PARTIAL_END, 0)
        if len(self._buffer) > MAX_EVENT_BYTES:
            self._buffer.clear()
            raise EventTooLongError
