"""Steps on books that are open, as a use case takes them."""

from __future__ import annotations

from creditcore.domain.books import Books
from creditcore.domain.callers import Limited
from creditcore.domain.holds import Hold
from creditcore.domain.money import Credits
from creditcore.domain.pricing import Ceiling
from creditcore.testing.contracts import MINUTE, NOON

KEY_HASH = b"h" * 32
"""What ``a_key`` opens the first wallet with."""


def reserve(
    books: Books,
    amount: int,
    *,
    reference: str = "call-1",
    wallet_id: str = "wallet-1",
    caller: Limited | None = None,
) -> Hold:
    """Hold credits; nothing is stored yet."""
    return books.admit(
        wallet_id,
        Ceiling.of(Credits(amount)),
        reference=reference,
        call=None,
        now=NOON,
        lifetime=MINUTE,
        caller=caller,
    ).hold
