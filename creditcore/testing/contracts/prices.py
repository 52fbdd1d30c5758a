"""The price list."""

from __future__ import annotations

from dataclasses import replace

from creditcore.domain.pricing import ModelPrice, Rates, Tier
from creditcore.domain.units import Unit, UnitPrice
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import NOON


class PricesContract:
    """The price list."""

    def test_a_new_list_replaces_the_old_one(self, transactions: Transactions) -> None:
        rates = Rates(
            input=15 * 10**22,
            output=10**30,
            cache_read=1,
            cache_write=0,
            cache_write_1h=3,
            reasoning=10**36,
        )
        price = ModelPrice(
            model="claude/sonnet 4.5",
            rates=rates,
            tiers=(Tier(200_000, replace(rates, input=7)),),
            max_input_tokens=200_000,
            max_output_tokens=None,
            mode="chat",
            features=frozenset({"vision", "reasoning"}),
            unit=UnitPrice(Unit.IMAGE_TOKEN, 4 * 10**25),
        )
        with transactions.begin() as tx:
            tx.prices.replace_all([replace(price, model="gone"), price], at=NOON)
            tx.commit()

        with transactions.begin() as tx:
            tx.prices.replace_all([price], at=NOON)
            tx.commit()

        with transactions.begin() as tx:
            assert tx.prices.all() == [price]

    def test_a_price_can_be_found_after_it_has_changed(self, transactions: Transactions) -> None:
        rates = Rates(
            input=1, output=2, cache_read=3, cache_write=4, cache_write_1h=5, reasoning=10**36
        )
        old = ModelPrice(
            model="demo",
            rates=rates,
            tiers=(Tier(10, replace(rates, input=9)),),
            unit=UnitPrice(Unit.IMAGE, 6),
        )
        new = replace(old, rates=replace(rates, output=7))

        for price in (old, new, new):
            with transactions.begin() as tx:
                tx.prices.replace_all([price], at=NOON)
                tx.commit()

        with transactions.begin() as tx:
            found = tx.prices.find_snapshot(old.snapshot)
            assert tx.prices.find_snapshot("unknown") is None
        assert found is not None
        assert (found.rates, found.tiers, found.unit) == (old.rates, old.tiers, old.unit)
        assert new.snapshot != old.snapshot
