"""What happened to an account is noted for its owner, and no stranger can fill the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from creditcore.domain.activity import VISITOR, Act, Actor
from creditcore.domain.errors import StoreUnavailableError
from creditcore.domain.people import Person
from creditcore.ports.transactions import Transaction
from creditcore.testing.memory import FixedClock, MemoryTransactions
from creditcore.usecases.people.security_log import FAILURES_NOTED, SecurityLog

STRANGER = Actor(id=VISITOR, address="198.51.100.7", user_agent="curl/8")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def log(clock: FixedClock) -> SecurityLog:
    store = MemoryTransactions()
    store.committed.people["p-1"] = Person(
        id="p-1", email="amina@example.com", created_at=clock.now()
    )
    return SecurityLog(transactions=store, clock=clock)


def acts(log: SecurityLog) -> list[str]:
    return [found.act for found in log.recent("p-1", limit=100)]


def test_a_wrong_password_is_noted_with_where_it_came_from(log: SecurityLog) -> None:
    log.note_failed_sign_in(" Amina@Example.com", actor=STRANGER, step="password")

    [found] = log.recent("p-1", limit=100)
    assert (found.act, found.actor, found.after) == (
        Act.SIGN_IN_FAILED,
        STRANGER,
        {"step": "password"},
    )


@pytest.mark.parametrize("email", ["nobody@example.com", "no address", ""])
def test_an_address_without_an_account_leaves_nothing(log: SecurityLog, email: str) -> None:
    log.note_failed_sign_in(email, actor=STRANGER, step="password")

    with log.transactions.begin() as tx:
        assert tx.activity.recent(limit=10) == []


def test_strangers_cannot_fill_the_log_of_an_account(log: SecurityLog, clock: FixedClock) -> None:
    for _ in range(FAILURES_NOTED + 5):
        log.note_failed_sign_in("amina@example.com", actor=STRANGER, step="password")
    assert acts(log) == [Act.SIGN_IN_FAILED] * FAILURES_NOTED

    clock.advance(timedelta(hours=1))
    log.note_failed_sign_in("amina@example.com", actor=STRANGER, step="password")

    assert len(acts(log)) == FAILURES_NOTED + 1


def test_what_the_owner_has_no_use_for_is_left_out(log: SecurityLog) -> None:
    log.note(Act.PASSWORD_CHANGED, "p-1", actor=STRANGER)
    log.note(Act.CREDITS_GRANTED, "p-1", actor=STRANGER)

    assert acts(log) == [Act.PASSWORD_CHANGED]


def test_noting_never_fails(log: SecurityLog, caplog: pytest.LogCaptureFixture) -> None:
    @contextmanager
    def away() -> Iterator[Transaction]:
        raise StoreUnavailableError
        yield

    log.transactions.begin = away  # type: ignore[method-assign]

    log.note(Act.RECOVERY_CODES_RENEWED, "p-1", actor=STRANGER)
    log.note_failed_sign_in("amina@example.com", actor=STRANGER, step="password")
    log.note_failure(Act.PROOF_FAILED, "p-1", actor=STRANGER)

    assert caplog.text.count("missing in the activity log") == 3
