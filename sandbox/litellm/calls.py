"""A record of every inference call, so that tests can ask what really reached the provider."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

MAX_CALLS = 10_000
MAX_BYTES = 64 * 1024 * 1024
MAX_BYTES_PER_CALL = 1024 * 1024


@dataclass(slots=True)
class Call:
    """One call, from its first byte to its last.

    Attributes:
        status: The HTTP status sent; 0 before, or when the connection was closed without one.
        tokens_sent: Tokens of the answer handed to the connection.
        finished: The whole answer was sent.
        closed_by_client: The caller left before that.
    """

    call_id: str
    path: str
    headers: dict[str, str]
    body: bytes
    model: str | None = None
    stream: bool = False
    status: int = 0
    tokens_sent: int = 0
    finished: bool = False
    closed_by_client: bool = False
    started_at: float = field(default_factory=time.time)
    ended_at: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the call as the control endpoint shows it."""
        return {
            "call_id": self.call_id,
            "path": self.path,
            "model": self.model,
            "stream": self.stream,
            "status": self.status,
            "headers": self.headers,
            "body": _parsed(self.body),
            "tokens_sent": self.tokens_sent,
            "finished": self.finished,
            "closed_by_client": self.closed_by_client,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
        }


class Calls:
    """The latest calls, and how many there were and are."""

    def __init__(self) -> None:
        """Start without calls."""
        self.total = 0
        self.open = 0
        self.max_open = 0
        self._kept: deque[Call] = deque()
        self._kept_bytes = 0

    def __iter__(self) -> Iterator[Call]:
        """Return the calls still remembered, oldest first."""
        return iter(list(self._kept))

    def begin(self, call: Call) -> None:
        """Count a call that arrived."""
        if len(call.body) > MAX_BYTES_PER_CALL:
            call.body = b""
        self.total += 1
        self.open += 1
        self.max_open = max(self.max_open, self.open)
        self._kept.append(call)
        self._kept_bytes += len(call.body)
        while len(self._kept) > MAX_CALLS or self._kept_bytes > MAX_BYTES:
            self._kept_bytes -= len(self._kept.popleft().body)

    def end(self, call: Call) -> None:
        """Count a call as over; a repeat changes nothing."""
        if call.ended_at is None:
            call.ended_at = time.time()
            self.open -= 1

    def clear(self) -> None:
        """Forget all calls; those still open stay counted as open."""
        self.total = 0
        self.max_open = self.open
        self._kept.clear()
        self._kept_bytes = 0

    def totals(self) -> dict[str, int]:
        """Return the counts."""
        return {"total": self.total, "open": self.open, "max_open": self.max_open}


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
