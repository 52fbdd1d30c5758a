"""What is sold: the model server's list, under rules that begin, end and outweigh each other."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from creditcore import Credits, ModelPrice, Rates, Tariff, Usage
from creditcore.domain.catalogue import PriceRule, RuleKind, flat_rates
from creditcore.domain.errors import (
    InvalidRequestError,
    ModelNotFoundError,
    PriceRuleNotFoundError,
    UpstreamUnavailableError,
)
from creditcore.domain.pricing import Tier
from creditcore.domain.units import Unit, UnitPrice
from creditcore.ports.model_gateway import Catalogue
from creditcore.testing.memory import FixedClock, MemoryModelGateway, MemoryTransactions
from creditcore.usecases.calls.keep_catalogue import KeepCatalogue
from creditcore.usecases.calls.price_list import FRESH_FOR_S, PriceList

RATES = Rates(
    input=100, output=200, cache_read=10, cache_write=100, cache_write_1h=100, reasoning=200
)
OWN = replace(RATES, input=7)
DAY = timedelta(days=1)


class Shop:
    """A model server with three models, and the price list over it."""

    def __init__(self) -> None:
        self.store, self.clock = MemoryTransactions(), FixedClock()
        tiered = ModelPrice(model="gpt-4o", rates=RATES, tiers=(Tier(9, OWN),), max_input_tokens=8)
        models = [
            tiered,
            ModelPrice(model="gpt-4o-mini", rates=RATES),
            ModelPrice(model="o", rates=RATES),
        ]
        self.gateway = MemoryModelGateway(models, unpriced=["dud"])
        self.prices = PriceList(transactions=self.store, gateway=self.gateway, clock=self.clock)
        self.catalogue: KeepCatalogue = self.prices.catalogue
        self.prices.refresh()
        self.rules = 0

    def rule(self, kind: RuleKind, name: str, /, **more: object) -> PriceRule:
        self.rules += 1
        rule = PriceRule(
            id=f"rule-{self.rules}",
            kind=kind,
            pattern=name,
            created_at=self.clock.now() + timedelta(seconds=self.rules),
        )
        return replace(rule, **more)

    def add(self, kind: RuleKind, pattern: str, **more: object) -> PriceRule:
        rule = self.rule(kind, pattern, **more)
        self.catalogue.add(rule)
        return rule

    def price(self, model: str) -> ModelPrice:
        """Return a price as any process sees it soon."""
        self.clock.advance(timedelta(seconds=FRESH_FOR_S))
        return self.prices.find(model)

    def alerts(self, kind: str) -> list[str]:
        with self.store.begin() as tx:
            found = tx.alerts.recent(limit=100, only_open=True)
        return sorted(alert.key for alert in found if alert.kind == kind)


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_an_override_is_flat_and_keeps_what_the_model_can_do(shop: Shop) -> None:
    shop.add(RuleKind.OVERRIDE, "gpt-4o", rates=OWN)

    price = shop.price("gpt-4o")
    assert (price.rates, price.tiers, price.max_input_tokens) == (OWN, (), 8)
    assert shop.price("gpt-4o-mini").rates == RATES


def test_a_model_without_a_price_is_sold_by_an_override(shop: Shop) -> None:
    assert shop.alerts("unpriced-model") == ["unpriced-model:dud"]
    with pytest.raises(ModelNotFoundError):
        shop.price("dud")

    shop.add(RuleKind.OVERRIDE, "dud", rates=replace(RATES, input=0))
    shop.prices.refresh()

    assert shop.price("dud").rates.input == 0
    assert shop.alerts("unpriced-model") == []


def test_an_override_by_a_unit_leaves_models_of_other_kinds_alone(shop: Shop) -> None:
    # Of an answer in words LiteLLM counts no images: without tokens' prices it would be free.
    shop.gateway.prices = [
        *shop.gateway.prices,
        ModelPrice(model="painter", rates=RATES, mode="image_generation"),
    ]
    shop.prices.refresh()
    nothing = flat_rates(read=0, written=0)
    each = UnitPrice(Unit.IMAGE, 7)

    shop.add(RuleKind.OVERRIDE, "*", rates=nothing, unit=each)
    shop.prices.refresh()

    assert shop.price("gpt-4o").rates == RATES
    assert (shop.price("painter").rates, shop.price("painter").unit) == (nothing, each)
    # It had no price at all; requests for words to it are refused from now on.
    assert (shop.price("dud").mode, shop.price("dud").unit) == ("image_generation", each)
    [change] = shop.catalogue.preview(shop.rule(RuleKind.OVERRIDE, "painter", rates=OWN))
    assert change.after is not None
    assert change.after.unit is None


def test_a_hidden_model_is_not_sold_whatever_else_is_said(shop: Shop) -> None:
    shop.add(RuleKind.HIDE, "gpt-*")
    shop.add(RuleKind.OVERRIDE, "gpt-4o", rates=OWN)

    assert [price.model for price in shop.prices.all()] == ["o"]
    assert [each.model for each in shop.catalogue.unsold()] == ["dud", "gpt-4o", "gpt-4o-mini"]


def test_the_name_counts_before_patterns_and_the_longer_before_the_shorter(shop: Shop) -> None:
    shop.add(RuleKind.MARKUP, "gpt-4o", factor="4")
    shop.add(RuleKind.MARKUP, "gpt-4o*", factor="3")
    shop.add(RuleKind.MARKUP, "*", factor="2")

    assert [shop.price(model).markup for model in ("gpt-4o", "gpt-4o-mini", "o")] == ["4", "3", "2"]


def test_a_markup_raises_the_charge_and_not_the_providers_cost(shop: Shop) -> None:
    plain = shop.price("o")
    shop.add(RuleKind.MARKUP, "o", factor="1.5")
    marked, tariff = shop.price("o"), Tariff(1, 1, "1")
    usage = Usage(prompt_tokens=1, completion_tokens=1)

    assert marked.snapshot == plain.snapshot
    assert marked.cost(usage, marked.tariff(tariff)).microcredits == 450
    assert marked.cost_units(usage) == plain.cost_units(usage) == 300
    assert marked.tariff(tariff).multiplier == "1.5"
    assert marked.tariff(tariff).charge(100) == Credits(150)


def test_a_rule_ends_by_itself_also_while_the_model_server_is_away(shop: Shop) -> None:
    shop.add(RuleKind.OVERRIDE, "o", rates=OWN, ends_at=shop.clock.now() + DAY)
    shop.gateway.available = False
    assert shop.price("o").rates == OWN

    shop.clock.advance(DAY)
    with pytest.raises(UpstreamUnavailableError):
        shop.prices.refresh()

    assert shop.price("o").rates == RATES


def test_a_preview_changes_nothing_and_says_what_would(shop: Shop) -> None:
    rule = shop.rule(RuleKind.HIDE, "gpt-4o*")
    would = shop.catalogue.preview(rule)

    assert [(each.model, each.after) for each in would] == [("gpt-4o", None), ("gpt-4o-mini", None)]
    assert len(shop.prices.all()) == 3
    assert shop.catalogue.add(rule) == would
    assert [each.model for each in shop.catalogue.preview(ending=rule.id)] == [
        "gpt-4o",
        "gpt-4o-mini",
    ]


def test_every_change_is_kept_with_who_made_it(shop: Shop) -> None:
    rule = shop.add(RuleKind.OVERRIDE, "o", rates=OWN)
    shop.catalogue.end(rule.id)
    assert shop.catalogue.end(rule.id) == []

    rates = [each.price and each.price.rates for each in shop.catalogue.history("o")]
    assert rates == [RATES, OWN, RATES]
    with shop.store.begin() as tx:
        acts = [each.act for each in tx.activity.recent(limit=5)]
    assert acts == ["price_rule.ended", "price_rule.added"]


def test_a_list_that_has_not_changed_leaves_no_history(shop: Shop) -> None:
    shop.prices.refresh()

    assert len(shop.catalogue.history("o")) == 1


def test_a_model_that_is_gone_and_one_that_will_be_raise_alerts(shop: Shop) -> None:
    soon = shop.clock.now().date() + timedelta(days=10)
    shop.gateway.prices = [
        ModelPrice(model="gpt-4o", rates=RATES, retires_on=soon),
        ModelPrice(model="o", rates=RATES, retires_on=date(2100, 1, 1)),
    ]
    shop.prices.refresh()
    shop.prices.refresh()

    today = f"{shop.clock.now():%Y-%m-%d}"
    assert shop.alerts("model_gone") == [f"model_gone:gpt-4o-mini:{today}"]
    assert shop.alerts("model_retires") == [f"model_retires:gpt-4o:{soon}"]


@pytest.mark.parametrize(
    ("kind", "more", "param"),
    [
        (RuleKind.OVERRIDE, {}, "rates"),
        (RuleKind.HIDE, {"rates": OWN}, "rates"),
        (RuleKind.HIDE, {"unit": UnitPrice(Unit.IMAGE, 7)}, "unit"),
        (RuleKind.MARKUP, {"factor": "0"}, "factor"),
        (RuleKind.MARKUP, {"factor": "101"}, "factor"),
        (RuleKind.MARKUP, {"factor": "dear"}, "factor"),
        (RuleKind.HIDE, {"pattern": ""}, "pattern"),
        (RuleKind.HIDE, {"pattern": "a\nb"}, "pattern"),
        (RuleKind.HIDE, {"reason": "x" * 501}, "reason"),
        (RuleKind.HIDE, {"ends_at": FixedClock().now() - DAY}, "ends_at"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(
    shop: Shop, kind: RuleKind, more: dict[str, object], param: str
) -> None:
    rule = shop.rule(kind, "o", **more)

    for use in (shop.catalogue.add, shop.catalogue.preview):
        with pytest.raises(InvalidRequestError) as refused:
            use(rule)
        assert refused.value.param == param


def test_a_rule_that_is_not_there_cannot_end(shop: Shop) -> None:
    with pytest.raises(PriceRuleNotFoundError):
        shop.catalogue.end("rule-9")


def test_why_a_model_is_not_sold_is_said(shop: Shop) -> None:
    catalogue = Catalogue([shop.price("o")], ["dud"], {"dud": "its price x is not understood"})
    shop.catalogue.take(catalogue)

    with shop.store.begin() as tx:
        alert = tx.alerts.lock("unpriced-model:dud")
    assert alert is not None
    assert shop.catalogue.unsold()[0].fault == "its price x is not understood"
