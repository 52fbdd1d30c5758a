"""Cards are saved with consent alone, sealed, charged when their holder says so, and forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.vault import AesVault
from creditcore import Credits, PaymentStatus, PurchaseState
from creditcore.domain.errors import CardNotFoundError, InvalidRequestError
from creditcore.domain.saved_cards import ReusableCard
from creditcore.domain.top_ups import TopUpState
from creditcore.ports.card_gateway import CardCharge
from creditcore.testing.contracts import NOON
from creditcore.usecases.payments.keep_cards import FORGET_CARD
from tests.unit.card_house import AMINA, BRIAN, FIVE, FROM, VALUE, VISA, CardHouse, a_card_house


@pytest.fixture
def house() -> CardHouse:
    return a_card_house()


# -- saving --------------------------------------------------------------------------


def test_a_card_is_saved_after_a_payment_whose_payer_agreed(house: CardHouse) -> None:
    house.pay()

    card = house.saved()

    assert (card.label, card.expires) == ("Visa ending in 4081", "2030-12")
    assert b"AUTH_secret" not in card.sealed
    assert "AUTH_secret" not in repr(card) + repr(VISA) + repr(house.store.committed)
    [consent] = house.store.committed.consents.values()
    assert (consent.address, consent.user_agent) == ("203.0.113.7", "Firefox")
    assert consent.text in house.text_of("Your Visa ending in 4081 is saved")


@pytest.mark.parametrize(("agreed", "card"), [(False, VISA), (True, None)])
def test_without_consent_or_a_card_that_can_be_charged_nothing_is_saved(
    house: CardHouse, card: ReusableCard | None, *, agreed: bool
) -> None:
    house.pay(agreed=agreed, card=card)

    assert house.posted() == Credits.of(2000)
    assert list(house.cards.of(AMINA)) == []


def test_no_person_agrees_for_the_payment_of_another(house: CardHouse) -> None:
    with pytest.raises(InvalidRequestError):
        house.cards.agree(BRIAN, "cc-1", actor=FROM)


def test_paying_again_renews_the_code_of_the_same_card(house: CardHouse) -> None:
    house.pay()
    before = house.saved()
    purchase = house.buy()
    house.cards.agree(AMINA, purchase.reference, actor=FROM)
    newer = replace(VISA, code="AUTH_newer", expires="2034-01")

    with house.store.begin() as tx:
        payment = replace(house.provider.payments[purchase.reference], card=newer)
        house.cards.decided(tx, purchase, payment)
        tx.commit()

    assert house.saved().id == before.id
    assert house.cards.open(house.saved()) == "AUTH_newer"


# -- charging ------------------------------------------------------------------------


def test_a_saved_card_pays_once_for_each_attempt(house: CardHouse) -> None:
    house.pay()

    first, again = house.buy("a-1"), house.buy("a-1")

    assert first.state is PurchaseState.PAID
    assert first == again
    assert house.posted() == Credits.of(2000) + VALUE
    [charge] = house.card_gateway.charged
    assert (charge.code, charge.email, charge.amount) == ("AUTH_secret", VISA.email, FIVE)


def test_a_changed_address_is_not_sent_with_the_code(house: CardHouse) -> None:
    house.pay()

    house.buy(person=replace(AMINA, email="new@example.com"))

    assert house.card_gateway.charged[0].email == "amina@example.com"


def test_a_declined_card_says_why(house: CardHouse) -> None:
    house.pay()
    house.card_gateway.answer = CardCharge(status=PaymentStatus.FAILED, message="Declined")

    purchase = house.buy()

    assert (purchase.state, purchase.review_reason) == (PurchaseState.FAILED, "Declined")
    assert house.posted() == Credits.of(2000)


def test_a_bank_that_wants_to_see_the_holder_gives_a_page(house: CardHouse) -> None:
    house.pay()
    house.card_gateway.answer = CardCharge(
        status=PaymentStatus.PENDING, challenge_url="https://pay.example/3ds"
    )

    purchase = house.buy()

    assert purchase.is_resumable(NOON)
    assert purchase.checkout_url == "https://pay.example/3ds"


def test_a_charge_whose_answer_is_lost_is_looked_up_and_never_sent_again(house: CardHouse) -> None:
    house.pay()
    house.card_gateway.is_silent = True

    purchase = house.buy("a-1")
    house.buy("a-1")

    assert purchase.state is PurchaseState.PENDING
    assert house.payments.confirm(purchase.reference).state is PurchaseState.PAID
    assert len(house.card_gateway.charged) == 1


def test_cards_of_others_expired_and_removed_ones_are_not_charged(house: CardHouse) -> None:
    house.pay()
    card, offer = house.saved(), house.charges.sales.offer(FIVE)

    with pytest.raises(CardNotFoundError):
        house.charges.pay(BRIAN, offer, card.id)
    house.clock.advance(timedelta(days=5 * 365))
    with pytest.raises(InvalidRequestError, match="cannot be charged"):
        house.charges.pay(AMINA, offer, card.id)
    house.cards.remove(AMINA, card.id)
    with pytest.raises(InvalidRequestError, match="cannot be charged"):
        house.charges.pay(AMINA, offer, card.id)
    assert house.card_gateway.charged == []


def test_a_code_that_cannot_be_read_charges_nothing(house: CardHouse) -> None:
    house.pay()
    other = replace(house.cards, vault=AesVault("another secret 0123456789 abcdef"))

    purchase = replace(house.charges, cards=other).pay(
        AMINA, house.charges.sales.offer(FIVE), house.saved().id
    )

    assert purchase.state is PurchaseState.FAILED
    assert "cannot be read" in purchase.review_reason


# -- forgetting ----------------------------------------------------------------------


def test_a_removed_card_is_forgotten_at_the_provider_then_here(house: CardHouse) -> None:
    house.pay()
    house.turn_on()
    card_id = house.saved().id
    house.cards.remove(AMINA, card_id)
    house.cards.remove(AMINA, card_id)
    house.card_gateway.is_deaf = True
    house.runner.run_due(FORGET_CARD)
    assert house.store.committed.cards[card_id].sealed

    house.card_gateway.is_deaf = False
    house.clock.advance(timedelta(hours=1))
    house.runner.run_due(FORGET_CARD)

    assert house.card_gateway.forgotten == ["AUTH_secret"]
    assert house.store.committed.cards[card_id].sealed == b""
    assert house.order().state is TopUpState.OFF
    for consent in house.store.committed.consents.values():
        assert consent.withdrawn_at is not None
    with pytest.raises(CardNotFoundError):
        house.cards.remove(BRIAN, card_id)
