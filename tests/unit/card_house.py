"""Cards that are saved and charged, and wallets that they top up, with a provider in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapters.smtp_mail import JinjaTemplates
from adapters.vault import AesVault
from creditcore import ConfirmPayment, Credits, Money, Payment, PaymentStatus
from creditcore.domain.activity import Actor
from creditcore.domain.documents import Seller
from creditcore.domain.people import Person
from creditcore.domain.purchases import Purchase
from creditcore.domain.sale_terms import SaleTerms
from creditcore.domain.saved_cards import ReusableCard, SavedCard
from creditcore.domain.top_ups import TopUpOrder
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
class CardHouse:
    """The use cases of saved cards and automatic top-ups, on a store in memory."""

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


def a_card_house() -> CardHouse:
    """Build everything, with a purchase that was begun."""
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
    return CardHouse(
        store,
        provider,
        card_gateway,
        mailer,
        clock,
        payments,
        cards,
        charges,
        top_ups,
        refunds,
        runner,
    )
