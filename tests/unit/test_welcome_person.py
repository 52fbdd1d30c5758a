"""A newcomer gets everything once, however often they come at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from creditcore import Credits
from creditcore.domain.errors import (
    AccountNotJoinedError,
    BadCredentialsError,
    ReferenceConflictError,
)
from creditcore.domain.identities import Identity
from creditcore.ports.transactions import Transaction
from creditcore.testing.memory import FixedClock, MemoryTransactions, SequentialIds
from creditcore.usecases.people.welcome_person import WelcomePerson

AMINA = Identity(subject="p-1", email="amina@example.com", email_verified=True)


def a_welcome(store: MemoryTransactions) -> WelcomePerson:
    return WelcomePerson(
        transactions=store, clock=FixedClock(), ids=SequentialIds(), signup_credits=Credits.of(200)
    )


def test_who_signs_in_twice_at_once_is_welcome_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryTransactions()
    welcome = a_welcome(store)
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


def end_sessions(store: MemoryTransactions) -> None:
    store.committed.people[AMINA.subject] = store.committed.people[AMINA.subject].end_sessions()


def test_who_was_recognised_before_all_sessions_ended_is_not_let_in() -> None:
    store = MemoryTransactions()
    welcome = a_welcome(store)
    recognised = replace(AMINA, session_epoch=0)
    welcome.welcome(recognised)
    end_sessions(store)

    with pytest.raises(BadCredentialsError):
        welcome.welcome(recognised)


def test_who_keeps_no_password_here_is_welcome_in_every_epoch() -> None:
    store = MemoryTransactions()
    welcome = a_welcome(store)
    welcome.welcome(AMINA)
    end_sessions(store)

    assert welcome.welcome(AMINA).session_epoch == 1


def test_a_day_gives_so_much_and_another_day_goes_on() -> None:
    store, clock = MemoryTransactions(), FixedClock()
    welcome = replace(a_welcome(store), clock=clock, credits_per_day=Credits.of(300))
    brian = replace(AMINA, subject="brian", email="brian@example.com")

    welcome.welcome(AMINA)
    welcome.welcome(brian)
    [alert] = store.committed.alerts.values()
    late = [str(wallet.posted) for wallet in store.committed.wallets.values()]
    clock.advance(timedelta(days=1))
    welcome.welcome(brian)
    welcome.welcome(AMINA)

    assert "used up" in alert.subject
    assert late == ["200", "0"]
    assert [str(wallet.posted) for wallet in store.committed.wallets.values()] == ["200", "200"]


def test_a_new_address_at_the_provider_is_theirs_here_too() -> None:
    store = MemoryTransactions()
    welcome = a_welcome(store)
    welcome.welcome(AMINA)
    welcome.welcome(replace(AMINA, subject="brian", email="brian@example.com"))

    moved = welcome.welcome(replace(AMINA, email="new@example.com"))
    unverified = welcome.welcome(replace(AMINA, email="x@example.com", email_verified=False))
    taken = welcome.welcome(replace(AMINA, email="brian@example.com"))

    assert moved.email == unverified.email == taken.email == "new@example.com"
    assert [alert.subject for alert in store.committed.alerts.values()] == [
        "An address belongs to two accounts"
    ]


def test_an_account_that_is_not_joined_is_explained_and_operators_are_told() -> None:
    store = MemoryTransactions()
    welcome = a_welcome(store)
    welcome.welcome(AMINA)

    with pytest.raises(AccountNotJoinedError):
        welcome.welcome(replace(AMINA, subject="another"))

    assert [alert.key for alert in store.committed.alerts.values()] == [
        "account_not_joined:another"
    ]
    assert list(store.committed.people) == [AMINA.subject]


def test_who_is_joined_comes_by_that_account_and_by_no_other() -> None:
    store = MemoryTransactions()
    welcome = a_welcome(store)
    amina = welcome.welcome(AMINA)
    store.committed.people[amina.id] = replace(amina, subject="theirs")

    assert welcome.welcome(replace(AMINA, subject="theirs")).id == amina.id
    with pytest.raises(BadCredentialsError):
        welcome.welcome(AMINA)


def test_an_account_of_our_own_goes_on_after_it_was_joined() -> None:
    store = MemoryTransactions()
    welcome = a_welcome(store)
    amina = welcome.welcome(AMINA)
    store.committed.people[amina.id] = replace(amina, subject="theirs")

    assert welcome.welcome(replace(AMINA, session_epoch=0)).id == amina.id


def test_who_is_blocked_is_not_welcome_whatever_the_provider_says() -> None:
    store = MemoryTransactions()
    welcome = a_welcome(store)
    amina = welcome.welcome(AMINA)
    store.committed.people[amina.id] = amina.block()

    with pytest.raises(BadCredentialsError):
        welcome.welcome(AMINA)
