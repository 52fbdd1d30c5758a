"""Calls, to be read. They are written with the ledger, as holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from creditcore.domain.holds import Hold


class Calls(Protocol):
    """Inference calls of a wallet: each is the hold that was made for it."""

    def recent(self, wallet_id: str, *, limit: int) -> Sequence[Hold]:
        """Return the latest calls, newest first."""

    def find(self, reference: str, *, wallet_id: str) -> Hold:
        """Return one call of this wallet.

        Raises:
            HoldNotFoundError: The wallet has no such call.
        """
