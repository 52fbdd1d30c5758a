"""Follow what goes back of a payment, wherever that began: here, at the provider, at a bank.

Webhook, worker and reconciliation all call it, in any order, any number of times, at once. It
asks the provider first, while no transaction is open, and compares the answer with our own rows
under the lock of their purchase.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from creditcore.domain.alerts import Alert
from creditcore.domain.books import Footprint
from creditcore.domain.errors import PaymentGatewayError
from creditcore.domain.refund_book import RefundBook
from creditcore.domain.refunds import Refund, ReportedRefund, grant_references
from creditcore.ports.clock import Clock
from creditcore.ports.ids import Ids
from creditcore.ports.payment_followers import FollowedTransaction, PaymentFollower
from creditcore.ports.payments import PaymentGateway
from creditcore.ports.refund_gateway import RefundGateway
from creditcore.ports.store_ports import HasPurchases, HasRefunds
from creditcore.ports.transactions import AlertsTransaction, Begins
from creditcore.usecases.payments.confirm_payment import ConfirmPayment

GIVEN_UP_AFTER = timedelta(minutes=15)
"""Longer than a request may be on its way: what the provider does not list then was never made."""

_LOOKED_AFTER_EVERY = timedelta(minutes=10)
_PAYMENTS_PER_ROUND = 50

_log = logging.getLogger(__name__)


class FollowRefundsTransaction(
    AlertsTransaction, FollowedTransaction, HasPurchases, HasRefunds, Protocol
):
    """What following refunds reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowRefunds:
    """Bring our refunds and disputes to what the provider says of them.

    Attributes:
        followers: What else happens in the transaction in which the state of one changes.
    """

    transactions: Begins[FollowRefundsTransaction]
    payments: ConfirmPayment
    gateway: PaymentGateway
    refund_gateway: RefundGateway
    clock: Clock
    ids: Ids
    followers: Sequence[PaymentFollower] = ()

    def follow(self, reference: str) -> bool:
        """Ask the provider for the refunds of a payment; return whether any were applied.

        A payment that we have not decided about is confirmed first. While that still awaits its
        money, nothing can be applied to it.

        Raises:
            PaymentGatewayUnavailableError: No usable answer; ask again.
            PurchaseNotFoundError: No purchase has this reference.
        """
        purchase = self.payments.confirm(reference)
        payment_id = purchase.provider_id or self._payment_id(reference)
        reports = self.refund_gateway.refunds_of(payment_id) if payment_id else ()
        self.apply(reference, reports)
        return bool(reports) and not purchase.awaits_payment

    def follow_disputes(self, reference: str) -> bool:
        """Ask the provider for the disputes of a payment; return whether any were applied.

        Raises:
            PaymentGatewayUnavailableError: No usable answer; ask again.
            PurchaseNotFoundError: No purchase has this reference.
        """
        purchase = self.payments.confirm(reference)
        payment_id = purchase.provider_id or self._payment_id(reference)
        reports = self.refund_gateway.disputes_of(payment_id) if payment_id else ()
        self.apply(reference, reports)
        return bool(reports) and not purchase.awaits_payment

    def follow_dispute(self, reference: str, body: str) -> bool:
        """Apply the dispute that an authenticated webhook describes; return whether it was applied.

        It was not where it says too little, or came before we know that the payment was made.

        Raises:
            PaymentGatewayUnavailableError: The payment itself is not decided; try again.
            PurchaseNotFoundError: No purchase has this reference.
        """
        report = self.refund_gateway.read_dispute(body)
        if report is None:
            return self.follow_disputes(reference)
        purchase = self.payments.confirm(reference)
        self.apply(reference, [report])
        return not purchase.awaits_payment

    def apply(self, reference: str, reports: Sequence[ReportedRefund]) -> None:
        """Store what the provider says of a payment's refunds, and what follows from it."""
        with self.open_book(reference) as book:
            if book is None:
                return
            book.apply(reports, new_id=self._new_id)
            book.give_up_unheard(requested_before=book.at - GIVEN_UP_AFTER)

    def chase(self) -> int:
        """Look after refunds and disputes that have not ended; return how many payments' it did.

        What could not be asked about now is asked about in another round.
        """
        now = self.clock.now()
        with self.transactions.begin() as tx:
            waiting = tx.refunds.under_way(
                updated_before=now - _LOOKED_AFTER_EVERY, limit=_PAYMENTS_PER_ROUND
            )
        for reference in dict.fromkeys(refund.purchase for refund in waiting):
            with self.open_book(reference) as book:
                if book is not None:
                    book.touch()
            try:
                self.follow(reference)
                self.follow_disputes(reference)
            except PaymentGatewayError as error:
                _log.warning("refunds of %s could not be looked up: %s", reference, error)
        return len(waiting)

    @contextmanager
    def open_book(self, reference: str) -> Iterator[RefundBook | None]:
        """Open the refunds of a payment, and store what changed when it is left in peace.

        There is none for a payment of which nothing came.

        Raises:
            PurchaseNotFoundError: No purchase has this reference.
        """
        with self.transactions.begin() as tx:
            purchase = tx.purchases.lock(reference)
            if purchase.paid is None or purchase.paid.minor_units <= 0:
                yield None
                return
            books = tx.ledger.lock(
                Footprint(
                    wallet_ids={purchase.wallet_id},
                    transfer_references=grant_references(reference),
                )
            )
            before = {refund.id: refund for refund in tx.refunds.of(reference)}
            book = RefundBook(
                purchase=purchase,
                refunds=dict(before),
                books=books,
                at=self.clock.now(),
            )
            yield book
            if not book.changed and not book.alerts:
                return
            for refund in book.changed.values():
                tx.refunds.save(refund)
            if book.purchase is not purchase:
                tx.purchases.save(book.purchase)
            for activity in book.activities:
                tx.activity.add(activity)
            for alert in _once_each(book.alerts):
                tx.alerts.add(alert)
            tx.ledger.write(books)
            self._tell_followers(tx, book, before)
            tx.commit()

    def _tell_followers(
        self, tx: FollowRefundsTransaction, book: RefundBook, before: Mapping[str, Refund]
    ) -> None:
        for refund in book.changed.values():
            known = before.get(refund.id)
            if known is None or (known.state, known.turns) != (refund.state, refund.turns):
                for follower in self.followers:
                    follower.refunded(tx, book.purchase, refund)

    def _payment_id(self, reference: str) -> str:
        payment = self.gateway.verify(reference)
        return payment.provider_id if payment else ""

    def _new_id(self) -> str:
        return self.ids.new_reference("rf")


def _once_each(alerts: Sequence[Alert]) -> Sequence[Alert]:
    return list({alert.key: alert for alert in alerts}.values())
