"""Receive the provider's webhooks, and process each until its payment is decided.

A webhook is stored before it is acknowledged, and processed after that. Each attempt first
claims the event: it falls due again after a pause, unless it was done by then. So an event
whose process died, or whose payment could not be verified, is tried again.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from creditcore.domain.alerts import Alert, Severity
from creditcore.domain.errors import PaymentGatewayError, PurchaseNotFoundError
from creditcore.domain.purchases import Payment, PaymentStatus, Purchase
from creditcore.domain.reviews import Review
from creditcore.ports.clock import Clock
from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.payments import EventKind, PaymentGateway
from creditcore.ports.store_ports import HasPaymentEvents, HasPurchases, HasReviews
from creditcore.ports.transactions import AlertsTransaction, Begins
from creditcore.usecases.payments.confirm_payment import ConfirmPayment
from creditcore.usecases.payments.follow_refunds import FollowRefunds

_MAX_EVENTS_PER_ROUND = 50
_MAX_ROUND = timedelta(seconds=30)
_ALERT_AFTER_ATTEMPTS = 6
"""After so many, which is an hour, an operator should look."""

_HANDLED = (EventKind.PAID, EventKind.REFUND, EventKind.DISPUTE)

_log = logging.getLogger(__name__)


class PaymentInboxTransaction(
    AlertsTransaction, HasPaymentEvents, HasPurchases, HasReviews, Protocol
):
    """What the inbox reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentInbox:
    """Store authenticated webhooks and process them by idempotent steps."""

    transactions: Begins[PaymentInboxTransaction]
    gateway: PaymentGateway
    payments: ConfirmPayment
    refunds: FollowRefunds
    clock: Clock

    def receive(self, body: bytes, signature: str | None) -> PaymentEvent | None:
        """Store a webhook of the provider, without asking the provider anything.

        Returning means that the webhook is stored and need not be sent again. A repeat is
        counted.

        Returns:
            The event, claimed for the caller, to ``process`` after acknowledging; None if
            there is nothing to do.

        Raises:
            WebhookRefusedError: The provider did not sign it; nothing was stored.
            StoreError: Unknown whether it was stored; it should be sent again.
        """
        notice = self.gateway.authenticate(body, signature)
        now = self.clock.now()
        event = PaymentEvent(
            digest=hashlib.sha256(body).hexdigest(),
            kind=notice.kind,
            name=notice.name,
            reference=notice.reference,
            body=_as_text(body),
            received_at=now,
            due_at=now if notice.kind in _HANDLED and notice.reference else None,
        )
        with self.transactions.begin() as tx:
            stored = tx.payment_events.record(event)
            for alert in _for_review(stored):
                tx.alerts.add(alert)
            claimed = _claim(tx, stored, now=now) if _is_due(tx, stored, now=now) else None
            tx.commit()
        return claimed

    def process(self, event: PaymentEvent) -> bool:
        """Take the step that a claimed event asks for; return whether nothing is left to do.

        If something is, it is tried again when the event falls due.
        """
        alerts: tuple[Alert, ...] = ()
        payment: Payment | None = None
        try:
            if not self._take_step(event):
                # The provider contradicts its own webhook. Perhaps not for long.
                return False
        except PaymentGatewayError as error:
            _log.warning("payment %s could not be verified: %s", event.reference, error)
            return False
        except PurchaseNotFoundError:
            alerts = (_not_ours(event, at=self.clock.now()),)
            try:
                payment = self.gateway.verify(event.reference)
            except PaymentGatewayError as error:
                _log.warning("payment %s could not be verified: %s", event.reference, error)
                return False
        with self.transactions.begin() as tx:
            if payment is not None and payment.status is PaymentStatus.SUCCEEDED:
                tx.reviews.open(Review.of_unknown(payment, at=self.clock.now()))
            tx.payment_events.save(replace(event, due_at=None))
            for alert in alerts:
                tx.alerts.add(alert)
            tx.commit()
        return True

    def _take_step(self, event: PaymentEvent) -> bool:
        match event.kind:
            case EventKind.REFUND:
                return self.refunds.follow(event.reference)
            case EventKind.DISPUTE:
                return self.refunds.follow_dispute(event.reference, event.body)
            case _:
                purchase = self.payments.confirm_reported(event.reference)
                if not purchase.awaits_payment:
                    self._hold_back_duplicate(event, purchase)
                return not purchase.awaits_payment

    def _hold_back_duplicate(self, event: PaymentEvent, purchase: Purchase) -> None:
        """Keep a second payment of one purchase for a person to decide about."""
        payment_id = self.gateway.payment_id_in(event.body)
        if not payment_id or not purchase.provider_id or payment_id == purchase.provider_id:
            return
        payment = self.gateway.find(payment_id)
        if (
            payment is None
            or payment.reference != purchase.reference
            or payment.status is not PaymentStatus.SUCCEEDED
        ):
            return
        at = self.clock.now()
        with self.transactions.begin() as tx:
            tx.reviews.open(Review.of_duplicate(payment, at=at))
            tx.alerts.add(_paid_twice(payment, at=at))
            tx.commit()

    def process_due(self) -> int:
        """Process events that are due; return how many are now done.

        Any number of workers may do this at once. Each round ends, however many events are
        due and however slow the provider is.
        """
        done = 0
        end = self.clock.now() + _MAX_ROUND
        for _ in range(_MAX_EVENTS_PER_ROUND):
            event = self._claim_due()
            if event is None:
                break
            done += self.process(event)
            if self.clock.now() >= end:
                break
        return done

    def _claim_due(self) -> PaymentEvent | None:
        now = self.clock.now()
        with self.transactions.begin() as tx:
            due = tx.payment_events.lock_due(now=now)
            if due is None:
                return None
            claimed = _claim(tx, due, now=now)
            tx.commit()
        return claimed


