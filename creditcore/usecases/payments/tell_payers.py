"""Tell people by mail what became of their money, in plain words and with the numbers.

Each mail is enqueued in the transaction that causes it, so it is sent if and only if that was
committed, and once: its job is named by the event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from creditcore.domain.documents import Seller
from creditcore.domain.ledger import Wallet
from creditcore.domain.low_balance import USUAL_THRESHOLD, LowBalanceWatch
from creditcore.domain.money import ZERO, Credits, div_floor
from creditcore.domain.purchases import Payment, Purchase, PurchaseState
from creditcore.domain.refunds import Refund, RefundKind, RefundState
from creditcore.domain.saved_cards import CardConsent, SavedCard
from creditcore.domain.top_ups import TopUpOrder
from creditcore.ports.store_ports import HasLedger, HasLowBalance, HasPeople
from creditcore.ports.transactions import MailTransaction
from creditcore.usecases.jobs.send_mail import SendMail

_MICROCREDITS_PER_CENT = 1_000_000
_TOLD_OF_REFUNDS = (RefundState.PENDING, RefundState.PROCESSED, RefundState.FAILED)


class TellPayersTransaction(HasLedger, HasLowBalance, HasPeople, MailTransaction, Protocol):
    """What mails about payments are written from, and written to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellPayers:
    """Mails about payments, refunds, disputes and low balances.

    Attributes:
        mails: Sends nothing where no mail server is configured.
        seller: Who knows where a tax invoice follows the payment.
    """

    mails: SendMail
    seller: Seller

    def decided(self, tx: TellPayersTransaction, purchase: Purchase, payment: Payment) -> None:  # noqa: ARG002
        """Confirm a payment that was credited; say of one that is held back that it is looked at.

        Who has failed to pay was told so on the page where they tried.
        """
        if purchase.state is PurchaseState.PAID:
            self._watch_balance(tx, purchase)
            self._tell(
                tx,
                "payment_received",
                purchase,
                event=purchase.reference,
                more={
                    "amount": str(purchase.paid),
                    "credit": dollars(purchase.offer.credits),
                    "tax_invoice": self._tax_invoice(purchase, purchase.closed_at),
                },
            )
        elif purchase.state is PurchaseState.UNDER_REVIEW:
            self._tell(
                tx,
                "payment_held",
                purchase,
                event=purchase.reference,
                more={"amount": str(purchase.paid), "asked": str(purchase.offer.price)},
            )

    def refunded(self, tx: TellPayersTransaction, purchase: Purchase, refund: Refund) -> None:
        """Say that money goes back, has gone back, or does not; of a dispute, how it stands."""
        if refund.state not in _TOLD_OF_REFUNDS:
            return
        template = "refund" if refund.kind is RefundKind.REFUND else "dispute"
        self._tell(
            tx,
            template,
            purchase,
            event=f"{refund.id}:{refund.state}:{refund.turns}",
            more={
                "state": refund.state.value,
                "amount": str(refund.amount),
                "credit": dollars(refund.credits),
                "tax_credit_note": self._tax_invoice(purchase, refund.updated_at)
                if refund.state is RefundState.PROCESSED
                else "",
            },
        )

    def running_low(
        self, tx: TellPayersTransaction, watch: LowBalanceWatch, wallet: Wallet
    ) -> None:
        """Say that a wallet fell below the threshold that its person chose."""
        self._mail(
            tx,
            "low_balance",
            _address(tx, watch.person_id, ""),
            event=f"{watch.wallet_id}:{watch.crossings}",
            account=wallet.owner_id,
            values={
                "balance": dollars(wallet.available),
                "threshold": dollars(watch.threshold),
            },
        )

    def card_saved(
        self, tx: TellPayersTransaction, purchase: Purchase, card: SavedCard, consent: CardConsent
    ) -> None:
        """Mail a copy of what the customer agreed to whose card was saved."""
        self._mail(
            tx,
            "card_saved",
            _address(tx, consent.person_id, purchase.email),
            event=f"{card.id}:{consent.id}",
            account=card.owner_id,
            values={"card": card.label, "text": consent.text},
        )

    def top_up_turned_on(
        self, tx: TellPayersTransaction, order: TopUpOrder, consent: CardConsent
    ) -> None:
        """Mail a copy of what the customer agreed to who turned automatic top-ups on."""
        self._mail(
            tx,
            "top_up_on",
            _address(tx, order.person_id, ""),
            event=consent.id,
            account=tx.ledger.find_wallet(order.wallet_id).owner_id,
            values={"text": consent.text},
        )

    def top_up_stopped(
        self, tx: TellPayersTransaction, order: TopUpOrder, reason: str, *, event: str
    ) -> None:
        """Say that automatic top-ups have stopped, why, and where to go on."""
        wallet = tx.ledger.find_wallet(order.wallet_id)
        self._mail(
            tx,
            "top_up_stopped",
            _address(tx, order.person_id, ""),
            event=f"{event}:{order.changed_at:%Y%m%dT%H%M%S%f}",
            account=wallet.owner_id,
            values={
                "reason": reason,
                "balance": dollars(wallet.available),
                "reference": order.pending or (event if event.startswith("cc-") else ""),
            },
        )

    def top_up_limited(
        self, tx: TellPayersTransaction, order: TopUpOrder, limit: str, *, at: datetime
    ) -> None:
        """Say, once a day, that a limit keeps a wallet from being topped up."""
        wallet = tx.ledger.find_wallet(order.wallet_id)
        self._mail(
            tx,
            "top_up_limited",
            _address(tx, order.person_id, ""),
            event=f"{order.wallet_id}:{at:%Y-%m-%d}",
            account=wallet.owner_id,
            values={"limit": limit, "balance": dollars(wallet.available)},
        )

    def _tax_invoice(self, purchase: Purchase, at: datetime | None) -> str:
        """Say whether a device has still to stamp a document of this payment, issued then."""
        if purchase.paid is None or at is None:
            return ""
        return "follows" if self.seller.needs_stamp(purchase.paid.currency, at) else ""

    def _mail(
        self,
        tx: TellPayersTransaction,
        template: str,
        to: str,
        *,
        event: str,
        account: str,
        values: Mapping[str, str],
    ) -> None:
        if to:
            # A person or a team: links lead into that account, whichever is chosen then.
            values = {"account": account, **values}
            self.mails.enqueue(tx, template, to=to, event=event, values=values)

    def _watch_balance(self, tx: TellPayersTransaction, purchase: Purchase) -> None:
        """Let a person who has paid be told when that runs out, unless they chose already."""
        if tx.low_balance.find(purchase.wallet_id) is None:
            # Of a team, it is who paid.
            payer = tx.people.find_by_email(purchase.email)
            is_own = payer is None or tx.people.find(purchase.owner_id) is not None
            tx.low_balance.save(
                LowBalanceWatch(
                    wallet_id=purchase.wallet_id,
                    person_id=purchase.owner_id if is_own or payer is None else payer.id,
                    threshold=USUAL_THRESHOLD,
                )
            )

    def _tell(
        self,
        tx: TellPayersTransaction,
        template: str,
        purchase: Purchase,
        *,
        event: str,
        more: Mapping[str, str],
    ) -> None:
        to = _address(tx, purchase.owner_id, purchase.email)
        if not to or not self.mails.is_configured:
            return
        wallet = tx.ledger.find_wallet(purchase.wallet_id)
        values = {
            "reference": purchase.reference,
            "balance": dollars(wallet.available),
            "owed": dollars(wallet.owed) if wallet.owed > ZERO else "",
            **more,
        }
        self._mail(tx, template, to, event=event, account=purchase.owner_id, values=values)


def dollars(amount: Credits) -> str:
    """Return credits as dollars of balance, rounded down to the cent: ``$20.00``."""
    whole, cents = divmod(div_floor(amount.microcredits, _MICROCREDITS_PER_CENT), 100)
    return f"${whole:,}.{cents:02d}"


def _address(tx: TellPayersTransaction, person_id: str, known: str) -> str:
    """Return where mails to a person go; nowhere, once they have left."""
    person = tx.people.find(person_id)
    if person is None:
        return known
    return "" if person.is_gone else person.email
