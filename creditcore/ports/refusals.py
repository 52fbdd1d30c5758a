"""Calls that were refused before they began."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from creditcore.domain.refusals import RefusedCall
from creditcore.ports.calls import ALL_CALLS, CallFilter, Place


class RefusedCalls(Protocol):
    """The refused calls of each wallet. How many there were in all, ``UsageHours`` knows."""

    def add(self, call: RefusedCall) -> None:
        """Keep a refused call; one that is kept already stays as it is."""

    def keep_latest(self, wallet_id: str, hour: datetime, *, most: int) -> None:
        """Forget all of a wallet's of one hour, given by its beginning, but for the latest."""

    def older(
        self,
        wallet_id: str,
        *,
        than: Place | None = None,
        limit: int,
        which: CallFilter = ALL_CALLS,
    ) -> Sequence[RefusedCall]:
        """Return the latest of a wallet's, or those before a place; newest first.

        Of the filter counts what refused calls have: key, model, endpoint, and when.
        """

    def find(self, reference: str, *, wallet_id: str) -> RefusedCall | None:
        """Return one of a wallet's by its id."""

    def forget(self, *, before: datetime, limit: int) -> int:
        """Forget the oldest, of all wallets; return how many."""
