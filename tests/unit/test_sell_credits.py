"""What is sold, to whom, how much of it, and never twice for one attempt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditcore import (
    ConfirmPayment,
    ConvertCurrency,
    Credits,
    ExchangeRate,
    FixedRates,
    Money,
    Payment,
    PaymentStatus,
    Purchase,
    PurchaseState,
    SaleTerms,
    SellCredits,
)
from creditcore.domain.errors import (
    CurrencyNotSoldError,
    InvalidRequestError,
    PaymentGatewayUnavailableError,
    PaymentRejectedError,
    PurchaseLimitError,
)
from creditcore.domain.people import Person
from creditcore.domain.sale_terms import MAX_CHECKOUTS_PER_DAY
from creditcore.ports.payments import CheckoutRequest
from creditcore.testing.contracts import NOON, a_wallet
from creditcore.testing.memory import (
    FixedClock,
    MemoryPaymentGateway,
    MemoryTransactions,
    SequentialIds,
)

RATES = {"KES": "129.5", "NGN": "1550", "XOF": "602.37"}
TERMS = SaleTerms(
    currencies=("USD", "KES", "NGN", "XOF", "GHS"),
    daily_limit=Money(5_000, "USD"),
    monthly_limit=Money(12_000, "USD"),
)


@dataclass
class Provider(MemoryPaymentGateway):
    """A payment provider that refuses, or does not answer."""

    refuses: bool = False
    silent: bool = False
    knows: bool = False

    def start_checkout(self, request: CheckoutRequest) -> str:
        url = super().start_checkout(request)
        if self.refuses:
            raise PaymentRejectedError("Currency not supported by merchant")
        if self.silent:
            if self.knows:
                self.payments[request.reference] = Payment(
                    reference=request.reference,
                    status=PaymentStatus.PENDING,
                    amount=request.amount,
                )
            raise PaymentGatewayUnavailableError("Nobody answers.")
        return url


@dataclass
class Shop:
    store: MemoryTransactions
    gateway: Provider
    clock: FixedClock
    sales: SellCredits
    buyer: Person

    def buy(self, usd: int = 10, *, attempt: str = "", currency: str = "USD") -> Purchase:
        offer = self.sales.offer(Money(usd * 100, "USD"), currency)
        return self.sales.start(
            self.buyer,
            offer,
            attempt=attempt,
            return_url="https://shop.example/back",
            cancel_url="https://shop.example/cancel",
        )

    def stored(self) -> list[Purchase]:
        return list(self.store.committed.purchases.values())

    def put(self, purchase: Purchase, **changes: Any) -> None:
        with self.store.begin() as tx:
            tx.purchases.save(replace(purchase, **changes))
            tx.commit()


def a_shop(terms: SaleTerms = TERMS) -> Shop:
    store, gateway, clock = MemoryTransactions(), Provider(), FixedClock(NOON)
    wallet = a_wallet(store)
    rates = tuple(ExchangeRate.parse(rate, base="USD", quote=code) for code, rate in RATES.items())
    payments = ConfirmPayment(transactions=store, gateway=gateway, clock=clock)
    sales = SellCredits(
        transactions=store,
        gateway=gateway,
        payments=payments,
        converter=ConvertCurrency(rates=FixedRates(rates)),
        clock=clock,
        ids=SequentialIds(),
        terms=terms,
    )
    return Shop(
        store,
        gateway,
        clock,
        sales,
        Person(id=wallet.owner_id, email="amina@example.com", created_at=NOON),
    )


@pytest.fixture
def shop() -> Shop:
    return a_shop()


# -- offers ------------------------------------------------------------------------------------


@given(cents=st.integers(200, 100_000), currency=st.sampled_from(["USD", "KES", "NGN", "XOF"]))
def test_credits_do_not_depend_on_the_currency(cents: int, currency: str) -> None:
    offer = a_shop().sales.offer(Money(cents, "USD"), currency)

    assert offer.price.currency == currency
    assert offer.credits == Credits.of(2 * cents)
    assert offer.sold == Credits.of(cents)


@given(units=st.integers(100, 100_000), currency=st.sampled_from(["KES", "NGN"]))
def test_a_price_buys_its_value_to_the_microcredit(units: int, currency: str) -> None:
    price = Money(units * 100, currency)

    offer = a_shop().sales.offer_for(price)

    rate = ExchangeRate.parse(RATES[currency], base="USD", quote=currency)
    assert offer.price == price
    exact = price.minor_units * rate.denominator * 10**6 // rate.numerator
    assert offer.sold.microcredits == exact
    assert offer.bonus == offer.sold
    assert offer.value.minor_units == exact // 10**6


def test_plans_are_those_of_the_terms(shop: Shop) -> None:
    assert [offer.price for offer in shop.sales.plans()] == [
        Money(500, "USD"),
        Money(1_500, "USD"),
        Money(2_000, "USD"),
    ]
    assert [offer.price for offer in shop.sales.plans("KES")] == [
        Money(64_800, "KES"),
        Money(194_300, "KES"),
        Money(259_000, "KES"),
    ]


@pytest.mark.parametrize("currency", ["EUR", "", "kes", "ZAR"])
def test_what_is_not_sold_is_refused(shop: Shop, currency: str) -> None:
    with pytest.raises(CurrencyNotSoldError):
        shop.sales.offer(Money(1000, "USD"), currency or "None")


def test_a_currency_without_a_rate_is_not_sold_now(shop: Shop) -> None:
    with pytest.raises(CurrencyNotSoldError, match="GHS is not possible now"):
        shop.sales.offer(Money(1000, "USD"), "GHS")


@pytest.mark.parametrize(
    "price",
    [
        Money(99, "USD"),
        Money(100_001, "USD"),
        Money(65_050, "KES"),
        Money(13_000_000, "KES"),
        Money(2**62 // 100 * 100, "KES"),
    ],
    ids=str,
)
def test_amounts_out_of_bounds_are_refused(shop: Shop, price: Money) -> None:
    with pytest.raises(InvalidRequestError):
        shop.sales.offer_for(price)


# -- attempts ----------------------------------------------------------------------------------


def test_a_purchase_is_stored_before_the_provider_hears_of_it(shop: Shop) -> None:
    heard: list[Purchase] = []

    class Watchful(Provider):
        def start_checkout(self, request: CheckoutRequest) -> str:
            # Transactions do not nest: this would fail if the one that stores it were open.
            with shop.store.begin() as tx:
                heard.append(tx.purchases.find(request.reference))
            return super().start_checkout(request)

    shop.sales = replace(shop.sales, gateway=Watchful())

    bought = shop.buy()

    [stored] = heard
    assert stored == replace(bought, checkout_url="")
    assert (stored.owner_id, stored.state) == (shop.buyer.id, PurchaseState.PENDING)


def test_every_start_without_a_name_is_a_purchase(shop: Shop) -> None:
    assert shop.buy().reference != shop.buy().reference


def test_an_attempt_is_bought_once(shop: Shop) -> None:
    first, again = shop.buy(attempt="form-1"), shop.buy(attempt="form-1")

    assert again == first
    assert list(shop.gateway.checkouts) == [first.reference]


@pytest.mark.parametrize(
    "other", [{"attempt": "form-2"}, {"usd": 20}, {"currency": "KES"}], ids=str
)
def test_another_form_amount_or_currency_is_another_attempt(
    shop: Shop, other: dict[str, Any]
) -> None:
    asked: dict[str, Any] = {"attempt": "form-1", "usd": 10}

    first, second = shop.buy(**asked), shop.buy(**(asked | other))

    assert first.reference != second.reference


def test_an_attempt_of_another_person_is_theirs(shop: Shop) -> None:
    first = shop.buy(attempt="form-1")
    with shop.store.begin() as tx:
        wallet = replace(tx.ledger.find_wallet(first.wallet_id), id="wallet-2", owner_id="p-2")
        tx.ledger.add_wallet(wallet)
        tx.commit()
    shop.buyer = replace(shop.buyer, id="p-2")

    assert shop.buy(attempt="form-1").reference != first.reference


def test_a_repeat_of_a_paid_attempt_is_the_paid_purchase(shop: Shop) -> None:
    first = shop.buy(attempt="form-1")
    shop.put(first, state=PurchaseState.PAID, paid=first.offer.price, closed_at=NOON)

    assert shop.buy(attempt="form-1").state is PurchaseState.PAID


# -- a provider that does not answer -----------------------------------------------------------


def test_what_the_provider_never_heard_of_has_failed(shop: Shop) -> None:
    shop.gateway.silent = True

    with pytest.raises(PaymentGatewayUnavailableError):
        shop.buy()

    [purchase] = shop.stored()
    assert purchase.state is PurchaseState.FAILED
    assert len(shop.gateway.checkouts) == 1


def test_what_the_provider_may_have_begun_is_still_awaited(shop: Shop) -> None:
    shop.gateway.silent = shop.gateway.knows = True

    with pytest.raises(PaymentGatewayUnavailableError):
        shop.buy()

    [purchase] = shop.stored()
    assert purchase.state is PurchaseState.PENDING
    assert len(shop.gateway.checkouts) == 1


def test_a_refusal_is_kept_with_its_reason(shop: Shop) -> None:
    shop.gateway.refuses = True

    with pytest.raises(PaymentRejectedError):
        shop.buy()

    [purchase] = shop.stored()
    assert purchase.state is PurchaseState.FAILED
    assert purchase.review_reason == "Currency not supported by merchant"


# -- caps --------------------------------------------------------------------------------------


def test_one_person_buys_so_much_a_day_and_no_more(shop: Shop) -> None:
    for _ in range(5):
        shop.buy(10)

    with pytest.raises(PurchaseLimitError, match="24 hours"):
        shop.buy(10)

    assert len(shop.stored()) == 5
    assert len(shop.gateway.checkouts) == 5


def test_what_was_not_paid_in_time_does_not_count(shop: Shop) -> None:
    for _ in range(5):
        shop.buy(10)
    shop.clock.advance(timedelta(minutes=30))

    shop.buy(50)

    assert len(shop.stored()) == 6


def test_what_was_paid_counts_for_a_month(shop: Shop) -> None:
    for _ in range(2):
        purchase = shop.buy(50)
        shop.put(purchase, state=PurchaseState.PAID, paid=purchase.offer.price, closed_at=NOON)
        shop.clock.advance(timedelta(days=2))

    with pytest.raises(PurchaseLimitError, match="30 days"):
        shop.buy(50)
    shop.buy(20)
    shop.clock.advance(timedelta(days=29))
    shop.buy(50)


def test_checkouts_that_fail_are_counted_too(shop: Shop) -> None:
    """A stolen card is tried with many small payments, of which most are declined."""
    for _ in range(MAX_CHECKOUTS_PER_DAY):
        purchase = shop.buy(2)
        shop.put(purchase, state=PurchaseState.FAILED, closed_at=NOON)

    with pytest.raises(PurchaseLimitError):
        shop.buy(2)


def test_a_purchase_for_a_team_funds_its_wallet_and_counts_to_its_caps(shop: Shop) -> None:
    team = a_wallet(shop.store, wallet_id="wallet-of-team")
    offer = shop.sales.offer(Money(4_000, "USD"), "USD")

    def buy(owner_id: str) -> Purchase:
        return shop.sales.start(
            shop.buyer,
            offer,
            attempt="once",
            owner_id=owner_id,
            return_url="https://shop.example/back",
            cancel_url="https://shop.example/no",
        )

    bought, own = buy(team.owner_id), buy("")

    assert buy(team.owner_id).reference == bought.reference != own.reference
    assert (bought.owner_id, bought.wallet_id) == (team.owner_id, team.id)
    assert bought.email == shop.buyer.email
    assert own.owner_id == shop.buyer.id
