"""What every store promises of who is mailed each week."""

from __future__ import annotations

from creditcore.domain.people import Person
from creditcore.domain.weekly_summary import WeeklySummary
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import MINUTE, NOON


def wishing(transactions: Transactions, name: str, *, minutes: int = 0) -> WeeklySummary:
    """Store a person who wants the summary, due so many minutes after noon."""
    summary = WeeklySummary(person_id=name, due_at=NOON + minutes * MINUTE)
    with transactions.begin() as tx:
        tx.people.add(Person(id=name, email=f"{name}@example.com", created_at=NOON))
        tx.weekly_summaries.save(summary)
        tx.commit()
    return summary


class WeeklySummariesContract:
    """A subclass provides the ``transactions`` fixture."""

    def test_a_wish_comes_back_as_it_was_saved(self, transactions: Transactions) -> None:
        first = wishing(transactions, "amina")
        later = WeeklySummary(person_id="amina", due_at=NOON + MINUTE)
        with transactions.begin() as tx:
            assert tx.weekly_summaries.find("amina") == first
            assert tx.weekly_summaries.find("brian") is None
            assert tx.weekly_summaries.lock("brian") is None
            tx.weekly_summaries.save(later)
            tx.commit()

        with transactions.begin() as tx:
            assert tx.weekly_summaries.lock("amina") == later

    def test_a_wish_is_forgotten(self, transactions: Transactions) -> None:
        wishing(transactions, "amina")
        kept = wishing(transactions, "brian")

        with transactions.begin() as tx:
            tx.weekly_summaries.remove("amina")
            tx.weekly_summaries.remove("amina")
            tx.commit()

        with transactions.begin() as tx:
            assert tx.weekly_summaries.find("amina") is None
            assert tx.weekly_summaries.due(now=NOON, limit=9) == [kept]

    def test_those_that_are_due_are_found_the_oldest_first(
        self, transactions: Transactions
    ) -> None:
        late = wishing(transactions, "amina", minutes=1)
        others = [wishing(transactions, name) for name in ("brian", "chen")]
        wishing(transactions, "dalia", minutes=2)

        with transactions.begin() as tx:
            found = tx.weekly_summaries.due(now=NOON + MINUTE, limit=9)
            first = tx.weekly_summaries.due(now=NOON + MINUTE, limit=1)
        assert found == [*others, late]
        assert first == others[:1]
