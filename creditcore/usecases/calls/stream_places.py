"""The places of streams in a process, and which account has how many of them."""

from __future__ import annotations

import sys
from collections import Counter

from creditcore.domain.errors import OverloadedError
from creditcore.domain.money import div_floor

SHARES = 8
"""In a process that is more than half full, an account gets one of so many shares of it."""

SMALLEST_SHARE = 32
"""A small process is not divided: an account may have so many places of it in any case."""

MAX_KNOWN_KEYS = 10_000
"""Keys whose account a process knows before it asks; it learns them anew."""

_FULL = "This server carries as many streams as it can. Try again in a moment."


class StreamPlaces:
    """Counts streams under way, and leaves room for those of others.

    Until half of the places are taken, any account may have them. From then on an account that
    has its share already gets no more, so that one alone cannot keep the others out.

    Args:
        most: How many streams this process carries at a time; None for any number.
    """

    def __init__(self, most: int | None) -> None:
        self._most = sys.maxsize if most is None else most
        self._taken = 0
        self._share = max(SMALLEST_SHARE, div_floor(self._most, SHARES))
        self._of_wallets: Counter[str] = Counter()
        self._wallets: dict[bytes, str] = {}

    def take(self, key_hash: bytes) -> None:
        """Take a place for a key, as far as its account is known here.

        Raises:
            OverloadedError: There is no place, or none for this account.
        """
        if self._taken >= self._most:
            raise OverloadedError(_FULL)
        wallet_id = self._wallets.get(key_hash)
        if wallet_id is not None:
            self._leave_room(wallet_id, taken=self._taken)
        self._taken += 1

    def assign(self, key_hash: bytes, wallet_id: str) -> None:
        """Count a place that was taken for the account of the key.

        Raises:
            OverloadedError: The account has its share already. The place stays taken.
        """
        if key_hash not in self._wallets:
            if len(self._wallets) >= MAX_KNOWN_KEYS:
                self._wallets.clear()
            self._wallets[key_hash] = wallet_id
        self._leave_room(wallet_id, taken=self._taken - 1)
        self._of_wallets[wallet_id] += 1

    def free(self, wallet_id: str | None) -> None:
        """Free a place, of an account if it was counted for one."""
        self._taken -= 1
        if wallet_id is not None:
            self._of_wallets[wallet_id] -= 1
            if not self._of_wallets[wallet_id]:
                del self._of_wallets[wallet_id]

    def _leave_room(self, wallet_id: str, *, taken: int) -> None:
        held = self._of_wallets[wallet_id]
        if held >= self._share and 2 * taken >= self._most:
            raise OverloadedError(
                f"This server is busy, and your account has {held} of its streams already. "
                "Let one of them end, or try again in a moment."
            )
