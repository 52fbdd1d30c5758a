"""A verified payment is compared with the stored offer, and grants exactly that or nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditcore import (
    Credits,
    ExchangeRate,
    Money,
    Offer,
    Payment,
    PaymentStatus,
    PlatformAccount,
    Purchase,
    PurchaseState,
    TransferKind,
)
from creditcore.domain.money import ZERO
from creditcore.domain.purchases import credits_for

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PRICE = Money(129000, "KES")


def a_purchase(**fields: object) -> Purchase:
    given_fields = {
        "reference": "cc-1",
        "owner_id": "owner-1",
        "wallet_id": "wallet-1",
        "email": "amina@example.com",
        "offer": Offer(
            value=Money(1000, "USD"),
            price=PRICE,
            rate=ExchangeRate(129, 1, "USD", "KES"),
            sold=Credits.of(1000),
            bonus=Credits.of(1000),
        ),
        "created_at": NOON,
        "expires_at": NOON + timedelta(hours=1),
        **fields,
    }
    return Purchase(**given_fields)  # type: ignore[arg-type]


def a_payment(amount: Money = PRICE, status: PaymentStatus = PaymentStatus.SUCCEEDED) -> Payment:
    return Payment(reference="cc-1", status=status, amount=amount, provider_id="9", channel="card")


def test_a_full_payment_grants_what_the_offer_says() -> None:
    decision = a_purchase().apply(a_payment(), at=NOON)

    assert decision.purchase.state is PurchaseState.PAID
    assert [
        (transfer.from_account, transfer.amount, transfer.kind, transfer.reference)
        for transfer in decision.transfers
    ] == [
        (
            PlatformAccount.SALES,
            Credits.of(1000),
            TransferKind.PURCHASE,
            "purchase:cc-1:sales",
        ),
        (PlatformAccount.BONUS, Credits.of(1000), TransferKind.BONUS, "purchase:cc-1:bonus"),
    ]


@pytest.mark.parametrize(
    ("told", "kept"),
    [(" skl7xyz12a ", "SKL7XYZ12A"), ("", ""), ("S" * 40, "S" * 40), ("S" * 41, "")],
)
def test_a_code_of_the_network_is_kept_and_never_stops_a_payment(told: str, kept: str) -> None:
    purchase = a_purchase().apply(replace(a_payment(), receipt_code=told), at=NOON).purchase

    assert (purchase.state, purchase.receipt_code) == (PurchaseState.PAID, kept)


def paid_by_phone(code: str = "", **changes: Any) -> Payment:
    return replace(
        a_payment(),
        provider_id="5012345678",
        channel="mobile_money",
        receipt_code=code,
        **changes,
    )


@pytest.mark.parametrize("paid", [PRICE, Money(PRICE.minor_units - 1, "KES")])
def test_a_code_that_comes_after_the_money_is_added_once_and_changes_nothing_else(
    paid: Money,
) -> None:
    closed = a_purchase().apply(paid_by_phone(amount=paid), at=NOON).purchase

    added = closed.apply(paid_by_phone("skl7xyz12a"), at=NOON + HOUR)
    again = added.purchase.apply(paid_by_phone("SKL7ANOTHER"), at=NOON + HOUR)

    assert added.purchase == replace(closed, receipt_code="SKL7XYZ12A")
    assert not added.transfers
    assert not added.alerts
    assert again.purchase is added.purchase


@pytest.mark.parametrize(
    "changes",
    [
        {"provider_id": "5012345679"},
        {"provider_id": ""},
        {"status": PaymentStatus.REVERSED},
        {"receipt_code": "S" * 41},
    ],
)
def test_a_code_of_something_else_is_not_added(changes: dict[str, Any]) -> None:
    paid = a_purchase().apply(paid_by_phone(), at=NOON).purchase

    decision = paid.apply(replace(paid_by_phone("SKL7XYZ12A"), **changes), at=NOON + HOUR)

    assert decision.purchase is paid


def test_a_payment_by_card_lacks_no_code() -> None:
    paid = a_purchase().apply(replace(paid_by_phone(), channel="card"), at=NOON).purchase

    assert not paid.lacks_receipt_code


@given(st.integers(PRICE.minor_units, 10**12))
def test_paying_more_grants_no_more(minor_units: int) -> None:
    decision = a_purchase().apply(a_payment(Money(minor_units, "KES")), at=NOON)

    assert sum(transfer.amount.microcredits for transfer in decision.transfers) == 2 * 10**9
    assert decision.purchase.paid == Money(minor_units, "KES")


@given(st.integers(0, PRICE.minor_units - 1))
def test_paying_less_grants_nothing_and_calls_an_operator(minor_units: int) -> None:
    decision = a_purchase().apply(a_payment(Money(minor_units, "KES")), at=NOON)

    assert decision.purchase.state is PurchaseState.UNDER_REVIEW
    assert not decision.transfers
    assert [alert.key for alert in decision.alerts] == ["review:cc-1"]
    assert decision.purchase.paid == Money(minor_units, "KES")


def test_the_right_number_in_the_wrong_currency_grants_nothing() -> None:
    decision = a_purchase().apply(a_payment(Money(PRICE.minor_units, "USD")), at=NOON)

    assert decision.purchase.state is PurchaseState.UNDER_REVIEW
    assert not decision.transfers


def test_a_reversal_before_the_credits_grants_nothing_and_calls_an_operator() -> None:
    decision = a_purchase().apply(a_payment(status=PaymentStatus.REVERSED), at=NOON)

    assert decision.purchase.state is PurchaseState.UNDER_REVIEW
    assert not decision.transfers
    assert decision.alerts


@pytest.mark.parametrize("status", list(PaymentStatus))
@pytest.mark.parametrize(
    "state", [PurchaseState.PAID, PurchaseState.UNDER_REVIEW, PurchaseState.REVERSED]
)
def test_what_was_decided_stays_decided(state: PurchaseState, status: PaymentStatus) -> None:
    decided = a_purchase(state=state, closed_at=NOON)

    decision = decided.apply(a_payment(status=status), at=NOON + DAY)

    assert decision.purchase is decided
    assert not decision.transfers
    assert not decision.alerts


def test_a_pending_payment_decides_nothing() -> None:
    pending = a_purchase()

    assert pending.apply(a_payment(status=PaymentStatus.PENDING), at=NOON).purchase is pending


def test_a_failure_is_no_end_for_money_that_arrives_later() -> None:
    failed = a_purchase().apply(a_payment(status=PaymentStatus.FAILED), at=NOON).purchase

    decision = failed.apply(a_payment(), at=NOON + DAY)

    assert failed.state is PurchaseState.FAILED
    assert decision.purchase.state is PurchaseState.PAID
    assert len(decision.transfers) == 2


def test_failing_twice_keeps_the_first_time() -> None:
    failed = a_purchase().apply(a_payment(status=PaymentStatus.FAILED), at=NOON).purchase

    again = failed.apply(a_payment(status=PaymentStatus.FAILED), at=NOON + DAY).purchase

    assert again is failed


def test_a_late_payment_of_a_stored_quote_is_honoured() -> None:
    purchase = a_purchase()

    decision = purchase.apply(a_payment(), at=purchase.expires_at + DAY)

    assert decision.purchase.state is PurchaseState.PAID


def test_a_part_of_nothing_is_no_transfer() -> None:
    offer = replace(a_purchase().offer, bonus=ZERO)

    decision = a_purchase(offer=offer).apply(a_payment(), at=NOON)

    assert [transfer.from_account for transfer in decision.transfers] == [PlatformAccount.SALES]


@pytest.mark.parametrize(
    ("cents", "credits_per_usd", "sold", "bonus"),
    [
        (1000, "2", "1000", "1000"),
        (1000, "1", "1000", "0"),
        (1000, "0.5", "500", "0"),
        (1, "1.333333", "1", "0.333333"),
        (1, "1.3333339", "1", "0.333333"),
    ],
)
def test_a_cent_buys_a_credit_and_the_rest_is_bonus(
    cents: int, credits_per_usd: str, sold: str, bonus: str
) -> None:
    assert credits_for(Credits.of(cents), credits_per_usd) == (
        Credits.parse(sold),
        Credits.parse(bonus),
    )


@given(st.integers(1, 10**9), st.decimals("0.01", 100, places=4))
def test_sold_and_bonus_add_up_to_what_the_rate_promises_rounded_down(
    cents: int, rate: object
) -> None:
    sold, bonus = credits_for(Credits.of(cents), str(rate))

    numerator, denominator = str(rate).replace(".", ""), 10_000
    assert (sold + bonus).microcredits == cents * 10**6 * int(numerator) // denominator
    assert sold <= Credits.of(cents)
