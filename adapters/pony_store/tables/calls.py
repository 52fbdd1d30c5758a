"""Calls, read from ``usage_logs``; the ledger writes them."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.pony_store.session import Session
from adapters.pony_store.tables.holds import hold_from_row
from adapters.pony_store.tables.ledger import SELECT_HOLDS
from creditcore.domain.errors import HoldNotFoundError
from creditcore.domain.holds import Hold


class PonyCalls:
    """Inference calls of a wallet: each is the hold that was made for it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def recent(self, wallet_id: str, *, limit: int) -> Sequence[Hold]:
        """Return the latest calls, newest first."""
        rows = self._session.rows(
            f"{SELECT_HOLDS} WHERE wallet_id = ? ORDER BY created_at DESC, id DESC LIMIT ?",
            (wallet_id, limit),
        )
        return [hold_from_row(row) for row in rows]

    def find(self, reference: str, *, wallet_id: str) -> Hold:
        """Return one call of this wallet.

        Raises:
            HoldNotFoundError: The wallet has no such call.
        """
        rows = self._session.rows(
            f"{SELECT_HOLDS} WHERE id = ? AND wallet_id = ?", (reference, wallet_id)
        )
        if not rows:
            raise HoldNotFoundError(reference)
        return hold_from_row(rows[0])
