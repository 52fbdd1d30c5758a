"""Have a prompt counted where credits are short, so that its call need not hold its bound.

A bound is by words, and by bytes where these are not known: twice to four times what text costs.
While it is covered, that harms no caller, as the rest is given back with the answer. Only where
a call would be refused for it, or begin with no room for an answer, the model server is asked to
count; the call is then authorized again, with as few credits held as the count is good for, by
the same rules. Without a count, a short answer is better than none.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from creditcore.domain.decisions import Admission
from creditcore.domain.errors import InsufficientCreditsError
from creditcore.domain.pricing.counted_text import held_by_count, least_held, size_of
from creditcore.ports.clock import MonotonicClock
from creditcore.ports.inference import HeardWire
from creditcore.ports.prompt_counts import NoPromptCounts, PromptCount, PromptCounts, PromptText
from creditcore.system import SystemClock
from creditcore.usecases.calls.planned_call import PlannedCall, content_with_less, with_text_bound

_log = logging.getLogger(__name__)

MOST_AT_ONCE = 4
"""Counts that a process waits for at a time: more would only queue up at the model server."""

MOST_COUNTED_BYTES = 512 * 1024
"""A longer text is not counted: it might keep the model server from all its calls for seconds."""

PAUSE = 10
"""For so many times as long as a count has taken, its account has no other text counted.

What is refused costs nothing: without a pause, one account could keep the model server counting.
"""

BLOCK = 16 * 1024
"""Characters within which a word must end: one of 256 KiB takes as long as megabytes of prose."""


_BLANKS = " \n\t"


class _LastCount(NamedTuple):
    """What an account has had counted last. A call may follow its quote at once.

    Attributes:
        until_s: When it may have another text counted.
        text_hash: The text, for its model.
        tokens: How many it is; None where that was not told.
    """

    until_s: float
    text_hash: int
    tokens: PromptCount | None


@dataclass(frozen=True, slots=True)
class CountPrompt:
    """Authorizes calls, those with short credits by the count of their prompts.

    Attributes:
        counts: Who counts.
        clock: Tells how long that takes.
    """

    counts: PromptCounts = field(default_factory=NoPromptCounts)
    clock: MonotonicClock = field(default_factory=SystemClock, kw_only=True)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _counting: set[str] = field(default_factory=set)
    _last: dict[str, _LastCount] = field(default_factory=dict)

    def admit(
        self,
        wire: HeardWire,
        planned: PlannedCall,
        authorize: Callable[[PlannedCall], Admission],
    ) -> tuple[PlannedCall, Admission]:
        """Authorize a call, by its bound if that leaves room for an answer, else by a count.

        Args:
            wire: The protocol of the call.
            planned: The call.
            authorize: Holds the credits for it, or raises and holds nothing.

        Returns:
            The call as it was authorized, and how.

        Raises:
            InsufficientCreditsError: It cannot be covered, neither by its bound nor by a count.
        """
        try:
            return planned, authorize(planned)
        except InsufficientCreditsError as refusal:
            modest = content_with_less(planned)
            begins = modest is not planned and _is_covered(modest, refusal)
            is_worth_it = not begins or _takes_most(modest, refusal)
            counted = self._counted(wire, modest, refusal) if is_worth_it else None
            if counted is None and not begins:
                raise
        again = counted or modest
        return again, authorize(again)

    def _counted(
        self, wire: HeardWire, planned: PlannedCall, refusal: InsufficientCreditsError
    ) -> PlannedCall | None:
        """Return the call by a count of its prompt; None where that is not to be had or no use."""
        request = planned.request
        if request.prompt_bound is None or not refusal.available:
            return None
        text = wire.text_of(request)
        if text is None:
            return None
        texts = [said for _, said in text.messages]
        size = size_of(texts)
        least = with_text_bound(planned, text, least_held(size))
        if size > MOST_COUNTED_BYTES or not _is_covered(least, refusal):
            return None
        if not all(map(_has_short_words, texts)):
            return None
        count = self._count(refusal.wallet_id or "", request.model, text)
        if count is None:
            return None
        held = held_by_count(texts, count.tokens, by_provider=count.by_provider)
        counted = with_text_bound(planned, text, held)
        return counted if counted.call.prompt_bound < planned.call.prompt_bound else None

    def _count(self, wallet_id: str, model: str, text: PromptText) -> PromptCount | None:
        """Return a count, a new one or the account's last; None where it is none's turn now."""
        text_hash = hash((model, text))
        with self._guard:
            started = self.clock.monotonic()
            last = self._last.get(wallet_id)
            if last is not None and started < last.until_s:
                return last.tokens if last.text_hash == text_hash else None
            has_turn = wallet_id not in self._counting and len(self._counting) < MOST_AT_ONCE
            if not has_turn:
                return None
            self._counting.add(wallet_id)
        count = None
        try:
            count = self.counts.count(model, text)
        except Exception:  # noqa: BLE001 - a counter that breaks leaves the refusal as it was
            _log.exception("a text for %s was not counted", model)
        finally:
            with self._guard:
                self._counting.discard(wallet_id)
                now = self.clock.monotonic()
                self._forget(now)
                until_s = now + PAUSE * (now - started)
                self._last[wallet_id] = _LastCount(until_s, text_hash, count)
        return count

    def _forget(self, now: float) -> None:
        """Forget what is over: few are left, as the longer a count takes, the fewer there are."""
        for wallet_id in [each for each, last in self._last.items() if last.until_s <= now]:
            del self._last[wallet_id]


def _has_short_words(text: str) -> bool:
    """Whether no word, and no run of blanks, is as long as two blocks; those of one always pass.

    Looking for blanks block by block takes no time, and all tokenizers part words there.
    """
    blocks = (text[at : at + BLOCK] for at in range(0, len(text) - BLOCK + 1, BLOCK))
    return all(any(map(block.__contains__, _BLANKS)) and not block.isspace() for block in blocks)


def _is_covered(planned: PlannedCall, refusal: InsufficientCreditsError) -> bool:
    """Whether what was there covers the least that a call can begin with."""
    return planned.ceiling.amount(planned.ceiling.least_output) <= refusal.available


def _takes_most(planned: PlannedCall, refusal: InsufficientCreditsError) -> bool:
    """Whether it is the prompt that takes the room, rather than the price of answers."""
    return planned.ceiling.amount(0).microcredits * 2 >= refusal.available.microcredits
