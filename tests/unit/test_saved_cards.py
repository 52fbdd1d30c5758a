"""Cards are saved with consent alone, sealed, charged when their holder says so, and forgotten."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from adapters.smtp_mail import JinjaTemplates
from adapters.vault import AesVault
from creditcore import ConfirmPayment, Credits, Money, Payment, PaymentStatus, PurchaseState
from creditcore.domain.activity import Actor
from creditcore.domain.documents import Seller
from creditcore.domain.errors import CardNotFoundError, InvalidRequestError
from creditcore.domain.people import Person
from creditcore.domain.purchases import NEVER_RECEIVED, UNFINISHED_AFTER, Purchase
from creditcore.domain.refunds import RefundKind, RefundState, ReportedRefund
from creditcore.domain.sale_terms import SaleTerms
from creditcore.domain.saved_cards import ConsentPurpose, ReusableCard, SavedCard
from creditcore.domain.top_ups import COOL_DOWN, TopUpOrder, TopUpState
from creditcore.ports.card_gateway import CardCharge
from creditcore.testing.contracts import NOON, a_purchase, a_wallet, admit, settle
from creditcore.testing.memory import (
    FixedClock,
    MemoryPaymentGateway,
    MemoryTransactions,
    SequentialIds,
)
from creditcore.testing.memory_cards import MemoryCardGateway
from creditcore.testing.memory_mail import MemoryMailer
from creditcore.testing.memory_refunds import MemoryRefundGateway
from creditcore.usecases.jobs.run_jobs import RunJobs
from creditcore.usecases.jobs.send_mail import SEND_MAIL, SendMail
from creditcore.usecases.payments.charge_card import ChargeCard
from creditcore.usecases.payments.convert_currency import ConvertCurrency, FixedRates
from creditcore.usecases.payments.follow_refunds import FollowRefunds
from creditcore.usecases.payments.follow_top_ups import FollowTopUps
from creditcore.usecases.payments.keep_cards import FORGET_CARD, KeepCards
from creditcore.usecases.payments.sell_credits import SellCredits
from creditcore.usecases.payments.tell_payers import TellPayers
from creditcore.usecases.payments.top_up_wallets import TopUpWallets, TopUpWish
from tests.unit.test_tell_payers import SITE

AMINA = Person(id="owner-of-wallet-1", email="amina@example.com", created_at=NOON)
BRIAN = Person(id="brian", email="brian@example.com", created_at=NOON)
VISA = ReusableCard(
    code="AUTH_secret",
    signature="SIG_1",
    email="amina@example.com",
    brand="visa",
    last4="4081",
    expires="2030-12",
)
FROM = Actor.at(AMINA.id, address="203.0.113.7", user_agent="Firefox")
FIVE = Money(500, "USD")
VALUE = Credits.of(1000)
"""What five dollars grant."""


@dataclass
class House:
    store: MemoryTransactions
    provider: MemoryPaymentGateway
    card_gateway: MemoryCardGateway
    mailer: MemoryMailer
    clock: FixedClock
    payments: ConfirmPayment
    cards: KeepCards
    charges: ChargeCard
    top_ups: TopUpWallets
    refunds: FollowRefunds
    runner: RunJobs

    def pay(self, *, agreed: bool = True, card: ReusableCard | None = VISA) -> None:
        """Pay cc-1 on the provider's page, with a card or not."""
        if agreed:
            self.cards.agree(AMINA, "cc-1", actor=FROM)
        self.provider.payments["cc-1"] = Payment(
            reference="cc-1",
            status=PaymentStatus.SUCCEEDED,
            amount=Money(129000, "KES"),
            provider_id="77",
            channel="card",
            card=card,
        )
        self.payments.confirm("cc-1")

    def saved(self) -> SavedCard:
        [card] = self.cards.of(AMINA)
        return card

    def buy(self, attempt: str = "", person: Person = AMINA) -> Purchase:
        offer = self.charges.sales.offer(FIVE)
        return self.charges.pay(person, offer, self.saved().id, attempt=attempt)

    def posted(self) -> Credits:
        with self.store.begin() as tx:
            return tx.ledger.find_wallet("wallet-1").posted

    def subjects(self) -> list[str]:
        self.runner.run_due(SEND_MAIL)
        return [mail.content.subject for mail in self.mailer.sent.values()]

    def text_of(self, subject: str) -> str:
        self.runner.run_due(SEND_MAIL)
        [mail] = [row for row in self.mailer.sent.values() if row.content.subject == subject]
        return mail.content.text

    # -- top-ups ---------------------------------------------------------------------

    def turn_on(self, **changes: object) -> TopUpOrder:
        wish = TopUpWish(
            card_id=self.saved().id,
            threshold=Credits.of(100),
            value=FIVE,
            currency="USD",
            per_day=2,
            monthly_cap=Money(2000, "USD"),
        )
        return self.top_ups.turn_on(
            AMINA, "wallet-1", replace(wish, **changes),  # type: ignore[arg-type]
            agreed=True, actor=FROM,
        )  # fmt: skip

    def spend_all(self) -> None:
        amount = self.posted().microcredits
        name = f"spent-{len(self.store.committed.holds)}"
        settle(self.store, admit(self.store, amount, reference=name), amount)

    def order(self) -> TopUpOrder:
        return self.store.committed.top_up_orders["wallet-1"]

    def ready(self, **changes: object) -> None:
        """Save a card, turn top-ups on, and use everything up."""
        self.pay()
        self.turn_on(**changes)
        self.spend_all()


