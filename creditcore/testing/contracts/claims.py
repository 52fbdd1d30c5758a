"""What every store promises of claims."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from creditcore.ports.transactions import Transactions

NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=15)


def take(transactions: Transactions, name: str, *, now: datetime = NOW, places: int = 1) -> bool:
    """Take a place, and commit."""
    with transactions.begin() as tx:
        taken = tx.claims.take(name, now=now, until=now + timedelta(minutes=15), places=places)
        tx.commit()
    return taken


class ClaimsContract:
    """A subclass provides the ``transactions`` fixture."""

    def test_a_name_is_taken_once(self, transactions: Transactions) -> None:
        assert take(transactions, "link:1")
        assert not take(transactions, "link:1")
        assert take(transactions, "link:2")

    def test_there_are_as_many_places_as_are_said(self, transactions: Transactions) -> None:
        assert [take(transactions, "guess:1", places=3) for _ in range(4)] == [True] * 3 + [False]

    def test_a_place_becomes_free_when_its_time_is_over(self, transactions: Transactions) -> None:
        take(transactions, "link:1")

        assert not take(transactions, "link:1", now=LATER - timedelta(microseconds=1))
        assert take(transactions, "link:1", now=LATER)

    def test_releasing_frees_every_place(self, transactions: Transactions) -> None:
        take(transactions, "guess:1", places=2)
        take(transactions, "guess:1", places=2)

        with transactions.begin() as tx:
            tx.claims.release("guess:1")
            tx.claims.release("never taken")
            tx.commit()

        assert take(transactions, "guess:1", places=2)

    def test_an_uncommitted_claim_is_forgotten(self, transactions: Transactions) -> None:
        with transactions.begin() as tx:
            tx.claims.take("link:1", now=NOW, until=LATER)

        assert take(transactions, "link:1")

    def test_what_is_over_is_deleted_a_little_at_a_time(self, transactions: Transactions) -> None:
        for number in range(3):
            take(transactions, f"link:{number}")
        take(transactions, "link:new", now=LATER)

        with transactions.begin() as tx:
            deleted = [tx.claims.forget(now=LATER, limit=2) for _ in range(3)]
            tx.commit()

        assert deleted == [2, 1, 0]
        assert not take(transactions, "link:new", now=LATER)

    def test_of_many_at_once_as_many_win_as_there_are_places(
        self, transactions: Transactions
    ) -> None:
        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(lambda _: take(transactions, "guess:1", places=3), range(8)))

        assert sum(won) == 3
