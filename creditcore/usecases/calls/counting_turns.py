"""Whose turn it is to have a text counted, so that counting never keeps the model server busy.

A count costs its account nothing, and is an effort: the model server carries no calls while it
counts by itself. So each account has one at a time, and then a pause; a process has a few; and
what would take very long is not counted at all.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple, TypeVar

from creditcore.ports.clock import MonotonicClock
from creditcore.system import SystemClock

_log = logging.getLogger(__name__)

Counted = TypeVar("Counted")

MOST_AT_ONCE = 4
"""Counts that a process waits for at a time: more would only queue up at the model server."""

PAUSE = 10
"""For so many times as long as a count has taken, its account has no other text counted.

What is counted costs nothing: without a pause, one account could keep the model server counting.
"""

MOST_COUNTED_BYTES = 512 * 1024
"""A longer text is not counted: it might keep the model server from all its calls for seconds."""

BLOCK = 16 * 1024
"""Characters within which a word must end: one of 256 KiB takes as long as megabytes of prose."""

_BLANKS = " \n\t"


class Use(Enum):
    """What a count is for, with the most that may be under way for one of this use to begin.

    Each use has turns and pauses of its own, and those of calls are never out of places for those
    of clients: a client that asks how large a request is puts off no call.
    """

    FOR_CALLS = MOST_AT_ONCE
    FOR_CLIENTS = MOST_AT_ONCE // 2


class _LastCount(NamedTuple):
    """What an account has had counted last. A call may follow its quote at once.

    Attributes:
        until_s: When it may have another text counted.
        text_hash: The text, for its model.
        answer: What it is; None where that was not told.
    """

    until_s: float
    text_hash: int
    answer: Any


@dataclass(frozen=True, slots=True)
class CountingTurns:
    """Lets texts be counted in turn.

    Attributes:
        clock: Tells how long that takes.
    """

    clock: MonotonicClock = field(default_factory=SystemClock, kw_only=True)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _counting: set[tuple[Use, str]] = field(default_factory=set)
    _last: dict[tuple[Use, str], _LastCount] = field(default_factory=dict)

    def count(
        self,
        wallet_id: str,
        use: Use,
        *,
        model: str,
        text: Hashable,
        ask: Callable[[], Counted | None],
    ) -> Counted | None:
        """Return a count, a new one or the account's last; None where it is none's turn now.

        Args:
            wallet_id: The account.
            use: What it is for.
            model: Whose tokens are counted.
            text: What is counted: the same text is the same again.
            ask: Has it counted, and returns None where that is not told.
        """
        account, text_hash = (use, wallet_id), hash((model, text))
        with self._guard:
            started = self.clock.monotonic()
            last = self._last.get(account)
            if last is not None and started < last.until_s:
                answer: Counted | None = last.answer
                return answer if last.text_hash == text_hash else None
            has_turn = account not in self._counting and len(self._counting) < use.value
            if not has_turn:
                return None
            self._counting.add(account)
        count = None
        try:
            count = ask()
        except Exception:  # noqa: BLE001 - a counter that breaks leaves all as it was without one
            _log.exception("a text for %s was not counted", model)
        finally:
            with self._guard:
                self._counting.discard(account)
                now = self.clock.monotonic()
                self._forget(now)
                until_s = now + PAUSE * (now - started)
                self._last[account] = _LastCount(until_s, text_hash, count)
        return count

    def _forget(self, now: float) -> None:
        """Forget what is over: few are left, as the longer a count takes, the fewer there are."""
        for account in [each for each, last in self._last.items() if last.until_s <= now]:
            del self._last[account]


def is_soon_counted(texts: Iterable[str], *, size: int) -> bool:
    """Whether a tokenizer is done with texts of so many bytes in no time."""
    return size <= MOST_COUNTED_BYTES and all(map(_has_short_words, texts))


def _has_short_words(text: str) -> bool:
    """Whether no word, and no run of blanks, is as long as two blocks; those of one always pass.

    Looking for blanks block by block takes no time, and all tokenizers part words there.
    """
    blocks = (text[at : at + BLOCK] for at in range(0, len(text) - BLOCK + 1, BLOCK))
    return all(any(map(block.__contains__, _BLANKS)) and not block.isspace() for block in blocks)