@pytest.fixture
def house() -> House:
    store, provider, clock = MemoryTransactions(), MemoryPaymentGateway(), FixedClock(NOON)
    ids = SequentialIds()
    wallet = a_wallet(store)
    with store.begin() as tx:
        tx.people.add(AMINA)
        tx.purchases.add(a_purchase(wallet))
        tx.commit()
    mailer = MemoryMailer()
    mails = SendMail(transactions=store, templates=JinjaTemplates(SITE), mailer=mailer, clock=clock)
    notices = TellPayers(mails=mails, seller=Seller(name="Jua"))
    card_gateway = MemoryCardGateway(provider.payments)
    cards = KeepCards(
        transactions=store,
        gateway=card_gateway,
        vault=AesVault("a secret of this test 0123456789"),
        notices=notices,
        clock=clock,
        ids=ids,
        site="Jua",
    )
    followers = (cards, FollowTopUps(notices=notices, clock=clock), notices)
    payments = ConfirmPayment(
        transactions=store, gateway=provider, clock=clock, followers=followers
    )
    sales = SellCredits(
        transactions=store,
        gateway=provider,
        payments=payments,
        converter=ConvertCurrency(rates=FixedRates({})),
        clock=clock,
        ids=ids,
        terms=SaleTerms(),
    )
    charges = ChargeCard(
        transactions=store,
        gateway=card_gateway,
        sales=sales,
        payments=payments,
        cards=cards,
        clock=clock,
        return_url="https://jua.example/payments/paystack",
    )
    top_ups = TopUpWallets(
        transactions=store,
        charges=charges,
        sales=sales,
        follower=FollowTopUps(notices=notices, clock=clock),
        notices=notices,
        clock=clock,
        ids=ids,
        site="Jua",
    )
    refunds = FollowRefunds(
        transactions=store,
        payments=payments,
        gateway=provider,
        refund_gateway=MemoryRefundGateway(provider),
        clock=clock,
        ids=ids,
        followers=followers,
    )
    runner = RunJobs(
        transactions=store,
        clock=clock,
        handlers={SEND_MAIL: mails.send, FORGET_CARD: cards.forget},
    )
    return House(store, provider, card_gateway, mailer, clock, payments, cards, charges, top_ups,
                 refunds, runner)  # fmt: skip


# -- saving --------------------------------------------------------------------------


def test_a_card_is_saved_after_a_payment_whose_payer_agreed(house: House) -> None:
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
    house: House, card: ReusableCard | None, *, agreed: bool
) -> None:
    house.pay(agreed=agreed, card=card)

    assert house.posted() == Credits.of(2000)
    assert list(house.cards.of(AMINA)) == []


def test_no_person_agrees_for_the_payment_of_another(house: House) -> None:
    with pytest.raises(InvalidRequestError):
        house.cards.agree(BRIAN, "cc-1", actor=FROM)


def test_paying_again_renews_the_code_of_the_same_card(house: House) -> None:
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


def test_a_saved_card_pays_once_for_each_attempt(house: House) -> None:
    house.pay()

    first, again = house.buy("a-1"), house.buy("a-1")

    assert first.state is PurchaseState.PAID
    assert first == again
    assert house.posted() == Credits.of(2000) + VALUE
    [charge] = house.card_gateway.charged
    assert (charge.code, charge.email, charge.amount) == ("AUTH_secret", VISA.email, FIVE)


def test_a_changed_address_is_not_sent_with_the_code(house: House) -> None:
    house.pay()

    house.buy(person=replace(AMINA, email="new@example.com"))

    assert house.card_gateway.charged[0].email == "amina@example.com"


