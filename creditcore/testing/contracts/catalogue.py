"""What prices are made from."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from creditcore.domain.catalogue import ListedModel, PriceChange, PriceRule, RuleKind
from creditcore.domain.errors import ReferenceConflictError
from creditcore.domain.pricing import ModelPrice, Rates, Tier
from creditcore.domain.units import Unit, UnitPrice
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import NOON

RATES = Rates(input=10**36, output=2, cache_read=1, cache_write=4, cache_write_1h=5, reasoning=2)
PRICE = ModelPrice(
    model="demo",
    rates=RATES,
    tiers=(Tier(1000, replace(RATES, input=9)),),
    max_input_tokens=7,
    features=frozenset({"vision"}),
    retires_on=date(2027, 1, 31),
)


class CatalogueContract:
    """What every store promises about the list, the rules and the history."""

    def test_a_list_replaces_the_one_before(self, transactions: Transactions) -> None:
        image = ModelPrice(
            model="image", rates=RATES, unit=UnitPrice(Unit.IMAGE, 10**28), mode="image_generation"
        )
        listed = [
            ListedModel(model="demo", price=PRICE),
            ListedModel(model="dud", fault="it has no price"),
            ListedModel(model="image", price=image),
        ]
        for models in ([ListedModel(model="gone", price=PRICE)], listed):
            with transactions.begin() as tx:
                tx.catalogue.lock()
                tx.catalogue.keep_listed(models, at=NOON)
                tx.commit()

        with transactions.begin() as tx:
            assert list(tx.catalogue.listed()) == listed
            assert tx.catalogue.listed_at() == NOON

    def test_rules_are_kept_and_ended(self, transactions: Transactions) -> None:
        override = PriceRule(
            id="rule-1",
            kind=RuleKind.OVERRIDE,
            pattern="gpt-*",
            rates=RATES,
            unit=UnitPrice(Unit.MILLISECOND, 10**23),
            reason="Agreed with the provider.",
            created_at=NOON,
            created_by="person-1",
            ends_at=NOON + timedelta(days=1),
        )
        markup = PriceRule(
            id="rule-2",
            kind=RuleKind.MARKUP,
            pattern="demo",
            factor="1.25",
            created_at=NOON + timedelta(hours=1),
        )
        with transactions.begin() as tx:
            tx.catalogue.add_rule(override)
            tx.catalogue.add_rule(markup)
            tx.commit()
        with transactions.begin() as tx:
            tx.catalogue.save_rule(override.end(at=NOON))
            tx.commit()

        with transactions.begin() as tx:
            assert list(tx.catalogue.rules()) == [markup, override.end(at=NOON)]
        with pytest.raises(ReferenceConflictError), transactions.begin() as tx:
            tx.catalogue.add_rule(markup)
            tx.commit()

    def test_history_is_appended(self, transactions: Transactions) -> None:
        sold = replace(PRICE, markup="1.5", features=frozenset(), max_input_tokens=None)
        sold = replace(sold, retires_on=None)
        for change in (
            PriceChange(model="demo", before=None, after=sold),
            PriceChange(model="demo", before=sold, after=None),
        ):
            with transactions.begin() as tx:
                tx.prices.replace_all([sold], at=NOON)
                tx.catalogue.note([change], at=NOON)
                tx.commit()

        with transactions.begin() as tx:
            found = tx.catalogue.history("demo", limit=10)
            assert len(tx.catalogue.history("demo", limit=1)) == 1
            assert not tx.catalogue.history("other", limit=1)
        assert [each.price for each in found] == [None, sold]
        assert {each.at for each in found} == {NOON}
