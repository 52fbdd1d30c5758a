"""Buy credits: offer, check out, confirm.

``confirm`` is the one step that grants anything. The webhook, the browser's return and
the worker all call it, in any order, any number of times, at once.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field, replace
from datetime import datetime

from creditcore.domain.alerts import Alert, Severity
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
from creditcore.ports.payments import CheckoutRequest, PaymentGateway, WebhookNotice
from creditcore.ports.transactions import Transaction, Transactions
from creditcore.usecases.convert_currency import ConvertCurrency

_ASKED_AT_ONCE = 50

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
        if purchase.state not in (PurchaseState.PENDING, PurchaseState.FAILED):
            return purchase
        payment = self.gateway.verify(reference)
        if payment is None:
            if self.clock.now() < purchase.expires_at:
                return purchase
            payment = _never_made(purchase)
        return self._apply(payment)

    def receive(self, body: bytes, signature: str | None) -> None:
        """Take a webhook of the provider: keep it, then act on what it is about.

        Returning means it is safe and need not be sent again. A repeat is harmless.

        Raises:
            WebhookRefusedError: The provider did not sign it; nothing was kept.
            PaymentGatewayUnavailableError: It is kept, but could not be verified yet.
        """
        notice = self.gateway.authenticate(body, signature)
        event = PaymentEvent(
            digest=hashlib.sha256(body).hexdigest(),
            kind=notice.kind,
            reference=notice.reference,
            body=body.decode(),
            received_at=self.clock.now(),
        )
        with self.transactions.begin() as tx:
            tx.payment_events.record(event)
            tx.commit()
        if notice.kind == "charge.success":
            self._confirm_noticed(notice)

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

    def _confirm_noticed(self, notice: WebhookNotice) -> None:
        try:
            self.confirm(notice.reference)
        except PurchaseNotFoundError:
            alert = Alert(
                key=f"unknown_payment:{notice.reference}",
                severity=Severity.CRITICAL,
                subject="A payment is not ours",
                message=(
                    f"The provider reports a payment {notice.reference!r} that was not started "
                    "here. The event is kept; nothing was credited."
                ),
                at=self.clock.now(),
            )
            with self.transactions.begin() as tx:
                tx.alerts.add(alert)
                tx.commit()

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


def _record(tx: Transaction, judgement: Judgement) -> None:
    tx.purchases.save(judgement.purchase)
    for alert in judgement.alerts:
        tx.alerts.add(alert)
    if judgement.transfers:
        books = tx.ledger.lock(
            wallet_ids={judgement.purchase.wallet_id},
            transfer_references={transfer.reference for transfer in judgement.transfers},
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