def test_a_declined_card_says_why(house: House) -> None:
    house.pay()
    house.card_gateway.answer = CardCharge(status=PaymentStatus.FAILED, message="Declined")

    purchase = house.buy()

    assert (purchase.state, purchase.review_reason) == (PurchaseState.FAILED, "Declined")
    assert house.posted() == Credits.of(2000)


def test_a_bank_that_wants_to_see_the_holder_gives_a_page(house: House) -> None:
    house.pay()
    house.card_gateway.answer = CardCharge(
        status=PaymentStatus.PENDING, challenge_url="https://pay.example/3ds"
    )

    purchase = house.buy()

    assert purchase.is_resumable(NOON)
    assert purchase.checkout_url == "https://pay.example/3ds"


def test_a_charge_whose_answer_is_lost_is_looked_up_and_never_sent_again(house: House) -> None:
    house.pay()
    house.card_gateway.is_silent = True

    purchase = house.buy("a-1")
    house.buy("a-1")

    assert purchase.state is PurchaseState.PENDING
    assert house.payments.confirm(purchase.reference).state is PurchaseState.PAID
    assert len(house.card_gateway.charged) == 1


def test_cards_of_others_expired_and_removed_ones_are_not_charged(house: House) -> None:
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


def test_a_code_that_cannot_be_read_charges_nothing(house: House) -> None:
    house.pay()
    other = replace(house.cards, vault=AesVault("another secret 0123456789 abcdef"))

    purchase = replace(house.charges, cards=other).pay(
        AMINA, house.charges.sales.offer(FIVE), house.saved().id
    )

    assert purchase.state is PurchaseState.FAILED
    assert "cannot be read" in purchase.review_reason


# -- forgetting ----------------------------------------------------------------------


def test_a_removed_card_is_forgotten_at_the_provider_then_here(house: House) -> None:
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


# -- topping up ----------------------------------------------------------------------


def test_a_wallet_that_runs_low_is_topped_up_once(house: House) -> None:
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


def test_it_pauses_after_each_and_keeps_to_so_many_a_day(house: House) -> None:
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


def test_it_keeps_to_so_much_a_month(house: House) -> None:
    house.ready(per_day=5, monthly_cap=Money(1000, "USD"))
    charged = 0
    for _ in range(4):
        charged += house.top_ups.run_due()
        house.spend_all()
        house.clock.advance(timedelta(days=2))

    assert charged == 2
    house.clock.advance(timedelta(days=30))
    assert house.top_ups.run_due() == 1


def test_money_that_comes_after_a_failure_counts_for_the_month(house: House) -> None:
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


def test_a_charge_that_never_ends_stops_it_in_the_end(house: House) -> None:
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
    house: House, answer: CardCharge, refusal: str, told: str
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
    assert f"https://jua.example/dashboard/billing/payments/{top_up.reference}" in text
    assert len(house.card_gateway.charged) == 1


def test_while_the_outcome_is_unknown_no_other_begins(house: House) -> None:
    house.ready()
    house.card_gateway.is_silent = True
    house.top_ups.run_due()
    house.clock.advance(timedelta(days=2))

    assert house.top_ups.run_due() == 0
    house.payments.confirm(house.order().pending)

    assert house.posted() == VALUE
    assert len(house.card_gateway.charged) == 1


def test_a_request_that_never_arrived_is_tried_again_under_another_name(house: House) -> None:
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
    house: House,
) -> None:
    house.ready()
    offer = house.charges.sales.offer(FIVE)
    assert house.top_ups._begin("wallet-1", offer) is not None

    assert house.top_ups.run_due() == 0
    house.clock.advance(timedelta(hours=1))
    house.payments.confirm(house.order().pending)
    house.clock.advance(COOL_DOWN)

    assert house.top_ups.run_due() == 1


def test_nothing_is_charged_for_the_blocked_or_with_a_removed_card(house: House) -> None:
    house.ready()
    with house.store.begin() as tx:
        person = tx.people.lock(AMINA.id)
        assert person is not None
        tx.people.save(person.block())
        tx.commit()

    assert house.top_ups.run_due() == 0
    assert house.order().reason == "The account is blocked."
    assert house.card_gateway.charged == []


def test_a_dispute_stops_it_and_a_wallet_that_owes_is_left_alone(house: House) -> None:
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


def test_who_turns_it_off_is_charged_no_more(house: House) -> None:
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
    house: House, changes: dict[str, object], param: str
) -> None:
    house.pay()

    with pytest.raises(InvalidRequestError) as refused:
        house.turn_on(**changes)

    assert refused.value.param == param
    assert house.store.committed.top_up_orders == {}


def test_no_customer_is_charged_who_did_not_agree(house: House) -> None:
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
