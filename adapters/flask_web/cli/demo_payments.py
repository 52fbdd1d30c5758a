"""Payments of a believable past: sold by the use cases, at a clock that stands in the past.

No provider hears of them, so a reconciliation finds none of the last days there.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from creditcore.domain.errors import PersonNotFoundError
from creditcore.domain.ledger import Wallet
from creditcore.domain.money import Credits
from creditcore.domain.people import Person
from creditcore.domain.purchases import Offer, Payment, PaymentStatus
from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.payments import EventKind
from creditcore.services import Services

_PAID_AFTER = timedelta(seconds=40)


class Then:
    """A clock that stands still in the past."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """Return the instant it stands at."""
        return self._at


@dataclass(frozen=True, slots=True)
class Till:
    """Sells credits to people of the demonstration, who pay at once."""

    services: Services

    def sell(self, wallet: Wallet, wanted: Credits, at: datetime) -> None:
        """Sell a person's wallet plans until it has so many credits available, at an instant.

        Raises:
            PersonNotFoundError: It is no person's wallet.
        """
        with self.services.transactions.begin() as tx:
            available = tx.ledger.find_wallet_of(wallet.owner_id).available
            person = tx.people.find(wallet.owner_id)
        if person is None:
            raise PersonNotFoundError(wallet.owner_id)
        while available < wanted:
            offer = self._offer(wanted - available)
            self._buy(person, offer, at)
            available += offer.credits

    def _offer(self, missing: Credits) -> Offer:
        """Return the smallest plan that gives what is missing, or the largest."""
        sales = self.services.payments.sales
        offers = [sales.offer(plan) for plan in sorted(sales.terms.plans)]
        return next((offer for offer in offers if offer.credits >= missing), offers[-1])

    def _buy(self, person: Person, offer: Offer, at: datetime) -> None:
        payments = self.services.payments
        purchase, _ = replace(payments.sales, clock=Then(at)).store(person, offer)
        paid_at = Then(at + _PAID_AFTER)
        # Without followers: mail about it would be sent today.
        replace(payments.confirmation, clock=paid_at, followers=()).apply(
            Payment(
                reference=purchase.reference,
                status=PaymentStatus.SUCCEEDED,
                amount=offer.price,
                channel="card",
            )
        )
        self._hear_of(purchase.reference, paid_at.now())
        replace(payments.documents, clock=paid_at).issue(purchase.reference)

    def _hear_of(self, reference: str, at: datetime) -> None:
        """Keep a webhook of a payment; without any, monitoring says that none come."""
        body = json.dumps({"event": "charge.success", "data": {"reference": reference}})
        event = PaymentEvent(
            digest=hashlib.sha256(body.encode()).hexdigest(),
            kind=EventKind.PAID,
            name="charge.success",
            reference=reference,
            body=body,
            received_at=at,
        )
        with self.services.transactions.begin() as tx:
            tx.payment_events.record(event)
            tx.commit()