def _is_due(tx: PaymentInboxTransaction, stored: PaymentEvent, *, now: datetime) -> bool:
    if stored.due_at is not None:
        return stored.due_at <= now
    if stored.kind is not EventKind.PAID:
        return False
    # It was done once; but the provider sends it again, and the money is not credited.
    try:
        return tx.purchases.find(stored.reference).awaits_payment
    except PurchaseNotFoundError:
        return False


def _claim(tx: PaymentInboxTransaction, event: PaymentEvent, *, now: datetime) -> PaymentEvent:
    if event.attempts >= _ALERT_AFTER_ATTEMPTS:
        tx.alerts.add(_stuck(event, at=now))
    claimed = event.claim(now)
    tx.payment_events.save(claimed)
    return claimed


def _as_text(body: bytes) -> str:
    """Return the body of a webhook as any database can keep it; JSON stays as it is."""
    return body.decode(errors="backslashreplace").replace("\0", "\\x00")


def _for_review(event: PaymentEvent) -> list[Alert]:
    """Return the alerts of an event that cannot be processed."""
    if event.kind is EventKind.UNREADABLE:
        unreadable = Alert(
            key=f"unreadable_webhook:{event.digest}",
            severity=Severity.WARNING,
            subject="A webhook cannot be read",
            message=(
                f"The provider signed a webhook that says nothing we understand. It is kept as "
                f"payment event {event.digest}."
            ),
            at=event.received_at,
        )
        return [unreadable]
    if event.kind in _HANDLED and not event.reference:
        return [_not_ours(event, at=event.received_at)]
    return []


def _not_ours(event: PaymentEvent, *, at: datetime) -> Alert:
    return Alert(
        key=f"unknown_payment:{event.reference or event.digest}",
        severity=Severity.CRITICAL,
        subject="A payment is not ours",
        message=(
            f"The provider reports a payment {event.reference!r} that was not started here. The "
            f"webhook is kept as payment event {event.digest}; nothing was credited."
        ),
        at=at,
    )


def _paid_twice(payment: Payment, *, at: datetime) -> Alert:
    return Alert(
        key=f"review:{payment.provider_id}",
        severity=Severity.CRITICAL,
        subject="A purchase was paid twice",
        message=(
            f"{payment.amount} came for {payment.reference}, which was paid before. The second "
            f"payment is {payment.provider_id} at the provider; nothing was credited for it."
        ),
        at=at,
    )


def _stuck(event: PaymentEvent, *, at: datetime) -> Alert:
    return Alert(
        key=f"stuck_webhook:{event.digest}",
        severity=Severity.CRITICAL,
        subject="A payment that was reported is not confirmed",
        message=(
            f"The provider reported payment {event.reference} on {event.received_at:%Y-%m-%d} at "
            f"{event.received_at:%H:%M} UTC. {event.attempts} attempts to confirm it were in vain, "
            "and nothing was credited. It is tried again for as long as it takes."
        ),
        at=at,
    )
