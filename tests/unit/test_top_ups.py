"""Wallets that run low are topped up within what their owner agreed to, and never twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from creditcore import Credits, Money, PaymentStatus, PurchaseState
from creditcore.domain.errors import CardNotFoundError, InvalidRequestError
from creditcore.domain.purchases import NEVER_RECEIVED, UNFINISHED_AFTER
from creditcore.domain.refunds import RefundKind, RefundState, ReportedRefund
from creditcore.domain.saved_cards import ConsentPurpose
from creditcore.domain.top_ups import COOL_DOWN, TopUpState
from creditcore.ports.card_gateway import CardCharge
from creditcore.usecases.payments.top_up_wallets import TopUpWish
from tests.unit.card_house import AMINA, BRIAN, FIVE, VALUE, CardHouse, a_card_house


@pytest.fixture
def house() -> CardHouse:
    return a_card_house()


def test_a_wallet_that_runs_low_is_topped_up_once(house: CardHouse) -> None:
    house.pay()
    house.turn_on()
    enough = house.top_ups.run_due()
    house.spend_all()

    charged = [house.top_ups.run_due() for _ in range(3)]

    assert (enough, charged) == (0, [1, 0, 0])
    assert house.posted() == VALUE
    assert house.order().pending == ""
    assert "Payment received: USD 5.00" in house.subjects()
    assert house.store.committed.consents


def test_it_pauses_after_each_and_keeps_to_so_many_a_day(house: CardHouse) -> None:
    house.ready()
    charged = []
    for _ in range(4):
        charged.append(house.top_ups.run_due())
        house.spend_all()
        charged.append(house.top_ups.run_due())
        house.clock.advance(COOL_DOWN)

    assert charged == [1, 0, 1, 0, 0, 0, 0, 0]
    assert house.subjects().count("Your balance is not topped up today") == 1
    house.clock.advance(timedelta(days=1))
    assert house.top_ups.run_due() == 1


def test_it_keeps_to_so_much_a_month(house: CardHouse) -> None:
    house.ready(per_day=5, monthly_cap=Money(1000, "USD"))
    charged = 0
    for _ in range(4):
        charged += house.top_ups.run_due()
        house.spend_all()
        house.clock.advance(timedelta(days=2))

    assert charged == 2
    house.clock.advance(timedelta(days=30))
    assert house.top_ups.run_due() == 1


def test_money_that_comes_after_a_failure_counts_for_the_month(house: CardHouse) -> None:
    house.ready(per_day=5, monthly_cap=FIVE)
    house.card_gateway.answer = CardCharge(status=PaymentStatus.FAILED, message="Declined")
    house.top_ups.run_due()
    [reference] = house.store.committed.top_ups
    late = replace(house.provider.payments[reference], status=PaymentStatus.SUCCEEDED)
    house.provider.payments[reference] = late
    house.payments.confirm(reference)
    house.spend_all()

    house.turn_on(per_day=5, monthly_cap=FIVE)
    house.clock.advance(timedelta(days=2))

    assert house.top_ups.run_due() == 0
    assert len(house.card_gateway.charged) == 1


def test_a_charge_that_never_ends_stops_it_in_the_end(house: CardHouse) -> None:
    house.ready()
    house.card_gateway.answer = CardCharge(status=PaymentStatus.PENDING)
    house.top_ups.run_due()
    reference = house.order().pending

    house.clock.advance(UNFINISHED_AFTER - timedelta(seconds=1))
    assert house.payments.confirm(reference).state is PurchaseState.PENDING
    house.clock.advance(timedelta(seconds=1))
    house.payments.confirm(reference)

    assert house.order().state is TopUpState.STOPPED
    assert "not completed within a week" in house.text_of("Automatic top-ups have stopped")


@pytest.mark.parametrize(
    ("answer", "refusal", "told"),
    [
        (CardCharge(status=PaymentStatus.FAILED, message="Declined"), "", "Declined"),
        (CardCharge(status=PaymentStatus.SUCCEEDED), "Authorization code is invalid",
         "Authorization code is invalid"),
        (CardCharge(status=PaymentStatus.PENDING, challenge_url="https://pay.example/3ds"), "",
         "Your bank wants you to confirm"),
    ],
)  # fmt: skip
def test_it_stops_at_the_first_decline_or_challenge_and_says_so_with_a_link(
    house: CardHouse, answer: CardCharge, refusal: str, told: str
) -> None:
    house.ready()
    house.card_gateway.answer, house.card_gateway.refusal = answer, refusal

    house.top_ups.run_due()
    house.clock.advance(timedelta(days=2))

    assert house.top_ups.run_due() == 0
    assert house.order().state is TopUpState.STOPPED
    text = house.text_of("Automatic top-ups have stopped")
    assert told in text
    [top_up] = house.store.committed.top_ups.values()
    assert (
        f"https://jua.example/dashboard/billing/payments/{top_up.reference}?account={AMINA.id}"
        in text
    )
    assert len(house.card_gateway.charged) == 1


def test_while_the_outcome_is_unknown_no_other_begins(house: CardHouse) -> None:
    house.ready()
    house.card_gateway.is_silent = True
    house.top_ups.run_due()
    house.clock.advance(timedelta(days=2))

    assert house.top_ups.run_due() == 0
    house.payments.confirm(house.order().pending)

    assert house.posted() == VALUE
    assert len(house.card_gateway.charged) == 1


def test_a_request_that_never_arrived_is_tried_again_under_another_name(house: CardHouse) -> None:
    house.ready()
    house.card_gateway.is_deaf = True
    house.top_ups.run_due()
    first = house.order().pending
    house.card_gateway.is_deaf = False

    assert house.payments.confirm(first).state is PurchaseState.PENDING
    house.clock.advance(timedelta(hours=1))
    assert house.payments.confirm(first).review_reason == NEVER_RECEIVED
    house.clock.advance(COOL_DOWN)
    assert house.top_ups.run_due() == 1

    assert house.posted() == VALUE
    assert house.card_gateway.charged[0].reference != first


def test_a_worker_that_dies_before_it_charges_leaves_nothing_in_flight_for_ever(
    house: CardHouse,
) -> None:
    house.ready()
    offer = house.charges.sales.offer(FIVE)
    assert house.top_ups._begin("wallet-1", offer) is not None

    assert house.top_ups.run_due() == 0
    house.clock.advance(timedelta(hours=1))
    house.payments.confirm(house.order().pending)
    house.clock.advance(COOL_DOWN)

    assert house.top_ups.run_due() == 1


def test_nothing_is_charged_for_the_blocked_or_with_a_removed_card(house: CardHouse) -> None:
    house.ready()
    with house.store.begin() as tx:
        person = tx.people.lock(AMINA.id)
        assert person is not None
        tx.people.save(person.block())
        tx.commit()

    assert house.top_ups.run_due() == 0
    assert house.order().reason == "The account is blocked."
    assert house.card_gateway.charged == []


def test_a_dispute_stops_it_and_a_wallet_that_owes_is_left_alone(house: CardHouse) -> None:
    house.ready()
    report = ReportedRefund(
        provider_id="77-1",
        amount=Money(129000, "KES"),
        state=RefundState.PENDING,
        kind=RefundKind.DISPUTE,
    )

    house.refunds.apply("cc-1", [report])

    assert house.order().state is TopUpState.STOPPED
    house.turn_on()
    assert house.top_ups.run_due() == 0
    assert house.card_gateway.charged == []


def test_who_turns_it_off_is_charged_no_more(house: CardHouse) -> None:
    house.ready()
    house.top_ups.turn_off(BRIAN, "wallet-1")
    assert house.order().state is TopUpState.ON

    house.top_ups.turn_off(AMINA, "wallet-1")

    assert house.top_ups.run_due() == 0
    with house.store.begin() as tx:
        assert tx.cards.consent_to(ConsentPurpose.TOP_UP, "wallet-1") is None


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"threshold": Credits(0)}, "threshold"),
        ({"threshold": Credits.of(100_001)}, "threshold"),
        ({"value": Money(100, "USD")}, "value"),
        ({"per_day": 0}, "per_day"),
        ({"per_day": 6}, "per_day"),
        ({"monthly_cap": Money(499, "USD")}, "monthly_cap"),
        ({"monthly_cap": Money(2_000_000, "USD")}, "monthly_cap"),
        ({"currency": "NGN"}, "currency"),
    ],
)
def test_numbers_that_cannot_be_are_refused(
    house: CardHouse, changes: dict[str, object], param: str
) -> None:
    house.pay()

    with pytest.raises(InvalidRequestError) as refused:
        house.turn_on(**changes)

    assert refused.value.param == param
    assert house.store.committed.top_up_orders == {}


def test_no_customer_is_charged_who_did_not_agree(house: CardHouse) -> None:
    house.pay()
    wish = TopUpWish(
        card_id=house.saved().id,
        threshold=Credits.of(100),
        value=FIVE,
        currency="USD",
        per_day=1,
        monthly_cap=FIVE,
    )

    with pytest.raises(InvalidRequestError, match="Tick the box"):
        house.top_ups.turn_on(AMINA, "wallet-1", wish, agreed=False)
    with pytest.raises(CardNotFoundError):
        house.top_ups.turn_on(BRIAN, "wallet-1", wish, agreed=True)
