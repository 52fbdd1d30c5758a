"""Confirm a payment: the one step that turns money into credits.

Webhook, browser return, poller and reconciliation all call it, in any order, any number
of times, at once. It asks the provider first, while no transaction is open, and compares
the answer with our own row, which is locked for that.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from creditcore.domain.errors import PaymentGatewayUnavailableError, TeamNotFoundError
from creditcore.domain.money import Money
from creditcore.domain.purchases import (
    NEVER_COMPLETED,
    NEVER_OPENED,
    NEVER_RECEIVED,
    UNFINISHED_AFTER,
    Decision,
    Payment,
    PaymentStatus,
    Purchase,
    PurchaseState,
)
from creditcore.domain.reviews import Review
from creditcore.ports.clock import Clock
from creditcore.ports.payment_followers import FollowedTransaction, PaymentFollower
from creditcore.ports.payments import PaymentGateway
from creditcore.ports.store_ports import HasPurchases, HasReviews, HasTeams
from creditcore.ports.transactions import AlertsTransaction, Begins
from creditcore.usecases.payments.post_transfers import post_transfers

_log = logging.getLogger(__name__)


class ConfirmPaymentTransaction(
    AlertsTransaction, FollowedTransaction, HasPurchases, HasReviews, HasTeams, Protocol
):
    """What deciding about a payment reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmPayment:
    """Ask the provider about a payment, and grant its credits once if it was made.

    Attributes:
        followers: What else happens in the transaction that decides.
    """

    transactions: Begins[ConfirmPaymentTransaction]
    gateway: PaymentGateway
    clock: Clock
    followers: Sequence[PaymentFollower] = ()

    def confirm(self, reference: str) -> Purchase:
        """Verify a payment and apply what the provider says.

        A purchase that needs no payment any more is returned as it is, and the provider is
        not asked.

        Raises:
            PaymentGatewayUnavailableError: The outcome is unknown; ask again.
            PurchaseNotFoundError: No purchase has this reference.
        """
        with self.transactions.begin() as tx:
            purchase = tx.purchases.find(reference)
        if not purchase.awaits_payment:
            return purchase
        payment = self.gateway.verify(reference)
        if payment is None:
            if self.clock.now() < purchase.prompt_ends_at:
                return purchase
            payment = _never_made(purchase)
        elif payment.status is PaymentStatus.PENDING and self._is_given_up(purchase):
            payment = replace(payment, status=PaymentStatus.FAILED, message=NEVER_COMPLETED)
        return self.apply(payment)

    def confirm_reported(self, reference: str) -> Purchase:
        """Confirm a payment that the provider has news of.

        One that is credited already and lacks the code of its network is looked up again. A
        failure of that loses nothing: reconciliation looks at it every night of the next week.

        Raises:
            PaymentGatewayUnavailableError: The outcome is unknown; ask again.
            PurchaseNotFoundError: No purchase has this reference.
        """
        with self.transactions.begin() as tx:
            purchase = tx.purchases.find(reference)
        if not purchase.lacks_receipt_code:
            return self.confirm(reference)
        try:
            payment = self.gateway.verify(reference)
        except PaymentGatewayUnavailableError as error:
            _log.warning("the code of payment %s could not be looked up: %s", reference, error)
            return purchase
        return purchase if payment is None else self.apply(payment)

    def _is_given_up(self, purchase: Purchase) -> bool:
        return self.clock.now() >= purchase.created_at + UNFINISHED_AFTER

    def apply(self, payment: Payment) -> Purchase:
        """Compare a verified payment with our purchase, and store what follows from it.

        Raises:
            PurchaseNotFoundError: No purchase has its reference.
        """
        now = self.clock.now()
        with self.transactions.begin() as tx:
            purchase = tx.purchases.lock(payment.reference)
            is_gone = _is_gone(tx, purchase.owner_id)
            decision = purchase.apply(payment, at=now, is_person_gone=is_gone)
            if decision.purchase is purchase:
                return purchase
            if decision.purchase.state is purchase.state:
                # The code of its network came late. Nothing else is decided, or follows.
                tx.purchases.save(decision.purchase)
                tx.commit()
                return decision.purchase
            _record(tx, decision, payment)
            for follower in self.followers:
                follower.decided(tx, decision.purchase, payment)
            tx.commit()
        return decision.purchase


def _is_gone(tx: ConfirmPaymentTransaction, owner_id: str) -> bool:
    """Whether the account was closed meanwhile, or is that of a team which was deleted."""
    person = tx.people.find(owner_id)
    if person is not None:
        return person.is_gone
    try:
        return tx.teams.find(owner_id).deleted_at is not None
    except TeamNotFoundError:
        return False


def _record(tx: ConfirmPaymentTransaction, decision: Decision, payment: Payment) -> None:
    tx.purchases.save(decision.purchase)
    if decision.purchase.state is PurchaseState.UNDER_REVIEW and decision.purchase.closed_at:
        is_reversed = payment.status is PaymentStatus.REVERSED
        tx.reviews.open(
            Review.of(decision.purchase, is_reversed=is_reversed, at=decision.purchase.closed_at)
        )
    for alert in decision.alerts:
        tx.alerts.add(alert)
    if decision.transfers:
        post_transfers(tx, decision.purchase.wallet_id, decision.transfers)


def _never_made(purchase: Purchase) -> Payment:
    """The provider never heard of it and its time is over. A later payment would still count."""
    was_sent = purchase.payer or purchase.card_id
    return Payment(
        reference=purchase.reference,
        status=PaymentStatus.FAILED,
        amount=Money(0, purchase.offer.price.currency),
        message=NEVER_RECEIVED if was_sent else NEVER_OPENED,
    )
