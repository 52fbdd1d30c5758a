"""Everything that moves a payer's money, on one store, with a provider that does as it is told."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

from creditcore import ChargeUsage, ConfirmPayment, Credits, GroupCommit, Money, Wallet
from creditcore.domain.documents import Seller
from creditcore.domain.people import Person
from creditcore.domain.purchases import Offer, Purchase
from creditcore.domain.sale_terms import SaleTerms
from creditcore.domain.saved_cards import SavedCard
from creditcore.ports.transactions import BooksTransactions, Transactions
from creditcore.testing.memory import FixedClock, MemoryPaymentGateway, SequentialIds
from creditcore.testing.memory_cards import MemoryCardGateway
from creditcore.testing.memory_identity import MemoryVault
from creditcore.testing.memory_mail import PlainTemplates
from creditcore.testing.memory_refunds import MemoryRefundGateway
from creditcore.usecases.jobs.send_mail import SendMail
from creditcore.usecases.payments.charge_card import ChargeCard
from creditcore.usecases.payments.clear_debt import ClearDebt
from creditcore.usecases.payments.convert_currency import ConvertCurrency, FixedRates
from creditcore.usecases.payments.follow_refunds import FollowRefunds
from creditcore.usecases.payments.follow_top_ups import FollowTopUps
from creditcore.usecases.payments.keep_cards import KeepCards
from creditcore.usecases.payments.poll_payments import PollPayments
from creditcore.usecases.payments.refund_payment import RefundPayment
from creditcore.usecases.payments.sell_credits import SellCredits
from creditcore.usecases.payments.tell_payers import TellPayers
from creditcore.usecases.payments.top_up_wallets import TopUpWallets

CENTS = 1000
PRICE = Money(CENTS, "USD")
WALLET = "wallet"
MANY = Money(10**9, "USD")


@dataclass
class PaymentHouse:
    """The use cases of payments for one person, Amina, with a saved card."""

    store: Transactions
    clock: FixedClock
    amina: Person
    charge: ChargeUsage
    provider: MemoryPaymentGateway
    refund_gateway: MemoryRefundGateway
    card_gateway: MemoryCardGateway
    payments: ConfirmPayment
    poller: PollPayments
    follower: FollowRefunds
    refunds: RefundPayment
    debts: ClearDebt
    top_ups: TopUpWallets

    @classmethod
    def open(
        cls, resources: ExitStack, store: Transactions, books: BooksTransactions
    ) -> PaymentHouse:
        """Build everything, with an empty wallet, a card, and four purchases that were begun."""
        clock, ids, vault = FixedClock(), SequentialIds(), MemoryVault()
        commits = resources.enter_context(GroupCommit(transactions=books, clock=clock))
        provider = MemoryPaymentGateway()
        refund_gateway = MemoryRefundGateway(provider)
        card_gateway = MemoryCardGateway(provider.payments)
        mails = SendMail(transactions=store, templates=PlainTemplates(), mailer=None, clock=clock)
        notices = TellPayers(mails=mails, seller=Seller(name="Jua"))
        cards = KeepCards(
            transactions=store,
            gateway=card_gateway,
            vault=vault,
            notices=notices,
            clock=clock,
            ids=ids,
            site="Jua",
        )
        follow_top_ups = FollowTopUps(notices=notices, clock=clock)
        followers = (cards, follow_top_ups, notices)
        payments = ConfirmPayment(
            transactions=store, gateway=provider, clock=clock, followers=followers
        )
        follower = FollowRefunds(
            transactions=store,
            payments=payments,
            gateway=provider,
            refund_gateway=refund_gateway,
            clock=clock,
            ids=ids,
            followers=followers,
        )
        sales = SellCredits(
            transactions=store,
            gateway=provider,
            payments=payments,
            converter=ConvertCurrency(rates=FixedRates({})),
            clock=clock,
            ids=ids,
            # Few credits, so that calls use them up, and nothing that a part of 1,000 cents
            # divides.
            terms=SaleTerms(credits_per_usd="0.001000003", daily_limit=MANY, monthly_limit=MANY),
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
        house = cls(
            store=store,
            clock=clock,
            amina=Person(id="amina", email="amina@example.com", created_at=clock.now()),
            charge=ChargeUsage(commits=commits, transactions=store, clock=clock),
            provider=provider,
            refund_gateway=refund_gateway,
            card_gateway=card_gateway,
            payments=payments,
            poller=PollPayments(transactions=store, payments=payments, clock=clock),
            follower=follower,
            refunds=RefundPayment(
                transactions=store, gateway=refund_gateway, refunds=follower, ids=ids
            ),
            debts=ClearDebt(transactions=store, clock=clock, ids=ids),
            top_ups=TopUpWallets(
                transactions=store,
                charges=charges,
                sales=sales,
                follower=follow_top_ups,
                notices=notices,
                clock=clock,
                ids=ids,
                site="Jua",
            ),
        )
        house._begin(vault)
        return house

    def _begin(self, vault: MemoryVault) -> None:
        with self.store.begin() as tx:
            tx.people.add(self.amina)
            tx.ledger.add_wallet(Wallet(id=WALLET, owner_id=self.amina.id))
            tx.cards.save(
                SavedCard(
                    id="card",
                    owner_id=self.amina.id,
                    email=self.amina.email,
                    signature="SIG_1",
                    brand="visa",
                    last4="4081",
                    expires="",
                    bank="",
                    reference="cc-0",
                    sealed=vault.seal(b"AUTH_secret", context="card:card"),
                    saved_at=self.clock.now(),
                )
            )
            for number in range(4):
                tx.purchases.add(self._purchase(number))
            tx.commit()

    def _purchase(self, number: int) -> Purchase:
        return Purchase(
            reference=f"cc-{number}",
            owner_id=self.amina.id,
            wallet_id=WALLET,
            email=self.amina.email,
            offer=Offer(
                value=PRICE,
                price=PRICE,
                rate=None,
                # Nothing that a part of 1,000 cents divides.
                sold=Credits(1_000_003 + number),
                bonus=Credits(number * 999_983),
            ),
            created_at=self.clock.now(),
            expires_at=self.clock.now() + timedelta(hours=1),
        )
