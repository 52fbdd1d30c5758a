"""People are told by mail what became of their money: once, with the numbers, if committed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from adapters.smtp_mail import JinjaTemplates
from creditcore import ConfirmPayment, Credits, Money, Payment, PaymentStatus
from creditcore.domain.documents import Seller
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.low_balance import USUAL_THRESHOLD
from creditcore.domain.mail import Mail
from creditcore.domain.people import Person
from creditcore.domain.purchases import PurchaseState
from creditcore.domain.refunds import RefundKind, RefundState, ReportedRefund
from creditcore.domain.teams import Team
from creditcore.testing.contracts import NOON, a_purchase, a_wallet, admit, settle
from creditcore.testing.memory import (
    FixedClock,
    MemoryPaymentGateway,
    MemoryTransactions,
    SequentialIds,
)
from creditcore.testing.memory_mail import MemoryMailer
from creditcore.testing.memory_refunds import MemoryRefundGateway
from creditcore.usecases.jobs.run_jobs import RunJobs
from creditcore.usecases.jobs.send_mail import SEND_MAIL, SendMail
from creditcore.usecases.payments.follow_refunds import FollowRefunds
from creditcore.usecases.payments.tell_payers import TellPayers
from creditcore.usecases.payments.watch_balances import WatchBalances

OWNER = "owner-of-wallet-1"
SELLER = Seller(name="Jua")
PAID = Money(129000, "KES")
SITE = {
    "name": "Jua",
    "base_url": "https://jua.example",
    "support_email": "",
    "support_url": "",
    "company_name": "",
    "company_address": "",
}


@dataclass
class House:
    store: MemoryTransactions
    provider: MemoryPaymentGateway
    mailer: MemoryMailer
    payments: ConfirmPayment
    refunds: FollowRefunds
    balances: WatchBalances
    runner: RunJobs

    def pay(self, amount: Money = PAID) -> None:
        self.provider.payments["cc-1"] = Payment(
            reference="cc-1", status=PaymentStatus.SUCCEEDED, amount=amount, provider_id="77"
        )
        self.payments.confirm("cc-1")
        self.runner.run_due(SEND_MAIL)

    def reported(self, state: RefundState, kind: RefundKind = RefundKind.REFUND) -> None:
        report = ReportedRefund(
            provider_id="77-1", amount=Money(64500, "KES"), state=state, kind=kind
        )
        self.refunds.apply("cc-1", [report])
        self.runner.run_due(SEND_MAIL)

    def mails(self) -> list[Mail]:
        """Send what waits, and return everything that was sent."""
        self.runner.run_due(SEND_MAIL)
        return list(self.mailer.sent.values())

    def subjects(self) -> list[str]:
        return [mail.content.subject for mail in self.mails()]

    def spend(self, amount: Credits, name: str = "spent") -> None:
        settle(self.store, admit(self.store, amount.microcredits, reference=name),
               amount.microcredits)  # fmt: skip


@pytest.fixture
def house() -> House:
    return a_house()


def a_house(seller: Seller = SELLER) -> House:
    store, provider, clock = MemoryTransactions(), MemoryPaymentGateway(), FixedClock(NOON)
    wallet = a_wallet(store)
    with store.begin() as tx:
        tx.people.add(Person(id=OWNER, email="amina@example.com", created_at=NOON))
        tx.purchases.add(a_purchase(wallet))
        tx.commit()
    mailer = MemoryMailer()
    mails = SendMail(transactions=store, templates=JinjaTemplates(SITE), mailer=mailer, clock=clock)
    notices = TellPayers(mails=mails, seller=seller)
    payments = ConfirmPayment(
        transactions=store, gateway=provider, clock=clock, followers=(notices,)
    )
    refunds = FollowRefunds(
        transactions=store,
        payments=payments,
        gateway=provider,
        refund_gateway=MemoryRefundGateway(provider),
        clock=clock,
        ids=SequentialIds(),
        followers=(notices,),
    )
    runner = RunJobs(transactions=store, clock=clock, handlers={SEND_MAIL: mails.send})
    balances = WatchBalances(transactions=store, notices=notices, clock=clock)
    return House(store, provider, mailer, payments, refunds, balances, runner)


def test_a_payment_is_confirmed_once_with_its_numbers(house: House) -> None:
    house.pay()
    house.payments.confirm("cc-1")
    house.payments.apply(house.provider.payments["cc-1"])

    [mail] = house.mails()

    assert mail.to == "amina@example.com"
    assert mail.content.subject == "Payment received: KES 1290.00"
    for told in ("Credit added: $20.00", "Balance now: $20.00", "Reference: cc-1"):
        assert told in mail.content.text
    assert "https://jua.example/dashboard/billing/receipts/cc-1" in mail.content.html


TOLD_OF_INVOICE = "The tax invoice follows: the receipt's page will show it."
TOLD_OF_NOTE = "The tax credit note follows: the receipt's page will show it."


def test_a_tax_invoice_that_follows_is_announced() -> None:
    since = NOON + timedelta(minutes=1)
    house = a_house(Seller(name="Jua", stamped_since={"KES": NOON, "USD": since}))

    house.pay()
    for state in (RefundState.PENDING, RefundState.PROCESSED):
        house.reported(state)

    paid, pending, processed = (mail.content for mail in house.mails())
    assert TOLD_OF_INVOICE in paid.text
    assert "The tax invoice follows" in paid.html
    assert "follows" not in pending.text + pending.html
    assert TOLD_OF_NOTE in processed.text
    assert "The tax credit note follows" in processed.html


@pytest.mark.parametrize("kind", RefundKind)
@pytest.mark.parametrize(
    "since", [{}, {"USD": NOON}, {"KES": NOON + timedelta(minutes=1)}], ids=str
)
def test_where_no_tax_invoice_is_due_none_is_announced(
    kind: RefundKind, since: dict[str, datetime]
) -> None:
    house = a_house(Seller(name="Jua", stamped_since=since))

    house.pay()
    for state in (RefundState.PENDING, RefundState.PROCESSED):
        house.reported(state, kind)

    assert not [mail for mail in house.mails() if "follows" in mail.content.text]


def test_a_payment_that_is_held_back_is_told_of(house: House) -> None:
    house.pay(Money(5, "KES"))

    [mail] = house.mails()

    assert mail.content.subject == "We are looking at your payment of KES 0.05"
    assert "Asked: KES 1290.00" in mail.content.text


@pytest.mark.parametrize(
    ("kind", "last", "subjects"),
    [
        (RefundKind.REFUND, RefundState.PROCESSED,
         ["A refund of KES 645.00 is on its way", "Refunded: KES 645.00"]),
        (RefundKind.REFUND, RefundState.FAILED,
         ["A refund of KES 645.00 is on its way", "A refund of KES 645.00 did not go through"]),
        (RefundKind.DISPUTE, RefundState.PROCESSED,
         ["A payment of KES 645.00 is disputed", "The dispute about KES 645.00 is decided"]),
        (RefundKind.DISPUTE, RefundState.FAILED,
         ["A payment of KES 645.00 is disputed", "The dispute about KES 645.00 is decided"]),
    ],
)  # fmt: skip
def test_each_step_of_money_that_goes_back_is_told_once(
    house: House, kind: RefundKind, last: RefundState, subjects: list[str]
) -> None:
    house.pay()
    for state in (RefundState.PENDING, RefundState.PENDING, last, last):
        house.reported(state, kind)

    assert house.subjects()[1:] == subjects


def test_looking_after_a_refund_tells_nothing_anew(house: House) -> None:
    house.pay()
    house.reported(RefundState.PENDING)
    told = house.subjects()
    house.runner.forget_closed()

    with house.refunds.open_book("cc-1") as book:
        assert book is not None
        book.touch()

    house.store.committed.jobs.clear()
    assert house.subjects() == told


def test_what_is_owed_after_a_refund_is_said(house: House) -> None:
    house.pay()
    house.spend(Credits.of(1500))
    house.reported(RefundState.PENDING)

    assert "$5.00 is owed" in house.mails()[-1].content.text


def test_a_balance_that_falls_is_told_of_once_until_it_was_well_above(house: House) -> None:
    house.pay()
    with house.store.begin() as tx:
        watch = tx.low_balance.find("wallet-1")
        assert watch is not None
        assert watch.threshold == USUAL_THRESHOLD
    house.balances.choose("wallet-1", OWNER, Credits.of(1000))

    told = [house.balances.look()]
    house.spend(Credits.of(1001))
    told += [house.balances.look(), house.balances.look()]
    house.balances.choose("wallet-1", OWNER, Credits.of(1000))
    told.append(house.balances.look())

    assert told == [0, 1, 0, 0]
    assert house.subjects()[1:] == ["Your balance is low: $9.99"]


def test_who_wants_to_be_told_nothing_is_not_told_and_stays_so(house: House) -> None:
    house.balances.choose("wallet-1", OWNER, Credits(0))
    house.pay()
    house.spend(Credits.of(2000))

    assert house.balances.look() == 0
    with pytest.raises(InvalidRequestError):
        house.balances.choose("wallet-1", OWNER, Credits.of(1_000_001))


def test_who_has_left_is_told_nothing(house: House) -> None:
    with house.store.begin() as tx:
        person = tx.people.lock(OWNER)
        assert person is not None
        tx.people.save(person.leave())
        tx.commit()

    house.pay()

    assert house.mails() == []


def test_a_payment_whose_commit_fails_is_not_told_of(house: House) -> None:
    house.provider.payments["cc-1"] = Payment(
        reference="cc-1", status=PaymentStatus.SUCCEEDED, amount=PAID
    )
    broken = ConfirmPayment(
        transactions=house.store,
        gateway=house.provider,
        clock=FixedClock(NOON + timedelta(minutes=1)),
        followers=(*house.payments.followers, Breaks()),
    )

    with pytest.raises(ZeroDivisionError):
        broken.confirm("cc-1")

    assert house.mails() == []
    assert not house.store.committed.transfers


class Breaks:
    """A follower whose own work fails."""

    def decided(self, *_: object) -> None:
        raise ZeroDivisionError

    def refunded(self, *_: object) -> None:
        raise ZeroDivisionError


def of_a_team(house: House, *, deleted_at: datetime | None = None) -> None:
    """Let the purchase be one that Amina made for a team."""
    team_id = house.store.committed.wallets["wallet-1"].owner_id
    house.store.committed.people = {
        "amina": Person(id="amina", email="amina@example.com", created_at=NOON)
    }
    with house.store.begin() as tx:
        tx.teams.add(Team(id=team_id, name="Jua Labs", created_at=NOON, deleted_at=deleted_at))
        tx.commit()


def test_a_mail_that_waited_since_before_links_name_accounts_is_sent() -> None:
    values = {"reference": "cc-1", "amount": "KES 1", "asked": "KES 2", "balance": "$1", "owed": ""}

    mail = JinjaTemplates(SITE).render("payment_held", values)

    assert "https://jua.example/dashboard/billing/payments/cc-1\n" in mail.text


def test_who_paid_for_a_team_is_told_and_watches_its_balance(house: House) -> None:
    of_a_team(house)

    house.pay()

    assert house.store.committed.low_balance["wallet-1"].person_id == "amina"
    house.balances.choose("wallet-1", "amina", Credits.of(1000))
    house.balances.look()
    house.spend(Credits.of(1001))
    house.balances.look()
    paid, low = house.mails()
    assert {paid.to, low.to} == {"amina@example.com"}
    # Whichever account she has chosen when she opens it: one's credit is not bought for another.
    assert f"/dashboard/billing/receipts/cc-1?account={OWNER}\n" in paid.content.text
    assert f"/dashboard/billing?account={OWNER}#buy\n" in low.content.text


def test_a_payment_for_a_team_that_was_deleted_waits_for_a_decision(house: House) -> None:
    of_a_team(house, deleted_at=NOON)

    house.pay()

    [purchase] = house.store.committed.purchases.values()
    assert purchase.state is PurchaseState.UNDER_REVIEW
