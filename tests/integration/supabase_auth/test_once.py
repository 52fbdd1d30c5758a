"""Claims that see to it that things happen once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from adapters.supabase_auth.once import CODE_LIFE, GUESS_WINDOW, MAX_GUESSES, Once
from creditcore.domain.errors import CodeRefusedError, TooManyAttemptsError
from creditcore.testing.memory import MemoryTransactions


@dataclass
class SetClock:
    at: datetime = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


def test_a_secret_is_used_once_and_is_not_stored() -> None:
    store = MemoryTransactions()
    once = Once(store, SetClock())

    with once.use("code", "123456", life=CODE_LIFE) as first:
        pass
    with once.use("code", "123456", life=CODE_LIFE) as second:
        pass

    assert (first, second) == (True, False)
    assert not any("123456" in name for name in store.committed.claims)


def test_what_was_refused_may_be_tried_again() -> None:
    once = Once(MemoryTransactions(), SetClock())

    with pytest.raises(CodeRefusedError), once.use("code", "123456", life=CODE_LIFE):
        raise CodeRefusedError
    with once.use("code", "123456", life=CODE_LIFE) as again:
        pass

    assert again


def test_guesses_are_bounded_until_a_right_one_or_the_end_of_the_window() -> None:
    clock = SetClock()
    once = Once(MemoryTransactions(), clock)

    for _ in range(MAX_GUESSES):
        with pytest.raises(CodeRefusedError), once.guess("totp", "anna"):
            raise CodeRefusedError
    with pytest.raises(TooManyAttemptsError), once.guess("totp", "anna"):
        pass
    with once.guess("totp", "eve"):
        pass
    clock.at += GUESS_WINDOW
    with once.guess("totp", "anna"):
        pass


def test_claims_that_are_over_are_forgotten() -> None:
    clock, store = SetClock(), MemoryTransactions()
    once = Once(store, clock)
    for number in range(20):
        with once.use("code", f"{number}", life=CODE_LIFE):
            clock.at += timedelta(seconds=1)

    clock.at += CODE_LIFE
    with once.use("code", "last", life=CODE_LIFE):
        pass

    with store.begin() as tx:
        assert tx.claims.forget(now=clock.at, limit=100) == 0
    assert sum(len(ends) for ends in store.committed.claims.values()) == 1
