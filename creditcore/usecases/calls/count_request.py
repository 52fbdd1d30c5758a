"""Tell a client how many tokens its request is: as the model server counts it, else about."""

from __future__ import annotations

from dataclasses import dataclass

from creditcore.ports.token_counters import RequestCounts, RequestToCount
from creditcore.usecases.calls.counting_turns import CountingTurns, Use, is_soon_counted


@dataclass(frozen=True, slots=True, kw_only=True)
class CountRequest:
    """Counts requests for nothing.

    Attributes:
        counts: Who counts.
        turns: Whose turn it is.
    """

    counts: RequestCounts
    turns: CountingTurns

    def tokens(self, wallet_id: str, request: RequestToCount) -> int:
        """Return how many tokens a request of an account is.

        It is an estimate where the request is long, where it is not the account's turn, and where
        there is no answer.
        """
        if not is_soon_counted(request.texts, size=len(request.written)):
            return request.estimate
        counted = self.turns.count(
            wallet_id,
            Use.FOR_CLIENTS,
            model=request.model,
            text=request.written,
            ask=lambda: self.counts.count_request(request),
        )
        return request.estimate if counted is None else counted
