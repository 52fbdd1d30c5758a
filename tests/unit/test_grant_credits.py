"""What operators give has bounds: a movement is never edited."""

from __future__ import annotations

import pytest

from creditcore import Credits, GrantCredits, InvalidRequestError, OpenWallet, SystemClock
from creditcore.testing.memory import MemoryTransactions
from creditcore.usecases.books.grant_credits import MAX_GRANT


def test_a_number_with_digits_too_many_is_refused() -> None:
    store = MemoryTransactions()
    OpenWallet(transactions=store).open("acme")
    grants = GrantCredits(transactions=store, clock=SystemClock())

    with pytest.raises(InvalidRequestError, match="10,000,000,000 credits at most"):
        grants.grant("acme", MAX_GRANT + Credits(1), reason="Invoice", reference="1")

    grants.grant("acme", MAX_GRANT, reason="Invoice", reference="1")
    assert store.committed.wallets["acme"].posted == MAX_GRANT
