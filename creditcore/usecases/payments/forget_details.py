"""Forget what payments said of cards and phones, once it is no longer needed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from creditcore.ports.clock import Clock
from creditcore.ports.payments import PaymentGateway
from creditcore.ports.store_ports import Commits, HasPaymentEvents, HasPurchases
from creditcore.ports.transactions import Begins

_BATCH = 100


class ForgetDetailsTransaction(HasPaymentEvents, HasPurchases, Commits, Protocol):
    """What forgetting details of payments reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetDetails:
    """Reduce stored webhooks to what the books need, and mask the phones of purchases.

    Attributes:
        after: How long everything is kept as it came.
    """

    transactions: Begins[ForgetDetailsTransaction]
    gateway: PaymentGateway
    clock: Clock
    after: timedelta

    def forget(self) -> int:
        """Reduce one batch of each; return how many webhooks and purchases it were.

        Webhooks that are still to be processed are left alone.
        """
        now = self.clock.now()
        with self.transactions.begin() as tx:
            events = tx.payment_events.complete(received_before=now - self.after, limit=_BATCH)
            for event in events:
                tx.payment_events.reduce(event.digest, body=self.gateway.redact(event.body), at=now)
            masked = tx.purchases.mask_phones(created_before=now - self.after, limit=_BATCH)
            tx.commit()
        return len(events) + masked
