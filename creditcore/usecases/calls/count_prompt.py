"""Have a prompt counted where credits are short, so that its call need not hold its bound.

A bound is by words, and by bytes where these are not known: half as much again as what text
costs, to three times that. While it is covered, that harms no caller, as the rest is given back
with the answer. Only where a call would be refused for it, or begin with no room for an answer, the
model server is asked to count; the call is then authorized again, with as few credits held as the
count is good for, by the same rules. Without a count, a short answer is better than none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from creditcore.domain.decisions import Admission
from creditcore.domain.errors import InsufficientCreditsError
from creditcore.domain.pricing.counted_text import held_by_count, least_held, size_of
from creditcore.ports.inference import HeardWire
from creditcore.ports.prompt_counts import NoPromptCounts, PromptCounts
from creditcore.usecases.calls.counting_turns import CountingTurns, Use, is_soon_counted
from creditcore.usecases.calls.planned_call import PlannedCall, content_with_less, with_text_bound


@dataclass(frozen=True, slots=True)
class CountPrompt:
    """Authorizes calls, those with short credits by the count of their prompts.

    Attributes:
        counts: Who counts.
        turns: Whose turn it is.
    """

    counts: PromptCounts = field(default_factory=NoPromptCounts)
    turns: CountingTurns = field(default_factory=CountingTurns)

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
        if not _is_covered(least, refusal) or not is_soon_counted(texts, size=size):
            return None
        count = self.turns.count(
            refusal.wallet_id or "",
            Use.FOR_CALLS,
            model=request.model,
            text=text,
            ask=lambda: self.counts.count(request.model, text),
        )
        if count is None:
            return None
        held = held_by_count(texts, count.tokens, by_provider=count.by_provider)
        counted = with_text_bound(planned, text, held)
        return counted if counted.call.prompt_bound < planned.call.prompt_bound else None


def _is_covered(planned: PlannedCall, refusal: InsufficientCreditsError) -> bool:
    """Whether what was there covers the least that a call can begin with."""
    return planned.ceiling.amount(planned.ceiling.least_output) <= refusal.available


def _takes_most(planned: PlannedCall, refusal: InsufficientCreditsError) -> bool:
    """Whether it is the prompt that takes the room, rather than the price of answers."""
    return planned.ceiling.amount(0).microcredits * 2 >= refusal.available.microcredits
