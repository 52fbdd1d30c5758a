"""Buy credits: offer, check out, confirm.

``confirm`` is the one step that grants anything. The webhook, the browser's return and
the worker all call it, in any order, any number of times, at once.

A webhook is kept before it is acknowledged, and acted upon after that. Whoever acts on it
has claimed it before: it falls due again after a while, unless it was done by then. So one
that a dead process had claimed, or that the provider would not confirm, is tried again.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from creditcore.domain.alerts import Alert, Severity
from creditcore.domain.books import Footprint
from creditcore.domain.errors import (
    PaymentGatewayError,
    PaymentRejectedError,
    PurchaseNotFoundError,
)
from creditcore.domain.money import Money
from creditcore.domain.people import Person
from creditcore.domain.purchases import (
    QUOTE_LIFETIME,
    Judgement,
    Offer,
    Payment,
    PaymentStatus,
    Purchase,
    PurchaseState,
    credits_for,
)
from creditcore.ports.clock import Clock
from creditcore.ports.ids import Ids
from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.payments import CheckoutRequest, PaymentGateway
from creditcore.ports.transactions import Transaction, Transactions
from creditcore.usecases.payments.convert_currency import ConvertCurrency

_ASKED_AT_ONCE = 50

_PAID = "charge.success"
"""The one kind of webhook that there is something to do about."""

_EVENTS_A_ROUND = 50
_LONGEST_ROUND = timedelta(seconds=30)
# Longer than it takes to hear from a provider, or to give up on it.
_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=1)
_DOUBLED_AT_MOST = 6
_VAIN_ATTEMPTS = 6
"""After so many, which is an hour, an operator should look."""

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class PurchaseCredits:
    """Sell credits for money.

    Attributes:
        currency: What the checkout charges in.
        credits_per_usd: Decimal text; how many US cents of credit one US cent buys.
    """

    transactions: Transactions
    gateway: PaymentGateway
    converter: ConvertCurrency
    clock: Clock
    ids: Ids
    currency: str = "USD"
    credits_per_usd: str = "2"
    _asked_down_to: datetime | None = field(default=None, init=False)

    def offer(self, value: Money) -> Offer:
        """Return what a USD value costs and grants now."""
        price, rate = self.converter.quote(value, self.currency)
        sold, bonus = credits_for(value, self.credits_per_usd)
        return Offer(value=value, price=price, rate=rate, sold=sold, bonus=bonus)

    def start(self, person: Person, value: Money, *, return_url: str, cancel_url: str) -> Purchase:
        """Store an offer, then ask the provider to collect its price.

        Each call is a new purchase with a new reference.

        Raises:
            PaymentRejectedError: The provider refused; the purchase has failed.
            PaymentGatewayUnavailableError: Unknown whether a checkout was started;
                the purchase stays pending, and nothing can be paid twice.
        """
        now = self.clock.now()
        with self.transactions.begin() as tx:
            wallet = tx.ledger.find_wallet_of(person.id)
            purchase = Purchase(
                reference=self.ids.new_reference("cc"),
                owner_id=person.id,
                wallet_id=wallet.id,
                email=person.email,
                offer=self.offer(value),
                created_at=now,
                expires_at=now + QUOTE_LIFETIME,
            )
            tx.purchases.add(purchase)
            tx.commit()
        try:
            url = self.gateway.start_checkout(
                CheckoutRequest(
                    reference=purchase.reference,
                    amount=purchase.offer.price,
                    email=purchase.email,
                    return_url=return_url,
                    cancel_url=cancel_url,
                    description=f"{purchase.offer.credits} credits",
                )
            )
        except PaymentRejectedError as error:
            self._rejected(purchase, error)
            raise
        return self._started(purchase.reference, url)

    def confirm(self, reference: str) -> Purchase:
        """Ask the provider about a payment, and grant its credits if it was made.

        Raises:
            PaymentGatewayUnavailableError: Nobody knows yet; ask again.
            PurchaseNotFoundError: No purchase has this reference.
        """
        with self.transactions.begin() as tx:
            purchase = tx.purchases.find(reference)
        if not purchase.awaits_payment:
            return purchase
        payment = self.gateway.verify(reference)
        if payment is None:
            if self.clock.now() < purchase.expires_at:
                return purchase
            payment = _never_made(purchase)
        return self._apply(payment)

    def receive(self, body: bytes, signature: str | None) -> PaymentEvent | None:
        """Take a webhook of the provider: keep it, and ask nobody anything.

        Returning means that it is safe and need not be sent again. A repeat is counted.

        Returns:
            What the caller may ``act_on`` once it has acknowledged the webhook, as nobody
            else will for the next minute; None where nothing is to be done now.

        Raises:
            WebhookRefusedError: The provider did not sign it; nothing was kept.
            StoreError: Unknown whether it was kept; it should be sent again.
        """
        notice = self.gateway.authenticate(body, signature)
        now = self.clock.now()
        event = PaymentEvent(
            digest=hashlib.sha256(body).hexdigest(),
            kind=notice.kind,
            reference=notice.reference,
            body=_as_text(body),
            received_at=now,
            due_at=now if notice.kind == _PAID and notice.reference else None,
        )
        with self.transactions.begin() as tx:
            kept = tx.payment_events.record(event)
            for alert in _for_review(kept):
                tx.alerts.add(alert)
            claimed = _claim(tx, kept, now=now) if _is_due(tx, kept, now=now) else None
            tx.commit()
        return claimed

    def act_on(self, event: PaymentEvent) -> bool:
        """Confirm the payment of a webhook that was claimed; whether nothing is left to do.

        If something is, it is tried again when the event falls due.
        """
        alerts: tuple[Alert, ...] = ()
        try:
            if self.confirm(event.reference).awaits_payment:
                # The provider contradicts its own webhook. Perhaps not for long.
                return False
        except PaymentGatewayError as error:
            _log.warning("payment %s could not be verified: %s", event.reference, error)
            return False
        except PurchaseNotFoundError:
            alerts = (_not_ours(event, at=self.clock.now()),)
        with self.transactions.begin() as tx:
            tx.payment_events.save(replace(event, due_at=None))
            for alert in alerts:
                tx.alerts.add(alert)
            tx.commit()
        return True

    def work_off(self) -> int:
        """Act on webhooks that are due; return how many are now done.

        Any number of workers may do this at once. There is an end to each round, however
        many webhooks are due and however slow the provider is.
        """
        done = 0
        end = self.clock.now() + _LONGEST_ROUND
        for _ in range(_EVENTS_A_ROUND):
            event = self._claim_due()
            if event is None:
                break
            done += self.act_on(event)
            if self.clock.now() >= end:
                break
        return done

    def confirm_pending(self) -> int:
        """Ask about purchases that wait for their payment; return how many are now decided.

        This finds payments whose webhook was lost. One that cannot be asked about
        now is asked about next time.

        Most that wait for long were given up by their payer, and are never decided. So each
        time the newest are asked about, which people wait for, and then some more in turn:
        however many there are, no payment is left out for ever.
        """
        decided = 0
        now = self.clock.now()
        with self.transactions.begin() as tx:
            newest = tx.purchases.pending(created_before=now, limit=_ASKED_AT_ONCE)
            in_turn = tx.purchases.pending(
                created_before=self._asked_down_to or now, limit=_ASKED_AT_ONCE
            )
        is_last = len(in_turn) < _ASKED_AT_ONCE
        self._asked_down_to = None if is_last else in_turn[-1].created_at
        pending = {purchase.reference: purchase for purchase in (*newest, *in_turn)}
        for purchase in pending.values():
            try:
                decided += self.confirm(purchase.reference).state is not PurchaseState.PENDING
            except PaymentGatewayError as error:
                _log.warning("purchase %s could not be verified: %s", purchase.reference, error)
        return decided

    def _claim_due(self) -> PaymentEvent | None:
        now = self.clock.now()
        with self.transactions.begin() as tx:
            due = tx.payment_events.lock_due(now=now)
            if due is None:
                return None
            claimed = _claim(tx, due, now=now)
            tx.commit()
        return claimed

    def _started(self, reference: str, url: str) -> Purchase:
        with self.transactions.begin() as tx:
            purchase = replace(tx.purchases.lock(reference), checkout_url=url)
            tx.purchases.save(purchase)
            tx.commit()
        return purchase

    def _rejected(self, purchase: Purchase, error: PaymentRejectedError) -> None:
        self._apply(
            Payment(
                reference=purchase.reference,
                status=PaymentStatus.FAILED,
                amount=Money(0, purchase.offer.price.currency),
                message=str(error),
            )
        )

    def _apply(self, payment: Payment) -> Purchase:
        now = self.clock.now()
        with self.transactions.begin() as tx:
            purchase = tx.purchases.lock(payment.reference)
            judgement = purchase.apply(payment, at=now)
            if judgement.purchase is purchase:
                return purchase
            _record(tx, judgement)
            tx.commit()
        return judgement.purchase


def _is_due(tx: Transaction, kept: PaymentEvent, *, now: datetime) -> bool:
    if kept.due_at is not None:
        return kept.due_at <= now
    if kept.kind != _PAID:
        return False
    # It was done once; but the provider sends it again, and the money is not credited.
    try:
        return tx.purchases.find(kept.reference).awaits_payment
    except PurchaseNotFoundError:
        return False


def _claim(tx: Transaction, event: PaymentEvent, *, now: datetime) -> PaymentEvent:
    """Keep an event from others for a while, which is longer with each attempt."""
    if event.attempts >= _VAIN_ATTEMPTS:
        tx.alerts.add(_stuck(event, at=now))
    doubled = min(event.attempts, _DOUBLED_AT_MOST)
    pause = min(_FIRST_PAUSE * 2**doubled, _LONGEST_PAUSE)
    claimed = replace(event, attempts=event.attempts + 1, due_at=now + pause)
    tx.payment_events.save(claimed)
    return claimed


def _as_text(body: bytes) -> str:
    """Return the body of a webhook as any database can keep it; JSON stays as it is."""
    return body.decode(errors="backslashreplace").replace("\0", "\\x00")


def _for_review(event: PaymentEvent) -> list[Alert]:
    """Return what somebody has to know of an event that nothing else will come of."""
    if not event.kind:
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
    if event.kind == _PAID and not event.reference:
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


def _record(tx: Transaction, judgement: Judgement) -> None:
    tx.purchases.save(judgement.purchase)
    for alert in judgement.alerts:
        tx.alerts.add(alert)
    if judgement.transfers:
        books = tx.ledger.lock(
            Footprint(
                wallet_ids={judgement.purchase.wallet_id},
                transfer_references={transfer.reference for transfer in judgement.transfers},
            )
        )
        books.post(judgement.transfers)
        tx.ledger.write(books)


def _never_made(purchase: Purchase) -> Payment:
    """The provider never heard of it and the offer is over. A later payment would still count."""
    return Payment(
        reference=purchase.reference,
        status=PaymentStatus.FAILED,
        amount=Money(0, purchase.offer.price.currency),
        message="The checkout was never opened.",
    )
