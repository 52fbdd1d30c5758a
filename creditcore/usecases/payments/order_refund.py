"""An operator orders a refund from a page: once, however often its form is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from creditcore.domain.activity import Actor
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.money import Money
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import Commits, HasClaims, HasPurchases
from creditcore.ports.transactions import Begins
from creditcore.usecases.payments.refund_payment import (
    MAX_REASON_LENGTH,
    RefundPayment,
    RefundResult,
)

_REMEMBERED = timedelta(days=1)


class OrderRefundTransaction(HasClaims, HasPurchases, Commits, Protocol):
    """What ordering a refund reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRefund:
    """Refund a payment for an operator; a form that is sent twice refunds once."""

    transactions: Begins[OrderRefundTransaction]
    refunds: RefundPayment
    clock: Clock

    def order(
        self, reference: str, amount: Money | None, *, reason: str, attempt: str, actor: Actor
    ) -> RefundResult:
        """Give an amount of a payment back; all that is left of it, if None.

        Args:
            reference: The payment.
            amount: How much, in its currency.
            reason: Why; the payment provider and the activity log keep it.
            attempt: Names this order: a repeat with the same name within a day is refused.
            actor: Who orders it.

        Raises:
            InvalidRequestError: As ``RefundPayment.refund``; or the order was given before.
            PaymentGatewayUnavailableError: As ``RefundPayment.refund``.
            PaymentRejectedError: As ``RefundPayment.refund``.
            PurchaseNotFoundError: No purchase has this reference.
        """
        reason = " ".join(reason.split())
        if not reason or len(reason) > MAX_REASON_LENGTH:
            raise InvalidRequestError(
                f"A refund has a reason of 1 to {MAX_REASON_LENGTH} characters.", param="reason"
            )
        now = self.clock.now()
        with self.transactions.begin() as tx:
            tx.purchases.find(reference)
            name = f"refund-order:{reference}:{attempt}"
            if not tx.claims.take(name, now=now, until=now + _REMEMBERED):
                raise InvalidRequestError(
                    "This refund was ordered a moment ago: the payment's page says how it stands."
                )
            tx.commit()
        return self.refunds.refund(reference, amount, reason=reason, actor=actor)
