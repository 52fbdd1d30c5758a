"""How much was given away on one day."""

from __future__ import annotations

from datetime import date

from creditcore.domain.money import Credits
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import at_once

_TODAY, _TOMORROW = date(2026, 11, 29), date(2026, 11, 30)


class DailyGrantsContract:
    """What newcomers got, by day."""

    def test_a_day_has_an_end(self, transactions: Transactions) -> None:
        with transactions.begin() as tx:
            claims = [
                tx.daily_grants.claim(day, Credits.of(200), at_most=Credits.of(500))
                for day in (_TODAY, _TODAY, _TODAY, _TOMORROW)
            ]
            rest = tx.daily_grants.claim(_TODAY, Credits.of(100), at_most=Credits.of(500))
            too_much = tx.daily_grants.claim(_TOMORROW, Credits.of(501), at_most=Credits.of(500))

        assert claims == [True, True, False, True]
        assert rest
        assert not too_much

    def test_what_is_not_committed_does_not_count(self, transactions: Transactions) -> None:
        for _ in range(2):
            with transactions.begin() as tx:
                assert tx.daily_grants.claim(_TODAY, Credits.of(200), at_most=Credits.of(200))

    def test_of_many_at_once_those_get_it_whose_sum_fits(self, transactions: Transactions) -> None:
        def claim(_: int) -> bool:
            with transactions.begin() as tx:
                fits = tx.daily_grants.claim(_TODAY, Credits.of(200), at_most=Credits.of(500))
                tx.commit()
            return fits

        assert sorted(map(str, at_once(5, claim))) == ["False"] * 3 + ["True"] * 2
