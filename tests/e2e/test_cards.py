"""Cards are saved, charged, topped up from and forgotten, through the whole product."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from creditcore import Credits
from creditcore.domain.top_ups import TopUpState
from creditcore.testing.contracts import admit, settle
from tests.e2e.buyer import BOUGHT, WELCOME, Buyer
from tests.stack import Stack, wait_until

CARDS = "/dashboard/billing/cards"
FIVE = Credits.of(1_000)
WISH = {"threshold": "1", "value": "5", "per_day": "1", "monthly_cap": "20"}


class Holder(Buyer):
    """Somebody who lets a card be saved."""

    def save_a_card(self) -> str:
        """Buy once with the box ticked; return the card's id."""
        answer = self.post("/api/checkout/start", {"amount_usd": "10", "save_card": "yes"})
        assert answer.status_code == 303, answer.text
        [purchase] = self.purchases()
        self.pay(purchase.reference)
        wait_until(lambda: self.balance == WELCOME + BOUGHT)
        [card] = self.cards()
        return card

    def cards(self) -> list[str]:
        return re.findall(rf"{CARDS}/([0-9a-f-]+)/remove", self.get(CARDS).text)

    def state(self) -> TopUpState:
        wallet = self.stack.wallet_of(self.person.id)
        with self.stack.store.begin() as tx:
            order = tx.top_ups.find(wallet.id)
            assert order is not None
            return order.state

    def spend_all(self) -> None:
        wallet = self.stack.wallet_of(self.person.id)
        hold = admit(
            self.stack.store,
            wallet.available.microcredits,
            reference=f"all-{wallet.id}",
            wallet_id=wallet.id,
            now=datetime.now(UTC),
        )
        settle(self.stack.store, hold, wallet.available.microcredits, at=datetime.now(UTC))

    def charges(self) -> list[str]:
        calls = self.control("GET", "calls", params={"endpoint": "charge_authorization"})
        return [call["body"] for call in calls if self.person.email in call["body"]]


@contextmanager
def a_holder(stack: Stack, *, quirk: str = "") -> Iterator[Holder]:
    with Holder(stack) as visitor:
        visitor.sign_up(tags=f"+{quirk}" if quirk else "")
        yield visitor


def test_a_saved_card_pays_tops_up_and_is_forgotten(sqlite_stack: Stack) -> None:
    with a_holder(sqlite_stack) as holder:
        card = holder.save_a_card()
        assert "Visa ending in 4081" in holder.get(CARDS).text

        holder.post(f"{CARDS}/pay", {"card": card, "amount_usd": "5", "attempt": "a-1"})
        holder.post(f"{CARDS}/pay", {"card": card, "amount_usd": "5", "attempt": "a-1"})
        wait_until(lambda: holder.balance == WELCOME + BOUGHT + FIVE)
        assert len(holder.charges()) == 1

        wish = {**WISH, "top_up_card": card}
        review = holder.post(f"{CARDS}/top-up/review", wish)
        assert "at most once a day, and USD 20.00 in 30 days" in review.text
        refused = holder.post(f"{CARDS}/top-up", wish)
        assert refused.status_code == 400
        assert "Tick the box" in refused.text
        holder.post(f"{CARDS}/top-up", {**wish, "agreed": "yes"})
        holder.spend_all()
        wait_until(lambda: holder.balance == FIVE)
        assert len(holder.charges()) == 2

        holder.post(f"{CARDS}/{card}/remove", {})
        assert holder.cards() == []
        assert holder.state() is TopUpState.OFF
        wait_until(lambda: holder.control("GET", "calls", params={"endpoint": "deactivate"}))
        assert sqlite_stack.audit().clean


@pytest.mark.parametrize("quirk", ["carddeclines", "cardchallenges"])
def test_a_top_up_stops_at_a_decline_or_a_challenge(sqlite_stack: Stack, quirk: str) -> None:
    with a_holder(sqlite_stack, quirk=quirk) as holder:
        card = holder.save_a_card()
        holder.post(f"{CARDS}/top-up", {**WISH, "top_up_card": card, "agreed": "yes"})

        holder.spend_all()

        wait_until(lambda: holder.state() is TopUpState.STOPPED)
        assert "Automatic top-ups have stopped." in holder.get(CARDS).text
        assert len(holder.charges()) == 1
        assert holder.balance == Credits(0)


def test_a_card_that_cannot_be_charged_again_is_not_saved(sqlite_stack: Stack) -> None:
    with a_holder(sqlite_stack, quirk="cardonce") as holder:
        holder.post("/api/checkout/start", {"amount_usd": "10", "save_card": "yes"})
        [purchase] = holder.purchases()
        holder.pay(purchase.reference)
        wait_until(lambda: holder.balance == WELCOME + BOUGHT)

        page = holder.get(CARDS)

    assert "No card is saved" in page.text


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"threshold": "much"}, "Type an amount in dollars"),
        ({"threshold": "0"}, "Choose a balance from"),
        ({"value": "1.5"}, "Choose a whole number of US dollars"),
        ({"value": ""}, "Choose a whole number of US dollars"),
        ({"per_day": "99"}, "Choose 1 to 5 top-ups a day"),
        ({"monthly_cap": "3"}, "The most in a month is between"),
        ({"top_up_card": "another"}, "Choose one of your saved cards"),
        ({"top_up_currency": "EUR"}, "Choose one of the currencies"),
    ],
)
def test_numbers_that_cannot_be_are_said_beside_their_field(
    saver: Holder, form: dict[str, str], told: str
) -> None:
    [card] = saver.cards()

    answer = saver.post(f"{CARDS}/top-up/review", {**WISH, "top_up_card": card, **form})

    assert answer.status_code == 400
    assert told in answer.text


@pytest.fixture(scope="module")
def saver(sqlite_stack: Stack) -> Iterator[Holder]:
    with a_holder(sqlite_stack) as holder:
        holder.save_a_card()
        yield holder
