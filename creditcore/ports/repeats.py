"""Calls that may be repeated: which call a caller's token stands for, and what it answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatableCall:
    """One call that came with an ``Idempotency-Key``.

    Attributes:
        id: Names the token and whose it is.
        call_id: The call that the token stands for.
        fingerprint: Of the route and the body: another one is another request.
        status: Of the answer that is kept; None where none is.
        answer: The body of that answer, sealed.
    """

    id: str
    call_id: str
    fingerprint: bytes
    created_at: datetime
    status: int | None = None
    answer: bytes | None = field(default=None, repr=False)


class RepeatableCalls(Protocol):
    """Tokens of the last day. One stands for one call, on every host."""

    def claim(self, call: RepeatableCall, *, forget_before: datetime) -> RepeatableCall:
        """Return the call that a token stands for: this one, or an earlier one.

        A token that was used before the instant is free again.
        """

    def reassign(self, call: RepeatableCall, *, call_id: str) -> RepeatableCall:
        """Let the token of a call stand for another one; return what it stands for now.

        Where it stands for the call no more, nothing changes.
        """

    def keep(self, call_id: str, *, status: int, answer: bytes) -> None:
        """Keep what a call answered; without such a call, nothing."""

    def find_by_call(self, call_id: str) -> RepeatableCall | None:
        """Return the token that stands for a call."""

    def forget(self, *, before: datetime, limit: int) -> int:
        """Delete tokens of before an instant, with their answers; return how many."""
