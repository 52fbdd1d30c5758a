"""A newcomer gets everything once, however often they come at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from creditcore import Credits
from creditcore.domain.errors import ReferenceConflictError
from creditcore.ports.identity import Identity
from creditcore.ports.transactions import Transaction
from creditcore.testing.memory import FixedClock, MemoryTransactions, SequentialIds
from creditcore.usecases.welcome_person import WelcomePerson

AMINA = Identity(subject="p-1", email="amina@example.com", email_verified=True)


def test_who_signs_in_twice_at_once_is_welcome_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryTransactions()
    welcome = WelcomePerson(
        transactions=store, clock=FixedClock(), ids=SequentialIds(), signup_credits=Credits.of(200)
    )
    begin = store.begin

    @contextmanager
    def late() -> Iterator[Transaction]:
        """Let somebody else be first with all of it, once."""
        monkeypatch.setattr(store, "begin", begin)
        welcome.welcome(AMINA)
        with begin() as tx:

            def taken() -> None:
                raise ReferenceConflictError(AMINA.subject)

            tx.commit = taken  # type: ignore[method-assign]
            yield tx

    monkeypatch.setattr(store, "begin", late)

    assert welcome.welcome(AMINA).email == AMINA.email
    [wallet] = store.committed.wallets.values()
    assert wallet.posted == Credits.of(200)
